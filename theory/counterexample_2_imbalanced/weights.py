"""How much of each class's gradient is left in what a rule returns, on imbalanced equidistant classes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

import numpy as np

from sims.aggregators import RFA, CenteredClipping, Rule
from sims.backend import to_numpy
from sims.checks.evidence import Evidence
from theory.claim import Context
from theory.counterexample_2_imbalanced.counts import compositions, messages, probability, shares, up_to_order

HALF = Fraction(1, 2)
ROUNDING = 1e-9  # of iterations whose stopping rule is 1e-12
WORKERS = 16  # of the paper's experiment


def share_of_the_rest(ctx: Context, *, rule: Rule, n: int = WORKERS) -> Iterable[Evidence]:
    """What is left of classes 3 to 10 in the expected aggregate of 16 workers; claimed: at most 3 %."""
    p = shares(HALF, 10)
    counts, law = up_to_order(n, p)
    order = sorted(range(len(law)), key=lambda i: -law[i])  # the likeliest first; what is left out enters the error
    last = next(i for i, w in enumerate(itertools.accumulate(law[i] for i in order)) if 1 - w <= Fraction(1, 10**6))
    counts, law = counts[order[: last + 1]], [law[i] for i in order[: last + 1]]
    rest = -np.sum(to_numpy(rule.aggregate(ctx.asarray(messages(counts))))[:, 2:], axis=1)
    kept = sum((w * Fraction(float(y)) for w, y in zip(law, rest, strict=True)), Fraction(0)) / sum(p[2:])
    error = float((1 - sum(law)) / sum(p[2:])) + ROUNDING  # of an output in [0, 1]
    what = f"(E output on classes 3–10)/(their share) of {type(rule).__name__}, n = {n}"
    yield Evidence(what, kept, "<=", Fraction(3, 100), "exact", error)


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


def small_radius(ctx: Context, *, tau: float = 0.1, steps: int = 100) -> Iterable[Evidence]:
    """The most that settled CC keeps of a class k ≥ 2, n = 1023 in exact proportion; claimed: at most 0.15."""
    kept = float(np.max(kept_of_many(ctx, CenteredClipping(tau, steps))[1:]))
    yield Evidence(
        f"largest share kept of classes 2–10, τ = {tau:g}, {steps} steps", kept, "<=", 0.15, "exact", ROUNDING
    )


def smoothed_median_keeps(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """The least that RFA as run keeps of a class, n = 1023 in exact proportion; claimed: at least half."""
    kept = float(np.min(kept_of_many(ctx, rule or RFA())))
    yield Evidence("least share kept of a class, n = 1023", kept, ">=", 0.5, "exact", ROUNDING)
