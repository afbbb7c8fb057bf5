"""Theorem VI on f = ½x² with the mean, in rationals and balls: where the printed bound fails, and where ours holds.

Units L = σ²/g = 1, δ = 0 (`moments.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from flint import arb

from sims.checks.evidence import Evidence, Relation
from theory.claim import Context
from theory.theorem_vi_momentum.bound import (
    critical_start,
    full_start,
    grid,
    printed_bound,
    printed_rational,
    printed_step,
    start_of,
    zero_start,
)
from theory.theorem_vi_momentum.moments import as_fmpq, average_ball, exact_average, middle_and_error

ONE = Fraction(1)
SMALLEST = (17_509, Fraction(1, 2**16))  # (T, η): from this T on the printed bound fails at this step
BITS = 64


def ours_at(T: int, eta: Fraction) -> Fraction:
    """Theorem VI′ for α_1 = 1 at the F0 for which the printed step is η; n = g, δ = 0."""
    return full_start(T, eta, start_of(T, eta), ONE)


def printed_holds(
    ctx: Context, *, first: Fraction | None = ONE, bound: Callable[[int, Fraction], Fraction] = printed_rational
) -> Iterable[Evidence]:
    """(1/T)ΣE‖∇f‖² on f = ½x² with the mean, δ = 0, the printed η, beside the printed bound; units L = σ²/n = 1.

    `first` is α_1, None for m_0 = 0 and constant α.
    """
    T, eta = SMALLEST
    for rounds in (T, T - 1):
        value = exact_average(rounds, eta, start_of(rounds, eta), first, bits=BITS)
        what = f"mean square gradient, T = {rounds}, η = 1/{eta.denominator}, rounded down to 2^−{BITS}"
        yield Evidence(what, value, "<=", bound(rounds, eta), "exact", error=2.0**-BITS)
    found: dict[int, tuple[float, float, Fraction]] = {}  # T → largest measured/bound, its error, η
    for T, eta in grid():
        quotient = average_ball(T, eta, start_of(T, eta), first) / arb(as_fmpq(bound(T, eta)))
        found[T] = max(found.get(T, (0.0, 0.0, eta)), (*middle_and_error(quotient), eta))
    for T, (value, error, eta) in found.items():
        what = f"largest measured/bound over η at T = {T}, at η = 2^−{eta.denominator.bit_length() - 1}"
        yield Evidence(what, value, "<=", 1, "exact", error)


def ratio(T: int, eta: Fraction, first: Fraction | None) -> arb:
    """A ball around measured/printed at F0 = 40Tη²."""
    return average_ball(T, eta, start_of(T, eta), first) / arb(as_fmpq(printed_rational(T, eta)))


def fails_by_any_factor(ctx: Context, *, first: Fraction | None = ONE) -> Iterable[Evidence]:
    """Measured/printed at F0 = 2.5/T (η = 1/4T); claimed: at least T/20000."""
    for power in range(5, 13):
        T = 10**power
        value, error = middle_and_error(ratio(T, Fraction(1, 4 * T), first))
        yield Evidence(f"measured/printed, T = 10^{power}, F0 = 2.5/T", value, ">=", T / 20000, "exact", error)


def boundary(ctx: Context, *, critical: Fraction | None = None) -> Iterable[Evidence]:
    """Measured/printed at T = 10^12, with F0 1 % below the critical start (claimed ≥ 1) and 1 % above (≤ 1)."""
    T, where = 10**12, critical_start() if critical is None else critical
    link = "the limit T → ∞, from the integral of x² along x'' + 8x' + 8x = 0 (derivation in the file)"
    sides: tuple[tuple[float, Relation], ...] = ((0.99, ">="), (1.01, "<="))
    for share, relation in sides:
        eta = Fraction(printed_step(T, share * float(where), 1))  # F0 = 40Tη² follows from it, exactly
        value, error = middle_and_error(ratio(T, eta, ONE))
        what = f"measured/printed, T = 10^12, F0 = {share:g}·critical"
        yield Evidence(what, value, relation, 1, "exact", error, covers=link)


def printed_follows(
    ctx: Context, *, ours: Callable[..., Fraction] = zero_start, factor: float = 1.0
) -> Iterable[Evidence]:
    """The largest VI′/printed bound at the printed η over 2808 (T, F0, n, δ, c) with σ = L = 1; claimed: ≤ 1."""
    worst, where = 0.0, ""
    for n in (1, 3, 25, 1000):
        for f in sorted({0, n // 8, (n - 1) // 2}):
            for c in (0.0, 0.5, 10.0, 1360.0) if f else (0.0,):
                kappa = 2 * c * f / n + 1 / (n - f)
                for T in (10**k for k in range(9)):
                    for f0 in (10.0**k for k in range(-8, 5)):
                        eta = printed_step(T, f0, n, c * f / n)
                        value = float(ours(T, eta, f0, kappa)) / printed_bound(T, f0, n, c * f / n) / factor
                        if value > worst:
                            worst, where = value, f"T = {T:.0e}, F0 = {f0:.0e}, n = {n}, f = {f}, c = {c:g}"
    yield Evidence(
        f"largest VI′/printed bound at the printed η, at {where}",
        worst,
        "<=",
        1,
        "exact",
        error=1e-12,
        covers="κ ≤ 2q, q/2 ≤ 1/n + cδ, 10LF0 + 3cδσ² ≥ 9.6LA; at η = 1/8L 20 ≤ 32 (derivation in the file)",
    )


def ours_on_the_quadratic(ctx: Context, *, first: Fraction | None = None, factor: Fraction = ONE) -> Iterable[Evidence]:
    """Measured beside Theorem VI′ (times `factor`) for each start: the largest quotient over (T, η, F0), in balls."""
    for name, alpha_1, bound in (("m_0 = 0", first, zero_start), ("α_1 = 1", ONE, full_start)):
        worst, where, slack = 0.0, "", 0.0
        for T, eta in grid(every=3 if ctx.budget == "quick" else 1):
            for f0 in (Fraction(0), Fraction(1, 10**6), Fraction(1, 100), ONE, Fraction(100)):
                claimed = factor * bound(T, eta, f0, ONE)
                value, error = middle_and_error(average_ball(T, eta, f0, alpha_1) / arb(as_fmpq(claimed)))
                if value > worst:
                    worst, slack, where = value, error, f"T = {T}, η = {eta}, F0 = {f0}"
        yield Evidence(f"largest measured/bound, {name}, at {where}", worst, "<=", 1, "exact", slack)
