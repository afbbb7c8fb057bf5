"""CUDA C++ for whole rounds of momentum SGD under attack on a quadratic: one block plays a run, in one launch for many.

The numbers are those of the generator on the device (`random`), made where they are used: at the position
((t − 1)·n + i)·d + j of a run's stream stands what worker i draws for coordinate j in round t. All of a run is in the
shared memory of its block if it fits, else in global memory; between launches x, the centre and the momenta are kept.
Who adds up what depends on n, d and the rule alone, so that a run's numbers depend neither on its batch nor on how many
rounds a launch has.

A round has these steps, and a barrier before `speak` and after it:

- `speak`: every thread draws pairs of normals and makes the entries of the messages to which they belong;
- `answer`: from here on column j belongs to thread j modulo THREADS: the honest mean, and what the attacker sends;
- `aggregate`: the rule, see `round_rules`;
- `move`: the next x and its gradient and, in rounds that are recorded, the four recorded numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from sims.kernels.cuda.launch import prelude
from sims.kernels.cuda.random import GENERATOR
from sims.kernels.cuda.round_rules import aggregate
from sims.kernels.cuda.whole_range import RANGE
from sims.kernels.in_rounds import Answer, Step

MOST_THREADS = 256  # with them, each may use 255 registers
SHARED_NUMBERS = 5632  # float64 of a run in shared memory: 44 KiB of the 48 that every device has, the rest for sums

# the steps of `sims.kernels.in_rounds` that are written below
STEPS = (Step.MEAN, Step.MEDIAN, Step.TRIMMED_MEAN, Step.CLIPPING, Step.WEISZFELD, Step.KRUM)
ANSWERS = (Answer.HONEST, Answer.MINUS_GRADIENT, Answer.MINUS_MESSAGE, Answer.MINUS_MEAN, Answer.EDGE)
_ANSWERS = "\nenum { " + ", ".join(f"{answer.name} = {answer.value}" for answer in ANSWERS) + " };\n"

_TYPES = """
// all about one run; between launches the first KEPT numbers are kept. Rows of the honest workers are their momenta.
struct Run {
  double x[D], centre[D], rows[N][PITCH], honest[D], slope[D];
#if DISTANCES
  double distances[N][N];
#endif
};
static_assert(sizeof(Run) == 8 * SPACE, "the host counts the same numbers");

// the same for all runs: (D,), (D,) and (N, D)
struct World {
  double eigenvalues[D], x_star[D], offsets[N * D];
};
"""

_ROUNDS = """
__device__ void speak(Run& run, const World& world, Wide key, Wide stream, Long t, double scale, double fresh,
                      double old) {
  constexpr int entries = (ATTACK == MINUS_MEAN || ATTACK == EDGE ? G : N) * D;  // what Byzantine ones say is not heard
  const Long first = (t - 1) * N * D;
#pragma unroll 1
  for (Long b = first / 2 + threadIdx.x; 2 * b < first + entries; b += THREADS) {
    double drawn[2];
    normal_pair(key, stream, b, drawn[0], drawn[1]);
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int e = (int)(2 * b + half - first);
      if (e < 0 || e >= entries) continue;  // of the round before or after
      const int i = e / D;
      double& row = run.rows[i][e % D];
      double g = run.slope[e % D] + scale * drawn[half];
      if (OFFSETS) g = g + world.offsets[e];
      if (ATTACK == MINUS_GRADIENT && i >= G) {
        row = -g;
      } else {
        const double sign = ATTACK == MINUS_MESSAGE && i >= G ? -1.0 : 1.0;  // of the row, whose memory is the momentum
        row = sign * (MOMENTUM ? fresh * g + old * (sign * row) : g);
      }
    }
  }
}

__device__ void answer(Run& run, double strength) {
  for (int j = threadIdx.x; j < D; j += THREADS) {
    double sum = run.rows[0][j];
#pragma unroll 4
    for (int i = 1; i < G; i++) sum += run.rows[i][j];
    const double mean = sum / G;
    run.honest[j] = mean;
    double sent = -strength * mean;
    if (ATTACK == EDGE) {
      double squares = 0.0;
#pragma unroll 4
      for (int i = 0; i < G; i++) {
        const double away = run.rows[i][j] - mean;
        squares += away * away;
      }
      sent = mean + strength * sqrt(squares / (G - DDOF));
    }
    for (int i = G; i < N; i++)
      if (ATTACK == MINUS_MEAN || ATTACK == EDGE) run.rows[i][j] = sent;
  }
}

// x - eta * aggregate; into `record`, if this round is recorded, f(x) - f*, and the squares of the gradient, of the
// distance from x* and of the aggregate less the honest mean
__device__ void move(Run& run, const World& world, double eta, bool recorded, double* record, Long everybody) {
  __shared__ double parts[4][THREADS / 32];
  double sums[4] = {0.0, 0.0, 0.0, 0.0};
  for (int j = threadIdx.x; j < D; j += THREADS) {
    const double x = run.x[j] - eta * run.centre[j], away = x - world.x_star[j], slope = world.eigenvalues[j] * away;
    const double error = run.centre[j] - run.honest[j];
    run.x[j] = x;
    run.slope[j] = slope;
    sums[0] += 0.5 * slope * away;
    sums[1] += slope * slope;
    sums[2] += away * away;
    sums[3] += error * error;
  }
  if (!recorded) return;
  for (int q = 0; q < 4; q++) {
    const double sum = lane_sum(sums[q]);
    if (threadIdx.x % 32 == 0) parts[q][threadIdx.x / 32] = sum;
  }
  __syncthreads();
  if (threadIdx.x < 4) {
    double sum = parts[threadIdx.x][0];
    for (int w = 1; w < THREADS / 32; w++) sum += parts[threadIdx.x][w];
    record[threadIdx.x * everybody] = sum;
  }
}

extern "C" __global__ void __launch_bounds__(THREADS)
play(const double* __restrict__ the_world, const double* __restrict__ fixed, int rule_steps,
     const double* __restrict__ schedule, Long times, Long width, Wide key, Wide first_run, Long runs, Long everybody,
     Long played, Long last, Long steps, Long every, double* memory, double* records) {
  const World& world = *(const World*)the_world;
#if SHARED
  __shared__ Run run;
#endif
  for (Long r = blockIdx.x; r < everybody; r += gridDim.x) {
#if SHARED  // a thread that takes a number brings it back, and those of x are of its own columns
    for (int k = threadIdx.x; k < KEPT; k += THREADS) ((double*)&run)[k] = memory[r * KEPT + k];
#else
    Run& run = ((Run*)memory)[r];
#endif
    for (int j = threadIdx.x; j < D; j += THREADS) run.slope[j] = world.eigenvalues[j] * (run.x[j] - world.x_star[j]);
    for (Long t = played + 1; t <= last; t++) {
      const double* now = schedule + (times > 1 ? t - 1 : 0) * width + (width > 1 ? r : 0);
      const double eta = now[0], fresh = now[times * width], old = now[2 * times * width];
      __syncthreads();
      speak(run, world, key, first_run + r % runs, t, fixed[r], fresh, old);
      __syncthreads();
      answer(run, fixed[everybody + r]);
      aggregate(run, fixed + 2 * everybody + r, everybody, rule_steps);
      move(run, world, eta, t % every == 0 || t == steps, records + (t - 1) / every * 4 * everybody + r, everybody);
    }
#if SHARED
    __syncthreads();
    for (int k = threadIdx.x; k < KEPT; k += THREADS) memory[r * KEPT + k] = ((double*)&run)[k];
#endif
  }
}
"""


@dataclass(frozen=True)
class Rounds:
    """What is compiled into the rounds: n workers in d dimensions, g of them honest, a rule and an attack.

    `step` and `f` are the rule's (`sims.kernels.in_rounds.RuleInRounds`), `answer` and `ddof` the attack's; with
    `offsets` the workers are not alike.
    """

    step: Step
    n: int
    d: int
    g: int
    f: int
    answer: Answer
    ddof: int
    momentum: bool
    offsets: bool

    @property
    def threads(self) -> int:
        """A power of two: with two to four pairs of normals in each thread, unless there are too many or too few."""
        return min(MOST_THREADS, max(32, 1 << (self.n * self.d // 8).bit_length()))

    @property
    def pitch(self) -> int:
        """Numbers from one row to the next: odd, so that neighbouring threads read rows from different banks."""
        return self.d | 1

    @property
    def space(self) -> int:
        """Numbers that a run takes while it is played."""
        return 4 * self.d + self.n * self.pitch + (self.n**2 if self.step == Step.KRUM else 0)

    @property
    def shared(self) -> bool:
        """Whether they are in shared memory."""
        return self.space <= SHARED_NUMBERS

    @property
    def kept(self) -> int:
        """Numbers that a run has in global memory, x first."""
        return self.space if not self.shared else 2 * self.d + (self.n * self.pitch if self.momentum else 0)

    @property
    def source(self) -> str:
        """The kernel `play`: rounds played + 1, …, last of `everybody` = cells·runs runs, with `threads` to a block.

        `the_world` has the eigenvalues (d,), x* (d,) and the offsets (n, d); `fixed` the noise scale, the attack's
        strength, and the rule's parameter in its steps, (2 + rule_steps, everybody); `schedule` the rates η, 1 − β and
        β in `times` rounds (or one, for all) and in `width` runs (or one), (3, times, width). `memory` is (everybody,
        kept); recorded numbers go to `records` (…, 4, everybody).
        """
        lanes = max(k for k in (1, 2, 4, 8, 16, 32) if k == 1 or k * self.n <= self.threads)
        constants = {"N": self.n, "D": self.d, "G": self.g, "PITCH": self.pitch, "THREADS": self.threads}
        constants |= {"LANES": lanes, "SPACE": self.space, "KEPT": self.kept, "SHARED": int(self.shared)}
        constants |= {"ATTACK": int(self.answer), "DDOF": self.ddof, "MOMENTUM": int(self.momentum)}
        constants |= {"OFFSETS": int(self.offsets), "DISTANCES": int(self.step == Step.KRUM)}
        constants |= {
            "CLIPPING": int(self.step == Step.CLIPPING),
            "SMALLEST": 1e-280,
            "LARGEST": 1e299,
            **RANGE,
        }
        rule = aggregate(self.step, self.n, self.f)
        return prelude("float64", **constants) + GENERATOR + _ANSWERS + _TYPES + rule + _ROUNDS
