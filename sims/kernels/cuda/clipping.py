"""Centered clipping, smoothed Weiszfeld steps and distances on a CUDA device, launches of the kernels of `centres`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sims.backend import Array, device, namespace
from sims.kernels.cuda import centres, launch


def centered_clipping(x: Array, centre: Array, radii: Sequence[Any]) -> Array:
    """Clipped averages around the centre (..., d), one for each τ, in x's dtype."""
    xp = namespace(x)
    start = xp.broadcast_to(xp.astype(centre, xp.float64, copy=False), (*x.shape[:-2], x.shape[-1]))
    return _moved(x, start, launch.table(radii, x), ("clip", "clip_short"))


def weiszfeld_steps(x: Array, nu: Any, steps: int) -> Array:
    """Smoothed Weiszfeld steps from the origin, in x's dtype."""
    return _moved(x, None, launch.table((nu,) * steps, x), ("weigh", "weigh_short"))


def squares_to(x: Array, centre: Array | None) -> Array:
    """Squared distances to the centre (..., d), None for the origin, in float64, (..., n)."""
    xp, where, (messages, shape) = namespace(x), device(x), launch.merged(x)
    runs, n, d = messages.shape
    v = xp.zeros((runs, d), dtype=xp.float64, device=where)
    if centre is not None:
        v[...] = xp.reshape(xp.broadcast_to(centre, (*x.shape[:-2], d)), (runs, d))
    source = centres.long_messages(n, str(x.dtype))
    squares, total = _measured(source, messages, shape, v).squares, xp.empty((runs, n), dtype=xp.float64, device=where)
    sizes = shape[0], np.int64(squares.shape[1])
    launch.start(source, "add_chunks", launch.enough(runs * n), (256,), squares, *sizes, total)
    return xp.reshape(total, x.shape[:-1])


class _Pass(NamedTuple):
    """What a read of long messages writes and with which launches; see `centres.long_messages`."""

    weights: Array
    squares: Array
    dead: Array
    grid: tuple[int, int]
    threads: tuple[int]


def _measured(source: str, messages: Array, shape: tuple[np.int64, ...], v: Array) -> _Pass:
    """The first read of messages (runs, n, d): the squares of the distances to v (runs, d), chunk by chunk."""
    xp, where, (runs, n, d) = namespace(messages), device(messages), messages.shape
    chunks = -(-d // centres.CHUNK)
    found = _Pass(
        weights=xp.empty((runs, n), dtype=xp.float64, device=where),
        squares=xp.empty((runs, chunks, n), dtype=xp.float64, device=where),
        dead=xp.zeros((runs, n), dtype=xp.uint8, device=where),
        grid=(chunks, min(runs, launch.MOST_BLOCKS)),
        threads=(centres.THREADS,),
    )
    arrays = found.weights, v, found.squares, found.dead
    launch.start(source, "measure", found.grid, found.threads, messages, *shape, *arrays)
    return found


def _moved(x: Array, start: Array | None, radii: Array, kernels: tuple[str, str]) -> Array:
    """The centre after a step for each row of `radii` (steps, runs)."""
    xp, where, (messages, shape) = namespace(x), device(x), launch.merged(x)
    runs, n, d = messages.shape
    result, each_run = (*x.shape[:-2], d), (min(runs, launch.MOST_ACROSS),)
    if d <= centres.SHORT:
        out = xp.empty((runs, d), dtype=x.dtype, device=where)
        starts = radii if start is None else xp.ascontiguousarray(xp.reshape(start, (runs, d)))
        source, threads = centres.short_messages(n, str(x.dtype)), 64 if d <= 64 else centres.WEIGHERS
        steps = np.int64(radii.shape[0])
        launch.start(source, kernels[1], each_run, (threads,), messages, *shape, starts, radii, steps, out)
        return xp.reshape(out, result)
    source = centres.long_messages(n, str(x.dtype))
    v = xp.zeros((runs, d), dtype=xp.float64, device=where)
    if start is not None:
        v[...] = xp.reshape(start, (runs, d))
    weights, squares, dead, grid, threads = _measured(source, messages, shape, v)
    for k in range(radii.shape[0]):
        left = np.int64(radii.shape[0] - k), np.int64(k == 0)
        measured = (squares, np.int64(squares.shape[1]), v, dead, radii[k, :], weights, *left)
        launch.start(source, kernels[0], each_run, (centres.WEIGHERS,), messages, *shape, *measured)
        kernel = "move_and_measure" if k + 1 < radii.shape[0] else "move"
        launch.start(source, kernel, grid, threads, messages, *shape, weights, v, squares, dead)
    return xp.astype(xp.reshape(v, result), x.dtype, copy=False)
