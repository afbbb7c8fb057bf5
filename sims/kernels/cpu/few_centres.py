"""Centered clipping and smoothed Weiszfeld steps for few numbers, where a call costs more than its arithmetic.

Everything is computed in float64 and rounded at the end. A run in which squares overflow or vanish, or in which not
all is finite, is not finished here: the reference makes it.
"""

from __future__ import annotations

import numpy as np

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.few_columns import all_of, finite
from sims.kernels.cpu.few_short import LARGEST, LEAST, MOST, SMALLEST, steps_of_short
from sims.kernels.cpu.lanes import LINE
from sims.kernels.cpu.team import each, teams

SHORT = 24  # numbers of a row up to which rows are taken side by side, and above which one after the other


@compiled(fastmath={"reassoc", "contract"})
def sum_of_squares(row, centre):
    """Σ_j (row_j − centre_j)² in float64, in an order that depends on nothing but d."""
    total = 0.0
    for j in range(row.size):
        away = np.float64(row[j]) - centre[j]
        total += away * away
    return total


@compiled
def _measure_rows(first, last, x, centre, squares):
    """The squared distances of the rows first, …, last − 1 to the centre."""
    for i in range(first, last):
        squares[i] = sum_of_squares(x[i], centre)


@compiled
def _known(squares):
    """Whether all squares are finite and their sums have lost nothing."""
    longest = 0.0
    for i in range(squares.size):
        if not squares[i] <= LARGEST:
            return False
        longest = max(longest, squares[i])
    return longest >= SMALLEST


@compiled
def _add_columns(first, last, x, weights, centre, step):
    """Σ_i w_i (x_i − centre), in the order of the rows, in the columns first, …, last − 1."""
    step, centre = step[first:last], centre[first:last]
    step[:] = 0.0
    for i in range(weights.size):
        weight, row = weights[i], x[i][first:last]
        for j in range(step.size):
            step[j] += weight * (np.float64(row[j]) - centre[j])


@compiled
def _fit(parameters, most):
    """Whether a run's parameters are within the range of ordinary numbers."""
    fit = True
    for k in range(parameters.size):
        fit &= LEAST <= parameters[k] <= most
    return fit


@compiled
def _clip(x, start, radii, room, parts, boxes, y):
    """Clipped averages of x (n, d) around the start (d,), a step for each radius → y (d,); whether all is known."""
    n, d = x.shape
    v, step, squares = room[:d], room[d : 2 * d], room[2 * d :]
    for j in range(d):
        v[j] = start[j]
        if not abs(v[j]) <= MOST:
            return False
    for k in range(radii.size):
        each(_measure_rows, (x, v, squares), n, 1, parts, boxes)
        if not _known(squares):
            return False
        for i in range(n):
            norm = np.sqrt(squares[i])
            squares[i] = (1.0 if norm <= radii[k] else radii[k] / norm) / n
        each(_add_columns, (x, squares, v, step), d, LINE // 8, parts, boxes)
        for j in range(d):
            v[j] += step[j]
    y[:] = v
    return finite(y)


@compiled
def _clip_runs(first, last, x, n, out, fine, centres, parameters, parts, boxes):
    d = out.shape[1]
    room = np.empty(2 * d + n)
    for r in range(first, last):
        start, radii = centres[r if len(centres) > 1 else 0], parameters[r if len(parameters) > 1 else 0]
        fine[r] = _fit(radii, np.inf) and _clip(x[r * n : r * n + n], start, radii, room, parts, boxes, out[r])


@compiled
def clip(x, n, out, parts, boxes, centres, parameters):
    """Clipped averages of runs of n rows each, x (runs·n, d), a step for each τ → out (runs, d).

    `centres` are (runs or 1, d), `parameters` (runs or 1, steps). Whether all is done; a run that is not is NaN.
    """
    fine = np.ones(len(out), np.bool_)
    if out.shape[1] <= SHORT:
        each(steps_of_short, (x, n, out, fine, centres, parameters, True), len(out), 1, parts, boxes)
    else:
        (many, outer), (few, inner) = teams(len(out), parts, boxes)
        each(_clip_runs, (x, n, out, fine, centres, parameters, few, inner), len(out), 1, many, outer)
    return all_of(fine, out)


@compiled
def _weigh(x, origin, nus, room, parts, boxes, y):
    """Smoothed Weiszfeld steps of x (n, d) from the origin, one for each ν → y (d,); whether all is known."""
    n, d = x.shape
    z, squares = room[:d], room[d:]
    z[:] = 0.0
    for k in range(nus.size):
        each(_measure_rows, (x, z, squares), n, 1, parts, boxes)
        if not _known(squares):
            return False
        total = 0.0
        for i in range(n):
            squares[i] = 1.0 / max(np.sqrt(squares[i]), nus[k])
            total += squares[i]
        for i in range(n):
            squares[i] /= total
        each(_add_columns, (x, squares, origin, z), d, LINE // 8, parts, boxes)
    y[:] = z
    return finite(y)


@compiled
def _weigh_runs(first, last, x, n, out, fine, parameters, parts, boxes):
    d = out.shape[1]
    room, origin = np.empty(d + n), np.zeros(d)
    for r in range(first, last):
        nus = parameters[r if len(parameters) > 1 else 0]
        fine[r] = _fit(nus, MOST) and _weigh(x[r * n : r * n + n], origin, nus, room, parts, boxes, out[r])


@compiled
def weiszfeld(x, n, out, parts, boxes, parameters):
    """Smoothed Weiszfeld steps from the origin, one for each ν; otherwise as `clip`."""
    fine = np.ones(len(out), np.bool_)
    if out.shape[1] <= SHORT:
        origin = np.zeros((1, out.shape[1]), x.dtype)
        each(steps_of_short, (x, n, out, fine, origin, parameters, False), len(out), 1, parts, boxes)
    else:
        (many, outer), (few, inner) = teams(len(out), parts, boxes)
        each(_weigh_runs, (x, n, out, fine, parameters, few, inner), len(out), 1, many, outer)
    return all_of(fine, out)
