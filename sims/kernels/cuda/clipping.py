"""Centered clipping and smoothed Weiszfeld steps on a CUDA device, launches of the kernels of `centres`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
    source, chunks = centres.long_messages(n, str(x.dtype)), -(-d // centres.CHUNK)
    v = xp.zeros((runs, d), dtype=xp.float64, device=where)
    if start is not None:
        v[...] = xp.reshape(start, (runs, d))
    weights = xp.empty((runs, n), dtype=xp.float64, device=where)
    squares = xp.empty((runs, chunks, n), dtype=xp.float64, device=where)
    dead = xp.zeros((runs, n), dtype=xp.uint8, device=where)
    grid, threads = (chunks, min(runs, launch.MOST_BLOCKS)), (centres.THREADS,)
    launch.start(source, "measure", grid, threads, messages, *shape, weights, v, squares, dead)
    for k in range(radii.shape[0]):
        left = np.int64(radii.shape[0] - k), np.int64(k == 0)
        measured = (squares, np.int64(chunks), v, dead, radii[k, :], weights, *left)
        launch.start(source, kernels[0], each_run, (centres.WEIGHERS,), messages, *shape, *measured)
        kernel = "move_and_measure" if k + 1 < radii.shape[0] else "move"
        launch.start(source, kernel, grid, threads, messages, *shape, weights, v, squares, dead)
    return xp.astype(xp.reshape(v, result), x.dtype, copy=False)
