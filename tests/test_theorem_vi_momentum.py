"""Theorem VI's numbers by other routes."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from perform import check_claims
from scipy.optimize import brentq

from sims.aggregators import Mean, TrimmedMean
from sims.attacks import NoAttack
from sims.checks.confidence import bounded_mean
from sims.engine import simulate
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Rademacher
from theory.all_noise_paths import all_paths
from theory.moment_recursion import average_ball, by_impulse_responses, exact_average, middle_and_error
from theory.sgdm_bound import (
    best_bound,
    best_step,
    critical_start,
    full_start,
    printed_bound,
    printed_rational,
    printed_step,
    rounds_to_beat_standing_still,
    spread_sq,
    start_of,
    zero_start,
)
from theory.sgdm_under_attack import centre_in_round_one
from theory.statement import Context
from theory.theorem_vi_momentum import SMALLEST, STATEMENT, momenta_independent

EXPECTED = {
    "printed_bound": "refuted",
    "by_any_factor": "supported",
    "on_the_quadratic": "supported",
    "under_attack": "supported",
    "long_runs": "supported",
    "c_of_others": "supported",
    "independent_momenta": "refuted",
    "single_step_first_round": "refuted",
    "single_step_later": "supported",
    "beats_standing_still": "refuted",
    "variance_of_updates": "refuted",
}


def test_verdicts_and_controls():
    check_claims(STATEMENT, EXPECTED)


@pytest.mark.parametrize("first", [None, Fraction(1)])
def test_moments_by_enumerating_all_noise_paths(first):
    eta, f0, T = Fraction(1, 32), Fraction(1, 2), 6
    total = Fraction(0)
    for signs in itertools.product((-1, 1), repeat=T):
        x, m = Fraction(1), Fraction(0)
        for t, sign in enumerate(signs):
            alpha = first if first is not None and t == 0 else 8 * eta
            total += x * x
            m = (1 - alpha) * m + alpha * (x + sign)
            x -= eta * m
    assert exact_average(T, eta, f0, first) == total / 2**T / T


@pytest.mark.parametrize("first", [None, 1.0])
@pytest.mark.parametrize(
    ("T", "eta", "f0"), [(1, 1 / 8, 1.0), (50, 1 / 32, 0.1), (17_509, 2.0**-16, 1e-4), (10**5, 2.0**-9, 1.0)]
)
def test_balls_and_impulse_responses_agree(T, eta, f0, first):
    ball = average_ball(T, Fraction(eta), Fraction(f0), None if first is None else Fraction(1))
    assert middle_and_error(ball)[0] == pytest.approx(by_impulse_responses(T, eta, f0, first), rel=1e-8)


def test_the_smallest_violation_by_impulse_responses():
    T, eta = SMALLEST
    f0 = float(start_of(T, eta))
    assert printed_step(T, f0, 1) == pytest.approx(float(eta), rel=1e-12)
    assert printed_bound(T, f0, 1) == pytest.approx(float(printed_rational(T, eta)), rel=1e-12)
    assert by_impulse_responses(T, float(eta), f0, 1.0) > printed_bound(T, f0, 1)
    f0 = float(start_of(T - 1, eta))
    assert by_impulse_responses(T - 1, float(eta), f0, 1.0) < printed_bound(T - 1, f0, 1)


def test_rounding_down_is_below_by_less_than_a_unit():
    exact = exact_average(20, Fraction(1, 32), Fraction(1, 3), Fraction(1))
    low = exact_average(20, Fraction(1, 32), Fraction(1, 3), Fraction(1), bits=30)
    assert low <= exact < low + Fraction(1, 2**30)


def test_the_engine_agrees_with_the_moments():
    eta, T, runs = 1 / 32, 40, 4000
    momentum = WorkerMomentum(eta, beta=lambda t: 0.0 if t == 1 else 1 - 8 * eta)
    record = simulate(Rademacher(), RobustSGD(Mean(), momentum), n=4, f=0, steps=T, runs=runs, seed=1, x0=[0.5])
    values = np.mean(record.sq_gradient_norms[:T], axis=0)
    mean, half = bounded_mean(values, 0.0, 2.25, 1e-6)  # |x| ≤ |x_0| + 1
    exact = float(exact_average(T, Fraction(1, 32), Fraction(4 * 1, 8), Fraction(1))) / 4  # units of σ²/n = ¼
    assert abs(mean - exact) <= half
    assert half < 0.4 * exact


def test_critical_start_from_the_limit_equation():
    """Integrals of x'' + 8x' + 8x = 0 by its exponentials, instead of by the Lyapunov identity."""
    roots = np.array([-4 + math.sqrt(8), -4 - math.sqrt(8)])

    def energy(x0: float, v0: float) -> float:
        weights = np.linalg.solve(np.array([[1, 1], roots]), [x0, v0])
        return float(-np.sum(np.outer(weights, weights) / np.add.outer(roots, roots)))

    def excess(f0: float) -> float:
        return energy(0, -1) + 2 * f0 * energy(1, -1) + f0 / 80 - 8 * f0

    assert brentq(excess, 1e-6, 1) == pytest.approx(float(critical_start()), rel=1e-9)
    assert critical_start() == Fraction(5, 4542)


def test_best_bound_is_the_least_over_steps():
    for T, f0, kappa in ((10**4, 1.0, 0.5), (10, 5.0, 0.01), (10**6, 1e-3, 2.0)):
        steps = np.geomspace(1e-8, 1 / 8, 4000)
        least = np.min(2.5 * f0 / (steps * T) + 16 * steps * kappa)
        at = best_step(T, f0, kappa)
        assert 2.5 * f0 / (at * T) + 16 * at * kappa <= least * (1 + 1e-4)
        assert least <= best_bound(T, f0, kappa) * (1 + 1e-12)


def test_zero_start_is_never_above_the_printed_bound_at_the_printed_step():
    rng = np.random.default_rng(0)
    for _ in range(3000):
        n = int(rng.integers(1, 200))
        f = int(rng.integers(0, (n + 1) // 2))
        T, f0, c = 10 ** rng.uniform(0, 8), 10 ** rng.uniform(-6, 4), 10 ** rng.uniform(-2, 4)
        c_delta = c * f / n
        eta = printed_step(T, f0, n, c_delta)
        ours = 2.5 * f0 / (eta * T) + 16 * eta * (2 * c_delta + 1 / (n - f))
        assert ours <= printed_bound(T, f0, n, c_delta) * (1 + 1e-12)


def test_the_bounds_of_both_starts_differ_as_derived():
    T, eta, f0, kappa = 10, Fraction(1, 16), Fraction(3), Fraction(2)
    assert zero_start(T, eta, f0, kappa) == Fraction(5, 2) * 3 * 16 / 10 + 2
    assert full_start(T, eta, f0, kappa) == 2 * (3 + Fraction(1, 4)) * 16 / 10 + 2


@pytest.mark.parametrize("full", [False, True])
def test_spread_of_momenta_by_enumeration(full):
    eta = Fraction(1, 32)
    paths = all_paths(TrimmedMean(1), NoAttack(), Context("s", "c"), n=3, f=1, T=5, eta=eta, x0=0.3, full=full)
    first = Fraction(1) if full else 8 * eta
    assert paths.spread_sq == pytest.approx([float(spread_sq(t, 8 * eta, first)) for t in range(1, 6)], abs=1e-13)


def test_covariance_of_two_momenta_by_hand():
    """m_{2,i} = α(x_1 + ζ_{2,i}) + (1 − α)αζ_{1,i}, x_1 = −ηα(ζ_{1,1} + ζ_{1,2})/2."""
    alpha, eta, n = Fraction(1, 2), Fraction(1, 16), 2
    by_hand = alpha**2 * (eta * alpha) ** 2 / n - 2 * alpha * (1 - alpha) * alpha * eta * alpha / n
    (found,) = momenta_independent(Context("s", "c"))
    assert found.measured == by_hand
    assert by_hand < 0


def test_first_centre_by_hand():
    (found,) = centre_in_round_one(Context("s", "c"))
    assert found.measured == pytest.approx((1 / 4) ** 2 * (4**2 + 1 / 4), abs=1e-12)


@pytest.mark.parametrize(("c_delta", "noise"), [(Fraction(1360 * 3, 25), 1), (Fraction(3, 38), 100), (Fraction(0), 1)])
def test_rounds_to_beat_standing_still_in_floats(c_delta, noise):
    T = rounds_to_beat_standing_still(25, c_delta, Fraction(noise))
    assert printed_bound(T * (1 + 1e-9), 1.0, 25, float(c_delta), noise) <= 2
    assert printed_bound((T - 1) * (1 - 1e-9), 1.0, 25, float(c_delta), noise) >= 2
