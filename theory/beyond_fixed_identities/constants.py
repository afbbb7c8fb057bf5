"""What the best q makes of the bound for every algorithm. The proof is in `constants.md`.

With y = −T·log(1 − q), P(Bin(g, r) ≤ f) is the chance S(y) that of g exponential clocks at most f have rung at y. The
mean of the (f + 1)-th ring is m = 1/g + 1/(g − 1) + … + 1/(g − f), and log S is concave: S(m) ≥ 1/e.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import comb

from flint import arb
from flint import ctx as ctx_of_flint

from sims.checks.evidence import Evidence
from theory.claim import Context, Control, claim
from theory.theorem_ii_lower_bound.tails import fractions, interval

MOST = 60
SIZES = tuple((n, f) for n in range(1, MOST + 1) for f in range((n + 1) // 2))  # n > 2f


def mean_ring(g: int, f: int) -> Fraction:
    """m = Σ_{i ≤ f} 1/(g − i): clocks that are left ring after 1/(g − i) on average, 0 ≤ f < g.

    >>> mean_ring(2, 1)
    Fraction(3, 2)
    """
    return sum((Fraction(1, g - i) for i in range(f + 1)), Fraction(0))


def silent(g: int, f: int, y: arb) -> arb:
    """S(y) = P(Bin(g, 1 − e^{−y}) ≤ f): at most f of g clocks have rung at y."""
    rung = -(-y).expm1()
    return sum((comb(g, k) * rung**k * (-(g - k) * y).exp() for k in range(f + 1)), arb(0))


def one_fewer(g: int, f: int, y: arb) -> arb:
    """As if one Byzantine worker were missing: at most f − 1 have rung."""
    return silent(g, max(f - 1, 0), y)


Chance = Callable[[int, int, arb], arb]


def least(part: Fraction, chance: Chance) -> tuple[Fraction, int, int]:
    """The least S(part·m) over all n ≤ MOST and f < n/2, with its n and f."""
    with ctx_of_flint.workprec(128):
        found = [(fractions(chance(n - f, f, interval(part * mean_ring(n - f, f))))[0], n, f) for n, f in SIZES]
    return min(found)


@claim(
    "For all n > 2f ≥ 0 and all T ≥ 1 one q forces mσ²/(2eμT) on every algorithm, m = 1/g + 1/(g − 1) + … + 1/(g − f), "
    "which is more than 0.183·(δ + 1/n)σ²/(μT).",
    part_of="corrected",
    controls=(
        Control("0.185", "at f = 0 it is 1/(2e) = 0.1839", {"constant": Fraction(185, 1000)}),
        Control("one Byzantine worker fewer", "then f clocks that rang are too many", {"chance": one_fewer}),
    ),
)
def every_size(
    ctx: Context, *, constant: Fraction = Fraction(183, 1000), chance: Chance = silent
) -> Iterable[Evidence]:
    """½·S(m), the least over n ≤ 60 and f < n/2."""
    value, n, f = least(Fraction(1), chance)
    what = f"least ½·S(m) over n ≤ {MOST} and f < n/2, at n = {n}, f = {f}"
    link = "log S is concave, S(m) ≥ 1/e at every size (constants.md, steps 2 and 3)"
    yield Evidence(what, value / 2, ">=", constant, "proved", covers=link, at={"n": n, "f": f})


@claim(
    "If only ‖x_0 − x*‖ ≤ D is known, and no μ > 0, every algorithm errs by at least 0.214·Dσ√(m/T) on an L-smooth "
    "convex problem, for each L from some T on: there the order σ√(δ/T) is not possible to improve.",
    part_of="corrected",
    controls=(
        Control("0.216", "at f = 0 it is 1/√(8e) = 0.2144", {"constant": Fraction(216, 1000)}),
        Control("one Byzantine worker fewer", "then f clocks that rang are too many", {"chance": one_fewer}),
    ),
)
def convex(ctx: Context, *, constant: Fraction = Fraction(214, 1000), chance: Chance = silent) -> Iterable[Evidence]:
    """½·√½·S(m/2), the least over n ≤ 60 and f < n/2."""
    value, n, f = least(Fraction(1, 2), chance)
    with ctx_of_flint.workprec(128):
        forced = fractions(interval(value) / arb(8).sqrt())[0]
    what = f"least S(m/2)/√8 over n ≤ {MOST} and f < n/2, at n = {n}, f = {f}"
    link = "S(m/2) ≥ 1/√e at every size (constants.md, step 3)"
    yield Evidence(what, forced, ">=", constant, "proved", covers=link, at={"n": n, "f": f})


def integral(g: int, f: int) -> Fraction:
    """∫S dy in rationals: dy = dp/(1 − p) with p = 1 − e^{−y}, and every power of 1 − p is expanded."""
    total = Fraction(0)
    for k in range(f + 1):
        left = g - k - 1
        total += comb(g, k) * sum(
            (Fraction((-1) ** j * comb(left, j), k + j + 1) for j in range(left + 1)), Fraction(0)
        )
    return total


@claim(
    "No q forces more than mσ²/(2μT) as T → ∞, so that the q of the bound is the best up to a factor of e.",
    part_of="corrected",
    controls=(
        Control("m without its last term", "the mean of the f-th ring is not that of the (f + 1)-th", {"last": 0}),
    ),
)
def best_within_e(ctx: Context, *, last: int = 1) -> Iterable[Evidence]:
    """∫S dy, which is at least y·S(y) for every y, claimed: m."""
    for n, f in ((1, 0), (3, 1), (5, 2), (25, 5), (25, 11)):
        what = f"∫S dy, at least y·S(y) for every y, n = {n}, f = {f}"
        link = "S falls, and beta integrals are known for all n and f (constants.md, step 4)"
        claimed = sum((Fraction(1, n - f - i) for i in range(f + last)), Fraction(0))
        yield Evidence(what, integral(n - f, f), "=", claimed, "exact", covers=link, at={"n": n, "f": f})


def by_chebyshev(n: int, f: int, r: Fraction) -> Fraction:
    """1 − gr(1 − r)/(f − gr)², at most P(Bin(g, r) ≤ f), for gr < f."""
    g = n - f
    return 1 - g * r * (1 - r) / (f - g * r) ** 2


def limit(delta: Fraction, T: int | None) -> arb:
    """T((1 + κ)^{1/T} − 1), κ = δ/(1 − 2δ); log(1 + κ) for T = ∞ (None)."""
    ratio = interval((1 - delta) / (1 - 2 * delta))
    return ratio.log() if T is None else T * ((ratio.log() / T).exp() - 1)


@claim(
    "In the limit n → ∞ every algorithm errs by at least T((1 + κ)^{1/T} − 1)·σ²/(2μT), κ = δ/(1 − 2δ): κσ²/(2μ) at "
    "T = 1, and log(1 + κ)·σ²/(2μT) or more at every T.",
    part_of="corrected",
    controls=(
        Control("κσ²/(2μT) at every T", "that is what the trimmed mean reaches, and more", {"always": 1}),
        Control("n = 1000", "the tail still costs a fifth", {"n": 1000}),
    ),
)
def many_workers(ctx: Context, *, n: int = 10**9, always: int | None = None) -> Iterable[Evidence]:
    """What r = (1 − n^{−1/3})f/g forces by Chebyshev's inequality at one large n, beside 99 % of the limit."""
    for delta in (Fraction(1, 10), Fraction(1, 5), Fraction(2, 5)):
        f = int(delta * n)
        r = Fraction(f, n - f) * (1 - Fraction(1, round(n ** (1 / 3))))
        for T in (1, 10, None):
            with ctx_of_flint.workprec(128):
                y = -interval(1 - r).log()
                error = y if T is None else T * ((y / T).exp() - 1)
                found = fractions(interval(by_chebyshev(n, f, r)) * error)[0]
                wanted = fractions(99 * limit(delta, always or T) / 100)[1]
            name = "∞" if T is None else T
            what = f"error·2μT/σ² forced at n = {n}, δ = {delta}, T = {name}, beside 0.99 of the limit"
            link = "Chebyshev's inequality as n → ∞ (constants.md, step 5)"
            yield Evidence(
                what, found, ">=", wanted, "proved", covers=link, at={"n": n, "delta": delta, "T": str(name)}
            )
