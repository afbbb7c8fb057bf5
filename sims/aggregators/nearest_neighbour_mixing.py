"""Nearest-neighbour mixing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from sims.aggregators.coordinate_median import CoordinateMedian
from sims.aggregators.distances import Either, Telling, chosen_by
from sims.aggregators.pre_aggregation import PreAggregation
from sims.aggregators.rule import Promises
from sims.aggregators.told import require_fewer_than_half
from sims.backend import Array, all_finite, device, inverse, namespace, order_by_value, surely
from sims.checked import keep, whole
from sims.kernels.in_rounds import Mix, RuleInRounds


@dataclass(frozen=True, eq=False)
class NearestNeighbourMixing(PreAggregation):
    """Every message is averaged with those nearest to it before the rule sees them (NNM; Allouah et al. 2023).

    y_i = the mean of the n − f messages nearest to x_i, itself among them; the rule aggregates y_1, …, y_n. Equal
    distances are decided for the lexicographically smaller message. A message that is not finite is infinitely far from
    all others; a mean that it is in becomes NaN, which the rule takes for the worst value. Means are within n + 1 units
    of rounding of the mean magnitude, and n smallest numbers beside a message so large that shares of the others have
    no digits. Needs n ≥ 2f + 1.

    >>> import numpy as np
    >>> NearestNeighbourMixing(CoordinateMedian(), f=1).aggregate(np.array([[0.0], [2.0], [1e9]]))
    array([1.])
    """

    needs: ClassVar[str] = "n ≥ 2f + 1"
    bears: ClassVar[str] = "f, if `rule` bears as many"

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
        mean = inner.mean and self.f == 0
        return Promises(inner.translation, inner.scale, inner.odd, mean, inner.agreement, inner.permutation)

    def require(self, n: int) -> None:
        """Raise unless n ≥ 2f + 1, and as the rule does."""
        require_fewer_than_half("NearestNeighbourMixing", n, self.f)
        super().require(n)

    def meets_ties(self, n: int, d: int) -> bool:
        """Where the rule does, and over one neighbour: of the two closest messages each becomes the same mean."""
        return n - self.f == 2 or super().meets_ties(n, d)

    def breakdown(self, n: int) -> int:
        """The declared f, as far as the rule bears as many: each spoils no mean but its own."""
        return min(self.f, self.rule.breakdown(n))

    def in_rounds(self, n: int) -> RuleInRounds | None:
        """The rule's own step, behind means of the nearest."""
        return self.mixed_first(n, Mix.NEAREST, mixed=self.f, mix_order=(n - self.f - 1,))

    def mix(self, x: Array, rng: Any) -> Array:
        """The means, (..., n, d) → (..., n, d)."""
        xp, n = namespace(x), x.shape[-2]

        def choose(distances: Either) -> tuple[Array, list[Telling]]:
            """Row by row, whom it is averaged with; and how far the last of them is."""
            values, own = distances.comparable(), namespace(distances.alive)
            by_rank = own.broadcast_to(distances.ranks(...)[..., None, :], values.shape)
            order = order_by_value(values, by_rank)
            # of a row that is not finite nothing comes of it; at f = n − 1 and n = 1 a row has none but itself
            last = own.take_along_axis(values, order[..., n - self.f - 1 : n - self.f], axis=-1)[..., 0]
            counts = distances.alive & (last >= 0)
            return inverse(order) < n - self.f, [(own.where(counts, last, own.ones_like(last)), None)]

        near, alive = chosen_by(x, self.f, choose)
        if surely(alive):
            return mixed(near, x, n - self.f)
        means = mixed(near, xp.where(alive[..., None], x, xp.zeros_like(x)), n - self.f)
        spoiled = xp.any(near & ~alive[..., None, :], axis=-1)
        nan = xp.asarray(float("nan"), dtype=x.dtype, device=device(x))
        return xp.where(spoiled[..., None], nan, means)


def mixed(near: Array, x: Array, count: int) -> Array:
    """The means of the `count` finite messages that are `near` each, (..., n, n), (..., n, d) → (..., n, d).

    A share of a message next to zero has no digits left, and shares of the largest numbers may add up to more than
    there is: where results are so, once more in a unit of their own.
    """
    xp = namespace(x)
    limits = xp.finfo(x.dtype)
    if limits.bits == 16:
        return xp.astype(mixed(near, xp.astype(x, xp.float32), count), x.dtype)
    weights = xp.astype(near, x.dtype) / count
    means = xp.matmul(weights, x)
    if not _tame(means):
        means = xp.where(xp.isfinite(means), means, _in_unit(near, x, count, 0.25))
    # a coordinate that is next to zero in all messages is so in the first mean
    faint = (x.shape[-2] + 1) * float(limits.smallest_normal) / float(limits.eps)
    if surely(xp.abs(means[..., 0, :]) >= faint):
        return means
    largest = xp.max(xp.abs(x), axis=-2, keepdims=True)
    low = (largest > 0) & (largest < faint)  # elsewhere the digits that shares lose are nothing
    if surely(~low):
        return means
    return xp.where(low, _in_unit(near, x, count, float(limits.eps) ** -4), means)


def _tame(means: Array) -> bool:
    """Whether all are finite; on the host by their squares, which are added up in one read."""
    if type(means) is np.ndarray and means.flags.c_contiguous and np.vdot(means, means) < np.inf:
        return True
    return all_finite(means)


def _in_unit(near: Array, x: Array, count: int, unit: float) -> Array:
    """The means of messages times `unit`, over `unit`, and no larger than the largest of them."""
    xp = namespace(x)
    largest = xp.max(xp.abs(x), axis=-2, keepdims=True)
    means = xp.matmul(xp.astype(near, x.dtype) / count, x * unit) / unit
    return xp.minimum(xp.maximum(means, -largest), largest)
