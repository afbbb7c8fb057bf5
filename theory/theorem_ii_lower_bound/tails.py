"""How likely it is that more than f of the n − f honest workers show a spike, and what Theorem II's bound makes of it.

All in intervals (python-flint), so that a comparison that comes out true is proved.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from fractions import Fraction
from math import comb

from flint import arb, ctx, fmpq

SHARES = tuple(Fraction(k, 100) for k in range(20, 76))  # candidates for κ in q = κδ


def interval(value: Fraction | int) -> arb:
    """A rational as a ball that contains it."""
    value = Fraction(value)
    return arb(fmpq(value.numerator, value.denominator))


def fractions(ball: arb) -> tuple[Fraction, Fraction]:
    """Two rationals between which the ball's value lies."""
    ends = []
    for end in (ball.lower(), ball.upper()):
        mantissa, exponent = (int(part) for part in end.mid().man_exp())
        ends.append(Fraction(mantissa) * Fraction(2) ** exponent)
    return ends[0], ends[1]


def binomial_tail(n: int, f: int, q: Fraction) -> arb:
    """P(Bin(n − f, q) > f), summed term by term."""
    with ctx.workprec(128):
        honest, p = n - f, interval(q)
        if f >= honest:
            return arb(0)
        term, total = comb(honest, f + 1) * p ** (f + 1) * (1 - p) ** (honest - f - 1), arb(0)
        for k in range(f + 1, honest + 1):
            total += term
            term *= (honest - k) * p / ((k + 1) * (1 - p))
        return total


@functools.cache
def poisson_tail(mean: Fraction, f: int) -> arb:
    """P(Poi(mean) > f) = P(Γ_{f+1} ≤ mean), the regularised lower incomplete gamma function."""
    with ctx.workprec(128):
        return interval(mean).gamma_lower(arb(f + 1), regularized=1)


def forced_error(tail: arb, t: int, q: Fraction, draws: int = 1) -> arb:
    """(1 − p)^{draws·t}·q/(2(1 − q)): the error in units of σ²/μ that one of the two worlds forces.

    `draws` is 1 for the mirror, 2 for the independent adversary, whose own count must not exceed f either.
    """
    with ctx.workprec(128):
        return (1 - tail) ** (draws * t) * interval(q / (2 * (1 - q)))


def best_forced_error(n: int, f: int, t: int, shares: Sequence[Fraction] = SHARES) -> tuple[Fraction, arb]:
    """The q = κf/n that forces most, over the candidates κ, and what it forces."""
    found = [(q, forced_error(binomial_tail(n, f, q), t, q)) for q in (share * f / n for share in shares)]
    return max(found, key=lambda pair: pair[1].mid())


@functools.cache
def longest(f: int) -> int:
    """The largest t with δn ≥ 4(1 + log t) for some δn < f + 1: ⌊e^{(f+1)/4 − 1}⌋."""
    with ctx.workprec(256):
        return int((interval(Fraction(f + 1, 4) - 1)).exp().floor().unique_fmpz() or 0)


def uniform_constant(f: int, share: Fraction, t: int, draws: int = 1) -> arb:
    """(κ/2)·P(Poi(κ(f + 1)) ≤ f)^{draws·t}: step 4 of `constant.md`, for every n and δ with ⌊δn⌋ = f."""
    with ctx.workprec(128):
        return interval(share / 2) * (1 - poisson_tail(share * (f + 1), f)) ** (draws * t)


def chernoff_constant(f: int, share: Fraction, draws: int = 1) -> arb:
    """(κ/2)(1 − draws·e^{−1 − (f + 1)(h − ¼)}), h = log(1/κ) − 1 + κ: below the constant for every t that f allows.

    It increases in f if h > ¼, for then the exponent falls (step 5 of `constant.md`).
    """
    with ctx.workprec(128):
        h = -interval(share).log() - 1 + interval(share)
        return interval(share / 2) * (1 - draws * (-1 - (f + 1) * (h - interval(Fraction(1, 4)))).exp())


def exponent_margin(share: Fraction) -> arb:
    """h − ¼ = log(1/κ) − 5/4 + κ: positive where the tails beat the number of rounds."""
    with ctx.workprec(128):
        return -interval(share).log() - interval(Fraction(5, 4)) + interval(share)
