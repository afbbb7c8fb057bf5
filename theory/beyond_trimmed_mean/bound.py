"""The bounds of `whole.md`, in rationals; units L = 1. A root is rounded up to 2^−64, and exact where it is rational.

n workers of which f are Byzantine, g = n − f honest, σ² the variance of a worker's gradient, F0 = f(x_0) − f*.
"""

from __future__ import annotations

import math
from fractions import Fraction

from sims.checks.evidence import Number

RATIO = 2  # α = 2Lη
GAIN = Fraction(3, 2)  # γ², by which the errors of the aggregates count
START = Fraction(8, 3)  # what F0/(Lη) counts
CAP = Fraction(1, 4)  # of Lη


def root(value: Fraction) -> Fraction:
    """√value, rounded up to a multiple of 2^−64 unless it is rational.

    >>> root(Fraction(9, 4)), float(root(Fraction(2)))
    (Fraction(3, 2), 1.4142135623730951)
    """
    over, under = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if over**2 == value.numerator and under**2 == value.denominator:
        return Fraction(over, under)
    return Fraction(math.isqrt((value.numerator << 128) // value.denominator) + 1, 1 << 64)


def kappa(n: int, f: int) -> Fraction:
    """f/(n − 2f): the trimmed mean's squared error is at most κ·avg‖x_i − x̄‖² on every path."""
    return Fraction(f, n - 2 * f)


def shares(n: int, f: int) -> tuple[Fraction, Fraction]:
    """A = κ(g − 1)/g and B = 1/g: what the rule and the honest mean's own noise add to the error, in units of E‖ν_i‖².

    >>> shares(25, 3)
    (Fraction(63, 418), Fraction(1, 22))
    """
    g = n - f
    return kappa(n, f) * Fraction(g - 1, g), Fraction(1, g)


def of_noise(n: int, f: int) -> Fraction:
    """K = (√A + √B)².

    >>> of_noise(5, 2)  # f + 1 at n = 2f + 1
    Fraction(3, 1)
    """
    return noise_of(*shares(n, f))


def noise_of(a: Fraction, b: Fraction) -> Fraction:
    """K = (√A + √B)² from A and B."""
    return a + b + 2 * root(a * b)


def zero_start(T: int, eta: Fraction, f0: Fraction, noise: Fraction) -> Fraction:
    """8F0/(3ηT) + 3ησ²K/(2(1 − η)): the theorem for m_0 = 0, with `noise` = σ²K."""
    return START * f0 / (eta * T) + GAIN * noise * eta / (1 - eta)


def full_start(T: int, eta: Fraction, f0: Fraction, noise: Fraction) -> Fraction:
    """(2F0 + 3σ²K/8)/(ηT) + 3ησ²K/(2(1 − η)): the theorem for α_1 = 1."""
    return (2 * f0 + Fraction(3, 8) * noise) / (eta * T) + GAIN * noise * eta / (1 - eta)


def best_step(squared: Number) -> Fraction:
    """The step η = 1/(1 + y) for y = max(√(9σ²KT/(16F0)), 3), from `squared` = σ²KT/F0."""
    return 1 / (1 + max(root(Fraction(9, 16) * Fraction(squared)), Fraction(3)))


def best_bound(T: int, f0: Fraction, noise: Fraction) -> Fraction:
    """4√(F0σ²K/T) + 32F0/(3T), which `zero_start` does not exceed at `best_step`, for any T."""
    return 4 * root(f0 * noise / T) + Fraction(32, 3) * f0 / T
