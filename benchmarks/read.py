"""One read of the messages: the time below which no rule can get that looks at every number."""

from __future__ import annotations

import numpy as np

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.helpers import team
from sims.kernels.cpu.team import each

BLOCK = 2**12  # words: a thread's part begins at a multiple
WORDS_A_MICROSECOND = 2**13  # that one thread reads from the caches


@compiled
def _sum(first, last, words, sums):
    """Whole numbers may be added in any order: so they are, in vector registers, and only memory is waited for."""
    total = np.uint64(0)
    part = words[first:last]
    for k in range(part.size):
        total += part[k]
    sums[first // BLOCK] = total


@compiled
def _sums(words, sums, parts, boxes):
    each(_sum, (words, sums), words.size, BLOCK, parts, boxes)


def read(x: np.ndarray) -> int:
    """Read the contiguous array once, threads sharing it: the sum of its 64-bit words, modulo 2^64.

    Up to 7 bytes at the end that fill no word are left out.

    >>> read(np.arange(10, dtype=np.uint64))
    45
    """
    flat = x.reshape(-1).view(np.uint8)
    words = flat[: flat.size // 8 * 8].view(np.uint64)
    sums = np.zeros(words.size // BLOCK + 1, np.uint64)
    _sums(words, sums, *team(words.size / WORDS_A_MICROSECOND))
    return int(np.sum(sums))
