"""Theorem IV as printed, "from any v_0", with τ_l² = O(ρ²/δ): two ways in which a far centre refutes it, exactly.

A random v_0 that is far away with a small probability, independent of the messages; and a fixed one, if the radius does
not grow with its distance. Why every such radius fails is in `far_centres.md`; here are the instances, in rationals.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from sims.aggregators import CenteredClipping
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from theory.claim import Context, Control, claim

RHO_SQ = Fraction(1, 2)  # of fair coins on {0, 1}
Radii = Callable[[Fraction, Fraction, int], list[Fraction]]  # (δ, B², steps) → τ_0, …


def scheduled(delta: Fraction, centre_sq: Fraction, steps: int) -> list[Fraction]:
    """τ_l² = 4(1 − δ)(B_l²/3 + ρ²)/(√3 δ), B_{l+1}² = 6.45δB_l² + 22.1δρ², each as a float's rational."""
    radii, b_sq = [], float(centre_sq)
    for _ in range(steps):
        d = float(delta)
        radii.append(Fraction(math.sqrt(4 * (1 - d) * (b_sq / 3 + float(RHO_SQ)) / (math.sqrt(3) * d))))
        b_sq = 6.45 * d * b_sq + 22.1 * d * float(RHO_SQ)
    return radii


def constant_radii(factor: int) -> Radii:
    """τ² = factor·ρ²/δ for every step, whatever B is (as a float's rational)."""
    return lambda delta, centre_sq, steps: [Fraction(math.sqrt(factor * float(RHO_SQ / delta)))] * steps


def printed_bound(delta: Fraction, centre_sq: Fraction, steps: int) -> Fraction:
    """2(6.45δ)^l B² + 1360δρ²."""
    return 2 * (Fraction("6.45") * delta) ** steps * centre_sq + 1360 * delta * RHO_SQ


def least_error(n: int, f: int, away: Fraction, radii: Sequence[Fraction]) -> Fraction:
    """A lower bound of E(v_l − x̄)² from v_0 = ½ + away, away > 0, the Byzantine workers on the far side of v_0.

    v_l for all coins at 0 bounds every v_l from below; E(v_l − x̄)² ≥ (v_l − ½)²_+ + Var x̄ if v_l is the same for
    all coins, else (v_l − 1)²_+.
    """
    g = n - f
    low = high = Fraction(1, 2) + away
    for tau in radii:
        far = [[high + 10 * tau]] * f
        low = exact_aggregate(CenteredClipping(tau), [[Fraction(0)]] * g + far, [low])[0]
        high = exact_aggregate(CenteredClipping(tau), [[Fraction(1)]] * g + far, [high])[0]
    assert low <= high
    if low == high:
        return max(low - Fraction(1, 2), Fraction(0)) ** 2 + Fraction(1, 4 * g)
    return max(low - 1, Fraction(0)) ** 2


@claim(
    "The bound holds from every v_0 with E‖v_0 − x̄‖² = B², a random one that is independent of the messages included.",
    part_of="printed",
    point=10,
    controls=(Control("v_0 surely at distance B", "then the radius reaches it", {"surely": True}, expect="survives"),),
)
def random_centre(
    ctx: Context,
    *,
    instances: Sequence[tuple[int, int, int]] = ((13, 1, 1), (7, 1, 9), (40, 6, 60)),
    multiple: int = 10**7,
    centre_sq: Fraction = RHO_SQ * 10**6,
    bound: Callable[[Fraction, Fraction, int], Fraction] = printed_bound,
    surely: bool = False,
) -> Iterable[Evidence]:
    """E(v_l − x̄)²/(the printed bound) from below, v_0 far with a small probability, or `surely` at distance B."""
    for n, f, steps in instances:
        delta, variance = Fraction(f, n), Fraction(1, 4 * (n - f))
        radii = scheduled(delta, centre_sq, steps)
        away = (
            Fraction(math.isqrt(int(10**12 * (centre_sq - variance))), 10**6)
            if surely
            else multiple * sum(radii, Fraction(0))
        )
        probability = Fraction(1) if surely else (centre_sq - variance) / away**2
        error = probability * least_error(n, f, away, radii)
        where = "at B" if surely else "independent of the messages"
        yield Evidence(
            f"E(v_l − x̄)²/bound, v_0 {where}, n = {n}, f = {f}, l = {steps}",
            error / bound(delta, centre_sq, steps),
            "<=",
            Fraction(1),
            "exact",
            at={"n": n, "f": f, "l": steps},
        )


@claim(
    "The bound holds from every fixed v_0 with τ² = Kρ²/δ for all steps, for some constant K.",
    part_of="printed",
    point=10,
    controls=(
        Control("τ grows with B", "as the reconstructed radius does", {"radii": (scheduled,)}, expect="survives"),
    ),
)
def constant_radius(
    ctx: Context,
    *,
    radii: Sequence[Radii] = tuple(constant_radii(k) for k in (1, 100, 10**6)),
    instances: Sequence[tuple[int, int, int]] = ((13, 1, 1), (7, 1, 9), (40, 6, 60)),
) -> Iterable[Evidence]:
    """(v_l − x̄)²/(the printed bound) from below, v_0 = ½ + B fixed, for radii that do not know B."""
    for choose in radii:
        for n, f, steps in instances:
            delta = Fraction(f, n)
            away = 10**9 * steps  # far beyond all steps together
            centre_sq = Fraction(away) ** 2 + Fraction(1, 4 * (n - f))
            chosen = choose(delta, centre_sq, steps)
            yield Evidence(
                f"E(v_l − x̄)²/bound from v_0 = ½ + {away:.0e}, τ_0 = {float(chosen[0]):.3g}, n = {n}, f = {f}, l = "
                f"{steps}",
                least_error(n, f, Fraction(away), chosen) / printed_bound(delta, centre_sq, steps),
                "<=",
                Fraction(1),
                "exact",
                at={"n": n, "f": f, "l": steps, "tau": float(chosen[0])},
            )
