"""Krum and Multi-Krum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims import kernels
from sims.aggregators.rule import Promises, StatelessRule
from sims.backend import (
    Array,
    device,
    lexicographic_ranks,
    measurable,
    namespace,
    order_by_value,
    sq_distances,
    take_rows,
)
from sims.checked import choice, keep, whole
from sims.kernels.in_rounds import RuleInRounds, Step

Ranks = Callable[[Any], Array]  # an index of runs, `...` for all → the ranks (..., n) of their messages

# name → (neighbours are n − f − this many others, power to which squared distances are raised)
VARIANTS = {
    "paper": (2, 1.0),  # Blanchard et al. 2017; the paper, repaired; krum and Flower
    "byzfl": (1, 1.0),  # ByzFL and byzpy
    "byzantine_momentum": (2, 0.5),  # ByzantineMomentum: plain distances
    "released": (2, 2.0),  # the code released with the paper squares the squared distance
}


def scores_tie(f: int, n: int, variant: str, d: int) -> bool:
    """Whether scores of messages in general position are equal.

    Over one neighbour the two closest messages share theirs, and on a line sums of plain distances over an odd number
    of neighbours are often equal.
    """
    fewer, power = VARIANTS[variant]
    return n - f - fewer == 1 or (power < 1 and d == 1)


def krum_distances(x: Array) -> tuple[Array, Array, Ranks]:
    """Squared distances (..., n, n), who is alive (..., n), and lexicographic ranks on demand, of messages (..., n, d).

    In float64; to rows that are not `measurable` infinite, to itself −1, which puts a row first when its own distances
    are sorted, also among equal rows, so that it can be left out.
    """
    xp = namespace(x)
    if kernels.pays(x):
        distances, alive, every_rank = kernels.distances_and_ranks(x)
        ranks: Ranks = lambda runs: every_rank[runs]  # noqa: E731 (the same as below, from what is there already)
    else:
        rows, alive = measurable(x)
        distances, ranks = sq_distances(rows), lambda runs: lexicographic_ranks(rows[runs])
    if type(distances) is np.ndarray and alive.all():
        every = np.arange(x.shape[-2])
        distances[..., every, every] = -1.0
        return distances, alive, ranks
    infinite = xp.asarray(float("inf"), dtype=distances.dtype, device=device(x))
    distances = xp.where(alive[..., None, :], distances, infinite)
    itself = xp.eye(x.shape[-2], dtype=xp.bool, device=device(x))
    return xp.where(itself, -xp.ones_like(distances), distances), alive, ranks


def krum_scores(distances: Array, alive: Array, neighbours: int) -> Array:
    """Each row's sum over its `neighbours` nearest others, (..., n, n) → (..., n); infinite where not `alive`.

    Summed in ascending order, so that equal configurations get equal scores, bit for bit.
    """
    xp = namespace(distances)
    scores = xp.sum(xp.sort(distances, axis=-1, stable=False)[..., 1 : neighbours + 1], axis=-1)
    if type(alive) is np.ndarray and alive.all():
        return scores
    return xp.where(alive, scores, xp.asarray(float("inf"), dtype=scores.dtype, device=device(scores)))


def _lowest(x: Array, f: int, variant: str, count: int) -> Array:
    """The `count` workers of lowest Krum score in its order, ties by value: (..., n, d) → indices (..., count)."""
    fewer, power = VARIANTS[variant]
    neighbours = x.shape[-2] - f - fewer
    distances, alive, ranks = krum_distances(x)
    if power != 1.0:
        distances = _raised(distances, krum_scores(distances, alive, neighbours), power)
    scores = krum_scores(distances, alive, neighbours)
    if type(scores) is not np.ndarray:  # on a device it would take as long to see whether there are ties
        return order_by_value(scores, ranks(...))[..., :count]
    order = np.argsort(scores, axis=-1, kind="stable")[..., : count + 1]
    ordered = np.take_along_axis(scores, order, axis=-1)
    tied = np.any(ordered[..., 1:] == ordered[..., :-1], axis=-1)
    order = order[..., :count]
    if np.any(tied):
        order[tied] = order_by_value(scores[tied], ranks(tied))[..., :count]
    return order


def _raised(distances: Array, scores: Array, power: float) -> Array:
    """Distances to a power, in a unit of their own: a power of 4 near the smallest positive score.

    Fourth powers would overflow from 1e77 on and vanish below 1e-81. A unit common to a run changes no order in it, and
    dividing by a power of 4 is exact, before and after the square root.
    """
    xp = namespace(distances)
    infinite = xp.asarray(float("inf"), dtype=distances.dtype, device=device(distances))
    smallest = xp.min(xp.where(scores > 0, scores, infinite), axis=-1)[..., None, None]
    unit = 4.0 ** xp.floor(xp.log2(xp.where(smallest < infinite, smallest, xp.ones_like(smallest))) / 2)
    raised = (xp.where(distances > 0, distances, xp.zeros_like(distances)) / unit) ** power
    return xp.where(distances < 0, distances, raised)  # the −1 on the diagonal stays


@dataclass(frozen=True)
class Krum(StatelessRule):
    """The message whose nearest others are closest (Blanchard et al. 2017).

    argmin over the x_i of Σ_{j ∈ N_i} ‖x_i − x_j‖², N_i the n − f − 2 nearest *others* of x_i; needs n ≥ 2f + 3. Equal
    scores are decided for the lexicographically smallest message. `variant` picks another published score:
    "byzfl" takes n − f − 1 neighbours, "byzantine_momentum" plain distances, "released" squares the squared distance.

    >>> import numpy as np
    >>> Krum(f=1).aggregate(np.array([[0.0], [1.0], [1.5], [3.0], [50.0]]))
    array([1.])
    """

    f: int
    variant: str = "paper"

    def __post_init__(self) -> None:
        keep(self, whole, "f", least=0)
        keep(self, choice, "variant", known=VARIANTS)

    @property
    def promises(self) -> Promises:
        """All but the mean."""
        return Promises()

    def in_rounds(self, n: int) -> RuleInRounds | None:
        """The published score alone: its n − f − 2 nearest others, behind the message itself."""
        return RuleInRounds(Step.KRUM, tuple(range(n - self.f - 1)), self.f) if self.variant == "paper" else None

    def meets_ties(self, n: int, d: int) -> bool:
        """Where `scores_tie`."""
        return scores_tie(self.f, n, self.variant, d)

    def require(self, n: int) -> None:
        """Raise unless n ≥ 2f + 3."""
        if n < 2 * self.f + 3:
            raise ValueError(f"Krum needs n ≥ 2f + 3, got n = {n}, f = {self.f}")

    def breakdown(self, n: int) -> int:
        """The declared f."""
        return self.f

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        fewer, power = VARIANTS[self.variant]
        if kernels.pays(x) and power == 1 and (found := kernels.nearest(x, x.shape[-2] - self.f - fewer)) is not None:
            return found
        return take_rows(x, _lowest(x, self.f, self.variant, 1))[..., 0, :]


@dataclass(frozen=True)
class MultiKrum(StatelessRule):
    """The average of the m messages of lowest Krum score (Blanchard et al. 2017); m = n − f unless given.

    Needs n ≥ 2f + 3 and 1 ≤ m ≤ n − f, the most for which no Byzantine message must be averaged.

    >>> import numpy as np
    >>> MultiKrum(f=1, m=2).aggregate(np.array([[0.0], [1.0], [1.5], [3.0], [50.0]]))
    array([1.25])
    """

    f: int
    m: int | None = None
    variant: str = "paper"

    def __post_init__(self) -> None:
        keep(self, whole, "f", least=0)
        keep(self, whole, "m", least=1, optional=True)
        keep(self, choice, "variant", known=VARIANTS)

    @property
    def promises(self) -> Promises:
        """All; the mean at f = 0 with the default m."""
        return Promises(mean=self.f == 0 and self.m is None)

    def meets_ties(self, n: int, d: int) -> bool:
        """Where `scores_tie`, but as the mean."""
        return not self.promises.mean and scores_tie(self.f, n, self.variant, d)

    def require(self, n: int) -> None:
        """Raise unless n ≥ 2f + 3 and m ≤ n − f."""
        if n < 2 * self.f + 3:
            raise ValueError(f"MultiKrum needs n ≥ 2f + 3, got n = {n}, f = {self.f}")
        if self.m is not None and self.m > n - self.f:
            raise ValueError(f"MultiKrum needs m ≤ n − f, got m = {self.m}, n = {n}, f = {self.f}")

    def breakdown(self, n: int) -> int:
        """The declared f."""
        return self.f

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        m = x.shape[-2] - self.f if self.m is None else self.m
        chosen = _lowest(x, self.f, self.variant, m)
        if kernels.pays(x):
            return kernels.mean_from_first(x, chosen)
        rows = take_rows(x, chosen)
        first = rows[..., :1, :]
        return first[..., 0, :] + namespace(x).mean(rows - first, axis=-2)
