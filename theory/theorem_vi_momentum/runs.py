"""Runs of hundreds of rounds with any rule: averages with a proved range, beside a bound with a c that is fixed before.

For every rule c = n/(2(n − 2f)), which is proved for TM: the bound does not depend on what a run did, so that a rule
whose errors are too large can exceed it. The bounds of Theorems VI′ and VII′ add E‖AGG − m̄_t‖² up over t, and need c
for the time average alone: *the c that a run used* is (1/T) Σ_t E‖AGG − m̄_t‖²/(δρ²), ρ² a bound of the honest spread.
It is told beside each average, and no claim rests on it. With c used in the place of c every rule would survive.

Values with a proved range: the Huber function and 1 − cos x (which is not convex) have |f′| ≤ 1, so that averages of
‖∇f‖² are numbers in [0, 1], whatever a rule and its attackers do.
"""

from __future__ import annotations

import abc
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.aggregators import Rule
from sims.attacks import Attack
from sims.checks.confidence import betting_mean
from sims.checks.evidence import Evidence
from sims.engine import Streams, simulate
from sims.optimizers import Optimizer, RobustSGD
from theory.claim import Context

OfC = Callable[[int, int], float]
Averages = tuple[np.ndarray, np.ndarray]
RUNS = 240  # at least; half of what the budget scales, since a rule's rounds cost more than a sample elsewhere
SIZES = ((25, 3, 300), (25, 8, 200))  # (n, f, T)
FEWER = ((10, 1, 200), (10, 3, 200))  # for Krum, which takes n² distances


@dataclass(frozen=True)
class Run(abc.ABC):
    """A problem with its start, n workers of which f are Byzantine, and T rounds that count."""

    problem: Any
    x0: float
    n: int
    f: int
    T: int

    @property
    @abc.abstractmethod
    def optimizer(self) -> Optimizer:
        """What the workers send and the server does."""

    @property
    @abc.abstractmethod
    def rho_sq(self) -> float:
        """The bound of the honest spread, E‖m_i − m_j‖², to which c refers."""

    @property
    @abc.abstractmethod
    def weight(self) -> float:
        """By how much the bound grows with the average of E‖AGG − m̄‖²."""

    @property
    @abc.abstractmethod
    def floor(self) -> float:
        """The bound with c = 0."""

    @property
    def excess(self) -> float:
        """F0 = f(x_0) − f*."""
        return float(self.problem.excess(np.array([self.x0])))

    def averages(self, ctx: Context, rule: Rule, attack: Attack, grid: tuple[int, ...], name: str) -> Averages:
        """Each run's averages of ‖∇f(x_{t−1})‖² and of ‖AGG − m̄_t‖² over its T rounds, (*grid, runs)."""
        record = simulate(
            self.problem,
            RobustSGD(rule, self.optimizer),
            n=self.n,
            f=self.f,
            attack=attack,
            steps=self.T,
            runs=max(RUNS, ctx.scaled(RUNS // 2)),
            seed=int(Streams(*ctx.stream(f"{name}/{self.n}/{self.f}")).generator(0).integers(2**62)),
            x0=[self.x0],
            grid=grid,
            backend=ctx.backend,
        )
        return np.mean(record.sq_gradient_norms[: self.T], axis=0), np.mean(record.sq_aggregate_errors, axis=0)


def compared(
    ctx: Context, run: Run, name: str, averages: Averages, c: OfC, factor: float, most: float = math.inf
) -> Evidence:
    """The average of ‖∇f‖² beside `factor` times the bound with c(n, f); the c used is told.

    Averages are in [0, `most`]. Where twice the claimed value is less, they are cut off there: the mean of the cut
    values is at most the true one, so that a refutation stands; what survives is the claim for the cut averages.
    """
    squares, errors = averages
    unit = run.f / run.n * run.rho_sq  # errors per c
    said, used = c(run.n, run.f), float(np.mean(errors)) / unit
    claimed = factor * (run.floor + run.weight * said * unit)
    cut = min(most, 2 * claimed)
    mean, half = betting_mean(np.minimum(squares, cut), 0.0, cut, ctx.alpha)
    what = f"{name}, c = {said:.3g}, c used {used:.3g}, n = {run.n}, f = {run.f}, T = {run.T}"
    at = {"n": run.n, "f": run.f, "T": run.T, "c": said, "of": name}
    return Evidence(what, mean, "<=", claimed, "sampled", half, at=at)


def sizes_of(name: str, ctx: Context) -> tuple[tuple[int, int, int], ...]:
    """The sizes (n, f, T) at which a rule runs; the second alone if quick."""
    return (FEWER if name == "Krum" else SIZES)[1 if ctx.budget == "quick" else 0 :]
