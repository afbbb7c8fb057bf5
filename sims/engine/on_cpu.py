"""Experiments of declared steps in compiled code: drawing and playing a few rounds at a time, in the cache.

What can be played is a `sims.engine.program`. The streams are the reference's, draw for draw; sums are added in another
order, so that results agree to rounding. Which path is taken depends on the experiment and not on the number of runs,
so that a run's numbers do not depend on its batch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sims.backend import get_namespace
from sims.engine import on_arrays
from sims.engine.experiment import Experiment
from sims.engine.notes import MEASURED_NUMBERS
from sims.engine.program import NOTED, Found, Program, program_of
from sims.engine.record import Record
from sims.kernels.cpu.tables import Aggregation, Attacking, Movement, Room, State, World
from sims.kernels.cpu.threads import split
from sims.kernels.in_rounds import Memory, Mix, Noise, Step
from sims.problems import Oracle

SMALLEST = 3 * 2**14  # random numbers per run: below, loading the program may cost more than it saves
LARGEST = 2**13  # random numbers per run and round: beyond, the work of a few runs does not fit into the cache
BUFFER = 2**17  # random numbers that a thread draws before it uses them


def program(e: Experiment) -> Found:
    """The program of an experiment that compiled code plays, one for which it is worth while; or why there is none."""
    per_round, reasons = e.n * e.problem.dim, []
    if per_round > LARGEST:
        reasons.append(
            f"{per_round:,} random numbers of a run and round are more than the {LARGEST:,} of compiled rounds"
        )
    if per_round * e.steps < SMALLEST:
        few = f"{per_round * e.steps:,} random numbers of a run are not worth compiling"
        reasons.append(f"{few}: compiled rounds begin at {SMALLEST:,}")
    return program_of(e, *reasons)


def play(program: Program, start: np.ndarray, configuration: dict[str, Any]) -> Record:
    """The record of a program, from `start` (*shape, d)."""
    from sims.kernels.cpu import rounds, vectors  # numba, which takes half a second to import
    from sims.kernels.cpu.random import Normals, Uniforms

    e, problem = program.e, program.e.problem
    kind, aside = Normals if program.world.noise == Noise.NORMAL else Uniforms, program.attack.draws * e.problem.dim
    numbers = e.n * math.prod(problem.sample_shape)
    *grid, runs = e.shape
    cells, d, lanes = math.prod(grid), problem.dim, vectors.LANES
    noted = [t for t in range(1, e.steps + 1) if t % e.every == 0 or t == e.steps]
    rows = 4 if program.world.points is None else 4 + d
    values = np.empty((len(noted), rows, cells, runs))
    last = np.empty((cells, runs, d))
    starts = start.reshape(cells, runs, d)
    size = max(1, min(e.steps, BUFFER // (lanes * numbers)))
    buckets = program.rule.mix == Mix.BUCKETS
    keys, other_keys = e.keys("sample"), e.keys("attack") if aside else None
    order_keys = e.keys("rule") if buckets else None
    beyond = np.zeros((cells, runs), dtype=bool)

    def group(number: int) -> None:
        chosen = np.minimum(np.arange(number * lanes, (number + 1) * lanes), runs - 1)  # the last one fills up
        own = int(chosen[-1] - chosen[0]) + 1
        here = slice(chosen[0], chosen[0] + own)
        stream, drawn = kind(keys[chosen[:own]]), vectors.zeros(size, numbers)
        other = None if other_keys is None else Normals(other_keys[chosen[:own]])
        order = None if order_keys is None else Uniforms(order_keys[chosen[:own]])
        orders = vectors.zeros(size, e.n if buckets else 0)
        others, records, room = vectors.zeros(size, aside), vectors.zeros(size, rows), _room(program)
        states = [_state(program) for _ in range(cells)]
        parts = [_Part(program, c, chosen) for c in range(cells)]
        for c in range(cells):
            states[c].x[:] = states[c].past[:] = starts[c, chosen].T
        for first in range(0, e.steps, size):
            count = min(size, e.steps - first)
            stream.fill(drawn[:count])
            if other is not None:
                other.fill(others[:count])
            if order is not None:
                order.fill(orders[:count])
            kept = [*range(e.every - 1 - first % e.every, count, e.every)]
            if first + count == e.steps and e.steps % e.every:
                kept.append(count - 1)
            place = first // e.every
            for c in range(cells):
                told = parts[c].arguments(first, count)
                streams = drawn[:count], others[:count], orders[:count]
                rounds.play(*streams, first, *told, tuple(states[c]), tuple(room), records)
                if kept:
                    values[place : place + len(kept), :, c, here] = records[kept, :, :own]
        for c in range(cells):
            last[c, here] = states[c].x.T[:own]
            beyond[c, here] = states[c].beyond[:own] > 0

    def part(a: int, b: int) -> None:
        for number in range(a, b):
            group(number)

    with np.errstate(over="ignore", invalid="ignore"):
        split(part, -(-runs // lanes))
        before = problem.measure(start)
        after = values.reshape(len(noted), rows, *e.shape)
        if program.world.points is None:
            found = {name: after[:, k] for k, name in enumerate(NOTED)}
        else:
            found = _measured(problem, np.moveaxis(after[:, 4:], 1, -1))
    measures = {name: np.concatenate([before[name][None], found[name]]) for name in found}
    record = Record(np.array([0, *noted]), measures, np.array(after[:, 3]), last.reshape(*e.shape, d), configuration)
    return _mended(record, beyond.reshape(e.shape), e) if beyond.any() else record


def _measured(problem: Oracle, x: np.ndarray) -> dict[str, np.ndarray]:
    """What a problem measures of iterates (times, *shape, d), some times at once as in the array engine."""
    size = max(1, MEASURED_NUMBERS // math.prod(x.shape[1:]))
    pieces = [problem.measure(np.ascontiguousarray(x[k : k + size])) for k in range(0, len(x), size)]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def _mended(record: Record, beyond: np.ndarray, e: Experiment) -> Record:
    """The record with the numbers that the array engine has of the runs that went beyond the range of a step.

    They are the same as if nobody else had been played with them, and so is whether there are such runs.
    """
    found = on_arrays.play(e, get_namespace("numpy"))
    for name, values in record.measures.items():
        values[:, beyond] = found.measures[name][:, beyond]
    record.sq_aggregate_errors[:, beyond] = found.sq_aggregate_errors[:, beyond]
    record.x[beyond] = found.x[beyond]
    return record


class _Part:
    """Some runs of one cell of a program's grid: what `sims.kernels.cpu.rounds.play` is told of them."""

    def __init__(self, program: Program, cell: int, chosen: np.ndarray) -> None:
        self.program, self.chosen = program, chosen
        self.cell = np.unravel_index(cell, program.e.shape[:-1])
        p, e = program, program.e
        self.world = World(
            noise=int(p.world.noise),
            numbers=self._all(p.numbers),
            slope=int(p.world.slope),
            eigenvalues=self._coordinates(p.eigenvalues),
            origin=self._coordinates(p.origin),
            x_star=self._coordinates(p.x_star),
            offsets=p.offsets,
            spread=self._lanes(p.spread),
            alike=p.alike,
            points=p.points,
            labels=p.labels,
            first=p.first,
            each=0 if p.world.points is None else p.world.points.count,
            classes=1 if p.world.points is None else p.world.points.classes,
            batch=1 if p.world.points is None else p.world.points.batch,
            ridge=0.0 if p.world.points is None else float(p.world.points.ridge),
            flips=bool(e.f and e.attack.flips_labels),
            honest=e.n - e.f,
        )
        self.rule = Aggregation(
            step=int(p.rule.step),
            f=p.rule.f,
            parameters=self._all(p.parameters),
            network=p.network,
            neighbours=p.rule.neighbours,
            whole=p.rule.whole,
            mix=int(p.rule.mix),
            mixed=p.rule.mixed,
            radius=self._all([p.radius]),
            mix_network=p.mix_network,
        )
        self.attacking = Attacking(
            answer=int(p.attack.answer),
            parameters=self._all(p.attacking),
            whole=np.array([*p.attack.whole, 0, 0][:2], dtype=np.int64),
            direction=self._coordinates(p.direction),
            enters_gradients=p.attack.enters_gradients,
            honest=e.n - e.f,
        )
        self.settled = self._movement(p.settled)

    def arguments(self, first: int, count: int) -> tuple[Any, ...]:
        """World, movement, rule and attack in the rounds first + 1, …, first + count."""
        changes = first < self.program.changes
        movement = self._movement(self.program.rates(first, count)) if changes else self.settled
        return tuple(map(tuple, (self.world, movement, self.rule, self.attacking)))

    def _lanes(self, values: np.ndarray) -> np.ndarray:
        """Numbers (…, *grid, runs) of these runs, (…, LANES)."""
        before = values.ndim - len(self.program.e.shape)
        return np.ascontiguousarray(values[(slice(None),) * before + (*self.cell, self.chosen)])

    def _all(self, parameters: list[np.ndarray]) -> np.ndarray:
        return np.stack([self._lanes(values) for values in parameters])

    def _coordinates(self, values: np.ndarray) -> np.ndarray:
        return self._lanes(np.moveaxis(values, -1, 0))

    def _movement(self, rates: tuple[np.ndarray, ...]) -> Movement:
        eta, new, old, decay = map(self._lanes, rates[:4])
        rests, corrects = rates[4:]
        return Movement(int(self.program.optimizer.memory), eta, new, old, decay, self.program.decays, rests, corrects)


def _state(program: Program) -> State:
    from sims.kernels.cpu.vectors import LANES, zeros

    n, d = program.e.n, program.e.problem.dim
    remembers = program.optimizer.memory in (Memory.WORKERS, Memory.CORRECTED)
    return State(
        x=zeros(d),
        past=zeros(d),
        momenta=zeros(n if remembers else 0, d),
        centre=zeros(d),
        velocity=zeros(d),
        last=zeros(d),
        seen=zeros(d),
        along=zeros(d),
        chosen=np.zeros(LANES, dtype=np.int64),
        beyond=np.zeros(LANES),
    )


def _room(program: Program) -> Room:
    from sims.kernels.cpu.vectors import LANES, zeros

    n, d, rule = program.e.n, program.e.problem.dim, program.rule
    by_pairs = rule.step in (Step.KRUM, Step.MULTI_KRUM) or rule.mix == Mix.NEAREST
    return Room(
        raw=zeros(n, d),
        before=zeros(n, d),
        sent=zeros(n, d),
        work=zeros(n, max(n, d) if by_pairs else d),
        distances=zeros(n if rule.mix == Mix.NEAREST else 0, n),
        norms=zeros(n),
        alive=zeros(n),
        kept=zeros(n),
        faint=np.zeros(LANES),
        origin=zeros(1, d),
        slope=zeros(d),
        honest=zeros(d),
        out=zeros(d),
        spare=zeros(d),
    )
