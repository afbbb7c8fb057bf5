"""The messages on which the formulas of `formulas.py` are attained, or nearly: honest ones first, then the Byzantine.

On the line unless a line says otherwise. Where a Byzantine message must be a little nearer than an honest one it is so
by `NUDGE`, and the formula is attained as that goes to 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

Rows = list[list[Fraction]]
Case = tuple[Rows, Rows]
NUDGE = Fraction(1, 10**9)


def line(honest: Sequence[Fraction | int], byzantine: Sequence[Fraction | int]) -> Case:
    """Both as rows of one coordinate."""
    return [[Fraction(x)] for x in honest], [[Fraction(x)] for x in byzantine]


def equal_but(n: int, f: int, F: int) -> Case:
    """n − F equal messages, of which f are Byzantine, and F honest ones elsewhere: for every rule."""
    return line([0] * F + [1] * (n - f - F), [1] * f)


def shifted(n: int, f: int, F: int) -> Case:
    """F honest at −1, the others at 1, f Byzantine at 3, less the nudge: for mixing and for the least variance."""
    return line([-1] * F + [1] * (n - f - F), [3 - NUDGE] * f)


def split(n: int, f: int) -> Case:
    """⌊n/2⌋ honest messages at 1, all others at 0; in the plane, and for even n two of the former at (1, ±h)."""
    half = n // 2
    ones = [[Fraction(1), Fraction(0)] for _ in range(half)]
    if n % 2 == 0:
        ones[0][1], ones[1][1] = Fraction(1, 1000), Fraction(-1, 1000)
    nought = [Fraction(0), Fraction(0)]
    return [*ones, *([nought] * (n - f - half))], [nought] * f


def widest(n: int, f: int) -> Case:
    """For the least diameter."""
    k = n - 2 * f - 1
    if k == 0:
        return line([-(f + 1), *[-1] * (f - 1), 2 * f], [2 * f + 3 * f + 1 - NUDGE] * f)
    kept = Fraction(f, k)
    return line([-(f + 1), *[-1] * (f - 1), *[kept] * k, f], [kept + 2 * f + 1 - NUDGE] * f)


def around_median(n: int, f: int) -> Case:
    """For the mean around the median."""
    q = n // 2 + 1 - f
    top = Fraction(2 * f, q)
    return line([-2] * f + [0] * (n - 2 * f - q) + [top] * q, [2 * top + 2 - NUDGE] * f)


def around_trimmed_mean(n: int, f: int) -> Case:
    """For the mean around the trimmed mean."""
    top = Fraction(2 * f, n - 2 * f)
    return line([-2] * f + [top] * (n - 2 * f), [2 * top + 2 - NUDGE] * f)


def around_pivot(n: int, f: int) -> Case:
    """For the mean around an honest pivot, which is the first."""
    return line([-2 * f] + [0] * (n - 2 * f - 1) + [2] * f, [-4 * f - 2 + NUDGE] * f)


def beyond_a_ball(n: int, f: int, F: int, offset: float = 1e5) -> np.ndarray:
    """For shortening before a trimmed mean told F, in d = g = n − f dimensions, rounded: (n, g), honest first.

    With κ = F/(g − F) the honest variance is κ in the coordinates and k/(g − k) along (1, …, 1).
    """
    g, k = n - f, 2 * F * (n - F) // n
    above = (np.arange(g)[:, None] - np.arange(g)) % g < F
    honest = np.where(above, 1 - F / g, -F / g) * np.sqrt(g) / (g - F)
    honest[:k] += g / (g - k) / np.sqrt(g)
    return offset + np.concatenate([honest, np.full((f, g), -100.0)])
