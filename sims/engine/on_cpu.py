"""The common case of `simulate` in compiled code: drawing and playing a few rounds at a time, in the cache.

What can be played is a `sims.engine.program`. The streams are the reference's, draw for draw; sums are added in another
order, so that results agree to rounding. Which path is taken depends on the experiment and not on the number of runs,
so that a run's numbers do not depend on its batch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sims.engine.experiment import Experiment
from sims.engine.program import NOTED, Found, Program, program_of
from sims.engine.record import Record
from sims.kernels.cpu.tables import Aggregation, Attacking, Movement, Room, State, World
from sims.kernels.cpu.threads import split
from sims.kernels.in_rounds import Step

SMALLEST = 2**16  # random numbers per run: below, compiling or loading the program costs more than it saves
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
    from sims.kernels.cpu.random import Normals

    e, problem = program.e, program.e.problem
    *grid, runs = e.shape
    cells, d, lanes = math.prod(grid), problem.dim, vectors.LANES
    noted = [t for t in range(1, e.steps + 1) if t % e.every == 0 or t == e.steps]
    values = np.empty((len(noted), 4, cells, runs))
    last = np.empty((cells, runs, d))
    starts = start.reshape(cells, runs, d)
    size = max(1, min(e.steps, BUFFER // (lanes * e.n * d)))
    keys = e.keys("sample")

    def group(number: int) -> None:
        chosen = np.minimum(np.arange(number * lanes, (number + 1) * lanes), runs - 1)  # the last one fills up
        own = int(chosen[-1] - chosen[0]) + 1
        here = slice(chosen[0], chosen[0] + own)
        normals = Normals(keys[chosen[:own]])
        drawn, records, room = vectors.zeros(size, e.n * d), vectors.zeros(size, 4), _room(program)
        states = [State(vectors.zeros(d), vectors.zeros(e.n, d), vectors.zeros(d)) for _ in range(cells)]
        parts = [_Part(program, c, chosen) for c in range(cells)]
        for c in range(cells):
            states[c].x[:] = starts[c, chosen].T
        for first in range(0, e.steps, size):
            count = min(size, e.steps - first)
            normals.fill(drawn[:count])
            kept = [*range(e.every - 1 - first % e.every, count, e.every)]
            if first + count == e.steps and e.steps % e.every:
                kept.append(count - 1)
            place = first // e.every
            for c in range(cells):
                rounds.play(drawn[:count], *parts[c].arguments(first, count), tuple(states[c]), tuple(room), records)
                if kept:
                    values[place : place + len(kept), :, c, here] = records[kept, :, :own]
        for c in range(cells):
            last[c, here] = states[c].x.T[:own]

    def part(a: int, b: int) -> None:
        for number in range(a, b):
            group(number)

    with np.errstate(over="ignore", invalid="ignore"):
        split(part, -(-runs // lanes))
        before = problem.measure(start)
    after = values.reshape(len(noted), 4, *e.shape)
    measures = {name: np.concatenate([before[name][None], after[:, k]]) for k, name in enumerate(NOTED)}
    x = last.reshape(*e.shape, d)
    return Record(np.array([0, *noted]), measures, np.array(after[:, 3]), x, configuration)


class _Part:
    """Some runs of one cell of a program's grid: what `sims.kernels.cpu.rounds.play` is told of them."""

    def __init__(self, program: Program, cell: Any, chosen: np.ndarray) -> None:
        self.program, self.cell, self.chosen = program, cell, chosen
        p, e = program, program.e
        self.scale, self.strength, self.parameters = map(self._lanes, (p.scale, p.strength, p.parameters))
        self.world = World(p.eigenvalues, p.x_star, self.scale, p.offsets)
        self.rule = Aggregation(int(p.rule.step), p.rule.f, self.parameters, p.network)
        self.attacking = Attacking(int(p.attack.answer), self.strength, p.attack.ddof, e.n - e.f)
        self.constant = None if p.changing else self._movement(p.first)

    def arguments(self, first: int, count: int) -> tuple[Any, ...]:
        """World, movement, rule and attack in the rounds first + 1, …, first + count."""
        movement = self.constant or self._movement(self.program.rates(first, count))
        return tuple(map(tuple, (self.world, movement, self.rule, self.attacking)))

    def _lanes(self, values: np.ndarray) -> np.ndarray:
        shape = self.program.e.shape
        flat = values.reshape(*values.shape[: values.ndim - len(shape)], -1, shape[-1])
        return np.ascontiguousarray(flat[..., self.cell, self.chosen])

    def _movement(self, rates: tuple[np.ndarray, np.ndarray]) -> Movement:
        eta, old = map(self._lanes, rates)
        optimizer = self.program.optimizer
        if optimizer.beta is None:
            return Movement(eta, eta, eta, momentum=False)
        return Movement(eta, 1.0 - old if optimizer.damped else np.ones_like(old), old, momentum=True)


def _room(program: Program) -> Room:
    from sims.kernels.cpu.vectors import zeros

    n, d, f = program.e.n, program.e.problem.dim, program.e.f
    return Room(
        sent=zeros(n, d),
        raw=zeros(f, d),
        work=zeros(n, n if program.rule.step == Step.KRUM else d),
        norms=zeros(n),
        alive=zeros(n),
        slope=zeros(d),
        honest=zeros(d),
        out=zeros(d),
        spare=zeros(d),
    )
