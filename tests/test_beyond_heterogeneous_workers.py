"""Workers whose functions differ, by other routes: searches over functions and outputs, the rules as they run."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from perform import check_claims
from scipy.optimize import minimize_scalar

from sims.aggregators import CoordinateMedian, Krum, TrimmedMean
from theory.beyond_exact_constants import formulas
from theory.beyond_heterogeneous_workers import STATEMENT
from theory.beyond_heterogeneous_workers.every_algorithm import PLACES, bent_pair, best_output
from theory.beyond_heterogeneous_workers.runs import Curvatures
from theory.beyond_heterogeneous_workers.workers import bent, floor, linear, of, two_cases, zero

SIZES = ((3, 1), (6, 2), (7, 1), (25, 11))


def test_verdicts_and_controls():
    check_claims(STATEMENT, {"in_runs": "supported"})


@pytest.mark.parametrize(("n", "f"), SIZES)
def test_the_term_is_that_of_the_trimmed_mean(n, f):
    kappa = formulas.trimmed_mean(n, f, f)
    for B_sq in (Fraction(0), Fraction(n - 2 * f, 3 * f), Fraction(9, 10) * Fraction(n - 2 * f, f)):
        assert floor(n, f, Fraction(3), B_sq) == kappa * 3 / (1 - kappa * B_sq)
        assert Fraction(f, n) < 1 / (2 + B_sq)
    with pytest.raises(ValueError, match="f/n < 1/"):
        floor(n, f, Fraction(1), Fraction(n - 2 * f, f))


@pytest.mark.parametrize(("n", "f"), SIZES)
def test_outputs_that_are_on_no_grid(n, f):
    """The larger squared gradient of the two cases, minimised by scipy and looked at on a fine grid, in floats."""
    g = n - f

    def larger(x):
        return max((f / g * np.clip(g * (x - 1), -g, g)) ** 2, (f / g * np.clip(g * (x + 1), -g, g)) ** 2)

    found = minimize_scalar(larger, bounds=(-3, 3), method="bounded").fun
    grid = min(map(larger, np.linspace(-9, 9, 5001)))
    assert min(found, grid) == pytest.approx(float(floor(n, f, Fraction(f), Fraction(n - 1, f) - 2)))
    assert best_output(bent_pair(n, f)) == f**2


@pytest.mark.parametrize(("n", "f", "B_sq"), [(5, 1, 1.0), (7, 2, 0.5), (8, 1, 3.0), (9, 4, 0.1)])
def test_no_other_gradients_at_a_point_force_more(n, f, B_sq):
    """Gradients that are symmetric about 0 may have either sign of the honest mean m: m² over the least G² for it."""
    rng = np.random.default_rng(n)
    most = float(floor(n, f, Fraction(1), Fraction(B_sq)))
    extreme = np.array([1.0] * f + [0.0] * (n - 2 * f) + [-1.0] * f)
    found = []
    for i in range(300):
        half = rng.normal(size=n // 2) * rng.choice([0.1, 1.0], n // 2)
        values = np.concatenate([half, -half, [0.0] * (n % 2)]) if i else extreme
        for chosen in itertools.combinations(range(n), n - f):
            mean, spread = values[list(chosen)].mean(), values[list(chosen)].var()
            if spread > B_sq * mean**2:
                found.append(mean**2 / (spread - B_sq * mean**2))
    assert max(found) == pytest.approx(most)


def test_where_the_trimmed_mean_is_zero_the_term_is_sure():
    """Any 2f + (n − 2f) values whose trimmed mean is 0: m² ≤ κ·(the spread of the honest) for each honest set."""
    rng = np.random.default_rng(3)
    for n, f in ((3, 1), (7, 2), (9, 4)):
        for _ in range(200):
            values = np.sort(rng.standard_t(2, size=n))
            values -= values[f : n - f].mean()
            for chosen in itertools.combinations(range(n), n - f):
                honest = values[list(chosen)]
                assert honest.mean() ** 2 <= f / (n - 2 * f) * honest.var() * (1 + 1e-9)


def test_the_smallest_example_by_turns():
    """n = 3, f = 1, B = 0: at a the case + has gradient 0 and the case − has G. The average over rounds is half."""
    plus, minus = bent_pair(3, 1)
    squares = [[of(case, Fraction(x))[0] ** 2 for x in (1, -1)] for case in (plus, minus)]
    assert squares == [[0, 1], [1, 0]]
    assert floor(3, 1, Fraction(1), Fraction(0)) == 1


def test_the_trimmed_mean_s_descent_over_random_functions():
    """Random (G, B)-dissimilar quadratics and attackers who see the sign of the gradient: never above the bound."""
    rng = np.random.default_rng(0)
    for n, f in ((5, 1), (9, 3), (12, 2)):
        g, kappa = n - f, f / (n - 2 * f)
        for _ in range(60):
            slopes, offsets = 1 + rng.normal(size=g), rng.normal(size=g)
            slopes, offsets = slopes - slopes.mean() + 1, offsets - offsets.mean()
            offsets -= (slopes - 1) * (offsets @ (slopes - 1)) / ((slopes - 1) @ (slopes - 1))
            B_sq, G_sq = np.var(slopes), np.mean(offsets**2)
            if kappa * B_sq >= 1:
                continue
            x, T, squares = 3.0, 200, []
            for _ in range(T):
                squares.append(x**2)
                side = -np.sign(x) * rng.choice([1e3, 1.0, -1e3], p=[0.8, 0.1, 0.1])
                x -= float(TrimmedMean(f).aggregate(np.append(slopes * x + offsets, [side] * f)[:, None])[0])
            assert np.mean(squares) <= (9 / T + kappa * G_sq) / (1 - kappa * B_sq)


@pytest.mark.parametrize(("n", "f"), [(5, 1), (9, 2), (25, 3), (25, 11)])
def test_the_median_as_it_runs_stands_still(n, f):
    half = (n - 1) // 2
    for x in (-2.0, 0.0, 5.0):
        messages = np.array([x - 1] * half + [0.0] * (n - half))[:, None]
        assert CoordinateMedian().aggregate(messages)[0] == 0
    honest = [linear(Fraction(1), Fraction(1))] * half + [zero] * (n - f - half)
    mean, spread = of(honest, Fraction(4))
    assert spread / mean**2 * formulas.coordinate_median(n, f) == 1


def test_krum_stands_still_in_the_pair_too():
    """Any rule that is robust returns 0 from n − f zeros: with f honest workers who differ nothing moves."""
    n, f = 7, 2
    plus, _ = two_cases(n, f, linear(Fraction(1), Fraction(1)), zero)
    messages = np.array([[float(slope(Fraction(0)))] for slope in plus] + [[0.0]] * f)
    for rule in (Krum(f), TrimmedMean(f), CoordinateMedian()):
        assert rule.aggregate(messages)[0] == 0


def test_the_curvatures_are_as_dissimilar_as_is_said():
    for G, B in ((1.0, 2.0), (0.5, 0.0), (0.0, 2.4)):
        problem = Curvatures(G, B)
        x = np.random.default_rng(1).normal(size=(6, 2))
        gradients = problem.oracle(x, np.zeros((6, 25)))[:, :22]
        mean = gradients.mean(axis=1)
        assert mean == pytest.approx(x)
        apart = np.mean(np.sum((gradients - mean[:, None]) ** 2, axis=-1), axis=-1)
        assert apart == pytest.approx(G**2 + B**2 * np.sum(x**2, axis=-1))


def test_bent_functions():
    slope = bent(Fraction(2), Fraction(1), Fraction(3))
    assert [slope(Fraction(x)) for x in (-9, 0, 1, 2, 9)] == [-3, -2, 0, 2, 3]
    assert {Fraction(-2), Fraction(0), Fraction(2)} <= set(PLACES)
