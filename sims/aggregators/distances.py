"""Squared distances between messages, and what is chosen by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from sims import kernels
from sims.aggregators.scaled_distances import ScaledDistances
from sims.backend import (
    Array,
    device,
    finite_rows,
    in_memory,
    lexicographic_ranks,
    namespace,
    order_by_value,
    sq_distances,
    to_numpy,
    widest,
)
from sims.kernels.dispatch import recorded

FAINTEST = float(np.finfo(np.float64).smallest_normal) / float(np.finfo(np.float64).eps)
Ranks = Callable[[Any], Array]  # an index of runs, `...` for all → the ranks (..., n) of their messages


@dataclass(frozen=True)
class Distances:
    """Squared distances (..., n, n), who is alive (..., n), and lexicographic ranks on demand.

    To rows that are not finite infinite, to itself −1, which puts a row first when its own distances are sorted, also
    among equal rows, so that it can be left out.
    """

    values: Array
    alive: Array
    ranks: Ranks

    def comparable(self) -> Array:
        """Numbers that are in the order of the distances, row by row, −1 on the diagonal."""
        return self.values

    def scores(self, neighbours: int) -> Array:
        """Each row's sum over its `neighbours` nearest others, (..., n); infinite where not alive.

        Summed in ascending order, so that equal configurations get equal scores, bit for bit.
        """
        xp = namespace(self.values)
        scores = xp.sum(xp.sort(self.values, axis=-1, stable=False)[..., 1 : neighbours + 1], axis=-1)
        if type(self.alive) is np.ndarray and self.alive.all():
            return scores
        return xp.where(self.alive, scores, self.infinity())

    def in_unit(self, neighbours: int) -> Array:
        """The distances as they are: here the unit is 1, whatever `neighbours`."""
        return self.values

    def among(self, some: Array) -> tuple[Array, int]:
        """The distances between `some` (..., n), 0 elsewhere, in a unit, and the unit's exponent: here of 1."""
        xp = namespace(self.values)
        both = some[..., :, None] & some[..., None, :] & (self.values > 0)
        return xp.where(both, self.values, xp.zeros_like(self.values)), 0

    def first_least(self, numbers: Array, exponents: list[int]) -> Array:
        """Where number·2^exponent is least, the first of several: (..., k) → (..., 1); all exponents are 0."""
        return namespace(numbers).argmin(numbers, axis=-1, keepdims=True)

    def raised(self, power: float, scores: Array) -> Distances:
        """Distances to a power, in a unit of their own: a power of 4 near the smallest positive one of `scores`.

        Fourth powers would overflow from 1e77 on and vanish below 1e-81. A unit common to a run changes no order in it,
        and dividing by a power of 4 is exact, before and after the square root.
        """
        values, xp = self.values, namespace(self.values)
        infinite = self.infinity()
        smallest = xp.min(xp.where(scores > 0, scores, infinite), axis=-1)[..., None, None]
        unit = 4.0 ** xp.floor(xp.log2(xp.where(smallest < infinite, smallest, xp.ones_like(smallest))) / 2)
        raised = (xp.where(values > 0, values, xp.zeros_like(values)) / unit) ** power
        return replace(self, values=xp.where(values < 0, values, raised))  # the −1 on the diagonal stays

    def infinity(self) -> Array:
        """∞ as a distance or score."""
        return namespace(self.values).asarray(float("inf"), dtype=self.values.dtype, device=device(self.values))

    def without(self, taken: Array, infinite: Array) -> Distances:
        """The same, with the messages `taken` (..., n) infinitely far away."""
        return replace(self, values=namespace(self.values).where(taken[..., None, :], infinite, self.values))


Either: TypeAlias = Distances | ScaledDistances
Telling = tuple[Array, Array | None]  # numbers (..., m), and at which places (..., k) they decided, None at all
Choice = Callable[[Any], tuple[Array, list[Telling]]]  # distances → what is chosen, and by what


def distances_between(x: Array) -> Distances:
    """The distances between messages (..., n, d)."""
    xp = namespace(x)
    if kernels.pays(x):
        values, alive, every_rank = kernels.distances_and_ranks(x)
        ranks: Ranks = lambda runs: every_rank[runs]  # noqa: E731 (the same as below, from what is there already)
    else:
        rows, alive = finite_rows(x)
        values, ranks = sq_distances(rows), on_demand(rows)
    if type(values) is np.ndarray and alive.all():
        every = np.arange(x.shape[-2])
        values[..., every, every] = -1.0
        return Distances(values, alive, ranks)
    infinite = xp.asarray(float("inf"), dtype=values.dtype, device=device(x))
    values = xp.where(alive[..., None, :], values, infinite)
    itself = xp.eye(x.shape[-2], dtype=xp.bool, device=device(x))
    return Distances(xp.where(itself, -xp.ones_like(values), values), alive, ranks)


def on_demand(rows: Array) -> Ranks:
    """The ranks of some runs, those of all of them but once."""
    every: list[Array] = []

    def ranks(runs: Any) -> Array:
        if runs is not ...:
            return lexicographic_ranks(rows[runs])
        if not every:
            every.append(lexicographic_ranks(rows))
        return every[0]

    return ranks


def in_order(scores: Array, ranks: Ranks, count: int) -> Array:
    """The `count` workers of lowest score in its order, equal scores by value: (..., n) → (..., count)."""
    if type(scores) is not np.ndarray:  # on a device it would take as long to see whether there are ties
        return order_by_value(scores, ranks(...))[..., :count]
    order = np.argsort(scores, axis=-1, kind="stable")[..., : count + 1]
    ordered = np.take_along_axis(scores, order, axis=-1)
    tied = np.any(ordered[..., 1:] == ordered[..., :-1], axis=-1)
    order = order[..., :count]
    if np.any(tied):
        order[tied] = order_by_value(scores[tied], ranks(tied))[..., :count]
    return order


def chosen_by(x: Array, f: int, choose: Choice) -> tuple[Array, Array]:
    """What `choose` makes of the distances between messages (..., n, d), at most f of them not finite; who is alive.

    Where the scores that decided are infinite, or so small that squares of differences may have vanished in them,
    `choose` is asked once more, for these runs alone, with exponents beside the distances.
    """
    if not recorded(x) and (here := in_memory(x)) is not None:
        there = namespace(x).asarray
        chosen, alive = chosen_by(here, f, choose)
        return there(chosen, device=device(x)), there(alive, device=device(x))
    found = distances_between(x)
    chosen, telling = choose(found)
    doubtful = _doubtful(x, found, telling, f)
    if doubtful is None:
        return chosen, found.alive
    xp, alive = namespace(x), to_numpy(found.alive)[doubtful]
    rows = to_numpy(xp.astype(x, widest(x)))[doubtful].astype(np.float64)
    rows = np.where(alive[..., None], rows, 0.0)
    exact, _ = choose(ScaledDistances.between(rows, alive, to_numpy(found.ranks(...))[doubtful]))
    merged = to_numpy(chosen).copy()
    merged[doubtful] = exact
    here = doubtful.reshape(*doubtful.shape, *(1,) * (merged.ndim - doubtful.ndim))
    again, here = xp.asarray(merged, dtype=chosen.dtype, device=device(x)), xp.asarray(here, device=device(x))
    return xp.where(here, again, chosen), found.alive  # the others keep their derivatives


def _doubtful(x: Array, found: Distances, telling: list[Telling], f: int) -> np.ndarray | None:
    """Which runs (...) the distances do not decide; None if none, or if nobody can say, as in `torch.func.vmap`.

    A sum of squares in which some have vanished is off by as many times the smallest normal number at most, which is
    nothing beside `faint`. Equal messages are at no distance, and where all that are so near are equal all is well.
    """
    n, d = x.shape[-2:]
    faint = n * d * faintest(found.values)
    try:
        parts = [_on_host(*part) for part in telling]
        decided = np.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]
    except (RuntimeError, TypeError):
        return None
    if decided.size == 0 or (decided.min() >= faint and decided.max() < np.inf):
        return None
    alive = to_numpy(found.alive)
    overflowed, few = np.any(~(decided < np.inf), axis=-1), np.count_nonzero(~alive, axis=-1) <= f
    doubtful = np.asarray(overflowed & few)
    near = np.asarray(np.any(decided < faint, axis=-1))
    if np.any(near):
        values, ranks = to_numpy(found.values)[near], to_numpy(found.ranks(...))[near]
        differ = (ranks[..., :, None] != ranks[..., None, :]) & alive[near][..., :, None]  # and the dead are far away
        doubtful[near] |= np.any(differ & (values < faint), axis=(-2, -1))
    return doubtful if np.any(doubtful) else None


def faintest(values: Array) -> float:
    """A sum of squares beyond so many times its number of terms has lost nothing to vanished ones."""
    if type(values) is np.ndarray and values.dtype == np.float64:
        return FAINTEST
    limits = namespace(values).finfo(values.dtype)
    return float(limits.smallest_normal) / float(limits.eps)


def _on_host(values: Array, places: Array | None) -> np.ndarray:
    found = to_numpy(values)
    return found if places is None else np.take_along_axis(found, to_numpy(places), axis=-1)
