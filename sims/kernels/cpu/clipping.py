"""Centered clipping and smoothed Weiszfeld steps in a read of the messages per step and one more; distances in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sims.backend import MOST
from sims.kernels.cpu.centres import Centre, advance

Weigh = Callable[[int, int, np.ndarray, np.ndarray], np.ndarray]
LARGEST_SQUARE = 1e299  # beyond it a sum of squares says no more than that something is large
LARGEST_CENTRE = 1e140  # beyond it no sum of squares tells
SMALLEST_LENGTH = 1e-100  # of a radius: squares below 1e-300 vanish
SMALLEST_SQUARE = 1e-280  # if all are below it messages may be so small that sums of weighted ones lose something


def centered_clipping(messages: np.ndarray, centres: np.ndarray, radii: Sequence[np.ndarray]) -> np.ndarray | None:
    """Clipped averages around centres (runs, d), one step for each τ (runs,) of `radii`: (runs, d), rounded at the end.

    None where squares of float64 numbers would overflow or vanish: then the reference has to do it.
    """
    if any(np.any((tau > 0) & (tau < SMALLEST_LENGTH)) for tau in radii):
        return None

    def weigh(k: int, r: int, squares: np.ndarray, alive: np.ndarray) -> np.ndarray:
        norms = np.sqrt(squares)
        inside = norms <= radii[k][r]
        factors = np.where(inside, 1.0, radii[k][r] / np.where(inside, 1.0, norms))
        return np.where(alive, factors, 0.0) / len(alive)

    return _moved(messages, centres, len(radii), weigh)


def weiszfeld_steps(messages: np.ndarray, nu: np.ndarray, steps: int) -> np.ndarray | None:
    """Smoothed Weiszfeld steps from the origin, ν (runs,): (runs, d), or None as above."""
    if np.any((nu < SMALLEST_LENGTH) | (nu > MOST)):
        return None

    def weigh(k: int, r: int, squares: np.ndarray, alive: np.ndarray) -> np.ndarray:
        weights = np.where(alive, 1.0 / np.maximum(np.sqrt(squares), nu[r]), 0.0)
        return weights / np.sum(weights)  # the shares add up to 1: z + Σ s_i (x_i − z) is Σ s_i x_i

    origin = np.broadcast_to(messages.dtype.type(0), (len(messages), messages.shape[-1]))
    return _moved(messages, origin, steps, weigh)


def squares_to(messages: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Squared distances from centres (runs, d) of the messages' dtype, (runs, n), as float64 numbers give them."""
    alive = np.ones(messages.shape[1], dtype=bool)  # what is not finite tells so itself
    contiguous = (np.ascontiguousarray(centre) for centre in centres)
    found = [advance(run, alive, Centre(at, at[:0])) for run, at in zip(messages, contiguous, strict=True)]
    return np.asarray(found, dtype=np.float64).reshape(messages.shape[:2])


def _moved(messages: np.ndarray, starts: np.ndarray, steps: int, weigh: Weigh) -> np.ndarray | None:
    """The centres after some steps, (runs, d); weigh(step, run, squares, alive) are the messages' weights, (n,)."""
    runs, _, d = messages.shape
    result, nothing = np.empty((runs, d), messages.dtype), np.empty(0, messages.dtype)
    # between steps the centre is not rounded
    rest = np.empty(d, messages.dtype) if steps > 1 and messages.dtype != np.float64 else nothing
    for r, run in enumerate(messages):
        found = _start(run, starts[r], result[r])
        if found is None:
            return None
        source, squares, alive = found
        for k in range(steps):
            last = k + 1 == steps
            target = Centre(result[r], nothing if last else rest)
            weights = weigh(k, r, squares, alive)
            squares = advance(run, alive, source, target, weights, measure=not last, backwards=k % 2 == 0)
            source = target
    return result


def _start(messages: np.ndarray, centre: np.ndarray, room: np.ndarray) -> tuple[Centre, np.ndarray, np.ndarray] | None:
    """The centre as `advance` takes it, the squared distances to it, and which messages are alive.

    A centre that is not contiguous is copied to `room` (d,), where the result will be, if it has the same dtype.
    """
    if centre.dtype == room.dtype and centre.strides != room.strides:
        room[:] = centre
        centre = room
    elif centre.dtype not in (np.float32, np.float64) or centre.strides != (centre.itemsize,):
        centre = np.ascontiguousarray(centre, dtype=np.float64)
    if centre.dtype == np.float64:  # which need not fit into the messages' dtype either
        most = min(LARGEST_CENTRE, float(np.finfo(messages.dtype).max))
        if not _largest(centre) <= most:
            return None
    alive = np.ones(len(messages), dtype=bool)
    source = Centre(centre, centre[:0])
    squares = advance(messages, alive, source)
    for i in np.flatnonzero(~(squares <= LARGEST_SQUARE)):
        alive[i] = np.isfinite(_largest(messages[i]))
    if not np.any(alive) or not np.all(squares[alive] <= LARGEST_SQUARE):
        return None
    if (
        np.all(squares[alive] < SMALLEST_SQUARE) and messages.dtype == np.float64
    ):  # all at the centre, or very near to it
        sizes = [_largest(messages[i]) for i in np.flatnonzero(alive)]
        if any(0 < size < SMALLEST_LENGTH for size in sizes):
            return None
    return source, squares, alive


def _largest(values: np.ndarray) -> float:
    """The largest absolute value, NaN if there is one; without a copy, since messages may fill the memory."""
    return np.maximum(np.max(values), -np.min(values))
