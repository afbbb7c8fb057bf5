"""Phocas: the mean around the trimmed mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims import columns, kernels
from sims.aggregators.exactly import Vector
from sims.aggregators.rule import State
from sims.aggregators.told import ToldF
from sims.backend import Array
from sims.kernels import at_once
from sims.kernels.in_rounds import RuleInRounds, Step


@dataclass(frozen=True)
class Phocas(ToldF):
    """The average of the n − f values of each coordinate nearest to its trimmed mean (Xie, Koyejo, Gupta 2018).

    The trimmed mean leaves out the f smallest and the f largest values; of two values equally near it the smaller one
    is nearer. Nearest to the trimmed mean as `TrimmedMean` returns it, which is decided without further rounding. Needs
    n ≥ 2f + 1. Source: "Phocas: dimensional Byzantine-resilient stochastic gradient descent", arXiv 1805.09682.

    It bears f: the trimmed mean lies among honest values, and n − f of these are near it.

    >>> import numpy as np
    >>> Phocas(f=1).aggregate(np.array([[0.0], [1.0], [3.0], [1e9]]))
    array([1.33333333])
    """

    def exact(self, rows: Sequence[Vector]) -> list[Any]:
        """Coordinate by coordinate, with the values in the order of their distances, of two the smaller first."""
        self.require(len(rows))
        n, found = len(rows), []
        for column in zip(*rows, strict=True):
            centre = sum(sorted(column)[self.f : n - self.f]) / (n - 2 * self.f)
            nearest = sorted(column, key=lambda value, centre=centre: (abs(value - centre), value))
            found.append(sum(nearest[: n - self.f]) / (n - self.f))
        return found

    def in_rounds(self, n: int) -> RuleInRounds:
        """The values in ascending order, and a window of them."""
        return RuleInRounds(Step.AROUND_TRIMMED_MEAN, tuple(range(n)), self.f)

    def at_once(self, x: np.ndarray, state: State) -> np.ndarray | None:
        """Few messages at once."""
        return at_once.mean_around_trimmed_mean(x, self.f)

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        if kernels.pays(x):
            return kernels.mean_around_trimmed_mean(x, self.f)
        return columns.mean_around_trimmed_mean(x, self.f)
