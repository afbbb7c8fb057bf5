"""The common experiment as compiled rounds are told it: a quadratic, SGD with or without momentum, declared steps.

A rule, an attack and an optimizer say themselves what they are in compiled rounds (`sims.kernels.in_rounds`). The same
program is played on the CPU (`sims.engine.on_cpu`) and on a CUDA device (`sims.engine.on_cuda`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sims import kernels
from sims.aggregators import as_rule
from sims.aggregators.rule import required
from sims.engine.experiment import Experiment
from sims.kernels.in_rounds import Answer, AttackInRounds, OptimizerInRounds, RuleInRounds, declared
from sims.kernels.networks import selection_network
from sims.optimizers import RobustSGD
from sims.optimizers.optimizer import at
from sims.problems import Quadratic

NOTED = ("excess", "sq_gradient_norms", "sq_distances")  # in rows 0 to 2 of what rounds record; 3 is the error


def program_of(e: Experiment) -> Program | None:
    """The program of an experiment; None if it has none, or parameters of which the reference says what is wrong."""
    problem, algorithm = e.problem, e.algorithm
    if type(problem) is not Quadratic or type(algorithm) is not RobustSGD or not kernels.enabled():
        return None
    if np.ndim(problem.eigenvalues) != 1 or np.ndim(problem.x_star) > 1:
        return None
    if not isinstance(problem.zeta_sq, int | float) or "in_rounds" not in vars(type(e.attack)):
        return None
    rule = as_rule(algorithm.rule)
    try:
        required(rule, e.n)
        step, movement = declared(rule, e.n), declared(algorithm.optimizer)
        attack = declared(e.attack, e.n, e.f) if e.f else AttackInRounds(Answer.HONEST)
        return None if step is None or movement is None or attack is None else Program(e, step, attack, movement)
    except ValueError:
        return None


class Program:
    """The parameters of all runs, (*grid, runs) each, and what all runs share; made once for an experiment.

    Raises `ValueError` where parameters do not broadcast over (*grid, runs) or are not defined for n and f.
    """

    def __init__(self, e: Experiment, rule: RuleInRounds, attack: AttackInRounds, optimizer: OptimizerInRounds) -> None:
        problem: Any = e.problem  # a `Quadratic`
        n, d = e.n, problem.dim
        self.e, self.rule, self.attack, self.optimizer = e, rule, attack, optimizer
        self.eigenvalues = np.asarray(problem.eigenvalues, dtype=np.float64)
        self.x_star = np.ascontiguousarray(np.broadcast_to(np.asarray(problem.x_star, dtype=np.float64), (d,)))
        zeta = math.sqrt(problem.zeta_sq)
        self.offsets = zeta * problem.directions(n, n - e.f) if zeta else np.zeros((n, d))
        self.scale = np.sqrt(self.everywhere(problem.sigma_sq) / d)
        self.strength = self.everywhere(attack.strength)
        self.parameters = np.stack([self.everywhere(p) for p in rule.parameters or (0.0,)])
        network = [(c.low, c.high, c.keep_low + 2 * c.keep_high) for c in selection_network(n, rule.order)]
        self.network = np.array(network, dtype=np.int64).reshape(-1, 3)
        rates = (optimizer.learning_rate, 0.0 if optimizer.beta is None else optimizer.beta)
        self.schedules, self.changing = rates, any(map(callable, rates))
        self.first = self.rates(0, 1)

    def everywhere(self, values: Any) -> np.ndarray:
        """A parameter for every run, (*grid, runs)."""
        return np.broadcast_to(np.asarray(values, dtype=np.float64), self.e.shape)

    def rates(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The learning rates η and momenta β of the rounds first + 1, …, first + count: (count, *grid, runs) each."""
        eta, beta = (
            np.stack([self.everywhere(at(schedule, first + k + 1)) for k in range(count)])
            for schedule in self.schedules
        )
        return eta, beta
