"""SGD with momentum on f = ½Lx² under the mean rule, without a random number: second moments follow a linear recursion.

Units L = 1 and σ²/g = 1, in which F0 stands for F0·Lg/σ² and η for ηL; the dimension does not matter. The recursion and
the second route are steps 1 and 2 of `on_quadratic.md`.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx, fmpq, fmpq_mat, fmpz, fmpz_mat

BITS = 256  # of the balls

Rational = Any  # Python's or flint's, which computes ten times as fast


def one_round(eta: Rational, alpha: Rational) -> list[list[Rational]]:
    """The matrix of one round for (E x², E xm, E m², 1, Σ E x²)."""
    p, q, beta = 1 - eta * alpha, -eta * (1 - alpha), 1 - alpha  # x ← px + qm − ηαζ, m ← αx + βm + αζ
    zero, one = 0 * eta, 0 * eta + 1
    return [
        [p * p, 2 * p * q, q * q, (eta * alpha) ** 2, zero],
        [p * alpha, p * beta + q * alpha, q * beta, -eta * alpha * alpha, zero],
        [alpha * alpha, 2 * alpha * beta, beta * beta, alpha * alpha, zero],
        [zero, zero, zero, one, zero],
        [one, zero, zero, zero, one],
    ]


def first_round(eta: Rational, alpha: Rational, x0_sq: Rational) -> list[Rational]:
    """The vector after round 1 from x_0 and m_0 = 0, with the given α_1."""
    return [row[0] * x0_sq + row[3] for row in one_round(eta, alpha)]  # of (x_0², 0, 0, 1, 0)


def exact_average(
    T: int, eta: Fraction, f0: Fraction, first: Fraction | None = None, bits: int | None = None
) -> Fraction:
    """(1/T) Σ_{t ≤ T} E‖∇f(x_{t−1})‖² with α = 8η, as a rational; α_1 = `first` (α unless given).

    With `bits` it is rounded down to a multiple of 2^−bits: after many rounds its own digits fill a book. Balls know
    the rounded value, too, unless it is a multiple by itself.

    >>> exact_average(2, Fraction(1, 8), Fraction(1, 2), first=Fraction(1))  # x_0 = 1, x_1 = 1 − (1 + ζ)/8
    Fraction(57, 64)
    """
    if bits is not None:
        with ctx.workprec(2 * bits + BITS):
            down = (average_ball(T, eta, f0, first, 2 * bits + BITS) * 2**bits).floor().unique_fmpz()
        if down is not None:
            return Fraction(int(down), 2**bits)
    alpha = 8 * eta
    start = first_round(eta, alpha if first is None else first, 2 * f0)
    matrix = one_round(eta, alpha)
    scale = math.lcm(*(entry.denominator for row in matrix for entry in row))
    unit = math.lcm(*(entry.denominator for entry in start))
    whole = fmpz_mat([[fmpz(int(entry * scale)) for entry in row] for row in matrix]) ** (T - 1)
    total = sum((whole[4, k] * fmpz(int(v * unit)) for k, v in enumerate(start)), fmpz(0))
    below = fmpz(scale) ** (T - 1) * unit * T
    if bits is None:
        return Fraction(int(total), int(below))
    return Fraction(int(total * fmpz(2) ** bits // below), 2**bits)


def average_ball(T: int, eta: Fraction, f0: Fraction, first: Fraction | None = None, bits: int = BITS) -> arb:
    """A ball that contains `exact_average`, for any T, computed with so many bits."""
    step = as_fmpq(eta)
    start = first_round(step, 8 * step if first is None else as_fmpq(first), 2 * as_fmpq(f0))
    with ctx.workprec(bits):
        return sum((weight * arb(v) for weight, v in zip(_sums(T, eta, bits), start, strict=True)), arb(0)) / T


@functools.lru_cache(maxsize=64)
def _sums(T: int, eta: Fraction, bits: int) -> tuple[arb, ...]:
    """What each entry of the vector after round 1 adds to the sum after round T, α = 8η."""
    step = as_fmpq(eta)
    with ctx.workprec(bits):
        power = arb_mat(fmpq_mat(one_round(step, 8 * step))) ** (T - 1)
        return tuple(power[4, k] for k in range(5))


def as_fmpq(value: Fraction) -> fmpq:
    """A rational for flint."""
    return fmpq(value.numerator, value.denominator)


def middle_and_error(value: arb) -> tuple[float, float]:
    """The float nearest to a ball's middle and a bound on its distance from everything in the ball."""
    middle = float(value.mid())
    return middle, math.nextafter(float((value - arb(middle)).abs_upper()), math.inf)


def by_impulse_responses(T: int, eta: float, f0: float, first: float | None = None) -> float:
    """The same average by another route: x_t is a sum of uncorrelated responses to x_0 and to each ζ_s.

    Step 2 of `on_quadratic.md`; the responses are written with the roots r, s of the recursion's polynomial.
    """
    alpha = 8 * eta
    alpha_1 = alpha if first is None else first
    half = (2 - alpha - eta * alpha) / 2
    root = math.sqrt(half * half - (1 - alpha))  # real for α = 8η ≤ 1
    r, s = half + root, half - root
    t = np.arange(T + 1)
    basic = (r**t - s**t) / (r - s)  # 0, 1, … : the solution that starts with 0, 1
    impulse = -eta * basic[1:]  # h_k: x at the end of the impulse's own round, and k rounds later
    x0 = math.sqrt(2 * f0)
    x1 = x0 * (1 - eta * alpha_1)
    bias = x1 * basic - (1 - alpha) * x0 * np.concatenate([[0.0], basic[:-1]])
    bias[0] = x0
    energy = np.concatenate([[0.0], np.cumsum(impulse**2)])
    square = bias[:T] ** 2
    square[1:] += alpha_1**2 * impulse[: T - 1] ** 2 + alpha**2 * energy[: T - 1]
    return float(np.mean(square))


def as_fraction(value: fmpq) -> Fraction:
    """A rational from flint."""
    return Fraction(int(value.p), int(value.q))
