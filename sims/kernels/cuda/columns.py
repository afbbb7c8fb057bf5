"""Rules that work coordinate by coordinate, on a CUDA device: one thread a column, neighbours read neighbours."""

from __future__ import annotations

from sims.backend import Array, device, namespace
from sims.kernels.cuda import launch
from sims.kernels.cuda.column_rules import FARTHER, of_one_column, ordered

_FRAME = """
extern "C" __global__ void columns(const T* __restrict__ x, const Long* __restrict__ chosen, T* __restrict__ out,
                                   Long runs, Long d, Long run_stride, Long worker_stride, Long column_stride) {{
  for (Long r = (Long)blockIdx.y * blockDim.y + threadIdx.y; r < runs; r += (Long)gridDim.y * blockDim.y) {{
    for (Long j = (Long)blockIdx.x * blockDim.x + threadIdx.x; j < d; j += (Long)gridDim.x * blockDim.x) {{
      const T* p = x + r * run_stride + j * column_stride;
{body}
      out[r * d + j] = result;
    }}
  }}
}}
"""


def source(rule: str, n: int, f: int, dtype: str) -> str:
    """The kernel `columns` for a name of `COLUMN_RULES`, n messages that take part and f that are left out.

    As many at either end in "trimmed_mean", in all in "mean_around_median" and "mean_around_trimmed_mean".

    Arguments: messages, the indices `chosen` (runs, n) of those that take part ("mean_from_first" and
    "mean_around_median"; others do not look at them), out (runs, d), runs, d, and the strides of the messages in
    numbers. Threads may be arranged as (columns, runs) in any way.
    """
    body = "\n".join(f"      {statement}" for statement in of_one_column(rule, n, f, dtype))
    return launch.prelude(dtype) + ordered(dtype) + FARTHER + _FRAME.format(body=body)


def mean(x: Array) -> Array:
    """The arithmetic mean, (..., d)."""
    return _apply("mean", x)


def coordinate_median(x: Array) -> Array:
    """The median of each coordinate, (..., d)."""
    return _apply("median", x)


def trimmed_mean(x: Array, f: int) -> Array:
    """The mean of each coordinate without its f smallest and f largest values, (..., d)."""
    return _apply("trimmed_mean", x, f)


def mean_from_first(x: Array, chosen: Array) -> Array:
    """The mean of the messages at `chosen` (..., m): the first of them plus the mean difference from it, (..., d)."""
    return _apply("mean_from_first", x, 0, chosen)


def mean_around_median(x: Array, chosen: Array, less: int) -> Array:
    """Of the messages at `chosen` (..., m), the mean of the m − `less` values nearest to the median, (..., d)."""
    return _apply("mean_around_median", x, less, chosen)


def mean_around_trimmed_mean(x: Array, f: int) -> Array:
    """The mean of the n − f values of each coordinate nearest to its trimmed mean, (..., d)."""
    return _apply("mean_around_trimmed_mean", x, f)


def _apply(rule: str, x: Array, f: int = 0, chosen: Array | None = None) -> Array:
    xp, (messages, shape) = namespace(x), launch.merged(x)
    runs, n, d = messages.shape
    picks = messages
    if chosen is not None:
        n = chosen.shape[-1]
        picks = xp.ascontiguousarray(xp.reshape(xp.astype(chosen, xp.int64, copy=False), (runs, n)))
    out = xp.empty((runs, d), dtype=x.dtype, device=device(x))
    across = min(128, 1 << (d - 1).bit_length())
    down = 128 // across
    grid = (min(-(-d // across), launch.MOST_ACROSS), min(-(-runs // down), launch.MOST_BLOCKS))
    launch.start(source(rule, n, f, str(x.dtype)), "columns", grid, (across, down), messages, picks, out, *shape)
    return xp.reshape(out, (*x.shape[:-2], d))
