"""The explicit constant of Theorem II, proved in intervals. The proof is in `constant.md`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from sims.checks.evidence import Evidence
from theory.claim import Context, Control, claim
from theory.theorem_ii_lower_bound.tails import (
    SHARES,
    binomial_tail,
    chernoff_constant,
    exponent_margin,
    forced_error,
    fractions,
    longest,
    uniform_constant,
)

CONSTANT = Fraction(21, 100)
QUARTER = (Fraction(1, 4),)


def _middle(found: tuple[Any, Fraction]) -> float:
    return float(found[0].mid())


def _sizes(until: int) -> range:
    return range(4, until + 1)  # δn ≥ 4(1 + log t) ≥ 4


def least_constant(
    ctx: Context,
    *,
    constant: Fraction = CONSTANT,
    shares: tuple[Fraction, ...] = SHARES,
    until: int = 115,
    beyond: Fraction = Fraction(43, 100),
    draws: int = 1,
) -> Iterable[Evidence]:
    """The least constant in front of δσ²/μ over all f ≥ 4, the longest t that f allows, and all n.

    Up to f = `until` with the best κ and Poisson tails, beyond it with κ = `beyond` and Chernoff's bound.
    """
    best = {
        f: max(((uniform_constant(f, k, longest(f), draws), k) for k in shares), key=_middle) for f in _sizes(until)
    }
    f = min(best, key=lambda size: _middle(best[size]))
    yield Evidence(
        f"least constant for 4 ≤ f ≤ {until}, at f = {f}, κ = {best[f][1]}",
        fractions(best[f][0])[0],
        ">=",
        constant,
        "proved",
        covers="p ≤ P(Poi(κ(f + 1)) > f) at every n (constant.md); beyond this f by the next two items",
        at={"f": f, "kappa": best[f][1]},
    )
    yield Evidence(
        f"constant by Chernoff for f > {until}, κ = {beyond}",
        fractions(chernoff_constant(until + 1, beyond, draws))[0],
        ">=",
        constant,
        "proved",
        covers="it grows with f where log(1/κ) − 1 + κ > ¼, the next item",
        at={"f": until + 1, "kappa": beyond},
    )
    margin = fractions(exponent_margin(beyond))[0]
    what = f"log(1/κ) − 5/4 + κ at κ = {beyond}"
    yield Evidence(what, margin, ">=", 0, "proved", covers="h > ¼", at={"kappa": beyond})


@claim(
    "Where δn ≥ 4(1 + log t), for every n and δ, the best q forces an error of at least 0.21·δσ²/μ.",
    part_of="corrected",
    controls=(
        Control("0.215", "at f = 20 the best q gives 0.2137", {"constant": Fraction(215, 1000)}),
        Control("κ ≥ ½ only", "then the tails are too frequent for large f", {"shares": SHARES[30:]}),
    ),
)
def constant(
    ctx: Context, *, constant: Fraction = CONSTANT, shares: tuple[Fraction, ...] = SHARES
) -> Iterable[Evidence]:
    """The least constant with the best κ for each f."""
    yield from least_constant(ctx, constant=constant, shares=shares)


@claim(
    "Already q = δ/4 and the independent adversary give 0.12·δσ²/μ.",
    controls=(
        Control("0.125", "without any tails it is δ/8·(1 + O(δ))", {"constant": Fraction(125, 1000)}),
        Control("20 draws a round", "each may exceed f", {"draws": 20}),
    ),
)
def constant_of_a_quarter(
    ctx: Context, *, constant: Fraction = Fraction(12, 100), draws: int = 2
) -> Iterable[Evidence]:
    """The same with κ = ¼ for every f, and two draws a round that must not exceed f."""
    yield from least_constant(ctx, constant=constant, shares=QUARTER, until=12, beyond=QUARTER[0], draws=draws)


@claim(
    "Exact binomial tails agree: 0.21·δσ²/μ and more at eight (n, δ, t).",
    controls=(Control("0.25", "at n = 1000, f = 12 it is 0.248", {"constant": Fraction(25, 100)}),),
)
def constant_at_instances(ctx: Context, *, constant: Fraction = CONSTANT) -> Iterable[Evidence]:
    """The best of (1 − p)^t·q/(2(1 − q)) over q by exact binomial tails, over δ, beside the constant."""
    for n, f in ((20, 4), (60, 6), (100, 10), (100, 20), (100, 40), (200, 40), (1000, 12), (400, 80)):
        t = math.floor(math.exp(f / 4 - 1))
        found = []
        for share in SHARES[::3]:
            q = share * f / n
            found.append((fractions(forced_error(binomial_tail(n, f, q), t, q))[0], q))
        low, q = max(found)
        what = f"error·μ/(δσ²) forced at n = {n}, f = {f}, t = {t}, q = {float(q):.4g}"
        at = {"n": n, "f": f, "t": t, "q": float(q)}
        yield Evidence(what, low / Fraction(f, n), ">=", constant, "proved", at=at)
