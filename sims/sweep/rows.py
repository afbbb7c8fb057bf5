"""What was played as rows of a table, one for each job and recorded time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sims.engine import Record
from sims.sweep.batch import Batch, is_number
from sims.sweep.table import may_be_measured


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
        **{name: pa.array(joined([one[name] for one in measured]).T.ravel()) for name in measured[0]},
        "seed": _for_each([seed for _, seed in jobs], times),
    }
    for name in dict.fromkeys(itertools.chain(*settings_of.values())):  # one thing has several constructors
        columns[name] = _for_each([settings_of[cell].get(name) for cell, _ in jobs], times)
    texts = {cell: cell.text for cell in settings_of}
    columns["configuration"] = _for_each([texts[cell] for cell, _ in jobs], times)
    return pa.table(columns)


def joined(values: Sequence[np.ndarray]) -> np.ndarray:
    """What was recorded (time, …), each, as one array (time, jobs)."""
    return np.concatenate([one.reshape(len(one), -1) for one in values], axis=1)


def _for_each(values: Sequence[Any], times: int) -> pa.Array:
    """A value for each job, repeated for each recorded time; a list of whole and other numbers is one of reals."""
    if any(type(v) is float for v in values) and all(v is None or is_number(v) for v in values):
        values = [None if v is None else float(v) for v in values]
    return pa.array(values).take(pa.array(np.repeat(np.arange(len(values)), times)))
