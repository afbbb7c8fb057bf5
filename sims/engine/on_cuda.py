"""The common case of `simulate` on a CUDA device: a block plays a run, many rounds in each launch, nothing is fetched.

What can be played is a `sims.engine.program`, as on the CPU. Parameters are moved to the device before the first round,
and the record and the last iterates fetched after the last. The array engine draws the same numbers, so that results
agree with it to rounding; which of the two plays depends on the experiment and not on the number of runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from sims.aggregators import as_rule
from sims.backend import Namespace, to_numpy
from sims.engine.experiment import Experiment
from sims.engine.on_cpu import LARGEST
from sims.engine.program import NOTED, Found, Program, program_of
from sims.engine.record import Record
from sims.kernels.cuda import launch
from sims.kernels.cuda.rounds import ANSWERS, STEPS, Rounds
from sims.kernels.dispatch import MOST_WORKERS
from sims.kernels.in_rounds import Memory, Mix, Noise, Slope, Step
from sims.owned import called

LEAST_ROUNDS = 64  # below, compiling a kernel costs more than the launches of an array operation each
NUMBERS = 2**28  # random numbers in one launch: well below a second, so that no display waits for it too long


def program(e: Experiment) -> Found:
    """The program of an experiment that one kernel plays, one for which it is worth while; or why there is none."""
    reasons, per_round = [], e.n * e.problem.dim
    if e.n > MOST_WORKERS:
        reasons.append(f"n = {e.n} workers are more than the {MOST_WORKERS} of compiled rounds on a device")
    if per_round > LARGEST:
        reasons.append(
            f"{per_round:,} random numbers of a run and round are more than the {LARGEST:,} of compiled rounds"
        )
    if e.steps < LEAST_ROUNDS:
        reasons.append(f"{e.steps} rounds are not worth compiling: on a device compiled rounds begin at {LEAST_ROUNDS}")
    try:
        found, more = program_of(e, *reasons)
        lacking = () if found is None else tuple(lacks(found))
        return (None, lacking) if lacking else (found, more)
    except TypeError:
        return None, (*reasons, "a parameter is on the device, and does not come to the host by itself")


def lacks(program: Program) -> Iterator[str]:
    """What of a program the kernel on the device has no step for, a sentence each."""
    e, world, optimizer = program.e, program.world, program.optimizer
    algorithm: Any = e.algorithm  # a `RobustSGD`
    shared = all(_shared(values, e) for values in (program.eigenvalues, program.origin, program.x_star))
    if world.noise != Noise.NORMAL or world.slope != Slope.LINEAR or world.origin is not world.x_star:
        yield f"{called('problem', e.problem)} has no step of compiled rounds on a device"
    elif not shared or np.ndim(world.spread):
        yield f"{called('problem', e.problem)} has parameters that vary from run to run, as on a device only noise may"
    rule = program.rule
    other_scores = rule.step == Step.KRUM and rule.neighbours != e.n - rule.f - 2
    if rule.step not in STEPS or rule.mix != Mix.NOTHING or other_scores:
        yield f"{called('rule', as_rule(algorithm.rule))} has no step of compiled rounds on a device"
    if program.attack.answer not in ANSWERS:
        yield f"{called('attack', e.attack)} has no step of compiled rounds on a device"
    if optimizer.memory not in (Memory.NONE, Memory.WORKERS) or program.decays:
        yield f"{called('optimizer', algorithm.optimizer)} has no step of compiled rounds on a device"


def _shared(values: np.ndarray, e: Experiment) -> bool:
    """Whether coordinates (*grid, runs, d) are the same numbers in memory for all runs."""
    return values.strides[:-1] == (0,) * len(e.shape) or e.shape == (1,)


def play(program: Program, start: np.ndarray, configuration: dict[str, Any], xp: Namespace) -> Record:
    """The record of a program, from `start` (*shape, d), played where the arrays of `xp` are."""
    e = program.e
    d, everybody = e.problem.dim, math.prod(e.shape)
    rounds, world, fixed = _tables(program)
    schedule = _schedule(program)
    noted = [t for t in range(1, e.steps + 1) if t % e.every == 0 or t == e.steps]
    records = xp.empty((len(noted), 4, everybody), dtype=xp.float64)
    memory = xp.zeros((everybody, rounds.kept), dtype=xp.float64)
    memory[:, :d] = xp.asarray(start.reshape(everybody, d))
    rates = (xp.asarray(schedule), *map(np.int64, schedule.shape[1:]))
    tables = (xp.asarray(world), xp.asarray(fixed), np.int32(len(fixed) - 2), *rates)
    runs = (*map(np.uint64, e.keys("sample")[0]), *map(np.int64, (e.shape[-1], everybody)))
    source, grid, block = rounds.source, (min(everybody, launch.MOST_ACROSS),), (rounds.threads,)
    size = max(1, NUMBERS // (everybody * e.n * d))
    for played in range(0, e.steps, size):
        times = map(np.int64, (played, min(played + size, e.steps), e.steps, e.every))
        launch.start(source, "play", grid, block, *tables, *runs, *times, memory, records)
    values = to_numpy(records).reshape(len(noted), 4, *e.shape)
    last = np.array(to_numpy(memory[:, :d])).reshape(start.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        before = e.problem.measure(start)
    measures = {name: np.concatenate([before[name][None], values[:, k]]) for k, name in enumerate(NOTED)}
    return Record(np.array([0, *noted]), measures, np.array(values[:, 3]), last, configuration)


def _tables(program: Program) -> tuple[Rounds, np.ndarray, np.ndarray]:
    """What is compiled, what all runs share, and the parameters of each run in the order of the kernel."""
    e, rule, attack, offsets = program.e, program.rule, program.attack, float(program.world.spread) * program.offsets
    n, d = offsets.shape
    momentum, ddof = program.optimizer.memory == Memory.WORKERS, (*attack.whole, 0)[0]
    rounds = Rounds(rule.step, n, d, n - e.f, rule.f, attack.answer, ddof, momentum, bool(np.any(offsets)))
    eigenvalues, x_star = (values.reshape(-1, d)[0] for values in (program.eigenvalues, program.x_star))
    world = np.concatenate([eigenvalues, x_star, offsets.ravel()])
    parameters = program.parameters[: len(rule.parameters)]
    return rounds, world, np.stack([values.ravel() for values in (*program.numbers, *program.attacking, *parameters)])


def _schedule(program: Program) -> np.ndarray:
    """η, 1 − β and β (or 1 and β, if not damped), (3, rounds, runs), with one round or one run if all are alike."""
    changing = math.isinf(program.changes)
    rates = program.rates(0, program.e.steps)[:3] if changing else program.settled[:3]
    alike = all(values.strides[1:] == (0,) * len(program.e.shape) for values in rates)
    rows = [values.reshape(len(values), -1)[:, :1] if alike else values.reshape(len(values), -1) for values in rates]
    return np.stack(rows)
