"""One read of the messages: the time below which no rule can get that looks at every number."""

from __future__ import annotations

import numpy as np
from numba import njit

from sims.kernels.cpu.threads import split

LINE = 64  # bytes: a thread's part begins at a multiple


@njit(nogil=True, cache=True)
def _sum(words):
    """Whole numbers may be added in any order: so they are, in vector registers, and only memory is waited for."""
    total = np.uint64(0)
    for k in range(len(words)):
        total += words[k]
    return total


def read(x: np.ndarray) -> int:
    """Read the contiguous array once, every thread a contiguous part: the sum of its 64-bit words, modulo 2^64.

    Up to 7 bytes at the end that fill no word are left out.

    >>> read(np.arange(10, dtype=np.uint64))
    45
    """
    flat = x.reshape(-1).view(np.uint8)
    words = flat[: flat.size // 8 * 8].view(np.uint64)
    sums: list[int] = []
    split(lambda first, last: sums.append(int(_sum(words[first:last]))), words.size, LINE // 8)
    return sum(sums) % 2**64
