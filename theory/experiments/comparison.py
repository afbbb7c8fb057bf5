"""A number of an experiment beside what a sentence says of it, with an interval over the seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.95


@dataclass(frozen=True)
class Comparison:
    """`values`, one a seed, of which the sentence says that their expectation is ≥ or ≤ `bound`.

    Rules that are compared meet the same samples and the same start under one seed, so that a value is the difference
    of two runs of one seed. The interval is Student's: seeds are taken to be independent and the values roughly normal.
    With two seeds it is 9 times as wide as their difference, with three 2.5 times their standard deviation to each
    side, and with one there is none. `in_points`: the values are accuracies, to be shown in points of a hundred.

    >>> Comparison("Krum", {0: 0.5, 1: 0.52}, ">=", 0.2).said
    'Krum: 51.0 ± 12.7 ≥ 20'
    """

    what: str
    values: Mapping[int, float]
    relation: Literal[">=", "<="]
    bound: float
    in_points: bool = True

    @property
    def mean(self) -> float:
        """Over the seeds; NaN if a run has no such number."""
        return float(np.mean(list(self.values.values())))

    def half(self, level: float = LEVEL) -> float:
        """Half of the interval's width; ∞ for one seed."""
        values, n = list(self.values.values()), len(self.values)
        if n < 2:
            return math.inf
        return float(stdtrit(n - 1.0, 0.5 + level / 2) * np.std(values, ddof=1) / math.sqrt(n))

    @property
    def beyond(self) -> float:
        """By how much the mean is on the side that the sentence says."""
        return self.mean - self.bound if self.relation == ">=" else self.bound - self.mean

    def holds(self, among: int = 1) -> bool:
        """Whether the whole interval is on the side that the sentence says, at 95 % for all of `among` together."""
        return self.beyond >= self.half(_level(among))

    def fails(self, among: int = 1) -> bool:
        """Whether the whole interval is on the other side, at 95 % for all of `among` together."""
        return -self.beyond > self.half(_level(among))

    @property
    def said(self) -> str:
        """In words: what, mean, half width, bound."""
        return self.said_among(1)

    def said_among(self, among: int) -> str:
        """The same with an interval at 95 % for all of `among` together."""
        scale, digits = (100.0, 1) if self.in_points else (1.0, 3)
        width = self.half(_level(among))
        half = f" ± {scale * width:.{digits}f}" if len(self.values) > 1 else ""
        sign = "≥" if self.relation == ">=" else "≤"
        said = f"{scale * self.mean:.{digits}f}{half} {sign} {scale * self.bound:.3g}".replace("-", "−")
        return f"{self.what}: {said}"


def _level(among: int) -> float:
    return 1 - (1 - LEVEL) / among
