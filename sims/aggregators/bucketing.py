"""Bucketing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sims import columns
from sims.aggregators.coordinate_median import CoordinateMedian
from sims.aggregators.pre_aggregation import PreAggregation
from sims.aggregators.rule import Promises
from sims.backend import Array, device, lexicographic_ranks, namespace, take_rows
from sims.checked import keep, whole
from sims.kernels.in_rounds import Mix, RuleInRounds


@dataclass(frozen=True, eq=False)
class Bucketing(PreAggregation):
    """Messages are averaged in random groups before the rule sees them (Karimireddy, He, Jaggi 2022, Algorithm 1).

    In every round a uniformly random order π of the workers; y_k = the mean of x_π(i) for (k − 1)s < i ≤ min(ks, n), s
    = `size`; the rule aggregates y_1, …, y_⌈n/s⌉. One Byzantine message spoils one bucket, so that the f of the rule
    stays what it is. Called without a stream of random numbers it takes the messages in lexicographic order (a NaN
    counts as +∞): what it returns is then a function of their set, too.

    Raises `ValueError` unless size ≥ 1.

    >>> import numpy as np
    >>> Bucketing(CoordinateMedian(), size=2).aggregate(np.array([[1.0], [9.0], [3.0], [5.0], [2.0]]))
    array([4.])
    """

    needs: ClassVar[str] = "what `rule` needs of ⌈n/size⌉ messages"
    bears: ClassVar[str] = "what `rule` bears among ⌈n/size⌉"

    size: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        keep(self, whole, "size", least=1)

    @classmethod
    def example(cls, n: int, f: int) -> Self:
        """Pairs, before the coordinate-wise median."""
        return cls(CoordinateMedian())

    @property
    def promises(self) -> Promises:
        """Those of the rule; but the mean only of buckets that are single messages: the last one may be smaller."""
        inner = self.rule.promises
        return Promises(inner.translation, inner.scale, inner.odd, inner.mean and self.size == 1, inner.agreement)

    def outputs(self, n: int) -> int:
        """⌈n/s⌉ buckets."""
        return -(-n // self.size)

    def meets_ties(self, n: int, d: int) -> bool:
        """Where the rule does, and if the last bucket is smaller: of −x it has other messages than of x."""
        return n % self.size != 0 or super().meets_ties(n, d)

    def breakdown(self, n: int) -> int:
        """As many messages as buckets that the rule bears."""
        return self.rule.breakdown(self.outputs(n))

    def in_rounds(self, n: int) -> RuleInRounds | None:
        """The rule's own step on the means of the buckets."""
        return self.mixed_first(self.outputs(n), Mix.BUCKETS, mixed=self.size)

    def mix(self, x: Array, rng: Any) -> Array:
        """The means of the buckets, (..., n, d) → (..., ⌈n/s⌉, d)."""
        xp = namespace(x)
        *leading, n, d = x.shape
        order = _by_value(x) if rng is None else _at_random(x, rng)
        rows = take_rows(x, xp.broadcast_to(order, x.shape[:-1]))
        full = n // self.size
        buckets = xp.reshape(rows[..., : full * self.size, :], (*leading, full, self.size, d))
        means = columns.mean(buckets)
        if full * self.size == n:
            return means
        last = columns.mean(rows[..., full * self.size :, :])
        return xp.concat([means, last[..., None, :]], axis=-2)


def _by_value(x: Array) -> Array:
    """The order (..., n) of the messages by value; of equal ones it does not matter which is first."""
    xp = namespace(x)
    worst = xp.asarray(float("inf"), dtype=x.dtype, device=device(x))
    return xp.argsort(lexicographic_ranks(xp.where(xp.isnan(x), worst, x)), axis=-1, stable=True)


def _at_random(x: Array, rng: Any) -> Array:
    """A uniformly random order (runs, n) of the workers: the ranks of uniform draws, each run from its own stream."""
    *leading, n, _ = x.shape
    wanted = [(1, *leading[-1:], n)] if leading else [(1, 1, n), (1, n)]
    drawn = rng.uniform(1, (n,)) if hasattr(rng, "uniform") else None
    if drawn is None or tuple(drawn.shape) not in wanted:  # NumPy's own `uniform` is another thing
        raise ValueError(
            f"a rule that draws needs an rng with uniform(steps, shape) → (steps, runs, *shape), here {wanted[0]}, "
            f"as sims.engine.RunStreams has it, got {type(rng).__name__}"
        )
    drawn = drawn[0, ...]
    own, xp = namespace(drawn), namespace(x)
    order = own.argsort(drawn, axis=-1, stable=False)
    if own is xp:
        return order
    flat = xp.asarray(order.ravel().tolist(), dtype=xp.int64, device=device(x))
    return xp.reshape(flat, order.shape)  # a list of no runs would not say of how many workers
