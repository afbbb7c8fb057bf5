"""Rules that choose messages by squared distances, for few numbers, where a call costs more than its arithmetic.

Sums are those of the reference up to rounding, whose error is bounded; a choice is made where that leaves no doubt, or
where those between whom it leaves one are equal. A run that is in doubt, or in which squares overflow or vanish or not
all is finite, is not finished here: the reference makes it. So the choice is always the reference's, and what is made
of the chosen is equal bit for bit.
"""

from __future__ import annotations

import numpy as np

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.few_centres import SHORT, sum_of_squares
from sims.kernels.cpu.few_columns import add_up, all_of, finite, sort_lines
from sims.kernels.cpu.few_short import WITHIN, turn
from sims.kernels.cpu.team import each, teams

EPS, FAINTEST, LARGEST = 2.0**-52, 1e-290, 1e290


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
def _widen(first, last, x, rows):
    """The rows first, …, last − 1 in float64."""
    rows[first:last] = x[first:last]


@compiled
def _measure_rows(first, last, rows, squares, fine):
    """The squared distances of some rows to those before them; whether these are known.

    The rows are n − 1 − k for k = first, …, last − 1: threads begin with those that take longest.
    """
    for k in range(first, last):
        i = len(rows) - 1 - k
        squares[i, i] = np.inf
        fours = i - i % 4
        for j in range(0, fours, 4):
            squares[i, j], squares[i, j + 1], squares[i, j + 2], squares[i, j + 3] = _to_four(rows[i], rows, j)
        for j in range(fours, i):
            squares[i, j] = sum_of_squares(rows[i], rows[j])
        known = True
        for j in range(i):
            known &= _known(squares[i, j], rows.shape[1])
            squares[j, i] = squares[i, j]
        if not known:
            fine[0] = False
            return


@compiled
def _measure_short(x, columns, squares):
    """The same of short messages, side by side: `columns` is room for (d, n or more)."""
    n, d = x.shape
    width = squares.shape[1]
    turn(x, 0, n, columns)
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
    add_up(rows, 0, chosen, first, y.size == 1, total)
    for j in range(y.size):
        y[j] = first[j] + total[j] / y.dtype.type(chosen.size)


@compiled
def _nearest(squares, network, neighbours, count, messages, order, y):
    """The mean of the `count` messages nearest to their neighbours, by their squared distances; whether it is known."""
    n = len(messages)
    scores = np.zeros(n)
    sort_lines(squares, squares.shape[1] // WITHIN, network)
    for k in range(neighbours):
        for i in range(n):
            scores[i] += squares[k, i]
    _rank(scores, order)
    if not _certain(scores, order, count, messages.shape[1] + n, messages):
        return False
    _average(messages, order[:count], np.empty(y.size, y.dtype), y)
    return finite(y)


@compiled
def _krum_runs(first, last, x, n, out, fine, network, neighbours, count, parts, boxes):
    d = out.shape[1]
    lines = -(-n // WITHIN)
    rows, squares = np.empty((0 if d <= SHORT else n, d)), np.full((n, lines * WITHIN), np.inf)
    order, known = np.empty(n, np.int64), np.ones(1, np.bool_)
    columns = np.zeros((d if d <= SHORT else 0, squares.shape[1]))
    for r in range(first, last):
        messages = x[r * n : r * n + n]
        known[0] = True
        if d <= SHORT:
            known[0] = _measure_short(messages, columns, squares)
        else:
            each(_widen, (messages, rows), n, 1, parts, boxes)
            each(_measure_rows, (rows, squares, known), n, 1, parts, boxes)
        fine[r] = known[0] and _nearest(squares, network, neighbours, count, messages, order, out[r])


@compiled
def krum(x, n, out, parts, boxes, network, neighbours, count):
    """The means of the `count` rows nearest to their neighbours, of runs of n rows each, x (runs·n, d) → out (runs, d).

    The network (comparators, 2) puts the least of n numbers in order, as many as there are neighbours. Whether all is
    done; a run that is not is NaN.
    """
    fine = np.ones(len(out), np.bool_)
    (many, outer), (few, inner) = teams(len(out), parts, boxes)
    each(_krum_runs, (x, n, out, fine, network, neighbours, count, few, inner), len(out), 1, many, outer)
    return all_of(fine, out)


@compiled
def _shortest_runs(first, last, x, n, out, fine, about, count):
    d = out.shape[1]
    origin, scores, order = np.zeros(d, x.dtype), np.empty(n), np.empty(n, np.int64)
    total = np.empty(d, x.dtype)
    for r in range(first, last):
        rows, known = x[r * n : r * n + n], True
        centre = origin if about < 0 else rows[about]
        for i in range(n):
            scores[i] = sum_of_squares(rows[i], centre)
            known &= _known(scores[i], d)
        if known:
            _rank(scores, order)
            known = _certain(scores, order, count, d, rows)
        if known:
            _average(rows, order[:count], total, out[r])
        fine[r] = known and finite(out[r])


@compiled
def shortest(x, n, out, parts, boxes, about, count):
    """The mean of the `count` rows nearest to row `about`, or to the origin if that is −1; otherwise as `krum`."""
    fine = np.ones(len(out), np.bool_)
    each(_shortest_runs, (x, n, out, fine, about, count), len(out), 1, parts, boxes)
    return all_of(fine, out)
