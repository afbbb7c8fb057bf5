"""Sharp clipping by other routes: Huber's loss minimised, attackers found by an optimiser, other enumerations."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from perform import check_claims
from scipy.optimize import brentq, differential_evolution, minimize
from scipy.stats import binom

from sims.aggregators import CenteredClipping
from theory.beyond_clipping_sharp import STATEMENT
from theory.beyond_clipping_sharp.many_workers import best_square, least_pull, limit_of_all, needed
from theory.beyond_clipping_sharp.rest import bound, mean_and_variance, resting_place
from theory.theorem_iv_centered_clipping.attacked import Bound, Line, errors_on_line

EXPECTED = {"in_space": "supported", "limit": "supported", "programme": "supported"}


def test_verdicts_and_controls():
    check_claims(STATEMENT, EXPECTED)
    assert {part.name for part in STATEMENT.parts("corrected")}.isdisjoint(EXPECTED)


@pytest.mark.parametrize(("n", "f"), [(3, 1), (7, 3), (20, 3)])
def test_no_radii_of_three_steps_beat_two_delta_in_the_plane(n, f):
    """An optimiser chooses the radii, and attackers push away from the good messages, which are equal."""

    def left(radii):
        v = np.array([3.0, 4.0]) / 5
        for tau in radii:
            away = v / np.linalg.norm(v) * 100
            v, _ = CenteredClipping(tau)(np.concatenate([np.zeros((n - f, 2)), np.tile(v + away, (f, 1))]), v)
        return float(np.linalg.norm(v))

    found = differential_evolution(left, [(1e-6, 2.0)] * 3, maxiter=60, popsize=8, tol=0, rng=1)
    assert found.fun == pytest.approx((2 * f / n) ** 3, rel=1e-3)
    assert found.fun >= (2 * f / n) ** 3 * (1 - 1e-12)


@pytest.mark.parametrize(("n", "f"), [(3, 1), (7, 3), (20, 3)])
def test_bad_messages_that_stay_suffice_whatever_the_radii_know(n, f):
    """Radii up to ten times what reaches every message; the bad ones stay at three times the first distance."""
    messages = np.array([0.0] * (n - f) + [3.0] * f)

    def left(radii):
        v = 1.0
        for tau in radii:
            v = v + np.mean(np.clip(messages - v, -tau, tau))
        return abs(v)

    found = [differential_evolution(left, [(1e-6, 30.0)] * steps, maxiter=150, tol=0, rng=2).fun for steps in (1, 2)]
    assert found == pytest.approx([2 * f / n, (2 * f / n) ** 2], rel=1e-3)
    assert all(value >= (2 * f / n) ** power * (1 - 1e-12) for power, value in enumerate(found, start=1))


@pytest.mark.parametrize("over", [1.05, 1.3])
@pytest.mark.parametrize(("n", "f"), [(7, 1), (12, 3), (15, 6)])
def test_every_rate_above_two_delta_is_kept(n, f, over):
    """All outcomes of messages on two values under the worst attack on the line, from near and from far."""
    delta = f / n
    r = min(2 * delta * over, (1 + 2 * delta) / 2)
    k = delta / r

    def radii(delta, centre_sq, rho_sq, step):
        near = (1 - k) / (1 - 2 * k) * np.sqrt(rho_sq / delta)
        return np.maximum(near, 2 * (1 - k) * np.sqrt(centre_sq) * r**step)

    rule = Bound(radii, rate=lambda delta: Fraction(r) ** 2, lead=1, constant=1.0)
    for away in (0.5, 30.0, 3000.0):
        laws = [Line(m, p, q, away) for m in (0, (n - f) // 2) for p in (0.1, 0.9) for q in (0.3, 0.5)]
        reached, _, rho_sq = errors_on_line(n, f, laws, rule, steps=10)
        spread = np.array([(law.m * law.p * (1 - law.p) + (n - f - law.m) * law.q * (1 - law.q)) for law in laws])
        far = np.sqrt(away**2 * rho_sq + spread / (n - f) ** 2)
        for step in range(1, 11):
            allowed = 3 * k * r**step * far + 10.9 * np.sqrt(rho_sq * delta) / (1 - 2 * k) ** 2
            assert np.all(np.sqrt(reached[:, step]) <= allowed)
            assert away < 100 or np.all(np.sqrt(reached[:, step]) >= 0.99 * (2 * delta) ** step * far)


@pytest.mark.parametrize(("n", "f"), [(3, 1), (9, 4), (20, 3)])
def test_no_output_is_nearer_in_both_cases_that_have_one_variance(n, f):
    """The variance of the good messages is known, and the output free: f at 1, f at −1, either may be bad."""
    messages = np.array([1.0] * f + [-1.0] * f + [0.0] * (n - 2 * f))
    cases = [np.delete(messages, slice(0, f)), np.delete(messages, slice(f, 2 * f))]
    assert np.var(cases[0]) == pytest.approx(np.var(cases[1]))
    nearest = min(max(abs(v - np.mean(case)) for case in cases) for v in np.linspace(-1, 1, 2001))
    assert nearest**2 == pytest.approx(f / (n - 2 * f) * np.var(cases[0]))


def huber_minimum(messages, tau):
    def loss(v):
        size = np.linalg.norm(messages - v, axis=1)
        return np.sum(np.where(size <= tau, size**2 / 2, tau * size - tau**2 / 2))

    return minimize(loss, np.median(messages, axis=0), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}).x


def test_it_rests_at_the_minimum_of_hubers_loss():
    rng = np.random.default_rng(3)
    for _ in range(6):
        messages = rng.normal(size=(7, 2)) * 2
        v = rng.normal(size=2) * 5
        for _ in range(400):
            v, _ = CenteredClipping(0.7)(messages, v)
        assert v == pytest.approx(huber_minimum(messages, 0.7), abs=1e-5)
        line = [Fraction(float(x)) for x in messages[:5, 0]]
        own = np.array([[float(x)] for x in line] + [[1e4]] * 2)
        rest = float(resting_place(dict.fromkeys(line, 1), 2, Fraction(7, 10)))
        assert rest == pytest.approx(huber_minimum(own, 0.7)[0], abs=1e-5)


@pytest.mark.parametrize(("n", "f", "tau"), [(6, 2, 0.5), (9, 2, 1.0)])
def test_an_optimiser_over_messages_reaches_the_bound_and_no_more(n, f, tau):
    beta = f / (n - f)

    def minus(x):
        v = brentq(lambda v: np.sum(np.clip(x - v, -tau, tau)) + f * tau, -100, 100)
        return -(v - np.mean(x)) / (beta * tau + np.var(x) / (4 * (1 - beta) * tau))

    found = -differential_evolution(minus, [(-3, 3)] * (n - f), maxiter=80, popsize=8, tol=0, rng=2).fun
    assert 0.98 < found <= 1 + 1e-9


def test_a_centre_that_still_moves_counts_like_more_attackers():
    """Every centre on a grid, every multiset of good messages: exactly, with β' = (δ + ε)/(1 − δ)."""
    n, f, tau, nearest = 5, 1, Fraction(1), Fraction(0)
    for values in itertools.combinations_with_replacement(range(4), n - f):
        rows = [Fraction(value) for value in values]
        mean, variance = mean_and_variance(rows)
        for v in (Fraction(j, 4) for j in range(-4, 20)):
            moved = abs(sum((min(max(x - v, -tau), tau) for x in rows), Fraction(0)) + f * tau) / n
            share = (Fraction(f, n) + moved / tau) / (1 - Fraction(f, n))
            if share < 1:
                nearest = max(nearest, abs(v - mean) / bound(share, tau, variance))
    assert Fraction(9, 10) < nearest <= 1


def test_it_stops_in_time():
    """A step shorter than ετ comes after at most 2‖v_0 − v_∞‖/(ε²τ) steps."""
    rng = np.random.default_rng(4)
    for far in (0.0, 3.0, 100.0):
        messages = rng.normal(size=(9, 2))
        messages[7:] += 1e3
        v = start = np.full(2, far)
        lengths = []
        for _ in range(3000):
            after, _ = CenteredClipping(0.8)(messages, v)
            lengths.append(float(np.linalg.norm(after - v)) / 0.8)
            v = after
        for eps in (0.3, 0.1, 0.03):
            first = next(step for step, length in enumerate(lengths) if length <= eps)
            assert first <= 2 * float(np.linalg.norm(start - v)) / (eps**2 * 0.8) + 1


def needed_again(n, f, p, times=1.0):
    """E(v_∞ − x̄)²/(δρ²) in floating point, by bisection and SciPy's binomials."""
    g, rho_sq = n - f, 2 * p * (1 - p)
    tau = times * math.sqrt(float(best_square(Fraction(f, n))) * rho_sq)
    total = 0.0
    for ones in range(g + 1):
        worst = 0.0
        for side in (-1, 1):
            v = brentq(
                lambda v, side=side, ones=ones: (
                    ones * np.clip(1 - v, -tau, tau) + (g - ones) * np.clip(-v, -tau, tau) + side * f * tau
                ),
                -1 - 2 * tau,
                2 + 2 * tau,
            )
            worst = max(worst, (v - ones / g) ** 2)
        total += binom.pmf(ones, g, p) * worst
    return total / (f / n * rho_sq)


@pytest.mark.parametrize(("n", "f", "p", "s"), [(10, 2, 0.25, 1.0), (30, 6, 0.25, 1.0), (20, 3, 0.4, 2.0)])
def test_enumerated_again(n, f, p, s):
    exact = float(needed(n, f, Fraction(p).limit_denominator(100), Fraction(s)))
    assert exact == pytest.approx(needed_again(n, f, p, s), rel=1e-6)


def test_rare_large_messages_need_no_more_at_a_fixed_share():
    """Fourth moments grow like n here, so that the bound at one n says less and less: the limit stands all the same."""
    for share in (Fraction(1, 5), Fraction(2, 5)):
        values = [needed(n, int(share * n), Fraction(2, n)) / limit_of_all(share) for n in (40, 80)]
        assert all(value < 1 for value in values)


@pytest.mark.parametrize("share", [Fraction(1, 5), Fraction(2, 5)])
def test_a_smaller_probability_comes_near_the_limit_at_the_least_radius(share):
    """s = √δ: the p of the formula is at a tie, 2p = 1 + β. With 0.9p the bound of its own variance is approached."""
    delta, s = float(share), math.sqrt(share)
    p = 1 / (2 * (1 - delta))
    less = 0.9 * p
    part = less / (1 - less) / (p / (1 - p))  # of the variance that is allowed
    approached = (s + part / s) ** 2 / 4 / (2 * (1 - 2 * delta))
    assert needed_again(320, int(share * 320), less, s / math.sqrt(part)) * part == pytest.approx(approached, rel=0.03)


def test_one_attacker_among_many_needs_more_than_the_floor():
    """With f = 1 the share is not fixed: the limit does not hold, and 1.2 times the floor is needed at n = 20."""
    assert needed(20, 1, Fraction(1, 60)) > Fraction(6, 5) * limit_of_all(Fraction(1, 20))


def test_the_largest_distance_of_a_law_found_by_bisection():
    delta, places = 0.2, np.linspace(-8, 8, 641)
    beta = delta / (1 - delta)
    tau = 1 / (2 * math.sqrt(beta * (1 - beta)))
    low, high = 0.1, 3.0
    while high - low > 1e-5:
        middle = (low + high) / 2
        low, high = (middle, high) if least_pull(middle, tau, places) <= beta * tau else (low, middle)
    assert low**2 == pytest.approx(delta / (1 - 2 * delta), rel=1e-3)


@pytest.mark.parametrize("delta", [0.05, 0.25, 0.45])
def test_the_simpler_quadratic_gives_more(delta):
    """With (a − τ)_+ ≤ a²/(4τ): D(1 − δ) = δτ + (1 − δ)ρ²/(8(τ − D)), and the least D² is (1 − δ)δρ²/(2(1 − 2δ)²)."""
    beta = delta / (1 - delta)
    ahead = np.geomspace(1e-2, 1e2, 20001)  # τ − D, ρ = 1
    least = np.min((beta * ahead + 1 / (8 * ahead)) / (1 - beta))
    assert least**2 == pytest.approx((1 - delta) * delta / (2 * (1 - 2 * delta) ** 2), rel=1e-5)
    assert least**2 > delta / (2 * (1 - 2 * delta))


def test_clipping_with_no_majority_has_no_rest():
    with pytest.raises(ValueError, match="without end"):
        resting_place({Fraction(0): 2}, 3, Fraction(1))
