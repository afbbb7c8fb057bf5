"""What the statements' checks and proofs rest on: the entries of `sources.bib`, the paper's own among them.

That file is written here, in one form: a field in a line, an entry from `@kind{key,` to a line with a brace alone. So
it is read line by line.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PAPER_KEY = "karimireddy2021"

_ENTRY = re.compile(r"^@(?P<kind>\w+)\{(?P<key>[\w-]+),\n(?P<fields>(?:  .*\n)*)\}$", re.MULTILINE)
_FIELD = re.compile(r"^  (\w+) = \{(.*)\},$", re.MULTILINE)


@dataclass(frozen=True)
class Reference:
    """What can be cited: its key, the kind of BibTeX entry, and its fields in LaTeX.

    >>> print(Reference("huber1964", "article", {"author": "Huber, Peter J.", "year": "1964"}).bibtex)
    @article{huber1964,
      author = {Huber, Peter J.},
      year = {1964},
    }
    """

    key: str
    kind: str
    fields: Mapping[str, str]

    @property
    def bibtex(self) -> str:
        """The entry for a file of BibTeX."""
        fields = "".join(f"  {name} = {{{value}}},\n" for name, value in self.fields.items())
        return f"@{self.kind}{{{self.key},\n{fields}}}"


@functools.cache
def references() -> Mapping[str, Reference]:
    """All entries of `sources.bib`, by their keys."""
    text = Path(__file__).with_name("sources.bib").read_text(encoding="utf-8")
    found = [Reference(m["key"], m["kind"], dict(_FIELD.findall(m["fields"]))) for m in _ENTRY.finditer(text)]
    return {reference.key: reference for reference in found}


def named(keys: Iterable[str]) -> list[Reference]:
    """The entries of these keys, in this order; a `ValueError` names a key that there is not."""
    known, keys = references(), list(keys)
    if missing := [key for key in keys if key not in known]:
        raise ValueError(f"theory/sources.bib has no entry {', '.join(missing)}")
    return [known[key] for key in keys]
