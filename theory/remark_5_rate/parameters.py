"""What Section 6 says of η and α in numbers: the displayed order, and few attackers. The proof is in `rate.md`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction

from sims.checks.evidence import Evidence
from theory.claim import Context, Control, claim
from theory.theorem_vi_momentum.bound import best_step, zero_start


def printed_step_sq(f0: Fraction, n: int, c_delta: Fraction) -> Fraction:
    """η²T where the cap 1/(8L) does not bind; σ² = L = 1."""
    return (f0 + Fraction(5, 16) * c_delta) / (20 * (Fraction(2, n) + c_delta))


def displayed(n: int, delta: Fraction) -> Fraction:
    """The square of the displayed order, times Tσ²."""
    return Fraction(1, n) + delta


@claim(
    "η and α are of the order √(1/(nTσ²) + δ/(Tσ²)), as it is displayed.",
    part_of="printed",
    point=15,
    controls=(
        Control(
            "1 over that root",
            "Theorem VI's own η is of that order",
            {"order": lambda n, delta: 1 / displayed(n, delta)},
            expect="survives",
        ),
    ),
)
def displayed_order(ctx: Context, *, order: Callable[[int, Fraction], Fraction] = displayed) -> Iterable[Evidence]:
    """How far Theorem VI's η over the order varies over n and δ at F0 = σ²/L, c = 1; claimed: by no more than C."""
    for constant, n in ((3, 10), (10**3, 10**4), (10**6, 10**7)):
        shares = [
            printed_step_sq(Fraction(1), m, delta) / order(m, delta)
            for m in (1, n)
            for delta in (Fraction(0), Fraction(1, 10), Fraction(2, 5))
        ]
        what = f"largest over least of η² over its order, n = 1 and {n}, δ = 0, 1/10, 2/5"
        yield Evidence(what, max(shares) / min(shares), "<=", constant, "exact", at={"n": n, "c": 1})


def loss(rho: float) -> float:
    """(1 + ρ)/(2√ρ): what VI′ loses where the noise is ρ times what its step was made for."""
    return (1 + rho) / (2 * math.sqrt(rho))


@claim(
    "With δ = a/n the η and α that are best without attackers cost VI′ (m_0 = 0) no more than the factor (1 + "
    "ρ)/(2√ρ), ρ = 2ca + 1/(1 − δ), which is bounded as n grows: they can remain.",
    part_of=("printed", "corrected"),
    point=15,
    controls=(
        Control("a√n attackers", "then the factor grows with n", {"attackers": lambda a, n: a * math.isqrt(n)}),
        Control("no loss", "with one attacker it is 6 %", {"factor": lambda rho: 1.0}),
    ),
)
def may_remain(
    ctx: Context,
    *,
    attackers: Callable[[int, int], int] = lambda a, n: a,
    factor: Callable[[float], float] = loss,
) -> Iterable[Evidence]:
    """VI′ at the η best for κ = 1/n over VI′ at its own best η, in rationals, with the trimmed mean's c of a/n."""
    for n, a, T in ((10, 1, 10**4), (1000, 1, 10**8), (10**6, 1, 10**10), (1000, 5, 10**4), (10**6, 5, 10**12)):
        f = attackers(a, n)
        c = Fraction(n, 2 * (n - 2 * a))
        kappa = 2 * c * Fraction(f, n) + Fraction(1, n - f)
        stay, own = (Fraction(best_step(T, 1.0, float(k))) for k in (Fraction(1, n), kappa))
        yield Evidence(
            f"VI′ with η of δ = 0 over VI′ with its own best η at n = {n}, f = {f}, T = {T}",
            zero_start(T, stay, Fraction(1), kappa) / zero_start(T, own, Fraction(1), kappa),
            "<=",
            factor(float(2 * c * a + Fraction(n, n - a))),
            "exact",
            error=1e-9,
            covers="a sum A/η + κη at a step made for another κ (rate.md)",
            at={"n": n, "f": f, "T": T},
        )
