"""Huber contamination: two distributions with one mixture, and how far apart their means can be.

Messages are iid from (1 − δ)D + δQ. Two distributions D with one mixture force δρ²/(2(1 − 2δ)) on every rule at every
n, and no two with one mixture are further apart, in any dimension: the proof is in `contamination.md`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from sims.checks.evidence import Evidence
from theory.claim import Context, Control, claim
from theory.theorem_iii_limits.least_error import independent_messages, least_error
from theory.theorem_iii_limits.linear_program import largest_gap_by_linear_programming

Law = dict[int, Fraction]  # place → probability
DELTAS = tuple(Fraction(i, 40) for i in range(1, 20))  # 19 points: more than the degree of any identity checked on them


def mean(law: Law) -> Fraction:
    """E X of a law on whole numbers."""
    return sum((place * mass for place, mass in law.items()), Fraction(0))


def variance(law: Law) -> Fraction:
    """E X² − (E X)²."""
    return sum((place**2 * mass for place, mass in law.items()), Fraction(0)) - mean(law) ** 2


def mixture(good: Law, bad: Law, delta: Fraction) -> Law:
    """(1 − δ)·good + δ·bad."""
    places = good.keys() | bad.keys()
    law = {x: (1 - delta) * good.get(x, Fraction(0)) + delta * bad.get(x, Fraction(0)) for x in places}
    return {x: mass for x, mass in law.items() if mass}


def spike(sign: int, delta: Fraction) -> Law:
    """D_±: 0, and ±1 with probability ε = δ/(1 − δ)."""
    eps = delta / (1 - delta)
    return {0: 1 - eps, sign: eps}


def huber_constant(delta: Any) -> Any:
    """δ/(2(1 − 2δ)), a fraction of a fraction and a float of a float."""
    return delta * (1 / (2 * (1 - 2 * delta)))


@claim(
    "There is one distribution on which every rule errs by E‖x̂ − μ‖² ≥ δρ², the printed order of quantifiers.",
    part_of="printed",
    point=9,
    controls=(
        Control("two distributions", "with means ±εh no constant serves both", {"signs": (1, -1)}, expect="survives"),
    ),
)
def one_law(ctx: Context, *, signs: tuple[int, ...] = (1,), n: int = 2) -> Iterable[Evidence]:
    """The least error²/ρ² of any rule that sees n messages, given that they come from D_sign, no message bad."""
    for delta in DELTAS[10:]:
        laws = [spike(sign, delta) for sign in signs]
        mixed = [mixture(law, {-sign: Fraction(1)}, delta) for law, sign in zip(laws, signs, strict=True)]
        worlds = [independent_messages(seen, mean(law), n) for seen, law in zip(mixed, laws, strict=True)]
        yield Evidence(
            f"least error²/ρ² of any rule, distributions: {len(laws)}, n = {n}, δ = {float(delta):g}",
            least_error(worlds) / (2 * variance(laws[0])),
            ">=",
            delta,
            "exact",
            at={"n": n, "delta": delta},
        )


@claim(
    "Two distributions force E(x̂ − μ)² ≥ δρ²/(2(1 − 2δ)) on every rule, under Huber contamination at every n and "
    "δ < ½.",
    part_of="corrected",
    point=9,
    controls=(
        Control(
            "5 % more",
            "the two distributions are exactly that far apart",
            {"constant": lambda d: Fraction(21, 20) * d / (2 * (1 - 2 * d))},
        ),
        Control(
            "an idle adversary",
            "without the mirrored message the two mixtures differ",
            {"bad_place": lambda sign: 0},
        ),
    ),
)
def huber_floor(
    ctx: Context,
    *,
    constant: Callable[[Fraction], Fraction] = huber_constant,
    bad_place: Callable[[int], int] = lambda sign: -sign,
    n: int = 2,
) -> Iterable[Evidence]:
    """The least error² of any rule that sees n messages from either world, in units of ρ², beside the claim."""
    for delta in DELTAS:
        good = [spike(sign, delta) for sign in (1, -1)]
        mixed = [mixture(law, {bad_place(sign): Fraction(1)}, delta) for law, sign in zip(good, (1, -1), strict=True)]
        worlds = [independent_messages(seen, mean(law), n) for seen, law in zip(mixed, good, strict=True)]
        yield Evidence(
            f"least error²/ρ² of any rule, δ = {float(delta):g}, n = {n}",
            least_error(worlds) / (2 * variance(good[0])),
            "=",
            constant(delta),
            "exact",
            covers="one mixture, so n messages are alike for every n and δ (contamination.md, steps 3 and 4)",
            at={"n": n, "delta": delta},
        )


def widest_pair(shared: int, parts: int = 8, places: tuple[int, ...] = (-2, -1, 0, 1, 2)) -> tuple[Fraction, int]:
    """The largest (half gap)²/ρ² over pairs of laws on `places` with TV ≤ shared/parts, and the number of such pairs.

    All laws with masses in 1/parts, in whole numbers; ρ² is twice the larger variance.
    """
    cuts = itertools.combinations(range(parts + len(places) - 1), len(places) - 1)
    mass = np.array([np.diff([-1, *cut, parts + len(places) - 1]) - 1 for cut in cuts])
    means = mass @ np.array(places)  # times parts
    variances = parts * (mass @ np.array(places) ** 2) - means**2  # times parts²
    near = np.sum(np.abs(mass[:, None] - mass[None]), axis=-1) <= 2 * shared
    largest = np.maximum(variances[:, None], variances[None])
    gaps = (means[:, None] - means[None]) ** 2
    ratio = np.where(near & (largest > 0), gaps / np.maximum(largest, 1), 0.0)
    i, j = np.unravel_index(np.argmax(ratio), ratio.shape)  # ratios of small integers: floats that tie are equal
    return Fraction(int(gaps[i, j]), 8 * int(largest[i, j])), int(np.sum(near))


@claim(
    "No two distributions with one mixture are further apart than these two, in any dimension.",
    part_of="corrected",
    point=9,
    controls=(
        Control("90 % of it", "the two distributions are further apart", {"claim": lambda d: 0.9 * huber_constant(d)}),
    ),
)
def sharp(ctx: Context, *, claim: Callable[[Any], Any] = huber_constant) -> Iterable[Evidence]:
    """The largest (half gap)²/ρ² between two laws with one mixture, beside the claim.

    Over all pairs of laws on five places with masses in eighths, exactly; then by linear programming, which puts in
    nothing of the construction.
    """
    link = "a common part of mass 1 − ε, and the variance between it and the rest: ε(1 − ε)‖e‖² ≤ ρ²/2"
    for shared in (1, 2, 3, 4):
        delta = Fraction(shared, 8 + shared)  # ε = δ/(1 − δ) = shared/8
        value, count = widest_pair(shared)
        what = f"largest error²/ρ² that any of {count} pairs of distributions on five places forces, δ = {delta}"
        yield Evidence(what, value, "<=", claim(delta), "exact", covers=link, at={"delta": delta})
    for delta in (0.05, 0.1, 0.2, 0.3, 0.4):
        value, error = largest_gap_by_linear_programming(delta)
        what = f"largest error²/ρ² that two distributions force at δ = {delta:g}"
        yield Evidence(what, value, "<=", claim(delta), "searched", error, resolution=0.02, at={"delta": delta})
