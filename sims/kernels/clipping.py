"""Centered clipping and smoothed Weiszfeld steps in one read of the messages per step and one more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sims.backend import HUGE
from sims.kernels.centres import advance, padded

LARGEST_SQUARE = 1e299  # beyond it a sum of squares may hide a message that counts as infinite
LARGEST_CENTRE = 1e140  # beyond it no sum of squares tells
ROUNDED_AT_ONCE = 2**16
SMALLEST_LENGTH = 1e-100  # of a radius: squares below 1e-300 vanish


def centered_clipping(messages: np.ndarray, centres: np.ndarray, radii: Sequence[np.ndarray]) -> np.ndarray | None:
    """Clipped averages around centres (runs, d), one step for each τ (runs,) of `radii`: (runs, d), rounded at the end.

    None where squares of float64 numbers would overflow or vanish: then the reference has to do it.
    """
    if any(np.any((tau > 0) & (tau < SMALLEST_LENGTH)) for tau in radii):
        return None
    result = []
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
        result.append(_rounded(v, run))
    return _stacked(result)


def weiszfeld_steps(messages: np.ndarray, nu: np.ndarray, steps: int) -> np.ndarray | None:
    """Smoothed Weiszfeld steps from the origin, ν (runs,): (runs, d), or None as above."""
    if np.any(nu < SMALLEST_LENGTH):
        return None
    result = []
    for r, run in enumerate(messages):
        found = _start(run, 0.0)
        if found is None:
            return None
        z, squares, alive = found
        for k in range(steps):
            weights = np.where(alive, 1.0 / np.maximum(np.sqrt(squares), nu[r]), 0.0)
            # the shares add up to 1: z + Σ s_i (x_i − z) is Σ s_i x_i
            squares = advance(run, weights / np.sum(weights), z, alive, measure=k + 1 < steps)
        result.append(_rounded(z, run))
    return _stacked(result)


def _start(messages: np.ndarray, centre: np.ndarray | float) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The centre with room for whole groups, the squared distances to it, and which messages are alive."""
    n, d = messages.shape
    v = np.zeros(padded(d))
    v[:d] = centre
    if not _largest(v) <= LARGEST_CENTRE:
        return None
    squares, alive = advance(messages, None, v, np.ones(n, dtype=bool)), np.ones(n, dtype=bool)
    for i in np.flatnonzero(~(squares <= LARGEST_SQUARE)):
        alive[i] = _largest(messages[i]) <= HUGE  # False for NaN
    if not np.any(alive) or not np.all(squares[alive] <= LARGEST_SQUARE):
        return None
    return v, squares, alive


def _largest(values: np.ndarray) -> float:
    """The largest absolute value, NaN if there is one; without a copy, since messages may fill the memory."""
    return np.maximum(np.max(values), -np.min(values))


def _rounded(v: np.ndarray, messages: np.ndarray) -> np.ndarray:
    """The centre without its padding and in the dtype of the messages, in the memory of `v`, which is lost."""
    d = messages.shape[1]
    result = v.view(messages.dtype)[:d]
    for first in range(0, d, ROUNDED_AT_ONCE):  # ahead of what is yet to be read
        result[first : first + ROUNDED_AT_ONCE] = v[first : min(d, first + ROUNDED_AT_ONCE)]
    return result


def _stacked(results: list[np.ndarray]) -> np.ndarray:
    return results[0][None] if len(results) == 1 else np.stack(results)
