"""Which statements a person means."""

from __future__ import annotations

import re
from collections.abc import Sequence

import theory


def stem_of(text: str) -> str:
    """The stem that `text` names: itself, a unique beginning of it, or the statement's label ("Theorem I").

    "theorem_i" is Theorem I although Theorem III begins so too: whole words win. A `ValueError` says what went wrong.
    """
    wanted = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    if wanted in theory.PAPER:
        return wanted
    for ending in ("_", "") if wanted else ():
        found = [stem for stem in theory.PAPER if stem.startswith(wanted + ending)]
        if len(found) == 1:
            return found[0]
        if found:
            raise ValueError(f"{text!r} may be any of {', '.join(found)}")
    theory.load(text)  # unknown: raises, with the nearest name
    raise AssertionError("unreachable")


def stems_of(texts: Sequence[str]) -> list[str]:
    """The statements named by `texts` (each perhaps several, comma-separated) in the paper's order; all for none."""
    wanted = {stem_of(part.strip()) for text in texts for part in text.split(",") if part.strip()}
    if texts and not wanted:
        raise ValueError("--only names no statement")
    return [stem for stem in theory.PAPER if not wanted or stem in wanted]
