"""Which messages are aggregated by compiled code, and as which host arrays."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import is_cupy_array, is_torch_array

from sims.backend import Array, namespace

SMALLEST = 2**17  # numbers per run: below, NumPy's overhead is small against the time to compile or load a kernel
MOST_WORKERS = 256  # sorting networks are compiled per number of workers, in seconds beyond this
SAYS = "BYZCHECK_SAYS"  # the environment's name of whether a person is told that code is compiled
BLOCK_BYTES = 2**21  # of messages that are copied at once if their coordinates are not neighbours in memory

# where numba is told not to compile, for a debugger or to measure coverage, there are no kernels: what they have of
# numba's own does not run in Python
_COMPILES = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
_enabled: ContextVar[bool] = ContextVar("kernels", default=_COMPILES)


@contextlib.contextmanager
def reference() -> Iterator[None]:
    """Within it every rule takes the array-API path.

    >>> with reference():
    ...     pays(np.zeros((25, 10**6)))
    False
    """
    token = _enabled.set(False)
    try:
        yield
    finally:
        _enabled.reset(token)


def enabled() -> bool:
    """Whether compiled code may be used here, that is, outside `reference()`."""
    return _enabled.get()


def pays(x: Array) -> bool:
    """Whether messages (..., n, d) are handed to compiled code; a matter of n, d, dtype and device, not of the batch.

    On a CUDA device always, in float32 and float64 and for n ≤ `MOST_WORKERS`.

    >>> pays(np.zeros((25, 10**6))), pays(np.zeros((1000, 25, 10)))
    (True, False)
    """
    n, d = x.shape[-2:]
    if is_cupy_array(x):
        return n <= MOST_WORKERS and math.prod(x.shape) > 0 and str(x.dtype) in _NUMBERS and _enabled.get()
    if n * d < SMALLEST or n > MOST_WORKERS or d < SMALLEST // MOST_WORKERS or not _enabled.get():
        return False
    if isinstance(x, np.ndarray):
        return x.dtype.name in _NUMBERS and x.dtype.isnative and x.flags.aligned
    # a tensor whose sign is still to be turned (the imaginary part of a conjugate) is not what lies in its memory
    if not is_torch_array(x) or x.device.type != "cpu" or recorded(x) or x.is_neg():
        return False
    return str(x.dtype) in _TORCH


def recorded(*arguments: Any) -> bool:
    """Whether torch writes down what happens to one of these, for gradients or within `torch.func`.

    Then the operations have to be torch's own; a tensor within `torch.func` is nowhere in memory.
    """
    for x in arguments:
        if is_torch_array(x):
            try:
                if x.requires_grad or x.data_ptr() == 0 < x.numel():
                    return True
            except RuntimeError:
                return True
    return False


_NUMBERS = ("float32", "float64")
_TORCH = ("torch.float32", "torch.float64")


def runs_of(x: Array) -> np.ndarray:
    """The memory of messages as a NumPy array (runs, n, d), or a copy if the leading axes cannot be merged."""
    array = x if isinstance(x, np.ndarray) else x.numpy()
    return array.reshape(-1, *array.shape[-2:]) if array.ndim != 3 else array


def like(result: np.ndarray, x: Array) -> Array:
    """Results (runs, d) in the array library and dtype and with the leading axes of the messages `x`."""
    xp = namespace(x)
    return xp.astype(xp.asarray(result.reshape(*x.shape[:-2], x.shape[-1])), x.dtype, copy=False)


class Piece(NamedTuple):
    """The coordinates first, …, first + width − 1 of one run's messages, those of a row neighbours in memory.

    `messages` (n, columns) may have more columns than the piece is wide: what is beyond its width is zero, and belongs
    to no coordinate of anything.
    """

    first: int
    width: int
    messages: np.ndarray


def pieces(messages: np.ndarray) -> Iterator[Piece]:
    """One run's messages (n, d): all of them at once without a copy, or of another layout some columns at a time."""
    n, d = messages.shape
    if messages.strides[1] == messages.itemsize:
        yield Piece(0, d, messages)
        return
    count = max(1, n * d * messages.itemsize // BLOCK_BYTES)
    for k in range(count):
        first, last = d * k // count, d * (k + 1) // count
        yield Piece(first, last - first, np.ascontiguousarray(messages[:, first:last]))


def whole_groups(messages: np.ndarray, size: int) -> Iterator[Piece]:
    """The same in whole groups of `size` columns; what is left at the end of a piece is filled up with zeros."""
    for first, width, piece in pieces(messages):
        whole = width // size * size
        if whole:
            yield Piece(first, whole, piece[:, :whole])
        if whole < width:
            rest = np.zeros((len(piece), size), piece.dtype)
            rest[:, : width - whole] = piece[:, whole:]
            yield Piece(first + whole, width - whole, rest)


def row_addresses(messages: np.ndarray, chosen: np.ndarray | None = None) -> np.ndarray:
    """Where each message begins in memory, or each of the `chosen` ones."""
    which = np.arange(len(messages)) if chosen is None else chosen
    return messages.ctypes.data + messages.strides[0] * which.astype(np.int64)
