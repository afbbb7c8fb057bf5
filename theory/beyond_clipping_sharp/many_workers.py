"""Claims: with many workers clipping at the best radius errs by the lower bound of Theorem III (`many_workers.md`)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from sims.checks.evidence import Evidence
from sims.checks.laws import binomial
from sims.checks.polynomials import nonnegative, quotients, vanishes
from theory.beyond_clipping_sharp.rest import resting_place
from theory.claim import Context, Control, claim

SIZES = ((10, 2), (20, 6), (40, 6))


def best_square(delta: Fraction) -> Fraction:
    """τ*²/ρ² = (1 − δ)²/(8δ(1 − 2δ))."""
    return (1 - delta) ** 2 / (8 * delta * (1 - 2 * delta))


def needed(n: int, f: int, p: Fraction, times: Fraction = Fraction(1)) -> Fraction:
    """E(v_∞ − x̄)²/(δρ²) of good messages that are iid, 1 with probability p and 0 else, radius `times`·τ*.

    All outcomes are enumerated, each with all f bad messages far out on its worse side. The radius is a rational within
    10⁻⁹ of the one named.
    """
    g, rho_sq = n - f, 2 * p * (1 - p)
    square = best_square(Fraction(f, n)) * rho_sq * times**2
    tau = Fraction(math.isqrt(int(square * 10**18)), 10**9)
    total = Fraction(0)
    for ones, mass in enumerate(binomial(g, p)):
        mean = Fraction(ones, g)
        right = resting_place({Fraction(1): ones, Fraction(0): g - ones}, f, tau) - mean
        left = resting_place({Fraction(-1): ones, Fraction(0): g - ones}, f, tau) + mean
        total += mass * max(right * right, left * left)
    return total / (Fraction(f, n) * rho_sq)


def limit_of_all(delta: Fraction) -> Fraction:
    """1/(2(1 − 2δ)), Theorem III's limit."""
    return 1 / (2 * (1 - 2 * delta))


@claim(
    "At every n, with τ* = (1 − δ)ρ/√(8δ(1 − 2δ)): E‖v_∞ − x̄‖² ≤ (1 + K/(4g))·δρ²/(2(1 − 2δ)), K = avg E a_i⁴/σ⁴.",
    part_of="corrected",
    controls=(
        Control("twice the radius", "that costs 56 %", {"times": Fraction(2)}),
        Control("half the bound", "it is nearly attained", {"of_bound": Fraction(1, 2)}),
    ),
)
def fourth_moments(
    ctx: Context, *, times: Fraction = Fraction(1), of_bound: Fraction = Fraction(1)
) -> Iterable[Evidence]:
    """The identities, then c of clipping at rest by enumeration of all outcomes on two values; claimed: the bound."""
    d, best, V, U, s, square = quotients("d best V U s s_sq")  # all radii and variances, ρ² = 2σ²
    beta = d / (1 - d)
    sigma_sq = 4 * beta * (1 - beta) * best**2
    least_sq = beta / (1 - beta) * sigma_sq
    yield vanishes(
        "τ*², D_0² and the bound at τ*",
        best**2 - (1 - d) ** 2 * 2 * sigma_sq / (8 * d * (1 - 2 * d)),
        least_sq - d * 2 * sigma_sq / (2 * (1 - 2 * d)),
        (beta * best + V / (4 * (1 - beta) * best)) ** 2 - least_sq / 4 * (1 + V / sigma_sq) ** 2,
    )
    mean = U / (1 + s)  # E U ≤ σ² = U; V is Var U here
    of_square = (1 + 2 * mean / U + (V + mean**2) / U**2) / 4
    yield nonnegative("1 + Var U/(4σ⁴) − ¼E(1 + U/σ²)² where E U ≤ σ² (step 1)", 1 + V / (4 * U**2) - of_square)
    part = d / (d + square * (1 - 2 * d))
    yield vanishes(
        "the variance of the two values, and 1 + β − 2p as a multiple of s² − δ (step 4)",
        4 * (1 - beta) ** 2 * square * best**2 * part / (1 - part) - sigma_sq,
        1 + beta - 2 * part - (square - d) * (1 - 2 * d) / ((1 - d) * (d + square * (1 - 2 * d))),
    )
    for n, f in SIZES:
        beta = Fraction(f, n - f)
        for p in (beta, Fraction(1, 2)):
            fourth = (1 - 3 * p * (1 - p)) / (p * (1 - p))
            yield Evidence(
                f"E(v_∞ − x̄)²/(δρ²), two values, p = {p}, n = {n}, f = {f}",
                needed(n, f, p, times),
                "<=",
                of_bound * limit_of_all(Fraction(f, n)) * (1 + fourth / (4 * (n - f))),
                "exact",
                covers="all distributions: V ≤ U, E U ≤ σ² and Var U ≤ Kσ⁴/g in the bound on paths (many_workers.md)",
                at={"n": n, "f": f},
            )


@claim(
    "c_n(sτ*) → ¼(s + 1/s)²/(2(1 − 2δ)) as n → ∞, for s ≥ √δ: what two values leave below that at least halves when "
    "n is four times as large.",
    loose="half is the rate of fluctuations of messages, 1/√n; what is measured falls like 1/n",
    controls=(
        Control("without 1/s", "a small radius errs, too", {"small": Fraction(0)}),
        Control("the limit of s = 1", "twice the radius costs 56 %", {"best": True}),
    ),
)
def limit(ctx: Context, *, small: Fraction = Fraction(1), best: bool = False) -> Iterable[Evidence]:
    """1 − c/limit on the two values of step 4 at n = 120 over that at n = 30, f = n/5; claimed: ≤ ½."""
    delta = Fraction(1, 5)
    for s in (Fraction(1), Fraction(2), Fraction(3, 4)):
        p = delta / (delta + s * s * (1 - 2 * delta))
        limit_at = limit_of_all(delta) * ((s + small / s) ** 2 / 4 if not best else 1)
        few, many = (abs(1 - needed(n, n // 5, p, s) / limit_at) for n in (30, 120))
        yield Evidence(
            f"|1 − c/limit| at n = 120 over that at n = 30, two values, p = {p}, s = {s}, δ = {delta}",
            many / few,
            "<=",
            Fraction(1, 2),
            "exact",
            at={"delta": float(delta), "s": float(s)},
        )


def least_pull(distance: float, tau: float, places: np.ndarray) -> float:
    """The least E clip_τ(D − X) over distributions of X on `places` with mean 0 and variance at most 1."""
    from scipy.optimize import linprog

    solved = linprog(
        np.clip(distance - places, -tau, tau),
        A_ub=[places**2],
        b_ub=[1.0],
        A_eq=[np.ones_like(places), places],
        b_eq=[1.0, 0.0],
        bounds=(0, None),
    )
    return float(solved.fun)


@claim(
    "Of all distributions of mean 0 and variance 1 on a grid, a linear programme finds one that reaches the bound to "
    "0.1 %, and none beyond.",
    controls=(
        Control("one per cent farther", "no distribution is there", {"farther": 1.01}),
        Control("half the variance", "then the distance is smaller", {"of_grid": 0.5}),
    ),
)
def programme(ctx: Context, *, farther: float = 1.0, of_grid: float = 1.0) -> Iterable[Evidence]:
    """The least pull at the distance of the bound, over βτ; claimed: 1. `of_grid` scales all places."""
    for delta, s in ((0.05, 1.0), (0.25, 2.0), (0.45, 1.0)):
        beta = delta / (1 - delta)
        tau = s / (2 * math.sqrt(beta * (1 - beta)))
        distance = farther * (beta * tau + 1 / (4 * (1 - beta) * tau))
        places = np.linspace(-9, 9, 1441)
        yield Evidence(
            f"least pull of a distribution on the grid at D = βτ + 1/(4(1 − β)τ) over βτ, δ = {delta}, s = {s}",
            least_pull(distance / of_grid, tau / of_grid, places) * of_grid / (beta * tau),
            "=",
            1.0,
            "searched",
            error=1e-3,
            at={"delta": delta, "s": s},
        )
