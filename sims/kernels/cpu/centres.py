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

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.helpers import strips_of_chunk, team
from sims.kernels.cpu.lanes import LINE, WIDE, Lanes, intrinsic, prefetch
from sims.kernels.cpu.team import each
from sims.kernels.dispatch import whole_groups

STRIP = 2**9  # coordinates of a row that are worked on at a time
NUMBERS_A_MICROSECOND = 2**12  # that one thread works on
ONE, TWO, FOUR = (0,), (0, 0), (0, 0, 0, 0)  # rows at a time: the lengths of tuples are known to the compiler


class Centre(NamedTuple):
    """A centre as numbers of the messages' dtype (d,), and what rounding took from them: likewise, or empty."""

    rounded: np.ndarray
    rest: np.ndarray

    def beyond(self, first: int, count: int) -> Centre:
        """`count` coordinates from `first` on."""
        return Centre(self.rounded[first : first + count], self.rest[first : first + count])


class _Messages(NamedTuple):
    """Messages in memory: the address of each row (n,), how many coordinates of how many bytes, a number like them."""

    rows: np.ndarray
    size: int
    itemsize: int
    number: Any


class _Pass(NamedTuple):
    """What a read of the messages is for, and from which end it goes."""

    move: bool
    measure: bool
    backwards: bool


class _Strip(NamedTuple):
    """Coordinates of all rows: where they begin, in bytes, how many, and how many bytes further the next strip is."""

    first: int
    width: int
    ahead: int


class _Row:
    """The code for some rows, `WIDE` coordinates at a time, in float64."""

    def __init__(self, builder: Any, context: Any, number: Any, rows: Any, first: Any, ahead: Any) -> None:
        self.builder, self.ahead, self.itemsize = builder, ahead, number.bitwidth // 8
        self.narrow = Lanes(builder, context.get_value_type(number), number.bitwidth, WIDE)
        self.wide = Lanes(builder, ir.DoubleType(), 64, WIDE)
        pointer = builder.inttoptr(rows, first.type.as_pointer())
        self.first, self.pointer = first, pointer

    def address(self, k: int) -> Any:
        """Of the first of the coordinates in row k."""
        row = self.builder.load(self.builder.gep(self.pointer, [self.first.type(k)]))
        return self.builder.add(row, self.first)

    def values(self, row: Any, group: Any) -> Any:
        """A row's numbers; those that lie `ahead` are asked for."""
        builder = self.builder
        place = builder.add(row, builder.mul(group, group.type(WIDE * self.itemsize)))
        for line in range(0, WIDE * self.itemsize, LINE):
            prefetch(builder, builder.add(place, place.type(line)), self.ahead)
        values = self.narrow.load(place)
        return values if self.itemsize == 8 else builder.fpext(values, self.wide.type)

    def float64(self, base: Any, group: Any) -> Any:
        """The address of as many float64 numbers."""
        return self.builder.add(base, self.builder.mul(group, group.type(8 * WIDE)))


@intrinsic
def _measure(typing, rows, first, centre, count, ahead, squares, together, number):
    """Add Σ_j (x_ij − v_j)² over `count` groups of some rows to the float64 at `squares`; see `_pull`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, first, centre, count, ahead, squares = arguments[:6]
        code = _Row(builder, context, number, rows, first, ahead)
        places = [code.address(k) for k in range(together.count)]
        totals = [cgutils.alloca_once_value(builder, code.wide.constant(0.0)) for _ in places]
        with cgutils.for_range(builder, count) as loop:
            v = code.wide.load(code.float64(centre, loop.index))
            for place, total in zip(places, totals, strict=True):
                away = builder.fsub(code.values(place, loop.index), v)
                builder.store(code.wide.multiply_add(away, away, builder.load(total)), total)
        for k, total in enumerate(totals):
            there = builder.gep(builder.inttoptr(squares, ir.DoubleType().as_pointer()), [squares.type(k)])
            builder.store(builder.fadd(builder.load(there), code.wide.total(builder.load(total))), there)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 6, together, number), generate


@intrinsic
def _pull(typing, rows, first, centre, step, weights, count, ahead, together, number):
    """Add Σ_i w_i (x_i − v) over some rows, in their order, to the step, for `count` groups of coordinates.

    As many rows as the tuple `together` is long, whose addresses are at the address `rows`, each from its byte `first`
    on; their weights are at the address `weights`. What lies `ahead` bytes further is asked for.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, first, centre, step, weights, count, ahead = arguments[:7]
        code = _Row(builder, context, number, rows, first, ahead)
        places = [code.address(k) for k in range(together.count)]
        pointer = builder.inttoptr(weights, ir.DoubleType().as_pointer())
        shares = [builder.load(builder.gep(pointer, [weights.type(k)])) for k in range(together.count)]
        with cgutils.for_range(builder, count) as loop:
            v, there = code.wide.load(code.float64(centre, loop.index)), code.float64(step, loop.index)
            total = code.wide.load(there)
            for place, share in zip(places, shares, strict=True):
                away = builder.fsub(code.values(place, loop.index), v)
                total = code.wide.multiply_add(code.wide.everywhere(share), away, total)
            code.wide.store(total, there)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 7, together, number), generate


@compiled
def _strip(messages, strip, v, step, weights, todo, squares):
    """Move the strip v of the centre if asked to, and add its squared distances to the rows if asked to."""
    rows, first, ahead, number = messages.rows, strip.first, strip.ahead, messages.number
    n, groups, centre = rows.size, strip.width // WIDE, v.ctypes.data
    if todo.move:
        step[:] = 0.0
        done = 0
        while done < n:
            here, share = rows.ctypes.data + 8 * done, weights.ctypes.data + 8 * done
            if done + len(FOUR) <= n:
                _pull(here, first, centre, step.ctypes.data, share, groups, ahead, FOUR, number)
                done += len(FOUR)
            else:
                _pull(here, first, centre, step.ctypes.data, share, groups, ahead, ONE, number)
                done += len(ONE)
        for k in range(strip.width):
            v[k] += step[k]
    if todo.measure:
        ahead = 0 if todo.move else ahead  # once is enough
        done = 0
        while done < n:
            here, there = rows.ctypes.data + 8 * done, squares.ctypes.data + 8 * done
            if done + len(TWO) <= n:
                _measure(here, first, centre, groups, ahead, there, TWO, number)
                done += len(TWO)
            else:
                _measure(here, first, centre, groups, ahead, there, ONE, number)
                done += len(ONE)


@compiled
def _chunks(begin, end, strips, messages, source, target, weights, todo, squares):
    """The chunks begin, …, end − 1 of so many strips each, or in the opposite order; squares (chunks, n).

    Tuples arrive as plain ones: numba takes ten times as long to see what a named one is.
    """
    messages, source, target, todo = _Messages(*messages), Centre(*source), Centre(*target), _Pass(*todo)
    v, step = np.zeros(STRIP), np.zeros(STRIP)
    size, itemsize = messages.size, messages.itemsize
    ahead = (-STRIP if todo.backwards else STRIP) * itemsize
    last = -(-size // STRIP)
    for s in range(begin * strips, min(end * strips, last)):
        strip = begin * strips + min(end * strips, last) - 1 - s if todo.backwards else s
        first = strip * STRIP
        width = min(STRIP, size - first)
        known = min(width, source.rounded.size - first)  # beyond it messages are filled up with zeros, and so is v
        v[:] = 0.0
        here = source.rounded[first : first + known]
        for k in range(known):
            v[k] = here[k]
        if source.rest.size:
            rest = source.rest[first : first + known]
            for k in range(known):
                v[k] += rest[k]
        _strip(messages, _Strip(first * itemsize, width, ahead), v, step, weights, todo, squares[strip // strips])
        if todo.move:
            there = target.rounded[first : first + known]
            for k in range(known):
                there[k] = v[k]
            if target.rest.size:
                left = target.rest[first : first + known]
                for k in range(known):
                    left[k] = v[k] - there[k]


@compiled
def _advance(strips, messages, source, target, weights, todo, squares, parts, boxes):
    """All chunks of the messages."""
    each(_chunks, (strips, messages, source, target, weights, todo, squares), len(squares), 1, parts, boxes)


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
    todo = tuple(_Pass(target is not None, measure, backwards))
    parts = list(whole_groups(messages, WIDE))
    for first, width, piece in reversed(parts) if backwards else parts:
        # a row that is not alive is not read: 0·∞ is no zero
        rows = piece.ctypes.data + piece.strides[0] * np.where(alive, np.arange(n), np.argmax(alive))
        known = tuple(_Messages(rows, piece.shape[1], piece.itemsize, number))
        # not what the next piece begins with
        centres = tuple(source.beyond(first, width)), tuple(there.beyond(first, width))
        strips = strips_of_chunk(piece.shape[1], STRIP)
        squares = np.zeros((-(-piece.shape[1] // (strips * STRIP)), n))
        shared = team(piece.size / NUMBERS_A_MICROSECOND)
        _advance(strips, known, *centres, shares, todo, squares, *shared)
        with np.errstate(all="ignore"):
            total += np.sum(squares, axis=0)
    return total
