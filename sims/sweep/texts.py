"""A table of a sweep as a file: comma-separated values, Parquet, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from sims.engine.describe import describe
from sims.sweep.folded import folded
from sims.sweep.table import SEED, TIME, At, Summary, at_times, measures, plain_column


def as_csv(summary: Summary) -> bytes:
    """A line for each row under one with the names; shortest digits that read back the same, null as nothing."""
    import pyarrow.csv as csv

    buffer = pa.BufferOutputStream()
    csv.write_csv(summary.table, buffer, csv.WriteOptions(quoting_style="needed"))
    return buffer.getvalue().to_pybytes()


def as_parquet(summary: Summary) -> bytes:
    """An ordinary Parquet file, without the pyarrow schema, so that all readers see the same types."""
    import pyarrow.parquet as pq

    buffer = pa.BufferOutputStream()
    pq.write_table(summary.table, buffer, compression="zstd", store_schema=False)
    return buffer.getvalue().to_pybytes()


def as_json(summary: Summary) -> bytes:
    """The measure, the time, the axes, and a row in a line; ∞ is {"float": "inf"}."""
    return _json({"value": summary.value, "at": summary.at}, summary.axes, "rows", summary.rows())


def _json(head: Mapping[str, Any], axes: Mapping[str, Sequence[Any]], name: str, lines: Iterable[object]) -> bytes:
    inside = {**head, "axes": [[path, list(values)] for path, values in axes.items()]}
    texts = [f"  {_line(place)}: {_line(value)}" for place, value in inside.items()]
    text = ",\n".join(f"    {_line(line)}" for line in lines)
    return ("{\n" + ",\n".join([*texts, f'  "{name}": [\n{text}\n  ]']) + "\n}\n").encode()


FORMATS: dict[str, Callable[[Summary], bytes]] = {"csv": as_csv, "parquet": as_parquet, "json": as_json}


def rows_as(
    kind: str, rows: pa.Table, axes: Mapping[str, Sequence[Any]], wanted: Sequence[str] = (), at: At = "all"
) -> bytes:
    """Every job at every time, with all measures, ordered by its settings: as "csv", "parquet" or "json".

    Of the measures those in `wanted`, if there are some, and of the times those in `at`. JSON has a line for each job,
    with a list for `t` and for each measure, and says which settings are the `same` in all, so that a file tells what
    it is about. Raises `ValueError` for what was not measured or not recorded.
    """
    known, measured = [path for path in axes if path in rows.column_names and path != SEED], measures(rows)
    for name in wanted:
        if name not in measured:
            raise ValueError(f"{name!r} was not measured; measured were {', '.join(measured) or 'none'}")
    rows = rows.filter(pa.array(at_times(rows, at)))
    columns = [*known, SEED, TIME, *(wanted or measured), "key"]
    plain = pa.table({name: plain_column(rows[name]) for name in columns})
    ordered = plain.sort_by([(name, "ascending") for name in (*known, SEED, TIME, "key")])
    if kind != "json":
        return FORMATS[kind](Summary("", "all", {}, ordered))
    others = [name for name in rows.column_names if name not in (*columns, "configuration")]
    values = {name: plain_column(rows[name]).unique().to_pylist() for name in others}
    same = {name: found[0] for name, found in values.items() if len(found) == 1}
    runs = folded(ordered.to_pylist(), (TIME, *(wanted or measured)))
    return _json({"same": same}, {path: axes[path] for path in known}, "runs", runs)


def _line(value: object) -> str:
    return json.dumps(describe(value), ensure_ascii=False, allow_nan=False)
