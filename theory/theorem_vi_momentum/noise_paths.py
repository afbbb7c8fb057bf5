"""Algorithm 2 on f = ½x² with noise ±1, over *all* noise paths at once: exact expectations, with any rule and attack.

The g honest workers toss one coin a round: 2^{gT} equally likely paths, each of them a run of the engine's own loop.
What Byzantine workers would have drawn is −1: an omniscient attacker may choose it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from sims.aggregators import Rule
from sims.attacks import Attack
from sims.backend import to_numpy
from sims.engine.round import Round
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Rademacher
from theory.claim import Context

ROUNDING = 1e-12  # of averages of up to 2^16 numbers of a few units each, in float64


@dataclass(frozen=True)
class Paths:
    """Exact expectations, round by round, t = 1, …, T."""

    gradient_sq: list[float]  # E‖∇f(x_{t−1})‖²
    error_sq: list[float]  # E‖AGG − m̄_t‖²
    centre_sq: list[float]  # E‖m̂_{t−1} − m̄_t‖², with m̂_0 = 0
    spread_sq: list[float]  # ρ_t² = E‖m_{t,1} − m_{t,2}‖² of two honest workers
    delta: float

    @property
    def average(self) -> float:
        """(1/T) Σ E‖∇f(x_{t−1})‖²."""
        return float(np.mean(self.gradient_sq))

    @property
    def c_used(self) -> list[float]:
        """E‖AGG − m̄_t‖²/(δρ_t²)."""
        return [e / (self.delta * s) for e, s in zip(self.error_sq, self.spread_sq, strict=True)]


def all_paths(
    rule: Rule,
    attack: Attack,
    ctx: Context,
    *,
    n: int,
    f: int,
    T: int,
    eta: Fraction,
    x0: float,
    full: bool = False,
    ratio: int = 8,
) -> Paths:
    """All 2^{gT} paths of T rounds from x_0 with α = `ratio`·η, and α_1 = 1 if `full`."""
    g, alpha = n - f, ratio * eta
    first = Fraction(1) if full else alpha
    betas = [float(1 - first)] + [float(1 - alpha)] * (T - 1)
    algorithm = RobustSGD(rule, WorkerMomentum(float(eta), beta=lambda t: betas[t - 1]))
    one_round = Round(Rademacher(), algorithm, attack, n, f)
    runs = 2 ** (g * T)
    bits = (np.arange(runs)[:, None] >> np.arange(g * T)) & 1
    tosses = np.concatenate([0.25 + 0.5 * bits.reshape(runs, T, g), np.full((runs, T, f), 0.75)], axis=-1)
    states = one_round.begin(ctx.asarray(np.full((runs, 1), x0)))
    columns: list[tuple[float, float, float, float]] = []
    for t in range(1, T + 1):
        sample = ctx.asarray(tosses[:, t - 1, :, None])
        state = states.algorithm
        spoken = to_numpy(algorithm.messages(one_round.problem.oracle(state.x, sample), state)[0])[:, :g, 0]
        x, centre = to_numpy(state.x)[:, 0], to_numpy(state.aggregate)[:, 0]
        states, played = one_round(states, sample, None, None, None)
        error = one_round.sq_error(played, states.algorithm.aggregate)
        columns.append(
            (
                float(np.mean(x**2)),
                float(np.mean(to_numpy(error))),
                float(np.mean((centre - np.mean(spoken, axis=1)) ** 2)),
                float(np.mean((spoken[:, 0] - spoken[:, 1]) ** 2)),
            )
        )
    gradients, errors, centres, spreads = (list(column) for column in zip(*columns, strict=True))
    return Paths(gradients, errors, centres, spreads, f / n)
