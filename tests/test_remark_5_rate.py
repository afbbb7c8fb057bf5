"""Remark 5's directions and slopes by other routes."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from perform import check_claims, verdicts

from theory.remark_5_rate import STATEMENT
from theory.remark_5_rate.closed_form import at_rest, cost_to_go, height, missing, second_cost_to_go
from theory.remark_5_rate.parameters import displayed, loss
from theory.remark_5_rate.slopes import displacement
from theory.theorem_vi_momentum.bound import best_bound, best_step, printed_step
from theory.theorem_vi_momentum.moments import by_impulse_responses, exact_average
from theory.theorem_vi_momentum.slopes import ALPHA, ETA, LONG, noise

F = Fraction

EXPECTED = {
    "scaled_with_delta": "refuted",
    "displayed_order": "refuted",
}


def test_verdicts_and_controls():
    check_claims(STATEMENT, EXPECTED)


def test_what_grows_with_delta_is_refuted_and_the_correction_is_proved():
    found = verdicts(STATEMENT.stem)
    refuted = [part.name for part in STATEMENT.parts("printed") if found[part.name] == "refuted"]
    assert refuted == ["scaled_with_delta", "displayed_order"]
    assert len(STATEMENT.parts("printed")) == 7
    assert {found[part.name] for part in STATEMENT.parts("printed")} == {"refuted", "holds"}
    assert {part.name for part in STATEMENT.parts("corrected")} == {
        "rate",
        "best_step_falls",
        "threshold",
        "may_remain",
        "identities",
    }
    assert {found[part.name] for part in STATEMENT.parts("corrected")} == {"holds"}


@pytest.mark.parametrize("c_delta", [0.0, 0.3, 20.0])
def test_the_best_step_by_minimising(c_delta):
    """The minimiser of VI′ on a fine grid falls as κ^{−1/2}, and its value is the rate's."""
    T, kappa = 10**8, 2 * c_delta + 1 / 20
    steps = np.geomspace(1e-7, 1e-2, 200_001)
    values = 2.5 / (steps * T) + 16 * steps * kappa
    assert steps[np.argmin(values)] * math.sqrt(kappa) == pytest.approx(math.sqrt(2.5 / (16 * T)), rel=1e-3)
    assert np.min(values) == pytest.approx(math.sqrt(160 * kappa / T), rel=1e-6)


@pytest.mark.parametrize("n", [3, 25, 100])
def test_direction_of_the_printed_step_in_floats(n):
    deltas = np.linspace(0, 0.5, 30)
    for share, sign in ((1.05, -1), (0.95, 1)):
        steps = [printed_step(10**9, share * 5 / (8 * n), n, d) for d in deltas]
        assert np.all(sign * np.diff(steps) > 0)


def test_our_step_always_falls_with_delta():
    for f0 in (1e-4, 1.0, 100.0):
        steps = [best_step(10**9, f0, 2 * d + 1 / (25 * (1 - d))) for d in np.linspace(0, 0.5, 30)]
        assert np.all(np.diff(steps) < 0)


def test_slopes_by_impulse_responses():
    rounds = (10**5, 10**6)
    values = [by_impulse_responses(T, best_step(T, 1.0, 1.0), 1.0) for T in rounds]
    assert math.log10(values[1] / values[0]) == pytest.approx(-0.5, abs=0.02)
    one = by_impulse_responses(10**6, best_step(10**6, 1.0, 1.0), 1.0)
    many = by_impulse_responses(10**6, best_step(10**6, 16.0, 1.0), 16.0) / 16
    assert math.log(many / one) / math.log(16) == pytest.approx(-0.5, abs=0.02)


def test_the_speed_up_by_impulse_responses():
    """100 workers in 10⁴ rounds, one in 10⁶, in units of σ²/n; and 10² rounds are too few."""
    one = by_impulse_responses(10**6, best_step(10**6, 1.0, 1.0), 1.0)
    many, few = (by_impulse_responses(T, best_step(T, 100.0, 1.0), 100.0) / 100 for T in (10**4, 10**2))
    assert many / one == pytest.approx(1, abs=0.1)
    assert few / one > 5


@pytest.mark.parametrize(("T", "eta"), [(1, F(1, 8)), (2, F(1, 16)), (25, F(1, 8)), (300, F(1, 50)), (4000, F(1, 999))])
def test_the_closed_forms_beside_a_matrix_power_in_rationals(T, eta):
    """The exact average of the recursion between both sides of speed_up.md, step 3, at F0 = 6.4η²T, s = 1."""
    value = exact_average(T, eta, F(32, 5) * eta**2 * T)
    top = height(eta) * eta
    assert top * (1 - missing(eta) / (eta * T)) <= value <= top


def test_the_costs_to_go_by_adding_up():
    """Σ x_t² and Σ t-fold from (x, m) = (1, 0), (0, 1), (1, 1), round by round; and what noise leaves at rest."""
    h = 0.03
    for x0, m0 in ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0)):
        x, m, squares = x0, m0, []
        for _ in range(5000):
            squares.append(x * x)
            m = (1 - 8 * h) * m + 8 * h * x
            x = x - h * m
        for form, weights in ((cost_to_go(h), np.ones(5000)), (second_cost_to_go(h), np.arange(1, 5001))):
            a, b, c = form
            assert a * x0**2 + b * x0 * m0 + c * m0**2 == pytest.approx(np.dot(squares, weights), rel=1e-9)
    assert exact_average(10**5, F(3, 100), F(0), bits=200) == pytest.approx(at_rest(0.03)[0], rel=1e-3)


def test_the_largest_of_groups_over_all_outcomes():
    """E of the mean of the n − 2f largest of n − f values, skewed coins: it does not fall from (n, f) to (2n, 2f)."""
    for values, chances in (
        ((-1, 1), (F(1, 2), F(1, 2))),
        ((-1, 3), (F(3, 4), F(1, 4))),
        ((-3, 1), (F(1, 4), F(3, 4))),
    ):

        def push(n, f, values=values, chances=chances):
            return sum(
                math.prod(chances[i] for i in row) * F(sum(sorted(values[i] for i in row)[f:]), n - 2 * f)
                for row in itertools.product((0, 1), repeat=n - f)
            )

        for n, f in ((3, 1), (4, 1), (5, 2), (6, 1)):
            assert push(2 * n, 2 * f) > push(n, f) > 0


def test_the_attack_beyond_the_workers_that_were_enclosed():
    for spikes in (False, True):
        least = displacement(noise(spikes, 64, 1 / 8))
        assert all(noise(spikes, n, 1 / 8).average(ETA, ALPHA, LONG)[0] > least for n in (128, 640, 8192))
    assert displacement(noise(False, 64, 0.0)) == 0


def test_the_second_term_stays():
    limit = math.sqrt(160 * 2 * 0.2 / 10**8)
    assert best_bound(10**8, 1.0, 2 * 0.2 + 1 / 10**9) == pytest.approx(limit, rel=1e-3)


@pytest.mark.parametrize(("n", "a", "T"), [(10, 2, 10**3), (100, 1, 10**6), (10**4, 7, 10**9), (100, 30, 20)])
def test_few_attackers_by_minimising_on_a_grid(n, a, T):
    """VI′ at the minimiser of a fine grid for κ = 1/n over its least value on the grid: never above (1 + ρ)/(2√ρ)."""
    c = n / (2 * (n - 2 * a))
    kappa = 2 * c * a / n + 1 / (n - a)
    steps = np.geomspace(1e-7, 1 / 8, 200_001)
    alone, attacked = (2.5 / (steps * T) + 16 * steps * k for k in (1 / n, kappa))
    rho = n * kappa
    ratio = attacked[np.argmin(alone)] / np.min(attacked)
    assert ratio <= (1 + rho) / (2 * math.sqrt(rho)) * (1 + 1e-3)  # the grid's steps
    assert ratio == pytest.approx(loss(rho), rel=1e-3) or steps[np.argmin(alone)] == steps[-1]


def test_the_displayed_order_by_slopes():
    """Against n at δ = 0 the printed η has the slope ½, the displayed order −½; against δ they have opposite signs."""
    eta = [printed_step(10**12, 1.0, n, 0.0) for n in (10, 1000)]
    assert math.log(eta[1] / eta[0]) / math.log(100) == pytest.approx(0.5)
    order = [math.sqrt(displayed(n, Fraction(0))) for n in (10, 1000)]
    assert math.log(order[1] / order[0]) / math.log(100) == pytest.approx(-0.5)
    assert printed_step(10**12, 1.0, 100, 0.3) < printed_step(10**12, 1.0, 100, 0.1)
    assert displayed(100, Fraction(3, 10)) > displayed(100, Fraction(1, 10))
