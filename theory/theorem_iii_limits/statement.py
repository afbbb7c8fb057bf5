"""Theorem III: what no aggregation rule can do.

*Quantifiers.* Printed: there are vectors for which every rule errs. For one law the constant rule AGG ≡ μ does not err;
the claim needs two worlds that no rule can tell apart. And for a given n and f it is false as a number: the trimmed
mean errs less than δρ² in every dimension, first proved at n = 123, f = 12 (`trimmed_mean_error.py`).

*Two worlds.* Messages iid from (1 − δ)D + δQ. If (1 − δ)D_1 + δQ_1 = (1 − δ)D_2 + δQ_2 then TV(D_1, D_2) ≤ ε = δ/(1 −
δ), and with variances ≤ s² = ρ²/2 the means differ by at most 2s√(ε/(1 − ε)). Attained by D_± = (1 − ε)·[0] + ε·[±h], h
= s/√(ε(1 − ε)), with Q_± = [∓h]: both mixtures are (1 − 2δ)[0] + δ[h] + δ[−h], and |μ_+ − μ_−| = 2εh. Any output errs
by εh in the mean square of the two worlds (a² + b² ≥ (a − b)²/2), so that max E(x̂ − μ)² ≥ ε²h² = δρ²/(2(1 − 2δ)) at
every n. As n → ∞ the mixture is known and the midpoint of the means that it allows errs by at most this: the constant
is sharp, and δρ² is claimed too much while δ < ¼.

*Exactly f bad workers, against x̄.* K ~ Bin(g, q) honest messages are ±h, h² = ρ²/(2q(1 − q)); min(K, f) of the f
Byzantine ones, any of them, are ∓h, all others 0. While K ≤ f the *multiset* of messages is the same in both worlds and
x̄ = ±hK/g: a rule that is a function of the multiset errs by h²K²/g² in the mean of the two worlds, and needs c ≥ sup_q
E[K²; K ≤ f]/(2δg²q(1 − q)). With n → ∞ this tends to 1/(2(1 − 2δ)).
*A rule that sees who sent what* escapes if the good workers are known: at n = 3, f = 1 the mean of the first two errs
by 0 in both worlds when these are the good ones. It does not if the set G is drawn uniformly at random: given K ≤ f
the *array* is then a uniformly random arrangement of {K times h, K times −h, n − 2K times 0} in either world, so that,
given the array, both worlds are equally likely and x̄ = hK/g or −hK/g; any output, random or not, errs by at least
h²K²/g² in the mean of the two. The largest error over the two worlds and all C(n, f) sets G is at least that average.
Definition C quantifies over G: the floor binds every rule. The least error that any rule can make is found by
enumeration (`least_error.py`).

*δ ≥ ½.* Half of the messages at 0 and half at h: either half may be the good one, with ρ = 0 and h as large as one
likes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any

from sims.aggregators import CoordinateMedian, Rule, TrimmedMean
from sims.by_name import published
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from sims.checks.laws import binomial
from sims.checks.two_point import error_table, search_c
from theory.claim import Claim, Context, Control, Fault, Source, Statement
from theory.definition_c_robust_aggregator.constants import finite_floor, population_floor
from theory.theorem_iii_limits.least_error import anywhere, independent_messages, known, least_error, mirrored_spikes
from theory.theorem_iii_limits.linear_program import largest_gap_by_linear_programming
from theory.theorem_iii_limits.trimmed_mean_error import every_rule_errs

Law = dict[int, Fraction]  # place → probability
DELTAS = tuple(Fraction(i, 40) for i in range(1, 20))  # 19 points: more than the degree of any identity checked on them


def mean(law: Law) -> Fraction:
    """E X of a law on whole numbers."""
    return sum((place * mass for place, mass in law.items()), Fraction(0))


def variance(law: Law) -> Fraction:
    """E X² − (E X)²."""
    return sum((place**2 * mass for place, mass in law.items()), Fraction(0)) - mean(law) ** 2


def mixture(good: Law, bad: Law, delta: Fraction) -> Law:
    """(1 − δ)·good + δ·bad."""
    places = good.keys() | bad.keys()
    law = {x: (1 - delta) * good.get(x, Fraction(0)) + delta * bad.get(x, Fraction(0)) for x in places}
    return {x: mass for x, mass in law.items() if mass}


def forced(means: Iterable[Fraction]) -> Fraction:
    """The least largest error² of one output against several means: (half the widest gap)²."""
    found = list(means)
    return ((max(found) - min(found)) / 2) ** 2


def spike(sign: int, delta: Fraction) -> Law:
    """D_±: 0, and ±1 with probability ε = δ/(1 − δ)."""
    eps = delta / (1 - delta)
    return {0: 1 - eps, sign: eps}


def one_law(ctx: Context, *, signs: tuple[int, ...] = (1,), n: int = 2) -> Iterable[Evidence]:
    """The least error²/ρ² of any rule that sees n messages, given that they come from D_sign, no message bad."""
    for delta in DELTAS[10:]:
        laws = [spike(sign, delta) for sign in signs]
        mixed = [mixture(law, {-sign: Fraction(1)}, delta) for law, sign in zip(laws, signs, strict=True)]
        worlds = [independent_messages(seen, mean(law), n) for seen, law in zip(mixed, laws, strict=True)]
        yield Evidence(
            f"least error²/ρ² of any rule, {len(laws)} law(s), n = {n}, δ = {float(delta):g}",
            least_error(worlds) / (2 * variance(laws[0])),
            ">=",
            delta,
            "exact",
        )


def identical_mixtures(
    ctx: Context,
    *,
    constant: Callable[[Fraction], Fraction] = lambda d: d / (2 * (1 - 2 * d)),
    bad_place: Callable[[int], int] = lambda sign: -sign,
    n: int = 2,
) -> Iterable[Evidence]:
    """The least error² of any rule that sees n messages from either world, in units of ρ², beside the claim."""
    for delta in DELTAS:
        good = [spike(sign, delta) for sign in (1, -1)]
        mixed = [mixture(law, {bad_place(sign): Fraction(1)}, delta) for law, sign in zip(good, (1, -1), strict=True)]
        worlds = [independent_messages(seen, mean(law), n) for seen, law in zip(mixed, good, strict=True)]
        yield Evidence(
            f"least error²/ρ² of any rule, δ = {float(delta):g}, n = {n}",
            least_error(worlds) / (2 * variance(good[0])),
            ">=",
            constant(delta),
            "exact",
            covers="one mixture, so one law of n messages for every n; rational functions of δ of degree ≤ 6 that "
            "agree at 19 points agree",
        )


def widest_gap(ctx: Context, *, claim: Callable[[float], float]) -> Iterable[Evidence]:
    """The largest (half gap)²/ρ² between two laws with one mixture, found by linear programming, beside the claim."""
    for delta in (0.05, 0.1, 0.2, 0.3, 0.4):
        value, error = largest_gap_by_linear_programming(delta)
        what = f"largest error²/ρ² that two laws force at δ = {delta:g}"
        yield Evidence(what, value, "<=", claim(delta), "searched", error, resolution=0.02)


def huber_constant(delta: float) -> float:
    """δ/(2(1 − 2δ))."""
    return delta * population_floor(delta)


Places = Callable[[int, int], Iterator[tuple[int, ...]]]


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
            covers="given K ≤ f and G drawn uniformly the array is a random arrangement of one multiset",
        )


def floor_of_rules(
    ctx: Context, *, factor: float = 1.0, extra: int = 0, places: Places = anywhere
) -> Iterable[Evidence]:
    """The least c of any rule, then what each of ours is seen to need, beside the floor with f + extra mirrored."""
    yield from floor_of_any_rule(ctx, places=places)
    cases = ((3, 1), (5, 1), (7, 2), (11, 2), (25, 5), (25, 11))
    for n, f in cases[: max(4, ctx.scaled(len(cases)))]:  # the small ones only when quick
        floor = factor * finite_floor(n, f, f + extra)
        for name, rule in published(n, f).items():
            c = search_c(error_table(rule, n, f, ctx.backend), f / n)[0]
            yield Evidence(
                f"c needed by {name} at n = {n}, f = {f}",
                c,
                ">=",
                floor,
                "exact",
                error=1e-5 * min(c, floor),  # the search's grid ends at rare spikes of probability 1e-6/g
                covers="identical messages in both worlds while K ≤ f",
                resolution=1e-4,
            )


def c_of_three(rule: Rule) -> Fraction:
    """A rule's c at n = 3, f = 1 over honest values 0 and 1 and Byzantine ones up to 9: error²/(δρ²) with ρ = 1."""
    error = Fraction(0)
    for bad in (Fraction(-7), Fraction(0), Fraction(1, 2), Fraction(1), Fraction(9)):
        output = exact_aggregate(rule, [[Fraction(0)], [Fraction(1)], [bad]])[0]
        error = max(error, (output - Fraction(1, 2)) ** 2)
    return error / Fraction(1, 3)


BETWEEN = "the median lies between the honest values, so its error² is ≤ (x_1 − x_2)²/4, with mean ≤ ρ²/4"


def attained(ctx: Context, *, claimed: Fraction = Fraction(3, 4), rule: Rule | None = None) -> Iterable[Evidence]:
    """The median's c at n = 3, f = 1, two honest values and any Byzantine one; claimed: 3/4, the finite-n floor."""
    c = c_of_three(rule or CoordinateMedian())
    yield Evidence("c of the median at n = 3, f = 1", c, "=", claimed, "exact", covers=BETWEEN)
    q = Fraction(1, 2)  # E[K²; K ≤ 1]/(2δg²q(1 − q)) = 2q(1 − q)/(2·(1/3)·4·q(1 − q)) for every q
    floor = binomial(2, q)[1] / (2 * Fraction(1, 3) * 4 * q * (1 - q))
    yield Evidence("the finite-n floor at n = 3, f = 1", floor, "=", claimed, "exact", covers="the same for every q")


def floor_tends(ctx: Context, *, limit: Callable[[float], float] = population_floor) -> Iterable[Evidence]:
    """How the distance of the finite-n floor from its limit shrinks from n to 10n; claimed: to half or less."""
    for delta in (0.1, 0.2, 0.3, 0.4):
        gaps = [abs(limit(delta) - finite_floor(n, round(delta * n))) for n in (200, 2000, 20_000)]
        for n, gap, next_gap in zip((200, 2000), gaps[:-1], gaps[1:], strict=True):
            what = f"distance to the limit at {10 * n} workers / at {n}, δ = {delta:g}"
            yield Evidence(what, next_gap / gap, "<=", 0.5, "exact", error=1e-6)


def population_at_small_n(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """The c of a rule against x̄ at n = 3, f = 1, beside the population floor 1/(2(1 − 2δ)) = 3/2."""
    c = c_of_three(rule or CoordinateMedian())
    yield Evidence("c of the median at n = 3, f = 1", c, ">=", Fraction(3, 2), "exact", covers=BETWEEN)


def no_majority(ctx: Context, *, odd: int = 0) -> Iterable[Evidence]:
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
        )


def picture(ctx: Context) -> dict[str, Any]:
    """Both floors and the printed constant against δ, with the trimmed mean's needed c at several n."""
    deltas = [i / 100 for i in range(1, 46)]
    sizes = {}
    for n in (11, 25, 101, 401):
        fs = sorted({f for f in (round(d * n) for d in deltas) if 1 <= f <= (n - 1) // 2 and f / n <= 0.45})
        sizes[str(n)] = {"delta": [f / n for f in fs], "floor": [finite_floor(n, f) for f in fs]}
    measured = {}
    for n in (25, 101):
        fs = sorted({round(d * n) for d in (*deltas[::3], deltas[-1])} - {0})
        values = [search_c(error_table(TrimmedMean(f), n, f, ctx.backend), f / n)[0] for f in fs]
        bound = [(n - f - 1) / (n - f) * population_floor(f / n) for f in fs]
        measured[str(n)] = {"delta": [f / n for f in fs], "c": values, "bound": bound}
    return {
        "delta": deltas,
        "population": [population_floor(d) for d in deltas],
        "finite": sizes,
        "trimmed_mean": measured,
        "printed": 1.0,
    }


STATEMENT = Statement(
    stem="theorem_iii_limits",
    label="Theorem III",
    title="Limits of robustness",
    printed="There are n random vectors, of which a good subset |G| ≥ (1 − δ)n is iid with E‖x_i − x_j‖² ≤ ρ², "
    "for which any rule x̂ = AGG(x_1, …, x_n) has E‖x̂ − μ‖² ≥ δρ². For δ ≥ ½ the error can be "
    "unbounded.",
    corrected="For every rule there is one of two laws on which E(x̂ − μ)² ≥ δρ²/(2(1 − 2δ)), under Huber "
    "contamination at every n; no two laws force more. With exactly f bad workers, against x̄, and some "
    "set of good workers (any set, for functions of the multiset): c ≥ sup_q E[K²; K ≤ f]/(2δg²q(1 − "
    "q)), which tends to 1/(2(1 − 2δ)).",
    says="Some n vectors force E‖x̂ − μ‖² ≥ δρ² on any rule",
    says_corrected="Any rule: E(x̂ − μ)² ≥ δρ²/(2(1 − 2δ)) on one of two laws",
    for_you="Do not expect an error below δρ²/(2(1 − 2δ)) from any rule for many workers, and note that the "
    "trimmed mean attains it.",
    rests_on="sharp: write the two-line proof (common part of mass 1 − ε, Var ≥ ε(1 − ε)|e|², so |μ_i| ≤ s√(ε/(1 "
    "− ε))) for the linear program; population_limit: the floor is ≤ TM's c, and ≥ by q ↑ δ/(1 − δ) and "
    "the law of large numbers. Without these two the rest is proved",
    source=Source(
        "main",
        "Section 5.1",
        "There exist a set of n random vectors x1 , . . . , xn such that a good subset G ⊆ [n] of size at "
        "least |G| ≥ (1 − δ)n is i.i.d. satisfying Ekxi − xj k2 ≤ ρ2 , for any apriori fixed i, j ∈ G . For "
        "these vectors, any aggregation rule x̂ = AGG(x1 , . . . , xn ) necessarily has an error Ekx̂ − µk2 "
        "≥ δρ2 . Further, the error can be unbounded (∞) if δ ≥ 12 .",
        "Legible.",
    ),
    fault=Fault(
        "constant",
        "The order δρ² is right; the constant is 1/(2(1 − 2δ)), half of the printed 1 for small δ and "
        "larger from ¼ on; 'for these vectors any rule' must be 'for any rule there are vectors' (wording).",
    ),
    claims=(
        Claim(
            name="one_law",
            text="There is one law on which every rule errs by E‖x̂ − μ‖² ≥ δρ².",
            part_of=("printed",),
            point=9,
            check=one_law,
            controls=(
                Control("two laws", "with means ±εh no constant serves both", {"signs": (1, -1)}, expect="survives"),
            ),
        ),
        Claim(
            name="printed_constant",
            text="Every rule errs by E‖x̂ − μ‖² ≥ δρ² on some law, for every n and f < n/2, the trimmed mean too.",
            part_of=("printed",),
            point=9,
            check=every_rule_errs,
            controls=(
                Control(
                    "δ = 0.3",
                    "above ¼ two laws force more than δρ²",
                    {"cases": ((60, 18), (200, 60))},
                    expect="survives",
                ),
            ),
        ),
        Claim(
            name="huber_floor",
            text="Two laws force E(x̂ − μ)² ≥ δρ²/(2(1 − 2δ)) on every rule, under Huber contamination at every n and "
            "δ < ½.",
            part_of=("corrected",),
            point=9,
            check=identical_mixtures,
            controls=(
                Control(
                    "5 % more",
                    "the two worlds are exactly that far apart",
                    {"constant": lambda d: Fraction(21, 20) * d / (2 * (1 - 2 * d))},
                ),
                Control(
                    "an idle adversary",
                    "without the mirrored spike the two mixtures differ",
                    {"bad_place": lambda sign: 0},
                ),
            ),
        ),
        Claim(
            name="sharp",
            text="No two laws with one mixture are further apart: the constant is sharp as n → ∞.",
            part_of=("corrected",),
            point=9,
            check=lambda ctx, claim=huber_constant: widest_gap(ctx, claim=claim),
            controls=(
                Control("90 % of it", "the two worlds are further apart", {"claim": lambda d: 0.9 * huber_constant(d)}),
            ),
        ),
        Claim(
            name="finite_floor",
            text="At each n and f every rule needs at least c = sup_q E[K²; K ≤ f]/(2δg²q(1 − q)) against x̄, for some "
            "set of good workers; a function of the multiset of messages for each set.",
            part_of=("corrected",),
            point=9,
            check=floor_of_rules,
            controls=(
                Control("5 % more", "the median at n = 3, f = 1 attains the floor", {"factor": 1.05}),
                Control("f + 1 spikes mirrored", "the adversary has f messages only", {"extra": 1}),
                Control("good workers who are known", "the mean of the first g does not err", {"places": known}),
            ),
        ),
        Claim(
            name="attained",
            text="The median attains the finite-n floor at n = 3, f = 1: both are 3/4.",
            part_of=(),
            check=attained,
            controls=(
                Control("0.76", "it is 3/4 exactly", {"claimed": Fraction(76, 100)}),
                Control(
                    "the untrimmed mean", "one message at 9 makes it 24, and more farther out", {"rule": TrimmedMean(0)}
                ),
            ),
        ),
        Claim(
            name="population_limit",
            text="The finite-n floor tends to 1/(2(1 − 2δ)) as n → ∞.",
            part_of=("corrected",),
            check=floor_tends,
            controls=(Control("the printed c = 1", "1/(2(1 − 2δ)) is 1 at δ = ¼ only", {"limit": lambda d: 1.0}),),
        ),
        Claim(
            name="population_floor_at_small_n",
            text="With exactly f bad workers the population floor 1/(2(1 − 2δ)) binds the error against x̄ at every "
            "single n.",
            part_of=(),
            point=9,
            check=population_at_small_n,
            controls=(
                Control("the mean", "one message at 9 makes it 24", {"rule": TrimmedMean(0)}, expect="survives"),
            ),
        ),
        Claim(
            name="unbounded",
            text="For δ ≥ ½ the error is unbounded, even at ρ = 0.",
            part_of=("printed", "corrected"),
            check=no_majority,
            controls=(Control("one honest worker more", "then the two parts cannot be confused", {"odd": 1}),),
        ),
    ),
    data=picture,
)
