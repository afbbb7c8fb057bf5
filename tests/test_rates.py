"""Slopes with their intervals, by other routes."""

import itertools
import math

import numpy as np
import pytest

from sims.checks.rates import slope

SIZES = (10.0, 30.0, 100.0, 1000.0)


def fitted(values, weights=None):
    w = None if weights is None else np.sqrt(weights)  # polyfit squares them
    return np.polyfit(np.log(SIZES), np.log(values), 1, w=w)[0]


@pytest.mark.parametrize("exponent", [-2.0, -2 / 3, -0.5, 0.0, 1.0])
def test_a_power_law_has_its_exponent_and_no_radius(exponent):
    values = [7.0 * size**exponent for size in SIZES]
    middle, radius = slope(SIZES, values, values)
    assert abs(middle - exponent) <= radius <= 1e-11


@pytest.mark.parametrize("weights", [None, (1.0, 2.0, 0.5, 3.0)])
def test_the_slope_is_that_of_weighted_least_squares(weights):
    values = [3.0, 0.9, 0.5, 0.02]
    assert slope(SIZES, values, values, weights)[0] == pytest.approx(fitted(values, weights), abs=1e-11)


@pytest.mark.parametrize("weights", [None, (1.0, 2.0, 0.5, 3.0)])
def test_the_interval_is_the_range_over_the_corners_of_the_box(weights):
    low, high = [2.0, 0.8, 0.5, 0.01], [4.0, 0.9, 0.9, 0.03]
    corners = [fitted(corner, weights) for corner in itertools.product(*zip(low, high, strict=True))]
    middle, radius = slope(SIZES, low, high, weights)
    assert middle - radius == pytest.approx(min(corners), abs=1e-10)
    assert middle + radius == pytest.approx(max(corners), abs=1e-10)
    halved = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
    assert abs(slope(SIZES, halved, halved, weights)[0] - middle) < radius


def test_an_interval_that_reaches_zero_says_nothing():
    assert slope(SIZES, [1.0, 0.1, 0.01, 0.0], [1.0, 0.1, 0.01, 0.1])[1] == math.inf


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1, 1], [1, 1], [1]), "one length, got 2, 2, 2, 1"),
        (([2, 2], [1, 1], [1, 1]), "at least 2 different sizes"),
        (([0, 2], [1, 1], [1, 1]), "all > 0"),
        (([1, 2], [2, 1], [1, 1]), "0 ≤ low ≤ high"),
        (([1, 2], [0, 1], [0, 1]), "high > 0"),
        (([1, 2], [1, 1], [1, 1], [1, 0]), "weights > 0"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        slope(*arguments)
