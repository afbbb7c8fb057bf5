"""The name that somebody may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The words "; did you mean …?" with the name nearest to `word`, whatever its capitals; empty if none is near.

    >>> nearest("learning rate", ("learning_rate", "beta"))
    '; did you mean learning_rate?'
    """
    names = {one.lower(): one for one in known}
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=cutoff)
    return f"; did you mean {names[near[0]]}?" if near else ""
