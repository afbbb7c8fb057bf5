"""The checks of Theorem II that measure: exact errors of the leaking algorithm and of the mean, runs of the engine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

import numpy as np

from sims.checks.confidence import bounded_mean
from sims.checks.evidence import Evidence
from sims.optimizers import Algorithm
from theory.claim import Context
from theory.theorem_ii_lower_bound.constant import CONSTANT
from theory.theorem_ii_lower_bound.errors import (
    algorithms,
    error_after_projection,
    error_of_the_mean,
    errors_in_pairs,
    forced_below,
    leaking_error_of_three_rounds,
    with_worker_momentum,
)

SHORT = (100, 20, 54, Fraction(67, 500))  # n, f, the longest t of the printed hypothesis, and the best q of SHARES
LONG = (200, 40, 8000, Fraction(63, 500))


def leaks_under_the_hypothesis(
    ctx: Context, *, error: Callable[[int, int, Fraction], Fraction] = leaking_error_of_three_rounds
) -> Iterable[Evidence]:
    """The error of `Leaking` after 3 rounds under δn ≥ 4(1 + log 3), f = 9, beside 0.21·δ."""
    for n, share in ((19, Fraction(3, 5)), (60, Fraction(3, 5))):
        q = share * Fraction(9, n)
        what = f"error of the leaking algorithm at n = {n}, f = 9, t = 3, q = {q}"
        yield Evidence(what, error(n, 9, q), ">=", CONSTANT * Fraction(9, n), "exact")


def no_problem_is_hard(ctx: Context, *, t: int = 54) -> Iterable[Evidence]:
    """(1 − δ)/((1 − 2δ)(t − 1)): the largest error over every f with L = μ and every adversary, beside 0.21·δ."""
    delta = Fraction(1, 5)
    yield Evidence(
        f"largest error of the averaging algorithm over all f with L = μ, n = 100, f = 20, t = {t}",
        (1 - delta) / ((1 - 2 * delta) * (t - 1)),
        ">=",
        CONSTANT * delta,
        "exact",
    )


def mean_errs(ctx: Context, *, factor: Fraction = Fraction(1)) -> Iterable[Evidence]:
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
        )


def escapes(ctx: Context, *, algorithm: Algorithm | None = None) -> Iterable[Evidence]:
    """E[error] of worker momentum with CC, last iterate projected, beside half the bound for invariant algorithms."""
    n, f, t, q = SHORT
    errors = error_after_projection(
        algorithm or with_worker_momentum(),
        n, f, t, q, runs=max(1000, ctx.scaled(4000)), seed=ctx.seed, backend=ctx.backend, shuffle=False,
    )  # fmt: skip
    value, error = bounded_mean(errors, 0.0, 2.5**2 * float(q / (2 * (1 - q))) * (1 + 1e-9), ctx.alpha)
    what = f"error of worker momentum with CC at n = {n}, f = {f}, t = {t}"
    yield Evidence(what, value, "<=", forced_below(n, f, t, q) / 2, "sampled", error)
