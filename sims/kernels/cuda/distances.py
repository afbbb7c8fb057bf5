"""CUDA C++ for squared distances between all pairs of messages, and for their lexicographic order.

By differences in float64, tiles of 32 × 32 pairs on 32 columns at a time in shared memory: a common offset cancels
before anything is squared, and pairs with equal differences get equal sums, bit for bit, since one program adds all of
them up in the same order. Chunks of columns are summed apart and added in order; how many there are depends on n and d
alone.
"""

from __future__ import annotations

import numpy as np

from sims.backend import Array, device, namespace
from sims.kernels.cuda import launch

TILE = 32  # rows and columns of a tile
SHORT = 256  # columns up to which one thread compares two messages
PAIRS = 8  # pairs of messages that one block compares, a warp each
LEAST = 1024  # columns of a chunk at least
SUMS = 2**22  # sums that are kept of one run at most, if it has more columns

_DISTANCES = """
__device__ double entry(T value) { return fabs((double)value) < INF ? (double)value : 0.0; }

extern "C" __global__ void __launch_bounds__(256)
distances(const T* __restrict__ x, Long runs, Long d, Long run_stride, Long worker_stride, Long column_stride,
          Long width, double* __restrict__ sums, unsigned char* dead) {
  __shared__ double left[TILE][TILE + 1], right[TILE][TILE + 1];
  int row = 0, column = blockIdx.y;  // of the tile, row <= column
  for (int length = (N + TILE - 1) / TILE; column >= length; length--) {
    column -= length;
    row++;
  }
  column += row;
  const int s = threadIdx.x % 16, t = threadIdx.x / 16;
  const Long first = blockIdx.x * width, last = first + width < d ? first + width : d;
  for (Long r = blockIdx.z; r < runs; r += gridDim.z) {
    const T* rows = x + r * run_stride;
    double s00 = 0.0, s01 = 0.0, s10 = 0.0, s11 = 0.0;
    for (Long start = first; start < last; start += TILE) {
      __syncthreads();
      for (int k = threadIdx.x; k < TILE * TILE; k += 256) {
        const int i = row * TILE + k / TILE, j = column * TILE + k / TILE;
        const Long c = start + k % TILE;
        const T a = i < N && c < last ? rows[i * worker_stride + c * column_stride] : (T)0;
        const T b = j < N && c < last ? rows[j * worker_stride + c * column_stride] : (T)0;
        left[k / TILE][k % TILE] = entry(a);
        right[k / TILE][k % TILE] = entry(b);
        if (row == column && !(fabs((double)a) < INF)) dead[r * N + i] = 1;  // NaN too; all write the same
      }
      __syncthreads();
      for (int k = 0; k < TILE; k++) {
        const double a0 = left[t][k], a1 = left[t + 16][k], b0 = right[s][k], b1 = right[s + 16][k];
        s00 = fma(a0 - b0, a0 - b0, s00);
        s01 = fma(a0 - b1, a0 - b1, s01);
        s10 = fma(a1 - b0, a1 - b0, s10);
        s11 = fma(a1 - b1, a1 - b1, s11);
      }
    }
    double* out = sums + (r * gridDim.x + blockIdx.x) * N * N;
    for (int q = 0; q < 4; q++) {
      const int i = row * TILE + t + q / 2 * 16, j = column * TILE + s + q % 2 * 16;
      if (i < N && j < N) {
        const double sum = q == 0 ? s00 : q == 1 ? s01 : q == 2 ? s10 : s11;
        out[i * N + j] = sum;
        if (row < column) out[j * N + i] = sum;
      }
    }
  }
}
"""

_ORDER = """
#define EVERYONE 0xffffffffu

// -1, 0 or 1 as the entry of one row is smaller than that of another, equal, or larger; the dead count as zero
__device__ int compared(const T* a, const T* b, bool no_a, bool no_b, Long offset) {
  const T p = no_a ? (T)0 : a[offset], q = no_b ? (T)0 : b[offset];
  return p < q ? -1 : p > q;
}

// the order of rows i < j from the first of their columns, in each slice of the columns, that differs: (runs, slices,
// n, n); slices are blockIdx.y. A slice after the first stays 0 if the columns before the 33rd have decided.
extern "C" __global__ void compare(const T* __restrict__ x, Long runs, Long d, Long run_stride, Long worker_stride,
                                   Long column_stride, const unsigned char* dead, signed char* order) {
  const int pair = blockIdx.x * PAIRS + threadIdx.x / 32, lane = threadIdx.x % 32, i = pair / N, j = pair % N;
  if (pair >= N * N || i >= j) return;
  const Long slice = blockIdx.y, slices = gridDim.y, first = d * slice / slices, last = d * (slice + 1) / slices;
  for (Long r = blockIdx.z; r < runs; r += gridDim.z) {
    const T *a = x + r * run_stride + i * worker_stride, *b = x + r * run_stride + j * worker_stride;
    const bool no_a = dead[r * N + i], no_b = dead[r * N + j];
    int found = 0;
    bool decided = false;
    if (slice > 0) {
      const int here = lane < d ? compared(a, b, no_a, no_b, lane * column_stride) : 0;
      decided = __ballot_sync(EVERYONE, here != 0) != 0;
    }
    for (Long start = first; start < last && !decided; start += 128) {
      int here[4];
#pragma unroll
      for (int q = 0; q < 4; q++) {
        const Long c = start + 32 * q + lane;
        here[q] = c < last ? compared(a, b, no_a, no_b, c * column_stride) : 0;
      }
#pragma unroll
      for (int q = 0; q < 4; q++) {
        const unsigned differ = __ballot_sync(EVERYONE, here[q] != 0);
        if (differ && !decided) {
          found = __shfl_sync(EVERYONE, here[q], __ffs(differ) - 1);
          decided = true;
        }
      }
    }
    if (lane == 0) order[((r * slices + slice) * N + i) * N + j] = found;
  }
}

// how many rows are smaller than each
extern "C" __global__ void count(const signed char* __restrict__ order, Long runs, Long slices, Long* ranks) {
  const Long step = (Long)gridDim.x * blockDim.x;
  for (Long k = (Long)blockIdx.x * blockDim.x + threadIdx.x; k < runs * N; k += step) {
    const Long r = k / N, i = k % N;
    Long smaller = 0;
    for (Long j = 0; j < N; j++) {
      const signed char* o = order + r * slices * N * N + (i < j ? i * N + j : j * N + i);
      int found = 0;
      for (Long s = 0; s < slices && !found && i != j; s++) found = o[s * N * N];
      smaller += found == (i < j ? 1 : -1);
    }
    ranks[k] = smaller;
  }
}

// the same at once for few columns: a thread for each row
extern "C" __global__ void rank_short(const T* __restrict__ x, Long runs, Long d, Long run_stride, Long worker_stride,
                                      Long column_stride, const unsigned char* dead, Long* ranks) {
  const Long step = (Long)gridDim.x * blockDim.x;
  for (Long k = (Long)blockIdx.x * blockDim.x + threadIdx.x; k < runs * N; k += step) {
    const Long r = k / N, i = k % N;
    const T* rows = x + r * run_stride;
    Long smaller = 0;
    for (Long j = 0; j < N; j++) {
      int found = 0;
      for (Long c = 0; c < d && !found && i != j; c++)
        found = compared(rows + i * worker_stride, rows + j * worker_stride, dead[r * N + i], dead[r * N + j],
                         c * column_stride);
      smaller += found > 0;
    }
    ranks[k] = smaller;
  }
}
"""


def pairs_of_messages(n: int, dtype: str) -> str:
    """The kernels `distances`, `add_chunks`, `compare`, `count` and `rank_short` for n workers.

    `distances` takes 256 threads for each chunk of `width` columns (x), pair of tiles (y) and run (z), and writes the
    sums (runs, chunks, n, n) and who is dead (runs, n), which must be 0 before; `add_chunks` adds the chunks up.
    `compare` takes a warp for each ordered pair, `PAIRS` warps a block (x), for each slice (y) and run (z).
    """
    return launch.prelude(dtype, N=n, TILE=TILE, PAIRS=PAIRS) + _DISTANCES + launch.add_chunks("N * N") + _ORDER


def width_of_chunks(n: int, d: int) -> int:
    """How many columns a chunk has: `LEAST`, or as many more as it takes for the sums to be no more than `SUMS`.

    >>> width_of_chunks(25, 10**6), width_of_chunks(256, 10**7)
    (1024, 156250)
    """
    return max(LEAST, -(-d // max(1, SUMS // n**2)))


def slices(d: int) -> int:
    """Into how many slices the columns are cut when messages are compared."""
    return max(1, min(128, d // 4096))


def distances_and_ranks(x: Array) -> tuple[Array, Array, Array]:
    """Squared distances (..., n, n) in float64, who is alive (..., n), lexicographic ranks (..., n)."""
    xp, where, (messages, shape) = namespace(x), device(x), launch.merged(x)
    runs, n, d = messages.shape
    source = pairs_of_messages(n, str(x.dtype))
    width = width_of_chunks(n, d)
    chunks, tiles, deep = -(-d // width), -(-n // TILE), min(runs, launch.MOST_BLOCKS)
    dead = xp.zeros((runs, n), dtype=xp.uint8, device=where)
    found = xp.empty((runs, chunks, n, n), dtype=xp.float64, device=where)
    grid = (chunks, tiles * (tiles + 1) // 2, deep)
    launch.start(source, "distances", grid, (256,), messages, *shape, np.int64(width), found, dead)
    sums = found
    if chunks > 1:
        sums = xp.empty((runs, n, n), dtype=xp.float64, device=where)
        sizes = (np.int64(runs), np.int64(chunks))
        launch.start(source, "add_chunks", launch.enough(runs * n * n), (256,), found, *sizes, sums)
    ranks = xp.empty((runs, n), dtype=xp.int64, device=where)
    if d <= SHORT:
        launch.start(source, "rank_short", launch.enough(runs * n, 64), (64,), messages, *shape, dead, ranks)
    else:
        count = slices(d)
        order = xp.empty((runs, count, n, n), dtype=xp.int8, device=where)
        grid = (-(-n * n // PAIRS), count, deep)
        launch.start(source, "compare", grid, (32 * PAIRS,), messages, *shape, dead, order)
        launch.start(source, "count", launch.enough(runs * n, 64), (64,), order, np.int64(runs), np.int64(count), ranks)
    parts = ((sums, (n, n)), (dead == 0, (n,)), (ranks, (n,)))
    distances, alive, ranks = (xp.reshape(part, (*x.shape[:-2], *end)) for part, end in parts)
    return distances, alive, ranks
