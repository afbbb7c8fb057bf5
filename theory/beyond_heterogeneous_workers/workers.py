"""Workers on the line whose functions are known by their derivatives, in rationals; f of n of them may be Byzantine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

Slope = Callable[[Fraction], Fraction]  # the derivative of a worker's function


def floor(n: int, f: int, G_sq: Fraction, B_sq: Fraction) -> Fraction:
    """fG²/(n − (2 + B²)f) = κG²/(1 − κB²) at the least κ = f/(n − 2f); needs f/n < 1/(2 + B²).

    >>> str(floor(5, 1, Fraction(1), Fraction(1)))
    '1/2'
    """
    left = n - (2 + B_sq) * f
    if left <= 0:
        raise ValueError(f"floor needs f/n < 1/(2 + B²), got n = {n}, f = {f}, B² = {B_sq}")
    return f * G_sq / left


def zero(x: Fraction) -> Fraction:
    """The derivative of a constant."""
    return 0 * x


def linear(slope: Fraction, at: Fraction) -> Slope:
    """s(x − a), the derivative of ½s(x − a)²."""
    return lambda x: slope * (x - at)


def bent(slope: Fraction, at: Fraction, most: Fraction) -> Slope:
    """s(x − a) cut off at ±c: the derivative of Huber's function around a."""
    return lambda x: max(-most, min(most, slope * (x - at)))


def of(slopes: Sequence[Slope], x: Fraction) -> tuple[Fraction, Fraction]:
    """(∇f(x), (1/g)Σ(∇f_i(x) − ∇f(x))²) of these honest workers."""
    values = [slope(x) for slope in slopes]
    mean = sum(values, Fraction(0)) / len(values)
    return mean, sum(((value - mean) ** 2 for value in values), Fraction(0)) / len(values)


def two_cases(n: int, f: int, plus: Slope, minus: Slope) -> tuple[list[Slope], list[Slope]]:
    """The honest workers of two cases with the same n functions: f `plus`, f `minus`, all others constant.

    In the first the `minus` ones are Byzantine and behave as if they were honest, in the second the `plus` ones.
    """
    rest = [zero] * (n - 2 * f)
    return [plus] * f + rest, [minus] * f + rest
