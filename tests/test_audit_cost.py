"""What an audit says of costs: by counting what the theory rows say, by the clock what a made-up clock says."""

from __future__ import annotations

import numpy as np
import pytest

from byzcheck.audit import cost
from sims.aggregators import Bulyan, CenteredClipping, CoordinateMedian, FunctionRule, Krum, Mean
from sims.backend import namespace
from sims.checks.counting import count


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Mean(), "operations grow as n·d:"),
        (CenteredClipping(1.0), "operations grow as n·d:"),
        (CoordinateMedian(), "operations grow as n·d and comparisons grow as n log n·d:"),
        (Krum(1), "operations grow as n²·d and comparisons grow as n^"),
        (Bulyan(1), "operations grow as n³·d and comparisons grow as n^"),
    ],
    ids=repr,
)
def test_exponents_by_counting(rule, words):
    """Those of Remark 4."""
    line = cost.counted(rule, 9)
    assert line.says.startswith(words)
    assert line.evidence[0].measured == count(rule, np.zeros((9, 4))).total / 36


def test_a_function_on_the_array_api_is_counted():
    line = cost.counted(FunctionRule(lambda x: namespace(x).mean(x, axis=0)), 9)
    assert line.says.startswith("operations grow as n·d:")


@pytest.mark.parametrize("function", [lambda x: np.median(x, axis=0), lambda x: 1 / 0])
def test_what_cannot_be_counted_is_said(function):
    line = cost.counted(FunctionRule(function), 5)
    assert "cannot be counted: the rule is not written on the array API alone" in line.says
    assert line.evidence == ()


def test_sizes_that_the_rule_is_not_defined_for_are_left_out():
    class Few(Mean):
        def require(self, n):
            if n > 30:
                raise ValueError(f"Few needs n ≤ 30, got n = {n}")

    assert cost.counted(Few(), 9).says.startswith("operations grow as n^1·d:")  # three sizes show no polynomial


@pytest.fixture(autouse=True)
def small_sizes(monkeypatch):
    monkeypatch.setattr(cost, "MOST_NUMBERS", 2**14)


class Clock:
    """A clock that a rule moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(("power_n", "power_d"), [(1, 1), (2, 1), (0, 2)])
def test_exponents_by_the_clock(power_n, power_d):
    clock, calls = Clock(), []

    def slow(x):
        calls.append(x.shape)
        late = 1 + len(calls) if len(calls) % 10 == 2 else 1  # something else runs during the first call of each size
        clock.now += late * 1e-12 * x.shape[0] ** power_n * x.shape[1] ** power_d
        return x[0] * 1.0

    line = cost.timed(FunctionRule(slow), 8, 0, None, clock)
    assert line.how == "measured"
    if power_n:
        assert f"n^{power_n:.1f}·d^{power_d:.1f} up to there" in line.says
    else:
        assert f"n^-0.0·d^{power_d:.1f}" in line.says or f"n^0.0·d^{power_d:.1f}" in line.says


def test_nothing_larger_is_begun_after_a_slow_call():
    clock, sizes = Clock(), set()

    def slow(x):
        sizes.add(x.shape)
        clock.now += x.shape[1] * 1e-4
        return x[0] * 1.0

    line = cost.timed(FunctionRule(slow), 5, 0, None, clock)
    assert max(d for _, d in sizes) == 256  # 25.6 ms
    assert "n = 5, d = 256 takes 25.6 ms" in line.says


@pytest.mark.parametrize(
    ("sizes", "counts", "expected"),
    [
        ([1, 2, 3, 4, 5], [3, 3, 3, 3, 3], ""),
        ([5, 15, 25, 35, 45], [5, 15, 25, 35, 45], "n"),
        ([5, 15, 25, 35], [15, 60, 125, 210], "n log n"),
        ([5, 15, 25, 35, 45], [2**5, 2**15, 2**25, 2**35, 2**45], "n^12.6"),
        ([5], [17], ""),
        ([1, 11, 21, 31], [0, 44, 105, 155], "n log n"),  # of a single worker nothing is sorted
        ([2, 8], [3, 24], "n^1.5"),
    ],
)
def test_powers(sizes, counts, expected):
    assert cost.power("n", sizes, counts) == expected


def test_a_slope_is_the_median_of_all():
    assert cost.slope([1, 2, 4], [1, 2, 16]) == 2  # 1, 3, and 2 from end to end
    assert cost.slope([1, 2, 4, 8], [1, 2, 4, 800]) == pytest.approx(np.median([1, 1, 1, 7.64, 4.32, 3.21]), abs=0.01)
