"""What the rules of compiled rounds do at the edges of float64: where sums overflow, where squares do or vanish.

The arithmetic is that of `sims.columns` and `sims.aggregators.scaled_distances`. None of it is met in ordinary rounds.
"""

from __future__ import annotations

import math

import numpy as np

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.vectors import choose, everywhere, less, load

FARTHEST = 2**20  # the exponent of ∞, far above all others; that of 0 is its opposite
TINY, EPS = float(np.finfo(np.float64).smallest_normal), float(np.finfo(np.float64).eps)


@compiled
def mean_in_unit(values, first, last, width, column, centre):
    """The mean of the rows first, …, last − 1 around a centre, in numbers so small that no sum overflows."""
    count = float(last - first)
    unit = 1.0
    while unit <= 2 * count:
        unit *= 2
    share, total = everywhere(1 / unit), everywhere(0.0)
    least = most = load(values, first * width + column)
    for i in range(first, last):
        value = load(values, i * width + column)
        total = total + (value * share - centre * share)
        least = choose(less(value, least), value, least)
        most = choose(less(most, value), value, most)
    found = (centre * share + total / everywhere(count)) * everywhere(unit)
    found = choose(less(found, least), least, found)
    return choose(less(most, found), most, found)


@compiled
def decide(rows, k, neighbours, scores, alive, best):
    """Krum's choice in lane k if scores may have overflowed or vanished; `best` is the one by scores as they are."""
    n, d, _ = rows.shape
    faint, dead = n * d * TINY / EPS, 0
    for i in range(n):
        dead += alive[i, k] == 0
    if scores[best, k] < faint:
        same = True
        for i in range(n):
            if scores[i, k] < faint:
                for j in range(d):
                    same = same and rows[i, j, k] == rows[best, j, k]
        if same:  # whichever it is
            return best
    elif dead > n - neighbours - 2:  # more than f: it is infinite by rights
        return best
    fractions, exponents = np.empty(n), np.empty(n, dtype=np.int64)
    least, lowest, chosen = np.inf, FARTHEST, -1
    for i in range(n):
        if alive[i, k] == 0:
            continue
        for h in range(n):
            fraction, exponent = np.inf, FARTHEST
            if alive[h, k] > 0:
                fraction, exponent = _square(rows, i, h, k)
            place = h
            while place > 0 and _smaller(fraction, exponent, fractions[place - 1], exponents[place - 1]):
                fractions[place], exponents[place] = fractions[place - 1], exponents[place - 1]
                place -= 1
            fractions[place], exponents[place] = fraction, exponent
        total, largest = 0.0, exponents[neighbours]
        for h in range(1, neighbours + 1):  # itself first, at no distance
            total += math.ldexp(fractions[h], max(exponents[h] - largest, -5000))
        fraction, exponent = _normalised(total, largest)
        equal = fraction == least and exponent == lowest
        if chosen < 0 or _smaller(fraction, exponent, least, lowest) or (equal and before(rows, i, chosen, k, alive)):
            least, lowest, chosen = fraction, exponent, i
    return best if chosen < 0 else chosen


@compiled
def _smaller(fraction, exponent, other, others):
    return exponent < others or (exponent == others and fraction < other)


@compiled
def _normalised(value, exponent):
    """fraction·2^exponent as a number in [1/2, 1), or 0, or ∞, and its exponent."""
    if value == 0:
        return 0.0, -FARTHEST
    if value == np.inf:
        return np.inf, FARTHEST
    fraction, shift = math.frexp(value)
    return fraction, exponent + shift


@compiled
def _square(rows, i, h, k):
    """The squared distance of two rows that are alive."""
    largest, scale = 0.0, 1.0
    for j in range(rows.shape[1]):
        largest = max(largest, abs(rows[i, j, k] - rows[h, j, k]))
    if largest == np.inf:
        largest, scale = 0.0, 0.5
        for j in range(rows.shape[1]):
            largest = max(largest, abs(scale * rows[i, j, k] - scale * rows[h, j, k]))
    if largest == 0:
        return 0.0, -FARTHEST
    exponent, total = math.frexp(largest)[1], 0.0
    for j in range(rows.shape[1]):
        away = math.ldexp(scale * rows[i, j, k] - scale * rows[h, j, k], -exponent)
        total += away * away
    return _normalised(total, 2 * (exponent + (1 if scale < 1 else 0)))


@compiled
def before(rows, a, b, k, alive):
    """Whether row a is lexicographically smaller than row b, rows that are not alive counting as zero."""
    for j in range(rows.shape[1]):
        p = rows[a, j, k] if alive[a, k] > 0 else 0.0
        q = rows[b, j, k] if alive[b, k] > 0 else 0.0
        if p != q:
            return p < q
    return False
