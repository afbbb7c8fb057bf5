"""What is forced on invariant algorithms for ever, by two problems whose rounds have one distribution.

The proof is in `for_ever.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from flint import arb, ctx

from sims.checks.evidence import Evidence
from sims.checks.intervals import exact
from theory.beyond_sharp_constant.bias import bias_squared
from theory.beyond_sharp_constant.forced import tail
from theory.claim import Context, Control, claim
from theory.theorem_ii_lower_bound.tails import fractions


def rare(n: int, f: int) -> Fraction:
    """A rational just below 1 − 2^{−n/g}, the q of step 3 of `for_ever.md`."""
    with ctx.workprec(128):
        return fractions(1 - (exact(Fraction(-n, n - f)) * arb(2).log()).exp())[0]


def twice(n: int, f: int) -> Fraction:
    """The q of twice that ω = 2q − 1."""
    return 2 * rare(n, f) - Fraction(1, 2)


def excess_of_counts(g: int, f: int, q: Fraction) -> Fraction:
    """The largest P(Bin(g, q) ≥ j)/P(Bin(g, 1 − q) ≥ j − f) over j > f, or just above it.

    Where it is at most 1, f attackers can make the counts equal.
    """
    with ctx.workprec(256):
        return max(fractions(tail(g, q, j) / tail(g, 1 - q, j - f))[1] for j in range(f + 1, g + 1))


def forced_for_ever(q: Fraction) -> Fraction:
    """ω²/(2(1 − ω²)), ω = 2q − 1: the error·μ/σ² that these two problems force."""
    square = (2 * q - 1) ** 2
    return square / (2 * (1 - square))


@claim(
    "However many rounds there are, on one of two quadratics such an algorithm errs by at least ω²σ²/(2(1 − ω²)μ), ω = "
    "1 − 2^{−δ/(1 − δ)}, and so by more than δ²σ²/(8μ).",
    part_of="corrected",
    controls=(
        Control(
            "ω twice as large",
            "no attacker makes the counts equal then",
            {"rate": lambda n, f: 2 * rare(n, f) - Fraction(1, 2)},
        ),
        Control("f − 1 attackers", "they cannot, either", {"absent": 1}),
    ),
)
def for_ever(ctx: Context, *, rate: Callable[[int, int], Fraction] = rare, absent: int = 0) -> Iterable[Evidence]:
    """The largest ratio of the two tails over all j, in intervals, claimed: at most 1; and the error over δ²/8."""
    for n, f in ((3, 1), (4, 1), (5, 2), (9, 3), (25, 12), (50, 10), (100, 1), (100, 40)):
        q, at = rate(n, f), {"n": n, "f": f}
        link = "balls in boxes, for all n and f (for_ever.md)"
        what = f"largest ratio of the tails at n = {n}, f = {f}"
        yield Evidence(what, excess_of_counts(n - f, f - absent, q), "<=", 1, "proved", covers=link, at=at)
        least = Fraction(f * f, 8 * (n - f) ** 2)
        yield Evidence(f"forced error at n = {n}, f = {f}", forced_for_ever(q), ">=", least, "proved", at=at)


def largest(n: int, f: int, steps: int = 12) -> Fraction:
    """The largest q, to 2^{−steps}, at which f attackers make the counts equal, by halving."""
    low, high = Fraction(1, 2), Fraction(1)
    for _ in range(steps):
        middle = (low + high) / 2
        low, high = (middle, high) if excess_of_counts(n - f, f, middle) <= 1 else (low, middle)
    return low


def share_by_logarithms(g: int) -> Fraction:
    """A rational just below (g − 2·log 2)²(2g − 1)/(4·log 2·(g − 1)²g): step 5 of `for_ever.md`."""
    with ctx.workprec(128):
        log = arb(2).log()
        return fractions((g - 2 * log) ** 2 * (2 * g - 1) / (4 * log * (g - 1) ** 2 * g))[0]


@claim(
    "With one honest worker more than attackers, at least six tenths of what SGD with the trimmed mean tends to are "
    "forced for ever.",
    controls=(
        Control("seven tenths", "at n = 3 it is 0.62", {"share": Fraction(7, 10)}),
        Control("twice as many workers", "two problems alone force less then", {"size": lambda f: 4 * f + 1}),
    ),
)
def near_trimmed_mean(
    ctx: Context, *, share: Fraction = Fraction(6, 10), size: Callable[[int], int] = lambda f: 2 * f + 1
) -> Iterable[Evidence]:
    """The error forced at the largest q, over B²σ²/(2μ), for f ≤ 7, and a bound for f ≥ 7."""
    for f in range(1, 8):
        n = size(f)
        forced = forced_for_ever(largest(n, f))
        what = f"error forced for ever over B²σ²/(2μ) at n = {n}, f = {f}"
        yield Evidence(what, 2 * forced / bias_squared(n, f), ">=", share, "proved", at={"n": n, "f": f})
    g = 8
    what = f"(g − 2·log 2)²(2g − 1)/(4·log 2·(g − 1)²g) at g = {g}"
    link = "it grows with g, and every f ≥ 7 has n = 2f + 1, g = f + 1 (for_ever.md, step 5)"
    yield Evidence(what, share_by_logarithms(g), ">=", share, "proved", covers=link, at={"g": g})
