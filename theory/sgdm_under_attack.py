"""Worker momentum with robust rules under attack, f = ½x², noise ±1: all noise paths of few rounds, and long runs."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from sims.aggregators import CenteredClipping, CoordinateMedian, Krum, Rule, TrimmedMean
from sims.attacks import ALittleIsEnough, Attack, BitFlipping, InnerProductManipulation
from sims.engine import simulate
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Rademacher
from theory.all_noise_paths import ROUNDING, all_paths
from theory.needed_constants import paper_radius
from theory.sgdm_bound import zero_start
from theory.statement import Context, Evidence

ETA = Fraction(1, 32)
ALPHA = 8 * ETA


def attacks(epsilon: float = 3.0) -> dict[str, Attack]:
    """The attacks, IPM in a mild and in a strong form."""
    return {
        "IPM ε = 0.1": InnerProductManipulation(),
        f"IPM ε = {epsilon:g}": InnerProductManipulation(epsilon),
        "ALIE": ALittleIsEnough(z=1.5),
        "BF": BitFlipping(),
    }


def radius(delta: float) -> float:
    """Theorem IV's τ for B² = ρ², at ρ² = 2α/(2 − α)."""
    return float(paper_radius(delta, np.array(float(2 * ALPHA / (2 - ALPHA)))))


def rules(n: int, f: int) -> dict[str, Rule]:
    """The rules that are run."""
    return {
        "TM": TrimmedMean(f),
        "CM": CoordinateMedian(),
        "Krum": Krum(f),
        "CC": CenteredClipping(radius(f / n)),
    }


def c_of_trimmed_mean(n: int, f: int) -> float:
    """The factor 1/(2(1 − 2δ))."""
    return n / (2 * (n - 2 * f))


def rules_under_attack(ctx: Context, *, rule: Rule | None = None, epsilon: float = 3.0) -> Iterable[Evidence]:
    """(1/T)ΣE‖∇f‖² over all noise paths beside VI′; c is 1/(2(1 − 2δ)) for TM, for the others the largest used."""
    n, f, T = 5, 1, 3
    for name, made in rules(n, f).items():
        for attack, acts in attacks(epsilon).items():
            for x0 in (0.0, 0.5):
                paths = all_paths(rule or made, acts, ctx, n=n, f=f, T=T, eta=ETA, x0=x0)
                c = c_of_trimmed_mean(n, f) if name == "TM" else max(paths.c_used)
                bound = zero_start(T, ETA, Fraction(x0) ** 2 / 2, Fraction(2 * c * f / n) + Fraction(1, n - f))
                what = f"{name}, {attack}, x_0 = {x0:g}, c = {c:.3g}, n = {n}, f = {f}, T = {T}"
                yield Evidence(what, paths.average, "<=", bound, "exact", ROUNDING)


def long_runs(ctx: Context, *, factor: float = 1.0) -> Iterable[Evidence]:
    """(1/T)ΣE‖∇f‖² of TM in long runs beside VI′ (times `factor`), n = 7, f = 1, T = 100, x_0 = 1.

    TM stays among the honest momenta, which are averages of x ± 1; the responses of x to these ±1 are of one sign and
    add up to 1 (the roots of z² − (2 − α − ηα)z + 1 − α lie between 1 − α and 1), so that |x_t| ≤ |x_0| + 1: the
    values lie in [0, 4].
    """
    from sims.checks.confidence import bounded_mean

    n, f, T, runs = 7, 1, 100, max(3000, ctx.scaled(3000))
    kappa = Fraction(n, n - 2 * f) * Fraction(f, n) + Fraction(1, n - f)
    bound = factor * float(zero_start(T, ETA, Fraction(1, 2), kappa))
    algorithm = RobustSGD(TrimmedMean(f), WorkerMomentum(float(ETA), beta=float(1 - ALPHA)))
    for attack, acts in attacks().items():
        record = simulate(
            Rademacher(),
            algorithm,
            n=n,
            f=f,
            attack=acts,
            steps=T,
            runs=runs,
            seed=ctx.seed,
            x0=[1.0],
            backend=ctx.backend,
        )
        values = np.mean(record.sq_gradient_norms[:T], axis=0)
        mean, half = bounded_mean(values, 0.0, 4.0, ctx.alpha)
        yield Evidence(f"TM, {attack}, {runs} runs, n = {n}, f = {f}, T = {T}", mean, "<=", bound, "sampled", half)


def trimmed_mean_c(ctx: Context, *, rule: Rule | None = None) -> Iterable[Evidence]:
    """The largest c that the trimmed mean uses in any round, E‖AGG − m̄_t‖²/(δρ_t²), beside ((g − 1)/g)/(2(1 − 2δ))."""
    for n, f, T in ((3, 1, 7), (5, 1, 3), (5, 2, 4)):
        for attack, acts in attacks().items():
            for full in (False, True):
                made = TrimmedMean(f) if rule is None else rule
                paths = all_paths(made, acts, ctx, n=n, f=f, T=T, eta=ETA, x0=0.5, full=full)
                yield Evidence(
                    f"largest c used by TM, n = {n}, f = {f}, {attack}, {'α_1 = 1' if full else 'm_0 = 0'}",
                    max(paths.c_used),
                    "<=",
                    (n - f - 1) / (n - f) * c_of_trimmed_mean(n, f),
                    "exact",
                    ROUNDING,
                    covers="error² ≤ (f/(n − 2f))·honest variance for every input, independent or not (Definition C)",
                )


def others_c(ctx: Context, *, rule: Rule | None = None, epsilon: float = 3.0) -> Iterable[Evidence]:
    """The largest c that CM, Krum and CC use in any round, beside 1360."""
    n, f, T = 5, 1, 3
    for name, made in list(rules(n, f).items())[1:]:
        for attack, acts in attacks(epsilon).items():
            paths = all_paths(rule or made, acts, ctx, n=n, f=f, T=T, eta=ETA, x0=0.5)
            yield Evidence(f"largest c used by {name}, {attack}", max(paths.c_used), "<=", 1360, "exact", ROUNDING)


def centre_in_round_one(ctx: Context, *, x0: float = 4.0) -> Iterable[Evidence]:
    """E‖m̂_0 − m̄_1‖² = α²(x_0² + σ²/g) beside the ρ² of all rounds, 2σ²α/(2 − α); n = 5, f = 1, all paths."""
    n, f = 5, 1
    rule = CenteredClipping(radius(f / n))
    paths = all_paths(rule, InnerProductManipulation(), ctx, n=n, f=f, T=1, eta=ETA, x0=x0)
    bound = 2 * ALPHA / (2 - ALPHA)
    yield Evidence(f"E‖m̂_0 − m̄_1‖², x_0 = {x0:g}, α = {ALPHA}", paths.centre_sq[0], "<=", bound, "exact", ROUNDING)


def centre_later(ctx: Context, *, factor: float = 1.0) -> Iterable[Evidence]:
    """E‖m̂_{t−1} − m̄_t‖²/ρ_t² of CC with `factor` times Theorem IV's radius, t = 2 … 4, x_0 = 0; claimed ≤ 1."""
    n, f = 5, 1
    for attack, acts in attacks(1000.0).items():
        rule = CenteredClipping(factor * radius(f / n))
        paths = all_paths(rule, acts, ctx, n=n, f=f, T=4, eta=ETA, x0=0.0)
        for t in (2, 3, 4):
            value = paths.centre_sq[t - 1] / paths.spread_sq[t - 1]
            yield Evidence(f"E‖m̂_{t - 1} − m̄_{t}‖²/ρ_{t}², {attack}", value, "<=", 1, "exact", 1e-9)
