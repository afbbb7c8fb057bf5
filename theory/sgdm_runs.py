"""Runs of hundreds of rounds with any rule: averages with a proved range, beside a bound with the c that the run used.

The bounds of Theorems VI′ and VII′ add E‖AGG − m̄_t‖² up over t, so that c is needed for the time average alone: (1/T)
Σ_t E‖AGG − m̄_t‖² = cδρ², ρ² a bound of the honest spread. With this c a bound is linear in the errors, and one interval
does for measured − bound, run by run. Errors are cut off at a stated value, which can only make the bound smaller.

Values with a proved range: the Huber function and 1 − cos x (which is not convex) have |f′| ≤ 1, so that averages of
‖∇f‖² are numbers in [0, 1], whatever a rule and its attackers do.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sims.aggregators import Rule
from sims.attacks import Attack, View
from sims.backend import Array, namespace
from sims.checks.confidence import betting_mean
from sims.engine import Streams, simulate
from sims.optimizers import Optimizer, RobustSGD
from sims.problems import PhaseNoise
from theory.statement import Context, Evidence

OfC = Callable[[int, int], float]
Averages = tuple[np.ndarray, np.ndarray]
RUNS = 240  # at least; half of what the budget scales, since a rule's rounds cost more than a sample elsewhere
SIZES = ((25, 3, 300), (25, 8, 200))  # (n, f, T)
FEWER = ((10, 1, 150), (10, 3, 150))  # for Krum, which takes n² distances


class Huber(PhaseNoise):
    """½x² for |x| ≤ 1, |x| − ½ beyond, coordinate by coordinate, with the noise s·sin(x + ξ): convex, L = 1."""

    @property
    def mu(self) -> float:
        """0."""
        return 0.0

    def excess(self, x: Array) -> Array:
        """Σ_j of c|x_j| − ½c², c = min(1, |x_j|)."""
        xp = namespace(x)
        size = xp.abs(x)
        short = xp.minimum(size, xp.ones_like(size))
        return xp.sum(short * (size - 0.5 * short), axis=-1)

    def gradient(self, x: Array) -> Array:
        """Each coordinate clipped to [−1, 1]."""
        return namespace(x).clip(x, -1.0, 1.0)


@dataclass(frozen=True)
class Together(Attack):
    """Each attack on its own slice of the first axis: experiments that share the samples of the honest workers."""

    attacks: tuple[Attack, ...]

    def send(self, view: View, state: Any, rng: Any) -> tuple[Array, Any]:
        """What each of them sends; they read messages and gradients alone, and have no state."""
        names = ("honest", "own", "honest_gradients", "own_gradients", "x", "last_aggregate")
        views = [
            replace(view, **{name: getattr(view, name)[k, ...] for name in names}) for k in range(len(self.attacks))
        ]
        sent = [attack(mine)[0] for attack, mine in zip(self.attacks, views, strict=True)]
        return namespace(view.own).stack(sent), state


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
    ctx: Context, run: Run, name: str, averages: Averages, cuts: tuple[float, float], c: OfC | None, factor: float
) -> Evidence:
    """The average of ‖∇f‖² beside `factor` times the bound with the c used, or with c(n, f) if that is given.

    `cuts` are the values at which averages of ‖∇f‖² and of errors are cut off. The error is that of the difference.
    """
    squares, errors = averages
    unit = run.f / run.n * run.rho_sq  # errors per c
    used = float(np.mean(errors)) / unit if c is None else c(run.n, run.f)
    squares, errors = np.minimum(squares, cuts[0]), np.minimum(errors, cuts[1])
    if c is None:
        weight = factor * run.weight
        claimed = factor * run.floor + weight * float(np.mean(errors))
        _, half = betting_mean(squares - weight * errors, -weight * cuts[1], cuts[0], ctx.alpha)
    else:
        claimed = factor * (run.floor + run.weight * used * unit)
        _, half = betting_mean(squares, 0.0, cuts[0], ctx.alpha)
    what = f"{name}, {'c used' if c is None else 'c ='} {used:.3g}, n = {run.n}, f = {run.f}, T = {run.T}"
    return Evidence(what, float(np.mean(squares)), "<=", claimed, "sampled", half)


def sizes_of(name: str, ctx: Context) -> tuple[tuple[int, int, int], ...]:
    """The sizes (n, f, T) at which a rule runs; the second alone if quick."""
    return (FEWER if name == "Krum" else SIZES)[1 if ctx.budget == "quick" else 0 :]
