"""Exact finite-support laws, in rationals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from sims.checked import real, whole


def binomial(n: int, p: Fraction) -> list[Fraction]:
    """P(Bin(n, p) = k) for k = 0, …, n, exactly.

    >>> binomial(2, Fraction(1, 4))
    [Fraction(9, 16), Fraction(3, 8), Fraction(1, 16)]
    """
    n = whole("binomial", "n", n, least=0)
    return [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]


def expectation(law: Sequence[Fraction], values: Sequence[Fraction]) -> Fraction:
    """Σ_k P(k)·values[k]."""
    return sum((p * v for p, v in zip(law, values, strict=True)), Fraction(0))


def two_valued(n: int, low: float, high: float) -> list[list[list[float]]]:
    """Messages of n workers of which k = 0, …, n send `high` and the others `low`: shape (n + 1, n, 1)."""
    n = whole("two_valued", "n", n, least=0)
    low, high = real("two_valued", "low", low), real("two_valued", "high", high)
    return [[[high if i < k else low] for i in range(n)] for k in range(n + 1)]
