"""Whether a problem's stochastic gradients are what it declares: unbiased, of variance σ², of heterogeneity ζ².

Sampled, with honest errors: a sound problem is condemned with a probability below `ALPHA`, whatever the law of its
noise, of which nothing is known but the second moment that is declared (`sims.checks.heavy_tails`).
"""

from __future__ import annotations

import math

import numpy as np

from sims.checks.heavy_tails import log_capital, median_of_means
from sims.contracts.constants import Known, around, gradient, looked_at
from sims.contracts.parts import rng
from sims.contracts.support import contract, violated
from sims.engine.streams import Streams
from sims.owned import PartError, asked
from sims.problems import Oracle, Problem

PURPOSE = "contracts/problem"  # of the streams of random numbers
ALPHA = 1e-9  # of each contract, for all that it compares
ROUNDS = 2**15  # of samples at each point, as far as `NUMBERS` allow
NUMBERS = 2**21
FEWEST = 128


def honest_workers(problem: Oracle) -> int:
    """The fewest honest workers, two unless it wants more, for which a problem has gradients; a `PartError` if none."""
    x = np.zeros(asked("problem", lambda: problem.dim))
    error: Exception | None = None
    for g in (*range(2, 33), 1):
        try:
            sample = asked("problem", problem.draw, streams := Streams(0, PURPOSE).runs(0, 1), 1, g, kept=streams)
            asked("problem", problem.oracle, x[None], sample[0], g)
        except ValueError as refused:
            error = refused
            continue
        return g
    raise PartError(f"no number of honest workers up to 32 has gradients: {error}")


class Sampled:
    """Stochastic gradients of g honest workers at some points, the same samples at each, drawn in chunks of rounds."""

    def __init__(self, problem: Problem, seen: Known, x: np.ndarray, seed: int) -> None:
        self.problem, self.x, self.g = problem, x, honest_workers(problem)
        numbers = self.g * max(seen.dim, math.prod(problem.sample_shape))
        self.rounds = max(FEWEST, min(ROUNDS, NUMBERS // numbers))
        self.streams = Streams(seed, PURPOSE).runs(0, 1)

    def gradients(self, rounds: int) -> np.ndarray:
        """Those of the next rounds, (P, rounds, g, d)."""
        problem, g, streams = self.problem, self.g, self.streams
        sample = asked("problem", problem.draw, streams, rounds, g, kept=streams)[:, 0]
        points = (np.repeat(point[None], rounds, axis=0) for point in self.x)
        return np.stack([asked("problem", problem.oracle, point, sample, g) for point in points])


def _some(seen: Known, seed: int) -> np.ndarray:
    return around(seen, seed)[[0, 8]]  # x*, and at the distance 10 from it


@contract("variance")
def check_problem_variance(problem: Problem, seed: int = 0) -> None:
    """E‖g_i − ∇f_i‖² ≤ σ² for every honest worker, at x* and at another point.

    ½‖g_i(x; ξ) − g_i(x; ξ')‖² of two samples has that mean, whatever ∇f_i is, and no bound: it is bet on
    (`log_capital`), and those who bet may stop when they have won.
    """
    seen = looked_at(problem, seed)
    x = _some(seen, seed)
    sampled = Sampled(problem, seen, x, seed)
    found, rounds = np.zeros((0, len(x), sampled.g)), sampled.rounds // 16
    while 2 * len(found) < sampled.rounds:
        drawn = sampled.gradients(2 * (rounds // 2))
        lengths = np.linalg.norm(drawn[:, ::2] - drawn[:, 1::2], axis=-1) / math.sqrt(2)
        if not np.isfinite(lengths).all():
            raise violated("variance", problem, "a stochastic gradient is not finite")
        # what rounding may do to a gradient is no noise
        squares = np.maximum(lengths - seen.grain(x)[:, None, None], 0.0) ** 2
        found = np.concatenate([found, np.moveaxis(squares, 1, 0)])
        some = np.where(found.any(axis=0), np.inf, -np.inf)
        won = log_capital(found / seen.sigma_sq) if seen.sigma_sq else some
        if (won >= math.log(won.size / ALPHA)).any():
            k, i = np.unravel_index(int(np.argmax(won)), won.shape)
            about = f"of worker {i} at x = {np.array2string(x[k], precision=6, threshold=8)} is about"
            mean = f"{float(np.mean(found[:, k, i])):.4g}, above σ² = {seen.sigma_sq:g}"
            raise violated("variance", problem, f"E‖g_i − ∇f_i‖² {about} {mean}")
        rounds = 2 * len(found)


@contract("unbiasedness")
def check_problem_unbiased(problem: Problem, seed: int = 0) -> None:
    """(1/g) Σ E g_i = ∇f over the honest workers, at x* and at another point, along axes and other directions.

    Along a unit vector the average of g gradients has the variance σ² at most, whatever workers share:
    `median_of_means`.
    """
    seen, draw = looked_at(problem, seed), rng(seed + 3)
    x = _some(seen, seed)
    sampled = Sampled(problem, seen, x, seed)
    away = np.mean(sampled.gradients(sampled.rounds), axis=2) - gradient(problem, x)[:, None]
    directions = [np.eye(seen.dim)[j] for j in range(min(seen.dim, 16))] + [np.full(seen.dim, seen.dim**-0.5)]
    directions += [u / np.linalg.norm(u) for u in draw.normal(size=(3, seen.dim))]
    along = np.moveaxis(away @ np.stack(directions).T, 1, 0)  # (rounds, P, directions)
    means, width = median_of_means(along, seen.sigma_sq, ALPHA / along[0].size)
    off = np.abs(means)
    allowed = width + seen.grain(x)[:, None]
    if not (off <= allowed).all():
        k, j = np.unravel_index(int(np.argmax(np.where(off <= allowed, 0.0, off))), off.shape)
        where = f"along {np.array2string(directions[j], precision=3, threshold=8)} at x = {x[k]}"
        told = f"allowed ±{float(allowed[k, 0]):.4g}"
        raise violated("unbiasedness", problem, f"E g − ∇f is about {means[k, j]:.4g} {where}, {told}")


@contract("heterogeneity")
def check_problem_heterogeneity(problem: Problem, seed: int = 0) -> None:
    """(1/g) Σ‖∇f_i(x*) − ∇f(x*)‖² over the honest workers is ζ².

    With two samples (1/g) Σ⟨g_i(x*; ξ) − ∇f, g_i(x*; ξ') − ∇f⟩ has that mean, and the variance 2σ²ζ² + σ⁴ at most,
    the average of the workers': `median_of_means`.
    """
    seen = looked_at(problem, seed)
    star = seen.x_star[None]
    sampled = Sampled(problem, seen, star, seed)
    away = sampled.gradients(sampled.rounds)[0] - gradient(problem, star)
    half = len(away) // 2
    products = np.mean(np.sum(away[:half] * away[half : 2 * half], axis=-1), axis=-1)
    spread = 2 * seen.sigma_sq * seen.zeta_sq + seen.sigma_sq**2
    mean, width = median_of_means(products, spread, ALPHA)
    grain = float(seen.grain(star)[0])
    rounding = grain * (grain + 2 * math.sqrt(seen.zeta_sq + seen.sigma_sq))
    if not abs(float(mean) - seen.zeta_sq) <= width + rounding:
        told = f"is about {float(mean):.4g} ± {width + rounding:.2g}, and ζ² = {seen.zeta_sq:g}"
        raise violated("heterogeneity", problem, f"(1/g) Σ‖∇f_i(x*) − ∇f(x*)‖² {told}")
