"""What came of training networks, beyond one number a job: who learned which class, and who diverged."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from sims.sweep.pivot import NOTHING, Pivot, caption, cell, decided, shown
from sims.sweep.table import TIME, Summary, measures, summary

CLASS = re.compile(r"accuracy_(\d+)")
LOSSES = ("train_loss", "test_loss", "excess")


def by_class(rows: pa.Table, axes: Mapping[str, Sequence[Any]], note: str = "") -> Pivot | None:
    """The last accuracy on each class, in columns, for each combination of the settings that vary, in rows.

    `rows` and `axes` are as for `summary`; the measures are "accuracy_0", "accuracy_1", …, NaN for a class that has no
    image. None without them.
    """
    classes = sorted(int(found[1]) for name in measures(rows) if (found := CLASS.fullmatch(name)))
    if not classes:
        return None
    found = [summary(_seen(rows, f"accuracy_{label}"), axes, f"accuracy_{label}") for label in classes]
    hidden = decided(found[0])
    down = tuple(path for path in found[0].varying if path not in hidden)
    lines: dict[tuple[str, ...], list[str]] = {}
    for place in (tuple(row[path] for path in down) for row in found[0].rows()):
        lines[tuple(shown(value) for value in place)] = [_cell(one, down, place) for one in found]
    told = caption(found[0]).replace(found[0].value, "accuracy on each class", 1)
    across = tuple(str(label) for label in classes)
    return Pivot(
        down, across, tuple((left, tuple(cells)) for left, cells in lines.items()), f"{told}\n{note}" if note else told
    )


def _seen(rows: pa.Table, name: str) -> pa.Table:
    """The rows, with nothing where a measure is NaN."""
    values = rows[name].cast(pa.float64()).to_numpy()
    place = rows.schema.get_field_index(name)
    return rows.set_column(place, name, pa.array(values, mask=np.isnan(values)))


def _cell(found: Summary, down: Sequence[str], place: Sequence[Any]) -> str:
    here = [row for row in found.rows() if all(row[path] == value for path, value in zip(down, place, strict=True))]
    return cell(here[0]) if here else NOTHING


def diverged(rows: pa.Table) -> dict[str, int]:
    """The jobs of which a loss was not finite at some recorded time, by their keys, and the first such time.

    At t = 0 nothing has happened that could diverge, and what is measured from round 1 on is NaN.
    """
    keys, times = rows["key"].to_pylist(), rows[TIME].to_numpy()
    found: dict[str, int] = {}
    for name in LOSSES:
        if name in rows.column_names:
            values = rows[name].cast(pa.float64())
            bad = ~values.is_null().to_numpy() & ~np.isfinite(values.to_numpy()) & (times > 0)
            for place in np.flatnonzero(bad):
                key, t = keys[place], int(times[place])
                found[key] = min(t, found.get(key, t))
    return found
