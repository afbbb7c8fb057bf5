"""The expected median of batch means of a Bernoulli law, exactly."""

from __future__ import annotations

import math
from fractions import Fraction

P = Fraction(1, 4)


def expected_median(n: int, b: int, p: Fraction = P) -> Fraction:
    """E[median of n batch means of b Bernoulli(p) samples], n odd, exactly.

    >>> expected_median(3, 1)
    Fraction(5, 32)
    """
    unit = p.denominator**b
    below, above = 0, 0
    for j in range(b):  # E = (1/b) Σ_j P(median > j), through P(Bin(b, p) ≤ j) = below/unit
        below += math.comb(b, j) * p.numerator**j * (p.denominator - p.numerator) ** (b - j)
        above += sum(math.comb(n, i) * below**i * (unit - below) ** (n - i) for i in range((n + 1) // 2))
    return Fraction(above, b * unit**n)
