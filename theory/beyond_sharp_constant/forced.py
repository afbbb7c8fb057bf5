"""What is forced on invariant algorithms at finite n, beside the limit. The proof is in `forced.md`."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from fractions import Fraction

from flint import arb, ctx, fmpq

from sims.checks.evidence import Evidence
from theory.claim import Context, Control, claim
from theory.theorem_ii_lower_bound.tails import forced_error, fractions

SIZES = (  # n, f, t
    (100, 20, 1),
    (1000, 200, 1000),
    (3000, 1200, 10),
    (10**4, 2000, 10**6),
    (10**5, 10**4, 10**9),
    (10**6, 4 * 10**5, 10**12),
)


def limit(n: int, f: int) -> Fraction:
    """Λ·μ/σ² = f/(2(n − 2f)), the sharp constant times δ."""
    return Fraction(f, 2 * (n - 2 * f))


@functools.cache
def tail(g: int, q: Fraction, least: int) -> arb:
    """P(Bin(g, q) ≥ least), an incomplete beta function; exact at the ends."""
    if least <= 0 or least > g:
        return arb(int(least <= 0))
    with ctx.workprec(256):
        return arb(fmpq(q.numerator, q.denominator)).beta_lower(arb(least), arb(g - least + 1), regularized=True)


def share_of_the_limit(n: int, f: int, t: int, q: Fraction) -> Fraction:
    """A rational just below (1 − p)^t·q/(2(1 − q)), over Λ; 0 where that has no digit left."""
    forced = forced_error(tail(n - f, q, f + 1), t, q)
    return fractions(forced)[0] / limit(n, f) if forced > 1e-300 else Fraction(0)


def lost(n: int, f: int, t: int) -> tuple[Fraction, Fraction]:
    """ε ≥ √(2 log(tf)/f) to six digits, and 1 − 1/f − εg/(n − 2f): step 3 of `forced.md`."""
    eps = Fraction(math.ceil(math.sqrt(2 * math.log(t * f) / f) * 10**6) + 1, 10**6)
    return eps, 1 - Fraction(1, f) - eps * Fraction(n - f, n - 2 * f)


def rarer(n: int, f: int, t: int) -> Fraction:
    """q = (1 − ε)f/g, a large gradient a little rarer than f of g."""
    return (1 - lost(n, f, t)[0]) * Fraction(f, n - f)


@claim(
    "With invariant queries and output the error is, on one of two quadratics, at least 1 − 1/f − √(2 log(tf)/f)·(1 − "
    "δ)/(1 − 2δ) of Λ = δσ²/(2(1 − 2δ)μ).",
    part_of="corrected",
    controls=(
        Control(
            "a fifth of the loss",
            "the exact tail at this q forces less",
            {"factor": Fraction(1, 5)},
        ),
        Control(
            "exactly f of g large gradients",
            "more than f then come in every other round",
            {"rate": lambda n, f, t: Fraction(f, n - f)},
        ),
    ),
)
def forced_share(
    ctx: Context, *, factor: Fraction = Fraction(1), rate: Callable[[int, int, int], Fraction] = rarer
) -> Iterable[Evidence]:
    """(1 − p)^t·q/(2(1 − q)) over Λ by exact binomial tails, beside the bound; at the proof's q = (1 − ε)f/g."""
    for n, f, t in SIZES:
        yield Evidence(
            f"forced error over Λ at n = {n}, f = {f}, t = {t}",
            share_of_the_limit(n, f, t, rate(n, f, t)),
            ">=",
            1 - factor * (1 - lost(n, f, t)[1]),
            "proved",
            covers="Chernoff's bound and the mirror coupling (forced.md)",
            at={"n": n, "f": f, "t": t},
        )
