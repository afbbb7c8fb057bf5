"""Summaries of a sweep against plain loops, and the texts that they become."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import statistics

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from scipy import stats
from sweep_rows import rows, shuffled

from sims.means import over_seeds
from sims.sweep.table import measures, summary
from sims.sweep.texts import FORMATS

AXES = {
    "rule": ("Krum", "CenteredClipping", "Mean"),
    "rule.tau": (10.0, 0.1),
    "optimizer.beta": (0.9, 0.0),
    "seed": tuple(range(5)),
}
SWEPT = {path: values for path, values in AXES.items() if path != "seed"}


def value(settings):
    return (settings.get("rule.tau") or 3.0) * (2 - settings["optimizer.beta"]) * (1 + settings["t"])


@pytest.fixture(scope="module")
def table():
    return rows(SWEPT, value, times=(0, 300, 600), n=25)


def looped(table, at):
    """Every combination at a time with its values, in the order of the file; a second way to the same numbers."""
    found = {}
    for row in table.to_pylist():
        if row["t"] == at:
            found.setdefault((row["rule"], row["rule.tau"], row["optimizer.beta"]), []).append(row["excess"])

    def rank(place):
        taus = [*AXES["rule.tau"], None]
        return AXES["rule"].index(place[0]), taus.index(place[1]), AXES["optimizer.beta"].index(place[2])

    return {place: found[place] for place in sorted(found, key=rank)}


def test_a_summary_is_what_loops_find(table):
    found, expected = summary(table, AXES), looped(table, 600)
    assert found.axes == {
        "rule": AXES["rule"],
        "rule.tau": (10.0, 0.1, None),
        "optimizer.beta": (0.9, 0.0),
    }
    assert [tuple(row[path] for path in found.axes) for row in found.rows()] == list(expected)
    assert len(expected) == 8
    for row, values in zip(found.rows(), expected.values(), strict=True):
        mean, error = statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values))
        low, high = stats.t.interval(0.95, len(values) - 1, loc=mean, scale=error)
        assert (row["count"], row["diverged"]) == (5, 0)
        assert row["mean"] == pytest.approx(mean, rel=1e-13)
        assert (row["low"], row["high"]) == (pytest.approx(low, rel=1e-11), pytest.approx(high, rel=1e-11))
        assert row["median"] == pytest.approx(statistics.median(values), rel=1e-15)


def test_one_time_and_all_times(table):
    one = summary(table, AXES, at=300)
    assert [row["mean"] for row in one.rows()] == pytest.approx(
        [statistics.fmean(values) for values in looped(table, 300).values()]
    )
    every = summary(table, AXES, at="all")
    assert list(every.axes)[-1] == "t"
    assert every.axes["t"] == (0, 300, 600)
    assert [row["mean"] for row in every.rows()][1::3] == [row["mean"] for row in one.rows()]
    with pytest.raises(ValueError, match=re.escape("t = 7 was not recorded; recorded were 0, 300, 600")):
        summary(table, AXES, at=7)


def test_the_last_time_is_that_of_each_job():
    short, long = rows({}, times=(0, 50), steps=50), rows({}, times=(0, 50, 100), value=lambda _: 9.0, steps=100)
    both = pa.concat_tables([short, long])
    axes = {"steps": (50, 100)}
    assert [row["count"] for row in summary(both, axes).rows()] == [5, 5]
    at_100 = summary(both, axes, at=100).rows()
    assert [row["count"] for row in at_100] == [0, 5]  # what was not recorded is there, and empty
    assert [at_100[0][name] for name in ("mean", "low", "high", "median")] == [None] * 4


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_rows_give_the_same_bytes(table, kind):
    parts = [shuffled(table, seed) for seed in range(4)]
    parts.append(pa.concat_tables([table.slice(41), table.slice(0, 41)]))
    parts.append(table.set_column(0, "key", table["key"].cast(pa.string())))
    texts = {FORMATS[kind](summary(part, AXES, at="all", over=("seed", "optimizer.beta"))) for part in parts}
    assert len(texts) == 1


def test_files_read_back(table):
    found = summary(table, AXES)
    read = pyarrow.csv.read_csv(io.BytesIO(FORMATS["csv"](found)))
    for name in ("mean", "low", "high", "median", "count"):
        assert read[name].to_pylist() == found.table[name].to_pylist()
    assert pyarrow.parquet.read_table(io.BytesIO(FORMATS["parquet"](found))).to_pylist() == found.rows()
    plain = json.loads(FORMATS["json"](found))
    assert plain["rows"] == found.rows()
    assert (plain["value"], plain["at"]) == ("excess", "last")
    assert plain["axes"] == [[path, list(values)] for path, values in found.axes.items()]


def test_what_has_commas_and_quotes_comes_back_from_comma_separated_values():
    told = ("[0.1, 1.0]", 'a "quoted" name', "two\nlines", "plain")
    found = summary(rows({"problem.eigenvalues": told}), {"problem.eigenvalues": told})
    read = list(csv.DictReader(io.StringIO(FORMATS["csv"](found).decode(), newline="")))
    assert [row["problem.eigenvalues"] for row in read] == list(told)
    assert [float(row["mean"]) for row in read] == found.table["mean"].to_pylist()


def test_an_average_over_more_is_taken_seed_by_seed():
    """Seeds are shared by the attacks: the interval must not count each attack's copy of a seed."""
    axes = {"attack": ("NoAttack", "BitFlipping"), "seed": tuple(range(5))}
    table = rows({"attack": axes["attack"]}, lambda one: 1.0 if one["attack"] == "NoAttack" else 3.0)
    [row] = summary(table, axes, over=("seed", "attack")).rows()
    noise = [one["excess"] for one in table.to_pylist() if one["attack"] == "NoAttack"]
    alone = over_seeds(2 * np.array(noise), np.zeros(5, int), 1)
    assert row["count"] == 5
    for name in ("mean", "low", "high"):
        assert row[name] == pytest.approx(alone[name][0], rel=1e-12)


def test_seeds_can_be_kept(table):
    found = summary(table, AXES, over=())
    assert list(found.axes)[-1] == "seed"
    assert len(found.table) == 40
    assert {(row["count"], row["low"]) for row in found.rows()} == {(1, None)}


def with_values(values, name="excess", t=5):
    """One combination with these values of its seeds."""
    count = len(values)
    columns = {
        "key": [f"{i:032x}" for i in range(count)],
        "t": [t] * count,
        "seed": list(range(count)),
        "n": [5] * count,
    }
    return pa.table({**columns, name: pa.array(values, pa.float64(), from_pandas=False)})


@pytest.mark.parametrize("lost", [math.inf, math.nan, -math.inf])
def test_what_diverged_is_counted(lost):
    [row] = summary(with_values([1.0, 2.0, lost, 4.0]), {"n": (5,)}).rows()
    assert row == {
        "n": 5, "mean": math.inf, "low": None, "high": None, "median": 3.0, "count": 4, "diverged": 1,
    }  # fmt: skip
    [row] = summary(with_values([1.0, lost, lost, lost]), {"n": (5,)}).rows()
    assert (row["mean"], row["median"], row["diverged"]) == (math.inf, math.inf, 3)


def test_nothing_measured_is_no_divergence():
    [row] = summary(with_values([1.0, None, 2.0]), {}).rows()
    assert (row["mean"], row["count"], row["diverged"]) == (1.5, 2, 0)
    [row] = summary(with_values([math.nan] * 3, "sq_aggregate_errors", t=0), {}, "sq_aggregate_errors").rows()
    assert (row["mean"], row["count"], row["diverged"]) == (None, 0, 0)
    [row] = summary(with_values([math.nan] * 3, "sq_aggregate_errors", t=1), {}, "sq_aggregate_errors").rows()
    assert (row["mean"], row["count"], row["diverged"]) == (math.inf, 3, 3)


def test_one_seed_has_no_interval():
    [row] = summary(with_values([1.5]), {}).rows()
    assert row == {"mean": 1.5, "low": None, "high": None, "median": 1.5, "count": 1, "diverged": 0}


@pytest.mark.parametrize("size", [0.1, 1e-310, 1e300, 1.7e308, 0.0])
def test_equal_values_have_their_mean_exactly(size):
    [row] = summary(with_values([size] * 7), {}).rows()
    assert (row["mean"], row["low"], row["high"]) == (size, size, size)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_no_square_overflows(size):
    values = np.array([1.0, 2.0, 4.0])
    found, plain = (over_seeds(scale * values, np.zeros(3, int), 1) for scale in (size, 1.0))
    for name in ("mean", "low", "high"):
        assert found[name] == pytest.approx(size * plain[name], rel=1e-12)


def test_values_that_are_not_listed_come_after_those_that_are():
    table = rows({"n": (7, 3, 11, 5)})
    assert summary(table, {"n": (11, 3, 99)}).axes == {"n": (11, 3, 5, 7)}
    mixed = table.set_column(table.column_names.index("n"), "m", table["n"].cast(pa.string()))
    assert summary(mixed, {"m": (11, 3)}).axes == {"m": ("11", "3", "5", "7")}  # numbers in a column with texts


def test_a_setting_without_results_is_left_out():
    table = rows({"rule": ("Krum",)})
    assert list(summary(table, {"rule": ("Krum", "CenteredClipping"), "rule.tau": (1.0, 2.0)}).axes) == ["rule"]


def test_many_axes_are_ordered_as_few():
    """More combinations than an integer can number."""
    count = 40
    paths = [f"rule.p{i:02}" for i in range(24)]
    digits = np.random.default_rng(3).integers(0, 9, (len(paths), count))
    table = with_values(np.arange(count, dtype=float).tolist())
    for path, column in zip(paths, digits, strict=True):
        table = table.append_column(path, pa.array(column))
    found = summary(table, {path: tuple(range(9)) for path in paths})
    assert [tuple(row[path] for path in paths) for row in found.rows()] == sorted(map(tuple, digits.T.tolist()))


def test_hidden_settings_are_named(table):
    doubled = pa.concat_tables([table, rows(SWEPT, value, times=(0, 300, 600), n=11)])
    with pytest.raises(ValueError, match=r"2 results for rule = .*they differ in n, which must be an axis"):
        summary(doubled, AXES)
    with pytest.raises(ValueError, match="each job must be there once"):
        summary(pa.concat_tables([table, table]), AXES)


def test_what_is_no_measure_is_refused(table):
    assert measures(table) == ["excess"]
    with pytest.raises(ValueError, match="'exces' was not measured; measured were excess"):
        summary(table, AXES, "exces")
    with pytest.raises(ValueError, match="'n' was not measured"):
        summary(table, AXES, "n")
    with pytest.raises(ValueError, match="'attack' does not vary: an average is over one of rule, "):
        summary(table, AXES, over=("attack",))
    with pytest.raises(ValueError, match="there are none yet"):
        summary(table.slice(0, 0), AXES)
    with pytest.raises(ValueError, match="a column of numbers is needed"):
        summary(table.append_column("note", pa.array(["x"] * len(table))), AXES, "note")
