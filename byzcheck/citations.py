"""What to cite: the paper, what a statement's checks and proofs rest on, and this suite."""

from __future__ import annotations

from byzcheck.version import YEAR, __version__
from theory.claim import Statement
from theory.sources import PAPER_KEY, Reference, named


def suite() -> Reference:
    """This suite, in the version that runs."""
    fields = {
        "author": "{The byzcheck authors}",
        "title": "byzcheck: {Learning from History for Byzantine Robust Optimization}, executable",
        "year": str(YEAR),
        "note": f"Version {__version__}",
    }
    return Reference("byzcheck", "misc", fields)


def citations(statement: Statement | None = None) -> list[tuple[str, list[Reference]]]:
    """Groups of references, each with what it is: the paper, what the statement rests on if one is given, the suite."""
    groups = [("The paper", named([PAPER_KEY]))]
    if statement is not None and statement.uses:
        groups.append(
            (
                f"What the checks and proofs of {statement.label} rest on, and the methods that it names",
                named(statement.uses),
            )
        )
    return [*groups, ("This suite", [suite()])]


def as_bibtex(groups: list[tuple[str, list[Reference]]]) -> str:
    """The groups as a file of BibTeX, each under a comment."""
    return "\n\n".join("\n\n".join([f"% {what}", *(reference.bibtex for reference in found)]) for what, found in groups)
