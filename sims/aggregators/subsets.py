"""All sets of m among n messages, for rules that look for the best of them."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator

import numpy as np

from sims.aggregators.distances import Either
from sims.aggregators.told import require_fewer_than_half
from sims.backend import Array, device, namespace

AT_ONCE = 2**20  # distances that are looked up at once


@functools.lru_cache(maxsize=8)
def subsets(n: int, m: int) -> np.ndarray:
    """The subsets of {0, …, n − 1} with m ≤ n elements, a row each, in lexicographic order.

    >>> subsets(3, 2).tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    table, last = np.zeros((1, 0), dtype=np.int16), np.full(1, -1)
    for k in range(m):
        counts = n - m + k - last  # of the next elements, each larger than the last and leaving enough behind it
        parent = np.repeat(np.arange(len(table)), counts)
        within = np.arange(len(parent)) - np.repeat(np.cumsum(counts) - counts, counts)
        last = last[parent] + 1 + within
        table = np.concatenate([table[parent], last[:, None].astype(np.int16)], axis=1)
    table.flags.writeable = False
    return table


@functools.lru_cache(maxsize=64)
def candidates(n: int, m: int, d: int) -> np.ndarray:
    """The subsets of messages in the order of their values that may be best: on a line neighbours alone.

    There S of least scatter are the m messages nearest to their own mean, for with others in the place of farther ones
    the squares around it, and so those around the new mean, would be less. Of the S of least diameter the one of least
    scatter has both its ends once, or messages between them are in before a second one at an end; these are neighbours.

    >>> candidates(4, 3, 1).tolist()
    [[0, 1, 2], [1, 2, 3]]
    """
    if d > 1:
        return subsets(n, m)
    return np.arange(n - m + 1)[:, None] + np.arange(m)


def few_enough(name: str, n: int, f: int, most: int) -> None:
    """Raise a `ValueError` unless n ≥ 2f + 1 and there are at most `most` subsets of n − f of n messages."""
    require_fewer_than_half(name, n, f)
    if (count := math.comb(n, f)) > most:
        raise ValueError(
            f"{name} compares all subsets of n − f messages and needs at most {most} of them, got {count} for "
            f"n = {n}, f = {f}"
        )


def by_value(distances: Either, neighbours: int) -> tuple[Array, Array]:
    """The messages' lexicographic order (..., n), and their distances `in_unit` in that order, (..., n·n).

    Those that are not finite are last. Whatever is computed of distances in this order is the same, bit for bit, in any
    order of the workers.
    """
    xp = namespace(distances.alive)
    alive, ranks = distances.alive, distances.ranks(...)
    order = xp.argsort(xp.where(alive, ranks, xp.full_like(ranks, ranks.shape[-1])), axis=-1, stable=True)
    matrix = in_both(distances.in_unit(neighbours), order)
    alive = xp.take_along_axis(alive, order, axis=-1)
    matrix = xp.where(alive[..., :, None] & alive[..., None, :], matrix, xp.full_like(matrix, float("inf")))
    return order, xp.reshape(matrix, (*matrix.shape[:-2], matrix.shape[-1] ** 2))


def in_both(matrix: Array, order: Array) -> Array:
    """A matrix (..., n, n) with rows and columns in an order (..., n)."""
    xp = namespace(matrix)
    rows = xp.take_along_axis(matrix, xp.broadcast_to(order[..., :, None], matrix.shape), axis=-2)
    return xp.take_along_axis(rows, xp.broadcast_to(order[..., None, :], matrix.shape), axis=-1)


def portions(table: np.ndarray, like: Array, each: int) -> Iterator[tuple[int, np.ndarray]]:
    """The subsets some at a time, with the place of the first: so many that `each` numbers apiece and run are few."""
    runs = max(1, math.prod(like.shape[:-1]))
    size = max(1, AT_ONCE // (runs * each))
    for first in range(0, len(table), size):
        yield first, table[first : first + size]


def looked_up(flat: Array, places: np.ndarray) -> Array:
    """The distances at some places, (..., n·n) and any shape → (..., *shape)."""
    xp = namespace(flat)
    index = xp.asarray(places.reshape(-1), dtype=xp.int64, device=device(flat))
    return xp.reshape(xp.take(flat, index, axis=-1), (*flat.shape[:-1], *places.shape))


def members(order: Array, table: np.ndarray, chosen: Array) -> Array:
    """The workers (..., m) of the subset `chosen` (..., 1) in a table of messages in an order (..., n)."""
    xp = namespace(order)
    rows = xp.asarray(table, dtype=xp.int64, device=device(order))
    within = xp.take(rows, xp.reshape(chosen, (-1,)), axis=0)
    return xp.take_along_axis(order, xp.reshape(within, (*chosen.shape[:-1], table.shape[-1])), axis=-1)
