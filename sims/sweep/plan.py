"""What of a sweep is done, what is missing, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
    folder tell it.
    """

    jobs: int
    missing: tuple[tuple[Cell, tuple[int, ...]], ...]
    reasons: Mapping[str, int]
    seconds: float
    measured: bool

    @property
    def left(self) -> int:
        """How many jobs would run."""
        return sum(len(seeds) for _, seeds in self.missing)

    @property
    def done(self) -> int:
        """How many jobs are done."""
        return self.jobs - self.left

    def batches(self, most: int = MOST_JOBS) -> list[Batch]:
        """The missing jobs as batches."""
        return batches(self.missing, most)


def plan(cells: Sequence[Cell], scan: Scan, failed: Mapping[str, object]) -> Plan:
    """What is to be done of these cells, given what a folder holds and which jobs failed there."""
    done, older = scan.keys, scan.by_configuration
    jobs, missing = 0, []
    reasons: Counter[str] = Counter()
    for cell in cells:
        jobs += len(cell.seeds)
        keys = dict(zip(cell.seeds, cell.keys(cell.seeds), strict=True))
        left = {seed: both for seed, both in keys.items() if both[0] not in done}
        if not left:
            continue
        missing.append((cell, tuple(left)))
        for key, configuration_key in left.values():
            if key in failed:
                reasons["failed before"] += 1
            elif (old := older.get(configuration_key)) is not None:
                reasons[_changed(cell.code, old.code)] += 1
            else:
                reasons["new"] += 1
    return Plan(jobs, tuple(missing), dict(reasons), *_time(missing, scan.files))


def _changed(new: Mapping[str, str], old: Mapping[str, str]) -> str:
    modules = sorted(name for name in new.keys() | old.keys() if new.get(name) != old.get(name))
    return f"changed code: {', '.join(modules)}"


def _time(missing: Sequence[tuple[Cell, tuple[int, ...]]], files: Sequence[Kept]) -> tuple[float, bool]:
    """Seconds for the missing jobs, and whether results tell it: those of the same shape, else the others."""
    rates: dict[str, list[float]] = {}
    for kept in files:
        for place in (kept.shape, "any"):
            total = rates.setdefault(place, [0.0, 0.0])
            total[0] += kept.seconds
            total[1] += kept.numbers
    seconds, shapes = 0.0, Shapes()
    for cell, seeds in missing:
        took = rates.get(shapes.of(cell), rates.get("any")) if rates else None
        seconds += len(seeds) * work(cell) * (took[0] / took[1] if took else 1 / GUESS)
    return seconds, bool(rates)
