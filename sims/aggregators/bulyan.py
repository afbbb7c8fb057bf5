"""Bulyan over Krum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from array_api_compat import is_cupy_array

from sims import columns, kernels
from sims.aggregators.distances import Either, Telling, chosen_by
from sims.aggregators.told import ToldF
from sims.backend import Array, device, namespace, take_rows


@dataclass(frozen=True)
class Bulyan(ToldF):
    """Krum repeated, then the values around the median of each coordinate (El-Mhamdi, Guerraoui, Rouault 2018).

    Selection: θ = n − 2f times, Krum's choice among the m messages that remain (scores over the m − f − 2 nearest
    others, at least one) is moved into the selection. Aggregation: in each coordinate the average of the n − 4f
    selected values nearest to the median of the selection; of two equally near values the smaller counts as nearer.
    Needs n ≥ 4f + 3. At f = 0 nothing is left out: Bulyan is the mean.

    Which values are nearest is decided without rounding. Scores are sums of rounded squared distances, of messages of
    any length (see `Krum`): equal messages have equal scores, and so have messages whose distances to the others are
    the same numbers. Neither the order of the workers nor a scaling by a power of 2 changes a choice. Other scores may
    come out in either order if they differ by less than rounding, (d + n) eps relatively, also where they tie in exact
    arithmetic.

    >>> import numpy as np
    >>> Bulyan(f=1).aggregate(np.array([[0.0], [1.0], [1.5], [2.0], [2.5], [3.0], [50.0]]))
    array([1.5])
    """

    needs: ClassVar[str] = "n ≥ 4f + 3"

    def meets_ties(self, n: int, d: int) -> bool:
        """Where scores are over one neighbour, once f + 3 messages are left: the two closest share theirs."""
        return 0 < self.f <= 2

    def require(self, n: int) -> None:
        """Raise unless n ≥ 4f + 3."""
        if n < 4 * self.f + 3:
            raise ValueError(f"Bulyan needs n ≥ 4f + 3, got n = {n}, f = {self.f}")

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        f, xp = self.f, namespace(x)
        chosen, alive = chosen_by(x, f, lambda distances: select(distances, f))
        # on a device the kernel takes infinite values too, and asking would wait for it
        if kernels.pays(x) and (is_cupy_array(x) or bool(xp.all(xp.take_along_axis(alive, chosen, axis=-1)))):
            return kernels.mean_around_median(x, chosen, 2 * f)
        return columns.mean_around_median(take_rows(x, chosen), x.shape[-2] - 4 * f)


def select(distances: Either, f: int) -> tuple[Array, list[Telling]]:
    """Which n − 2f workers repeated Krum moves into the selection, in that order, (..., n − 2f); and their scores."""
    alive, rank = distances.alive, distances.ranks(...)
    xp, n = namespace(alive), alive.shape[-1]
    workers = xp.arange(n, device=device(alive))
    waiting = xp.ones(alive.shape, dtype=xp.bool, device=device(alive))
    infinite = distances.infinity()
    picked, telling = [], []
    for remaining in range(n, 2 * f, -1):
        neighbours = min(max(remaining - f - 2, 1), remaining - 1)
        scores = xp.where(waiting, distances.scores(neighbours), infinite)
        least = xp.min(scores, axis=-1, keepdims=True)
        lowest = waiting & (scores == least)
        best = xp.argmin(xp.where(lowest, rank, n * xp.ones_like(rank)), axis=-1, keepdims=True)
        picked.append(best)
        if neighbours:  # what is left alone has nothing that tells
            telling.append((least, None))
        taken = workers == best
        waiting = waiting & ~taken
        distances = distances.without(taken, infinite)
    return xp.concat(picked, axis=-1), telling
