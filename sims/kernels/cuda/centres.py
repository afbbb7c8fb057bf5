"""CUDA C++ for centered clipping and smoothed Weiszfeld steps, v ← v + Σ_i w_i (x_i − v), in float64.

Long messages: a step is two launches. `move_and_measure` moves v and sums Σ_j (x_ij − v_j)² in the same read, for each
chunk of columns; `clip` or `weigh` adds the chunks up in order and makes the weights of the next step. Short ones
(d ≤ SHORT): all steps of a run in one block, one launch for all runs and steps. Sums are trees and chains whose shape
depends on d alone: no atomics, the same bits in any batch and on every run.

Squares of float64 numbers overflow from 1e154 and vanish below 1e-162. The host is not asked: a sum of squares that
tells nothing (see `LARGEST`, `SMALLEST`) is taken again by the block that makes the weights, in units of the row's
largest entry rounded down to a power of two, as the reference measures every row. Short messages are always measured
so. Runs for `whole_range` are done by that block with all steps that are left. Beyond 64 workers the sums of a thread
are in local memory, and from about 40 on some of them: slower, not wrong.
"""

from __future__ import annotations

from sims.kernels.cuda import launch
from sims.kernels.cuda.whole_range import RANGE, WHOLE_RANGE

SHORT = 1024  # columns up to which one block makes all steps of a run
CHUNK = 2048  # columns whose squares are summed by one block
THREADS = 128  # of `measure`, `move_and_measure` and `move`
WEIGHERS = 256  # threads of `clip` and `weigh`

SUM = """
#define EVERYONE 0xffffffffu

__device__ double lane_sum(double value) {
  for (int apart = 16; apart; apart /= 2) value += __shfl_xor_sync(EVERYONE, value, apart);
  return value;
}
"""

_WEIGHTS = """
__device__ double larger(double a, double b) { return b > a || b != b ? b : a; }  // a NaN stays

__device__ double lane_max(double value) {
  for (int apart = 16; apart; apart /= 2) value = larger(value, __shfl_xor_sync(EVERYONE, value, apart));
  return value;
}

// the exponent of the power of two by which a row with this largest entry is multiplied before it is squared
__device__ int unit(double largest) { return min(-ilogb(largest), 1000); }

__device__ double clipped(double norm, double radius) {
  return radius == 0.0 ? 0.0 : norm <= radius ? 1.0 : radius / norm;
}

__device__ double inverse(double norm, double nu) { return 1.0 / (norm <= nu ? nu : norm); }

// turns norms into weights in place, by all threads; weights of the dead are 0
template <bool CLIP> __device__ void into_weights(double* norms, const bool* dead, double radius) {
  __shared__ double total;
  __syncthreads();
  for (int i = threadIdx.x; i < N; i += blockDim.x)
    norms[i] = dead[i] ? 0.0 : CLIP ? clipped(norms[i], radius) / N : inverse(norms[i], radius);
  __syncthreads();
  if (CLIP) return;
  if (threadIdx.x == 0) {
    total = norms[0];
    for (int i = 1; i < N; i++) total += norms[i];
  }
  __syncthreads();
  for (int i = threadIdx.x; i < N; i += blockDim.x) norms[i] /= total;
  __syncthreads();
}
"""

COMMON = SUM + _WEIGHTS + WHOLE_RANGE

_LONG = """
constexpr int UNROLL = N <= 64 ? N : 1;

template <bool MOVE, bool MEASURE>
__device__ void advance(const T* x, Long runs, Long d, Long run_stride, Long worker_stride, Long column_stride,
                        const double* weights, double* v, double* squares, unsigned char* dead) {
  __shared__ double weight[N];
  __shared__ bool skip[N];
  __shared__ double parts[THREADS / 32][N];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  for (Long r = blockIdx.y; r < runs; r += gridDim.y) {
    __syncthreads();
    if (MOVE) {
      for (int i = threadIdx.x; i < N; i += THREADS) {
        weight[i] = weights[r * N + i];
        skip[i] = dead[r * N + i];
      }
      __syncthreads();
    }
    double sums[N];
    for (int i = 0; i < N; i++) sums[i] = 0.0;
    const Long end = ((Long)blockIdx.x + 1) * CHUNK, last = end < d ? end : d;
    for (Long j = (Long)blockIdx.x * CHUNK + threadIdx.x; j < last; j += THREADS) {
      const T* p = x + r * run_stride + j * column_stride;
      T row[N];
#pragma unroll UNROLL
      for (int i = 0; i < N; i++) row[i] = p[i * worker_stride];
      double here = v[r * d + j];
      if (MOVE) {
        double step = 0.0;
#pragma unroll UNROLL
        for (int i = 0; i < N; i++) step = fma(weight[i], skip[i] ? 0.0 : row[i] - here, step);
        here += step;
        v[r * d + j] = here;
      }
      if (MEASURE) {
#pragma unroll UNROLL
        for (int i = 0; i < N; i++) {
          const double away = row[i] - here;
          sums[i] = fma(away, away, sums[i]);
          if (!MOVE && !(fabs((double)row[i]) < INF)) dead[r * N + i] = 1;  // NaN too; all write the same
        }
      }
    }
    if (MEASURE) {
#pragma unroll UNROLL
      for (int i = 0; i < N; i++) {
        const double sum = lane_sum(sums[i]);
        if (lane == 0) parts[warp][i] = sum;
      }
      __syncthreads();
      for (int i = threadIdx.x; i < N; i += THREADS) {
        double sum = parts[0][i];
        for (int w = 1; w < THREADS / 32; w++) sum += parts[w][i];
        squares[(r * gridDim.x + blockIdx.x) * N + i] = sum;
      }
    }
  }
}

#define PASS const T* __restrict__ x, Long runs, Long d, Long run_stride, Long worker_stride, Long column_stride, \\
             const double* __restrict__ weights, double* v, double* squares, unsigned char* dead
#define PASSED x, runs, d, run_stride, worker_stride, column_stride, weights, v, squares, dead
extern "C" __global__ void __launch_bounds__(THREADS) measure(PASS) { advance<false, true>(PASSED); }
extern "C" __global__ void __launch_bounds__(THREADS) move_and_measure(PASS) { advance<true, true>(PASSED); }
extern "C" __global__ void __launch_bounds__(THREADS) move(PASS) { advance<true, false>(PASSED); }

// the norm of one row less v by all threads of a block, without overflow or underflow
__device__ double long_norm(const T* row, const double* v, Long d, Long column_stride) {
  __shared__ double found[WEIGHERS];
  double largest = 0.0;
  for (Long j = threadIdx.x; j < d; j += WEIGHERS) largest = larger(largest, fabs(row[j * column_stride] - v[j]));
  found[threadIdx.x] = largest;
  __syncthreads();
  for (int k = 0; k < WEIGHERS; k++) largest = larger(largest, found[k]);
  __syncthreads();
  if (largest == 0.0) return 0.0;
  if (!(largest < INF)) return INF - INF;
  const int e = unit(largest);
  const double scale = ldexp(1.0, e);
  double sum = 0.0;
  for (Long j = threadIdx.x; j < d; j += WEIGHERS) {
    const double away = (row[j * column_stride] - v[j]) * scale;
    sum = fma(away, away, sum);
  }
  found[threadIdx.x] = sum;
  __syncthreads();
  sum = 0.0;
  for (int k = 0; k < WEIGHERS; k++) sum += found[k];
  __syncthreads();
  return ldexp(sqrt(sum), -e);
}

template <bool CLIP>
__device__ void weights_of(const T* x, Long runs, Long d, Long run_stride, Long worker_stride, Long column_stride,
                           const double* squares, Long chunks, double* v, unsigned char* dead,
                           const double* radii, double* weights, Long left, Long first_step) {
  __shared__ double parts[WEIGHERS / 32][32], sums[N], norms[N];
  __shared__ bool out[N], rare;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  for (Long r = blockIdx.x; r < runs; r += gridDim.x) {
    const double radius = radii[r];
    if (dead[r * N] == DONE) {
      for (int i = threadIdx.x; i < N; i += WEIGHERS) weights[r * N + i] = 0.0;
      continue;
    }
    for (int first = 0; first < N; first += 32) {
      const int i = first + lane;
      double sum = 0.0;
      if (i < N)
        for (Long c = warp; c < chunks; c += WEIGHERS / 32) sum += squares[(r * chunks + c) * N + i];
      parts[warp][lane] = sum;
      __syncthreads();
      if (warp == 0 && i < N) {
        for (int w = 1; w < WEIGHERS / 32; w++) sum += parts[w][lane];
        sums[i] = sum;
        norms[i] = sqrt(sum);
        out[i] = dead[r * N + i];
      }
      __syncthreads();
    }
    bool small = true;  // all so near to the centre that squares may have vanished, or at it
    for (int i = 0; i < N; i++) small &= out[i] || sums[i] < SMALLEST;
    for (int i = 0; i < N; i++) {  // the same decision in all threads
      if (!out[i] && (!(sums[i] <= LARGEST) || small)) {
        const double norm = long_norm(x + r * run_stride + i * worker_stride, v + r * d, d, column_stride);
        if (threadIdx.x == 0) norms[i] = norm;
      }
    }
    if (threadIdx.x == 0) rare = first_step && out_of_range(norms, out, radii + r, runs, left, CLIP ? INF : MOST);
    __syncthreads();
    if (rare) {  // all that is left to do, now: the following launches leave this run alone
      whole_range<CLIP>(x + r * run_stride, d, worker_stride, column_stride, v + r * d, radii + r, runs, left);
      for (int i = threadIdx.x; i < N; i += WEIGHERS) {
        weights[r * N + i] = 0.0;
        dead[r * N + i] = DONE;
      }
      continue;
    }
    into_weights<CLIP>(norms, out, radius);
    for (int i = threadIdx.x; i < N; i += WEIGHERS) weights[r * N + i] = norms[i];
  }
}

#define NEED const T* __restrict__ x, Long runs, Long d, Long run_stride, Long worker_stride, Long column_stride, \\
             const double* squares, Long chunks, double* v, unsigned char* dead, const double* radii, \\
             double* weights, Long left, Long first_step
#define NEEDED x, runs, d, run_stride, worker_stride, column_stride, squares, chunks, v, dead, radii, weights, left, \\
               first_step
extern "C" __global__ void __launch_bounds__(WEIGHERS) clip(NEED) { weights_of<true>(NEEDED); }
extern "C" __global__ void __launch_bounds__(WEIGHERS) weigh(NEED) { weights_of<false>(NEEDED); }
"""

_SHORT = """
// the norm of one row less v by the lanes of a warp
__device__ double short_norm(const T* row, const double* v, Long d, Long column_stride) {
  const int lane = threadIdx.x % 32;
  double largest = 0.0;
  for (Long j = lane; j < d; j += 32) largest = larger(largest, fabs(row[j * column_stride] - v[j]));
  largest = lane_max(largest);
  if (largest == 0.0) return 0.0;
  if (!(largest < INF)) return INF - INF;
  const int e = unit(largest);
  const double scale = ldexp(1.0, e);
  double sum = 0.0;
  for (Long j = lane; j < d; j += 32) {
    const double away = (row[j * column_stride] - v[j]) * scale;
    sum = fma(away, away, sum);
  }
  return ldexp(sqrt(lane_sum(sum)), -e);
}

template <bool CLIP>
__device__ void all_steps(const T* x, Long runs, Long d, Long run_stride, Long worker_stride, Long column_stride,
                          const double* centres, const double* radii, Long steps, T* out) {
  __shared__ double v[SHORT], norms[N];
  __shared__ bool dead[N], rare;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
  for (Long r = blockIdx.x; r < runs; r += gridDim.x) {
    const T* rows = x + r * run_stride;
    for (Long j = threadIdx.x; j < d; j += blockDim.x) v[j] = CLIP ? centres[r * d + j] : 0.0;
    for (int i = warp; i < N; i += warps) {
      bool bad = false;
      for (Long j = lane; j < d; j += 32)
        bad |= !(fabs((double)rows[i * worker_stride + j * column_stride]) < INF);
      bad = __ballot_sync(EVERYONE, bad) != 0;
      if (lane == 0) dead[i] = bad;
    }
    __syncthreads();
    for (Long k = 0; k < steps; k++) {
      for (int i = warp; i < N; i += warps) {
        const double norm = dead[i] ? 0.0 : short_norm(rows + i * worker_stride, v, d, column_stride);
        if (lane == 0) norms[i] = norm;
      }
      if (k == 0) {
        __syncthreads();
        if (threadIdx.x == 0) rare = out_of_range(norms, dead, radii + r, runs, steps, CLIP ? INF : MOST);
        __syncthreads();
        if (rare) {
          whole_range<CLIP>(rows, d, worker_stride, column_stride, v, radii + r, runs, steps);
          break;
        }
      }
      into_weights<CLIP>(norms, dead, radii[k * runs + r]);
      for (Long j = threadIdx.x; j < d; j += blockDim.x) {
        const T* p = rows + j * column_stride;
        const double here = v[j];
        double step = 0.0;
        for (int i = 0; i < N; i++) step = fma(norms[i], dead[i] ? 0.0 : p[i * worker_stride] - here, step);
        v[j] = here + step;
      }
      __syncthreads();
    }
    for (Long j = threadIdx.x; j < d; j += blockDim.x) out[r * d + j] = (T)v[j];
  }
}

#define ALL const T* __restrict__ x, Long runs, Long d, Long run_stride, Long worker_stride, Long column_stride, \\
            const double* centres, const double* radii, Long steps, T* out
#define ALL_OF_THEM x, runs, d, run_stride, worker_stride, column_stride, centres, radii, steps, out
extern "C" __global__ void __launch_bounds__(WEIGHERS) clip_short(ALL) { all_steps<true>(ALL_OF_THEM); }
extern "C" __global__ void __launch_bounds__(WEIGHERS) weigh_short(ALL) { all_steps<false>(ALL_OF_THEM); }
"""


def _prelude(n: int, dtype: str) -> str:
    return launch.prelude(
        dtype,
        N=n,
        CHUNK=CHUNK,
        SHORT=SHORT,
        THREADS=THREADS,
        WEIGHERS=WEIGHERS,
        LARGEST=1e299,  # beyond it a sum has overflowed, or nearly
        SMALLEST=1e-290,  # squares below 1e-308 may have vanished, which a sum beyond it does not notice
        DONE=2,  # what `dead` says of all rows of a run that one block has done
        **RANGE,
    )


def long_messages(n: int, dtype: str) -> str:
    """The kernels `measure`, `add_chunks`, `move_and_measure`, `move`, `clip` and `weigh` for n workers.

    `measure` and the two that move take a block of `THREADS` for each chunk (x) and run (y), and `measure` writes who
    is dead; `clip` and `weigh` take a block of `WEIGHERS` for each run. `squares` is (runs, chunks, n), `weights` and
    `dead` (runs, n), `v` (runs, d), `radii` (runs,).
    """
    return _prelude(n, dtype) + COMMON + _LONG + launch.add_chunks("N")


def short_messages(n: int, dtype: str) -> str:
    """The kernels `clip_short` and `weigh_short` for n workers: a block of at most `WEIGHERS` threads for each run.

    `centres` are (runs, d) in float64, `out` (runs, d) in the dtype of the messages, `radii` (steps, runs).
    """
    return _prelude(n, dtype) + COMMON + _SHORT
