"""The ratios that a record is read for, each with its value in every process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.batches import BY_HAND, LOOPED
from benchmarks.cells import of_grid
from benchmarks.measure import ratios, slopes
from benchmarks.once import AXES, parameters
from benchmarks.plan import ADDED, BATCH, COPY, ONE_BY_ONE
from benchmarks.ratio import PUBLIC, Contenders, Tracked, fastest, named, our_rules
from benchmarks.rules import READ
from benchmarks.simulation import DRAW, LOOPS

SECONDS, MS_A_JOB = "seconds", "ms a job"  # times, and no ratios: of this machine, on this day


def tracked(record: Mapping[str, Any]) -> dict[tuple[str, str], Tracked]:
    """All ratios of a record by (subject, against)."""
    found = [*_growth(record), *of_grid(record)]
    for table, contenders in record["tables"].items():
        kind, at = parameters(table)
        make = MAKERS.get(kind)
        if make is not None:
            found += make(record, table, contenders, at)
    return {(t.subject, t.against): t for t in found}


def at_one_read(record: Mapping[str, Any]) -> dict[str, Tracked]:
    """By subject, what the ratio to the fastest public implementation would be if a rule took as long as one read.

    That is a property of the machine and of the peers, not of what is measured here: nothing to compare records by.
    """
    found = {}
    for table, contenders in record["tables"].items():
        kind, at = parameters(table)
        for rule in our_rules(contenders) if kind == "rules" else ():
            who = fastest(record, table, rule)
            if who is not None:
                values = tuple(ratios(contenders[who], contenders[READ]))
                found[named(rule, at)] = Tracked(named(rule, at), PUBLIC, values, False, who)
    return found


def _of_rules(
    record: Mapping[str, Any], table: str, contenders: Contenders, at: Mapping[str, int]
) -> Iterator[Tracked]:
    for rule in our_rules(contenders):
        subject, ours = named(rule, at), contenders[f"{rule}/ours"]
        yield Tracked(subject, READ, tuple(ratios(ours, contenders[READ])), smaller=True)
        who = fastest(record, table, rule)
        if who is not None:
            yield Tracked(subject, PUBLIC, tuple(ratios(contenders[who], ours)), False, who)


def _of_simulation(
    record: Mapping[str, Any], table: str, contenders: Contenders, at: Mapping[str, int]
) -> Iterator[Tracked]:
    for rule in our_rules(contenders):
        subject, ours = f"simulation, {named(rule, at)}", contenders[f"{rule}/ours"]
        yield Tracked(subject, DRAW, tuple(ratios(ours, contenders[DRAW])), smaller=True)
        for loop in LOOPS:
            who = fastest(record, table, rule, f"{loop} ")
            if who is not None:
                yield Tracked(subject, f"fastest {loop}", tuple(ratios(contenders[who], ours)), False, who)


def _of_many(record: Mapping[str, Any], table: str, contenders: Contenders, at: Mapping[str, int]) -> Iterator[Tracked]:
    for rule in our_rules(contenders):
        for way in (LOOPED, BY_HAND):
            who = fastest(record, table, rule, f"{way} ")
            if who is not None:
                values = tuple(ratios(contenders[who], contenders[f"{rule}/ours"]))
                yield Tracked(named(rule, at), f"fastest {way}", values, False, who)


def _of_memory(
    record: Mapping[str, Any], table: str, contenders: Contenders, at: Mapping[str, int]
) -> Iterator[Tracked]:
    for rule in our_rules(contenders):
        yield Tracked(named(rule, at), "memory beyond X", tuple(contenders[f"{rule}/ours"]), smaller=True)


def _of_device(
    record: Mapping[str, Any], table: str, contenders: Contenders, at: Mapping[str, int]
) -> Iterator[Tracked]:
    for rule in our_rules(contenders):
        values = ratios(contenders[f"{rule}/ours"], contenders[COPY])
        yield Tracked(f"device, {named(rule, at)}", COPY, tuple(values), smaller=True)


def _of_sweep(
    record: Mapping[str, Any], table: str, contenders: Contenders, at: Mapping[str, int]
) -> Iterator[Tracked]:
    """Seconds in all, as a person waits for them."""
    for who, values in contenders.items():
        yield Tracked(f"{who}, {jobs_at(at)}", SECONDS, tuple(values), smaller=True)


def _of_sweep_run(
    record: Mapping[str, Any], table: str, contenders: Contenders, at: Mapping[str, int]
) -> Iterator[Tracked]:
    """What a sweep adds to playing, per job; and how that grows, beside a run of fewer jobs with as many seeds."""
    yield Tracked(f"run, {jobs_at(at)}", MS_A_JOB, tuple(1e3 * v for v in contenders[ADDED]), smaller=True)
    runs = {name: parameters(name)[1] for name in record["tables"] if parameters(name)[0] == "sweep-run"}
    fewer = [name for name, a in runs.items() if a["seeds"] == at["seeds"] and a["cells"] < at["cells"]]
    if fewer:
        least = min(fewer, key=lambda name: runs[name]["cells"])
        values = ratios(contenders[ADDED], record["tables"][least][ADDED])
        yield Tracked(f"run, {jobs_at(at)}", "overhead of the least", tuple(values), smaller=True)


def _of_sweep_batch(
    record: Mapping[str, Any], table: str, contenders: Contenders, at: Mapping[str, int]
) -> Iterator[Tracked]:
    batch, ours = f"batch, {at['cells']:,} jobs", contenders[BATCH]
    yield Tracked(batch, ONE_BY_ONE, tuple(ratios(contenders[ONE_BY_ONE], ours)), smaller=False)
    for loop in LOOPS:
        who = fastest(record, table, BATCH.split("/")[0], f"{loop} ")
        if who is not None:
            yield Tracked(batch, f"fastest {loop}", tuple(ratios(contenders[who], ours)), False, who)


def jobs_at(at: Mapping[str, int]) -> str:
    """What a sweep's table is about.

    >>> jobs_at({"cells": 1000, "seeds": 100}), jobs_at({"files": 10000})
    ('1,000 × 100 jobs', '10,000 files')
    """
    return f"{at['files']:,} files" if "files" in at else f"{at['cells']:,} × {at['seeds']} jobs"


def _growth(record: Mapping[str, Any]) -> Iterator[Tracked]:
    """The exponents, from the tables that differ in one size."""
    for kind in ("rules", "simulation"):
        for axis in AXES:
            tables = [
                (parameters(name)[1][axis], table)
                for name, table in record["tables"].items()
                if parameters(name)[0] == f"{kind}-by-{axis}"
            ]
            if len({size for size, _ in tables}) < 2:
                continue
            sizes, columns = zip(*sorted(tables, key=lambda row: row[0]), strict=True)
            for rule in our_rules(columns[0]):
                values = slopes(sizes, [column[f"{rule}/ours"] for column in columns])
                subject = rule if kind == "rules" else f"simulation, {rule}"
                yield Tracked(subject, f"exponent in {axis}", tuple(values), smaller=True)


MAKERS = {
    "rules": _of_rules,
    "simulation": _of_simulation,
    "many": _of_many,
    "memory": _of_memory,
    "device": _of_device,
    "sweep-plan": _of_sweep,
    "sweep-table": _of_sweep,
    "sweep-folder": _of_sweep,
    "sweep-run": _of_sweep_run,
    "sweep-batch": _of_sweep_batch,
}
