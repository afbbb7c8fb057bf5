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
from sims.owned import called
from sims.problems import Quadratic

NOTED = ("excess", "sq_gradient_norms", "sq_distances")  # in rows 0 to 2 of what rounds record; 3 is the error


Found = tuple["Program | None", tuple[str, ...]]  # a program, or each reason why there is none


def program_of(e: Experiment, *against: str) -> Found:
    """The program of an experiment, or why it has none: a sentence for each part that has no place in compiled rounds.

    `against` are reasons that are known already. Where parameters are wrong it has none either, and the reference says
    what is wrong.
    """
    problem, algorithm, reasons = e.problem, e.algorithm, list(against)
    if not kernels.enabled():
        reasons.append("compiled code is switched off, by NUMBA_DISABLE_JIT or sims.kernels.reference()")
    reasons += [f"{called('observer', observer)} looks at every round" for observer in e.observers]
    if e.shuffle:
        reasons.append("the workers are shuffled in every round")
    if type(problem) is not Quadratic:
        reasons.append(_none("problem", problem))
    else:
        if np.ndim(problem.eigenvalues) != 1 or np.ndim(problem.x_star) > 1:
            reasons.append("the problem Quadratic has eigenvalues or an x_star that vary from run to run")
        if not isinstance(problem.zeta_sq, int | float):
            reasons.append("the problem Quadratic has a zeta_sq that varies from run to run")
    rule: Any = None
    optimizer: Any = None
    try:
        if type(algorithm) is not RobustSGD:
            reasons.append(_none("algorithm", algorithm))
        else:
            required(as_rule(algorithm.rule), e.n)
            rule = _declared("rule", as_rule(algorithm.rule), reasons, e.n)
            optimizer = _declared("optimizer", algorithm.optimizer, reasons)
        attack = _declared("attack", e.attack, reasons, e.n, e.f)
        return (None, tuple(reasons)) if reasons else (Program(e, rule, attack, optimizer), ())
    except ValueError as error:
        return None, (*reasons, str(error))


def _declared(kind: str, part: Any, reasons: list[str], *sizes: int) -> Any:
    """What a part declares of itself; if nothing, a reason more. No attack is needed where nobody is Byzantine."""
    if "in_rounds" not in vars(type(part)):
        reasons.append(_none(kind, part))
        return None
    found = AttackInRounds(Answer.HONEST) if sizes[1:] == (0,) else declared(part, *sizes)
    if found is None:
        sized = "".join(f", {name} = {size}" for name, size in zip("nf", sizes, strict=False))
        reasons.append(f"{called(kind, part)} has no step of compiled rounds with these settings{sized}")
    return found


def _none(kind: str, part: Any) -> str:
    return f"{called(kind, part)} declares no step of compiled rounds"


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
