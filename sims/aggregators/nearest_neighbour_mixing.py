"""Nearest-neighbour mixing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from sims.aggregators.coordinate_median import CoordinateMedian
from sims.aggregators.krum import krum_distances
from sims.aggregators.pre_aggregation import PreAggregation
from sims.aggregators.rule import Promises
from sims.backend import Array, device, inverse, namespace, order_by_value
from sims.checked import keep, whole


@dataclass(frozen=True, eq=False)
class NearestNeighbourMixing(PreAggregation):
    """Every message is averaged with those nearest to it before the rule sees them (NNM; Allouah et al. 2023).

    y_i = the mean of the n − f messages nearest to x_i, itself among them; the rule aggregates y_1, …, y_n. Equal
    distances are decided for the lexicographically smaller message. A message that is not finite, or beyond 1e150, is
    infinitely far from all others; a mean that it is in becomes NaN, which the rule takes for the worst value. Needs n
    ≥ 2f + 1.

    >>> import numpy as np
    >>> NearestNeighbourMixing(CoordinateMedian(), f=1).aggregate(np.array([[0.0], [2.0], [1e9]]))
    array([1.])
    """

    f: int

    def __post_init__(self) -> None:
        super().__post_init__()
        keep(self, whole, "f", least=0)

    @classmethod
    def example(cls, n: int, f: int) -> Self | None:
        """Before the coordinate-wise median."""
        return cls(CoordinateMedian(), f) if n >= 2 * f + 1 else None

    @property
    def promises(self) -> Promises:
        """Those of the rule; at f = 0 all messages become their mean, and so does any rule."""
        inner = self.rule.promises
        return Promises(inner.translation, inner.scale, inner.odd, inner.mean and self.f == 0, inner.agreement)

    def require(self, n: int) -> None:
        """Raise unless n ≥ 2f + 1, and as the rule does."""
        if n < 2 * self.f + 1:
            raise ValueError(f"NearestNeighbourMixing needs n ≥ 2f + 1, got n = {n}, f = {self.f}")
        super().require(n)

    def meets_ties(self, n: int, d: int) -> bool:
        """Where the rule does, and over one neighbour: of the two closest messages each becomes the same mean."""
        return n - self.f == 2 or super().meets_ties(n, d)

    def breakdown(self, n: int) -> int:
        """The declared f, as far as the rule bears as many: each spoils no mean but its own."""
        return min(self.f, self.rule.breakdown(n))

    def mix(self, x: Array, rng: Any) -> Array:
        """The means, (..., n, d) → (..., n, d)."""
        xp, n = namespace(x), x.shape[-2]
        distances, alive, ranks = krum_distances(x)
        by_rank = xp.broadcast_to(ranks(...)[..., None, :], distances.shape)
        near = inverse(order_by_value(distances, by_rank)) < n - self.f  # row by row, whom it is averaged with
        weights = xp.astype(near, x.dtype) / (n - self.f)
        if bool(xp.all(alive)):
            return xp.matmul(weights, x)
        means = xp.matmul(weights, xp.where(alive[..., None], x, xp.zeros_like(x)))
        spoiled = xp.any(near & ~alive[..., None, :], axis=-1)
        nan = xp.asarray(float("nan"), dtype=x.dtype, device=device(x))
        return xp.where(spoiled[..., None], nan, means)
