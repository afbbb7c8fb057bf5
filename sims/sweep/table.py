"""The table of a sweep: what was measured, one row for each combination of settings, averaged over the seeds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pyarrow import types

from sims.means import average, over_seeds

SEED, TIME = "seed", "t"
PARTS = ("problem", "rule", "attack", "optimizer")
NO_MEASURES = frozenset(
    ("key", "configuration", TIME, SEED, *PARTS, "n", "f", "delta", "steps", "every", "x0", "shuffle", "backend")
)
FROM_ROUND_1 = "sq_aggregate_errors"  # at t = 0 nothing was aggregated: NaN there is no divergence
At = int | Literal["last", "all"]


@dataclass(frozen=True, eq=False)
class Summary:
    """A measure by settings, averaged over the seeds.

    `axes` has the columns of settings (and "t" if all times are in it) with the values that occur, in the order of the
    file, None last where a setting does not belong. `table` has a row for each combination, in this order: `axes`,
    then mean, low, high, median, count, diverged. `over` has the axes that it averages over besides the seed, with the
    values that occur; it is `uneven` if seeds of one combination have different numbers of results there.
    """

    value: str
    at: At
    axes: Mapping[str, tuple[Any, ...]]
    table: pa.Table
    over: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    uneven: bool = False

    @property
    def varying(self) -> dict[str, tuple[Any, ...]]:
        """The axes with several values."""
        return {path: values for path, values in self.axes.items() if len(values) > 1}

    def rows(self) -> list[dict[str, Any]]:
        """The table's rows, by the names of its columns."""
        return self.table.to_pylist()


def measures(rows: pa.Table) -> list[str]:
    """The columns that hold what was measured: all but times, keys and settings."""
    return [name for name in rows.column_names if may_be_measured(name)]


def may_be_measured(name: str) -> bool:
    """Whether a measure can have this name; all others are those of times, keys and settings.

    >>> may_be_measured("excess"), may_be_measured("t"), may_be_measured("rule.tau")
    (True, False, False)
    """
    return name not in NO_MEASURES and "." not in name


def summary(
    rows: pa.Table,
    axes: Mapping[str, Sequence[Any]],
    value: str = "excess",
    at: At = "last",
    over: Sequence[str] = (SEED,),
) -> Summary:
    """The mean of a measure for each combination of the settings that vary, with an interval over the seeds.

    `rows` has a row for each job and recorded time, in any order. `axes` are the settings that vary, each with its
    values in the order that is wanted; values that are not listed follow in ascending order, and null, where a setting
    does not belong, is last. `at` is the last time of each job, one time, or all of them, which makes "t" the last
    column of settings. The columns `low` and `high` are the 95 % interval of Student's t over the seeds, null with
    less than two of them; with more axes in `over` the values of one seed are averaged first, since only seeds are
    independent. A run whose value is not finite has diverged: it is counted in `diverged`, and the mean is ∞, without
    an interval. `count` is the number of seeds; 0, and nulls, if nothing was measured at this time.

    The same rows give the same bytes, whatever their order. Raises `ValueError` if there are no rows, for what was not
    measured or not recorded, for an axis in `over` that there is not, and if a seed occurs twice in a combination,
    which therefore depends on a setting that is no axis.
    """
    if not len(rows):
        raise ValueError("a table needs results, and there are none yet")
    _check(rows, axes, value, over)
    column = rows[value]
    present = ~column.is_null().to_numpy()
    numbers = column.cast(pa.float64()).to_numpy()
    time = rows[TIME].to_numpy()
    if value == FROM_ROUND_1:
        present &= (time > 0) | ~np.isnan(numbers)
    kept = [path for path in axes if path not in over and path in rows.column_names]
    inner = [SEED, *(path for path in axes if path in over and path != SEED)]
    wanted = [*kept, *((TIME,) if at == "all" else ()), *(path for path in inner if path in rows.column_names)]
    coded = {path: numbered(rows[path], axes.get(path, ())) for path in dict.fromkeys(wanted)}
    shown = [path for path in wanted if path not in inner or path in kept]
    combination = _together(coded, shown, len(rows))
    _, first, group = np.unique(combination, return_index=True, return_inverse=True)
    chosen = np.flatnonzero(at_times(rows, at) & present)
    fine = np.unique(_together(coded, wanted, len(rows))[chosen], return_index=True, return_inverse=True)
    if len(fine[0]) < len(chosen):
        raise ValueError(_twice(rows, chosen, fine[2], wanted))
    chosen = chosen[fine[1]]  # in order, and so the sums do not depend on that of the rows
    seeds = _together(coded, [*shown, *(path for path in inner[:1] if path in coded)], len(rows))[chosen]
    _, seed_first, seed = np.unique(seeds, return_index=True, return_inverse=True)
    by_seed = numbers[chosen] if len(seed_first) == len(chosen) else average(numbers[chosen], seed, len(seed_first))
    of, results = group[chosen][seed_first], np.bincount(seed, minlength=len(seed_first))
    found = over_seeds(by_seed, of, len(first))
    columns = {path: plain_column(rows[path].take(pa.array(first))) for path in shown}
    result = {name: pa.array(values, mask=np.isnan(values)) for name, values in found.items()}
    uneven = bool(np.any((np.diff(of) == 0) & (np.diff(results) != 0)))
    averaged = {path: coded[path][1] for path in inner[1:] if path in coded}
    shown_axes = {path: coded[path][1] for path in shown}
    return Summary(value, at, shown_axes, pa.table(columns | result), averaged, uneven)


def numbered(column: pa.ChunkedArray, order: Sequence[Any] = ()) -> tuple[np.ndarray, tuple[Any, ...]]:
    """For each entry the place of its value among the values that occur, and these: `order`, others, None."""
    whole = column.combine_chunks()
    if types.is_null(whole.type):
        return np.zeros(len(whole), np.int64), (None,)
    if not types.is_dictionary(whole.type):
        whole = whole.dictionary_encode()
    missing = len(whole.dictionary)
    indices = whole.indices.fill_null(missing).to_numpy(zero_copy_only=False).astype(np.int64)
    values = [*whole.dictionary.to_pylist(), None]
    listed: dict[Any, int] = {}
    for place, value in enumerate(order):  # in a column with texts a number is its JSON
        listed.setdefault(value, place)
        listed.setdefault(value if isinstance(value, str) else json.dumps(value), place)
    used = [values[i] for i in np.flatnonzero(np.bincount(indices, minlength=missing + 1))]
    last = (len(listed) + 1, False, 0)
    ranks = {v: last if v is None else (listed.get(v, len(listed)), isinstance(v, str), v) for v in used}
    found = tuple(sorted(ranks, key=lambda value: ranks[value]))
    places = {value: place for place, value in enumerate(found)}
    return np.array([places.get(value, 0) for value in values])[indices], found


def _together(coded: Mapping[str, tuple[np.ndarray, tuple[Any, ...]]], paths: Sequence[str], size: int) -> np.ndarray:
    """A number for each row: ordered as the tuples of the places along `paths`."""
    numbers, bound = np.zeros(size, np.int64), 1
    for path in paths:
        places, values = coded[path]
        if bound > 2**62 // len(values):
            numbers = np.unique(numbers, return_inverse=True)[1]
            bound = size
        numbers, bound = numbers * len(values) + places, bound * len(values)
    return numbers


def at_times(rows: pa.Table, at: At) -> np.ndarray:
    """Which rows are at the wanted time; `ValueError` if it was not recorded."""
    time = rows[TIME].to_numpy()
    if at == "all":
        return np.ones(len(time), bool)
    if at == "last":
        jobs, keys = numbered(rows["key"])
        last = np.full(len(keys), -1)
        np.maximum.at(last, jobs, time)
        return time == last[jobs]
    if not (found := time == at).any():
        raise ValueError(f"t = {at} was not recorded; recorded were {_listed(map(str, np.unique(time).tolist()))}")
    return found


def _check(rows: pa.Table, axes: Mapping[str, Sequence[Any]], value: str, over: Sequence[str]) -> None:
    known = measures(rows)
    if value not in known:
        raise ValueError(f"{value!r} was not measured; measured were {', '.join(known) or 'none'}")
    if not (types.is_floating(kind := rows[value].type) or types.is_integer(kind)):
        raise ValueError(f"{value!r} is no measure: a column of numbers is needed, and it has {kind}")
    for path in over:
        if path not in axes and path != SEED:
            raise ValueError(f"{path!r} does not vary: an average is over one of {', '.join(axes) or 'none'}")


def _twice(rows: pa.Table, chosen: np.ndarray, fine: np.ndarray, wanted: Sequence[str]) -> str:
    """Where a seed occurs twice, and the settings that differ there."""
    group = int(np.argmax(np.bincount(fine) > 1))
    same = rows.take(pa.array(chosen[fine == group]))
    hidden = [
        name
        for name in same.column_names
        if name not in (*wanted, "key", "configuration", *measures(rows)) and len(same[name].unique()) > 1
    ]
    where = ", ".join(f"{path} = {same[path][0].as_py()}" for path in wanted)
    why = f"they differ in {', '.join(hidden)}, which must be an axis" if hidden else "each job must be there once"
    return f"there are {len(same)} results for {where}: {why}"


def plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Dictionaries written out: how they are numbered depends on the order of the rows."""
    return column.cast(column.type.value_type) if types.is_dictionary(column.type) else column


def _listed(texts: Iterable[str], most: int = 8) -> str:
    """Texts with commas, the middle ones left out if there are many."""
    every = list(texts)
    return ", ".join(every if len(every) <= most else [*every[: most - 1], "…", every[-1]])
