"""Centered clipping from a v_0 that is random, adversarial or a function of the messages: `many_steps.md`, step 15.

B_0² ≥ E‖v_0 − μ̄‖², μ̄ = E x̄. What the bounds of Theorem IV then lack is at most (5/3)√E[D_0²; D_0 > θτ_0] in the root,
which is 0 if ‖v_0 − μ̄‖ ≤ B_0 surely. Here that number is computed for each sequence of radii, and held against a v_0
that is far away with a small probability, and one that is chosen after the messages.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from sims.aggregators import CenteredClipping
from sims.checks.evidence import Evidence
from sims.checks.polynomials import Quotient, nonnegative, quotients
from sims.checks.two_point import binomial_pmf
from theory.claim import Context, Control, claim
from theory.theorem_iv_centered_clipping.attacked import FAR, OURS
from theory.theorem_iv_centered_clipping.far_centres import RHO_SQ, least_error
from theory.theorem_iv_centered_clipping.many_steps import FAST, PLAIN, RECONSTRUCTED, Schedule

LINK = "steps (iv) and (v) on the paths with D_0 > θτ_0 (proof in theory/theorem_iv_centered_clipping/many_steps.md)"


def of_far_paths(schedule: Schedule) -> Fraction:
    """c_5 = max(1, c_qκ/θ, (κ + p)/θ): D_l ≤ c_5 D_0 where D_0 > θτ_0 and R ≤ κτ_*."""
    p = schedule.q / (1 - schedule.q)
    c_q = (1 + p * p) / (1 - p * p)
    return max(Fraction(1), c_q * schedule.kappa / schedule.theta, (schedule.kappa + p) / schedule.theta)


def of_far_paths_without_tail(x: Quotient) -> tuple[Quotient, Quotient, Quotient]:
    """The three terms of c_5 with 1 − θ for κ, and the radii of `every_delta.md`, x = 2δ."""
    theta, q = (1 + x) / 2, (1 + x) / 4
    p = q / (1 - q)
    c_q = (1 + p * p) / (1 - p * p)
    return 1 + 0 * x, c_q * (1 - theta) / theta, (1 - theta + p) / theta


def far_with_small_probability(n: int, f: int, steps: int, times: Fraction) -> tuple[float, float]:
    """√E(v_l − x̄)² from below, and the bound: coins, v_0 = μ + D with probability P = B_0²/D², else μ; FAST radii.

    D = 10⁶B_0 and B_0 = 10³ρ.
    """
    delta, base = Fraction(f, n), 1000 * math.sqrt(RHO_SQ)
    radii = [Fraction(float(OURS.radii(f / n, base**2, float(RHO_SQ), step))) for step in range(steps)]
    away = 10**6 * base
    reached = math.sqrt(float(least_error(n, f, Fraction(away), radii))) * base / away
    return reached, math.sqrt(OURS.of(float(delta), base**2, float(RHO_SQ), steps)) + float(times) * base


def after_the_messages(n: int, f: int, p: float, away: float, steps: int, known: bool) -> float:
    """√E(v_l − x̄)²/√(the bound) at its largest: coins of probability p, v_0 = μ ± B_0, the worse for each outcome.

    B_0 = away·ρ, FAST radii; all bad messages beyond, on the worse side. Not `known`: the radii take B_0 for 0.
    """
    g, rho_sq = n - f, 2 * p * (1 - p)
    base = away * math.sqrt(rho_sq)
    ones = np.arange(g + 1)
    honest = np.arange(g) < ones[:, None]
    worst, best = np.zeros((steps, g + 1)), 0.0
    for start in (-1, 1):
        for side in (-FAR, FAR):
            v = np.full((g + 1, 1), p + start * base)
            for step in range(steps):
                tau = OURS.radii(f / n, base**2 if known else 0.0, rho_sq, step)
                rows = np.concatenate([honest, v + np.full((g + 1, f), side)], axis=1)[..., None]
                v, _ = CenteredClipping(tau)(rows, v)
                worst[step] = np.maximum(worst[step], (v[:, 0] - ones / g) ** 2)
    pmf = binomial_pmf(g, np.array([p]))[0]
    for step in range(steps):
        best = max(best, math.sqrt(pmf @ worst[step] / OURS.of(f / n, base**2, rho_sq, step + 1)))
    return best


@claim(
    "v_0 may be random and may depend on all messages: with B_0² ≥ E‖v_0 − μ̄‖² the bounds hold, and √E‖v_l − x̄‖² needs "
    "(5/3)√E[D_0²; D_0 > θτ_0] more, D_0 = ‖v_0 − μ̄‖, which is 0 if D_0 ≤ B_0 surely.",
    part_of="corrected",
    controls=(
        Control("8/5", "for small δ and κ + p it is 5/3", {"times": Fraction(8, 5)}),
        Control("no such term", "a far centre of small probability needs one", {"times": Fraction(0)}),
        Control("radii that take B_0 for 0", "they do not reach the honest messages", {"known": False}),
    ),
)
def any_centre(ctx: Context, *, times: Fraction = Fraction(5, 3), known: bool = True) -> Iterable[Evidence]:
    """c_5 of each sequence of radii, then errors over bounds for two such v_0; claimed: 5/3, and 1."""
    for name, schedule in (("reconstructed", RECONSTRUCTED), ("plain", PLAIN), ("fast", FAST)):
        yield Evidence(f"c_5, {name} radii", of_far_paths(schedule), "<=", times, "exact", covers=LINK)
    (z,) = quotients("z")
    terms = of_far_paths_without_tail(z / (1 + z))
    yield nonnegative("5/3 − c_5, radii for every δ < ½", *(times - term for term in terms))
    reached, allowed = far_with_small_probability(40, 6, 12, times)
    what = "√E(v_l − x̄)²/bound, v_0 at 10⁶B_0 with probability 10⁻¹², n = 40, f = 6, l = 12"
    yield Evidence(what, reached / allowed, "<=", 1.0, "exact", error=1e-9, at={"n": 40, "f": 6, "l": 12})
    for n, f in ((7, 1), (20, 3)):
        found = max(after_the_messages(n, f, p, away, 8, known) for p in (0.1, 0.5) for away in (1.0, 30.0, 1000.0))
        what = f"√E(v_l − x̄)²/√bound, v_0 at ±B_0 after the messages, n = {n}, f = {f}, l ≤ 8"
        yield Evidence(what, found, "<=", 1.0, "searched", at={"n": n, "f": f})
