"""Sums of squares of whole rounds, in the order in which NumPy adds up: scores that tie there do so here."""

from __future__ import annotations

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.vectors import choose, equal, everywhere, load, store

WIDE = 8  # from so many numbers on NumPy adds up in eight sums; beyond 128 in halves, which nobody does here


@compiled
def _square(rows, e, others, o):
    away = load(rows, e) - load(others, o)
    return away * away


@compiled
def squared_distance(rows, i, others, h):
    """‖row i − the other row h‖²."""
    d, total = rows.shape[1], everywhere(0.0)
    e, o, last = i * d, h * d, 0
    if d >= WIDE:
        last = d - d % WIDE
        r0, r1, r2, r3 = total, total, total, total
        r4, r5, r6, r7 = total, total, total, total
        for j in range(0, last, WIDE):
            r0 = r0 + _square(rows, e + j, others, o + j)
            r1 = r1 + _square(rows, e + j + 1, others, o + j + 1)
            r2 = r2 + _square(rows, e + j + 2, others, o + j + 2)
            r3 = r3 + _square(rows, e + j + 3, others, o + j + 3)
            r4 = r4 + _square(rows, e + j + 4, others, o + j + 4)
            r5 = r5 + _square(rows, e + j + 5, others, o + j + 5)
            r6 = r6 + _square(rows, e + j + 6, others, o + j + 6)
            r7 = r7 + _square(rows, e + j + 7, others, o + j + 7)
        total = ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7))
    for j in range(last, d):
        total = total + _square(rows, e + j, others, o + j)
    return total


@compiled
def added(values, i, n, first, count):
    """Σ of the rows (first + k)·n + i of `values`, k < count."""
    total, last = everywhere(0.0), 0
    if count >= WIDE:
        last = count - count % WIDE
        r0, r1, r2, r3 = total, total, total, total
        r4, r5, r6, r7 = total, total, total, total
        for k in range(first, first + last, WIDE):
            r0 = r0 + load(values, k * n + i)
            r1 = r1 + load(values, (k + 1) * n + i)
            r2 = r2 + load(values, (k + 2) * n + i)
            r3 = r3 + load(values, (k + 3) * n + i)
            r4 = r4 + load(values, (k + 4) * n + i)
            r5 = r5 + load(values, (k + 5) * n + i)
            r6 = r6 + load(values, (k + 6) * n + i)
            r7 = r7 + load(values, (k + 7) * n + i)
        total = ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7))
    for k in range(first + last, first + count):
        total = total + load(values, k * n + i)
    return total


@compiled
def who_is_alive(rows, alive):
    """1 or 0 as all or not all of a row is finite, (n, LANES)."""
    n, d, _ = rows.shape
    nothing, one = everywhere(0.0), everywhere(1.0)
    for i in range(n):
        lost = nothing
        for j in range(d):
            value = load(rows, i * d + j)
            lost = lost + (value - value)
        store(choose(equal(lost, nothing), one, nothing), alive, i)
