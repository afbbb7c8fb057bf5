"""The common case of `simulate` in compiled code: drawing and playing a few rounds at a time, in the cache.

A quadratic with Gaussian noise, SGD with or without worker momentum, the paper's rules and attacks. The streams are the
reference's, draw for draw; sums are added in another order, so that results agree to rounding. Which path is taken
depends on the experiment and not on the number of runs, so that a run's numbers do not depend on its batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims import kernels
from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, Krum, Mean, Rule, TrimmedMean, as_rule
from sims.attacks import ALittleIsEnough, Attack, BitFlipping, InnerProductManipulation, NoAttack
from sims.attacks.a_little_is_enough import alie_z
from sims.engine.record import Record
from sims.engine.streams import Streams
from sims.kernels.networks import selection_network
from sims.kernels.threads import split
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.optimizers.optimizer import at
from sims.problems import Quadratic

SMALLEST = 2**17  # random numbers per run: below, compiling or loading the program costs more than it saves
LARGEST = 2**13  # random numbers per run and round: beyond, the work of a few runs does not fit into the cache
BUFFER = 2**17  # random numbers that a thread draws before it uses them


@dataclass(frozen=True)
class Experiment:
    """The arguments of `simulate` on which the numbers depend, and the leading axes (*grid, runs) of the results.

    `problem` and `algorithm` are any; of an experiment that `fits` they are a `Quadratic` and a `RobustSGD`.
    """

    problem: Any
    algorithm: Any
    attack: Attack
    n: int
    f: int
    steps: int
    seed: int
    first_run: int
    shape: tuple[int, ...]
    every: int

    def rounds(self, values: Any, first: int, count: int) -> np.ndarray:
        """A schedule's values in the rounds first + 1, …, first + count: (count, *shape)."""
        return np.stack([self.runs(at(values, first + k + 1)) for k in range(count)])

    def runs(self, values: Any) -> np.ndarray:
        """A parameter for every run, of `shape`."""
        return np.broadcast_to(np.asarray(values, dtype=np.float64), self.shape)


def fits(e: Experiment) -> bool:
    """Whether compiled code plays this experiment: whether it can, and whether that is worth while."""
    per_round = e.n * e.problem.dim
    return per_round <= LARGEST and per_round * e.steps >= SMALLEST and playable(e)


def playable(e: Experiment) -> bool:
    """Whether there is compiled code for this experiment, on the CPU and on a CUDA device."""
    problem, algorithm = e.problem, e.algorithm
    if type(problem) is not Quadratic or type(algorithm) is not RobustSGD or not kernels.enabled():
        return False
    kinds = (
        np.ndim(problem.eigenvalues) == 1
        and np.ndim(problem.x_star) <= 1
        and isinstance(problem.zeta_sq, int | float)
        and type(algorithm.optimizer) in (SGD, WorkerMomentum)
        and _code(as_rule(algorithm.rule)) is not None
        and type(e.attack) in (NoAttack, BitFlipping, InnerProductManipulation, ALittleIsEnough)
    )
    return kinds and _valid(e)


def _valid(e: Experiment) -> bool:
    """Whether all parameters are of fitting shapes; if not, the reference says what is wrong."""
    try:
        as_rule(e.algorithm.rule).require(e.n)
        Program(e, 0, np.zeros(1, dtype=np.int64)).arguments(0, 1)
    except ValueError:
        return False
    return not (e.f and isinstance(e.attack, ALittleIsEnough) and e.n - e.f <= e.attack.ddof)


def _code(rule: Rule) -> int | None:
    """The rule's number in `sims.kernels.rounds`, in its order."""
    if type(rule) is Krum and rule.variant != "paper":
        return None
    kinds = (Mean, CoordinateMedian, TrimmedMean, CenteredClipping, RFA, Krum)
    return kinds.index(type(rule)) if type(rule) in kinds else None


def play(e: Experiment, start: np.ndarray, configuration: dict[str, Any]) -> Record:
    """The record of an experiment that `fits`, from `start` (*shape, d)."""
    from sims.kernels import rounds, vectors  # numba, which takes half a second to import
    from sims.kernels.normals import Normals

    problem = e.problem
    *grid, runs = e.shape
    cells, d, lanes = math.prod(grid), problem.dim, vectors.LANES
    noted = [t for t in range(1, e.steps + 1) if t % e.every == 0 or t == e.steps]
    values = np.empty((len(noted), 4, cells, runs))
    last = np.empty((cells, runs, d))
    starts = start.reshape(cells, runs, d)
    size = max(1, min(e.steps, BUFFER // (lanes * e.n * d)))
    streams = Streams(e.seed, "sample")

    def group(number: int) -> None:
        chosen = np.minimum(np.arange(number * lanes, (number + 1) * lanes), runs - 1)  # the last one fills up
        own = int(chosen[-1] - chosen[0]) + 1
        here = slice(chosen[0], chosen[0] + own)
        normals = Normals(np.array([streams.key(e.first_run + int(r)) for r in chosen[:own]]))
        drawn, records, room = vectors.zeros(size, e.n * d), vectors.zeros(size, 4), _room(e)
        states = [(vectors.zeros(d), vectors.zeros(e.n, d), vectors.zeros(d)) for _ in range(cells)]
        programs = [Program(e, c, chosen) for c in range(cells)]
        for c in range(cells):
            states[c][0][:] = starts[c, chosen].T
        for first in range(0, e.steps, size):
            count = min(size, e.steps - first)
            normals.fill(drawn[:count])
            kept = [*range(e.every - 1 - first % e.every, count, e.every)]
            if first + count == e.steps and e.steps % e.every:
                kept.append(count - 1)
            place = first // e.every
            for c in range(cells):
                rounds.play(drawn[:count], *programs[c].arguments(first, count), states[c], room, records)
                if kept:
                    values[place : place + len(kept), :, c, here] = records[kept, :, :own]
        for c in range(cells):
            last[c, here] = states[c][0].T[:own]

    def part(a: int, b: int) -> None:
        for number in range(a, b):
            group(number)

    with np.errstate(over="ignore", invalid="ignore"):
        split(part, -(-runs // lanes))
        away = start - np.asarray(problem.x_star)
        gradient = problem.gradient(start)
        first = (problem.excess(start), np.sum(gradient * gradient, axis=-1), np.sum(away * away, axis=-1))
    excess, gradients, distances = (
        np.concatenate([first[k][None], values[:, k].reshape(len(noted), *e.shape)]) for k in range(3)
    )
    errors = values[:, 3].reshape(len(noted), *e.shape)
    return Record(np.array([0, *noted]), excess, gradients, distances, errors, last.reshape(*e.shape, d), configuration)


def _room(e: Experiment) -> tuple[np.ndarray, ...]:
    """Where a round writes what it needs no more afterwards, in the order of `sims.kernels.rounds.play`."""
    from sims.kernels import vectors

    n, d = e.n, e.problem.dim
    work = n if isinstance(as_rule(e.algorithm.rule), Krum) else d
    shapes = ((n, d), (e.f, d), (n, work), (n,), (n,), (d,), (d,), (d,), (d,))
    return tuple(vectors.zeros(*shape) for shape in shapes)


class Program:
    """What `sims.kernels.rounds.play` is told about the runs `chosen` of one cell of the grid, or of several."""

    def __init__(self, e: Experiment, cell: Any, chosen: np.ndarray) -> None:
        self.e, self.cell, self.chosen = e, cell, chosen
        self.fixed = (self._world(), self._rule(), self._attack())
        optimizer = e.algorithm.optimizer
        schedules = (optimizer.learning_rate, getattr(optimizer, "beta", 0.0))
        self.constant = None if any(map(callable, schedules)) else self._movement(0, 1)

    def arguments(self, first: int, count: int) -> tuple[Any, ...]:
        """World, optimizer, rule and attack in the rounds first + 1, …, first + count."""
        world, rule, attack = self.fixed
        return world, self.constant or self._movement(first, count), rule, attack

    def _lanes(self, values: np.ndarray) -> np.ndarray:
        flat = values.reshape(*values.shape[: values.ndim - len(self.e.shape)], -1, self.e.shape[-1])
        return np.ascontiguousarray(flat[..., self.cell, self.chosen])

    def _world(self) -> tuple[Any, ...]:
        problem, n, d = self.e.problem, self.e.n, self.e.problem.dim
        scale = np.sqrt(self._lanes(self.e.runs(problem.sigma_sq)) / d)
        x_star = np.ascontiguousarray(np.broadcast_to(np.asarray(problem.x_star, dtype=np.float64), (d,)))
        zeta = math.sqrt(problem.zeta_sq)
        offsets = zeta * problem.directions(n, n - self.e.f) if zeta else np.zeros((n, d))
        return np.asarray(problem.eigenvalues, dtype=np.float64), x_star, scale, offsets

    def _movement(self, first: int, count: int) -> tuple[Any, ...]:
        optimizer = self.e.algorithm.optimizer
        eta = self._lanes(self.e.rounds(optimizer.learning_rate, first, count))
        if type(optimizer) is not WorkerMomentum:
            return eta, eta, eta, False
        old = self._lanes(self.e.rounds(optimizer.beta, first, count))
        return eta, 1.0 - old if optimizer.damped else np.ones_like(old), old, True

    def _rule(self) -> tuple[Any, ...]:
        rule, n, none = as_rule(self.e.algorithm.rule), self.e.n, np.zeros((1, 1))
        kind = _code(rule)
        f = rule.f if isinstance(rule, TrimmedMean | Krum) else -1
        taus = rule.radii if isinstance(rule, CenteredClipping) else ()
        radii = np.stack([self._lanes(self.e.runs(tau)) for tau in taus]) if taus else none
        nu, steps = (self._lanes(self.e.runs(rule.nu)), rule.steps) if isinstance(rule, RFA) else (none[0], 0)
        wanted = {1: ((n - 1) // 2, n // 2), 2: range(f, n - f), 5: range(n - f - 1)}.get(kind or 0, ())
        network = [(c.low, c.high, c.keep_low + 2 * c.keep_high) for c in selection_network(n, wanted)]
        return kind, f, radii, nu, steps, np.array(network, dtype=np.int64).reshape(-1, 3)

    def _attack(self) -> tuple[Any, ...]:
        attack, n, f = self.e.attack, self.e.n, self.e.f
        what, strength, ddof = 0, 0.0, 0
        if f and isinstance(attack, BitFlipping):
            what = 1 if attack.on == "gradients" else 2
        elif f and isinstance(attack, InnerProductManipulation):
            what, strength = 3, attack.epsilon
        elif f and isinstance(attack, ALittleIsEnough):
            z = alie_z(n, f, attack.z_formula) if attack.z is None else attack.z
            what, strength, ddof = 4, attack.sign * np.asarray(z, dtype=np.float64), attack.ddof
        return what, self._lanes(self.e.runs(strength)), ddof, n - f
