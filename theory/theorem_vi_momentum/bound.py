"""The step size and the bound of Theorem VI as printed, and the bounds that are derived here, for any number type.

Units L = 1; F0 = f(x_0) − f*, σ² the variance of a worker's gradient, n workers of which g are honest, δ = f/n.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from fractions import Fraction
from math import sqrt
from typing import Any

Rational = Any  # Python's or flint's


def printed_step(T: float, f0: float, n: int, c_delta: float = 0.0, sigma_sq: float = 1.0) -> float:
    """η = min(√[(F0 + 5cδσ²/16)/(20Tσ²(2/n + cδ))], 1/8); `c_delta` is cδ."""
    return min(sqrt((f0 + 5 * c_delta * sigma_sq / 16) / (20 * T * sigma_sq * (2 / n + c_delta))), 1 / 8)


def printed_right_side(T: float, f0: float, n: int, c_delta: float = 0.0, sigma_sq: float = 1.0) -> float:
    """16√[σ²(1 + cδn)(10F0 + 3cδσ²)/(nT)] + 32F0/T + 20σ²(1 + cδn)/(nT)."""
    share = (1 + c_delta * n) / n
    return (
        16 * sqrt(sigma_sq * share / T * (10 * f0 + 3 * c_delta * sigma_sq)) + 32 * f0 / T + 20 * sigma_sq * share / T
    )


def start_of(T: int, eta: Fraction) -> Fraction:
    """The F0 for which the printed η is this one, at δ = 0, σ²/n = 1: 40Tη²; η ≤ 1/8."""
    return 40 * T * eta * eta


def printed_rational(T: int, eta: Fraction) -> Fraction:
    """The printed bound at F0 = `start_of(T, η)`, δ = 0, σ²/n = 1: its root is rational, 16√(10F0/T) = 320η."""
    return 320 * eta + (32 * start_of(T, eta) + 20) / T


def zero_start(T: int, eta: Rational, f0: Rational, kappa: Rational, sigma_sq: Rational = 1) -> Rational:
    """Theorem VI′ for m_0 = 0: 2.5F0/(ηT) + 16ησ²κ, κ = 2cδ + 1/g."""
    return 5 * f0 / (2 * eta * T) + 16 * eta * sigma_sq * kappa


def full_start(T: int, eta: Rational, f0: Rational, kappa: Rational, sigma_sq: Rational = 1) -> Rational:
    """Theorem VI′ for α_1 = 1: 2(F0 + κσ²/8)/(ηT) + 16ησ²κ."""
    return 2 * (f0 + kappa * sigma_sq / 8) / (eta * T) + 16 * eta * sigma_sq * kappa


def best_step(T: float, f0: float, kappa: float, sigma_sq: float = 1.0) -> float:
    """The η that makes `zero_start` least: min(√[2.5F0/(16Tσ²κ)], 1/8)."""
    return min(sqrt(2.5 * f0 / (16 * T * sigma_sq * kappa)), 1 / 8)


def best_bound(T: float, f0: float, kappa: float, sigma_sq: float = 1.0) -> float:
    """√(160F0σ²κ/T) + 20F0/T, which `zero_start` does not exceed at `best_step`."""
    return sqrt(160 * f0 * sigma_sq * kappa / T) + 20 * f0 / T


@functools.cache
def spread_sq(t: int, alpha: Rational, first: Rational) -> Rational:
    """E‖m_{t,i} − m_{t,j}‖²/σ² of two honest workers whose noises have variance σ² exactly, with α_1 = `first`."""
    keep = (1 - alpha) ** 2
    fresh = sum(alpha**2 * keep**k for k in range(t - 1))
    return 2 * (first**2 * keep ** (t - 1) + fresh)


def rounds_to_beat_standing_still(n: int, c_delta: Fraction, noise: Fraction) -> int:
    """The least T from which on the printed bound is < 2LF0, with σ² = noise·LF0, in exact arithmetic.

    16√(A/T) + B/T < 2 with A = s(1 + cδn)(10 + 3cδs)/n, B = 32 + 20s(1 + cδn)/n, is 256AT < (2T − B)² with 2T > B.
    """
    share = noise * (1 + c_delta * n) / n
    a, b = share * (10 + 3 * c_delta * noise), 32 + 20 * share

    def below(T: int) -> bool:
        return b < 2 * T and 256 * a * T < (2 * T - b) ** 2

    high = 1
    while not below(high):
        high *= 2
    low = high // 2
    while high - low > 1:  # the bound falls with T
        middle = (low + high) // 2
        low, high = (low, middle) if below(middle) else (middle, high)
    return high


def critical_start() -> Fraction:
    """φ* = 5/4542: as T → ∞ the printed bound is violated for F0 < φ*σ²/(nL) and not above.

    1/128 + (57/64)φ + φ/80 = 8φ: step 8 of `on_quadratic.md`.
    """
    return Fraction(1, 128) / (8 - Fraction(57, 64) - Fraction(1, 80))


def grid(every: int = 1) -> Iterator[tuple[int, Fraction]]:
    """(T, η) over the decades of T and the steps η = 1/8, 1/16, … down to T^{−1}/64, or only `every`-th of them."""
    for T in (1, 2, 3, 10, 30, 100, 300, 10**3, 10**4, 10**5, 10**6):
        for k in range(3, 7 + math.ceil(math.log2(T)), every):
            yield T, Fraction(1, 2**k)
