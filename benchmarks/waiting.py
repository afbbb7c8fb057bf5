"""How long a person waits for a sweep: the times themselves, on the machine that the report names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Group

from benchmarks.look import plain_table, short, under
from benchmarks.once import parameters
from benchmarks.plan import BATCH
from benchmarks.tracked import jobs_at


def waiting_table(record: Mapping[str, Any]) -> Group | None:
    """A row for each thing that is done with a sweep, or None if none was measured."""
    tables = [name for name in record["tables"] if name.startswith("sweep-")]
    if not tables:
        return None
    table = plain_table()
    for heading in ("what", "of"):
        table.add_column(heading, no_wrap=True)
    for heading in ("seconds", "ms a job"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name in tables:
        kind, at = parameters(name)
        for who, values in record["tables"][name].items():
            table.add_row(*_row(kind, at, who, float(np.median(values))))
    return under("sweeps, on one thread (tiny jobs, but for the batch): how long one waits", table)


def _row(kind: str, at: Mapping[str, int], who: str, time: float) -> tuple[str, str, str, str]:
    if kind == "sweep-run":
        jobs = at["cells"] * at["seeds"]
        return who, jobs_at(at), short(jobs * time), short(1e3 * time)
    if kind == "sweep-batch":
        sizes = f"{at['cells']:,} jobs, n = {at['n']}, d = {at['d']}, T = {at['T']}"
        words = "one batch" if who == BATCH else who.rpartition("/")[2]
        return words, sizes, short(at["cells"] * time), short(1e3 * time)
    return who, jobs_at(at), short(time), ""
