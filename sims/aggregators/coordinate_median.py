"""The coordinate-wise median."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sims import columns, kernels
from sims.aggregators.rule import Promises, State, StatelessRule
from sims.backend import Array
from sims.kernels import at_once
from sims.kernels.in_rounds import RuleInRounds, Step


@dataclass(frozen=True)
class CoordinateMedian(StatelessRule):
    """The median of each coordinate (CM; Yin et al. 2018): for even n the midpoint of the two middle values.

    [CM(x)]_j = median([x_1]_j, …, [x_n]_j), a midpoint within a unit of rounding.

    >>> import numpy as np
    >>> CoordinateMedian().aggregate(np.array([[1.0, 5.0], [2.0, 0.0], [9.0, 1.0]]))
    array([2., 1.])
    """

    needs: ClassVar[str] = "n ≥ 1"
    bears: ClassVar[str] = "⌈n/2⌉ − 1"

    @property
    def promises(self) -> Promises:
        """All but the mean."""
        return Promises()

    def in_rounds(self, n: int) -> RuleInRounds:
        """The order statistics in the middle."""
        return RuleInRounds(Step.MEDIAN, order=((n - 1) // 2, n // 2))

    def breakdown(self, n: int) -> int:
        """⌈n/2⌉ − 1: the middle lies among honest values as long as these are a majority."""
        return (n - 1) // 2

    def at_once(self, x: np.ndarray, state: State) -> np.ndarray | None:
        """Few messages at once."""
        return at_once.coordinate_median(x)

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        return kernels.coordinate_median(x) if kernels.pays(x) else columns.median(x)
