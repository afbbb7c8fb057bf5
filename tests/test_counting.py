"""The counting arrays: prices by hand, the same results as NumPy, and nothing uncounted."""

import math

import array_api_compat.numpy as xp
import numpy as np
import pytest

from sims.aggregators import (
    CAF,
    CenteredClipping,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    TrimmedMean,
)
from sims.by_name import examples
from sims.checks.counting import Counted, CountingNamespace, Tally, count, degree

pytestmark = pytest.mark.usefixtures("all_are_many")

RULES = [*examples(7, 1).values(), CenteredClipping(1.0, 2), Krum(1, "released")]


def counted(values):
    tally = Tally()
    return Counted(np.asarray(values, dtype=np.float64), CountingNamespace(tally)), tally


def drawn(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize(
    ("operation", "price"),
    [
        (lambda xp, x: x + 1.0, 6),
        (lambda xp, x: 2.0 / x, 6),
        (lambda xp, x: x[:, :1] * x[:1, :], 6),  # 3 × 1 by 1 × 2
        (lambda xp, x: -x, 6),
        (lambda xp, x: x[0, ...] < x[1, ...], 2),
        (lambda xp, x: xp.where(x > 0, x, xp.zeros_like(x)), 18),
        (lambda xp, x: xp.sum(x, axis=0), 6),
        (lambda xp, x: xp.argmin(x[0, ...]), 2),
        (lambda xp, x: xp.matmul(xp.matrix_transpose(x), x), 2 * 2 * 2 * 3),
        (lambda xp, x: xp.linalg.solve(x[:2, :], x[:2, :1]), 8 + 4),
        (lambda xp, x: xp.stack([x, x]), 12),
        (lambda xp, x: xp.reshape(xp.broadcast_to(x[None, ...], (4, 3, 2)), (12, 2))[::2, :], 0),
        (lambda xp, x: xp.eye(3), 9),
        (lambda xp, x: xp.astype(x, xp.int64), 6),
        (lambda xp, x: xp.isdtype(x.dtype, "real floating"), 0),
    ],
)
def test_prices_by_hand(operation, price):
    x, tally = counted([[1.0, 2.0], [3.0, 5.0], [8.0, 13.0]])
    operation(x.__array_namespace__(), x)
    assert (tally.operations, tally.comparisons) == (price, 0)


@pytest.mark.parametrize(("n", "comparisons"), [(1, 0), (2, 2), (3, 6), (4, 8), (5, 15), (1024, 10240)])
def test_a_sort_of_n_values_costs_n_log_n_comparisons(n, comparisons):
    for name in ("sort", "argsort"):
        x, tally = counted(np.zeros((n, 3)))
        getattr(x.__array_namespace__(), name)(x, axis=0)
        assert (tally.operations, tally.comparisons) == (0, 3 * comparisons)


def test_rules_by_hand():
    x = drawn(3, 2)
    assert count(Mean(), x) == Tally(6, 0)
    # sort_rows: ∞ made (1), isnan and where (6 each), three values sorted in two columns (3·2 each)
    assert count(CoordinateMedian(), x) == Tally(13, 12)
    # sort_rows (13), then with all three values kept: differences (6), their mean (6), the sum with the middle (2)
    assert count(TrimmedMean(0), x) == Tally(13 + 14, 12)


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_counted_arrays_give_what_numpy_gives(rule):
    x, tally = counted(drawn(7, 3))
    y = rule.aggregate(x)
    assert np.array_equal(y.values, rule.aggregate(drawn(7, 3)))
    assert tally.total > 0


@pytest.mark.parametrize("rule", [rule for rule in RULES if not isinstance(rule, GeometricMedian | CAF)], ids=repr)
def test_what_a_rule_costs_does_not_depend_on_the_values(rule):
    costs = [count(rule, drawn(9, 4, seed)) for seed in range(4)] + [count(rule, np.ones((9, 4)))]
    assert all(cost == costs[0] for cost in costs)


def test_leading_axes_are_as_many_times_the_cost():
    one, many = count(Krum(1), drawn(7, 3)), count(Krum(1), np.stack([drawn(7, 3)] * 5))
    assert many.comparisons == 5 * one.comparisons
    assert 4.5 * one.operations < many.operations <= 5 * one.operations  # constants are made once


def test_an_operation_without_a_price_is_refused():
    x, _ = counted(drawn(2, 2))
    with pytest.raises(AttributeError, match="no price for 'cumulative_sum'"):
        x.__array_namespace__().cumulative_sum(x)
    assert hasattr(xp, "cumulative_sum")


@pytest.mark.parametrize(
    ("polynomial", "expected"),
    [(lambda n: 0, 0), (lambda n: 7, 0), (lambda n: 3 * n + 1, 1), (lambda n: n * n - n, 2), (lambda n: n**3, 3)],
)
def test_degrees(polynomial, expected):
    assert degree([polynomial(n) for n in range(5, 53, 8)]) == expected


@pytest.mark.parametrize("function", [lambda n: 2**n, lambda n: n**4, lambda n: n * math.ceil(math.log2(n))])
def test_what_is_no_polynomial_of_small_degree_is_refused(function):
    with pytest.raises(ValueError, match="5 counts do not show a polynomial of degree ≤ 2"):
        degree([function(n) for n in range(5, 45, 8)])
