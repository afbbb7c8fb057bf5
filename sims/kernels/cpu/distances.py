"""Squared distances between all pairs of messages in float64, in one read of the messages; and their order.

By differences and not through a Gram matrix: nothing cancels, whatever offset the messages share and however far a
Byzantine one lies. Chunks are summed apart and added in order, so that the result does not depend on the number of
threads. The lexicographic order decides ties by value.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.helpers import strips_of_chunk, team
from sims.kernels.cpu.lanes import LINE, WIDE, Lanes, intrinsic
from sims.kernels.cpu.team import each
from sims.kernels.cpu.tiles import DISTANCES, PAIRS_A_MICROSECOND, STRIP, Following, Strip, add_pairs, shapes_of
from sims.kernels.dispatch import whole_groups

FEW = 4  # coordinates that tell almost all messages apart


@intrinsic
def _copy(typing, row, target, count, number):
    """Copy `count` groups of a row as float64, and say whether all are finite."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        row, target, count = arguments[:3]
        narrow = Lanes(builder, context.get_value_type(number), number.bitwidth, WIDE)
        wide = Lanes(builder, ir.DoubleType(), 64, WIDE)
        truths = ir.VectorType(ir.IntType(1), WIDE)
        fine = cgutils.alloca_once_value(builder, ir.Constant(truths, [1] * WIDE))
        with cgutils.for_range(builder, count) as loop:
            at = builder.mul(loop.index, loop.index.type(WIDE * number.bitwidth // 8))
            place = builder.add(row, at)
            values = narrow.load(place)
            within = narrow.within(values, float(np.finfo(f"float{number.bitwidth}").max))
            builder.store(builder.and_(builder.load(fine), within), fine)
            values = values if number.bitwidth == 64 else builder.fpext(values, wide.type)
            wide.store(values, builder.add(target, builder.mul(loop.index, at.type(WIDE * 8))))
        word = builder.bitcast(builder.load(fine), ir.IntType(WIDE))
        return builder.icmp_unsigned("==", word, word.type(2**WIDE - 1))

    return types.boolean(types.intp, types.intp, types.intp, number), generate


@compiled
def _strips(rows, first, last, out, alive, itemsize, shapes, number):
    """Add the distances over the coordinates [first, last) to the upper triangle of out; note who is not alive."""
    n = rows.size
    b = np.zeros((n, STRIP))
    for start in range(first, last, STRIP):
        width = min(STRIP, last - start)
        for i in range(n):
            alive[i] &= _copy(rows[i] + start * itemsize, b.ctypes.data + 8 * STRIP * i, width // WIDE, number)
            b[i, width:] = 0.0
        width = STRIP * itemsize
        following = Following(rows, start * itemsize + width, width // LINE)
        add_pairs(Strip(b.ctypes.data, 8 * STRIP), Strip(out.ctypes.data, 8 * n), following, shapes, DISTANCES, 0.0)


@compiled
def _chunks(begin, end, rows, d, size, sums, lives, kinds):
    """The chunks begin, …, end − 1 of so many coordinates each."""
    for c in range(begin, end):
        _strips(rows, c * size, min(d, (c + 1) * size), sums[c], lives[c], *kinds)


@compiled
def _share(rows, d, size, sums, lives, kinds, parts, boxes):
    each(_chunks, (rows, d, size, sums, lives, kinds), len(sums), 1, parts, boxes)


def sq_distances(messages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squared distances (n, n) between the messages (n, d) of one run, and which of them are alive, (n,).

    A message with a NaN or an infinity is not alive, and its distances mean nothing. Squares may overflow or vanish.
    """
    n = len(messages)
    total, alive = np.zeros((n, n)), np.ones(n, dtype=bool)
    kinds = (messages.itemsize, shapes_of(n), messages.dtype.type(0))
    for _, _, piece in whole_groups(messages, WIDE):  # zeros are at no distance from each other
        rows, d = piece.ctypes.data + piece.strides[0] * np.arange(n), piece.shape[1]
        size = STRIP * strips_of_chunk(d, STRIP)
        sums, lives = np.zeros((-(-d // size), n, n)), np.ones((-(-d // size), n), dtype=bool)
        _share(rows, d, size, sums, lives, kinds, *team(n * n * d / PAIRS_A_MICROSECOND))
        with np.errstate(all="ignore"):
            total += np.sum(sums, axis=0)
        alive &= np.all(lives, axis=0)
    upper = np.triu(total, 1)
    return upper + upper.T, alive


def lexicographic_ranks(messages: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """How many messages (n, d) are lexicographically smaller than each, (n,); one that is not alive counts as zero."""
    n, d = messages.shape
    rows = [messages[i] if alive[i] else np.zeros(d, messages.dtype) for i in range(n)]
    beginning = np.stack([row[:FEW] for row in rows])
    order = list(np.lexsort(beginning.T[::-1]))
    ranks = np.zeros(n, dtype=np.int64)
    first = 0
    while first < n:
        last = first + 1
        while last < n and np.array_equal(beginning[order[last]], beginning[order[first]]):
            last += 1
        _rank_equal_beginnings(rows, order[first:last], first, ranks)
        first = last
    return ranks


def _rank_equal_beginnings(rows: list[np.ndarray], members: list[int], smaller: int, ranks: np.ndarray) -> None:
    """Fill in the ranks of the messages `members`, when `smaller` others come before all of them."""
    members = sorted(members, key=functools.cmp_to_key(lambda i, j: _compare(rows[i], rows[j])))
    for position, i in enumerate(members):
        before = members[position - 1]
        tied = position > 0 and _compare(rows[before], rows[i]) == 0
        ranks[i] = ranks[before] if tied else smaller + position


def _compare(a: np.ndarray, b: np.ndarray) -> int:
    """−1, 0 or 1 as a is lexicographically smaller than b, equal, or larger."""
    differs = a != b
    at = int(np.argmax(differs))
    return 0 if not differs[at] else -1 if a[at] < b[at] else 1
