"""Claims: the rules of which κ* is a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np

from sims.aggregators import (
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    MultiKrum,
    NearestNeighbourMixing,
    Rule,
    TrimmedMean,
)
from sims.backend import to_numpy
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from theory.beyond_exact_constants import definitions, formulas, worst_cases
from theory.beyond_exact_constants.exhaustive import FAR, Exact, by_definition, worst
from theory.beyond_exact_constants.krum import error_ratio
from theory.claim import Context, Control, claim

OVER = ((5, 1, 1), (5, 0, 1), (7, 1, 2), (9, 2, 3), (25, 5, 8))
ROBUST: tuple[Callable[[int], Rule], ...] = (
    TrimmedMean,
    Krum,
    MultiKrum,
    lambda F: CoordinateMedian(),
    lambda F: NearestNeighbourMixing(TrimmedMean(F), F),
)


@claim(
    "No rule that is robust up to a declared F ≥ f has κ* < F/(n − f − F).",
    part_of="corrected",
    controls=(
        Control("the mean", "it does not return the value that n − F messages share", {"rules": (lambda F: Mean(),)}),
    ),
)
def least_of_all(ctx: Context, *, rules: Iterable[Callable[[int], Rule]] = ROBUST) -> Iterable[Evidence]:
    """Each rule's exact ratio where n − F messages are equal and f of these Byzantine; claimed: no less."""
    for n, f, F in OVER:
        for make in rules:
            rule = make(F)
            if n < 2 * F + 3:
                continue
            honest, byzantine = worst_cases.equal_but(n, f, F)
            yield Evidence(
                f"ratio of {type(rule).__name__}, told {F}, on n − F equal messages, n = {n}, f = {f}",
                error_ratio(exact_aggregate(rule, [*honest, *byzantine]), honest),
                ">=",
                formulas.least(n, f, F),
                "exact",
                covers="the equal messages may be the honest ones, so that every robust rule returns their value",
                at={"n": n, "f": f, "F": F, "rule": type(rule).__name__},
            )


@claim(
    "The trimmed mean told F ≥ f has the least κ* = F/(n − f − F), f = 0 included.",
    part_of="corrected",
    controls=(
        Control("the median", "it is the trimmed mean of the largest F", {"rule": CoordinateMedian()}),
        Control("told one less", "one far message gets in", {"less": 1}),
    ),
)
def trimmed_mean_told_more(ctx: Context, *, rule: Rule | None = None, less: int = 0) -> Iterable[Evidence]:
    """The largest ratio over honest multisets of {0, 1, 2, 3}, Byzantine ones far out; claimed: the formula."""
    for n, f, F in ((5, 0, 1), (5, 1, 2), (6, 1, 2), (7, 0, 2), (7, 1, 2), (7, 2, 3)):
        yield Evidence(
            f"largest ratio of TM told {F}, n = {n}, f = {f}",
            worst(by_definition(rule or TrimmedMean(F - less)), n, f, range(4), (-FAR, FAR)),
            "=",
            formulas.trimmed_mean(n, f, F),
            "exact",
            covers="monotone in each Byzantine value, then variance between two groups (least_and_medians.md)",
            at={"n": n, "f": f, "F": F, "rule": "TrimmedMean"},
        )


@claim(
    "The coordinate-wise median has κ* = (n − 1)/(n + 1 − 2f) for odd n and (n − 2)/(n + 2 − 2f) for even n.",
    part_of="corrected",
    controls=(Control("the trimmed mean", "told f = 1 it needs less", {"rule": TrimmedMean(1)}),),
)
def median_exactly(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """The largest ratio over honest multisets of {0, 1, 2, 3}, Byzantine ones far out; claimed: the formula."""
    for n, f in ((3, 1), (4, 1), (5, 0), (5, 1), (5, 2), (6, 1), (6, 2), (7, 1), (7, 3)):
        yield Evidence(
            f"largest ratio of the median, n = {n}, f = {f}",
            worst(by_definition(rule or CoordinateMedian()), n, f, range(4), (-FAR, FAR)),
            "=",
            formulas.coordinate_median(n, f),
            "exact",
            covers="it is the trimmed mean of F = ⌈n/2⌉ − 1",
            at={"n": n, "f": f, "rule": "CoordinateMedian"},
        )


@claim(
    "The geometric median has κ* = (n − 1)/(n + 1 − 2f) for odd n in every dimension, and n/(n − 2f) for even n in the "
    "plane.",
    part_of="corrected",
    controls=(
        Control("the coordinate-wise median", "for even n it needs less", {"rule": CoordinateMedian()}),
        Control("the line's value", "for even n the plane is worse", {"line": True}),
    ),
)
def geometric_median_exactly(ctx: Context, *, rule: Rule | None = None, line: bool | None = None) -> Iterable[Evidence]:
    """On the line the largest ratio over multisets; in the plane that on ⌊n/2⌋ honest messages away from the rest.

    Claimed: the formulas; in the plane, where two messages are moved by 0.001 and the rule iterates, to 10⁻⁴.
    """
    because = "⌊n/2⌋ unit vectors against all others, by optimality and Cauchy–Schwarz (least_and_medians.md)"
    for n, f in ((4, 1), (5, 1), (5, 2), (6, 1), (7, 2)) if line is None else ():
        yield Evidence(
            f"largest ratio of the geometric median on the line, n = {n}, f = {f}",
            worst(by_definition(rule or GeometricMedian()), n, f, range(4), (-FAR, FAR)),
            "=",
            formulas.geometric_median(n, f, line=True),
            "exact",
            covers=because,
            at={"n": n, "f": f, "d": 1, "rule": "GeometricMedian"},
        )
    for n, f in ((4, 1), (6, 1), (6, 2), (9, 2), (24, 5), (25, 11)):
        honest, byzantine = worst_cases.split(n, f)
        x = np.array([[float(value) for value in row] for row in [*honest, *byzantine]])
        y = to_numpy((rule or GeometricMedian()).aggregate(ctx.asarray(x)))
        claimed = formulas.geometric_median(n, f, line=bool(line))
        yield Evidence(
            f"ratio of the geometric median in the plane, n = {n}, f = {f}",
            float(error_ratio([Fraction(float(value)) for value in y], honest)),
            "=",
            claimed,
            "exact",
            error=1e-4 * float(claimed),
            covers=because,
            at={"n": n, "f": f, "d": 2, "rule": "GeometricMedian"},
        )


Formula = Callable[[int, int], Fraction]
CHOICES: dict[str, tuple[Formula, Exact, Callable[[int, int], worst_cases.Case]]] = {
    "MDA": (formulas.minimum_diameter, definitions.minimum_diameter, worst_cases.widest),
    "SMEA": (formulas.minimum_variance, definitions.minimum_variance, lambda n, f: worst_cases.shifted(n, f, f)),
    "Meamed": (formulas.mean_around_median, definitions.mean_around_median, worst_cases.around_median),
    "Phocas": (
        formulas.mean_around_trimmed_mean,
        definitions.mean_around_trimmed_mean,
        worst_cases.around_trimmed_mean,
    ),
    "MoNNA": (formulas.mean_around_pivot, definitions.mean_around_pivot, worst_cases.around_pivot),
}


@claim(
    "Of the rules that average n − f messages of their choice SMEA and Phocas have κ* = 4f/(n − 2f), Meamed 4f(1 + "
    "f/q)/(n − f) with q = ⌊n/2⌋ + 1 − f, MDA (2f² + 3f + f²/k)/(n − f) with k = n − 2f − 1 ≥ 1, and MoNNA around an "
    "honest worker 4f(f + 1)/(n − f).",
    part_of="corrected",
    controls=(
        Control(
            "the least variance for the least diameter",
            "it needs less",
            {"replaced": {"MDA": definitions.minimum_variance}},
        ),
        Control(
            "the trimmed mean for the median",
            "for odd n its neighbours need less",
            {"replaced": {"Meamed": definitions.mean_around_trimmed_mean}},
        ),
    ),
)
def averages_of_a_choice(ctx: Context, *, replaced: dict[str, Exact] | None = None) -> Iterable[Evidence]:
    """The ratio on the worst case, and the largest over small integers; claimed: the formula, and no more."""
    for name, (formula, definition, case) in CHOICES.items():
        rule = (replaced or {}).get(name, definition)
        for n, f in ((3, 1), (4, 1), (5, 2), (6, 2), (7, 2), (9, 3)):
            honest, byzantine = case(n, f)
            yield Evidence(
                f"ratio of {name} on its worst case, n = {n}, f = {f}",
                error_ratio(rule([*honest, *byzantine], f), honest),
                "=",
                formula(n, f),
                "exact",
                error=1e-6,  # the nudge by which a Byzantine message is nearer
                covers="no farther than what is left out, then Cauchy–Schwarz (averages_of_a_choice.md)",
                at={"n": n, "f": f, "rule": name},
            )
        for n, f in ((4, 1), (5, 1)):
            yield Evidence(
                f"largest ratio of {name} over honest values of {{0, …, 3}}, n = {n}, f = {f}",
                worst(rule, n, f, range(4), range(-6, 11), ordered=name == "MoNNA"),
                "<=",
                formula(n, f),
                "exact",
                at={"n": n, "f": f, "rule": name},
            )
