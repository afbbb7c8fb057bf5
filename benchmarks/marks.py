"""The marks that rules, simulation and sweeps are held to on two cores, each beside what a record measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.batches import BY_HAND, LOOPED, RULES_IN_BATCHES
from benchmarks.cells import ALL, LEAST, MEAN, MOST, extremes
from benchmarks.plan import GRID_RULES, MARKED_RULES, ONE_BY_ONE, RESNET_20, SIMULATED, STEPS
from benchmarks.ratio import PUBLIC, Tracked, named
from benchmarks.rules import READ
from benchmarks.simulation import DRAW
from benchmarks.tracked import MS_A_JOB, SECONDS, at_one_read, tracked


@dataclass(frozen=True)
class Mark:
    """A ratio that must be at least or, if `at_most`, at most `bound`.

    All of its interval must; or, where `end` is given, its median, and the lower end must be at least `end`.
    """

    subject: str
    against: str
    bound: float
    at_most: bool = False
    end: float | None = None

    def verdict(self, found: Tracked) -> str:
        """ "met", "missed", or "open" if the interval has the bound within."""
        low, high = found.interval()
        if self.at_most:
            return "met" if high <= self.bound else "missed" if low > self.bound else "open"
        met = low >= self.bound if self.end is None else found.median >= self.bound and low >= self.end
        return "met" if met else "missed" if high < self.bound else "open"


def _faster(n: int, d: int, bounds: Mapping[str, float]) -> list[Mark]:
    return [Mark(named(rule, {"n": n, "d": d}), PUBLIC, bound) for rule, bound in bounds.items()]


READS = {"Mean": 3, "CoordinateMedian": 3, "TrimmedMean": 3, "Krum": 6, "RFA": 6, "CenteredClipping": 6}  # beyond L2
MANY = ({"runs": 1024, "n": 25, "d": 10}, {"runs": 64, "n": 25, "d": 1000})
RESNET = {"n": 25, "d": RESNET_20}
SIMULATION = {"n": 25, "d": 10, "runs": 1024, "T": STEPS}
MARKS = (
    *_faster(
        **RESNET,
        bounds={"TrimmedMean": 20, "Krum": 5, "RFA": 5, "CenteredClipping": 2.5},
    ),
    *_faster(50, 100_000, {"CoordinateMedian": 10, "TrimmedMean": 3, "Krum": 5, "RFA": 6}),
    *(Mark(named(rule, RESNET), READ, 2.5, at_most=True) for rule in ("Mean", "CoordinateMedian", "TrimmedMean")),
    *(Mark(named(rule, RESNET), READ, READS[rule], at_most=True) for rule in ("Krum", "RFA", "CenteredClipping")),
    *(Mark(named(rule, RESNET), "memory beyond X", 0.1, at_most=True) for rule in MARKED_RULES),
    *(Mark(f"simulation, {named(rule, SIMULATION)}", "fastest loop", 120) for rule in SIMULATED),
    *(
        Mark(f"simulation, {named(rule, SIMULATION)}", DRAW, 1.3, at_most=True)
        for rule in ("Mean", "CoordinateMedian", "CenteredClipping")
    ),
    *(
        Mark(f"plan, {state} done, {jobs} jobs", SECONDS, 5, at_most=True)
        for jobs in ("1,000 × 100", "100,000 × 1")
        for state in ("nothing", "all")
    ),
    *(
        Mark(f"run, {jobs} jobs", MS_A_JOB, 5, at_most=True)
        for jobs in ("10 × 100", "100 × 100", "1,000 × 100", "100,000 × 1")
    ),
    Mark("run, 1,000 × 100 jobs", "overhead of the least", 1, at_most=True),
    Mark("table, 1,000 × 100 jobs", SECONDS, 5, at_most=True),
    Mark("open, 10,000 files", SECONDS, 2, at_most=True),
    Mark("batch, 1,000 jobs", ONE_BY_ONE, 10),
    Mark("batch, 1,000 jobs", "fastest loop", 50),
    *(Mark(named(rule, at), f"fastest {LOOPED}", 10) for at in MANY for rule in RULES_IN_BATCHES),
    *(Mark(named(rule, at), f"fastest {BY_HAND}", 2) for at in MANY for rule in RULES_IN_BATCHES),
    *(Mark(f"{rule}, {LEAST}", PUBLIC, 1, end=0.9) for rule in GRID_RULES),
    *(Mark(f"{rule}, {MEAN}", PUBLIC, 6) for rule in (ALL, *GRID_RULES[1:])),  # not Mean, which memory forbids
    *(Mark(f"{rule}, {MOST}", READ, bound, at_most=True) for rule, bound in READS.items()),
)


def held(record: Mapping[str, Any]) -> list[tuple[Mark, Tracked, Tracked | None]]:
    """The marks of which the record has the ratio, and the most that a rule could reach which looks at every number."""
    found, limits = tracked(record) | extremes(record), at_one_read(record)
    keys = [(mark.subject, mark.against) for mark in MARKS]
    return [
        (mark, found[key], limits.get(key[0]) if mark.against == PUBLIC else None)
        for mark, key in zip(MARKS, keys, strict=True)
        if key in found
    ]
