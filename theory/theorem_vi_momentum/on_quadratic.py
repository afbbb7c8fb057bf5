"""Theorem VI on f = ½x² with the mean, in rationals and balls: where the printed bound fails, and where ours holds.

Units L = σ²/g = 1, δ = 0 (`moments.py`). The proof is in `on_quadratic.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from flint import arb

from sims.checks.evidence import Evidence, Relation
from theory.claim import Context, Control, claim
from theory.theorem_vi_momentum.bound import (
    critical_start,
    full_start,
    grid,
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


@claim(
    "With α_1 = 1 the printed bound holds at δ = 0, for every T and F0.",
    part_of="printed",
    point=13,
    controls=(
        Control("m_0 = 0", "Algorithm 2's own start has no noisy first step", {"first": None}, "survives"),
        Control("Theorem VI′", "it counts the first message's noise", {"bound": ours_at}, "survives"),
    ),
)
def printed_bound(
    ctx: Context, *, first: Fraction | None = ONE, bound: Callable[[int, Fraction], Fraction] = printed_rational
) -> Iterable[Evidence]:
    """(1/T)ΣE‖∇f‖² on f = ½x² with the mean, δ = 0, the printed η, beside the printed bound; units L = σ²/n = 1.

    `first` is α_1, None for m_0 = 0 and constant α.
    """
    T, eta = SMALLEST
    for rounds in (T, T - 1):
        value = exact_average(rounds, eta, start_of(rounds, eta), first, bits=BITS)
        what = f"mean square gradient, T = {rounds}, η = 1/{eta.denominator}, rounded down to 2^−{BITS}"
        yield Evidence(
            what, value, "<=", bound(rounds, eta), "exact", error=2.0**-BITS, at={"T": rounds, "eta": float(eta)}
        )
    found: dict[int, tuple[float, float, Fraction]] = {}  # T → largest measured/bound, its error, η
    for T, eta in grid():
        quotient = average_ball(T, eta, start_of(T, eta), first) / arb(as_fmpq(bound(T, eta)))
        found[T] = max(found.get(T, (0.0, 0.0, eta)), (*middle_and_error(quotient), eta))
    for T, (value, error, eta) in found.items():
        what = f"largest measured/bound over η at T = {T}, at η = 2^−{eta.denominator.bit_length() - 1}"
        yield Evidence(what, value, "<=", 1, "exact", error, at={"T": T, "eta": float(eta)})


def ratio(T: int, eta: Fraction, first: Fraction | None) -> arb:
    """A ball around measured/printed at F0 = 40Tη²."""
    return average_ball(T, eta, start_of(T, eta), first) / arb(as_fmpq(printed_rational(T, eta)))


@claim(
    "With α_1 = 1 and F0 = 2.5σ²/(nLT) the printed bound is too small by a factor of T/20000, T ≥ 10⁵.",
    controls=(Control("m_0 = 0", "then the bound holds", {"first": None}),),
)
def by_any_factor(ctx: Context, *, first: Fraction | None = ONE) -> Iterable[Evidence]:
    """Measured/printed at F0 = 2.5/T (η = 1/4T); claimed: at least T/20000."""
    for power in range(5, 13):
        T = 10**power
        value, error = middle_and_error(ratio(T, Fraction(1, 4 * T), first))
        yield Evidence(
            f"measured/printed, T = 10^{power}, F0 = 2.5/T", value, ">=", T / 20000, "exact", error, at={"T": T}
        )


@claim(
    "As T → ∞ at a fixed F0 the printed bound fails on the quadratic for F0 < (5/4542)σ²/(nL), not above.",
    controls=(
        Control("twice that", "there it holds", {"critical": 2 * critical_start()}),
        Control("half of that", "there it still fails", {"critical": critical_start() / 2}),
    ),
)
def boundary(ctx: Context, *, critical: Fraction | None = None) -> Iterable[Evidence]:
    """Measured/printed at T = 10^12, with F0 1 % below the critical start (claimed ≥ 1) and 1 % above (≤ 1)."""
    T, where = 10**12, critical_start() if critical is None else critical
    link = "the limit T → ∞, from the integral of x² along x'' + 8x' + 8x = 0 (on_quadratic.md)"
    sides: tuple[tuple[float, Relation], ...] = ((0.99, ">="), (1.01, "<="))
    for share, relation in sides:
        eta = Fraction(printed_step(T, share * float(where), 1))  # F0 = 40Tη² follows from it, exactly
        value, error = middle_and_error(ratio(T, eta, ONE))
        what = f"measured/printed, T = 10^12, F0 = {share:g}·critical"
        at = {"T": T, "F0": share * float(where)}
        yield Evidence(what, value, relation, 1, "exact", error, covers=link, at=at)


@claim(
    "Theorem VI′ holds for both starts on f = ½Lx² with the mean, over a grid of T, η and F0.",
    loose="a bound for every case: these instances do not attain it",
    controls=(
        Control("a third of it", "it is tight up to a factor of 2.3", {"factor": Fraction(1, 3)}),
        Control("α_1 = 1 in the first", "m_0 = 0 does not pay for the noise", {"first": ONE}),
    ),
)
def on_the_quadratic(ctx: Context, *, first: Fraction | None = None, factor: Fraction = ONE) -> Iterable[Evidence]:
    """Measured beside Theorem VI′ (times `factor`) for each start: the largest quotient over (T, η, F0), in balls."""
    for name, alpha_1, bound in (("m_0 = 0", first, zero_start), ("α_1 = 1", ONE, full_start)):
        worst, where, slack, at = 0.0, "", 0.0, {}
        for T, eta in grid(every=3 if ctx.budget == "quick" else 1):
            for f0 in (Fraction(0), Fraction(1, 10**6), Fraction(1, 100), ONE, Fraction(100)):
                claimed = factor * bound(T, eta, f0, ONE)
                value, error = middle_and_error(average_ball(T, eta, f0, alpha_1) / arb(as_fmpq(claimed)))
                if value > worst:
                    worst, slack, where = value, error, f"T = {T}, η = {eta}, F0 = {f0}"
                    at = {"T": T, "eta": float(eta), "F0": float(f0)}
        yield Evidence(f"largest measured/bound, {name}, at {where}", worst, "<=", 1, "exact", slack, at=at)
