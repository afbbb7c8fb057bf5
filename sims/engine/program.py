"""An experiment as compiled rounds are told it: a problem, a rule, an attack and an optimizer by their declared steps.

The parts say themselves what they are in compiled rounds (`sims.kernels.in_rounds`). The same program is played on the
CPU (`sims.engine.on_cpu`) and, where the device has its steps, on a CUDA device (`sims.engine.on_cuda`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sims import kernels
from sims.aggregators import as_rule
from sims.aggregators.rule import required
from sims.engine.experiment import Experiment
from sims.kernels.in_rounds import (
    Answer,
    AttackInRounds,
    Memory,
    Mix,
    Noise,
    OptimizerInRounds,
    ProblemInRounds,
    RuleInRounds,
    declared,
)
from sims.kernels.networks import selection_network
from sims.optimizers import RobustSGD
from sims.optimizers.optimizer import at
from sims.owned import called

NOTED = ("excess", "sq_gradient_norms", "sq_distances")  # in rows 0 to 2 of what rounds record; 3 is the error
NOBODY = AttackInRounds(Answer.HONEST)
_SIZES = {"problem": ("n", "honest"), "rule": ("n",), "attack": ("n", "f"), "optimizer": ()}
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
    rule: Any = None
    chosen: Any = None
    optimizer: Any = None
    attack: Any = NOBODY  # where nobody is Byzantine no attack is asked
    try:
        world = _declared("problem", problem, reasons, e.n, e.n - e.f)
        if type(algorithm) is not RobustSGD:
            reasons.append(_none("algorithm", algorithm))
        else:
            chosen = as_rule(algorithm.rule)
            required(chosen, e.n)
            rule = _declared("rule", chosen, reasons, e.n)
            optimizer = _declared("optimizer", algorithm.optimizer, reasons)
        if e.f:
            attack = _declared("attack", e.attack, reasons, e.n, e.f)
            if attack:
                e.attack.require(e.n, e.f, problem.dim)
        if world and rule and rule.rounding_decides and _few_values(world):
            reasons.append(
                f"{called('rule', chosen)} leaves ties to rounding, and messages of {called('problem', problem)} tie"
            )
        return (None, tuple(reasons)) if reasons else (Program(e, world, rule, attack or NOBODY, optimizer), ())
    except ValueError as error:
        return None, (*reasons, str(error))


def _declared(kind: str, part: Any, reasons: list[str], *sizes: int) -> Any:
    """What a part declares of itself; if nothing, a reason more."""
    if "in_rounds" not in vars(type(part)):
        reasons.append(_none(kind, part))
        return None
    found = declared(part, *sizes)
    if found is None:
        sized = "".join(f", {name} = {size}" for name, size in zip(_SIZES[kind], sizes, strict=True))
        reasons.append(f"{called(kind, part)} has no step of compiled rounds with these settings{sized}")
    return found


def _few_values(world: ProblemInRounds) -> bool:
    """Whether gradients have so few values that workers have the same ones, or their mirror images."""
    if world.noise in (Noise.NORMAL, Noise.SINE):
        return bool(np.any(np.asarray(world.numbers[0]) == 0))
    return world.noise in (Noise.TWO_VALUES, Noise.SQUARE)


def _none(kind: str, part: Any) -> str:
    return f"{called(kind, part)} declares no step of compiled rounds"


class Program:
    """The parameters of all runs, (*grid, runs) each, and what all runs share; made once for an experiment.

    Parameters are views wherever one number serves many runs. Raises `ValueError` where they do not broadcast over
    (*grid, runs), or d coordinates over (*grid, runs, d), or are not defined for n and f.
    """

    def __init__(
        self,
        e: Experiment,
        world: ProblemInRounds,
        rule: RuleInRounds,
        attack: AttackInRounds,
        optimizer: OptimizerInRounds,
    ) -> None:
        n, d = e.n, e.problem.dim
        self.e, self.world, self.rule, self.attack, self.optimizer = e, world, rule, attack, optimizer
        self.numbers = [self.everywhere(values) for values in world.numbers or (0.0,)]
        self.eigenvalues, self.origin, self.x_star = map(
            self.in_coordinates, (world.eigenvalues, world.origin, world.x_star)
        )
        self.spread = self.everywhere(world.spread)
        self.alike = world.offsets is None
        self.offsets = np.zeros((n, d)) if self.alike else np.ascontiguousarray(world.offsets, dtype=np.float64)
        points = world.points
        self.points = np.zeros((0, 1)) if points is None else np.array(points.features, dtype=np.float64)
        self.labels = np.array([] if points is None else points.labels, dtype=np.int64)
        self.first = np.zeros(n, dtype=np.int64) if points is None else np.array(points.first, dtype=np.int64)
        self.attacking = [self.everywhere(values) for values in attack.parameters or (0.0,)]
        self.direction = self.in_coordinates(0.0 if attack.direction is None else attack.direction)
        self.parameters = [self.everywhere(p) for p in rule.parameters or (0.0,)]
        self.radius = self.everywhere(rule.radius)
        behind = -(-n // rule.mixed) if rule.mix == Mix.BUCKETS else n  # messages that the rule itself sees
        self.network, self.mix_network = _network(behind, rule.order), _network(n, rule.mix_order)
        schedules = (optimizer.learning_rate, optimizer.kept, optimizer.decay)
        self.changes = math.inf if any(map(callable, schedules)) else max(optimizer.averaged, optimizer.idle)
        self.decays = callable(optimizer.decay) or bool(np.any(np.asarray(optimizer.decay) != 0))
        self._rates: dict[tuple[int, int], tuple[np.ndarray, ...]] = {}
        self.settled = self.rates(0 if math.isinf(self.changes) else int(self.changes), 1)  # as it stays then

    def everywhere(self, values: Any) -> np.ndarray:
        """A number for every run, (*grid, runs)."""
        return np.broadcast_to(np.asarray(values, dtype=np.float64), self.e.shape)

    def in_coordinates(self, values: Any) -> np.ndarray:
        """Coordinates for every run, (*grid, runs, d)."""
        return np.broadcast_to(np.asarray(values, dtype=np.float64), (*self.e.shape, self.e.problem.dim))

    def rates(self, first: int, count: int) -> tuple[np.ndarray, ...]:
        """What changes from round to round, of the rounds first + 1, …, first + count.

        The learning rate η, the weights of what is new and of what is remembered, and the decay λ, (count, *grid, runs)
        each; whether x rests and whether memories are corrected for the last step, (count,) each. If nothing changes
        any more there is one round of them.
        """
        count = count if first < self.changes else 1
        if (found := self._rates.get((first, count))) is not None:
            return found
        o, times = self.optimizer, range(first + 1, first + count + 1)
        eta, kept, decay = (
            [np.asarray(at(schedule, t), dtype=np.float64) for t in times]
            for schedule in (o.learning_rate, o.kept, o.decay)
        )
        corrected = o.memory == Memory.CORRECTED
        averages = [corrected and t <= o.averaged for t in times]
        old = [np.float64(1.0 - 1.0 / t) if mean else b for t, mean, b in zip(times, averages, kept, strict=True)]
        new = [
            np.float64(1.0 / t) if mean else 1.0 - b if o.damped and not corrected else np.float64(1.0)
            for t, mean, b in zip(times, averages, kept, strict=True)
        ]
        made = tuple(map(self._over_rounds, (eta, new, old, decay)))
        rests = np.array([t <= o.idle for t in times])
        found = (*made, rests, np.array([corrected and not mean for mean in averages]))
        if all(values.strides[1:] == (0,) * len(self.e.shape) for values in made):  # few numbers, for many runs
            self._rates[first, count] = found
        return found

    def _over_rounds(self, values: list[Any]) -> np.ndarray:
        """Numbers or arrays over the runs, one a round, (rounds, *grid, runs)."""
        if all(np.ndim(value) == 0 for value in values):
            alike = np.array(values).reshape(-1, *(1 for _ in self.e.shape))
            return np.broadcast_to(alike, (len(values), *self.e.shape))
        return np.stack([self.everywhere(value) for value in values])


def _network(n: int, order: tuple[int, ...]) -> np.ndarray:
    """The comparators of a selection network for n values: low, high, and which of the two is kept."""
    found = [(c.low, c.high, c.keep_low + 2 * c.keep_high) for c in selection_network(n, order)]
    return np.array(found, dtype=np.int64).reshape(-1, 3)
