"""Batches played: as few experiments as leave each job the numbers that it has alone."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

import numpy as np

from sims.engine import Checkpoint, Experiment, Progress, Record, describe, play
from sims.engine.describe import canonical
from sims.engine.simulate import compiled
from sims.owned import ours
from sims.problems import Stateful
from sims.sweep.batch import Batch, experiment
from sims.sweep.rows import joined

IN_CACHE = 2**16  # of them, half a MiB: with what is computed of them they stay in a core's own cache
FEW = 3  # jobs with a part of somebody's own: playing them alone takes no longer than playing two as well
SHARING = 16  # cells that use what is drawn once: drawing takes longer than what else a cell does with it
OURS = re.compile(r"sims\.").match

Watch = Callable[[Batch, Progress], object]


def play_batch(
    batch: Batch, checkpoint: Checkpoint | None = None, watch: Watch | None = None
) -> list[tuple[Batch, Record]]:
    """Batches that have together, in their order, the jobs of this one; and records, axes (time, cells or none, seeds).

    Compiled rounds play it whole; the array engine, which goes through all messages many times in each round, as many
    cells at once as the cache can hold. A job's numbers must not depend on its batch. So cells are played one by one if
    parameters on an axis would send it another way than each of its jobs goes alone: the two add in another order. And
    jobs are played one by one if a part of somebody's own does not keep them apart, see `_apart`.

    A job whose problem has a memory goes on from its `checkpoint`, and who watches is told of each of its rounds.
    """
    _check_parts(batch)
    first = batch.cells[0]
    whole, alone = compiled(experiment(batch)), compiled(experiment(Batch((first,), batch.seeds[:1])))
    size = max(SHARING, IN_CACHE // (first.n * first.problem.dim * len(batch.seeds)))
    size = 1 if whole != alone else len(batch.cells) if whole else size
    parts = [Batch(batch.cells[i : i + size], batch.seeds) for i in range(0, len(batch.cells), size)]
    if resumable(batch):
        told = None if watch is None else functools.partial(watch, batch)
        return [(part, _played(experiment(part), checkpoint, told)) for part in parts]
    return [played for part in parts for played in _apart(part)]


def _apart(batch: Batch) -> list[tuple[Batch, Record]]:
    """The jobs of a batch in one experiment, or each in one of its own where they must not know of each other.

    They do where a part of somebody's own takes numbers of several runs together, `honest.mean()` for
    `honest.mean(axis=-2)`. So the first and the last job are played alone as well, to the end, and unless both have to
    the bit the numbers that they have among the others, all of them are. A few jobs are played alone at once.
    """
    jobs = [Batch((cell,), (seed,)) for cell, seed in batch.jobs]
    if len(jobs) == 1 or not _foreign(batch):
        return [(batch, _played(experiment(batch)))]
    alone: dict[int, Record] = {}
    if len(jobs) > FEW:
        together = _played(experiment(batch))
        for k in (0, len(jobs) - 1):
            alone[k] = _played(experiment(jobs[k]))
            if not _same(alone[k], together, k):
                break
        else:
            return [(batch, together)]
    return [(job, alone[k] if k in alone else _played(experiment(job))) for k, job in enumerate(jobs)]


def _foreign(batch: Batch) -> bool:
    """Whether there is code of somebody's own in a part, or in what a part is made of."""
    parts = {part for cell in batch.cells for part in (*cell.parts, *cell.observers)}
    return not all(ours(part.made) and all(map(OURS, part.modules)) for part in parts)


def _same(alone: Record, together: Record, k: int) -> bool:
    """Whether a job has alone the numbers that it has as the k-th of a batch."""
    one, among = alone.everywhere(), together.everywhere()
    return one.keys() == among.keys() and all(
        np.array_equal(joined([one[name]])[:, 0], joined([among[name]])[:, k], equal_nan=True) for name in one
    )


def _check_parts(batch: Batch) -> None:
    """Raise unless all parts are what they were when keys were made, before any job was played with them."""
    for part in dict.fromkeys(part for cell in batch.cells for part in (*cell.parts, *cell.observers)):
        if canonical(describe(part.made)) != part.text:
            raise ValueError(
                f"the {part.kind} {part.name} was changed by another job: what it remembers belongs into its state"
            )


def resumable(batch: Batch) -> bool:
    """Whether it is a job that keeps a checkpoint: one with a memory.

    Of that neither a checkpoint nor a watcher changes a bit. What has no memory is measured many rounds at once, and
    how many would depend on both.
    """
    return len(batch.jobs) == 1 and isinstance(batch.cells[0].problem, Stateful)


def _played(
    e: Experiment, checkpoint: Checkpoint | None = None, watch: Callable[[Progress], object] | None = None
) -> Record:
    """The record of an experiment, whose parts must be afterwards what they were, or others' numbers depend on it."""
    before = canonical(e.configuration)
    record = play(e, None, checkpoint, watch)
    if canonical(e.configuration) != before:
        parts = ("problem", "algorithm", "attack")
        changed = [name for name in parts if describe(getattr(e, name)) != record.configuration[name]]
        raise ValueError(f"the {' and '.join(changed)} changed while playing: what it remembers belongs into its state")
    return record
