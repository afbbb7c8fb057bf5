"""A centre that moves towards the messages, and its distances to them: one read of the messages for both.

v ← v + Σ_i w_i (x_i − v), then Σ_j (x_ij − v_j)² for every message: a step of centered clipping or of Weiszfeld's
method, and what the next step needs. Everything is in float64, a line of each row at a time; the sums of each chunk of
coordinates are kept apart and added in order, so that the result does not depend on the number of threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from sims.kernels.compiled import compiled
from sims.kernels.dispatch import row_addresses, whole_groups
from sims.kernels.lanes import LINE, WIDE, Lanes, intrinsic, prefetch
from sims.kernels.threads import split

CHUNK = 2**14  # coordinates whose squares are summed before they are rounded into the total


class _Group:
    """The code for `WIDE` coordinates of all messages."""

    def __init__(self, builder: Any, number: Any, bits: int) -> None:
        self.builder = builder
        self.narrow = Lanes(builder, number, bits, WIDE)
        self.wide = Lanes(builder, ir.DoubleType(), 64, WIDE)

    def row(self, address: Any) -> Any:
        values = self.narrow.load(address)
        return values if self.narrow.bits == 64 else self.builder.fpext(values, self.wide.type)

    def everywhere(self, address: Any) -> Any:
        """The float64 at an address in all lanes."""
        one = self.builder.load(self.builder.inttoptr(address, ir.DoubleType().as_pointer()))
        first = self.builder.insert_element(ir.Constant(self.wide.type, ir.Undefined), one, ir.IntType(32)(0))
        order = ir.Constant(ir.VectorType(ir.IntType(32), WIDE), [0] * WIDE)
        return self.builder.shuffle_vector(first, ir.Constant(self.wide.type, ir.Undefined), order)

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        return self.builder.fadd(self.builder.fmul(a, b, flags=("contract",)), c, flags=("contract",))


def _code(rows: Any, number: Any, *, move: bool, measure: bool) -> Any:
    """What an intrinsic emits for given types: the rows are a tuple of addresses."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        addresses, weights, centre, squares, coordinate = arguments[:5]
        group = _Group(builder, context.get_value_type(number), number.bitwidth)
        at = builder.mul(coordinate, coordinate.type(number.bitwidth // 8))
        places = [builder.add(builder.extract_value(addresses, i), at) for i in range(rows.count)]
        for place in places:
            prefetch(builder, place)
            if number.bitwidth == 64:  # two lines
                prefetch(builder, builder.add(place, place.type(LINE)))
        here = builder.add(centre, builder.mul(coordinate, coordinate.type(8)))
        v = group.wide.load(here)
        if move:
            step = group.wide.constant(0.0)
            for i, place in enumerate(places):
                weight = group.everywhere(builder.add(weights, weights.type(8 * i)))
                step = group.multiply_add(weight, builder.fsub(group.row(place), v), step)
            v = builder.fadd(v, step)
            group.wide.store(v, here)
        if measure:
            for i, place in enumerate(places):
                away = builder.fsub(group.row(place), v)
                sums = builder.add(squares, squares.type(8 * WIDE * i))
                group.wide.store(group.multiply_add(away, away, group.wide.load(sums)), sums)
        return context.get_dummy_value()

    return generate


@intrinsic
def _move(typing, rows, weights, centre, squares, coordinate, number):
    return types.void(rows, weights, centre, squares, coordinate, number), _code(rows, number, move=True, measure=False)


@intrinsic
def _measure(typing, rows, weights, centre, squares, coordinate, number):
    return types.void(rows, weights, centre, squares, coordinate, number), _code(rows, number, move=False, measure=True)


@intrinsic
def _both(typing, rows, weights, centre, squares, coordinate, number):
    return types.void(rows, weights, centre, squares, coordinate, number), _code(rows, number, move=True, measure=True)


@compiled
def _run_move(rows, weights, centre, squares, first, last, number):
    for coordinate in range(first, last, WIDE):
        _move(rows, weights.ctypes.data, centre, squares.ctypes.data, coordinate, number)


@compiled
def _run_measure(rows, weights, centre, squares, first, last, number):
    for coordinate in range(first, last, WIDE):
        _measure(rows, weights.ctypes.data, centre, squares.ctypes.data, coordinate, number)


@compiled
def _run_both(rows, weights, centre, squares, first, last, number):
    for coordinate in range(first, last, WIDE):
        _both(rows, weights.ctypes.data, centre, squares.ctypes.data, coordinate, number)


def _piece(piece: np.ndarray, run: Any, weights: np.ndarray, centre: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """`run` on whole groups of coordinates, whose centre is `centre`; the squares, (n,)."""
    n, d = piece.shape
    rows = row_addresses(piece)
    instead = rows[int(np.argmax(alive))]  # a row that is not alive must not be read: 0·∞ is no zero
    rows = tuple(row if alive[i] else instead for i, row in enumerate(rows))
    chunks = -(-d // CHUNK)
    squares, number = np.zeros((chunks, n, WIDE)), piece.dtype.type(0)

    def part(a: int, b: int) -> None:
        for c in range(a, b):
            run(rows, weights, centre.ctypes.data, squares[c], c * CHUNK, min(d, (c + 1) * CHUNK), number)

    split(part, chunks)
    with np.errstate(all="ignore"):
        return np.sum(squares, axis=(0, 2))


def advance(
    messages: np.ndarray, weights: np.ndarray | None, centre: np.ndarray, alive: np.ndarray, *, measure: bool = True
) -> np.ndarray:
    """Move `centre` in place by Σ_i w_i (x_i − centre); the ‖x_i − centre‖² afterwards, (n,), if `measure`.

    `messages` are (n, d), `weights` (n,) of float64 or None (the centre stays), `centre` a contiguous float64 array of
    its own of length `padded(d)`, zero beyond d. Messages that are not `alive` (n,) are not looked at: their weight
    must be 0, and their squares are those of another message. At least one must be alive.
    """
    run = _run_measure if weights is None else _run_both if measure else _run_move
    shares = np.zeros(len(messages)) if weights is None else np.ascontiguousarray(weights, dtype=np.float64)
    total = np.zeros(len(messages))
    for first, piece in whole_groups(messages, WIDE):
        total += _piece(piece, run, shares, centre[first : first + piece.shape[1]], alive)
    return total


def padded(d: int) -> int:
    """d, rounded up to whole groups of coordinates."""
    return -(-d // WIDE) * WIDE
