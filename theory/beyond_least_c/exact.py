"""Claims: where the least c is known, and messages that depend on each other (`exact.md`)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from math import comb
from typing import Any

from sims.checks.evidence import Evidence
from sims.checks.polynomials import letters, vanishes
from theory.claim import Context, Control, claim
from theory.theorem_iii_limits.least_error import World, anywhere, known, least_error

SIZES = ((5, 2), (6, 2), (7, 2), (8, 3), (9, 4))
RARE = Fraction(1, 10**4)  # how often the dependent messages differ


def trimmed_mean_c(n: int, f: int) -> Fraction:
    """The trimmed mean's proved c = ((g − 1)/g)/(2(1 − 2δ)) (`definition_c_robust_aggregator/trimmed_mean.md`).

    >>> str(trimmed_mean_c(5, 2)), str(trimmed_mean_c(6, 2))
    ('5/3', '9/8')
    """
    return Fraction((n - f - 1) * n, 2 * (n - f) * (n - 2 * f))


def moment(g: int, f: int) -> Any:
    """E[K²; K ≤ f] for K ~ Bin(g, q), as a polynomial of q."""
    (q,) = letters("q")
    return sum((k * k * comb(g, k) * q**k * (1 - q) ** (g - k) for k in range(f + 1)), 0 * q)


def quotient(n: int, f: int) -> tuple[Any, int]:
    """E[K²; K ≤ f]/(q(1 − q)), and the end of q where it is largest.

    At f = 1 that is g(1 − q)^{g−2}, at q = 0; at n = 2f + 1 it is g + g²(q + … + q^{g−2}), at q = 1.
    """
    (q,) = letters("q")
    g = n - f
    if f == 1:
        return g * (1 - q) ** (g - 2), 0
    return g + g * g * sum((q**j for j in range(1, g - 1)), 0 * q), 1


@claim(
    "No rule has a smaller c than the trimmed mean at f = 1, n/(2(n − 1)), nor at n = 2f + 1, f(2f + 1)/(2(f + 1)).",
    part_of="corrected",
    controls=(
        Control("one good worker more", "the moment is another polynomial then", {"more": 1}),
        Control("5 % more", "Theorem III's bound tends to the trimmed mean's c exactly", {"factor": Fraction(21, 20)}),
    ),
)
def attained(ctx: Context, *, more: int = 0, factor: Fraction = Fraction(1)) -> Iterable[Evidence]:
    """E[K²; K ≤ f] as a polynomial of q, and Theorem III's bound at the end of q; claimed: the trimmed mean's c."""
    (q,) = letters("q")
    for n, f in [(n, 1) for n in range(3, 10)] + [(2 * f + 1, f) for f in range(2, 8)]:
        g, at = n - f, {"n": n, "f": f}
        rest, end = quotient(n, f)
        what = f"E[K²; K ≤ f] − q(1 − q)·(its quotient), n = {n}, f = {f}"
        yield vanishes(what, moment(g + more, f) - q * (1 - q) * rest, n=n, f=f)
        yield Evidence(
            f"least c of any rule at n = {n}, f = {f}, q → {end}",
            Fraction(str(rest(end))) / (2 * Fraction(f, n) * g**2),
            ">=",
            factor * trimmed_mean_c(n, f),
            "exact",
            covers="q² − q^g = q(1 − q)(q + … + q^{g−2}) for every g = f + 1, and f = 1 for every n (exact.md)",
            at=at,
        )


def seldom_apart(n: int, f: int, moved: int, places: Iterable[tuple[int, ...]]) -> World:
    """Always n − `moved` zeros and `moved` ones: good ones with probability RARE, Byzantine ones else.

    To be found: x̄, `moved`/g or 0.
    """
    g, sets = n - f, list(places)
    for bad in sets:
        good = [i for i in range(n) if i not in bad]
        for ones, chance, target in ((good, RARE, Fraction(moved, g)), (list(bad), 1 - RARE, Fraction(0))):
            chosen = list(itertools.combinations(ones, moved))
            for some in chosen:
                yield tuple(int(i in some) for i in range(n)), target, chance / (len(sets) * len(chosen))


@claim(
    "If the good messages may depend on each other, no rule has a smaller c than the trimmed mean, at any n and f.",
    part_of="corrected",
    controls=(
        Control("one message at a time", "f ≥ 2 of them do more together", {"together": False}),
        Control("good workers who are known", "then nothing hides them", {"places": known}),
        Control("1 % more", "the bound is the trimmed mean's c but for one part in 10,000", {"factor": 1.01}),
    ),
)
def dependent(
    ctx: Context,
    *,
    together: bool = True,
    places: Callable[[int, int], Iterator[tuple[int, ...]]] = anywhere,
    factor: float = 1.0,
) -> Iterable[Evidence]:
    """The least c of any rule where f good messages seldom differ, by enumeration of all arrays; claimed: (1 − p)c."""
    for n, f in SIZES:
        g, moved = n - f, f if together else 1
        rho_sq = RARE * Fraction(2 * moved * (g - moved), g * (g - 1))
        error = least_error([seldom_apart(n, f, moved, places(n, f))])
        yield Evidence(
            f"least c of any rule on dependent messages, n = {n}, f = {f}",
            error / (Fraction(f, n) * rho_sq),
            ">=",
            Fraction(factor) * (1 - RARE) * trimmed_mean_c(n, f),
            "exact",
            covers="p(1 − p)(f/g)² beside ρ² = 2pf(g − f)/(g(g − 1)), for every p and every n, f (exact.md)",
            at={"n": n, "f": f},
        )
