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
from sims.engine.program import NOTED, Program, program_of
from sims.engine.record import Record
from sims.engine.streams import Streams
from sims.kernels.cpu.threads import split
from sims.kernels.in_rounds import Step

SMALLEST = 2**17  # random numbers per run: below, compiling or loading the program costs more than it saves
LARGEST = 2**13  # random numbers per run and round: beyond, the work of a few runs does not fit into the cache
BUFFER = 2**17  # random numbers that a thread draws before it uses them


def program(e: Experiment) -> Program | None:
    """The program of an experiment that compiled code plays: that has one, and for which it is worth while."""
    per_round = e.n * e.problem.dim
    return program_of(e) if per_round <= LARGEST and per_round * e.steps >= SMALLEST else None


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
    streams = Streams(e.seed, "sample")

    def group(number: int) -> None:
        chosen = np.minimum(np.arange(number * lanes, (number + 1) * lanes), runs - 1)  # the last one fills up
        own = int(chosen[-1] - chosen[0]) + 1
        here = slice(chosen[0], chosen[0] + own)
        normals = Normals(np.array([streams.key(e.first_run + int(r)) for r in chosen[:own]]))
        drawn, records, room = vectors.zeros(size, e.n * d), vectors.zeros(size, 4), _room(program)
        states = [(vectors.zeros(d), vectors.zeros(e.n, d), vectors.zeros(d)) for _ in range(cells)]
        parts = [program.part(c, chosen) for c in range(cells)]
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
                rounds.play(drawn[:count], *parts[c].arguments(first, count), states[c], room, records)
                if kept:
                    values[place : place + len(kept), :, c, here] = records[kept, :, :own]
        for c in range(cells):
            last[c, here] = states[c][0].T[:own]

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


def _room(program: Program) -> tuple[np.ndarray, ...]:
    """Where a round writes what it needs no more afterwards, in the order of `sims.kernels.cpu.rounds.play`."""
    from sims.kernels.cpu import vectors

    n, d, f = program.e.n, program.e.problem.dim, program.e.f
    work = n if program.rule.step == Step.KRUM else d
    shapes = ((n, d), (f, d), (n, work), (n,), (n,), (d,), (d,), (d,), (d,))
    return tuple(vectors.zeros(*shape) for shape in shapes)
