"""What the best q makes of the bound for every algorithm, in intervals. The proof is in `constants.md`.

With r = 1 − (1 − q)^T, q/(1 − q) = (1 − r)^{−1/T} − 1 ≥ y/T, y = −log(1 − r): for every T at least
σ²/(2μT)·y·P(Bin(g, 1 − e^{−y}) ≤ f) is forced, and Bin(g, 1 − e^{−y}) is at most Poi(gy).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from flint import arb
from flint import ctx as ctx_of_flint

from sims.checks.evidence import Evidence
from theory.claim import Context, Control, claim
from theory.theorem_ii_lower_bound.tails import fractions, interval, poisson_tail

SHARES = tuple(Fraction(k, 20) for k in range(8, 21))  # candidates for θ in gy = θ(f + 1)
UNTIL = 40

Of = Callable[[arb], arb]
Tail = Callable[[Fraction, int], arb]


def one_fewer(mean: Fraction, f: int) -> arb:
    """P(Poi(mean) > f − 1): as if one Byzantine worker were missing."""
    return poisson_tail(mean, f - 1) if f else arb(1)


def least_over_sizes(of: Of, tail: Tail) -> tuple[Fraction, int, Fraction]:
    """The least of max over θ of ½·of(θ)·P(Poi(θ(f + 1)) ≤ f) over f ≤ UNTIL, with its f and θ."""
    found = []
    with ctx_of_flint.workprec(128):
        for f in range(UNTIL + 1):
            best = max((fractions(of(interval(k)) * (1 - tail(k * (f + 1), f)) / 2)[0], k) for k in SHARES)
            found.append((best[0], f, best[1]))
    return min(found)


def beyond(of: Of, share: Fraction) -> Fraction:
    """½·of(θ)(1 − e^{−Nh}), h = log(1/θ) − 1 + θ, N = UNTIL + 2: Chernoff's bound, which grows with f."""
    with ctx_of_flint.workprec(128):
        h = -interval(share).log() - 1 + interval(share)
        return fractions(of(interval(share)) * (1 - (-(UNTIL + 2) * h).exp()) / 2)[0]


def of_every_size(of: Of, tail: Tail, constant: Fraction, unit: str) -> Iterable[Evidence]:
    """The least constant over all f, n and T: with Poisson tails up to f = UNTIL, by Chernoff's bound beyond."""
    value, f, share = least_over_sizes(of, tail)
    what = f"least constant before {unit}, f ≤ {UNTIL}, at f = {f}, θ = {float(share):g}"
    link = "Poisson tails for every g and T (constants.md, steps 1 to 3); larger f by the next item"
    yield Evidence(what, value, ">=", constant, "proved", covers=link, at={"f": f, "theta": share})
    what = f"the same for f > {UNTIL}, by Chernoff's bound at θ = ½"
    yield Evidence(what, beyond(of, Fraction(1, 2)), ">=", constant, "proved", covers="it grows with f", at={})


@claim(
    "For all n > f ≥ 0 and all T ≥ 1, with the best q, every algorithm errs by at least 0.183·((f + 1)/g)σ²/(μT), "
    "which is more than 0.183·(δ + 1/n)σ²/(μT).",
    part_of="corrected",
    controls=(
        Control("0.185", "at f = 0 the best q gives 1/(2e) = 0.1839", {"constant": Fraction(185, 1000)}),
        Control("one Byzantine worker fewer", "then f workers with rare gradients are too many", {"tail": one_fewer}),
    ),
)
def every_size(
    ctx: Context, *, constant: Fraction = Fraction(183, 1000), tail: Tail = poisson_tail
) -> Iterable[Evidence]:
    """½·max over θ of θ·P(Poi(θ(f + 1)) ≤ f), the least over f."""
    yield from of_every_size(lambda share: share, tail, constant, "((f + 1)/g)σ²/(μT)")


@claim(
    "If only ‖x_0 − x*‖ ≤ D is known, and no μ > 0, every algorithm errs by at least 0.214·Dσ√((δ + 1/n)/T) on a "
    "convex problem: the order σ√(δ/T) is not possible to improve.",
    part_of="corrected",
    controls=(
        Control("0.216", "at f = 0 the best q gives 0.2144", {"constant": Fraction(216, 1000)}),
        Control("one Byzantine worker fewer", "then f workers with rare gradients are too many", {"tail": one_fewer}),
    ),
)
def convex(ctx: Context, *, constant: Fraction = Fraction(214, 1000), tail: Tail = poisson_tail) -> Iterable[Evidence]:
    """½·max over θ of √θ·P(Poi(θ(f + 1)) ≤ f), the least over f."""
    yield from of_every_size(lambda share: share.sqrt(), tail, constant, "Dσ√((f + 1)/(gT))")


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
            link = "Chebyshev's inequality as n → ∞ (constants.md, step 4)"
            yield Evidence(
                what, found, ">=", wanted, "proved", covers=link, at={"n": n, "delta": delta, "T": str(name)}
            )
