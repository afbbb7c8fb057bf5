"""Theorem VII: worker momentum with variance reduction.

m_{t,i} = g_i(x_{t−1}; ξ) + (1 − α)(m_{t−1,i} − g_i(x_{t−2}; ξ)), the same sample in both; m_t = AGG(m_{t,1}, …); x_t =
x_{t−1} − ηm_t. m̄_t is the honest average, e_{t,i} = m_{t,i} − ∇f(x_{t−1}), ē_t their average, κ = 2cδ + 1/g.

**Theorem VII′.** Let E‖g_i(x; ξ) − g_i(y; ξ)‖² ≤ L²‖x − y‖² for all x, y (so that f is L-smooth); the first estimates
averages of b_0 samples; E‖m_t − m̄_t‖² ≤ cδρ_t² with ρ_t² = max_{i,j} E‖m_{t,i} − m_{t,j}‖² over the honest; η ≤ 1/(4L)
and 1 ≥ α ≥ (16/3)κL²η². Then (1/T) Σ_t E‖∇f(x_{t−1})‖² ≤ 2F0/(ηT) + 2κσ²/(b_0αT) + 4κασ².

*(a) Descent.* By L-smoothness and −⟨a, b⟩ = ½‖a − b‖² − ½‖a‖² − ½‖b‖²: f(x_t) ≤ f(x_{t−1}) − (η/2)‖∇f‖² − (η/2)(1 −
Lη)‖m_t‖² + (η/2)‖m_t − ∇f‖², on every path. *(b) Error.* With N = g − ∇f, e_{t+1,i} = (1 − α)e_{t,i} + αN(x_t) + (1 −
α)(N(x_t) − N(x_{t−1})); the last two terms have mean 0 given the past, and are independent between workers. So
E‖e_{t,i}‖² ≤ V_t with V_1 = σ²/b_0, V_{t+1} = (1 − α)²V_t + 2(1 − α)²L²η²E‖m_t‖² + 2α²σ², and E‖ē_t‖² ≤ V_t/g. *(c)
Dispersion.* The same recursion for differences of two workers, whose variances add: ρ_t² ≤ 2V_t. *(d) Sum.* E‖m_t −
∇f‖² ≤ 2E‖m_t − m̄_t‖² + 2E‖ē_t‖² ≤ 2κV_t. From (1 − α)² ≤ 1 − α, α ΣV_t ≤ V_1 + 2L²η² ΣE‖m_t‖² + 2α²σ²T. Put into the
sum of (a), the coefficient of ΣE‖m_t‖² is −(η/2)(1 − Lη) + 2κηL²η²/α, ≤ 0 if 4κL²η²/α ≤ 1 − Lη, which is ≥ 3/4. ∎

With α = (16/3)κL²η² and the best η the right-hand side is of the order (κLσF0/T)^{2/3} if b_0 is of the order T^{1/3}:
better than the (√κ/T)^{2/3} that α = O(L²η²) gives, by κ^{1/3}.

*One sample.* In f = ½x², one honest worker's first error e_1 moves x_t by h_t·e_1, h_t = −η((1 − α)^t − (1 − η)^t)/(η −
α), and all later noise is uncorrelated with it: E x_t² ≥ h_t²σ²/b_0, of which Σ_t is of the order σ²/(b_0α). With α of
the order T^{−2/3} and b_0 = 1 the average over T rounds is of the order T^{−1/3}, not T^{−2/3}. From m_0 = 0 the same
holds with ‖∇f(x_0)‖² in the place of σ².

*Without the extra assumption.* s·sign(sin(x + ξ)) has variance s² at every x, but its difference at x and y has the
second moment 4s²|x − y|/π: of first order, not second, and MVR adds one such difference in every round. On f = ½x² a
jump of the noise by 2s moves x by 2s in all before it is forgotten, and on a way of that length the noise jumps 2s/π
times on average: for s > π/2 the jumps breed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from sims.aggregators import Mean
from sims.attacks import InnerProductManipulation
from sims.checks.rates import slope
from sims.optimizers import WorkerMomentum
from sims.problems import Sinusoidal
from theory.mvr_bound import (
    Instance,
    Parameters,
    bound,
    mean_square,
    mean_square_idle,
    mean_squares_decreasing,
    mvr_parameters,
    printed_parameters,
    sgdm_parameters,
)
from theory.mvr_checks import (
    ETA,
    engine_agrees,
    lemmas,
    long_runs,
    robust_rules,
    without_smoothness,
)
from theory.statement import Claim, Context, Control, Evidence, Statement

Family = Callable[[int], tuple[float, float]]  # T ↦ bounds of the average of E‖∇f‖²
ONE = Instance()
SIZES = tuple(2**k - 1 for k in range(21, 43, 3))
LADDER = (Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(2, 3), Fraction(1))  # exponents of this subject
RATE_H = 0.24  # ≤ 1/(4L): η_t = RATE_H·t^{−1/3}


def started(b0: Callable[[Parameters], float] = lambda p: p.b0, **changes: Any) -> Family:
    """MVR with the bound's parameters, b_0 chosen by `b0`."""

    def error(T: int) -> tuple[float, float]:
        p = mvr_parameters(ONE, T)
        return mean_square(ONE, replace(p, b0=b0(p), **changes), T)

    return error


def momentum(parameters: Callable[[int], Parameters] = lambda T: sgdm_parameters(ONE, T)) -> Family:
    """The mean square of a run of T rounds with the parameters for T."""
    return lambda T: mean_square(ONE, parameters(T), T)


def idle(power: float) -> Family:
    """MVR that averages for T^power rounds at x_0 first; they count among the T."""
    return lambda T: mean_square_idle(ONE, mvr_parameters(ONE, T), T, round(T**power))


def decreasing(power: float) -> Family:
    """η_t of the order t^{−1/3}, α_t of the order t^{−power}, constant between powers of two; one sample."""
    a = 16 / 3 * ONE.L_sq * RATE_H**2
    found = mean_squares_decreasing(ONE, RATE_H, a, power, 42)
    return lambda T: found[T]


BATCH, SAMPLE, ZERO = started(), started(lambda p: 1), started(lambda p: 0)
SGDM = momentum()


def between(exponent: Fraction) -> tuple[Fraction, Fraction]:
    """The slopes half-way to the neighbouring exponents: (the flatter, the steeper)."""
    i = LADDER.index(exponent)
    flatter, steeper = LADDER[i - 1] if i else -LADDER[1], LADDER[i + 1]
    return -(exponent + flatter) / 2, -(exponent + steeper) / 2


def falls(
    ctx: Context, *, families: Mapping[str, Family], exponent: Fraction = Fraction(2, 3), both: bool = True
) -> Iterable[Evidence]:
    """Slopes of log error against log T, T = 2²¹ … 2⁴²; claimed: nearer to −exponent than to its neighbours."""
    flatter, steeper = between(exponent)
    for name, family in families.items():
        middle, error = slope(SIZES, *zip(*(family(T) for T in SIZES), strict=True))
        yield Evidence(f"slope of log error against log T: {name}", middle, "<=", flatter, "proved", error)
        if both:
            yield Evidence(f"slope of log error against log T: {name}", middle, ">=", steeper, "proved", error)


def proof_closes(ctx: Context, *, constant: Fraction = Fraction(16, 3)) -> Iterable[Evidence]:
    """What step (d) needs, 4κL²η²/(α(1 − Lη)), at α = constant·κL²η² and the largest Lη = 1/4; claimed: ≤ 1."""
    yield Evidence(
        "4κL²η²/(α(1 − Lη)), the largest over Lη ≤ 1/4",
        4 / (constant * (1 - Fraction(1, 4))),
        "<=",
        Fraction(1),
        "exact",
        covers="steps (a) to (d) of the docstring; increasing in Lη",
    )


def phases(ctx: Context, *, fewest: int = 3) -> Iterable[Evidence]:
    """How many of the means of e^{iξ} and e^{2iξ} differ from 0 under the M-point law; claimed: none, M ≥ fewest."""
    for M in range(fewest, 25):
        turns = [sum(1 for k in range(M) if degree * k % M == 0) for degree in (1, 2)]  # M points: all or M/divisor
        yield Evidence(
            f"moments of degree 1 and 2 that do not vanish, M = {M}",
            sum(1 for count in turns if count == M),
            "=",
            0,
            "exact",
            covers="the M-th roots of unity sum to 0 in every degree that M does not divide, and M ≥ 3 divides no 1, 2",
        )


def exact_sums(ctx: Context, *, first: bool = True, b0: int | None = None) -> Iterable[Evidence]:
    """The largest (average of E‖∇f‖²)/bound over T = 1 … 2⁴², for several g, x_0 and s; claimed: ≤ 1."""
    for g, x0, s in ((1, 0.25, 0.4), (4, 1.0, 0.3), (25, 1.0, 0.45), (25, 0.05, 0.1)):
        problem, ratios = Instance(x0, s, g), {}
        for T in (2**k for k in range(0, 43, 2)):
            p = mvr_parameters(problem, T)
            p = p if b0 is None else replace(p, b0=b0)
            most = bound(problem.F0, problem.sigma_sq, 1 / g, T, p.eta, p.alpha, p.b0, first)
            ratios[T] = mean_square(problem, p, T)[1] / most
        T = max(ratios, key=lambda size: ratios[size])
        what = f"error/bound, largest over T ≤ 2⁴², at T = {T}; g = {g}, x_0 = {x0}, s = {s}"
        yield Evidence(what, ratios[T], "<=", 1.0, "proved")


def speed_up(ctx: Context, *, parameters: Callable[[Instance, float], Parameters]) -> Iterable[Evidence]:
    """The slope of log error against log g for T = 2⁴⁰, nobody Byzantine; claimed: nearer to −2/3 than to −1/3."""
    sizes, T = (1, 2, 4, 8, 16, 32, 64, 128), 2**40
    values = [mean_square(Instance(g=g), parameters(Instance(g=g), T), T) for g in sizes]
    middle, error = slope(sizes, *zip(*values, strict=True))
    yield Evidence("slope of log error against log n, δ = 0", middle, "<=", Fraction(-1, 2), "proved", error)


def picture(ctx: Context) -> dict[str, Any]:
    """Error against T of SGDm and of MVR with its starts, and what sign-like noise does."""
    sizes = SIZES
    curves = {}
    for name, family in (
        ("momentum", SGDM),
        ("batch", BATCH),
        ("sample", SAMPLE),
        ("zero", ZERO),
        ("idle", idle(1 / 3)),
        ("decreasing", decreasing(2 / 3)),
    ):
        values = [family(T) for T in sizes]
        fitted = slope(sizes, *zip(*values, strict=True))[0]
        curves[name] = {"error": [(low + high) / 2 for low, high in values], "slope": fitted}
    bounds = []
    for T in sizes:
        p = mvr_parameters(ONE, T)
        bounds.append(bound(ONE.F0, ONE.sigma_sq, 1.0, T, p.eta, p.alpha, p.b0))
    waves: dict[str, Any] = {"T": [2**k for k in range(4, 12)]}
    for wave in ("sine", "square"):
        found = [long_runs(ctx, Sinusoidal(2.0, wave=wave), T, 1000) for T in waves["T"]]
        waves[wave] = {"error": [float(np.mean(values)) for values, _ in found], "bound": [right for _, right in found]}
    return {"T": list(sizes), "curves": curves, "bound": bounds, "waves": waves}


TWO_THIRDS, HALF, THIRD = Fraction(2, 3), Fraction(1, 2), Fraction(1, 3)
STATEMENT = Statement(
    stem="theorem_vii_mvr",
    label="Theorem VII",
    title="Byzantine robust MVR",
    printed="MVR with a (δ_max, c)-robust rule, η = min(O(∛(F0/T)), 1/(4L)) and α = O(L²η²) has an average E‖∇f‖² of "
    "the order (√(cδ + 1/n)/T)^{2/3}; nothing is said of the first estimate, nor assumed of single g_i.",
    corrected="If E‖g_i(x; ξ) − g_i(y; ξ)‖² ≤ L²‖x − y‖², η ≤ 1/(4L), 1 ≥ α ≥ (16/3)κL²η² with κ = 2cδ + 1/g, and the "
    "first estimate is from b_0 samples: (1/T) ΣE‖∇f‖² ≤ 2F0/(ηT) + 2κσ²/(b_0αT) + 4κασ². With b_0 of the order "
    "T^{1/3} that is (κLσF0/T)^{2/3}; with one sample, or m_0 = 0, T^{−1/3}.",
    claims=(
        Claim(
            name="proof_closes",
            text="With mean-square smoothness, η ≤ 1/(4L) and 1 ≥ α ≥ (16/3)κL²η² the bound 2F0/(ηT) + 2κσ²/(b_0αT) + "
            "4κασ² holds.",
            about=("corrected", "point"),
            point=16,
            check=proof_closes,
            controls=(Control("α ≥ 5κL²η²", "the ‖m_t‖² are no longer absorbed", {"constant": Fraction(5)}),),
        ),
        Claim(
            name="one_sample_is_enough",
            text="The rate T^{−2/3} needs no batch: one sample in the first estimate, or m_0 = 0, gives it.",
            about=("printed", "point"),
            point=16,
            check=lambda ctx, families={"one sample": SAMPLE, "m_0 = 0": ZERO}: falls(
                ctx, families=families, both=False
            ),
            controls=(
                Control("a batch", "b_0 of the order T^{1/3} gives −2/3", {"families": {"batch": BATCH}}, "survives"),
            ),
        ),
        Claim(
            name="one_sample_gives",
            text="With constant α and η of the printed order, one sample or m_0 = 0 gives T^{−1/3}.",
            about=("corrected", "point"),
            point=16,
            check=lambda ctx, families={"one sample": SAMPLE, "m_0 = 0": ZERO}: falls(
                ctx, families=families, exponent=THIRD
            ),
            controls=(Control("a batch", "then it is −2/3", {"families": {"batch": BATCH}}),),
        ),
        Claim(
            name="batch",
            text="With a batch of the order T^{1/3} the exact error falls like T^{−2/3}.",
            about=("corrected", "point"),
            point=16,
            check=lambda ctx, families={"batch": BATCH}: falls(ctx, families=families),
            controls=(
                Control(
                    "α of the order η",
                    "then ασ² is of the order T^{−1/3}",
                    {"families": {"α = η": lambda T: started(alpha=mvr_parameters(ONE, T).eta)(T)}},
                ),
                Control(
                    "no correction",
                    "a momentum that forgets more slowly than x moves lags behind",
                    {"families": {"no correction": started(corrected=False)}},
                ),
                Control("SGDm", "its slope is −1/2", {"families": {"SGDm": SGDM}}),
            ),
        ),
        Claim(
            name="idle_or_decreasing",
            text="T^{1/3} idle rounds, or α_t of the order t^{−2/3} with η_t of the order t^{−1/3}, do without a "
            "batch.",
            about=("corrected", "point"),
            point=16,
            check=lambda ctx, first=1 / 3, power=2 / 3: falls(
                ctx, families={"idle rounds": idle(first), "decreasing α_t": decreasing(power)}
            ),
            controls=(
                Control("T^{1/6} idle rounds", "the slope is −1/3 − 1/6", {"first": 1 / 6}),
                Control("α_t of the order t^{−1/3}", "then ασ² falls that slowly", {"power": 1 / 3}),
            ),
        ),
        Claim(
            name="momentum",
            text="SGDm with Theorem VI's parameters, on the same problem, falls like T^{−1/2}.",
            about=("corrected",),
            check=lambda ctx, families={"SGDm": SGDM}: falls(ctx, families=families, exponent=HALF),
            controls=(
                Control(
                    "α = ½ fixed",
                    "with η of the order T^{−1/3} the noise left is of that order too",
                    {"families": {"α = ½": momentum(lambda T: Parameters(T ** (-1 / 3), 0.5, 1, False))}},
                ),
                Control("MVR", "its slope is −2/3", {"families": {"MVR": BATCH}}),
            ),
        ),
        Claim(
            name="lower_bound_in_n",
            text="With α = O(L²η²), as printed, MVR at δ = 0 matches the lower bound for nT gradients, (nT)^{−2/3}.",
            about=("printed",),
            check=lambda ctx, parameters=printed_parameters: speed_up(ctx, parameters=parameters),
            controls=(
                Control("α = (16/3)κL²η²", "that does match it", {"parameters": mvr_parameters}, expect="survives"),
            ),
        ),
        Claim(
            name="alpha_heeds_kappa",
            text="With α = (16/3)κL²η² the error at δ = 0 falls like n^{−2/3}.",
            about=("corrected",),
            check=lambda ctx, parameters=mvr_parameters: speed_up(ctx, parameters=parameters),
            controls=(Control("α = (16/3)L²η²", "then like n^{−1/3}", {"parameters": printed_parameters}),),
        ),
        Claim(
            name="exact_sums",
            text="On f = ½x² with the noise s·sin(x + ξ) the exact average of E‖∇f‖² is below the bound, T = 1 … 2⁴².",
            about=("corrected",),
            check=exact_sums,
            controls=(
                Control(
                    "no batch, and no term for it",
                    "the first error is forgotten only after 1/α rounds",
                    {"first": False, "b0": 1},
                ),
            ),
        ),
        Claim(
            name="engine_agrees",
            text="Runs of the engine have the average that the enclosure of the moments says.",
            about=("corrected",),
            check=engine_agrees,
            controls=(
                Control("α = 0.07", "the enclosure of another α is elsewhere", {"alpha_claimed": 0.07}),
                Control("a square wave", "has twice the variance", {"wave": "square"}),
            ),
        ),
        Claim(
            name="phases",
            text="M ≥ 3 equally spaced phases give the noise the same first two moments as a uniform phase.",
            about=("corrected",),
            check=phases,
            controls=(Control("M = 2", "sin² then depends on x", {"fewest": 2}),),
        ),
        Claim(
            name="lemmas",
            text="Steps (a) to (d) hold on all paths of three rounds, for a convex and a non-convex f, with TM and CC "
            "under ALIE and IPM.",
            about=("corrected",),
            check=lemmas,
            controls=(
                Control("no correction", "the error lags behind the gradient", {"optimizer": WorkerMomentum(ETA, 0.9)}),
                Control("no term for the step", "the step's difference of noise adds to the error", {"moved": 0.0}),
            ),
        ),
        Claim(
            name="robust_rules",
            text="TM and CC under ALIE and IPM stay below the bound with the c that the runs used, f convex and not.",
            about=("corrected",),
            check=robust_rules,
            controls=(
                Control(
                    "the mean, c = 0",
                    "an attacker who sends −10·mean turns the step around",
                    {"rules": (Mean(),), "attacks": {"IPM(10)": InnerProductManipulation(10.0)}, "heed_c": False},
                ),
            ),
        ),
        Claim(
            name="without_smoothness",
            text="Bounded variance and a smooth f are enough: MVR keeps the bound without assuming anything of single "
            "g_i.",
            about=("printed", "point"),
            point=16,
            check=without_smoothness,
            controls=(
                Control("a sine", "mean-square smooth, it stays below the bound", {"wave": "sine"}, expect="survives"),
            ),
        ),
    ),
    data=picture,
)
