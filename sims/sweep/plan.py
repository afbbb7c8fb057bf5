"""What of a sweep is done, what is missing, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sims.sweep.batch import MOST_JOBS, Batch, Shapes, batches, work
from sims.sweep.cell import Cell
from sims.sweep.store import Kept, Scan

GUESS = 2e7  # coordinates of messages a second, where no result tells: what the array engine does on a slow core


@dataclass(frozen=True, eq=False)
class Plan:
    """The jobs of a sweep beside what a folder holds.

    `missing` are the jobs that would run; `reasons` counts them by why: "new", "failed", or the modules whose code
    changed since an older result. `seconds` is the time of one process for them, `measured` whether results of the
    folder tell it for all.
    """

    cells: tuple[Cell, ...]
    missing: tuple[tuple[Cell, tuple[int, ...]], ...]
    reasons: Mapping[str, int]
    seconds: float
    measured: bool

    @property
    def jobs(self) -> int:
        """How many jobs there are."""
        return sum(len(cell.seeds) for cell in self.cells)

    @property
    def left(self) -> int:
        """How many jobs would run."""
        return sum(len(seeds) for _, seeds in self.missing)

    @property
    def done(self) -> int:
        """How many jobs are done."""
        return self.jobs - self.left

    def batches(self, most: int = MOST_JOBS) -> list[Batch]:
        """The missing jobs as batches: those of the whole sweep, less what is done.

        So runs that begin at different times on one folder have batches in common, and leave each other's out.
        """
        left = {id(cell): seeds for cell, seeds in self.missing}
        whole = batches([(cell, cell.seeds) for cell in self.cells], most)
        return [part for batch in whole for part in _without_done(batch, left)]


def plan(cells: Sequence[Cell], scan: Scan, failed: Mapping[str, object]) -> Plan:
    """What is to be done of these cells, given what a folder holds and which jobs failed there."""
    done, older, missing = scan.keys, scan.by_configuration, []
    reasons: Counter[str] = Counter()
    for cell in cells:
        keys = dict(zip(cell.seeds, cell.keys(cell.seeds), strict=True))
        left = {seed: both for seed, both in keys.items() if both[0] not in done}
        if not left:
            continue
        missing.append((cell, tuple(left)))
        for key, configuration_key in left.values():
            if key in failed:
                reasons["failed before"] += 1
            elif (old := older.get(configuration_key)) is not None:
                reasons[_changed(cell.code, old)] += 1
            else:
                reasons["new"] += 1
    return Plan(tuple(cells), tuple(missing), dict(reasons), *_time(missing, scan.files))


def _without_done(batch: Batch, left: Mapping[int, tuple[int, ...]]) -> Iterator[Batch]:
    """What is left of a batch, as batches."""
    groups: dict[tuple[int, ...], list[Cell]] = {}
    for cell in batch.cells:
        mine = set(left.get(id(cell), ()))
        if seeds := tuple(seed for seed in batch.seeds if seed in mine):
            groups.setdefault(seeds, []).append(cell)
    yield from (Batch(tuple(cells), seeds) for seeds, cells in groups.items())


def _changed(new: Mapping[str, str], old: Sequence[Kept]) -> str:
    """The modules that are others than those of an older result, of several the one with the fewest."""
    changes = [sorted(m for m in new.keys() | kept.code.keys() if new.get(m) != kept.code.get(m)) for kept in old]
    fewest = min(changes, key=lambda modules: (len(modules), modules))
    return f"changed code: {', '.join(fewest)}" if fewest else "changed random streams"


def _time(missing: Sequence[tuple[Cell, tuple[int, ...]]], files: Sequence[Kept]) -> tuple[float, bool]:
    """Seconds for the missing jobs, by results of the same shape; and whether there are some for all of them."""
    rates: dict[str, list[float]] = {}
    for kept in files:
        total = rates.setdefault(kept.shape, [0.0, 0.0])
        total[0] += kept.seconds
        total[1] += kept.numbers
    seconds, measured, shapes = 0.0, True, Shapes()
    for cell, seeds in missing:
        took = rates.get(shapes.of(cell))
        measured &= took is not None
        seconds += len(seeds) * work(cell) * (took[0] / took[1] if took else 1 / GUESS)
    return seconds, measured
