"""The checks of Theorem II that measure: exact errors of the leaking algorithm and of the mean, runs of the engine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

import numpy as np

from sims.aggregators import CenteredClipping, TrimmedMean
from sims.checks.confidence import bounded_mean
from sims.checks.evidence import Evidence
from sims.optimizers import Algorithm, RobustSGD, ServerMomentum, WorkerMomentum
from theory.claim import Context, Control, claim
from theory.theorem_ii_lower_bound.constant import CONSTANT
from theory.theorem_ii_lower_bound.errors import (
    algorithms,
    error_after_projection,
    error_of_the_mean,
    errors_in_pairs,
    forced_below,
    largest_averaging_error,
    leaking_error_of_three_rounds,
    with_worker_momentum,
)

SHORT = (100, 20, 54, Fraction(67, 500))  # n, f, the longest t of the printed hypothesis, and the best q of SHARES
LONG = (200, 40, 8000, Fraction(63, 500))
HARD = (  # C, n, f, t: δ = 1/5, n even, δn ≥ 4(1 + log t)
    (CONSTANT, 100, 20, 54),
    (Fraction(1, 10**3), 210, 42, 10**4),
    (Fraction(1, 10**6), 350, 70, 10**7),
)


@claim(
    "So does the corrected bound 0.21·δσ²/μ, where δn ≥ 4(1 + log t).",
    point=25,
    controls=(
        Control(
            "the answer 0",
            "it errs by qσ²/(2μ(1 − q)) on both problems",
            {"error": lambda n, f, q: q / (2 * (1 - q))},
            expect="survives",
        ),
    ),
)
def output_invariance_under_the_hypothesis(
    ctx: Context, *, error: Callable[[int, int, Fraction], Fraction] = leaking_error_of_three_rounds
) -> Iterable[Evidence]:
    """The error of `Leaking` after 3 rounds under δn ≥ 4(1 + log 3), f = 9, beside 0.21·δ."""
    for n, share in ((19, Fraction(3, 5)), (60, Fraction(3, 5))):
        q = share * Fraction(9, n)
        what = f"error of the leaking algorithm at n = {n}, f = 9, t = 3, q = {q}"
        at = {"n": n, "f": 9, "t": 3, "q": q}
        yield Evidence(what, error(n, 9, q), ">=", CONSTANT * Fraction(9, n), "exact", at=at)


@claim(
    "For some constant C and all n and t with δn ≥ 4(1 + log t), every algorithm whose output alone is permutation "
    "invariant errs by Cδσ²/μ on some problem in one dimension with L = μ.",
    part_of="printed",
    point=25,
    controls=(Control("t = 20", "the averages are still too noisy", {"t": 20}, expect="survives"),),
)
def some_hard_problem(ctx: Context, *, t: int | None = None) -> Iterable[Evidence]:
    """The error of the median of averages at most, over every f with L = μ and every adversary, in units of δσ²/μ.

    Claimed: at least C, for C = 0.21 and smaller. It falls like 1/t and excludes every constant (`output_alone.md`).
    """
    for constant, n, f, rounds in HARD:
        steps = t or rounds
        yield Evidence(
            f"largest error·μ/(δσ²) of the averaging algorithm over all f with L = μ, n = {n}, f = {f}, t = {steps}",
            largest_averaging_error(n, f, steps) / Fraction(f, n),
            ">=",
            constant,
            "exact",
            at={"n": n, "f": f, "t": steps},
        )


@claim(
    "By its exact moments the mean errs by the bound, with momentum on server or workers too, t ≤ 10^8.",
    controls=(
        Control("1 % more", "at n = 400 it errs by the bound and half a percent", {"factor": Fraction(101, 100)}),
    ),
)
def mean(ctx: Context, *, factor: Fraction = Fraction(1)) -> Iterable[Evidence]:
    """E[f_s(x_t) − f_s*]·μ/σ² of the mean, plain and with momentum (server's or workers'), by exact moments."""
    for n, f, t, q in (SHORT, LONG, (400, 80, 10**8, Fraction(3, 25))):
        for name, beta in (("", 0.0), (" with momentum 0.9", 0.9)):
            value = error_of_the_mean(n, f, t, q, beta)
            yield Evidence(
                f"error of the mean{name} at n = {n}, f = {f}, t = {t}",
                value,
                ">=",
                factor * forced_below(n, f, t, q),
                "exact",
                error=1e-9 * value,
                resolution=1e-6,
                at={"n": n, "f": f, "t": t, "q": q, "beta": beta},
            )


def runs_err(ctx: Context, *, long: bool = False, extra: Mapping[str, Algorithm] | None = None) -> Iterable[Evidence]:
    """The least of ½[error in the world + and −] over runs of the engine without a tail event, beside a²/(2μ)."""
    n, f, t, q = LONG if long else SHORT
    t = min(t, ctx.scaled(t)) if long else t
    kept = {name: a for name, a in algorithms(f, not long).items() if name == "warm CC" or not long}
    for name, algorithm in (extra or kept).items():
        size = {"runs": ctx.scaled(2) if long else ctx.scaled(16), "seed": ctx.seed, "backend": ctx.backend}
        halves, quiet = errors_in_pairs(algorithm, n, f, t, q, **size)
        floor = float(q / (2 * (1 - q)))
        yield Evidence(
            f"least error of {name} in {np.sum(quiet)} of {len(quiet)} runs, n = {n}, f = {f}, t = {t}",
            float(np.min(halves[quiet], initial=np.inf)) if np.any(quiet) else math.nan,
            ">=",
            floor,
            "sampled",
            error=1e-9 * floor,  # rounding: the two worlds add the same messages in another order
            at={"n": n, "f": f, "t": t, "q": q, "algorithm": name},
        )


@claim(
    "In runs of the engine at n = 100, f = 20, t = 54 all rules, with momentum on the server or none, err by a²/(2μ) "
    "unless more than f bits of a round are one.",
    controls=(
        Control("worker momentum with CC", "it escapes", {"extra": {"it": with_worker_momentum()}}),
        Control(
            "worker momentum with TM",
            "it escapes as well",
            {"extra": {"it": RobustSGD(TrimmedMean(20), WorkerMomentum(0.1, 0.9))}},
        ),
    ),
)
def runs(ctx: Context, *, extra: Mapping[str, Algorithm] | None = None) -> Iterable[Evidence]:
    """The least error in runs of t = 54 rounds, the longest that the hypothesis allows."""
    yield from runs_err(ctx, extra=extra)


@claim(
    "So does warm centered clipping at n = 200, f = 40, t = 8000.",
    controls=(Control("worker momentum with CC", "it escapes", {"extra": {"it": with_worker_momentum()}}),),
)
def long_runs(ctx: Context, *, extra: Mapping[str, Algorithm] | None = None) -> Iterable[Evidence]:
    """The least error in runs of up to 8000 rounds."""
    yield from runs_err(ctx, long=True, extra=extra)


@claim(
    "Worker momentum with centered clipping errs by less than half the bound at n = 100, f = 20, t = 54.",
    loose="half the bound tells what escapes from what does not",
    controls=(
        Control("with the mean", "it cannot", {"algorithm": with_worker_momentum(tau=None)}),
        Control(
            "on the server",
            "it cannot",
            {"algorithm": RobustSGD(CenteredClipping(0.3), ServerMomentum(0.1, 0.9))},
        ),
    ),
)
def worker_momentum_escapes(ctx: Context, *, algorithm: Algorithm | None = None) -> Iterable[Evidence]:
    """E[error] of worker momentum with CC, last iterate projected, beside half the bound for invariant algorithms."""
    n, f, t, q = SHORT
    errors = error_after_projection(
        algorithm or with_worker_momentum(),
        n, f, t, q, runs=max(1000, ctx.scaled(4000)), seed=ctx.seed, backend=ctx.backend, shuffle=False,
    )  # fmt: skip
    value, error = bounded_mean(errors, 0.0, 2.5**2 * float(q / (2 * (1 - q))) * (1 + 1e-9), ctx.alpha)
    what = f"error of worker momentum with CC at n = {n}, f = {f}, t = {t}"
    at = {"n": n, "f": f, "t": t, "q": q}
    yield Evidence(what, value, "<=", forced_below(n, f, t, q) / 2, "sampled", error, at=at)
