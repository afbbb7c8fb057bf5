"""What of a round is a sum over the workers.

Given v, one CC step is one, and so are the two sums whose quotient is a step of RFA. A function is a sum of functions
of one message each if and only if all its mixed differences vanish. The proof is in `worker_sums.md`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np

from sims.aggregators import (
    RFA,
    Bulyan,
    CenteredClipping,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    MultiKrum,
    Rule,
    TrimmedMean,
)
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from theory.claim import Context, Control, claim

Aggregate = Callable[[Sequence[Fraction], Fraction], Fraction]  # messages and centre, d = 1


def exactly(rule: Rule) -> Aggregate:
    """The rule on a line, in rationals."""
    centred = isinstance(rule, CenteredClipping)
    return lambda x, v: exact_aggregate(rule, [(value,) for value in x], [v] if centred else None)[0]


def lines(ctx: Context, count: int, n: int) -> list[tuple[list[Fraction], Fraction]]:
    """Messages with halves and thirds between −4 and 4, and a centre."""
    rng = np.random.Generator(np.random.Philox(key=[ctx.seed, n]))
    draws = [[Fraction(int(a), 6) for a in rng.integers(-24, 25, n + 1)] for _ in range(count)]
    return [(row[:-1], row[-1]) for row in draws]


def mixed_difference(aggregate: Aggregate, x: Sequence[Fraction], v: Fraction) -> Fraction:
    """The largest |mixed second difference| over pairs i < j, when x_i and x_j move by 2 and by −3."""

    def at(**moved: Fraction) -> Fraction:
        return aggregate([value + moved.get(f"x{i}", Fraction(0)) for i, value in enumerate(x)], v)

    largest = Fraction(0)
    for i, j in itertools.combinations(range(len(x)), 2):
        a, b = {f"x{i}": Fraction(2)}, {f"x{j}": Fraction(-3)}
        largest = max(largest, abs(at(**a, **b) - at(**a) - at(**b) + at()))
    return largest


@claim(
    "Given v, one CC step is a sum of terms of one worker each: secure aggregation can add them up.",
    part_of=("printed", "corrected"),
    controls=(
        Control("two steps", "v_1 depends on everybody", {"rule": CenteredClipping(1.0, 2)}),
        Control("the median", "it is no sum", {"rule": CoordinateMedian()}),
    ),
)
def step_is_a_sum(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """The largest mixed second difference of one CC step, in rationals; claimed: 0."""
    aggregate = exactly(rule or CenteredClipping(1.0))
    worst = max(mixed_difference(aggregate, x, v) for x, v in lines(ctx, 16, 5))
    link = "(CC) is v + (1/n)Σ_i clip_τ(x_i − v), each term a function of x_i and v"
    at = {"n": 5, "l": 1}
    yield Evidence("largest |mixed difference|, n = 5", worst, "=", Fraction(0), "exact", covers=link, at=at)


NOT_SUMS: Mapping[str, Rule] = {
    "CC, two steps": CenteredClipping(1.0, 2),
    "coordinate-wise median": CoordinateMedian(),
    "geometric median": GeometricMedian(),
    "RFA, one step": RFA(steps=1, nu=0.5),
    "trimmed mean": TrimmedMean(1),
    "Krum": Krum(1),
    "Multi-Krum": MultiKrum(1),
    "Bulyan": Bulyan(1),
}


@claim(
    "Two CC steps, the medians, RFA, the trimmed mean, Krum, Multi-Krum and Bulyan are no such sums.",
    part_of="corrected",
    loose="one that shows is enough",
    controls=(
        Control("the mean", "it is a sum", {"rules": {"mean": Mean()}}),
        Control("one CC step", "it is a sum", {"rules": {"CC": CenteredClipping(1.0)}}),
    ),
)
def others_are_no_sums(ctx: Context, *, rules: Mapping[str, Rule] = NOT_SUMS) -> Iterable[Evidence]:
    """The largest mixed second difference of each other rule; claimed: not 0, hence no sum of terms.

    Values in sixths, n = 7: what two steps return is a multiple of 1/294, so that nothing smaller counts as not 0.
    """
    for name, rule in rules.items():
        worst = max(mixed_difference(exactly(rule), x, v) for x, v in lines(ctx, 2, 7))
        link, what = "one nonzero mixed difference suffices", f"largest |mixed difference| of {name}, n = 7"
        at = {"n": 7, "rule": name}
        yield Evidence(what, worst, ">=", Fraction(1, 294), "exact", covers=link, at=at)


def clip(value: Fraction, tau: Fraction = Fraction(1)) -> Fraction:
    """value·min(1, τ/|value|)."""
    return max(-tau, min(tau, value))


@claim(
    "Given v, the terms may arrive in any order: a step can be taken asynchronously.",
    part_of=("printed", "corrected"),
    controls=(Control("v moves with each arrival", "then the order matters", {"moving": True}),),
)
def any_order(ctx: Context, *, moving: bool = False) -> Iterable[Evidence]:
    """The spread of one CC step over all orders of arrival, term by term; claimed: 0. `moving`: v moves with each."""
    spread = Fraction(0)
    for x, v in lines(ctx, 4, 5):
        results = set()
        for order in itertools.permutations(x):
            centre = v
            for value in order:
                centre += clip(value - (centre if moving else v)) / len(x)
            results.add(centre)
        spread = max(spread, max(results) - min(results), abs(exactly(CenteredClipping(1.0))(x, v) - results.pop()))
    link = "addition is commutative and associative"
    what = "largest difference over 120 orders, and from the rule"
    yield Evidence(what, spread, "=", Fraction(0), "exact", covers=link, at={"n": 5})


@claim(
    "RFA with T steps takes T rounds of sums, like CC with T steps.",
    part_of="corrected",
    controls=(Control("one round", "later weights need the new z", {"rounds": 1}),),
)
def rfa_from_sums(ctx: Context, *, rounds: int = 3) -> Iterable[Evidence]:
    """RFA with three steps beside three rounds of two sums, (Σ w_i x_i, Σ w_i); claimed: no difference."""
    worst = Fraction(0)
    for x, _ in lines(ctx, 12, 5):
        z = told = Fraction(0)
        for step in range(3):
            told = z if step < rounds else told  # what the workers know of z
            weights = [1 / max(Fraction(1, 2), abs(value - told)) for value in x]
            z = sum((w * value for w, value in zip(weights, x, strict=True)), Fraction(0)) / sum(weights)
        worst = max(worst, abs(z - exactly(RFA(steps=3, nu=0.5))(x, Fraction(0))))
    link = "a smoothed Weiszfeld step is a quotient of two sums of terms that a worker knows, given z"
    yield Evidence("largest difference, n = 5", worst, "=", Fraction(0), "exact", covers=link, at={"n": 5, "T": 3})


@claim(
    "Where secure aggregation shows the server the sum alone, one worker that does not clip moves v as far as it "
    "likes: a step is compatible with it only if the workers clip.",
    part_of="corrected",
    controls=(
        Control("the server clips", "it can if it sees the messages", {"server_clips": True}),
        Control("all clip honestly", "then nothing is lost", {"honest": True}),
    ),
)
def secure_step_unbounded(
    ctx: Context, *, server_clips: bool = False, honest: bool = False, lies: tuple[int, ...] = (10, 10**3, 10**6)
) -> Iterable[Evidence]:
    """|v_1 − v_0|/τ of a step from the sum of the workers' terms, one of them a lie; claimed: a third of the lie.

    The others have τ-clipped terms ½ and −⅓, τ = 1.
    """
    v = Fraction(0)
    for lie in lies:
        terms = [clip(x - v) for x in (Fraction(1, 2), Fraction(-1, 3))]
        terms.append(clip(Fraction(lie)) if server_clips or honest else Fraction(lie))
        moved = abs(sum(terms, Fraction(0))) / 3
        what = f"|v_1 − v_0|/τ, n = 3, f = 1, one worker submits {lie}τ"
        at = {"n": 3, "f": 1}
        yield Evidence(what, moved, ">=", Fraction(lie, 3), "exact", covers="linear in what is submitted", at=at)
