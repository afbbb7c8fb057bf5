"""Coordinate by coordinate for few numbers, where a call costs more than its arithmetic: one program for all n and f.

Some columns at a time are brought to a buffer that stays in the cache, and are sorted there by a network that is read
from a table. The arithmetic and its order are those of `sims.columns`: the results are equal bit for bit. Where one is
not finite, something may have overflowed on the way, and the reference makes such a run once more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.lanes import LINE, Lanes, intrinsic
from sims.kernels.cpu.team import each
from sims.kernels.in_rounds import Step

BLOCK, AT_A_TIME = 512, 32  # columns that one thread averages at least, and blocks whose sums stay in the cache
LINES = 4  # of each row in the buffer, at most: a comparator is read from the table once for all of them


@intrinsic
def _fill(typing, source, target, number):
    """A line of a row from one address to another, +∞ in the place of NaN."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = Lanes(builder, context.get_value_type(number), number.bitwidth)
        lanes.store(lanes.worst_for_nan(lanes.load(arguments[0])), arguments[1])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, number), generate


@intrinsic
def _order(typing, low, high, number):
    """The smaller numbers of two lines to the first of their addresses, the larger to the second."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = Lanes(builder, context.get_value_type(number), number.bitwidth)
        a, b = lanes.load(arguments[0]), lanes.load(arguments[1])
        ordered = lanes.less(a, b)
        lanes.store(lanes.choose(ordered, a, b), arguments[0])
        lanes.store(lanes.choose(ordered, b, a), arguments[1])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, number), generate


@compiled
def sort_lines(rows, lines, network):
    """Bring the order statistics of a network (comparators, 2) to their rows of the buffer, in its first lines."""
    first, apart, number = rows.ctypes.data, rows.strides[0], rows[0, 0]
    for c in range(network.shape[0]):
        low, high = first + network[c, 0] * apart, first + network[c, 1] * apart
        for e in range(0, lines * LINE, LINE):
            _order(low + e, high + e, number)


@compiled
def _bring(x, first, n, start, width, lines, rows):
    """`width` columns from `start` on of n rows from `first` on to the first lines of the buffer.

    What is behind them there is of no consequence: the next numbers of x, so that nearly all lines are whole ones.
    """
    number, size = rows[0, 0], rows.itemsize
    end = x.ctypes.data + x.size * size
    for i in range(n):
        source = x.ctypes.data + ((first + i) * x.shape[1] + start) * size
        target, whole = rows.ctypes.data + i * rows.strides[0], min(lines, (end - source) // LINE)
        for e in range(0, whole * LINE, LINE):
            _fill(source + e, target + e, number)
        for j in range(whole * LINE // size, width):
            value = x[first + i, start + j]
            rows[i, j] = value if value < np.inf else np.inf


@compiled
def add_up(rows, start, index, centre, alone, total):
    """Σ_i (row_i − centre) over the rows at `index` from column `start` on, in their order; of one `alone` as NumPy."""
    if alone and index.size >= 8:
        column = np.empty(index.size, rows.dtype)
        for i in range(index.size):
            column[i] = rows[index[i], start] - centre[0]
        total[0] = _sum(column)
        return
    end = start + total.size
    first = rows[index[0]][start:end]
    for j in range(total.size):
        total[j] = first[j] - centre[j]
    for i in range(1, index.size - 3, 4):
        a, b = rows[index[i]][start:end], rows[index[i + 1]][start:end]
        c, e = rows[index[i + 2]][start:end], rows[index[i + 3]][start:end]
        for j in range(total.size):
            v = centre[j]
            total[j] = (((total[j] + (a[j] - v)) + (b[j] - v)) + (c[j] - v)) + (e[j] - v)
    for i in range(1 + (index.size - 1) // 4 * 4, index.size):
        last = rows[index[i]][start:end]
        for j in range(total.size):
            total[j] += last[j] - centre[j]


@compiled
def _sum(values):
    """Σ of at most 256 numbers that are side by side: NumPy has eight sums, and from 128 numbers on two times eight."""
    n = values.size
    if n <= 128:
        return _sum_of_eighths(values)
    half = n // 2 - n // 2 % 8
    return _sum_of_eighths(values[:half]) + _sum_of_eighths(values[half:])


@compiled
def _sum_of_eighths(values):
    sums, last = values[:8].copy(), values.size - values.size % 8
    for i in range(8, last, 8):
        for k in range(8):
            sums[k] += values[i + k]
    total = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]))
    for i in range(last, values.size):
        total += values[i]
    return total


@compiled
def _mean_of_nearest(values, f, low, high, centre, alone):
    """The average of the n − f of a column's ordered values that are nearest to (low + high)/2; see `sims.columns`."""
    keep, first, open_ = values.size - f, 0, False
    for i in range(f):
        one, less = _difference(low, values[i])
        other, left = _difference(values[keep + i], high)
        first += one > other or (one == other and less > left)
        open_ |= one == other and one == np.inf  # of the halves the reference finds out
    away = values[first : first + keep] - centre
    total = away[0]
    if alone and keep >= 8:
        total = _sum(away)
    else:
        for i in range(1, keep):
            total += away[i]
    return centre + (values.dtype.type(np.nan) if open_ else total / values.dtype.type(keep))


@compiled
def _difference(a, b):
    """The difference a − b rounded, and what rounding took from it."""
    found = a - b
    shift = found - a
    return found, (a - (found - shift)) - (b + shift)


@compiled
def finite(y):
    """Whether all numbers are finite."""
    fine = True
    for j in range(y.size):
        fine &= abs(y[j]) < np.inf
    return fine


@intrinsic
def _sum_line(typing, source, apart, n, target, number):
    """Σ_i x_i of a line of numbers of n rows, so many bytes from one to the next, to an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, apart, n, target = arguments[:4]
        lanes = Lanes(builder, context.get_value_type(number), number.bitwidth)
        total = cgutils.alloca_once_value(builder, lanes.load(source))
        with cgutils.for_range_slice(builder, apart.type(1), n, apart.type(1)) as (i, _):
            row = lanes.load(builder.add(source, builder.mul(i, apart)))
            builder.store(lanes.add(builder.load(total), row), total)
        lanes.store(builder.load(total), target)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp, types.intp, number), generate


@compiled
def _sum_rows(x, first, n, start, total):
    """Σ_i x_i over n rows from `first` on, from column `start` on, in their order."""
    end = start + total.size
    total[:] = x[first][start:end]
    i = 1
    while i + 4 <= n:
        a, b = x[first + i][start:end], x[first + i + 1][start:end]
        c, e = x[first + i + 2][start:end], x[first + i + 3][start:end]
        for j in range(total.size):
            total[j] = (((total[j] + a[j]) + b[j]) + c[j]) + e[j]
        i += 4
    while i < n:
        last = x[first + i][start:end]
        for j in range(total.size):
            total[j] += last[j]
        i += 1


@compiled
def _average(first, last, x, n, out, fine):
    """The means of the blocks of columns first, …, last − 1 of all runs."""
    d, size = out.shape[1], x.itemsize
    blocks, line = -(-d // BLOCK), np.empty(LINE // size, x.dtype)
    end = x.ctypes.data + x.size * size
    while first < last:
        r, begin = first // blocks, first % blocks
        count = min(last - first, blocks - begin, AT_A_TIME)
        y = out[r][begin * BLOCK : (begin + count) * BLOCK]
        source = x.ctypes.data + r * n * d * size
        if d == 1 and n >= 8:
            y[0] = _sum(x[r * n : r * n + n, 0])
        elif d <= line.size and source + (n - 1) * d * size + LINE <= end:  # what is behind a row is left out
            _sum_line(source, d * size, n, line.ctypes.data, x[0, 0])
            y[:] = line[:d]
        else:
            _sum_rows(x, r * n, n, begin * BLOCK, y)
        for j in range(y.size):
            y[j] /= x.dtype.type(n)
        if not finite(y):
            fine[r] = False
        first += count


@compiled
def mean(x, n, out, parts, boxes):
    """The means of runs of n rows each, x (runs·n, d) → out (runs, d).

    Whether all are finite; a run that is not is NaN.
    """
    fine, blocks = np.ones(len(out), np.bool_), -(-out.shape[1] // BLOCK)
    each(_average, (x, n, out, fine), len(out) * blocks, 1, parts, boxes)
    return all_of(fine, out)


@compiled
def _order_and_reduce(first, last, x, n, out, fine, network, rule, f):
    """What a rule makes of the blocks of columns first, …, last − 1 of all runs."""
    d = out.shape[1]
    in_a_line = LINE // x.itemsize
    most = min(LINES, -(-d // in_a_line)) * in_a_line
    blocks = -(-d // most)
    rows, total, kept = np.zeros((n, most), x.dtype), np.empty(most, x.dtype), np.arange(f, n - f)
    for k in range(first, last):
        r, start = k // blocks, k % blocks * most
        y = out[r, start : start + most]
        lines = -(-y.size // in_a_line)
        _bring(x, r * n, n, start, y.size, lines, rows)
        sort_lines(rows, lines, network)
        _reduce(rows, rule, f, kept, d == 1, total[: y.size], y)
        if not finite(y):
            fine[r] = False


@compiled
def reduce(x, n, out, parts, boxes, network, rule, f):
    """The same of a rule that orders the values of each column by a network (comparators, 2), which f parametrizes."""
    fine, in_a_line = np.ones(len(out), np.bool_), LINE // x.itemsize
    lines = -(-out.shape[1] // in_a_line)
    blocks = -(-lines // min(LINES, lines))
    each(_order_and_reduce, (x, n, out, fine, network, rule, f), len(out) * blocks, 1, parts, boxes)
    return all_of(fine, out)


@compiled
def all_of(fine, out):
    """Whether all runs are fine; those that are not are NaN."""
    for r in range(fine.size):
        if not fine[r]:
            out[r] = np.nan
    return fine.all()


@compiled
def _reduce(rows, rule, f, kept, alone, total, y):
    n = len(rows)
    low, high = rows[(n - 1) // 2], rows[n // 2]
    half = y.dtype.type(0.5)
    if rule == Step.MEDIAN or rule == Step.AROUND_MEDIAN:
        for j in range(y.size):
            y[j] = low[j] if n % 2 else low[j] + half * (high[j] - low[j])
    else:
        middle = rows[f + (n - 2 * f) // 2]
        add_up(rows, 0, kept, middle, alone, total)
        for j in range(y.size):
            y[j] = middle[j] + total[j] / y.dtype.type(n - 2 * f)
    if rule == Step.AROUND_MEDIAN:
        for j in range(y.size):
            y[j] = _mean_of_nearest(rows[:, j], f, low[j], high[j], y[j], alone)
    if rule == Step.AROUND_TRIMMED_MEAN:
        for j in range(y.size):
            y[j] = _mean_of_nearest(rows[:, j], f, y[j], y[j], y[j], alone)
