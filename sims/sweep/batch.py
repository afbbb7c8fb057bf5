"""Cells of equal shape as one array program."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.engine import Axis, Experiment, describe
from sims.engine.code import digest
from sims.engine.describe import canonical
from sims.engine.simulate import compiled
from sims.optimizers import RobustSGD
from sims.problems import Stateful
from sims.sweep.cell import Cell
from sims.sweep.parts import KINDS, Part

MOST_JOBS = 1024  # in a batch: as many as a killed process may lose
MOST_NUMBERS = 2**31  # coordinates of messages in a batch, where compiled rounds play it: about ten seconds
MOST_BY_ARRAYS = 2**28  # the same for the array engine
MOST_AT_ONCE = 2**22  # numbers in all messages of one round: 32 MiB
ALONE = 10**5  # coordinates of an iterate, above which a job is a batch of its own, as one with a memory is


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
    return [name for name in scalars if all(map(is_number, _steps(getattr(part, name))))]


def _steps(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple | list) else (value,)


def is_number(value: Any) -> bool:
    """Whether a value is a number that may stand on an axis; True is none."""
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


def ways(batches: Iterable[Batch]) -> list[tuple[str, int]]:
    """How the jobs of batches are played, as `Experiment.explain` says it, and how many so; the most first.

    Where a CUDA device is asked for it need not be here, and then nothing is said of those that are to run there.
    """
    found: Counter[str] = Counter()
    for batch in batches:
        if batch.cells[0].backend != "cupy":
            found[str(experiment(Batch(batch.cells[:1], batch.seeds[:1])).explain())] += len(batch.jobs)
    return found.most_common()


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


def about(batch: Batch) -> dict[str, Any]:
    """What a result file says of itself: its jobs (key, configuration key), their code, shape and amount of work."""
    first = batch.cells[0]
    return {"jobs": batch.keys, "code": first.code, "shape": Shapes().of(first), "numbers": batch.numbers}
