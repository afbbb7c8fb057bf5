"""One line of a card: a number that was measured of a rule, what it means, how it was obtained, how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sims.checked import choice, words
from sims.checks.evidence import Evidence

How = Literal["searched", "sampled", "proved", "counted", "measured"]


@dataclass(frozen=True)
class Line:
    """What a card says of one property of a rule.

    `about` is the label, in the words of the field; `says` one sentence, the number and what it means; `how` how the
    number was obtained: "searched" (the worst of what was tried, which the true worst may exceed), "sampled" (from
    random draws), "proved", "counted" (exact for the inputs that were counted) or "measured" (by the clock, not the same
    twice). `against` judges the number against the best possible, and may be empty. `good` is the judgement in one
    word: True, False, or None where there is nothing to judge or it could not be found out. `evidence` holds the numbers
    in full, and `witness` the input that shows it, as text.

    Raises `ValueError` where a text is none, `about` or `says` is empty, or `how` is none of the five.
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
                raise ValueError(f"Line needs a text as {name}, got {name} = {given!r}")
        if self.good is not None and not isinstance(self.good, bool):
            raise ValueError(f"Line needs True, False or None as good, got good = {self.good!r}")

    @property
    def numbers(self) -> Mapping[str, Any]:
        """Measured values by what they are of, as the evidence has them."""
        return {item.what: item.measured for item in self.evidence}
