"""CUDA C++ for the rules inside whole rounds: `aggregate` turns the rows of a run into its `centre`.

All threads of a block call it, when the columns of `rows` belong to the threads (column j to thread j modulo THREADS);
it hands the columns of `centre` back in the same way. The arithmetic is that of the kernels which take messages from
memory (`columns`, `centres`, `distances`), so that only sums over many columns are rounded differently.
"""

from __future__ import annotations

import numpy as np

from sims.kernels.cuda.centres import COMMON, SUM
from sims.kernels.cuda.column_rules import of_one_column, ordered
from sims.kernels.in_rounds import Step

TINY, EPS = float(np.finfo(np.float64).smallest_normal), float(np.finfo(np.float64).eps)

_BY_COLUMN = """
__device__ void aggregate(Run& run, const double* radii, Long everybody, int steps) {
  const int worker_stride = PITCH;
  for (int j = threadIdx.x; j < D; j += THREADS) {
    const double* p = &run.rows[0][j];
BODY
    run.centre[j] = result;
  }
}
"""

_BY_CENTRE = """
// the norm of a row less the centre where squares may overflow or vanish, by one thread
__device__ double careful_norm(const double* row, const double* centre) {
  double largest = 0.0, sum = 0.0;
#pragma unroll 1
  for (int j = 0; j < D; j++) largest = larger(largest, fabs(row[j] - centre[j]));
  if (largest == 0.0) return 0.0;
  if (!(largest < INF)) return INF - INF;
  const int e = unit(largest);
  const double scale = ldexp(1.0, e);
#pragma unroll 1
  for (int j = 0; j < D; j++) {
    const double away = (row[j] - centre[j]) * scale;
    sum = fma(away, away, sum);
  }
  return ldexp(sqrt(sum), -e);
}

// how far each row is from the centre, and which are dead; LANES neighbouring threads share a row
__device__ void measure(const Run& run, double* norms, bool* dead) {
  const int lane = threadIdx.x % LANES;
  for (int first = 0; first < N; first += THREADS / LANES) {  // as often in every thread, for all of them shuffle
    const int i = first + threadIdx.x / LANES;
    double square = 0.0;
    int bad = 0;
#pragma unroll 4
    for (int j = lane; i < N && j < D; j += LANES) {
      const double entry = run.rows[i][j], away = entry - run.centre[j];
      square = fma(away, away, square);
      bad |= !(fabs(entry) < INF);  // NaN too
    }
    for (int apart = LANES / 2; apart; apart /= 2) {
      square += __shfl_xor_sync(EVERYONE, square, apart);
      bad |= __shfl_xor_sync(EVERYONE, bad, apart);
    }
    if (lane == 0 && i < N) {
      const bool fine = square >= SMALLEST && square <= LARGEST;
      dead[i] = bad;
      norms[i] = bad ? 0.0 : fine ? sqrt(square) : careful_norm(run.rows[i], run.centre);
    }
  }
}

__device__ void aggregate(Run& run, const double* radii, Long everybody, int steps) {
  __shared__ double norms[N];
  __shared__ bool dead[N], rare;
  for (int j = threadIdx.x; !CLIPPING && j < D; j += THREADS) run.centre[j] = 0.0;
  for (int k = 0; k < steps; k++) {
    __syncthreads();
    measure(run, norms, dead);
    if (k == 0) {
      __syncthreads();
      if (threadIdx.x == 0) rare = out_of_range(norms, dead, radii, everybody, steps, CLIPPING ? INF : MOST);
      __syncthreads();
      if (rare) {
        whole_range<CLIPPING>(&run.rows[0][0], D, PITCH, 1, run.centre, radii, everybody, steps);
        return;
      }
    }
    into_weights<CLIPPING>(norms, dead, radii[k * everybody]);
    for (int j = threadIdx.x; j < D; j += THREADS) {
      const double here = run.centre[j];
      double step = 0.0;
#pragma unroll 4
      for (int i = 0; i < N; i++) step = fma(norms[i], dead[i] ? 0.0 : run.rows[i][j] - here, step);
      run.centre[j] = here + step;
    }
  }
}
"""

_BY_DISTANCE = """
// whether row a is lexicographically smaller than row b; the dead count as zero
__device__ bool before(const Run& run, const bool* dead, int a, int b) {
  for (int j = 0; j < D; j++) {
    const double p = dead[a] ? 0.0 : run.rows[a][j], q = dead[b] ? 0.0 : run.rows[b][j];
    if (p != q) return p < q;
  }
  return false;
}

// whether row h is chosen rather than row i: by score, equal scores by value, and equal rows are as good as each other
__device__ bool better(const Run& run, const bool* dead, const double* scores, int h, int i) {
  if (scores[h] != scores[i]) return scores[h] < scores[i];
  return before(run, dead, h, i) || (h < i && !before(run, dead, i, h));
}

__device__ double score_of(const double* p) {
  const int worker_stride = N;
BODY
  return result;
}

// fraction * 2^exponent, the fraction in [1/2, 1), or 0, or infinite: squared distances that float64 cannot hold
struct Scaled { double fraction; int exponent; };
__device__ Scaled normalised(double value, int exponent) {
  Scaled found = {value, value == 0.0 ? -FARTHEST : FARTHEST};
  if (value == 0.0 || !(value < INF)) return found;
  found.fraction = frexp(value, &found.exponent);
  found.exponent += exponent;
  return found;
}
__device__ bool smaller(Scaled a, Scaled b) {
  return a.exponent < b.exponent || (a.exponent == b.exponent && a.fraction < b.fraction);
}
__device__ __noinline__ Scaled scaled_square(const double* a, const double* b) {
  double largest = 0.0, scale = 1.0;
  for (int j = 0; j < D; j++) largest = fmax(largest, fabs(a[j] - b[j]));
  if (!(largest < INF)) {  // of numbers that large halves are exact
    largest = 0.0, scale = 0.5;
    for (int j = 0; j < D; j++) largest = fmax(largest, fabs(scale * a[j] - scale * b[j]));
  }
  int exponent = 0;
  frexp(largest, &exponent);
  double sum = 0.0;
  for (int j = 0; j < D; j++) {
    const double away = ldexp(scale * a[j] - scale * b[j], -exponent);
    sum = fma(away, away, sum);
  }
  return normalised(sum, 2 * (exponent + (scale < 1.0)));
}

// the score of row i, its distances found one after the other, as there is no memory for them
__device__ __noinline__ Scaled scaled_score(const Run& run, const bool* dead, int i) {
  double sum = 0.0;  // in the unit of the largest, which is found first
  Scaled largest = {0.0, -FARTHEST};
  for (int pass = 0; pass < 2; pass++) {
    Scaled last = {-1.0, -FARTHEST - 1};
    int place = -1;
    for (int k = 0; k < NEIGHBOURS; k++) {
      Scaled next = {INF, FARTHEST + 1};
      int at = N;
      for (int h = 0; h < N; h++) {
        if (h == i) continue;
        const Scaled found = dead[h] ? normalised(INF, 0) : scaled_square(run.rows[i], run.rows[h]);
        const bool after = smaller(last, found) || (!smaller(found, last) && h > place);
        if (after && (smaller(found, next) || (!smaller(next, found) && h < at))) {
          next = found;
          at = h;
        }
      }
      last = next;
      place = at;
      const int below = last.exponent - largest.exponent;
      if (pass) sum += ldexp(last.fraction, below < -5000 ? -5000 : below);
    }
    if (!pass) largest = last;
  }
  return normalised(sum, largest.exponent);
}

// whether the choice by scores is no choice: they have overflowed, or may have vanished
__device__ __noinline__ bool open_choice(const Run& run, const bool* dead, const double* scores, int chosen) {
  const double faint = (double)N * D * FAINT;
  if (scores[chosen] >= faint && scores[chosen] < INF) return false;
  int missing = 0;
  bool same = true;
  for (int i = 0; i < N; i++) {
    missing += dead[i];
    for (int j = 0; j < D && scores[i] < faint; j++) same = same && run.rows[i][j] == run.rows[chosen][j];
  }
  return scores[chosen] < faint ? !same : missing <= N - 2 - NEIGHBOURS;
}

__device__ void aggregate(Run& run, const double* radii, Long everybody, int steps) {
  __shared__ double scores[N];
  __shared__ int exponents[N];
  __shared__ bool dead[N];
  __shared__ int chosen;
  __syncthreads();
  for (int i = threadIdx.x; i < N; i += THREADS) {
    bool bad = false;
#pragma unroll 4
    for (int j = 0; j < D; j++) bad |= !(fabs(run.rows[i][j]) < INF);  // NaN too
    dead[i] = bad;
    run.distances[i][i] = -1.0;  // sorted first, and then left out
  }
  __syncthreads();
  // each pair once, as a row and one of the N / 2 rows after it, in a circle; for even N the opposite ones twice
  for (int k = threadIdx.x; k < N * (N / 2); k += THREADS) {
    const int i = k % N, after = i + k / N + 1, h = after < N ? after : after - N;
    double square = 0.0;
#pragma unroll 4
    for (int j = 0; j < D; j++) {
      const double away = run.rows[i][j] - run.rows[h][j];
      square = fma(away, away, square);
    }
    if (dead[i] || dead[h]) square = INF;
    run.distances[i][h] = square;
    run.distances[h][i] = square;
  }
  __syncthreads();
  for (int i = threadIdx.x; i < N; i += THREADS) scores[i] = dead[i] ? INF : score_of(&run.distances[0][i]);
  __syncthreads();
  for (int i = threadIdx.x; i < N; i += THREADS) {
    bool best = true;
    for (int h = 0; h < N && best; h++) best = h == i || !better(run, dead, scores, h, i);
    if (best) chosen = i;
  }
  __syncthreads();
  if (open_choice(run, dead, scores, chosen)) {  // all threads say the same
    __syncthreads();
    for (int i = threadIdx.x; i < N; i += THREADS) {
      const Scaled score = dead[i] ? normalised(INF, 0) : scaled_score(run, dead, i);
      scores[i] = score.fraction;
      exponents[i] = score.exponent;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      int best = 0;
      for (int i = 1; i < N; i++) {
        const Scaled ours = {scores[i], exponents[i]}, theirs = {scores[best], exponents[best]};
        const bool equal = !smaller(ours, theirs) && !smaller(theirs, ours);
        if (smaller(ours, theirs) || (equal && before(run, dead, i, best))) best = i;
      }
      chosen = best;
    }
    __syncthreads();
  }
  for (int j = threadIdx.x; j < D; j += THREADS) run.centre[j] = run.rows[chosen][j];
}
"""


def aggregate(step: Step, n: int, f: int) -> str:
    """The function `aggregate` for n workers, with the f of `sims.kernels.in_rounds.RuleInRounds`.

    It brings `lane_sum` along. It expects the type `Run`, the constants of `sims.kernels.cuda.rounds`, and the rule's
    parameter in each step at radii[0], radii[everybody], …
    """
    if step in (Step.CLIPPING, Step.WEISZFELD):
        return COMMON + _BY_CENTRE
    name, frame = ("sum_of_nearest", _BY_DISTANCE) if step == Step.KRUM else (step.name.lower(), _BY_COLUMN)
    body = "\n".join(f"    {statement}" for statement in of_one_column(name, n, f, "float64"))
    constants = f"#define NEIGHBOURS {n - f - 2}\n#define FARTHEST (1 << 20)\n#define FAINT {TINY / EPS!r}\n"
    return constants + SUM + ordered("float64") + frame.replace("BODY", body)
