"""Bulyan over Krum."""

from __future__ import annotations

from dataclasses import dataclass

from array_api_compat import is_cupy_array

from sims import kernels
from sims.aggregators.krum import Ranks, krum_distances, krum_scores
from sims.aggregators.rule import Promises, StatelessRule
from sims.backend import Array, device, farther, namespace, take_rows
from sims.checked import keep, whole


@dataclass(frozen=True)
class Bulyan(StatelessRule):
    """Krum repeated, then the values around the median of each coordinate (El-Mhamdi, Guerraoui, Rouault 2018).

    Selection: θ = n − 2f times, Krum's choice among the m messages that remain (scores over the m − f − 2 nearest
    others, at least one) is moved into the selection. Aggregation: in each coordinate the average of the n − 4f
    selected values nearest to the median of the selection; of two equally near values the smaller counts as nearer.
    Needs n ≥ 4f + 3. At f = 0 nothing is left out: Bulyan is the mean.

    Which values are nearest is decided without rounding (as long as no difference of two of them overflows). Scores are
    sums of rounded squared distances: equal messages have equal scores, and so have messages whose distances to the
    others are the same numbers; other scores may come out in either order if they differ by less than rounding, (d + n)
    eps relatively.

    >>> import numpy as np
    >>> Bulyan(f=1).aggregate(np.array([[0.0], [1.0], [1.5], [2.0], [2.5], [3.0], [50.0]]))
    array([1.5])
    """

    f: int

    def __post_init__(self) -> None:
        keep(self, whole, "f", least=0)

    @property
    def promises(self) -> Promises:
        """All; the mean at f = 0."""
        return Promises(mean=self.f == 0)

    def meets_ties(self, n: int, d: int) -> bool:
        """Where scores are over one neighbour, once f + 3 messages are left: the two closest share theirs."""
        return 0 < self.f <= 2

    def require(self, n: int) -> None:
        """Raise unless n ≥ 4f + 3."""
        if n < 4 * self.f + 3:
            raise ValueError(f"Bulyan needs n ≥ 4f + 3, got n = {n}, f = {self.f}")

    def breakdown(self, n: int) -> int:
        """The declared f."""
        return self.f

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        xp = namespace(x)
        distances, alive, ranks = krum_distances(x)
        chosen = _select(distances, alive, ranks, self.f)
        # on a device the kernel takes infinite values too, and asking would wait for it
        if kernels.pays(x) and (is_cupy_array(x) or bool(xp.all(xp.take_along_axis(alive, chosen, axis=-1)))):
            return kernels.mean_around_median(x, chosen, self.f)
        return _mean_around_median(take_rows(x, chosen), x.shape[-2] - 4 * self.f)


def _select(distances: Array, alive: Array, ranks: Ranks, f: int) -> Array:
    """Which n − 2f workers repeated Krum moves into the selection, in that order, (..., n − 2f)."""
    xp = namespace(distances)
    n = distances.shape[-1]
    workers, rank = xp.arange(n, device=device(distances)), ranks(...)
    waiting = xp.ones(alive.shape, dtype=xp.bool, device=device(distances))
    infinite = xp.asarray(float("inf"), dtype=distances.dtype, device=device(distances))
    picked = []
    for remaining in range(n, 2 * f, -1):
        neighbours = min(max(remaining - f - 2, 1), remaining - 1)
        scores = xp.where(waiting, krum_scores(distances, alive, neighbours), infinite)
        lowest = waiting & (scores == xp.min(scores, axis=-1, keepdims=True))
        best = xp.argmin(xp.where(lowest, rank, n * xp.ones_like(rank)), axis=-1, keepdims=True)
        picked.append(best)
        taken = workers == best
        waiting = waiting & ~taken
        distances = xp.where(taken[..., None, :], infinite, distances)
    return xp.concat(picked, axis=-1)


def _mean_around_median(selected: Array, keep: int) -> Array:
    """The average of the `keep` values of each coordinate nearest to its median: (..., θ, d) → (..., d).

    In ascending order v_0, …, v_{θ−1} the nearest values are neighbours. With the median (a + b)/2, a ≤ b the middle
    values, v_i is farther from it than v_{keep+i} if and only if a − v_i > v_{keep+i} − b; and if v_i is, so are all
    before it. Hence as many are left out at the lower end as there are such i.
    """
    xp, count = namespace(selected), selected.shape[-2]
    ordered = xp.sort(selected, axis=-2, stable=False)
    low, high = ordered[..., (count - 1) // 2, :], ordered[..., count // 2, :]
    middle = low + 0.5 * (high - low) if count % 2 == 0 else low
    below, above = ordered[..., : count - keep, :], ordered[..., keep:, :]
    first = xp.sum(xp.astype(farther(low[..., None, :], below, above, high[..., None, :]), xp.int64), axis=-2)
    within = xp.arange(keep, dtype=xp.int64, device=device(selected))
    kept = xp.take_along_axis(ordered, first[..., None, :] + within[:, None], axis=-2)
    return middle + xp.mean(kept - middle[..., None, :], axis=-2)
