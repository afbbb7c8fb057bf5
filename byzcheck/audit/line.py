"""One line of a card: a number that was measured of a rule, what it means, how it was obtained, how good it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from sims.checked import choice, told, words
from sims.checks.evidence import Evidence

How = Literal["searched", "sampled", "proved", "counted", "measured"]


@dataclass(frozen=True)
class Line:
    """What a card says of one property of a rule.

    `about` is the label, in the words of the field; `says` one sentence, the number and what it means; `how` how the
    number was obtained: "searched" (the worst of what was tried, which the true worst may exceed), "sampled" (from
    random draws), "proved", "counted" (all cases, one by one) or "measured" (by the clock, not the same twice).
    `against` judges the number against the best possible, and may be empty. `good` is the judgement in one word: True,
    False, or None where there is nothing to judge or nobody can tell. `evidence` holds the numbers in full, and
    `witness` an input that shows what is said, as text.

    Raises `ValueError` where `about` or `says` is no text or empty, `against` or `witness` is no text, `how` is none of
    the five, or `good` none of the three.
    """

    about: str
    says: str
    how: How
    against: str = ""
    good: bool | None = None
    evidence: tuple[Evidence, ...] = ()
    witness: str = ""

    def __post_init__(self) -> None:
        words("Line", "about", self.about)
        words("Line", "says", self.says)
        choice("Line", "how", self.how, get_args(How))
        for name in ("against", "witness"):
            if not isinstance(given := getattr(self, name), str):
                raise ValueError(f"Line needs a text as {name}, got {name} = {told(given)}")
        if self.good is not None and not isinstance(self.good, bool):
            raise ValueError(f"Line needs True, False or None as good, got good = {told(self.good)}")


def times(ratio: float) -> str:
    """A ratio as a line has it.

    >>> times(1.234), times(100.4), times(float("inf"))
    ('1.2 ×', '100 ×', '∞ ×')
    """
    if math.isinf(ratio):
        return "∞ ×"
    return f"{ratio:.2g} ×" if ratio < 99.5 else f"{ratio:,.0f} ×"
