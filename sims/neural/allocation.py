"""Memory that is freed and asked for again every round, kept by the process in the meantime."""

from __future__ import annotations

import contextlib
import ctypes
import platform
import threading
from collections.abc import Iterator

# glibc gives a block of 32 MiB and more back at once, and the kernel clears every page of the next one: for 16
# gradients of 1.2 million numbers, many times a round, that was a quarter of the time.
TRIM_THRESHOLD, MMAP_MAX = -1, -4  # of mallopt, from malloc.h
USUAL = {TRIM_THRESHOLD: 128 * 1024, MMAP_MAX: 65_536}  # glibc's own
KEEPING = {TRIM_THRESHOLD: 2**31 - 1, MMAP_MAX: 0}

_lock, _inside = threading.Lock(), 0


@contextlib.contextmanager
def freed_memory_stays() -> Iterator[None]:
    """Let what is freed inside stay with the process until the outermost is left; elsewhere than on glibc, nothing."""
    global _inside
    libc = glibc()
    if libc is None:
        yield
        return
    with _lock:
        _inside += 1
        _set(libc, KEEPING)
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _set(libc, USUAL)
                libc.malloc_trim(0)


def _set(libc: ctypes.CDLL, options: dict[int, int]) -> None:
    for option, value in options.items():
        libc.mallopt(option, value)


def glibc() -> ctypes.CDLL | None:
    """The C library, if it is glibc."""
    if platform.libc_ver()[0] != "glibc":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
