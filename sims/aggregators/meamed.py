"""The mean around the median."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sims import columns, kernels
from sims.aggregators.exactly import Vector, median
from sims.aggregators.rule import Promises, StatelessRule
from sims.backend import Array, device, namespace
from sims.checked import keep, whole


@dataclass(frozen=True)
class Meamed(StatelessRule):
    """The average of the n − f values of each coordinate nearest to its median (Xie, Koyejo, Gupta 2018).

    For even n the median is the midpoint of the two middle values; of two values equally near it the smaller one is
    nearer. Which are nearest is decided without rounding. Needs n ≥ 2f + 1. Source: "Generalized Byzantine-tolerant
    SGD", arXiv 1802.10116.

    >>> import numpy as np
    >>> Meamed(f=1).aggregate(np.array([[0.0], [1.0], [3.0], [1e9]]))
    array([1.33333333])
    """

    needs: ClassVar[str] = "n ≥ 2f + 1"
    bears: ClassVar[str] = "f"

    f: int

    def __post_init__(self) -> None:
        keep(self, whole, "f", least=0)

    @property
    def promises(self) -> Promises:
        """All; the mean at f = 0."""
        return Promises(mean=self.f == 0)

    def require(self, n: int) -> None:
        """Raise unless n ≥ 2f + 1."""
        if n < 2 * self.f + 1:
            raise ValueError(f"Meamed needs n ≥ 2f + 1, got n = {n}, f = {self.f}")

    def breakdown(self, n: int) -> int:
        """The declared f: the median lies among honest values, and n − f of these are near it."""
        return self.f

    def exact(self, rows: Sequence[Vector]) -> list[Any]:
        """Coordinate by coordinate, with the values in the order of their distances, of two the smaller first."""
        self.require(len(rows))
        found = []
        for column in zip(*rows, strict=True):
            middle = median(column)
            nearest = sorted(column, key=lambda value, middle=middle: (abs(value - middle), value))
            found.append(sum(nearest[: len(rows) - self.f]) / (len(rows) - self.f))
        return found

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        xp, n = namespace(x), x.shape[-2]
        if not kernels.pays(x):
            return columns.mean_around_median(x, n - self.f)
        every = xp.broadcast_to(xp.arange(n, device=device(x)), x.shape[:-1])
        return kernels.mean_around_median(x, every, self.f)
