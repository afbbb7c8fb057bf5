"""How much of each class's gradient is left in what a rule returns, on imbalanced equidistant classes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

import numpy as np

from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, GeometricMedian, Krum, Mean, Rule
from sims.backend import to_numpy
from sims.checks.evidence import Evidence, Relation
from theory.claim import Context, Control, claim
from theory.counterexample_2_imbalanced.counts import compositions, messages, probability, shares, up_to_order

HALF = Fraction(1, 2)
ROUNDING = 1e-9  # of iterations whose stopping rule is 1e-12
WORKERS = 16  # of the paper's experiment


def share_of_the_rest(
    ctx: Context, rule: Rule, relation: Relation, claimed: Fraction, *, n: int = WORKERS
) -> Iterable[Evidence]:
    """What is left of classes 3 to 10 in the expected aggregate of n workers, as a share of their weight."""
    p = shares(HALF, 10)
    counts, law = up_to_order(n, p)
    order = sorted(range(len(law)), key=lambda i: -law[i])  # the likeliest first; what is left out enters the error
    last = next(i for i, w in enumerate(itertools.accumulate(law[i] for i in order)) if 1 - w <= Fraction(1, 10**6))
    counts, law = counts[order[: last + 1]], [law[i] for i in order[: last + 1]]
    rest = -np.sum(to_numpy(rule.aggregate(ctx.asarray(messages(counts))))[:, 2:], axis=1)
    kept = sum((w * Fraction(float(y)) for w, y in zip(law, rest, strict=True)), Fraction(0)) / sum(p[2:])
    error = float((1 - sum(law)) / sum(p[2:])) + ROUNDING  # of an output in [0, 1]
    name = type(rule).__name__
    what = f"(E output on classes 3–10)/(their share) of {name}, n = {n}"
    yield Evidence(what, kept, relation, claimed, "exact", error, at={"rule": name, "n": n})


@claim(
    "Of the weight of classes 3 to 10 the geometric median of 16 workers keeps more than a quarter.",
    controls=(Control("the coordinate-wise median", "it ignores them", {"rule": CoordinateMedian()}),),
)
def geometric_median_keeps_a_quarter(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """Where no class has nearly a majority the geometric median weighs every class seen."""
    yield from share_of_the_rest(ctx, rule or GeometricMedian(), ">=", Fraction(1, 4))


@claim(
    "Krum of 16 workers leaves classes 3 to 10 at most 3 % of their weight.",
    controls=(Control("the mean", "it keeps all of it", {"rule": Mean()}),),
)
def krum_ignores(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """The most frequent class is rarely one of the rest."""
    yield from share_of_the_rest(ctx, rule or Krum(0), "<=", Fraction(3, 100))


@claim(
    "One CC step from v_0 = 0 keeps min(1, τ) of every class: the proportions of the mean.",
    part_of="corrected",
    controls=(
        Control("centre −p", "rare classes are farther from the mean", {"centre": shares(HALF, 10)}),
        Control("the median", "it is no multiple of the mean", {"rule": lambda tau: CoordinateMedian()}),
    ),
)
def clipping_scales(
    ctx: Context, *, rule: Callable[[float], Rule] = CenteredClipping, centre: Sequence[Fraction] = (Fraction(0),) * 10
) -> Iterable[Evidence]:
    """The largest difference between E[CC step]_k/E[mean]_k and min(1, τ), over classes and τ; claimed: 0."""
    p, counts = shares(HALF, 10), compositions(3, 10)
    law = np.array([float(probability(row, p)) for row in counts.tolist()])
    worst = 0.0
    for tau in (0.1, 0.5, 1.0, 10.0):
        state = ctx.asarray([-float(share) for share in centre])
        output = to_numpy(rule(tau).aggregate(ctx.asarray(messages(counts)), state=state))
        kept = -(law @ output) / np.array([float(share) for share in p])
        worst = max(worst, float(np.max(np.abs(kept - min(1.0, tau)))))
    link = "all messages are at distance 1 from 0, so that all get the factor min(1, τ)"
    yield Evidence("largest |kept share − min(1, τ)|", worst, "=", 0, "exact", ROUNDING, covers=link, scale=1.0)


def kept_of_many(ctx: Context, rule: Rule) -> np.ndarray:
    """What the rule keeps of each of ten classes at γ = ½ when the counts are exactly in proportion (n = 1023)."""
    counts = np.array([[2 ** (9 - k) for k in range(10)]])
    return -to_numpy(rule.aggregate(ctx.asarray(messages(counts))))[0] / (counts[0] / 1023)


@claim(
    "RFA as run (three smoothed steps from 0) keeps at least half of every class as n → ∞.",
    controls=(
        Control("the coordinate-wise median", "it keeps class 1 alone", {"rule": CoordinateMedian()}),
        Control("30 steps", "they arrive near the geometric median", {"rule": RFA(steps=30)}),
    ),
)
def smoothed_median_keeps(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """The least that RFA as run keeps of a class, n = 1023 in exact proportion; claimed: at least half."""
    kept = float(np.min(kept_of_many(ctx, rule or RFA())))
    yield Evidence("least share kept of a class, n = 1023", kept, ">=", 0.5, "exact", ROUNDING, at={"n": 1023})


@claim(
    "With τ = 0.1 and a settled centre CC keeps at most 15 % of each of the classes 2 to 10 (about √2·τ).",
    controls=(
        Control("τ = 3/2", "beyond the distance √2 nothing is clipped", {"tau": 1.5}),
        Control("one step", "from 0 one step with τ = 1 clips nothing", {"tau": 1.0, "steps": 1}),
    ),
)
def small_radius(ctx: Context, *, tau: float = 0.1, steps: int = 100) -> Iterable[Evidence]:
    """The most that settled CC keeps of a class k ≥ 2, n = 1023 in exact proportion; claimed: at most 0.15."""
    kept = float(np.max(kept_of_many(ctx, CenteredClipping(tau, steps))[1:]))
    what = f"largest share kept of classes 2–10, τ = {tau:g}, {steps} steps"
    yield Evidence(what, kept, "<=", 0.15, "exact", ROUNDING, at={"n": 1023, "tau": tau, "l": steps})
