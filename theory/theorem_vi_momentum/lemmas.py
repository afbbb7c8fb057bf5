"""The lemmas of Theorem VI′ (`upper_bound.md`), each on rational instances: descent, errors, dispersion, their sum.

Where there are thousands of instances their rationals are flint's, ten times as fast as Python's.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from flint import fmpq

from sims.aggregators import Krum, TrimmedMean
from sims.attacks import ALittleIsEnough
from sims.checks.evidence import Evidence
from sims.engine.streams import Streams
from theory.claim import Context, Control, claim
from theory.theorem_vi_momentum.bound import full_start, spread_sq, zero_start
from theory.theorem_vi_momentum.moments import as_fmpq, as_fraction
from theory.theorem_vi_momentum.noise_paths import ROUNDING, all_paths

STEPS = tuple(Fraction(1, 2**k) for k in (3, 4, 6, 9))  # η ≤ 1/8


def rationals(rng: np.random.Generator, count: int) -> list[fmpq]:
    """Rational numbers between −4 and 4."""
    return [fmpq(v, 64) for v in rng.integers(-256, 257, count).tolist()]


def rational(rng: np.random.Generator) -> fmpq:
    """One of them."""
    return fmpq(int(rng.integers(-256, 257)), 64)


def one_of(rng: np.random.Generator, *values: int) -> int:
    """One of a few values: what `rng.choice` gives, without its checks, which take ten times as long."""
    return values[rng.integers(len(values))]


def huber(x: fmpq) -> fmpq:
    """½x² up to |x| = 1, |x| − ½ beyond: 1-smooth, convex, not quadratic."""
    return x * x / 2 if abs(x) <= 1 else abs(x) - fmpq(1, 2)


def huber_gradient(x: fmpq) -> fmpq:
    """Its derivative: x clipped to [−1, 1]."""
    return max(fmpq(-1), min(fmpq(1), x))


@claim(
    "The descent lemma holds on every path, for every η > 0.",
    part_of="corrected",
    controls=(Control("half the errors", "two errors may add up", {"doubled": 1}),),
)
def descent(ctx: Context, *, doubled: int = 2) -> Iterable[Evidence]:
    """The largest left minus right side of the descent lemma over random rational (x, m, m̄, η) on the Huber function.

    `doubled` is the factor before η/2·(‖m − m̄‖² + ‖ē‖²).
    """
    rng = Streams(*ctx.stream("descent")).generator(0)
    worst = fmpq(-1000)
    for eta in map(as_fmpq, (*STEPS, Fraction(1), Fraction(3))):
        for _ in range(ctx.scaled(1200)):
            x, m, bar = rationals(rng, 3)
            gradient = huber_gradient(x)
            right = huber(x) - eta / 2 * gradient**2 - eta / 2 * (1 - eta) * m**2
            right += doubled * eta / 2 * ((m - bar) ** 2 + (bar - gradient) ** 2)
            worst = max(worst, huber(x - eta * m) - right)
    yield Evidence(
        "largest f(x_t) − right side",
        as_fraction(worst),
        "<=",
        Fraction(0),
        "exact",
        scale=1.0,
        covers="smoothness, −2⟨∇f, m⟩ = ‖m − ∇f‖² − ‖∇f‖² − ‖m‖², ‖a + b‖² ≤ 2‖a‖² + 2‖b‖² (upper_bound.md)",
    )


@claim(
    "E‖ē_t‖² obeys its recursion, whatever the aggregate was.",
    part_of="corrected",
    controls=(Control("without 1/α", "errors and drift may add up", {"over_alpha": False}),),
)
def error_recursion(ctx: Context, *, over_alpha: bool = True) -> Iterable[Evidence]:
    """E[‖ē_t‖² | past] minus its bound, noise ±1 averaged exactly, over random rational ē_{t−1}, changes of ∇f, α.

    The change of the gradient is anything up to Lη‖m_{t−1}‖. `over_alpha` keeps the factor 1/α.
    """
    rng = Streams(*ctx.stream("error")).generator(0)
    worst = fmpq(-1000)
    for eta in map(as_fmpq, STEPS):
        alpha = 8 * eta
        for _ in range(ctx.scaled(1200)):
            error, m, share = rationals(rng, 3)
            moved = (1 - alpha) * (error + share / 4 * eta * m)  # |share/4| ≤ 1
            left = sum(((moved + alpha * noise) ** 2 for noise in (-1, 1)), fmpq(0)) / 2
            factor = (1 - alpha) ** 2 / alpha if over_alpha else (1 - alpha) ** 2
            worst = max(worst, left - (1 - alpha) * error**2 - factor * (eta * m) ** 2 - alpha**2)
    yield Evidence(
        "largest E‖ē_t‖² − right side",
        as_fraction(worst),
        "<=",
        Fraction(0),
        "exact",
        covers="‖a + b‖² ≤ ‖a‖²/(1 − α) + ‖b‖²/α, smoothness, noise unbiased given the past (upper_bound.md)",
    )


@claim(
    "Honest momenta are 2σ²α/(2 − α) apart at most, with α_1 = 1 2σ²(1 − α)^{2(t−1)} more.",
    part_of="corrected",
    controls=(Control("one bound for both", "α_1 = 1 starts from 2σ²", {"start_term": False}),),
)
def dispersion(ctx: Context, *, start_term: bool = True) -> Iterable[Evidence]:
    """ρ_t² of honest momenta: over all noise paths under attack beside its formula, then the formula's bound."""
    for rule in (TrimmedMean(1), Krum(1)):
        for full in (False, True):
            eta = Fraction(1, 32)
            paths = all_paths(rule, ALittleIsEnough(z=1.5), ctx, n=5, f=1, T=3, eta=eta, x0=0.5, full=full)
            first = Fraction(1) if full else 8 * eta
            for t, measured in enumerate(paths.spread_sq, 1):
                formula = float(spread_sq(t, 8 * eta, first))
                what = f"ρ_{t}²/σ² beside its formula, {type(rule).__name__}, α_1 = {first}"
                at = {"rule": type(rule).__name__, "t": t, "alpha_1": float(first)}
                yield Evidence(what, measured, "=", formula, "exact", ROUNDING, at=at)
    worst = Fraction(-1000)
    for eta in STEPS:
        alpha = 8 * eta
        for t in range(1, 30):
            left_over = (1 - alpha) ** (2 * (t - 1)) if start_term else 0
            worst = max(worst, spread_sq(t, alpha, Fraction(1)) - 2 * (alpha / (2 - alpha) + left_over))
            worst = max(worst, spread_sq(t, alpha, alpha) - 2 * alpha / (2 - alpha))
    yield Evidence(
        "largest ρ_t²/σ² − bound, both starts, t < 30",
        worst,
        "<=",
        Fraction(0),
        "exact",
        covers="m_{t,i} − m_{t,j} is a sum of martingale differences, so that variances add (upper_bound.md)",
    )


@claim(
    "The lemmas together give Theorem VI′ for both starts.",
    part_of="corrected",
    controls=(Control("α = Lη", "then E‖m_t‖² is not paid for", {"eight": 1}),),
)
def combination(ctx: Context, *, eight: int = 8) -> Iterable[Evidence]:
    """The largest (1/T)ΣE‖∇f‖² that the lemmas allow, for random sequences E‖m_t‖², over the bound; α = `eight`·η.

    L = σ² = 1: the lemmas are taken with equality, f(x_T) = f* and ‖∇f(x_0)‖² = 2F0. Zero, small and large E‖m_t‖².
    """
    rng = Streams(*ctx.stream("combination")).generator(0)
    for name, bound in (("m_0 = 0", zero_start), ("α_1 = 1", full_start)):
        worst = fmpq(0)
        for eta in map(as_fmpq, STEPS):
            alpha = eight * eta
            for _ in range(max(64, ctx.scaled(160))):
                T = int(rng.integers(1, 13))
                f0, one_over_g, c_delta = map(abs, rationals(rng, 3))
                scales = zip(rationals(rng, T), rng.choice((0, 1, 4096), T), strict=True)
                momenta = [abs(v) * int(k) for v, k in scales]
                first = fmpq(1) if bound is full_start else alpha
                error = (1 - first) ** 2 * 2 * f0 + first**2 * one_over_g
                total = fmpq(0)
                for t in range(1, T + 1):
                    if t > 1:
                        error = (1 - alpha) * error + alpha**2 * one_over_g
                        error += (1 - alpha) ** 2 / alpha * eta**2 * momenta[t - 2]
                    total += 2 * c_delta * spread_sq(t, alpha, first) + 2 * error - (1 - eta) * momenta[t - 1]
                largest = (2 * f0 / eta + total) / T
                most = bound(T, eta, f0, 2 * c_delta + one_over_g)
                worst = max(worst, largest / most if most else fmpq(int(largest > 0) * 10**9))
        yield Evidence(
            f"largest (what the lemmas allow)/bound, {name}",
            as_fraction(worst),
            "<=",
            Fraction(1),
            "exact",
            covers="each E‖m_t‖² comes with (1 − α)²/32 − (1 − Lη) < 0, geometric sums do the rest (upper_bound.md)",
        )
