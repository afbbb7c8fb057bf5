"""Random numbers where they are used: Philox 4×32-10 on the device, and the same generator in NumPy beside it.

A counter-based generator (Salmon, Moraes, Dror, Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC 2011): the
numbers are a bijection of (key, counter), so that any thread makes any number without those before it. The key is the
64-bit word that stands for seed and purpose, the counter (b, r): two 32-bit words with the position b in the stream of
run r, two with r. A block of four 32-bit words makes two numbers, those at the positions 2b and 2b + 1, where positions
count from the beginning of the stream: step by step, and within a step in the order of the shape.

Uniforms are the multiples of 2^−53 in [0, 1), 27 high bits of one word before 26 high bits of the next, equal bit for
bit on every machine. Normals come in pairs from u, v by Box and Muller (1958), √(−2 ln(1 − u))·(cos 2πv, sin 2πv):
none lies beyond √(106 ln 2) = 8.58, and the last bits depend on the mathematical library.
"""

from __future__ import annotations

import math

import numpy as np

from sims.backend import Array, Namespace
from sims.kernels.cuda import launch

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)  # the golden ratio and √3 − 1
ROUNDS = 10
THREADS = 256

GENERATOR = """
typedef unsigned int Word;
typedef unsigned long long Wide;

__device__ double uniform_of(Word high, Word low) {
  return ((high >> 5) * 67108864.0 + (low >> 6)) / 9007199254740992.0;
}

// the uniform numbers at the positions 2b and 2b + 1 of a run's stream
__device__ void uniform_pair(Wide key, Wide run, Wide b, double& even, double& odd) {
  Word c0 = (Word)b, c1 = (Word)(b >> 32), c2 = (Word)run, c3 = (Word)(run >> 32);
  Word k0 = (Word)key, k1 = (Word)(key >> 32);
#pragma unroll
  for (int round = 0; round < 10; round++) {
    const Wide p = (Wide)0xD2511F53u * c0, q = (Wide)0xCD9E8D57u * c2;
    c0 = (Word)(q >> 32) ^ c1 ^ k0;
    c2 = (Word)(p >> 32) ^ c3 ^ k1;
    c1 = (Word)q;
    c3 = (Word)p;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  even = uniform_of(c0, c1);
  odd = uniform_of(c2, c3);
}

// the normal numbers there
__device__ void normal_pair(Wide key, Wide run, Wide b, double& even, double& odd) {
  double u, v, sine, cosine;
  uniform_pair(key, run, b, u, v);
  const double radius = sqrt(-2.0 * log(1.0 - u));
  sincospi(2.0 * v, &sine, &cosine);
  even = radius * cosine;
  odd = radius * sine;
}
"""

_FILL = """
template <bool NORMAL>
__device__ void fill(Wide key, Wide first_run, Wide runs, Wide first, Wide count, Wide size, double* out) {
  const Wide block = first / 2, blocks = (first + count + 1) / 2 - block;  // those of the positions wanted
  for (Wide r = blockIdx.y; r < runs; r += gridDim.y) {
    for (Wide k = (Wide)blockIdx.x * blockDim.x + threadIdx.x; k < blocks; k += (Wide)gridDim.x * blockDim.x) {
      const Wide b = block + k;
      double even, odd;
      if (NORMAL) normal_pair(key, first_run + r, b, even, odd);
      else uniform_pair(key, first_run + r, b, even, odd);
      for (int half = 0; half < 2; half++) {
        const Wide position = 2 * b + half;
        if (position >= first && position < first + count) {
          const Wide e = position - first;
          out[(e / size * runs + r) * size + e % size] = half ? odd : even;
        }
      }
    }
  }
}

#define DRAW Wide key, Wide first_run, Wide runs, Wide first, Wide count, Wide size, double* out
#define DRAWN key, first_run, runs, first, count, size, out
extern "C" __global__ void uniform(DRAW) { fill<false>(DRAWN); }
extern "C" __global__ void normal(DRAW) { fill<true>(DRAWN); }
"""

SOURCE = GENERATOR + _FILL


def philox(counter: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Philox 4×32-10: words below 2^32, (..., 4) of counters and (..., 2) of keys → (..., 4).

    >>> [f"{word:08x}" for word in philox(np.zeros(4, int), np.zeros(2, int)).tolist()]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    c0, c1, c2, c3 = (counter[..., i].astype(np.uint64) for i in range(4))
    k0, k1 = (key[..., i].astype(np.uint64) for i in range(2))
    for _ in range(ROUNDS):
        p, q = np.uint64(MULTIPLIERS[0]) * c0, np.uint64(MULTIPLIERS[1]) * c2
        c0, c1, c2, c3 = (q >> half) ^ c1 ^ k0, q & low, (p >> half) ^ c3 ^ k1, p & low
        k0, k1 = (k0 + np.uint64(WEYL[0])) & low, (k1 + np.uint64(WEYL[1])) & low
    return np.stack([c0, c1, c2, c3], axis=-1)


def draw_on_host(kind: str, key: int, runs: range, first: int, steps: int, shape: tuple[int, ...]) -> np.ndarray:
    """What `DeviceStreams` draws after `first` numbers of each run, from NumPy: (steps, runs, *shape).

    >>> draw_on_host("uniform", 1, range(2), 0, 3, (4,)).shape
    (3, 2, 4)
    """
    positions = np.arange(first, first + steps * math.prod(shape), dtype=np.uint64)
    blocks, odd = positions // np.uint64(2), positions % np.uint64(2) == 1
    run = np.array(runs, dtype=np.uint64)[:, None]
    half, low = np.uint64(32), np.uint64(0xFFFFFFFF)
    counter = np.stack(np.broadcast_arrays(blocks & low, blocks >> half, run & low, run >> half), axis=-1)
    words = philox(counter, np.array([key & 0xFFFFFFFF, key >> 32])).astype(np.float64)
    pair = (np.floor(words[..., ::2] / 32) * 2.0**26 + np.floor(words[..., 1::2] / 64)) * 2.0**-53
    if kind == "normal":
        radius, angle = np.sqrt(-2.0 * np.log(1.0 - pair[..., 0])), 2 * math.pi * pair[..., 1]
        drawn = radius * np.where(odd, np.sin(angle), np.cos(angle))
    else:
        drawn = np.where(odd, pair[..., 1], pair[..., 0])
    return np.moveaxis(drawn.reshape(len(runs), steps, *shape), 0, 1)


class DeviceStreams:
    """The random numbers of one purpose, a stream per run, drawn on the device: what `RunStreams` is on the host.

    `key` is the 64-bit word of seed and purpose. `normal` and `uniform` return arrays (steps, runs, *shape) of the
    namespace `xp` and continue where the last draw ended, so that drawing 3 and then 4 steps is drawing 7, under the
    same condition: one purpose keeps to one distribution and one shape.
    """

    def __init__(self, key: int, runs: range, xp: Namespace) -> None:
        self.key = key
        self.runs = runs
        self.xp = xp
        self.drawn = 0  # numbers of each run

    def normal(self, steps: int, shape: tuple[int, ...] = ()) -> Array:
        """Standard normal draws, (steps, runs, *shape)."""
        return self._draw("normal", steps, shape)

    def uniform(self, steps: int, shape: tuple[int, ...] = ()) -> Array:
        """Uniform draws from the multiples of 2^−53 in [0, 1), (steps, runs, *shape)."""
        return self._draw("uniform", steps, shape)

    def _draw(self, kind: str, steps: int, shape: tuple[int, ...]) -> Array:
        out = self.xp.empty((steps, len(self.runs), *shape), dtype=self.xp.float64)
        size, first = math.prod(shape), self.drawn
        self.drawn += steps * size
        if math.prod(out.shape):
            whole = (self.key, self.runs.start, len(self.runs), first, steps * size, size)
            blocks = steps * size // 2 + 1
            grid = (min(-(-blocks // THREADS), launch.MOST_ACROSS), min(len(self.runs), launch.MOST_BLOCKS))
            launch.start(SOURCE, kind, grid, (THREADS,), *map(np.uint64, whole), out)
        return out
