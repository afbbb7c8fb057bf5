"""Jobs that were done twice are compared number by number."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sweep_rows import rows, shuffled

from sims.sweep.repeats import compare, ulps_apart
from sims.sweep.table import measures

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(FLOATS, st.integers(0, 50))
def test_ulps_count_the_doubles_between(start, steps):
    end = start
    for _ in range(steps):
        end = math.nextafter(end, math.inf)
    if math.isfinite(end):
        for pair in ((start, end), (end, start)):
            assert ulps_apart(*(np.array([x]) for x in pair))[0] == steps


@pytest.mark.parametrize(
    ("a", "b", "apart"),
    [
        (0.0, -0.0, 0),
        (0.0, -5e-324, 1),
        (5e-324, -5e-324, 2),
        (-1.0, -1.0 + 2**-53, 1),
        (math.nan, math.nan, 0),
        (math.inf, math.inf, 0),
        (math.inf, -math.inf, math.inf),
        (math.nan, 1.0, math.inf),
        (1.7976931348623157e308, math.inf, math.inf),
        (1.7976931348623157e308, -1.7976931348623157e308, float(2 * 0x7FEFFFFFFFFFFFFF)),
    ],
)
def test_edges_of_the_doubles(a, b, apart):
    assert ulps_apart(np.array([a]), np.array([b]))[0] == apart


def changed(table, index, value):
    column = table["excess"].to_numpy().copy()
    column[index] = value
    return table.set_column(table.column_names.index("excess"), "excess", pa.array(column))


def test_differences_are_found_worst_first():
    table = rows({"n": (5, 7)}, times=(0, 10))
    other = changed(table, 3, np.nextafter(table["excess"][3].as_py(), 0))
    other = changed(other, 4, math.nan)
    found = compare([("one", shuffled(table)), ("two", shuffled(other, 1).slice(0)), ("one", table.slice(0, 2))])
    assert (found.jobs, found.compared) == (10, 22)
    worst, least = found.table.to_pylist()
    assert (worst["key"], worst["t"], worst["ulps"]) == (table["key"][4].as_py(), 0, math.inf)
    assert least == {
        "key": table["key"][3].as_py(),
        "t": 10,
        "measure": "excess",
        "first": "one",
        "second": "two",
        "first_value": table["excess"][3].as_py(),
        "second_value": other["excess"][3].as_py(),
        "ulps": 1.0,
    }


def test_what_was_done_once_is_not_compared():
    table = rows({"n": (5, 7)})
    found = compare([("one", table.slice(0, 6)), ("two", table.slice(6))])
    assert (found.jobs, found.compared, len(found.table)) == (0, 0, 0)
    assert compare([]).jobs == 0
    found = compare([("one", table.slice(0, 6)), ("two", table.slice(5).drop_columns(["excess"]))])
    assert (found.jobs, found.compared) == (1, 0)  # the same job, and no measure in common


def test_what_one_part_alone_has_is_counted():
    table = rows({"n": (5, 7)}, times=(0, 10))
    numbers = sum(len(table) for name in table.column_names if name in measures(table))
    whole = compare([("one", table), ("two", shuffled(table))])
    assert (whole.missing, whole.compared) == (0, numbers)
    nothing = table.set_column(table.column_names.index("excess"), "excess", pa.nulls(len(table), pa.float64()))
    assert compare([("one", table), ("two", nothing)]).missing == len(table)
    start = table.filter(pa.array(np.array(table["t"]) == 0))
    cut = compare([("one", table), ("two", start), ("three", table)])
    assert cut.missing == numbers // 2
    assert len(cut.table) == 0
