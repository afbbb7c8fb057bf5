"""Exactly f bad workers, against x̄: what every rule needs at one n, where that tends, and no majority at all.

Every rule, one that sees who sent what too, needs c ≥ sup_q E[K²; K ≤ f]/(2δg²q(1 − q)), K ~ Bin(g, q), which tends to
1/(2(1 − 2δ)): the proof is in `floors.md`. The least error that any rule can make is found by enumeration
(`least_error.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from flint import arb

from sims.aggregators import CoordinateMedian, Rule, TrimmedMean
from sims.by_name import published
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from sims.checks.intervals import exact
from sims.checks.laws import binomial
from sims.checks.two_point import error_table, search_c
from theory.claim import Context, Control, claim
from theory.definition_c_robust_aggregator import constants
from theory.definition_c_robust_aggregator.constants import population_floor
from theory.theorem_iii_limits.least_error import anywhere, known, least_error, mirrored_spikes

Places = Callable[[int, int], Iterator[tuple[int, ...]]]
MANY = 10**12  # workers at which the lower bound of the floor is within one percent of the limit


def forced(means: Iterable[Fraction]) -> Fraction:
    """The least largest error² of one output against several means: (half the widest gap)²."""
    found = list(means)
    return ((max(found) - min(found)) / 2) ** 2


def floor_of_any_rule(ctx: Context, *, places: Places = anywhere) -> Iterable[Evidence]:
    """The least c of any rule whatever, by enumeration of all arrays, beside E[K²; K ≤ f]/(2δg²q(1 − q))."""
    for n, f, q in ((3, 1, Fraction(1, 8)), (4, 1, Fraction(1, 4)), (5, 2, Fraction(1, 2)), (6, 2, Fraction(1, 3))):
        worlds = [mirrored_spikes(n, f, q, sign, list(places(n, f))) for sign in (1, -1)]
        unit = Fraction(f, n) * 2 * q * (1 - q)
        moment = sum((k * k * p for k, p in enumerate(binomial(n - f, q)[: f + 1])), Fraction(0))
        yield Evidence(
            f"least c of any rule that may know who sent what, n = {n}, f = {f}, q = {q}",
            least_error(worlds) / unit,
            ">=",
            moment / (n - f) ** 2 / unit,
            "exact",
            covers="given K ≤ f, G and the mirrors drawn uniformly: the array is a random arrangement of one multiset",
            at={"n": n, "f": f, "q": q},
        )


@claim(
    "At each n and f every rule needs at least c = sup_q E[K²; K ≤ f]/(2δg²q(1 − q)) against x̄, for some set of good "
    "workers; a function of the multiset of messages for each set.",
    part_of="corrected",
    point=9,
    controls=(
        Control("5 % more", "the median at n = 3, f = 1 attains the bound", {"factor": 1.05}),
        Control("f + 1 messages mirrored", "the adversary has f messages only", {"extra": 1}),
        Control("good workers who are known", "the mean of the first g does not err", {"places": known}),
    ),
)
def finite_floor(ctx: Context, *, factor: float = 1.0, extra: int = 0, places: Places = anywhere) -> Iterable[Evidence]:
    """The least c of any rule, then what published rules are seen to need, beside the floor with f + extra mirrored."""
    yield from floor_of_any_rule(ctx, places=places)
    cases = ((3, 1), (5, 1), (7, 2), (11, 2), (25, 5), (25, 11))
    for n, f in cases[: max(4, ctx.scaled(len(cases)))]:  # the small ones only when quick
        floor = factor * constants.finite_floor(n, f, f + extra)
        for name, rule in published(n, f).items():
            c = search_c(error_table(rule, n, f, ctx.backend), f / n)[0]
            yield Evidence(
                f"c needed by {name} at n = {n}, f = {f}",
                c,
                ">=",
                floor,
                "exact",
                error=1e-5 * min(c, floor),  # the search's grid ends at rare spikes of probability 1e-6/g
                covers="identical messages in both cases while K ≤ f",
                resolution=1e-4,
                at={"n": n, "f": f, "rule": name},
            )


def c_of_three(rule: Rule) -> Fraction:
    """A rule's c at n = 3, f = 1 over honest values 0 and 1 and Byzantine ones up to 9: error²/(δρ²) with ρ = 1."""
    error = Fraction(0)
    for bad in (Fraction(-7), Fraction(0), Fraction(1, 2), Fraction(1), Fraction(9)):
        output = exact_aggregate(rule, [[Fraction(0)], [Fraction(1)], [bad]])[0]
        error = max(error, (output - Fraction(1, 2)) ** 2)
    return error / Fraction(1, 3)


BETWEEN = "the median lies between the honest values, so its error² is ≤ (x_1 − x_2)²/4, with mean ≤ ρ²/4"


@claim(
    "The median attains the lower bound at n = 3, f = 1: both are 3/4.",
    controls=(
        Control("0.76", "it is 3/4 exactly", {"claimed": Fraction(76, 100)}),
        Control("the untrimmed mean", "one message at 9 makes it 24, and more farther out", {"rule": TrimmedMean(0)}),
    ),
)
def attained(ctx: Context, *, claimed: Fraction = Fraction(3, 4), rule: Rule | None = None) -> Iterable[Evidence]:
    """The median's c at n = 3, f = 1, two honest values and any Byzantine one; claimed: 3/4, the finite-n floor."""
    at = {"n": 3, "f": 1}
    c = c_of_three(rule or CoordinateMedian())
    yield Evidence("c of the median at n = 3, f = 1", c, "=", claimed, "exact", covers=BETWEEN, at=at)
    q = Fraction(1, 2)  # E[K²; K ≤ 1]/(2δg²q(1 − q)) = 2q(1 − q)/(2·(1/3)·4·q(1 − q)) for every q
    floor = binomial(2, q)[1] / (2 * Fraction(1, 3) * 4 * q * (1 - q))
    what = "the lower bound at n = 3, f = 1"
    yield Evidence(what, floor, "=", claimed, "exact", covers="the same for every q", at=at)


def least_floor(n: int, delta: Fraction) -> arb:
    """A lower bound of the floor at f = δn: (q² − e^{−2g^{1/3}})/(2δq(1 − q)) at q = f/g − g^{−1/3}."""
    g = (1 - delta) * n
    root = exact(g).root(3)
    q = exact(delta * n / g) - 1 / root
    return (q**2 - (-2 * root).exp()) / (2 * exact(delta) * q * (1 - q))


@claim(
    "The lower bound at n tends to 1/(2(1 − 2δ)) as n → ∞.",
    part_of="corrected",
    controls=(Control("the printed c = 1", "1/(2(1 − 2δ)) is 1 at δ = ¼ only", {"limit": lambda d: 1.0}),),
)
def population_limit(ctx: Context, *, limit: Callable[[float], float] = population_floor) -> Iterable[Evidence]:
    """How the floor's distance from its limit shrinks from n to 10n, claimed: to half or less; bounds on both sides.

    Above: the floor at n, claimed to be at most ((g − 1)/g)·limit. Below: a lower bound of the floor at n = 10^12,
    claimed to be at least 0.99·limit.
    """
    for delta in (0.1, 0.2, 0.3, 0.4):
        sizes = (200, 2000, 20_000)
        floors = [constants.finite_floor(n, round(delta * n)) for n in sizes]
        gaps = [abs(limit(delta) - floor) for floor in floors]
        for n, gap, next_gap in zip(sizes, gaps[:-1], gaps[1:], strict=False):
            what = f"distance to the limit at {10 * n} workers / at {n}, δ = {delta:g}"
            yield Evidence(what, next_gap / gap, "<=", 0.5, "exact", error=1e-6, at={"n": n, "delta": delta})
        for n, floor in zip(sizes, floors, strict=True):
            g = n - round(delta * n)
            yield Evidence(
                f"least c of any rule at n = {n}, δ = {delta:g}, beside the trimmed mean's c",
                floor,
                "<=",
                (g - 1) / g * limit(delta),
                "exact",
                error=1e-6 * floor,
                covers="the bound is for every rule, hence for the trimmed mean, whose c this is (Definition C)",
                at={"n": n, "delta": delta},
            )
        below = least_floor(MANY, Fraction(str(delta)))
        yield Evidence(
            f"least c of any rule, from below, at n = 10^12, δ = {delta:g}",
            float(below.mid()),
            ">=",
            0.99 * limit(delta),
            "proved",
            error=float(below.rad()) + 1e-15,
            covers="as n → ∞, q = f/g − g^{−1/3} → δ/(1 − δ) and P(K > f) ≤ e^{−2g^{1/3}} → 0 (Hoeffding)",
            at={"n": MANY, "delta": delta},
        )


@claim(
    "With exactly f bad workers the bound 1/(2(1 − 2δ)) holds for the error against x̄ at every single n.",
    point=9,
    controls=(Control("the mean", "one message at 9 makes it 24", {"rule": TrimmedMean(0)}, expect="survives"),),
)
def population_floor_at_small_n(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """The c of a rule against x̄ at n = 3, f = 1, beside the population floor 1/(2(1 − 2δ)) = 3/2."""
    c = c_of_three(rule or CoordinateMedian())
    what = "c of the median at n = 3, f = 1"
    yield Evidence(what, c, ">=", Fraction(3, 2), "exact", covers=BETWEEN, at={"n": 3, "f": 1})


@claim(
    "For δ ≥ ½ the error is unbounded, even at ρ = 0.",
    part_of=("printed", "corrected"),
    controls=(Control("one honest worker more", "then the two parts cannot be confused", {"odd": 1}),),
)
def unbounded(ctx: Context, *, odd: int = 0) -> Iterable[Evidence]:
    """error²/h² forced by n/2 messages at 0 and n/2 at h: every value that n − f messages share may be the good one."""
    for f in (1, 5, 50):
        n = 2 * f + odd
        messages = Counter({0: n - f, 1: f})
        means = [Fraction(place) for place, count in messages.items() if count >= n - f]
        yield Evidence(
            f"error²/h² forced at ρ = 0, n = {n}, f = {f}",
            forced(means),
            ">=",
            Fraction(1, 4),
            "exact",
            covers="the same messages, two good means that differ by h, for every h",
            at={"n": n, "f": f},
        )
