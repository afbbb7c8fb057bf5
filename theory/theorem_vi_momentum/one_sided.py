"""The trimmed mean under a one-sided attack on f = ½x²: E‖∇f‖² of Algorithm 2 enclosed without a single sample.

All f Byzantine workers send something at or above every honest message, so that TM(f) keeps the n − 2f largest honest
ones, and x_t is a linear function of the start and of what their noise adds. Its mean is enclosed by tails, its
variance by the inequalities of Efron and Stein and of Poincaré, runs beside it by Gaussian concentration. The proof is
in `one_sided.md`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from sims.aggregators import TrimmedMean
from sims.attacks import ALittleIsEnough
from sims.engine import Streams, simulate
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Quadratic
from theory.claim import Context

Range = tuple[float, float]
SPAN, STEP = 12.0, 1 / 256  # of the integral over a normal Y: g·P(Y > 12) < 1e-26 for g ≤ 10⁶
CELLS = 512  # grid points of S in one spike αH
# Relative, of some million float64 operations. `moved` subtracts neighbouring values, which cancels all but a share of
# about α; against 80-bit numbers its error was 1.9e-13 at T = 2^19.
ROUNDING = 1e-9


def kept_of(f: int, g: int, p: np.ndarray) -> np.ndarray:
    """E min(f, N), N ~ Bin(g, p), for 1 ≤ f < g."""
    from scipy.special import betainc, betaincc

    return g * p * betaincc(f, g - f, p) + f * betainc(f + 1, g - f, p)


@cache
def largest_normals(g: int, f: int) -> Range:
    """E Σ(f largest of g standard normal values), enclosed."""
    from scipy.special import ndtr

    y = np.arange(0.0, SPAN + STEP / 2, STEP)
    above = kept_of(f, g, ndtr(-y))
    below = f - kept_of(f, g, ndtr(y))  # at −y
    upper = STEP * (float(np.sum(above[:-1])) - float(np.sum(below[1:])))
    lower = STEP * (float(np.sum(above[1:])) - float(np.sum(below[:-1])))
    return lower - ROUNDING * f, upper + ROUNDING * f


@cache
def largest_spikes(g: int, f: int, q: float, alpha: float, t: int) -> Range:
    """E Σ(f largest of g copies of S_t), for H = 1, enclosed."""
    size = round(CELLS / alpha) + 2  # S ≤ 1 = (cells of a spike)/α grid steps
    step, j = alpha / CELLS, np.arange(size)
    ends = []
    for rounded in (np.ceil, np.floor):
        old, new = (rounded(np.maximum(k, -1) / (1 - alpha)).astype(np.int64) for k in (j, j - CELLS))
        tail = np.zeros(size + 1)  # P(S > y_j); the last entry stands for all y beyond the grid
        for _ in range(t):
            before = np.where(new >= 0, tail[np.clip(new, 0, size)], 1.0)  # S ≥ 0 > y
            tail = np.append((1 - q) * tail[np.minimum(old, size)] + q * before, 0.0)
        ends.append(kept_of(f, g, tail[:-1]))
    return step * float(np.sum(ends[0][1:])) * (1 - ROUNDING), step * float(np.sum(ends[1])) * (1 + ROUNDING)


@dataclass(frozen=True)
class OneSided:
    """n workers, f of them Byzantine, TM(f); σ = L = 1; noise normal, or spikes with probability q; x_0 from x*."""

    n: int
    f: int
    q: float | None = None
    x0: float = 0.0

    @property
    def kept(self) -> int:
        """The number n − 2f of messages that TM averages."""
        return self.n - 2 * self.f

    def pushes(self, alpha: float, T: int) -> tuple[np.ndarray, np.ndarray]:
        """E u_1, …, E u_T from below and from above."""
        g = self.n - self.f
        decay = np.exp(np.arange(1, T + 1) * np.log1p(-alpha)) if alpha < 1 else np.zeros(T)
        if self.f == 0:
            return np.zeros(T), np.zeros(T)
        if self.q is None:
            s = np.sqrt(alpha / (2 - alpha) * (1 - decay**2))
            low, high = largest_normals(g, self.f)
            return s * low / self.kept, s * high / self.kept
        if alpha == 1:
            raise ValueError("the grid of S needs α < 1 with spikes, got α = 1")
        height, settled = 1 / np.sqrt(self.q * (1 - self.q)), min(T, round(12 / alpha))
        low, first = largest_spikes(g, self.f, self.q, alpha, settled)
        last = first + self.f * (1 - alpha) ** settled  # what S adds later is at most (1 − α)^settled·H
        t, centre = np.arange(1, T + 1), self.f * self.q * (1 - decay)
        below = np.where(
            t < settled, 0.0, np.maximum(0.0, low - centre)
        )  # the largest of mean-0 values have a mean ≥ 0
        above = np.where(t <= settled, first, last) - centre
        return height * below / self.kept, height * above / self.kept

    def average(self, eta: float, alpha: float, T: int) -> Range:
        """(1/T) Σ_{t ≤ T} E‖∇f(x_{t−1})‖², enclosed; x_0 ≤ 0 = x*, so that the start and the pushes add up."""
        g = self.n - self.f
        if not (self.x0 <= 0 and 8 * eta <= alpha <= 1):
            raise ValueError(f"the enclosure needs x_0 ≤ 0 and 8η ≤ α ≤ 1, got x_0 = {self.x0}, η = {eta}, α = {alpha}")
        centres = [moved(eta, alpha, self.x0, u[: T - 1]) for u in self.pushes(alpha, T)]
        impulse = moved(eta, alpha, 0.0, alpha * powers(alpha, T - 1))  # the response to one ζ
        variance = np.concatenate([[0.0], np.cumsum(impulse[1:] ** 2)]) / g
        grown = g / self.kept if self.q is None else (g / self.kept) ** 2
        low = float(np.mean(centres[0] ** 2 + (variance if self.q is None else 0.0)))
        high = float(np.mean(centres[1] ** 2 + grown * variance))
        return low * (1 - ROUNDING), high * (1 + ROUNDING)


def powers(rate: float, count: int) -> np.ndarray:
    """(1 − rate)^0, (1 − rate)^1, …, by exponentials, which take a tenth of the time of powers."""
    k = np.arange(count)
    return np.exp(k * math.log1p(-rate)) if rate < 1 else (k == 0).astype(np.float64)


def moved(eta: float, alpha: float, x0: float, pushes: np.ndarray) -> np.ndarray:
    """x_0, x_1, … when the aggregate is p_t + u_t (step 2 of `one_sided.md`).

    With d = (x_0, −ηu_1, −ηu_2, …): x_t = (2 − α − ηα)x_{t−1} − (1 − α)x_{t−2} + d_t − (1 − α)d_{t−1}, root by root.
    """
    half = (2 - alpha - eta * alpha) / 2
    apart = math.sqrt(alpha * (alpha * (1 + eta) ** 2 - 4 * eta)) / 2
    values = np.concatenate([[x0], -eta * pushes])
    values[1:] -= (1 - alpha) * values[:-1]
    return geometric(geometric(values, half + apart), half - apart)


def geometric(values: np.ndarray, ratio: float) -> np.ndarray:
    """y_t = v_t + ratio·y_{t−1}: sums of 2, 4, 8, … terms in turn, 0 ≤ ratio < 1."""
    sums, reach = np.array(values, dtype=np.float64), 1
    while reach < len(sums) and ratio**reach > 0:
        sums[reach:] += ratio**reach * sums[:-reach]
        reach *= 2
    return sums


def in_runs(
    ctx: Context, case: OneSided, rule: TrimmedMean, eta: float, alpha: float, T: int, runs: int
) -> tuple[float, float]:
    """The same average as the engine finds it with normal noise, and the half-width of its interval; rule.f ≥ f."""
    record = simulate(
        Quadratic((1.0,), sigma_sq=1.0),
        RobustSGD(rule, WorkerMomentum(eta, beta=1 - alpha)),
        n=case.n,
        f=case.f,
        attack=ALittleIsEnough(z=math.sqrt(case.n - case.f), sign=1),
        steps=T,
        runs=runs,
        seed=int(Streams(*ctx.stream(f"{case.n}/{case.f}/{T}")).generator(0).integers(2**62)),
        x0=[case.x0],
        backend=ctx.backend,
    )
    mean = float(np.mean(record.sq_gradient_norms[:T]))
    lipschitz = 1 / math.sqrt((case.n - 2 * rule.f) * runs * T)
    r = lipschitz * math.sqrt(2 * math.log(2 / ctx.alpha))
    return mean, 2 * math.sqrt(mean) * r + r**2 + lipschitz**2
