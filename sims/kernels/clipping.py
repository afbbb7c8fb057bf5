"""Centered clipping and smoothed Weiszfeld steps in one read of the messages per step and one more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sims.backend import HUGE
from sims.kernels.centres import advance, padded

LARGEST_SQUARE = 1e299  # beyond it a sum of squares may hide a message that counts as infinite
LARGEST_CENTRE = 1e140  # beyond it no sum of squares tells
SMALLEST_LENGTH = 1e-100  # of a radius: squares below 1e-300 vanish


def centered_clipping(messages: np.ndarray, centres: np.ndarray, radii: Sequence[np.ndarray]) -> np.ndarray | None:
    """Clipped averages from the centres (runs, d), one step for each τ (runs,) of `radii`: (runs, d) in float64.

    None where squares of float64 numbers would overflow or vanish: then the reference has to do it.
    """
    if any(np.any((tau > 0) & (tau < SMALLEST_LENGTH)) for tau in radii):
        return None
    result = np.empty((len(messages), messages.shape[2]))
    for r, run in enumerate(messages):
        found = _start(run, centres[r])
        if found is None:
            return None
        v, squares, alive = found
        for k, tau in enumerate(radii):
            norms = np.sqrt(squares)
            inside = norms <= tau[r]
            factors = np.where(inside, 1.0, tau[r] / np.where(inside, 1.0, norms))
            weights = np.where(alive, factors, 0.0) / len(run)
            squares = advance(run, weights, v, alive, measure=k + 1 < len(radii))
        result[r] = v[: run.shape[1]]
    return result


def weiszfeld_steps(messages: np.ndarray, nu: np.ndarray, steps: int) -> np.ndarray | None:
    """Smoothed Weiszfeld steps from the origin, ν (runs,): (runs, d) in float64, or None as above."""
    if np.any(nu < SMALLEST_LENGTH):
        return None
    result = np.empty((len(messages), messages.shape[2]))
    for r, run in enumerate(messages):
        found = _start(run, np.zeros(run.shape[1]))
        if found is None:
            return None
        z, squares, alive = found
        for k in range(steps):
            weights = np.where(alive, 1.0 / np.maximum(np.sqrt(squares), nu[r]), 0.0)
            # the shares add up to 1: z + Σ s_i (x_i − z) is Σ s_i x_i
            squares = advance(run, weights / np.sum(weights), z, alive, measure=k + 1 < steps)
        result[r] = z[: run.shape[1]]
    return result


def _start(messages: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The centre with room for whole groups, the squared distances to it, and which messages are alive."""
    n, d = messages.shape
    v = np.zeros(padded(d))
    v[:d] = centre
    if not np.max(np.abs(v)) <= LARGEST_CENTRE:
        return None
    squares, alive = advance(messages, None, v, np.ones(n, dtype=bool)), np.ones(n, dtype=bool)
    for i in np.flatnonzero(~(squares <= LARGEST_SQUARE)):
        alive[i] = np.max(np.abs(messages[i])) <= HUGE  # False for NaN
    if not np.any(alive) or not np.all(squares[alive] <= LARGEST_SQUARE):
        return None
    return v, squares, alive
