"""CUDA C++ for all steps of one run over the whole range of float64, as in `sims.aggregators.whole_range`.

For a run with a row farther from the centre than `FAR`, with all nearer than `NEAR`, or with a parameter beyond `LEAST`
or `MOST`: a message is a direction with an exponent beside it. It stands behind `sims.kernels.cuda.centres.SUM` and
`larger`.
"""

from __future__ import annotations

from sims.backend import MOST, ORDINARY

# the norms and the parameters that need no exponents beside them
RANGE = {**dict(zip(("NEAR", "FAR", "LEAST"), ORDINARY[64], strict=True)), "MOST": MOST}

WHOLE_RANGE = """
#define NOTHING (-16384)  // the exponent of what does not count

__device__ int exponent(double value) { return value == 0.0 ? NOTHING : ilogb(value); }

__device__ int higher(int a, int b) { return a > b ? a : b; }

__device__ int lane_highest(int value) {
  for (int apart = 16; apart; apart /= 2) value = higher(value, __shfl_xor_sync(EVERYONE, value, apart));
  return value;
}

// (x − v)·2^e without overflow on the way
__device__ double shifted(double x, double v, int e) {
  const double plain = x - v;
  return fabs(plain) < INF ? ldexp(plain, e) : ldexp(x / 4 - v / 4, e + 2);
}

// whether the norms, of the dead 0, or the parameters of a run ask for what is below; by one thread
__device__ bool out_of_range(const double* norms, const bool* dead, const double* radii, Long stride, Long steps,
                             double most) {
  double longest = 0.0;
  for (int i = 0; i < N; i++) {
    if (!dead[i] && !(norms[i] <= FAR)) return true;
    if (!dead[i]) longest = larger(longest, norms[i]);
  }
  for (Long k = 0; k < steps; k++)
    if (radii[k * stride] != 0.0 && !(radii[k * stride] >= LEAST && radii[k * stride] <= most)) return true;
  return longest > 0.0 && longest < NEAR;
}

// all steps of one run from v (d,), in place, by a block of whole warps; the columns of v belong to the threads
template <bool CLIP, typename X>
__device__ void whole_range(const X* rows, Long d, Long worker_stride, Long column_stride, double* v,
                            const double* radii, Long stride, Long steps) {
  __shared__ double length[N], factor[N], whole;
  __shared__ int top[N], own[N], shift[N], unit, highest;
  __shared__ int lost[N];  // 1 where a row is not finite, 2 where the centre is not
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
  for (Long k = 0; k < steps; k++) {
    for (int i = warp; i < N; i += warps) {
      const X* p = rows + i * worker_stride;
      int away = NOTHING, entry = NOTHING, bad = 0;
      for (Long j = lane; j < d; j += 32) {
        const double x = p[j * column_stride], plain = x - v[j];
        bad |= (fabs(x) < INF ? 0 : 1) | (fabs(v[j]) < INF ? 0 : 2);
        if (bad) continue;
        entry = higher(entry, exponent(x));
        away = higher(away, fabs(plain) < INF ? exponent(plain) : exponent(x / 4 - v[j] / 4) + 2);
      }
      for (int apart = 16; apart; apart /= 2) bad |= __shfl_xor_sync(EVERYONE, bad, apart);
      away = lane_highest(away);
      entry = lane_highest(entry);
      double sum = 0.0;
      for (Long j = lane; j < d && !bad && away > NOTHING; j += 32) {
        const double part = shifted(p[j * column_stride], v[j], -away);
        sum = fma(part, part, sum);
      }
      sum = lane_sum(sum);
      if (lane == 0) {
        lost[i] = bad;
        length[i] = sqrt(sum);
        top[i] = away;
        own[i] = entry;
      }
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      const double radius = radii[k * stride];
      const bool bounded = radius < INF;
      const int e = bounded ? exponent(radius) : 0;
      const double mantissa = bounded && radius > 0.0 ? ldexp(radius, -e) : bounded ? 0.0 : 1.0;
      unit = highest = NOTHING;
      whole = 0.0;
      for (int i = 0; i < N; i++) {
        const bool near = !bounded || top[i] == NOTHING || (e > NOTHING && ldexp(length[i], top[i] - e) <= mantissa);
        factor[i] = 0.0;
        shift[i] = NOTHING;
        if (lost[i] || (CLIP && (top[i] == NOTHING || mantissa == 0.0))) continue;
        if (CLIP) {
          factor[i] = near ? 1.0 : mantissa / length[i];
          shift[i] = near ? 0 : e - top[i];  // of x − v itself
          unit = higher(unit, top[i] + shift[i]);
        } else {
          factor[i] = 1.0 / (near ? mantissa : length[i]);
          shift[i] = -(near ? e : top[i]);
          highest = higher(highest, shift[i]);
          if (own[i] > NOTHING) unit = higher(unit, own[i] + shift[i]);
        }
      }
      for (int i = 0; i < N && !CLIP; i++)
        if (!lost[i]) whole += ldexp(factor[i], shift[i] - highest);
    }
    __syncthreads();
    for (Long j = threadIdx.x; j < d; j += blockDim.x) {
      const X* p = rows + j * column_stride;
      const double here = v[j];
      double total = 0.0, low = CLIP ? here : INF, high = CLIP ? here : -INF;
      for (int i = 0; i < N; i++) {
        const double x = p[i * worker_stride];
        if (lost[i]) continue;
        low = x < low ? x : low;
        high = x > high ? x : high;
        if (unit > NOTHING && factor[i] > 0.0)
          total = fma(factor[i], CLIP ? shifted(x, here, shift[i] - unit) : ldexp(x, shift[i] - unit), total);
      }
      double found = unit == NOTHING ? 0.0 : CLIP ? ldexp(total / N, unit) : ldexp(total / whole, unit - highest);
      if (CLIP) found = fabs(here + found) < INF ? here + found : (here / 4 + ldexp(total / N, unit - 2)) * 4;
      found = found < low ? low : found > high ? high : found;
      v[j] = CLIP ? (lost[0] & 2 ? INF - INF : found) : whole > 0.0 ? found : INF - INF;
    }
    __syncthreads();
  }
}
"""
