"""A centre that moves towards the messages, and its distances to them: one read of the messages for both.

v ← v + Σ_i w_i (x_i − v), then Σ_j (x_ij − v_j)² for every message: a step of centered clipping or of Weiszfeld's
method, and what the next step needs. Everything is computed in float64, a strip of one row after the other, which
memory delivers fastest, while the centre's strip stays in the cache. The sums of each chunk of coordinates are kept
apart and added in order, so that the result does not depend on the number of threads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from sims.kernels.compiled import compiled
from sims.kernels.dispatch import whole_groups
from sims.kernels.lanes import LINE, WIDE, Lanes, intrinsic, prefetch
from sims.kernels.threads import split

STRIP = 2**9  # coordinates of a row that are worked on at a time
CHUNK = 32 * STRIP  # coordinates whose squares are summed before they are added to the total


def _along_a_row(builder: Any, row: Any, count: Any, ahead: Any, number: Any, kind: Any, work: Any) -> None:
    """`work` on each group of `WIDE` coordinates in float64, with its first coordinate; asks for what lies `ahead`."""
    narrow = Lanes(builder, kind, number.bitwidth, WIDE)
    wide = Lanes(builder, ir.DoubleType(), 64, WIDE)
    itemsize = number.bitwidth // 8
    with cgutils.for_range(builder, count) as loop:
        first = builder.mul(loop.index, loop.index.type(WIDE))
        place = builder.add(row, builder.mul(first, first.type(itemsize)))
        for line in range(0, WIDE * itemsize, LINE):
            prefetch(builder, builder.add(place, place.type(line)), ahead)
        values = narrow.load(place)
        work(wide, values if itemsize == 8 else builder.fpext(values, wide.type), first)


def _float64(builder: Any, base: Any, index: Any) -> Any:
    """The address of a float64."""
    return builder.add(base, builder.mul(index, index.type(8)))


@intrinsic
def _measure(typing, row, centre, count, ahead, number):
    """Σ_j (x_j − v_j)² over `count` groups of a row and of the centre, given by their addresses."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        row, centre, count, ahead, _ = arguments
        total = cgutils.alloca_once_value(builder, Lanes(builder, ir.DoubleType(), 64, WIDE).constant(0.0))

        def work(wide: Lanes, values: Any, first: Any) -> None:
            away = builder.fsub(values, wide.load(_float64(builder, centre, first)))
            builder.store(wide.multiply_add(away, away, builder.load(total)), total)

        _along_a_row(builder, row, count, ahead, number, context.get_value_type(number), work)
        return Lanes(builder, ir.DoubleType(), 64, WIDE).total(builder.load(total))

    return types.float64(types.intp, types.intp, types.intp, types.intp, number), generate


@intrinsic
def _pull(typing, row, centre, step, weight, count, ahead, number):
    """Add w (x_j − v_j) to the step, for `count` groups of a row, of the centre and of the step."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        row, centre, step, weight, count, ahead, _ = arguments
        weights = Lanes(builder, ir.DoubleType(), 64, WIDE).everywhere(weight)

        def work(wide: Lanes, values: Any, first: Any) -> None:
            away = builder.fsub(values, wide.load(_float64(builder, centre, first)))
            place = _float64(builder, step, first)
            wide.store(wide.multiply_add(weights, away, wide.load(place)), place)

        _along_a_row(builder, row, count, ahead, number, context.get_value_type(number), work)
        return context.get_dummy_value()

    arguments = (types.intp, types.intp, types.intp, types.float64, types.intp, types.intp, number)
    return types.void(*arguments), generate


@compiled
def _strip(rows, weights, v, step, first, width, ahead, move, measure, squares, itemsize, number):
    """Move the strip v of the centre if asked to, and add its squared distances to the rows if asked to."""
    groups, offset = width // WIDE, first * itemsize
    if move:
        step[:] = 0.0
        for i in range(rows.size):
            _pull(rows[i] + offset, v.ctypes.data, step.ctypes.data, weights[i], groups, ahead, number)
        for k in range(width):
            v[k] += step[k]
    if measure:
        for i in range(rows.size):
            squares[i] += _measure(rows[i] + offset, v.ctypes.data, groups, ahead, number)


@compiled
def _chunks(
    rows,
    weights,
    source,
    source_rest,
    target,
    target_rest,
    begin,
    end,
    size,
    backwards,
    move,
    measure,
    squares,
    itemsize,
    number,
):
    """The chunks begin, …, end − 1 of `size` coordinates, or in the opposite order; squares (chunks, n)."""
    v, step = np.zeros(STRIP), np.zeros(STRIP)
    ahead = (-STRIP if backwards else STRIP) * itemsize
    strips, last = CHUNK // STRIP, -(-size // STRIP)
    for s in range(begin * strips, min(end * strips, last)):
        strip = begin * strips + min(end * strips, last) - 1 - s if backwards else s
        first = strip * STRIP
        width = min(STRIP, size - first)
        known = min(width, source.size - first)  # beyond it messages are filled up with zeros, and so is v
        v[:] = 0.0
        for k in range(known):
            v[k] = source[first + k]
        if source_rest.size:
            for k in range(known):
                v[k] += source_rest[first + k]
        _strip(rows, weights, v, step, first, width, ahead, move, measure, squares[strip // strips], itemsize, number)
        if move:
            for k in range(known):
                target[first + k] = v[k]
            if target_rest.size:
                for k in range(known):
                    target_rest[first + k] = v[k] - target[first + k]


class Centre(NamedTuple):
    """A centre as numbers of the messages' dtype (d,), and what rounding took from them: likewise, or empty."""

    rounded: np.ndarray
    rest: np.ndarray

    def beyond(self, first: int, count: int) -> Centre:
        """`count` coordinates from `first` on."""
        return Centre(self.rounded[first : first + count], self.rest[first : first + count])


def advance(
    messages: np.ndarray,
    alive: np.ndarray,
    source: Centre,
    target: Centre | None = None,
    weights: np.ndarray | None = None,
    *,
    measure: bool = True,
    backwards: bool = False,
) -> np.ndarray:
    """Write source + Σ_i w_i (x_i − source) to `target`; the ‖x_i − target‖², (n,), if `measure`.

    `messages` are (n, d), `weights` (n,) of float64; without `target` the centre stays at `source`. The two may share
    their memory. Messages that are not `alive` (n,) are not looked at: their weight must be 0, and their squares are
    those of another message. At least one must be alive. `backwards` begins at the last coordinates, which after a read
    of the messages are still in the cache.
    """
    n = len(messages)
    shares = np.zeros(n) if weights is None else np.ascontiguousarray(weights, dtype=np.float64)
    number, total = messages.dtype.type(0), np.zeros(n)
    there = Centre(*2 * (np.empty(0, messages.dtype),)) if target is None else target
    parts = list(whole_groups(messages, WIDE))
    for first, piece in reversed(parts) if backwards else parts:
        # a row that is not alive is not read: 0·∞ is no zero
        rows = piece.ctypes.data + piece.strides[0] * np.where(alive, np.arange(n), np.argmax(alive))
        centres = (*source.beyond(first, piece.shape[1]), *there.beyond(first, piece.shape[1]))
        chunks = -(-piece.shape[1] // CHUNK)
        squares = np.zeros((chunks, n))

        after = (piece.shape[1], backwards, target is not None, measure, squares, piece.itemsize, number)

        def part(a: int, b: int, before: Any = (rows, shares, *centres), after: Any = after) -> None:
            _chunks(*before, a, b, *after)

        split(part, chunks)
        with np.errstate(all="ignore"):
            total += np.sum(squares, axis=0)
    return total
