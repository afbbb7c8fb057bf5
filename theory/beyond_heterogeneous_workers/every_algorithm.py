"""Claims: what no algorithm can do, whatever it knows of the workers' functions (`every_algorithm.md`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from sims.checks.evidence import Evidence
from sims.checks.polynomials import letters, vanishes
from theory.beyond_heterogeneous_workers.workers import Slope, bent, floor, linear, of, two_cases
from theory.claim import Context, Control, claim

SIZES = ((3, 1), (5, 1), (7, 2), (25, 3), (25, 8))
PLACES = [Fraction(i, 8) for i in range(-40, 41)]  # outputs that are tried; the corners of the functions are among them
Cases = Sequence[Sequence[Slope]]


def best_output(cases: Cases) -> Fraction:
    """min over outputs of the largest ‖∇f‖² of the cases."""
    return min(max(of(case, x)[0] ** 2 for case in cases) for x in PLACES)


def most_apart(cases: Cases, G_sq: Fraction, B_sq: Fraction) -> Fraction:
    """max over points and cases of the heterogeneity over G² + B²‖∇f‖²; 0 where neither is anything."""
    found = [of(case, x) for case in cases for x in PLACES]
    return max(spread / (G_sq + B_sq * slope**2) for slope, spread in found if G_sq + B_sq * slope**2)


def bent_pair(n: int, f: int, steeper: Fraction = Fraction(1), apart: Fraction = Fraction(1)) -> Cases:
    """Huber's functions around ±a, a = c/s, cut off at c = g: for G² = f and f(2 + B²) = n − 1."""
    c = (n - f) * steeper
    return two_cases(n, f, bent(c, apart, c), bent(c, -apart, c))


@claim(
    "No algorithm returns a point of which ‖∇f‖² < δG²/(1 − (2 + B²)δ) is sure, where 2LΔ is no less than that.",
    part_of="corrected",
    controls=(
        Control("10 % steeper", "then the workers differ by more than is allowed", {"steeper": Fraction(11, 10)}),
        Control("nearer to each other", "a point between them is good for both", {"apart": Fraction(1, 2)}),
        Control("honest workers who are known", "then f is, and can be minimised", {"known": True}),
    ),
)
def no_algorithm(
    ctx: Context, *, steeper: Fraction = Fraction(1), apart: Fraction = Fraction(1), known: bool = False
) -> Iterable[Evidence]:
    """The heterogeneity of two cases over what is allowed, and the larger ‖∇f‖² over all outputs, in rationals."""
    n_, f_, b, u = letters("n f b u")
    allowed = f_ * (n_ - 2 * f_) * u - b * f_**2 * u
    yield vanishes("f(n − 2f)u − B²f²u − f(n − (2 + B²)f)u (step 2)", allowed - f_ * (n_ - (2 + b) * f_) * u)
    for n, f in SIZES:
        G_sq, B_sq = Fraction(f), Fraction(n - 1, f) - 2
        cases = bent_pair(n, f, steeper, apart)
        where, at = f"n = {n}, f = {f}, B² = {B_sq}", {"n": n, "f": f}
        what = f"heterogeneity/(G² + B²‖∇f‖²) at most, {where}"
        yield Evidence(what, most_apart(cases, G_sq, B_sq), "<=", 1, "exact", at=at)
        yield Evidence(
            f"larger ‖∇f‖² of the two cases at the best output, {where}",
            best_output(cases[:1] if known else cases),
            ">=",
            floor(n, f, G_sq, B_sq),
            "exact",
            covers="at every point one of the two is cut off (step 1), and u enters linearly (step 2)",
            at=at,
        )


@claim(
    "For a point that is drawn at random, or an average over rounds, this pair forces half of that, and no more.",
    controls=(
        Control("nearer to each other", "a point between them is good for both", {"apart": Fraction(1, 2)}),
        Control("5 % more", "it is the half exactly", {"factor": Fraction(21, 20)}),
    ),
)
def half_at_random(
    ctx: Context, *, apart: Fraction = Fraction(1), factor: Fraction = Fraction(1)
) -> Iterable[Evidence]:
    """The mean of the two cases at the best output, and either case's mean over the points ±a, in rationals."""
    for n, f in SIZES:
        cases = bent_pair(n, f, apart=apart)
        half = factor * floor(n, f, Fraction(f), Fraction(n - 1, f) - 2) / 2
        at = {"n": n, "f": f}
        best = min(sum((of(case, x)[0] ** 2 for case in cases), Fraction(0)) for x in PLACES) / 2
        link = "at every point one of the two is cut off (every_algorithm.md, step 1)"
        what = f"mean of both cases' ‖∇f‖² at the best output, n = {n}, f = {f}"
        yield Evidence(what, best, "=", half, "exact", covers=link, at=at)
        turns = max(sum((of(case, x)[0] ** 2 for x in (apart, -apart)), Fraction(0)) for case in cases) / 2
        what = f"larger mean of ‖∇f‖² over the points ±a, n = {n}, f = {f}"
        yield Evidence(what, turns, "=", half, "exact", covers=link, at=at)


@claim(
    "For δ ≥ 1/(2 + B²), with G = 0, no algorithm is sure of less than ‖∇f‖² = 2LΔ, which x_0 has already.",
    part_of="corrected",
    controls=(
        Control("one constant worker more", "then they differ by more than B² allows", {"more": 1}),
        Control("honest workers who are known", "then f is, and can be minimised", {"known": True}),
    ),
)
def breakdown(ctx: Context, *, more: int = 0, known: bool = False) -> Iterable[Evidence]:
    """The same for parabolas around ±a, at B² = (n − 2f)/f, which is δ = 1/(2 + B²)."""
    x, a = letters("x a")
    yield vanishes("(x − a)² + (x + a)² − 2a² − 2x² (step 4)", (x - a) ** 2 + (x + a) ** 2 - 2 * a**2 - 2 * x**2)
    for n, f in SIZES:
        B_sq, one = Fraction(n - 2 * f, f), Fraction(1)
        cases = two_cases(n + more, f, linear(one, one), linear(one, -one))
        where, at = f"n = {n + more}, f = {f}, B² = {B_sq}", {"n": n + more, "f": f}
        what = f"heterogeneity/(B²‖∇f‖²) at most, {where}"
        yield Evidence(what, most_apart(cases, Fraction(0), B_sq), "<=", 1, "exact", at=at)
        L = Fraction(f, n + more - f)  # of f at a = 1, so that Δ = L/2 from x_0 = 0 in either case
        yield Evidence(
            f"larger ‖∇f‖² at the best output over 2LΔ, {where}",
            best_output(cases[:1] if known else cases) / (2 * L * L / 2),
            ">=",
            1,
            "exact",
            covers="(x − a)² + (x + a)² ≥ 2a² for every output x, and the ratio is the same for every a (step 4)",
            at=at,
        )
