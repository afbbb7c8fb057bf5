"""The checks of Theorem VII that run the algorithm: every path of a few rounds, and the engine with bounded values."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from sims.aggregators import CenteredClipping, Mean, TrimmedMean
from sims.attacks import ALittleIsEnough, Attack, InnerProductManipulation
from sims.checks.confidence import bounded_mean
from sims.checks.evidence import Evidence
from sims.engine import simulate
from sims.engine.streams import Streams
from sims.optimizers import Optimizer, RobustSGD, WorkerMomentum, WorkerMVR
from sims.problems import Pendulum, PhaseNoise, Sinusoidal
from theory.claim import Context, Control, claim
from theory.theorem_vii_mvr.bound import Instance, Parameters, best_parameters, mean_square, right_side
from theory.theorem_vii_mvr.runs import Seen, Setting, every_path, ranges, sampled, worst_pair

ETA, ALPHA = 0.1, 0.2  # of the enumerated paths: α ≥ (16/3)κL²η² for κ ≤ 2.5
ROUNDING = 1e-9  # of averages of some ten thousand float64 numbers below 100
ATTACKS: dict[str, Attack] = {"ALIE": ALittleIsEnough(z=1.5), "IPM": InnerProductManipulation(0.5)}


def _second(rows: np.ndarray) -> float:
    return float(np.mean(np.sum(rows**2, axis=-1)))


def recursion(problem: PhaseNoise, first: float, squares: list[float], eta: float, alpha: float) -> list[float]:
    """V_1 = `first`, V_{t+1} = (1 − α)²V_t + 2(1 − α)²L²η²·E‖m_t‖² + 2α²σ²: the bound of a worker's squared error."""
    kept, L_sq = 1 - alpha, problem.mean_square_L_sq if problem.wave == "sine" else 1.0
    errors = [first]
    for square in squares[:-1]:
        errors.append(kept**2 * errors[-1] + 2 * kept**2 * L_sq * eta**2 * square + 2 * alpha**2 * problem.sigma_sq)
    return errors


def _descent(setting: Setting, seen: list[Seen], eta: float) -> float:
    """The largest violation, on any path, of step (a) of the proof; ≤ 0 if there is none."""
    worst, f = -math.inf, setting.problem
    for r in seen:
        gradient = f.gradient(r.x)
        change = f.excess(r.x_next) - f.excess(r.x)
        pull = np.sum(gradient**2 + (1 - f.L * eta) * r.aggregate**2 - (r.aggregate - gradient) ** 2, axis=-1)
        worst = max(worst, float(np.max(change + eta / 2 * pull)))
    return worst


@claim(
    "Steps (a) to (d) hold on all paths of three rounds, for a convex and a non-convex f, with TM and CC "
    "under ALIE and IPM.",
    controls=(
        Control("no correction", "the error lags behind the gradient", {"optimizer": WorkerMomentum(ETA, 0.9)}),
        Control("no term for the step", "the step's difference of noise adds to the error", {"moved": 0.0}),
    ),
)
def lemmas(
    ctx: Context,
    *,
    optimizer: Optimizer | None = None,
    wave: str = "sine",
    moved: float = 1.0,
    attack_only: str | None = None,
) -> Iterable[Evidence]:
    """Steps (a) to (d) of the proof on all 19 683 paths of three rounds; `moved` scales the step's term in (b)."""
    mvr = optimizer or WorkerMVR(ETA, ALPHA)
    for problem, x0 in ((Sinusoidal(1.0, wave=wave), 4.0), (Pendulum(1.0, wave=wave), 1.5)):
        for rule in (TrimmedMean(1), CenteredClipping(tau=3.0)):
            for name, attack in ATTACKS.items():
                if attack_only not in (None, name):
                    continue
                seen = every_path(Setting(problem, rule, mvr, 4, 1, attack, x0), 3, 3)
                where = f"{type(problem).__name__}, {type(rule).__name__}, {name}"
                yield from _compare(Setting(problem, rule, mvr, 4, 1, attack, x0), seen, moved, where)


def _compare(setting: Setting, seen: list[Seen], moved: float, where: str) -> Iterable[Evidence]:
    problem, g = setting.problem, setting.n - setting.f
    at = {"problem": type(problem).__name__, "rule": type(setting.rule).__name__, "n": setting.n, "f": setting.f}
    yield Evidence(
        f"(a) descent, worst path: {where}",
        _descent(setting, seen, ETA),
        "<=",
        0.0,
        "exact",
        ROUNDING,
        scale=1.0,
        at=at,
    )
    gradients = [problem.gradient(r.x) for r in seen]
    workers = [max(_second(r.honest[:, i] - d) for i in range(g)) for r, d in zip(seen, gradients, strict=True)]
    average = [_second(r.honest.mean(axis=1) - d) for r, d in zip(seen, gradients, strict=True)]
    pairs = [worst_pair(r.honest) for r in seen]
    squares = [moved * _second(r.aggregate) for r in seen]
    V = recursion(problem, problem.sigma_sq, squares, ETA, ALPHA)
    for label, found, most in (
        ("(b) E‖e_i‖²/V", workers, V),
        ("(b) gE‖ē‖²/V", [g * value for value in average], V),
        ("(c) ρ²/2V", pairs, [2 * value for value in V]),
    ):
        worst = max(a / b for a, b in zip(found[1:], most[1:], strict=True))  # in the first round they are equal
        yield Evidence(f"{label}, worst later round: {where}", worst, "<=", 1.0, "exact", ROUNDING, at=at)
    off = sum(_second(r.aggregate - r.honest.mean(axis=1)) for r in seen)
    c = off / (setting.f / setting.n * sum(pairs))
    kappa = 2 * c * setting.f / setting.n + 1 / g
    if kappa * 16 / 3 * problem.mean_square_L_sq * ETA**2 <= ALPHA:
        left = sum(_second(d) for d in gradients) / len(seen)
        F0 = float(problem.excess(seen[0].x[:1])[0])
        right = right_side(F0, problem.sigma_sq, kappa, len(seen), ETA, ALPHA, 1)
        yield Evidence(f"(d) the bound, c used {c:.3g}: {where}", left, "<=", right, "exact", ROUNDING, at=at)


@claim(
    "Runs of the engine have the average that the enclosure of the moments says.",
    controls=(
        Control("α = 0.07", "the enclosure of another α is elsewhere", {"alpha_claimed": 0.07}),
        Control("a square wave", "has twice the variance", {"wave": "square"}),
    ),
)
def engine_agrees(ctx: Context, *, alpha_claimed: float = 0.1, wave: str = "sine") -> Iterable[Evidence]:
    """Average of ‖∇f‖² over 40 rounds in runs of the engine, beside the enclosure that needs no random number."""
    s, x0, eta, alpha, T, dim = 0.4, 0.5, 0.1, 0.1, 40, 32
    runs = max(1600, ctx.scaled(1600))
    setting = Setting(Sinusoidal(s, dim, wave), Mean(), WorkerMVR(eta, alpha), 2, 0, x0=x0)
    largest = ranges(setting, eta, alpha, T)
    values = np.zeros((runs, dim))  # the coordinates are independent runs
    for r in sampled(setting, Streams(*ctx.stream("phases")), T, runs):
        values += r.x**2 / T
    mean, half = bounded_mean(values.ravel(), 0.0, float(np.mean(largest.gradient**2)), ctx.alpha)
    low, high = mean_square(Instance(x0, s, 2), Parameters(eta, alpha_claimed), T)
    yield Evidence(
        f"average of ‖∇f‖² over {T} rounds, two workers, α = {alpha}",
        mean,
        "=",
        (low + high) / 2,
        "sampled",
        half + (high - low) / 2,
        at={"n": 2, "T": T, "alpha": alpha},
    )


@claim(
    "Bounded variance and a smooth f are enough: MVR keeps the bound without assuming anything of single g_i.",
    point=16,
    controls=(Control("a sine", "mean-square smooth, it stays below the bound", {"wave": "sine"}, expect="survives"),),
)
def without_smoothness(ctx: Context, *, wave: str = "square") -> Iterable[Evidence]:
    """What remains after T rounds of MVR with square-wave noise, at least, in units of Theorem VII′'s bound.

    An instance above that bound: of growth with T two sizes say nothing.

    f = ½x², one worker, s = 2, the bound's own parameters with L = 1 and this σ². Averages of ‖∇f‖² are cut off at ten
    times the bound, so that their mean is at most the true one.
    """
    problem = Sinusoidal(2.0, wave=wave)
    for T in (256, 512):
        averages, right = long_runs(ctx, problem, T, max(2000, ctx.scaled(2000)))
        mean, half = bounded_mean(np.minimum(averages / right, 10.0), 0.0, 10.0, ctx.alpha)
        what = f"average of ‖∇f‖² over T = {T} rounds/bound, cut off at 10, {wave} wave"
        yield Evidence(what, mean, "<=", 1.0, "sampled", half, at={"T": T, "noise": wave})


def long_runs(ctx: Context, problem: PhaseNoise, T: int, runs: int) -> tuple[np.ndarray, float]:
    """Each run's average of ‖∇f‖² over T rounds from x_0 = 1, and the bound at these parameters."""
    L_sq = problem.mean_square_L_sq if problem.wave == "sine" else problem.L**2
    p = best_parameters(0.5, problem.sigma_sq, L_sq, 1.0, T, 1.0)
    idle = int(p.b0) - 1
    algorithm = RobustSGD(Mean(), WorkerMVR(p.eta, p.alpha, idle=idle))
    seed = int(Streams(*ctx.stream(f"runs/{problem.wave}/{T}")).generator(0).integers(2**62))
    record = simulate(problem, algorithm, n=1, f=0, steps=idle + T, runs=runs, seed=seed, x0=[1.0])
    averages = np.mean(record.sq_gradient_norms[idle : idle + T], axis=0)
    return averages, right_side(0.5, problem.sigma_sq, 1.0, T, p.eta, p.alpha, p.b0)
