"""Proofs: Markdown with formulas in LaTeX, each beside the check that certifies its numbers.

A proof begins with its title, then says which claims rest on it. Its steps are numbered headings, and each ends with
how it is checked:

    # One step from a fixed centre

    Certifies: one_step, at_most

    What the proof assumes, and its notation.

    ## 1. What clipping cuts off
    …

    *Checked:* by hand; instances: identity.

Where no claim rests on it, `Certifies: no claim; …` says what does. `HOW` says what the ways are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HOW = {  # how a step is checked → what that means, and the kinds of evidence that its claims then have
    "by hand": ("a lemma to be read; a second reader tried to break it", ()),
    "intervals": ("interval arithmetic over all values of the parameters", ("proved",)),
    "algebra": ("an identity, or the sign of a polynomial, in exact arithmetic for all values", ("exact", "proved")),
    "certificate": ("a dual solution or a sum of squares, checked in rationals", ("exact", "proved")),
    "all cases": ("every case of the finite part that the step names", ("exact",)),
    "instances": ("some cases, exactly: it can refute the step and does not prove it", ("exact", "proved")),
    "runs": ("samples or a search: it can refute the step and does not prove it", ("sampled", "searched")),
}
PROVES = ("by hand", "intervals", "algebra", "certificate", "all cases")

_HEAD = re.compile(r"# (?P<title>.+)\n\nCertifies: (no claim; .+|(?P<claims>[\w, \n]+?))\n\n")
_CHECKED = re.compile(r"\n\*Checked:\* (?P<links>(?:(?!\n\n)[^*])+)\.\s*\Z")


@dataclass(frozen=True)
class Link:
    """One way in which a step is checked, and the claims that do it; none where it is by hand."""

    how: str
    claims: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """A step of a proof: its heading, its text with what says how it is checked, and that as links."""

    title: str
    text: str
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Proof:
    """A proof: its title, the names of the claims that rest on it, the text below; the file from a checkout's root."""

    title: str
    certifies: tuple[str, ...]
    text: str
    file: str
    steps: tuple[Step, ...] = ()

    @property
    def name(self) -> str:
        """The name of its file, without the ending."""
        return Path(self.file).stem

    @property
    def brief(self) -> str:
        """Its text, where a step that is checked by hand alone does not say so."""
        return self.text.replace("\n*Checked:* by hand.\n", "\n")


def read(path: Path) -> Proof:
    """The proof in a file; a `ValueError` if it does not begin as a proof does, or a step is not as it must be."""
    whole = path.read_text(encoding="utf-8")
    file = str(path.relative_to(Path(__file__).parents[1]))
    head = _HEAD.match(whole)
    if head is None:
        raise ValueError(f"{file} must begin with '# TITLE' and 'Certifies: CLAIM, …'")
    text = whole[head.end() :]
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    steps = tuple(_step(part, number, file) for number, part in enumerate(parts, start=1))
    return Proof(head["title"], tuple(re.findall(r"\w+", head["claims"] or "")), text, file, steps)


def _step(part: str, number: int, file: str) -> Step:
    heading, _, text = part.partition("\n")
    if not heading.startswith(f"{number}. "):
        raise ValueError(f"{file}: step {number} must be headed '## {number}. …', got {heading!r}")
    checked = _CHECKED.search(text)
    if checked is None:
        raise ValueError(f"{file}: step {number} must end with how it is checked: '*Checked:* by hand.'")
    return Step(heading.partition(". ")[2], text.strip(), links_of(checked["links"], f"{file}, step {number}"))


def links_of(text: str, where: str) -> tuple[Link, ...]:
    """What a line says of how a step is checked.

    >>> links_of("by hand; instances: identity, path", "a.md, step 1")
    (Link(how='by hand', claims=()), Link(how='instances', claims=('identity', 'path')))

    Raises `ValueError` for a way that there is not, for claims of what is by hand, for none of another way, and where
    nothing proves the step.
    """
    found = []
    for part in " ".join(text.split()).split("; "):
        how, _, names = part.partition(": ")
        claims = tuple(re.findall(r"\w+", names))
        if how not in HOW or bool(claims) == (how == "by hand"):
            raise ValueError(
                f"{where}: 'by hand', or one of {', '.join(list(HOW)[1:])} with ': CLAIM, …', got {part!r}"
            )
        found.append(Link(how, claims))
    if not any(link.how in PROVES for link in found):
        raise ValueError(f"{where}: nothing proves it, got {text!r}")
    return tuple(found)


def proofs_of(stem: str, names: tuple[str, ...]) -> list[Proof]:
    """The proofs of a statement, by the names of their files: in its folder, or beside its file."""
    folder = Path(__file__).parent / stem
    return [read((folder if folder.is_dir() else folder.parent) / f"{name}.md") for name in names]


def counted(proofs: list[Proof]) -> str:
    """How many steps the proofs have and how these are checked, in words; empty if there is none.

    >>> counted([Proof("a", (), "", "a.md", (Step("b", "", (Link("by hand"), Link("instances", ("c",)))),))])
    '1 step: 1 by hand (1 of them also at instances or in runs)'
    """
    steps = [step for proof in proofs for step in proof.steps]
    if not steps:
        return ""
    ways = [[link.how for link in step.links] for step in steps]
    hand = [found for found in ways if not any(how in PROVES[1:] for how in found)]
    said = []
    if hand:
        tried = sum(len(found) > 1 for found in hand)
        said.append(f"{len(hand)} by hand" + (f" ({tried} of them also at instances or in runs)" if tried else ""))
    for how in PROVES[1:]:
        if count := sum(how in found for found in ways):
            read = sum(how in found and "by hand" in found for found in ways)
            said.append(f"{count} by {how}" + (f" ({read} of them partly by hand)" if read else ""))
    return f"{len(steps)} step{'s' if len(steps) > 1 else ''}: {', '.join(said)}"
