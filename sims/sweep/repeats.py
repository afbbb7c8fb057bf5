"""Jobs that were done more than once: how far their numbers are apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sims.sweep.table import TIME, measures


@dataclass(frozen=True, eq=False)
class Repeats:
    """How many numbers were `compared` in how many `jobs`, how many are `missing`, and those that differ, worst first.

    Missing is a number that a part has not of a job that it has, and another part has.

    `table` has the columns key, t, measure, first, second (where the two are from), first_value, second_value, and
    ulps, their distance in units of the last place.
    """

    jobs: int
    compared: int
    missing: int
    table: pa.Table


def compare(parts: Sequence[tuple[str, pa.Table]]) -> Repeats:
    """Compare jobs that are in several parts; a part is where it is from, say a machine and a file, and its rows.

    Each number is compared with that in the first part that has the job. Equal bits, ±0, and NaN in both, are no
    difference; what is not finite in one only is infinitely far. In the order of distance, then key, t and measure.
    """
    names = list(dict.fromkeys(name for _, rows in parts for name in measures(rows)))
    again, whole = _repeated(parts, names)
    if not len(again):
        return Repeats(0, 0, 0, pa.table(_empty()))
    job = whole["key"].combine_chunks().dictionary_encode().indices.to_numpy()
    new = np.flatnonzero(np.r_[True, (np.diff(job) != 0) | (np.diff(whole[TIME].to_numpy()) != 0)])
    first = np.repeat(new, np.diff(np.r_[new, len(job)]))  # of each row, the first one of its job and time
    second = np.flatnonzero(first != np.arange(len(job)))
    found = [_apart(whole, name, first[second], second, [where for where, _ in parts]) for name in names]
    order = [("ulps", "descending"), *((name, "ascending") for name in ("key", TIME, "measure", "second"))]
    table = pa.concat_tables([pa.table(_empty()), *(table for _, table in found)])
    missing = _missing(whole, names, job, new)
    return Repeats(len(again), sum(compared for compared, _ in found), missing, table.sort_by(order))


def _repeated(parts: Sequence[tuple[str, pa.Table]], names: Sequence[str]) -> tuple[pa.Array, pa.Table]:
    """The keys that are in several parts, and their rows, ordered by key, time and "part"."""
    keys = [_keys(rows) for _, rows in parts]
    counts = pa.concat_arrays([pa.array([], pa.string()), *(one.unique() for one in keys)]).value_counts()
    again = counts.field("values").filter(pa.array(counts.field("counts").to_numpy() > 1))
    tables = []
    for place, (_, rows) in enumerate(parts):
        known = [name for name in (TIME, *names) if name in rows.column_names]
        table = (
            rows.select(known)
            .append_column("key", keys[place])
            .filter(
                pc.is_in(keys[place], again)  # pyright: ignore[reportAttributeAccessIssue]
            )
        )
        tables.append(table.append_column("part", pa.array(np.full(len(table), place))))
    if not len(again):
        return again, pa.table({})
    whole = pa.concat_tables(tables, promote_options="permissive")
    return again, whole.sort_by([("key", "ascending"), (TIME, "ascending"), ("part", "ascending")])


def _missing(whole: pa.Table, names: Sequence[str], job: np.ndarray, new: np.ndarray) -> int:
    """How many numbers are in some part that has the job and the time, and not in another that has the job."""
    part = whole["part"].to_numpy()
    having = np.bincount(np.unique(np.stack([job, part]), axis=1)[0])  # parts that have each job
    group = np.cumsum(np.isin(np.arange(len(job)), new)) - 1
    missing = 0
    for name in names:
        present = np.bincount(group[whole[name].is_valid().to_numpy()], minlength=len(new))
        missing += int(np.sum(np.where(present > 0, having[job[new]] - present, 0)))
    return missing


def _apart(
    whole: pa.Table, name: str, first: np.ndarray, second: np.ndarray, where: Sequence[str]
) -> tuple[int, pa.Table]:
    """How many pairs of rows have a measure both, and those pairs in which it differs."""
    a, b = (whole[name].take(pa.array(rows)) for rows in (first, second))
    both = a.is_valid().to_numpy() & b.is_valid().to_numpy()
    ours, theirs = (column.cast(pa.float64()).to_numpy() for column in (a, b))
    ulps = np.where(both, ulps_apart(ours, theirs), 0.0)
    differs = np.flatnonzero(ulps)
    part = whole["part"].to_numpy()
    columns = {
        "key": whole["key"].take(pa.array(second[differs])),
        TIME: whole[TIME].take(pa.array(second[differs])),
        "measure": pa.array([name] * len(differs), pa.string()),
        "first": pa.array([where[place] for place in part[first[differs]]], pa.string()),
        "second": pa.array([where[place] for place in part[second[differs]]], pa.string()),
        "first_value": pa.array(ours[differs]),
        "second_value": pa.array(theirs[differs]),
        "ulps": pa.array(ulps[differs]),
    }
    return int(np.sum(both)), pa.table(columns)


def ulps_apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How many doubles lie from one number to the other; ∞ where just one of them is finite, or they are of two kinds.

    >>> ulps_apart(np.array([1.0, 0.0, np.nan]), np.array([1.0 + 2**-52, -5e-324, np.nan]))
    array([1., 1., 0.])
    """
    x, y = (_place(np.ascontiguousarray(values, np.float64)) for values in (a, b))
    apart = np.where(x > y, x - y, y - x).astype(np.float64)  # without a sign no difference overflows
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0.0, np.where(np.isfinite(a) & np.isfinite(b), apart, np.inf))


def _place(values: np.ndarray) -> np.ndarray:
    """The place of each double among all, from the least on, as a number without sign."""
    bits = values.view(np.uint64)
    top = np.uint64(1 << 63)
    return np.where(bits >= top, top - (bits - top), bits + top)


def _keys(rows: pa.Table) -> pa.Array:
    return rows["key"].cast(pa.string()).combine_chunks()


def _empty() -> dict[str, pa.Array]:
    numbers = {"first_value": pa.float64(), "second_value": pa.float64(), "ulps": pa.float64()}
    kinds = {"key": pa.string(), TIME: pa.int64(), "measure": pa.string(), "first": pa.string(), "second": pa.string()}
    return {name: pa.array([], kind) for name, kind in (kinds | numbers).items()}
