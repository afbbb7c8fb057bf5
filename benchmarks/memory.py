"""How much memory a rule takes at its peak beyond the messages, as a share of theirs."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")


def can_measure() -> bool:
    """Whether this system tells a process its peak memory and lets it start anew (Linux does)."""
    try:
        RESET.write_text("5", encoding="ascii")  # the peak becomes what is held now (proc(5))
        _kibibytes("VmHWM")
    except (OSError, StopIteration):
        return False
    return True


def peak_beyond(call: Callable[[], Any]) -> int:
    """Bytes that `call` holds at its peak beyond what is held before, its result included.

    From the kernel's counters of resident pages, which lag by some hundred kilobytes.
    """
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)  # what others freed must not be reused unseen
    RESET.write_text("5", encoding="ascii")
    before = _kibibytes("VmRSS")
    result = call()
    after = _kibibytes("VmHWM")
    del result
    return 1024 * max(0, after - before)


def shares(calls: Mapping[str, Callable[[], Any]], nbytes: int) -> dict[str, float]:
    """Of messages of so many bytes, by contender; each runs once before, so that its program is loaded."""
    found = {}
    for who, call in calls.items():
        call()
        found[who] = peak_beyond(call) / nbytes
    return found


def _kibibytes(field: str) -> int:
    lines = STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    return int(next(line for line in lines if line.startswith(field + ":")).split()[1])
