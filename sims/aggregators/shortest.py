"""Which messages are shortest, or nearest to one point, over the whole range of their numbers."""

from __future__ import annotations

import math

import numpy as np

from sims import columns, kernels
from sims.aggregators.distances import faintest, in_order, on_demand
from sims.backend import (
    BLOCK,
    Array,
    constant,
    device,
    finite_rows,
    in_memory,
    lexicographic_ranks,
    namespace,
    sum_across,
    surely,
    take_rows,
    to_numpy,
    widest,
)
from sims.exponents import INFINITE, difference, exponent, lengths, shift

AT_ONCE = 2**15  # differences that are squared at once on the host: so many stay where they are fast to reach


def shortest(x: Array, count: int, about: Array | None = None) -> Array:
    """The `count` shortest of the x_i, or of the x_i − `about` (..., d), in order: (..., n, d) → (..., count).

    Equal lengths are decided for the lexicographically smaller message; one that is not finite is longer than all
    others. Lengths are compared by their rounded squares, where these overflow or vanish with exponents beside them.
    """
    x, about = constant(x), None if about is None else constant(about)
    xp = namespace(x)
    if (here := in_memory(x)) is not None:
        return xp.asarray(shortest(here, count, None if about is None else to_numpy(about)), device=device(x))
    squares = _squares(x, about)
    tame = (squares >= x.shape[-1] * faintest(squares)) & (squares < float("inf"))
    if not surely(tame):
        tame = tame | _nothing(x, about, squares)
    if surely(tame):
        return in_order(squares, on_demand(x), count)
    rows, alive = finite_rows(x)
    ranks = lexicographic_ranks(rows)
    full = _in_full(rows, alive, ranks, about)[..., :count]
    usual = xp.all(tame, axis=-1, keepdims=True)
    if not surely(~usual):
        full = xp.where(usual, in_order(squares, lambda runs: ranks[runs], count), full)
    return full


def mean_of(x: Array, chosen: Array) -> Array:
    """The mean of the messages at `chosen` (..., m), (..., d): the first of them plus the mean difference from it."""
    if kernels.pays(x):
        return kernels.mean_from_first(x, chosen)
    rows = take_rows(x, chosen)
    return columns.mean_around(rows, rows[..., 0, :])


def _squares(x: Array, about: Array | None) -> Array:
    """The squared lengths in the widest dtype, some rows at a time; by a kernel in one read."""
    if kernels.pays(x):
        return kernels.squares_to(x, about)
    xp, wide = namespace(x), widest(x)
    n = x.shape[-2]
    centre = None if about is None else xp.astype(about, wide)[..., None, :]
    size = max(1, (AT_ONCE if type(x) is np.ndarray else BLOCK) * n // max(1, math.prod(x.shape)))
    found = []
    for i in range(0, n, size):
        rows = xp.astype(x[..., i : min(i + size, n), :], wide)
        away = rows if centre is None else rows - centre
        found.append(sum_across(away * away))
    return xp.concat(found, axis=-1) if len(found) > 1 else found[0]


def _nothing(x: Array, about: Array | None, squares: Array) -> Array:
    """Which of the x_i − `about` are 0 in all coordinates, (..., n); the others' squares may have vanished."""
    if type(x) is np.ndarray:
        found = squares == 0
        at = np.nonzero(found)  # few, and d may be large
        found[at] = np.all(x[at] == (0 if about is None else about[at[:-1]]), axis=-1)
        return found
    xp = namespace(x)
    centre = xp.zeros_like(x) if about is None else about[..., None, :]
    return xp.all(x == centre, axis=-1)


def _in_full(rows: Array, alive: Array, ranks: Array, about: Array | None) -> Array:
    """The order (..., n) by lengths that have an exponent beside them."""
    xp = namespace(rows)
    if rows.shape[-1] == 0:
        return xp.argsort(ranks, axis=-1, stable=True)
    if about is None:
        measured = lengths(rows)
    else:
        centre, there = finite_rows(about[..., None, :])
        alive = alive & there
        measured = lengths(*difference(rows, centre))
    squares = sum_across(measured.direction * measured.direction)
    more = exponent(squares)
    infinite = xp.asarray(INFINITE, dtype=more.dtype, device=device(rows))
    mantissas = xp.where(alive, shift(squares, -more), xp.ones_like(squares))
    exponents = xp.where(alive, 2 * measured.exponent + more, infinite)
    order = xp.argsort(ranks, axis=-1, stable=True)
    for key in (mantissas, exponents):
        again = xp.argsort(xp.take_along_axis(key, order, axis=-1), axis=-1, stable=True)
        order = xp.take_along_axis(order, again, axis=-1)
    return order
