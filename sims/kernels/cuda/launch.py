"""The kernels on a CUDA device, launched through CuPy: what `sims.kernels.entry` calls for CuPy arrays.

Everything is asynchronous: no function here waits for the device, and none moves data between it and the host but a
table of parameters the first time that it is seen. Results of one run do not depend on the batch. A source is compiled
when it is first needed, by NVRTC, and CuPy keeps the result on disk.
"""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from array_api_compat import is_cupy_array

from sims.backend import Array, device, namespace
from sims.kernels.cuda import centres as cuda_centres
from sims.kernels.cuda import columns as cuda_source
from sims.kernels.cuda import distances as cuda_distances

OPTIONS = ("--std=c++17", "--fmad=false")  # no fused multiply-adds but those that the source asks for
MOST_ACROSS = 2**20  # blocks in the first direction of a grid, if they can take several shares
MOST_BLOCKS = 65535  # in the second and third direction, where no more are possible
MOST_TABLES = 256  # of parameters that stay on the device

_tables: dict[Any, Array] = {}


def launch(source: str, kernel: str, grid: tuple[int, ...], block: tuple[int, ...], *arguments: Any) -> None:
    """Start a kernel of a source on the device of the arrays among the arguments; the others are NumPy scalars."""
    where = next(argument for argument in arguments if not isinstance(argument, np.generic)).device
    with where:
        _compiled(source, where.id).get_function(kernel)(grid, block, arguments)


@functools.lru_cache(maxsize=512)
def _compiled(source: str, number: int) -> Any:
    return importlib.import_module("cupy").RawModule(code=source, options=OPTIONS)


def mean(x: Array) -> Array:
    """The arithmetic mean, (..., d)."""
    return _columns("mean", x)


def coordinate_median(x: Array) -> Array:
    """The median of each coordinate, (..., d)."""
    return _columns("median", x)


def trimmed_mean(x: Array, f: int) -> Array:
    """The mean of each coordinate without its f smallest and f largest values, (..., d)."""
    return _columns("trimmed_mean", x, f)


def mean_from_first(x: Array, chosen: Array) -> Array:
    """The mean of the messages at `chosen` (..., m): the first of them plus the mean difference from it, (..., d)."""
    return _columns("mean_from_first", x, 0, chosen)


def mean_around_median(x: Array, chosen: Array, f: int) -> Array:
    """Of the messages at `chosen` (..., m), the mean of the m − 2f values nearest to the median of each coordinate.

    Unlike on the CPU they need not be finite: nobody has to ask the device whether they are.
    """
    return _columns("mean_around_median", x, f, chosen)


def distances_and_ranks(x: Array) -> tuple[Array, Array, Array]:
    """Squared distances (..., n, n) in float64, who is alive (..., n), lexicographic ranks (..., n)."""
    xp, where, (messages, shape) = namespace(x), device(x), _merged(x)
    runs, n, d = messages.shape
    source = cuda_distances.pairs_of_messages(n, str(x.dtype))
    width = cuda_distances.width_of_chunks(n, d)
    chunks, tiles, deep = -(-d // width), -(-n // cuda_distances.TILE), min(runs, MOST_BLOCKS)
    dead = xp.zeros((runs, n), dtype=xp.uint8, device=where)
    found = xp.empty((runs, chunks, n, n), dtype=xp.float64, device=where)
    grid = (chunks, tiles * (tiles + 1) // 2, deep)
    launch(source, "distances", grid, (256,), messages, *shape, np.int64(width), found, dead)
    sums = found
    if chunks > 1:
        sums = xp.empty((runs, n, n), dtype=xp.float64, device=where)
        launch(source, "add_chunks", _enough(runs * n * n), (256,), found, np.int64(runs), np.int64(chunks), sums)
    ranks = xp.empty((runs, n), dtype=xp.int64, device=where)
    if d <= cuda_distances.SHORT:
        launch(source, "rank_short", _enough(runs * n, 64), (64,), messages, *shape, dead, ranks)
    else:
        slices = cuda_distances.slices(d)
        order = xp.empty((runs, slices, n, n), dtype=xp.int8, device=where)
        grid = (-(-n * n // cuda_distances.PAIRS), slices, deep)
        launch(source, "compare", grid, (32 * cuda_distances.PAIRS,), messages, *shape, dead, order)
        launch(source, "count", _enough(runs * n, 64), (64,), order, np.int64(runs), np.int64(slices), ranks)
    parts = ((sums, (n, n)), (dead == 0, (n,)), (ranks, (n,)))
    distances, alive, ranks = (xp.reshape(part, (*x.shape[:-2], *end)) for part, end in parts)
    return distances, alive, ranks


def centered_clipping(x: Array, centre: Array, radii: Sequence[Any]) -> Array:
    """Clipped averages around the centre (..., d), one for each τ, in x's dtype."""
    xp = namespace(x)
    start = xp.broadcast_to(xp.astype(centre, xp.float64, copy=False), (*x.shape[:-2], x.shape[-1]))
    return _moved(x, start, _table(radii, x), ("clip", "clip_short"))


def weiszfeld_steps(x: Array, nu: Any, steps: int) -> Array:
    """Smoothed Weiszfeld steps from the origin, in x's dtype."""
    return _moved(x, None, _table((nu,) * steps, x), ("weigh", "weigh_short"))


def _moved(x: Array, start: Array | None, radii: Array, kernels: tuple[str, str]) -> Array:
    """The centre after a step for each row of `radii` (steps, runs)."""
    xp, where, (messages, shape) = namespace(x), device(x), _merged(x)
    runs, n, d = messages.shape
    result = (*x.shape[:-2], d)
    if d <= cuda_centres.SHORT:
        out = xp.empty((runs, d), dtype=x.dtype, device=where)
        centres = radii if start is None else xp.ascontiguousarray(xp.reshape(start, (runs, d)))
        source, threads = cuda_centres.short_messages(n, str(x.dtype)), 64 if d <= 64 else cuda_centres.WEIGHERS
        steps = np.int64(radii.shape[0])
        launch(source, kernels[1], (min(runs, MOST_ACROSS),), (threads,), messages, *shape, centres, radii, steps, out)
        return xp.reshape(out, result)
    source, chunks = cuda_centres.long_messages(n, str(x.dtype)), -(-d // cuda_centres.CHUNK)
    v = xp.zeros((runs, d), dtype=xp.float64, device=where)
    if start is not None:
        v[...] = xp.reshape(start, (runs, d))
    weights = xp.empty((runs, n), dtype=xp.float64, device=where)
    squares = xp.empty((runs, chunks, n), dtype=xp.float64, device=where)
    dead = xp.zeros((runs, n), dtype=xp.uint8, device=where)
    grid, threads = (chunks, min(runs, MOST_BLOCKS)), (cuda_centres.THREADS,)
    launch(source, "measure", grid, threads, messages, *shape, weights, v, squares, dead)
    for k in range(radii.shape[0]):
        measured = (squares, np.int64(chunks), v, dead, radii[k, :], weights)
        launch(source, kernels[0], (min(runs, MOST_ACROSS),), (cuda_centres.WEIGHERS,), messages, *shape, *measured)
        kernel = "move_and_measure" if k + 1 < radii.shape[0] else "move"
        launch(source, kernel, grid, threads, messages, *shape, weights, v, squares, dead)
    return xp.astype(xp.reshape(v, result), x.dtype, copy=False)


def _columns(rule: str, x: Array, f: int = 0, chosen: Array | None = None) -> Array:
    xp, (messages, shape) = namespace(x), _merged(x)
    runs, n, d = messages.shape
    picks = messages
    if chosen is not None:
        n = chosen.shape[-1]
        picks = xp.ascontiguousarray(xp.reshape(xp.astype(chosen, xp.int64, copy=False), (runs, n)))
    out = xp.empty((runs, d), dtype=x.dtype, device=device(x))
    across = min(128, 1 << (d - 1).bit_length())
    down = 128 // across
    grid = (min(-(-d // across), MOST_ACROSS), min(-(-runs // down), MOST_BLOCKS))
    source = cuda_source.columns(rule, n, f, str(x.dtype))
    launch(source, "columns", grid, (across, down), messages, picks, out, *shape)
    return xp.reshape(out, (*x.shape[:-2], d))


def _merged(x: Array) -> tuple[Array, tuple[np.int64, ...]]:
    """Messages (runs, n, d), a copy only if the leading axes cannot be merged; runs, d and the strides in numbers."""
    runs, (n, d) = math.prod(x.shape[:-2]), x.shape[-2:]
    messages = namespace(x).reshape(x, (runs, n, d))
    strides = (stride // x.dtype.itemsize for stride in messages.strides)
    return messages, tuple(map(np.int64, (runs, d, *strides)))


def _enough(threads: int, each: int = 256) -> tuple[int]:
    return (min(-(-threads // each), MOST_ACROSS),)


def _table(parameters: Sequence[Any], x: Array) -> Array:
    """A rule's parameter in each step and run, (steps, runs) in float64; from the host only when it is new."""
    xp, leading, where = namespace(x), tuple(x.shape[:-2]), device(x)
    shape = (len(parameters), math.prod(leading))
    if any(is_cupy_array(p) for p in parameters):
        there = (xp.asarray(p, dtype=xp.float64, device=where) for p in parameters)
        return xp.reshape(xp.stack([xp.broadcast_to(p, leading) for p in there]), shape)
    values = np.stack([np.broadcast_to(np.asarray(p, dtype=np.float64), leading) for p in parameters]).reshape(shape)
    key = (values.tobytes(), shape, xp.__name__, str(where))
    if key not in _tables:
        if len(_tables) >= MOST_TABLES:
            _tables.clear()
        _tables[key] = xp.asarray(values, device=where)
    return _tables[key]
