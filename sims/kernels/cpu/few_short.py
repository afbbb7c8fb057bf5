"""Centered clipping and Weiszfeld steps for messages of few coordinates: a lane of a register for each worker.

As in `sims.kernels.cpu.few_centres`, from which these differ in the order in which they add up. What belongs to a run
is addressed by its place in the arrays of all: to make a view of an array takes as long as a step.
"""

from __future__ import annotations

import numpy as np

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.lanes import LINE

# squares between them have neither vanished nor overflowed; a radius or ν is 0 or in between, with room for quotients
SMALLEST, LARGEST = 1e-280, 1e280
LEAST, MOST = 1e-100, 1e140
WITHIN = LINE // 8  # float64 numbers in a line


@compiled
def turn(x, first, n, columns):
    """The coordinates of n rows of x from `first` on side by side, in `columns` (d, n or more)."""
    for i in range(n):
        for k in range(len(columns)):
            columns[k, i] = x[first + i, k]


@compiled(fastmath={"reassoc", "contract"})
def steps_of_short(first, last, x, n, out, fine, starts, parameters, clipped):
    """A step for each parameter, the radius if it is `clipped` and else ν, of the runs first, …, last − 1.

    Runs of n rows each, x (runs·n, d) → out (runs, d); `starts` are (runs or 1, d), `parameters` (runs or 1, steps).
    """
    d, width = out.shape[1], -(-n // WITHIN) * WITHIN
    v, weights, columns = np.zeros(d), np.zeros(width), np.zeros((d, width))
    for r in range(first, last):
        start, own = r if len(starts) > 1 else 0, r if len(parameters) > 1 else 0
        known = True
        for j in range(d):
            v[j] = starts[start, j]
            known &= abs(v[j]) <= MOST
        turn(x, r * n, n, columns)
        for s in range(parameters.shape[1]):
            parameter = parameters[own, s]
            known &= LEAST <= parameter <= (np.inf if clipped else MOST)
            weights[:] = 0.0
            for k in range(d):
                centre = v[k]
                for i in range(width):
                    weights[i] += (columns[k, i] - centre) * (columns[k, i] - centre)
            longest = total = 0.0
            for i in range(n):
                known &= weights[i] <= LARGEST
                longest = max(longest, weights[i])
            known &= longest >= SMALLEST
            for i in range(n):
                norm = np.sqrt(weights[i])
                weights[i] = min(1.0, parameter / norm) / n if clipped else 1.0 / max(norm, parameter)
            for i in range(n, width):
                weights[i] = 0.0
            for i in range(width):
                total += weights[i]
            for k in range(d):
                centre, step = v[k] if clipped else 0.0, 0.0
                for i in range(width):
                    step += weights[i] * (columns[k, i] - centre)
                v[k] = centre + (step if clipped else step / total)
        for j in range(d):
            out[r, j] = v[j]
            known &= abs(out[r, j]) < np.inf
        fine[r] = known
