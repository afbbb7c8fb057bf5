"""How many threads compiled code may use in this process, and work of milliseconds shared among them.

Nothing here needs the compiler, whose import takes a quarter of a second.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

limits = 0  # that were set so far: who keeps `count()` asks again after another one
_most: int | None = None
_pool: ThreadPoolExecutor | None = None


def limit(threads: int | None) -> None:
    """Let kernels use at most so many threads in this process; None means one per core that it may run on."""
    global _most, limits
    if threads is not None and threads < 1:
        raise ValueError(f"kernels need at least 1 thread, got {threads}")
    _most, limits = threads, limits + 1


def count() -> int:
    """How many threads a kernel uses now."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if _most is None else min(_most, cores)


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
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
