"""A few threads for compiled code that releases the interpreter's lock."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import types

from sims.kernels.cpu import openmp
from sims.kernels.cpu.team import ASLEEP, FREE, LINE, MOST, PATIENCE, STATE, WORDS, serve

SHORTEST = 8.0  # µs of one thread's work from which on it is shared with helpers that are awake
WORTH_WAKING = 60.0  # µs from which on helpers are woken for it: that takes 30 and they come 30 later
SOON = 5e-4  # seconds after which the next call may be one of many: then helpers are woken for the next but one
PART = 2.0  # µs of a part at least
PARTS = 4  # for each thread, at most
EIGHT, CHUNK = 8, 2**14  # chunks of few coordinates, and coordinates of a chunk of many

_most: int | None = None
_pool: ThreadPoolExecutor | None = None


class _Helper:
    """A thread that does what is posted in its box."""

    def __init__(self, box: np.ndarray) -> None:
        self._box, self._called = box, threading.Semaphore(0)
        serve.compile((types.Array(types.int64, 1, "C"), types.int64))  # not meanwhile, when the program may end
        threading.Thread(target=self._live, name="helper", daemon=True).start()

    def wake(self) -> None:
        """Have it look for work, if it sleeps."""
        if self._box[STATE] == ASLEEP:
            self._box[STATE] = FREE
            self._called.release()

    def _live(self) -> None:
        while True:
            self._called.acquire()
            serve(self._box, PATIENCE)


_room = np.zeros((MOST + 1) * WORDS, np.int64)
_boxes = _room[-_room.ctypes.data % LINE // 8 :][: MOST * WORDS].reshape(MOST, WORDS)  # each in a line of its own
_team: list[_Helper] = []
_starting = threading.Lock()
_last, _cores = 0.0, 1


def limit(threads: int | None) -> None:
    """Let kernels use at most so many threads in this process; None means one per core that it may run on."""
    global _most, _last
    if threads is not None and threads < 1:
        raise ValueError(f"kernels need at least 1 thread, got {threads}")
    _most, _last = threads, 0.0


def count() -> int:
    """How many threads a kernel uses now."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if _most is None else min(_most, cores)


def team(microseconds: float) -> tuple[int, np.ndarray]:
    """For work that takes one thread so long: in how many parts, and the boxes of helpers, as `team.each` takes them.

    Helpers that sleep are woken if the work is long, or if one call follows the other.
    """
    global _last, _cores
    if microseconds < SHORTEST:
        return 1, _boxes[:0]
    now = time.perf_counter()
    soon, _last = now - _last < SOON, now
    if not soon:
        _cores = count()
    helpers = min(_cores - 1, int(microseconds / SHORTEST), MOST)
    if helpers < 1:
        return 1, _boxes[:0]
    parts = min(int(microseconds / PART), PARTS * (helpers + 1))
    if (others := openmp.threads()) > 1:
        return parts, openmp.box(min(others, helpers + 1))
    if len(_team) < helpers:
        _enlarge(helpers)
    if soon or microseconds > WORTH_WAKING:
        for k in range(helpers):
            _team[k].wake()
    return parts, _boxes[:helpers]


def _enlarge(helpers: int) -> None:
    with _starting:
        while len(_team) < helpers:
            _team.append(_Helper(_boxes[len(_team)]))


def strips_of_chunk(d: int, strip: int) -> int:
    """How many strips of d coordinates are summed up together: an eighth of them, and no more than fit in a cache.

    It depends on nothing but d, and so do the sums.
    """
    return min(max(1, -(-d // (EIGHT * strip))), CHUNK // strip)


def split(work: Callable[[int, int], Any], size: int, unit: int = 1) -> None:
    """Call work(first, last) for contiguous parts of range(size), one per thread, cut at multiples of `unit`.

    For work of milliseconds that needs the interpreter. The calling thread does the last part itself. What is computed
    must not depend on where the parts are cut.
    """
    parts = max(1, min(count(), size // unit))
    edges = [size * k // (parts * unit) * unit for k in range(parts)] + [size]
    futures = [_workers().submit(work, edges[k], edges[k + 1]) for k in range(parts - 1)]
    try:
        work(edges[parts - 1], size)
    finally:
        for future in futures:
            future.result()


def _workers() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(max(1, (os.cpu_count() or 2) - 1), thread_name_prefix="kernel")
    return _pool


def _forget() -> None:
    """A forked child has none of its parent's threads."""
    global _pool, _starting
    _pool, _starting = None, threading.Lock()
    _team.clear()
    _boxes[:] = 0
    openmp.leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
