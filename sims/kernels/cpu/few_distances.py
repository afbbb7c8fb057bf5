"""Rules that choose messages by squared distances, for few numbers, where a call costs more than its arithmetic.

Sums are those of the reference up to rounding, whose error is bounded; a choice is made where that leaves no doubt, or
where those between whom it leaves one are equal. A run that is in doubt, or in which squares overflow or vanish or not
all is finite, is not finished here: the reference makes it. So the choice is always the reference's, and what is made
of the chosen is equal bit for bit.
"""

from __future__ import annotations

import numpy as np

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.few_centres import sum_of_squares
from sims.kernels.cpu.few_columns import add_up, finish, sort_lines
from sims.kernels.cpu.lanes import LINE

EPS, FAINTEST, LARGEST = 2.0**-52, 1e-290, 1e290
WITHIN = LINE // 8  # float64 numbers in a line
SHORT = 24  # numbers of a row up to which rows are taken side by side, and above which one after the other


@compiled
def _same(rows, i, j):
    same = True
    for k in range(rows.shape[1]):
        same &= rows[i, k] == rows[j, k]
    return same


@compiled(fastmath={"reassoc", "contract"})
def _to_four(row, rows, first):
    """Squared distances of a row to the four from `first` on."""
    a = b = c = e = 0.0
    one, two, three, four = rows[first], rows[first + 1], rows[first + 2], rows[first + 3]
    for j in range(row.size):
        value = row[j]
        a += (value - one[j]) * (value - one[j])
        b += (value - two[j]) * (value - two[j])
        c += (value - three[j]) * (value - three[j])
        e += (value - four[j]) * (value - four[j])
    return a, b, c, e


@compiled
def _known(square, d):
    """Whether a sum of d squares is known up to rounding, or 0: what has vanished is nothing beside those."""
    return square == 0.0 or d * FAINTEST <= square <= LARGEST


@compiled
def _measure(x, rows, squares):
    """All squared distances of n messages, (n, n or more), ∞ on the diagonal; whether they are known up to rounding.

    `rows` is room for them in float64.
    """
    n, d = x.shape
    rows[:] = x
    for i in range(n):
        squares[i, i] = np.inf
        last = i - i % 4
        for j in range(0, last, 4):
            squares[i, j], squares[i, j + 1], squares[i, j + 2], squares[i, j + 3] = _to_four(rows[i], rows, j)
        for j in range(last, i):
            squares[i, j] = sum_of_squares(rows[i], rows[j])
        for j in range(i):
            if not _known(squares[i, j], d):
                return False
            squares[j, i] = squares[i, j]
    return True


@compiled
def _measure_short(x, columns, squares):
    """The same of short messages, side by side: `columns` is room for (d, n or more)."""
    n, d = x.shape
    width = squares.shape[1]
    for i in range(n):
        for k in range(d):
            columns[k, i] = x[i, k]
    for i in range(n):
        row = squares[i]
        row[:] = 0.0
        for k in range(d):
            column, value = columns[k], columns[k, i]
            for j in range(width):
                row[j] += (value - column[j]) * (value - column[j])
        fine = True
        for j in range(n):
            fine &= _known(row[j], d)
        if not fine:
            return False
        row[i] = np.inf
        row[n:] = np.inf
    return True


@compiled
def _rank(scores, order):
    """The indices in the order of their scores."""
    for i in range(scores.size):
        before = 0
        for j in range(scores.size):
            before += scores[j] < scores[i] or (scores[j] == scores[i] and j < i)
        order[before] = i


@compiled
def _certain(scores, order, count, terms, rows):
    """Whether the first `count` come first in this order, if scores are rounded sums of so many terms.

    Equal rows may come in any order, if all between whom rounding leaves a doubt are equal.
    """
    for k in range(scores.size - 1):
        i, j = order[k], order[k + 1]
        if scores[i] * (1.0 + 4.0 * (terms + 4) * EPS) < scores[j]:
            if k + 1 >= count:
                return True
        elif not _same(rows, i, j):
            return False
    return True


@compiled
def _average(rows, chosen, total, y):
    """The first of the chosen rows plus the mean difference from it."""
    first = rows[chosen[0]]
    if chosen.size == 1:
        y[:] = first
        return
    add_up(rows, chosen, first, y.size == 1, total)
    for j in range(y.size):
        y[j] = first[j] + total[j] / y.dtype.type(chosen.size)


@compiled
def krum(x, n, out, first, last, network, neighbours, count):
    """The means of the `count` rows nearest to their neighbours, of the runs [first, last), n rows each of x → out.

    x is (runs·n, d) and out (runs, d). The network (comparators, 2) puts the least of n numbers in order, as many as
    there are neighbours. Whether all is done; a run that is not is NaN.
    """
    d = out.shape[1]
    lines = -(-n // WITHIN)
    rows, squares, scores = np.empty((0 if d <= SHORT else n, d)), np.full((n, lines * WITHIN), np.inf), np.empty(n)
    order, total, all_fine = np.empty(n, np.int64), np.empty(d, x.dtype), True
    columns = np.zeros((d if d <= SHORT else 0, squares.shape[1]))
    for r in range(first, last):
        messages = x[r * n : r * n + n]
        fine = _measure_short(messages, columns, squares) if d <= SHORT else _measure(messages, rows, squares)
        if fine:
            sort_lines(squares, lines, network)
            scores[:] = 0.0
            for k in range(neighbours):
                for i in range(n):
                    scores[i] += squares[k, i]
            _rank(scores, order)
            fine = _certain(scores, order, count, d + n, messages)
        if fine:
            _average(messages, order[:count], total, out[r])
        all_fine &= finish(out[r], fine)
    return all_fine


@compiled
def shortest(x, n, out, first, last, about, count):
    """The mean of the `count` rows nearest to row `about`, or to the origin if that is −1; otherwise as `krum`."""
    d = out.shape[1]
    origin, scores, order = np.zeros(d, x.dtype), np.empty(n), np.empty(n, np.int64)
    total, all_fine = np.empty(d, x.dtype), True
    for r in range(first, last):
        rows, fine = x[r * n : r * n + n], True
        centre = origin if about < 0 else rows[about]
        for i in range(n):
            scores[i] = sum_of_squares(rows[i], centre)
            fine &= _known(scores[i], d)
        if fine:
            _rank(scores, order)
            fine = _certain(scores, order, count, d, rows)
        if fine:
            _average(rows, order[:count], total, out[r])
        all_fine &= finish(out[r], fine)
    return all_fine
