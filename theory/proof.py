"""Proofs: Markdown with formulas in LaTeX, each beside the check that certifies its numbers.

A proof begins with its title, then says which claims rest on it; its steps are numbered headings:

    # One step from a fixed centre

    Certifies: one_step, at_most

    What the proof assumes, and its notation.

    ## 1. What clipping cuts off
    …

Where no claim rests on it, `Certifies: no claim; …` says what does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_HEAD = re.compile(r"# (?P<title>.+)\n\nCertifies: (no claim; .+|(?P<claims>[\w, \n]+?))\n\n")


@dataclass(frozen=True)
class Proof:
    """A proof: its title, the names of the claims that rest on it, the text below; the file from a checkout's root."""

    title: str
    certifies: tuple[str, ...]
    text: str
    file: str

    @property
    def name(self) -> str:
        """The name of its file, without the ending."""
        return Path(self.file).stem

    @property
    def steps(self) -> list[str]:
        """The headings of its steps, without their numbers."""
        return re.findall(r"^## \d+\. (.+)$", self.text, re.MULTILINE)


def read(path: Path) -> Proof:
    """The proof in a file; a `ValueError` if it does not begin as a proof does, or its steps are not numbered."""
    whole = path.read_text(encoding="utf-8")
    file = str(path.relative_to(Path(__file__).parents[1]))
    head = _HEAD.match(whole)
    if head is None:
        raise ValueError(f"{file} must begin with '# TITLE' and 'Certifies: CLAIM, …'")
    numbers = re.findall(r"^## (.*)$", whole, re.MULTILINE)
    for expected, heading in enumerate(numbers, start=1):
        if not heading.startswith(f"{expected}. "):
            raise ValueError(f"{file}: step {expected} must be headed '## {expected}. …', got {heading!r}")
    return Proof(head["title"], tuple(re.findall(r"\w+", head["claims"] or "")), whole[head.end() :], file)


def proofs_of(stem: str, names: tuple[str, ...]) -> list[Proof]:
    """The proofs of a statement, by the names of their files: in its folder, or beside its file."""
    folder = Path(__file__).parent / stem
    return [read((folder if folder.is_dir() else folder.parent) / f"{name}.md") for name in names]
