"""Cells of equal shape as one array program, and the rows that come of it."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from sims.engine import Axis, Checkpoint, Experiment, Progress, Record, describe, play
from sims.engine.code import digest
from sims.engine.describe import canonical
from sims.engine.simulate import compiled
from sims.optimizers import RobustSGD
from sims.owned import ours
from sims.problems import Stateful
from sims.sweep.cell import Cell
from sims.sweep.parts import KINDS, Part
from sims.sweep.table import may_be_measured

MOST_JOBS = 1024  # in a batch: as many as a killed process may lose
MOST_NUMBERS = 2**31  # coordinates of messages in a batch, where compiled rounds play it: about ten seconds
MOST_BY_ARRAYS = 2**28  # the same for the array engine
MOST_AT_ONCE = 2**22  # numbers in all messages of one round: 32 MiB
IN_CACHE = 2**16  # of them, half a MiB: with what is computed of them they stay in a core's own cache
ALONE = 10**5  # coordinates of an iterate, above which a job is a batch of its own, as one with a memory is
FEW = 3  # jobs with a part of somebody's own: playing them alone takes no longer than playing two as well
OURS = re.compile(r"sims\.").match
SHARING = 16  # cells that use what is drawn once: drawing takes longer than what else a cell does with it


@dataclass(frozen=True, eq=False)
class Batch:
    """Cells that differ in real parameters alone, each with all of the seeds: cells × seeds jobs."""

    cells: tuple[Cell, ...]
    seeds: tuple[int, ...]

    @property
    def jobs(self) -> list[tuple[Cell, int]]:
        """Every cell with every seed."""
        return [(cell, seed) for cell in self.cells for seed in self.seeds]

    @functools.cached_property
    def keys(self) -> list[tuple[str, str]]:
        """The key and the configuration key of each of the `jobs`."""
        return [both for cell in self.cells for both in cell.keys(self.seeds)]

    @property
    def numbers(self) -> int:
        """Coordinates of messages in all rounds of all jobs, a measure of the work."""
        return len(self.cells) * len(self.seeds) * work(self.cells[0])

    def halves(self) -> tuple[Batch, ...]:
        """Two batches with its jobs; none if it has only one."""
        if (k := len(self.cells)) > 1:
            return Batch(self.cells[: k // 2], self.seeds), Batch(self.cells[k // 2 :], self.seeds)
        if (k := len(self.seeds)) > 1:
            return Batch(self.cells, self.seeds[: k // 2]), Batch(self.cells, self.seeds[k // 2 :])
        return ()


def work(cell: Cell) -> int:
    """Coordinates of messages in all rounds of one job."""
    return cell.steps * cell.n * cell.problem.dim


def batches(jobs: Iterable[tuple[Cell, Sequence[int]]], most: int = MOST_JOBS) -> list[Batch]:
    """The jobs as batches of at most `most`, in an order that depends on the jobs alone.

    Cells come into one batch if they have one shape and the same seeds.
    """
    groups: dict[Any, list[Cell]] = {}
    shapes = Shapes()
    for cell, seeds in jobs:
        if seeds:
            groups.setdefault((shapes.of(cell), tuple(seeds)), []).append(cell)
    found = []
    for (_, seeds), cells in groups.items():
        one = cells[0]
        device = one.backend == "cupy"  # which need not be here, and takes one seed at a time
        fast = device or compiled(experiment(Batch((one,), seeds[:1])))
        size = min(
            most, (MOST_NUMBERS if fast else MOST_BY_ARRAYS) // work(one), MOST_AT_ONCE // (one.n * one.problem.dim)
        )
        size = 1 if one.problem.dim > ALONE or isinstance(one.problem, Stateful) else size
        across = 1 if device else min(len(seeds), max(1, size))
        down = max(1, size // across)
        found += [
            Batch(tuple(cells[i : i + down]), seeds[j : j + across])
            for i in range(0, len(cells), down)
            for j in range(0, len(seeds), across)
        ]
    return found


class Shapes:
    """What cells of one batch have in common: all but the numbers that may stand on an axis; each part asked once."""

    def __init__(self) -> None:
        self._parts: dict[Part, str] = {}
        self._digests: dict[tuple[Any, ...], str] = {}

    def of(self, cell: Cell) -> str:
        """The shape of a cell, 32 hexadecimal digits."""
        parts = tuple(self._parts.get(part) or self._of_part(part) for part in cell.parts)
        start = None if cell.x0 is None else int(isinstance(cell.x0, tuple))
        sizes = (cell.n, cell.f, cell.steps, cell.every, cell.shuffle, cell.backend, start)
        sizes += tuple(part.text for part in cell.observers)
        found = self._digests.get((parts, sizes))
        if found is None:
            found = self._digests[parts, sizes] = digest(f"[{','.join(parts)},{canonical(sizes)}]")
        return found

    def _of_part(self, part: Part) -> str:
        described = describe(part.made)
        for name in _on_axes(part.made):
            value = getattr(part.made, name)
            described[name] = [0] * len(value) if isinstance(value, tuple | list) else 0
        # equal texts are one object, and so compared at once
        self._parts[part] = sys.intern(canonical(described))
        return self._parts[part]


def _on_axes(part: Any) -> list[str]:
    """The parameters of a part that are numbers, or numbers per step, and may be arrays of numbers.

    What may be an array is not inherited: a subclass may compute something else, with numbers alone.
    """
    scalars = [name for name, own in vars(type(part)).get("reals", {}).items() if own == 0]
    return [name for name in scalars if all(map(_is_number, _steps(getattr(part, name))))]


def _steps(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple | list) else (value,)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def experiment(batch: Batch) -> Experiment:
    """The experiment that plays all jobs of a batch: cells along its grid, seeds along its runs."""
    first, alone = batch.cells[0], len(batch.cells) == 1
    made = {kind: getattr(first, kind) if alone else _stacked(batch.cells, kind) for kind in KINDS}
    starts = [cell.x0 for cell in batch.cells]
    return Experiment(
        made["problem"],
        RobustSGD(made["rule"], made["optimizer"]),
        attack=made["attack"],
        x0=first.x0 if all(start == first.x0 for start in starts) else Axis.numbered("cell", starts),
        observers=tuple(part.made for part in first.observers),
        n=first.n,
        f=first.f,
        steps=first.steps,
        every=first.every,
        shuffle=first.shuffle,
        backend=first.backend,
        seed=batch.seeds,
        runs=len(batch.seeds),
    )


def _stacked(cells: Sequence[Cell], kind: str) -> Any:
    """The part of one kind of all cells as one, with axes in the place of the numbers that differ."""
    parts = [getattr(cell, kind) for cell in cells]
    changes: dict[str, Any] = {}
    for name in _on_axes(parts[0]):
        per_step = list(zip(*(_steps(getattr(part, name)) for part in parts), strict=True))
        axes = [Axis.numbered("cell", values) if len(set(values)) > 1 else values[0] for values in per_step]
        if any(isinstance(axis, Axis) for axis in axes):
            changes[name] = tuple(axes) if isinstance(getattr(parts[0], name), tuple | list) else axes[0]
    return dataclasses.replace(parts[0], **changes) if changes else parts[0]


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
        np.array_equal(_joined([one[name]])[:, 0], _joined([among[name]])[:, k], equal_nan=True) for name in one
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


def rows(played: Sequence[tuple[Batch, Record]]) -> pa.Table:
    """A row for each job and recorded time of what was played.

    The columns are key, t, the measures, the settings of the job, and its configuration. Raises `ValueError` for a
    measure that has the name of another column.
    """
    recorded, measured = played[0][1].times, [record.everywhere() for _, record in played]
    if taken := [name for name in measured[0] if not may_be_measured(name)]:
        raise ValueError(f"results have something else in the column {taken[0]!r}: the measure needs another name")
    if any(one.keys() != measured[0].keys() for one in measured):
        raise ValueError("a problem must measure the same in every run, and observers must note the same")
    jobs, keys = ([one for part, _ in played for one in each(part)] for each in (lambda p: p.jobs, lambda p: p.keys))
    times, settings_of = len(recorded), {cell: cell.settings for part, _ in played for cell in part.cells}
    columns: dict[str, Any] = {
        "key": _for_each([key for key, _ in keys], times),
        "t": pa.array(np.tile(recorded.astype(np.int64), len(jobs))),
        **{name: pa.array(_joined([one[name] for one in measured]).T.ravel()) for name in measured[0]},
        "seed": _for_each([seed for _, seed in jobs], times),
    }
    for name in dict.fromkeys(itertools.chain(*settings_of.values())):  # one thing has several constructors
        columns[name] = _for_each([settings_of[cell].get(name) for cell, _ in jobs], times)
    texts = {cell: cell.text for cell in settings_of}
    columns["configuration"] = _for_each([texts[cell] for cell, _ in jobs], times)
    return pa.table(columns)


def _joined(values: Sequence[np.ndarray]) -> np.ndarray:
    """What was recorded (time, …), each, as one array (time, jobs)."""
    return np.concatenate([one.reshape(len(one), -1) for one in values], axis=1)


def _for_each(values: Sequence[Any], times: int) -> pa.Array:
    """A value for each job, repeated for each recorded time; a list of whole and other numbers is one of reals."""
    if any(type(v) is float for v in values) and all(v is None or _is_number(v) for v in values):
        values = [None if v is None else float(v) for v in values]
    return pa.array(values).take(pa.array(np.repeat(np.arange(len(values)), times)))


def about(batch: Batch) -> dict[str, Any]:
    """What a result file says of itself: its jobs (key, configuration key), their code, shape and amount of work."""
    first = batch.cells[0]
    return {"jobs": batch.keys, "code": first.code, "shape": Shapes().of(first), "numbers": batch.numbers}
