"""Corollary V's arithmetic and constants by other routes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from perform import check_claims, verdicts
from scipy.optimize import minimize_scalar

from sims.aggregators import CenteredClipping
from sims.checks.centered import search_c_of_clipping
from sims.checks.two_point import binomial_pmf
from theory.claim import Context
from theory.corollary_v_iterations import STATEMENT, picture, radius_for_one_step
from theory.definition_c_robust_aggregator.constants import paper_radius

EXPECTED = {
    "constant_after_many": "refuted",
    "constant_of_one": "refuted",
    "random_start_many": "refuted",
    "random_start": "refuted",
    "measured": "supported",
    "above_floor": "supported",
}


def test_verdicts_and_controls():
    check_claims(STATEMENT, EXPECTED)


def test_both_printed_parts_are_refuted_and_every_part_of_the_correction_holds():
    found = verdicts(STATEMENT.stem)
    printed = {part.name: found[part.name] for part in STATEMENT.parts("printed")}
    assert printed == {"random_start_many": "refuted", "random_start": "refuted"}
    assert {found[part.name] for part in STATEMENT.parts("corrected")} == {"holds"}


@pytest.mark.parametrize("delta", [0.15, 0.1, 0.05])
@pytest.mark.parametrize("b_sq", [1.0, 1e3, 1e6])
def test_thirty_one_logarithms_step_by_step(delta, b_sq):
    """Multiplying 6.45δ out, step after step, instead of taking logarithms; ρ² = 1."""
    steps = math.ceil(31 * math.log(2 * b_sq / delta))
    left = 2 * b_sq
    for _ in range(steps):
        left *= 6.45 * delta
    assert 0 < left <= delta


def test_thirty_are_too_few():
    x = 1e9
    assert x * 0.9675 ** (30 * math.log(x)) > 1 > x * 0.9675 ** (31 * math.log(x))


def u_at_rho(delta: float, tau: float) -> float:
    """U/(δρ²) of the one-step lemma at B = ρ = 1."""
    middle = (1 - delta) * math.sqrt(1.5**2 / (16 * tau**2) + delta / (2 * (1 - delta)))
    return (middle + delta * tau + delta) ** 2 / delta


def test_the_single_step_constants_on_a_dense_grid():
    deltas = np.linspace(1e-6, 0.5, 2001)
    paper = [u_at_rho(d, math.sqrt(16 * (1 - d) / (3 * math.sqrt(3) * d))) for d in deltas]
    ours = [u_at_rho(d, float(radius_for_one_step(d, np.array(1.0)))) for d in deltas]
    closed = (np.sqrt(1 - deltas) * (math.sqrt(7 / 8) + math.sqrt(3 / 8)) + np.sqrt(deltas)) ** 2
    np.testing.assert_allclose(ours, closed, rtol=1e-12)
    assert 3.3 < max(ours) < (math.sqrt(7 / 8) + math.sqrt(3 / 8)) ** 2 + 1 < 3.4
    within = [c for c, d in zip(paper, deltas, strict=True) if d <= 0.15]
    assert 7 < max(within) < 7.3 < 6.45 + 22.1


def test_no_radius_does_much_better_in_the_lemma():
    best = minimize_scalar(lambda log_tau: u_at_rho(0.15, math.exp(log_tau)), bounds=(-2, 4), method="bounded").fun
    ours = u_at_rho(0.15, float(radius_for_one_step(0.15, np.array(1.0))))
    assert best <= ours <= 1.05 * best


def test_the_random_start_in_floats():
    """n = 1361: v_0 far with a tiny probability leaves more than 1360δρ², ρ² = ½."""
    n, rho_sq = 1361, 0.5
    tau = float(paper_radius(1 / n, np.array(rho_sq)))
    away = 1e7 * tau
    probability = (rho_sq - 1 / (4 * (n - 1))) / away**2
    rows = np.concatenate([np.zeros(n - 1), [1e3 * away]])[:, None]
    output, _ = CenteredClipping(tau)(rows, np.array([0.5 + away]))
    error = probability * (output[0] - 0.5) ** 2
    assert error > 1360 / n * rho_sq
    assert error == pytest.approx(rho_sq, rel=1e-3)


def test_many_steps_from_a_random_start_in_floats():
    """n = 13, B² = 10⁶ρ², ρ² = ½: after the printed number of steps the far centre has hardly moved."""
    n, b_sq = 13, 0.5e6
    steps = math.ceil(31 * math.log(2e6 * n))
    tau = math.sqrt(4 * (1 - 1 / n) * (b_sq / 3 + 0.5) * n / math.sqrt(3))  # the first, and the largest
    away = 1e3 * steps * tau
    v = np.array([0.5 + away])
    for _ in range(steps):
        v, _ = CenteredClipping(tau)(np.concatenate([np.zeros(n - 1), [1e3 * away]])[:, None], v)
    error = (b_sq - 1 / (4 * (n - 1))) / away**2 * (v[0] - 0.5) ** 2
    assert error > 1360 / n * 0.5
    assert error == pytest.approx(b_sq, rel=3e-3)


@pytest.mark.parametrize(("n", "f"), [(7, 1), (25, 12)])
def test_the_measured_c_is_attained_by_its_law(n, f):
    c, law = search_c_of_clipping(n, f, radius_for_one_step)
    g, delta = n - f, f / n
    pmf = np.convolve(binomial_pmf(law.m, np.array([law.p]))[0], binomial_pmf(g - law.m, np.array([law.q]))[0])
    p = np.concatenate([np.full(law.m, law.p), np.full(g - law.m, law.q)])
    pairs = [p[i] * (1 - p[j]) + p[j] * (1 - p[i]) for i in range(g) for j in range(i)]
    rho_sq, ones = max(pairs), np.arange(g + 1)
    away = math.sqrt(rho_sq - np.sum(p * (1 - p)) / g**2)
    tau = float(radius_for_one_step(delta, np.array(rho_sq)))
    honest = (np.arange(g) < ones[:, None]).astype(float)
    found = []
    for v in (np.mean(p) - away, np.mean(p), np.mean(p) + away):
        errors = []
        for far in (-1e9, 1e9):
            rows = np.concatenate([honest, np.full((g + 1, f), far)], axis=1)[..., None]
            plus, _ = CenteredClipping(tau)(rows, np.full((g + 1, 1), v))
            errors.append((plus[:, 0] - ones / g) ** 2)
        found.append(float(pmf @ np.maximum(*errors)) / (delta * rho_sq))
    assert max(found) == pytest.approx(c, rel=1e-9)
    assert c <= u_at_rho(delta, tau / math.sqrt(rho_sq))


def test_the_picture_is_in_order():
    data = picture(Context(STATEMENT.stem, "figure", "quick"))
    assert max(data["single"]) < 3.4
    assert max(data["fast_many"]) < 91
    assert all(1 <= c <= 3.4 for c in data["measured"]["c"])
