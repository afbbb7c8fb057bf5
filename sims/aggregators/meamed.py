"""The mean around the median."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims import columns, kernels
from sims.aggregators.exactly import Vector, median
from sims.aggregators.rule import State
from sims.aggregators.told import ToldF
from sims.backend import Array, device, namespace
from sims.kernels import at_once
from sims.kernels.in_rounds import RuleInRounds, Step


@dataclass(frozen=True)
class Meamed(ToldF):
    """The average of the n − f values of each coordinate nearest to its median (Xie, Koyejo, Gupta 2018).

    For even n the median is the midpoint of the two middle values; of two values equally near it the smaller one is
    nearer. Which are nearest is decided without rounding. Needs n ≥ 2f + 1. Source: "Generalized Byzantine-tolerant
    SGD", arXiv 1802.10116.

    It bears f: the median lies among honest values, and n − f of these are near it.

    >>> import numpy as np
    >>> Meamed(f=1).aggregate(np.array([[0.0], [1.0], [3.0], [1e9]]))
    array([1.33333333])
    """

    def exact(self, rows: Sequence[Vector]) -> list[Any]:
        """Coordinate by coordinate, with the values in the order of their distances, of two the smaller first."""
        self.require(len(rows))
        found = []
        for column in zip(*rows, strict=True):
            middle = median(column)
            nearest = sorted(column, key=lambda value, middle=middle: (abs(value - middle), value))
            found.append(sum(nearest[: len(rows) - self.f]) / (len(rows) - self.f))
        return found

    def in_rounds(self, n: int) -> RuleInRounds:
        """The values in ascending order, and a window of them."""
        return RuleInRounds(Step.AROUND_MEDIAN, tuple(range(n)), self.f)

    def at_once(self, x: np.ndarray, state: State) -> np.ndarray | None:
        """Few messages at once."""
        return at_once.mean_around_median(x, self.f)

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        xp, n = namespace(x), x.shape[-2]
        if not kernels.pays(x):
            return columns.mean_around_median(x, n - self.f)
        every = xp.broadcast_to(xp.arange(n, device=device(x)), x.shape[:-1])
        return kernels.mean_around_median(x, every, self.f)
