"""How a CUDA source begins, and how its kernels are launched, through CuPy.

Everything is asynchronous: no function here waits for the device, and none moves data between it and the host but a
table of parameters the first time that it is seen. A source is compiled when it is first needed, by NVRTC, and CuPy
keeps the result on disk.
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

OPTIONS = ("--std=c++17", "--fmad=false")  # no fused multiply-adds but those that the source asks for
MOST_ACROSS = 2**20  # blocks in the first direction of a grid, if they can take several shares
MOST_BLOCKS = 65535  # in the second and third direction, where no more are possible
MOST_TABLES = 256  # of parameters that stay on the device
NUMBERS = {"float32": "float", "float64": "double"}

_tables: dict[Any, Array] = {}


def prelude(dtype: str, **constants: int | float) -> str:
    """Types and constants with which a source begins: T, Long, INF, and the given names.

    >>> print(prelude("float32", N=25).splitlines()[0])
    typedef float T;
    """
    lines = [f"typedef {NUMBERS[dtype]} T;", "typedef long long Long;"]
    lines += ["#define INF __longlong_as_double(0x7ff0000000000000LL)"]
    lines += [f"#define {name} {value!r}" for name, value in constants.items()]
    return "\n".join(lines) + "\n"


def add_chunks(each: str) -> str:
    """The kernel `add_chunks`, which adds up sums (runs, chunks, each), chunk after chunk, into (runs, each)."""
    return """
extern "C" __global__ void add_chunks(const double* __restrict__ sums, Long runs, Long chunks, double* out) {
  const Long each = EACH, step = (Long)gridDim.x * blockDim.x;
  for (Long k = (Long)blockIdx.x * blockDim.x + threadIdx.x; k < runs * each; k += step) {
    const double* s = sums + k / each * chunks * each + k % each;
    double sum = s[0];
    for (Long c = 1; c < chunks; c++) sum += s[c * each];
    out[k] = sum;
  }
}
""".replace("EACH", f"(Long){each}")


def start(source: str, kernel: str, grid: tuple[int, ...], block: tuple[int, ...], *arguments: Any) -> None:
    """Start a kernel of a source on the device of the arrays among the arguments; the others are NumPy scalars."""
    where = next(argument for argument in arguments if not isinstance(argument, np.generic)).device
    with where:
        _compiled(source, where.id).get_function(kernel)(grid, block, arguments)


@functools.lru_cache(maxsize=512)
def _compiled(source: str, number: int) -> Any:
    return importlib.import_module("cupy").RawModule(code=source, options=OPTIONS)


def merged(x: Array) -> tuple[Array, tuple[np.int64, ...]]:
    """Messages (runs, n, d), a copy only if the leading axes cannot be merged; runs, d and the strides in numbers."""
    runs, (n, d) = math.prod(x.shape[:-2]), x.shape[-2:]
    messages = namespace(x).reshape(x, (runs, n, d))
    strides = (stride // x.dtype.itemsize for stride in messages.strides)
    return messages, tuple(map(np.int64, (runs, d, *strides)))


def enough(threads: int, each: int = 256) -> tuple[int]:
    """A grid of blocks of `each` threads."""
    return (min(-(-threads // each), MOST_ACROSS),)


def table(parameters: Sequence[Any], x: Array) -> Array:
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
