"""OpenMP's threads, if torch has them here: after each of its calls they look for work for milliseconds."""

from __future__ import annotations

import ctypes
import functools
import importlib
import sys

import numpy as np

from sims.kernels.cpu.team import CODE, JOB, OPENMP, STATE, WORDS

_left = False


def threads() -> int:
    """How many threads torch uses, this one included; 0 if there is no torch, or its threads cannot be asked."""
    torch = sys.modules.get("torch")
    if torch is None or _left or not hasattr(torch, "get_num_threads") or not _parallel():
        return 0
    return torch.get_num_threads()


def leave() -> None:
    """In a forked child: threads of its parent would be waited for in vain."""
    global _left
    _left = True


@functools.cache
def box(count: int) -> np.ndarray:
    """A box (1, WORDS) that says to `team.each` that so many threads of OpenMP share the work."""
    found = np.zeros((1, WORDS), np.int64)
    found[0, [STATE, CODE, JOB]] = OPENMP, _parallel(), count
    return found


@functools.cache
def _parallel() -> int:
    """The address of `GOMP_parallel` in the library that torch has loaded, 0 if none is found or there are several."""
    try:
        controller = importlib.import_module("threadpoolctl").ThreadpoolController()
    except ImportError:  # on a machine for the tests of a GPU
        return 0
    found = [pool["filepath"] for pool in controller.select(user_api="openmp").info()]
    if len(found) != 1:
        return 0
    function = getattr(ctypes.CDLL(found[0]), "GOMP_parallel", None)
    return ctypes.cast(function, ctypes.c_void_p).value or 0 if function else 0
