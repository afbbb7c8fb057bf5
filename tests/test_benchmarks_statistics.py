"""Benchmarks: intervals of medians, growth exponents, and what a comparison of two records may say."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from benchmarks import compare as comparing
from benchmarks.compare import FALSE_ALARM, compare
from benchmarks.marks import MARKS, Mark, held
from benchmarks.measure import interval, ratios, seconds_of, slopes, take_turns
from benchmarks.ratio import Tracked, fastest
from benchmarks.tracked import tracked

TABLE = "rules n=25 f=5 d=1000"
RULES = ("Mean", "CoordinateMedian", "Krum")


def rng(seed):
    return np.random.Generator(np.random.Philox(seed))


def record(seed, processes=21, slower=(), by=1.1, noise=0.03, tables=(TABLE,)):
    """A record of made-up times: lognormal noise of each contender, and outliers; `slower` rules take `by` as long."""
    draws = rng(seed)

    def times(seconds):
        busy = 1 + 5 * (draws.random(processes) < 0.05)  # now and then a neighbour
        return (seconds * np.exp(noise * draws.standard_normal(processes)) * busy).tolist()

    return {
        "date": "2026-11-23",
        "versions": {"numpy": "2.4.6"},
        "differs": {},
        "fails": {},
        "tables": {
            table: {
                "one read": times(1.0),
                **{f"{rule}/ours": times(2.0 * (by if rule in slower else 1.0)) for rule in RULES},
                **{f"{rule}/numpy": times(20.0) for rule in RULES},
            }
            for table in tables
        },
    }


@pytest.mark.parametrize("tail", [0.2, 0.025, 1e-3, 1e-6])
def test_the_interval_misses_the_median_as_rarely_as_it_says(tail):
    """Exactly, by summing over how many of k values lie at or below the median of a continuous law."""
    for k in range(1, 40):
        low, high = interval(range(1, k + 1), tail)
        if math.isinf(high):
            assert 0.5**k > tail
            continue
        assert low + high == k + 1
        above = sum(math.comb(k, b) for b in range(int(low))) / 2**k  # fewer than `low` values at or below: missed
        assert above <= tail
        assert sum(math.comb(k, b) for b in range(int(low) + 1)) / 2**k > tail  # the next is too narrow


def test_the_interval_covers_in_a_simulation():
    """A skewed law, 4000 times: misses stay within the budget, by Hoeffding's bound at 1e-9."""
    values, tail = np.exp(rng(0).standard_normal((4000, 15))), 0.05
    found = [interval(row, tail) for row in values]
    slack = math.sqrt(math.log(1e9) / (2 * len(values)))
    assert np.mean([low > 1 for low, _ in found]) <= tail + slack
    assert np.mean([high < 1 for _, high in found]) <= tail + slack
    narrow = [(sorted(row)[5], sorted(row)[9]) for row in values]  # the control: too narrow an interval is seen
    assert np.mean([low > 1 for low, _ in narrow]) > tail + slack


def test_noise_is_called_no_regression():
    """300 pairs of records with the same law: at most as many alarms as the budget, and its fluctuation, allow."""
    alarms = sum(bool(compare(record(2 * k), record(2 * k + 1)).worse) for k in range(300))
    allowed = next(
        a
        for a in range(300)
        if sum(math.comb(300, i) * FALSE_ALARM**i * (1 - FALSE_ALARM) ** (300 - i) for i in range(a + 1)) > 1 - 1e-6
    )
    assert alarms <= allowed


def test_a_careless_comparison_would_cry_wolf(monkeypatch):
    """The control: with one side of a coin in place of the budget, noise is called a regression."""
    monkeypatch.setattr(comparing, "FALSE_ALARM", 5.0)
    assert sum(bool(compare(record(2 * k), record(2 * k + 1)).worse) for k in range(30)) > 5


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_regression_is_found_and_nothing_else(seed):
    before, now = record(100 + seed), record(200 + seed, slower=("Krum",), by=1.3)
    found = compare(before, now)
    assert {(old.subject, old.against) for old, _ in found.worse} == {
        ("Krum, n = 25, d = 1000", "one read"),
        ("Krum, n = 25, d = 1000", "fastest public"),
    }
    assert found.better == []
    back = compare(now, before)
    assert len(back.better) == 2
    assert back.worse == []


def test_what_cannot_be_compared():
    with pytest.raises(ValueError, match="6 ratios apart needs 6 processes in each record, got 5"):
        compare(record(0, processes=5), record(1, processes=6))
    assert compare(record(0, processes=6), record(1, processes=6)).untold == []
    with pytest.raises(ValueError, match="no ratio in common"):
        compare(record(0), record(1, tables=("rules n=50 f=5 d=1000",)))
    other = record(1) | {"versions": {"numpy": "2.5.0"}}
    assert compare(record(0), other).compared == 3  # nothing against a peer that has changed itself


def test_every_ratio_is_taken_the_right_way_round():
    made = record(0, noise=0.0)
    made["tables"][TABLE]["Mean/numpy"] = [8.0] * 21
    made["tables"][TABLE]["Mean/ours"] = [2.0] * 21
    made["tables"][TABLE]["one read"] = [1.0] * 21
    made["tables"]["memory n=25 f=5 d=1000"] = {"Mean/ours": [0.04] * 21}
    made["tables"]["simulation n=25 f=5 d=10 runs=4 T=9"] = {
        "the same normals": [1.0] * 21,
        "Mean/ours": [1.5] * 21,
        "Mean/loop numpy": [30.0] * 21,
        "Mean/lean loop numpy": [15.0] * 21,
    }
    found = {key: (t.median, t.smaller) for key, t in tracked(made).items()}
    at, simulated = "Mean, n = 25, d = 1000", "simulation, Mean, n = 25, d = 10, runs = 4, T = 9"
    assert found[at, "one read"] == (2.0, True)
    assert found[at, "fastest public"] == (4.0, False)
    assert found[at, "memory beyond X"] == (0.04, True)
    assert found[simulated, "the same normals"] == (1.5, True)
    assert found[simulated, "fastest loop"] == (20.0, False)
    assert found[simulated, "fastest lean loop"] == (10.0, False)


def test_a_peer_that_computes_something_else_is_never_the_fastest():
    made = record(0)
    made["tables"][TABLE]["Mean/torch"] = [0.5] * 21
    assert fastest(made, TABLE, "Mean") == "Mean/torch"
    made["differs"] = {"n=25 f=5 d=1000": {"Mean/torch": "adds nothing"}}
    assert fastest(made, TABLE, "Mean") == "Mean/numpy"
    assert fastest(made, TABLE, "Bulyan") is None


def test_exponents_come_from_tables_that_differ_in_one_size():
    made = record(0)
    for n in (10, 20, 40):
        made["tables"][f"rules-by-n n={n} d=100"] = {"Krum/ours": [n**2 * 1e-6, n * 1e-6] * 10 + [n**2 * 1e-6]}
    found = tracked(made)["Krum", "exponent in n"]
    assert found.median == pytest.approx(2)
    assert min(found.values) == pytest.approx(1)
    assert slopes([1, 10, 100], [[5.0], [5.0], [5.0]]) == [pytest.approx(0)]
    assert ratios([1.0, 6.0], [2.0, 3.0]) == [0.5, 2.0]


@pytest.mark.parametrize(
    ("values", "at_most", "verdict"),
    [(2.0, False, "missed"), (4.0, False, "met"), (2.0, True, "met"), (4.0, True, "missed")],
)
def test_marks_are_judged_by_the_whole_interval(values, at_most, verdict):
    mark = Mark("Mean", "one read", 3.0, at_most)
    assert mark.verdict(Tracked("Mean", "one read", (values,) * 15, at_most)) == verdict
    assert mark.verdict(Tracked("Mean", "one read", (2.0, 4.0) * 10, at_most)) == "open"
    assert mark.verdict(Tracked("Mean", "one read", (values,) * 3, at_most)) == "open"


def test_every_mark_has_a_name_of_its_own_and_is_found():
    assert len({(mark.subject, mark.against) for mark in MARKS}) == len(MARKS)
    made = record(0, tables=("rules n=25 f=5 d=272474",))
    assert {mark.subject.split(",")[0] for mark, _, _ in held(made)} == set(RULES)


def test_beside_a_ratio_to_a_peer_stands_the_ratio_of_the_peer_to_one_read():
    made = record(0, tables=("rules n=25 f=5 d=272474",))
    contenders = made["tables"]["rules n=25 f=5 d=272474"]
    for mark, found, limit in held(made):
        assert (limit is not None) == (mark.against == "fastest public")
        if limit is not None:
            assert limit.values == tuple(ratios(contenders[found.peer], contenders["one read"]))


def test_contenders_take_turns_in_random_order_on_fresh_data():
    seen: list[str] = []
    made = itertools.count()

    def table(name, draws):
        number = next(made)
        return {who: lambda who=who: seen.append(f"{name}{number}{who}") for who in "abc"}

    clock = itertools.count(1)
    found = take_turns(
        {"x": lambda g: table("x", g), "y": lambda g: table("y", g)}, 3, 7, lambda call: call() or next(clock)
    )
    assert {name: set(times) for name, times in found.items()} == {"x": set("abc"), "y": set("abc")}
    assert list(found["x"]) == ["a", "b", "c"]
    assert len(seen) == 18
    assert len({s[:-1] for s in seen}) == 6  # 3 rounds of 2 tables, each made anew
    runs = [tuple(s[-1] for s in seen[k : k + 3]) for k in range(0, 18, 3)]
    assert all(sorted(run) == ["a", "b", "c"] for run in runs)  # a table's contenders follow each other
    assert len(set(runs)) > 1


def test_a_time_is_of_one_call():
    calls = []
    assert seconds_of(lambda: calls.append(None)) > 0
    assert len(calls) > 2  # a short call is repeated
