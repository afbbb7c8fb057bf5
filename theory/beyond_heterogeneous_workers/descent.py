"""Claims: what gradient descent reaches with the trimmed mean, and where the median stands still (`descent.md`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from sims.aggregators import CoordinateMedian, Rule, TrimmedMean
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from sims.checks.polynomials import letters, vanishes
from theory.beyond_exact_constants import formulas
from theory.beyond_heterogeneous_workers.every_algorithm import SIZES
from theory.beyond_heterogeneous_workers.workers import Slope, bent, floor, linear, of, zero
from theory.claim import Context, Control, claim


def rounds(
    rule: Rule, honest: Sequence[Slope], byzantine: Sequence[Slope], x0: Fraction, L: Fraction, T: int
) -> list[Fraction]:
    """‖∇f(x_t)‖² of t = 0 … T − 1 of x ← x − R/L on the line; Byzantine workers have functions, too."""
    x, squares = x0, []
    for _ in range(T):
        squares.append(of(honest, x)[0] ** 2)
        x -= exact_aggregate(rule, [[worker(x)] for worker in (*honest, *byzantine)])[0] / L
    return squares


@claim(
    "A step with an error e costs ‖e‖²/(2L): f(x⁺) ≤ f(x) − ‖∇f‖²/(2L) + ‖e‖²/(2L).",
    part_of="corrected",
    controls=(Control("half the error", "the square is completed with the whole of it", {"share": Fraction(1, 2)}),),
)
def descent(ctx: Context, *, share: Fraction = Fraction(1)) -> Iterable[Evidence]:
    """Two identities of a = ∇f and r = R, as polynomials in ‖a‖², ⟨a, r⟩, ‖r‖², for any step η."""
    aa, ar, rr, eta, L = letters("aa ar rr eta L")
    error = rr - 2 * ar + aa
    ours = -eta * ar + L * eta**2 * rr / 2
    paid = eta * error * share.numerator / (2 * share.denominator)
    split = -eta * aa / 2 + paid - eta * (1 - L * eta) * rr / 2
    yield vanishes("−η⟨a, r⟩ + ½Lη²‖r‖² + ½η‖a‖² − ½η‖r − a‖² + ½η(1 − Lη)‖r‖² (step 1)", ours - split)
    kappa, b, u, G = letters("kappa b u G")
    bounded = u * (1 - kappa * b) - kappa * G
    yield vanishes("‖∇f‖² − κ(G² + B²‖∇f‖²) − (1 − κB²)‖∇f‖² + κG² (steps 2 and 6)", u - kappa * (G + b * u) - bounded)


@claim(
    "With the trimmed mean and 1/L steps the last term of the bound is attained, in every round.",
    part_of="corrected",
    controls=(
        Control("attackers who do not pull", "then the trimmed mean moves to the minimum", {"pull": False}),
        Control("5 % more", "it is attained exactly", {"factor": Fraction(21, 20)}),
    ),
)
def attained(ctx: Context, *, pull: bool = True, factor: Fraction = Fraction(1)) -> Iterable[Evidence]:
    """(1/T)Σ‖∇f(x_t)‖² in rationals on the pair of `every_algorithm.md` from x_0 = 0; claimed: δG²/(1 − (2 + B²)δ)."""
    T = 40
    for n, f in SIZES:
        c, one = Fraction(n - f), Fraction(1)
        honest = [bent(c, one, c)] * f + [zero] * (n - 2 * f)
        byzantine = [bent(c, -one if pull else one, c)] * f
        squares = rounds(TrimmedMean(f), honest, byzantine, Fraction(0), Fraction(f), T)
        yield Evidence(
            f"(1/T)Σ‖∇f(x_t)‖², n = {n}, f = {f}, T = {T}",
            sum(squares, Fraction(0)) / T,
            ">=",
            factor * floor(n, f, Fraction(f), Fraction(n - 1, f) - 2),
            "exact",
            covers="the trimmed mean of f values −c, f values c and zeros is 0: x_t = 0 for every t",
            at={"n": n, "f": f, "T": T, "rule": "TrimmedMean"},
        )


@claim(
    "At κ*B² = 1 the median makes no step at all, with G = 0 and honest workers who agree on the minimum.",
    part_of="corrected",
    controls=(Control("the trimmed mean", "at this B² it converges", {"rule": TrimmedMean}),),
)
def median_stops(ctx: Context, *, rule: Callable[[int], Rule] = lambda f: CoordinateMedian()) -> Iterable[Evidence]:
    """(n − 1)/2 honest workers with ½(x − 1)², all others constant: ‖∇f(x_T)‖²/‖∇f(x_0)‖², and κ*B²."""
    T = 20
    for n, f in ((5, 1), (7, 1), (9, 2), (25, 3)):
        half = (n - 1) // 2
        honest = [linear(Fraction(1), Fraction(1))] * half + [zero] * (n - f - half)
        mean, spread = of(honest, Fraction(0))
        at = {"n": n, "f": f, "rule": "CoordinateMedian"}
        kappa = formulas.coordinate_median(n, f)
        yield Evidence(f"κ*·B² of the median, n = {n}, f = {f}", kappa * spread / mean**2, "=", 1, "exact", at=at)
        squares = rounds(rule(f), honest, [zero] * f, Fraction(0), Fraction(half, n - f), T)
        yield Evidence(
            f"‖∇f(x_T)‖²/‖∇f(x_0)‖², n = {n}, f = {f}, T = {T}",
            squares[-1] / squares[0],
            ">=",
            1,
            "exact",
            covers="a majority of the messages is 0, so that the median is 0 in every round, for every odd n",
            at=at,
        )
