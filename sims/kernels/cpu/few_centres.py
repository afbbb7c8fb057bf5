"""Centered clipping and smoothed Weiszfeld steps for few numbers, where a call costs more than its arithmetic.

Everything is computed in float64 and rounded at the end. A run in which squares overflow or vanish, or in which not
all is finite, is not finished here: the reference makes it.
"""

from __future__ import annotations

import numpy as np

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.few_columns import finish

# squares between them have neither vanished nor overflowed; a radius or ν is 0 or in between, with room for quotients
SMALLEST, LARGEST = 1e-280, 1e280
LEAST, MOST = 1e-100, 1e140


@compiled(fastmath={"reassoc", "contract"})
def sum_of_squares(row, centre):
    """Σ_j (row_j − centre_j)² in float64, in an order that depends on nothing but d."""
    total = 0.0
    for j in range(row.size):
        away = np.float64(row[j]) - centre[j]
        total += away * away
    return total


@compiled
def _measure(x, first, n, centre, squares):
    """The squared distances of n rows to the centre; whether all are finite and their sums have lost nothing."""
    longest = 0.0
    for i in range(n):
        squares[i] = sum_of_squares(x[first + i], centre)
        if not squares[i] <= LARGEST:
            return False
        longest = max(longest, squares[i])
    return longest >= SMALLEST


@compiled
def _add(x, first, weights, centre, step):
    """Σ_i w_i (x_i − centre), in the order of the rows."""
    step[:] = 0.0
    for i in range(weights.size):
        weight = weights[i]
        for j in range(step.size):
            step[j] += weight * (np.float64(x[first + i, j]) - centre[j])


@compiled
def _fit(parameters, run, most):
    """Whether a run's parameters (steps, runs or 1) are within the range of ordinary numbers."""
    at = run if parameters.shape[1] > 1 else 0
    fit = True
    for k in range(parameters.shape[0]):
        fit &= LEAST <= parameters[k, at] <= most
    return fit


@compiled
def clip(x, n, out, first, last, centres, parameters):
    """Clipped averages of the runs [first, last), n rows each of x (runs·n, d), a step for each τ → out (runs, d).

    `centres` are (runs or 1, d), `parameters` (steps, runs or 1). Whether all is done; a run that is not is NaN.
    """
    d = out.shape[1]
    v, step, squares, all_fine = np.empty(d), np.empty(d), np.empty(n), True
    for r in range(first, last):
        start, fine = centres[r if len(centres) > 1 else 0], _fit(parameters, r, np.inf)
        for j in range(d):
            v[j] = start[j]
            fine &= abs(v[j]) <= MOST
        for k in range(parameters.shape[0]):
            if not fine:
                break
            tau = parameters[k, r if parameters.shape[1] > 1 else 0]
            fine = _measure(x, r * n, n, v, squares)
            for i in range(n):
                norm = np.sqrt(squares[i])
                squares[i] = (1.0 if norm <= tau else tau / norm) / n
            _add(x, r * n, squares, v, step)
            for j in range(d):
                v[j] += step[j]
        out[r] = v
        all_fine &= finish(out[r], fine)
    return all_fine


@compiled
def weiszfeld(x, n, out, first, last, parameters):
    """Smoothed Weiszfeld steps from the origin, one for each ν; otherwise as `clip`."""
    d = out.shape[1]
    z, origin, squares, all_fine = np.empty(d), np.zeros(d), np.empty(n), True
    for r in range(first, last):
        fine = _fit(parameters, r, MOST)
        z[:] = 0.0
        for k in range(parameters.shape[0]):
            if not fine:
                break
            nu, total = parameters[k, r if parameters.shape[1] > 1 else 0], 0.0
            fine = _measure(x, r * n, n, z, squares)
            for i in range(n):
                squares[i] = 1.0 / max(np.sqrt(squares[i]), nu)
                total += squares[i]
            squares /= total
            _add(x, r * n, squares, origin, z)
        out[r] = z
        all_fine &= finish(out[r], fine)
    return all_fine
