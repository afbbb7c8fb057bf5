"""Squared distances between all pairs of messages, in one read of the messages.

By differences and not through a Gram matrix: nothing cancels, whatever offset the messages share and however far a
Byzantine one lies, and where additions and multiplications have units of their own it costs no more. Pairs are taken
four rows by four on a strip of coordinates that stays in the cache. Chunks are summed apart and added in order, so that
the result does not depend on the number of threads.

Of float32 messages float32 distances come at twice the speed. They are within `SINGLE_ERROR`, relatively: one rounding
of the difference, which counts twice in its square, one of the square, and at most `STRIP` of the sum over a strip, in
whatever order; the sums of strips are in float64. That is enough to tell which message is nearest, mostly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from sims.backend import HUGE
from sims.kernels.compiled import compiled
from sims.kernels.dispatch import row_addresses, whole_groups
from sims.kernels.lanes import WIDE, Lanes, intrinsic, prefetch
from sims.kernels.threads import split

STRIP = 512  # coordinates of all rows that are in the cache at a time
SINGLE_ERROR = 1.001 * (STRIP + 3) * 2.0**-24
CHUNK = 32 * STRIP  # coordinates that one thread sums up at a time
FAST = {"reassoc", "contract", "nsz"}  # sums in any order, fused multiply-adds; NaN and infinities keep their meaning


@compiled(fastmath=FAST)
def _between(b, i, j, out, zero):
    """Add the distances between rows i … i+3 and j … j+3 of a strip to out; `zero` is that of the strip's dtype."""
    s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = zero
    s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = zero
    for k in range(STRIP):
        x0, x1, x2, x3 = b[i, k], b[i + 1, k], b[i + 2, k], b[i + 3, k]
        y0, y1, y2, y3 = b[j, k], b[j + 1, k], b[j + 2, k], b[j + 3, k]
        s00 += (x0 - y0) * (x0 - y0)
        s01 += (x0 - y1) * (x0 - y1)
        s02 += (x0 - y2) * (x0 - y2)
        s03 += (x0 - y3) * (x0 - y3)
        s10 += (x1 - y0) * (x1 - y0)
        s11 += (x1 - y1) * (x1 - y1)
        s12 += (x1 - y2) * (x1 - y2)
        s13 += (x1 - y3) * (x1 - y3)
        s20 += (x2 - y0) * (x2 - y0)
        s21 += (x2 - y1) * (x2 - y1)
        s22 += (x2 - y2) * (x2 - y2)
        s23 += (x2 - y3) * (x2 - y3)
        s30 += (x3 - y0) * (x3 - y0)
        s31 += (x3 - y1) * (x3 - y1)
        s32 += (x3 - y2) * (x3 - y2)
        s33 += (x3 - y3) * (x3 - y3)
    _add(out, i, j, s00, s01, s02, s03)
    _add(out, i + 1, j, s10, s11, s12, s13)
    _add(out, i + 2, j, s20, s21, s22, s23)
    _add(out, i + 3, j, s30, s31, s32, s33)


@compiled
def _add(out, i, j, s0, s1, s2, s3):
    out[i, j] += s0
    out[i, j + 1] += s1
    out[i, j + 2] += s2
    out[i, j + 3] += s3


@intrinsic
def _copy(typing, rows, target, coordinate, number, zero):
    """Sixteen coordinates of every message, as numbers like `zero`, into a strip's rows at the address `target`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        addresses, strip, at = arguments[:3]
        narrow = Lanes(builder, context.get_value_type(number), number.bitwidth, WIDE)
        wide = Lanes(builder, context.get_value_type(zero), zero.bitwidth, WIDE)
        offset = builder.mul(at, at.type(number.bitwidth // 8))
        for i in range(rows.count):
            place = builder.add(builder.extract_value(addresses, i), offset)
            prefetch(builder, place)
            values = narrow.load(place)
            values = values if number == zero else builder.fpext(values, wide.type)
            wide.store(values, builder.add(strip, strip.type(zero.bitwidth // 8 * STRIP * i)))
        return context.get_dummy_value()

    return types.void(rows, target, coordinate, number, zero), generate


@compiled
def _strips(rows, first, last, out, alive, number, zero):
    """Add the distances over the coordinates [first, last) to the upper triangle of out; note who is not alive."""
    n = len(rows)
    padded = out.shape[0]
    b = np.full((padded, STRIP), zero)
    for start in range(first, last, STRIP):
        width = min(STRIP, last - start)
        for k in range(0, width, WIDE):
            _copy(rows, b.ctypes.data + b.itemsize * k, start + k, number, zero)
        for i in range(n):
            row = b[i]
            row[width:] = zero
            wrong = 0
            for k in range(STRIP):
                wrong += 0 if abs(row[k]) <= HUGE else 1  # NaN too
            if wrong:
                alive[i] = False
        for i in range(0, padded, 4):
            for j in range(i, padded, 4):  # one program for all: pairs with equal differences get equal sums
                _between(b, i, j, out, zero)


def sq_distances(messages: np.ndarray, *, single: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Squared distances (n, n) between the messages (n, d) of one run, and which of them are alive, (n,).

    With `single` differences and squares of float32 messages are float32. A message with a NaN, an infinity or an entry
    beyond `HUGE` is not alive, and its distances mean nothing.
    """
    n = len(messages)
    padded = -(-n // 4) * 4
    total, alive = np.zeros((padded, padded)), np.ones(n, dtype=bool)
    number = messages.dtype.type(0)
    zero = number if single else np.float64(0)
    for _, piece in whole_groups(messages, WIDE):
        rows = row_addresses(piece)
        d = piece.shape[1]
        chunks = -(-d // CHUNK)
        sums, lives = np.zeros((chunks, padded, padded)), np.ones((chunks, n), dtype=bool)

        def part(
            a: int, b: int, rows: Any = rows, d: int = d, sums: np.ndarray = sums, lives: np.ndarray = lives
        ) -> None:
            for c in range(a, b):
                _strips(rows, c * CHUNK, min(d, (c + 1) * CHUNK), sums[c], lives[c], number, zero)

        split(part, chunks)
        with np.errstate(all="ignore"):
            total += np.sum(sums, axis=0)
        alive &= np.all(lives, axis=0)
    upper = np.triu(total[:n, :n], 1)
    return upper + upper.T, alive
