"""Definition A: moments by loops over outcomes, Hessians by differences, and every fault seen by the right evidence."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from perform import check_statement, results, verdicts, well_formed

from sims.checks import problem as problem_checks
from sims.checks.confidence import bounded_mean
from sims.checks.problem import FiniteLaw, cells, check_function, check_noise, sample_noise, signs
from sims.engine import Streams
from sims.problems import Bernoulli, Pareto, Quadratic
from theory.claim import Context
from theory.definition_a_problem import PROBLEMS, QUADRATIC, STATEMENT, Altered, Jumping, points_for, samples_may_jump
from theory.theorem_ii_lower_bound.worlds import TwoWorlds


def test_the_statement_is_well_formed():
    well_formed(STATEMENT)


def test_the_verdicts_at_the_quick_budget():
    assert verdicts(STATEMENT.stem) == {
        "noise": "supported",
        "draws": "supported",
        "heavy_tail": "supported",
        "function": "supported",
        "samples_may_jump": "holds",
        "identities": "holds",
    }


def test_a_definition_has_no_part_to_refute_and_our_generators_decide_nothing():
    result = results(STATEMENT.stem)
    assert result.stand("printed") == (0, 0)
    assert STATEMENT.fault is None
    assert [claim.name for claim in STATEMENT.parts("corrected")] == ["samples_may_jump"]
    assert result.side("corrected") == "proved"


def test_every_control_is_caught():
    check_statement(results(STATEMENT.stem))


def flagged(found):
    """What the evidence contradicts, by its first words."""
    return {e.what.split(" at x")[0] for e in found if e.verdict == "refuted"}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({}, set()),
        ({"bias": 0.01}, {"largest bias ‖E g − ∇f‖", "largest variance E‖g − ∇f‖²"}),
        ({"blow_up": 1.01}, {"largest variance E‖g − ∇f‖²"}),
        ({"declared": {"sigma_sq": 1.99}}, {"largest variance E‖g − ∇f‖²"}),
        ({"declared": {"sigma_sq": 2.01}}, set()),
    ],
)
def test_each_fault_of_the_noise_is_seen(change, what):
    problem = Altered(QUADRATIC, **change)
    assert flagged(check_noise(problem, signs(3), points_for(problem))) == what


@pytest.mark.parametrize(
    ("declared", "what"),
    [
        ({"L": 3.9}, "steepest change of ∇f, to be ≤ L"),
        ({"mu": 0.26}, "flattest change of ∇f, to be ≥ μ"),
        ({"f_star": 0.001}, "f(x*)"),
        ({"x_star": 0.4}, "f(x*)"),
    ],
)
def test_each_wrong_constant_is_seen(declared, what):
    problem = Altered(QUADRATIC, declared=declared)
    assert what in flagged(check_function(problem, np.random.default_rng(0)))
    assert flagged(check_function(QUADRATIC, np.random.default_rng(0))) == set()


def test_a_gradient_that_is_not_the_slope_is_seen():
    class Wrong(Altered):
        def gradient(self, x):
            return 1.01 * self.right.gradient(x)

    assert "f(y) − f(x) − ∫∇f" in flagged(check_function(Wrong(QUADRATIC), np.random.default_rng(0)))


def test_a_bias_in_the_draws_is_seen():
    law = {"draws": 40_000, "bound": 1.5, "alpha": 1e-9}
    for bias, seen in ((0.0, False), (0.05, True)):
        problem = Altered(Bernoulli(0.25), bias=bias)
        found = flagged(sample_noise(problem, Streams(0, "test"), np.zeros((1, 1)), **law))
        assert ("bias of coordinate 1" in found) == seen


def test_all_intervals_share_one_false_alarm(monkeypatch):
    taken = []
    monkeypatch.setattr(problem_checks, "bounded_mean", lambda *given: taken.append(given[-1]) or bounded_mean(*given))
    points = np.zeros((3, 2))
    found = list(sample_noise(Bernoulli(0.25, dim=2), Streams(0, "t"), points, draws=100, bound=1.0, alpha=1e-6))
    assert len(taken) == len(found) == 3 * (2 + 1)
    assert math.fsum(taken) == pytest.approx(1e-6, rel=1e-12)


def test_a_draw_beyond_the_bound_is_refused():
    with pytest.raises(ValueError, match="values must lie in"):
        list(sample_noise(Bernoulli(0.25), Streams(0, "t"), np.zeros((1, 1)), draws=100, bound=0.5, alpha=1e-9))


def test_weights_that_are_no_law_are_refused():
    with pytest.raises(ValueError, match=r"a sum of 0\.5"):
        FiniteLaw(np.zeros((1, 1)), np.array([0.5]))


@pytest.mark.parametrize("name", PROBLEMS)
def test_moments_by_a_loop_over_outcomes(name):
    """Σ P(ξ)·(g − ∇f), outcome by outcome, with the gradient from central differences of f."""
    problem, law, _ = PROBLEMS[name]
    x = points_for(problem)[2]
    slope = np.array(
        [(problem.value(x + h) - problem.value(x - h)) / 2e-4 for h in 1e-4 * np.eye(problem.dim)], dtype=float
    )
    bias, variance = np.zeros(problem.dim), 0.0
    for sample, weight in zip(law.samples, law.weights, strict=True):
        noise = problem.oracle(x, sample[None])[0] - slope
        bias, variance = bias + weight * noise, variance + weight * float(noise @ noise)
    assert np.allclose(bias, 0, atol=1e-6)
    assert variance == pytest.approx(float(problem.sigma_sq), abs=1e-5)


def test_l_and_mu_are_the_eigenvalues_of_the_hessian_by_differences():
    hessian = np.array([QUADRATIC.gradient(h) - QUADRATIC.gradient(-h) for h in 0.5 * np.eye(3)])
    smallest, *_, largest = np.linalg.eigvalsh(hessian)
    readings = {r.what: r.measured for r in check_function(QUADRATIC, np.random.default_rng(1))}
    assert readings["steepest change of ∇f, to be ≤ L"] == pytest.approx(largest)
    assert readings["flattest change of ∇f, to be ≥ μ"] == pytest.approx(smallest)


def test_signs_have_the_moments_of_normals():
    law = signs(3)
    assert np.allclose(law.weights @ law.samples, 0)
    assert np.allclose(np.einsum("w,wi,wj->ij", law.weights, law.samples, law.samples), np.eye(3))
    assert len(cells(4, 2).samples) == 16


@pytest.mark.parametrize(("q", "mu", "sigma_sq"), [(0.25, 1.0, 1.0), (0.1, 0.5, 4.0)])
def test_the_two_worlds_by_hand(q, mu, sigma_sq):
    """Var(H·Bern(q)) = σ², the optimum where E g = 0, f* by f(x*) = ½μx*² − s·a·x*."""
    for sign in (1, -1):
        world = TwoWorlds(sign, q, mu, sigma_sq)
        assert world.spike**2 * q * (1 - q) == pytest.approx(sigma_sq)
        expected = sum(p * float(world.oracle(np.array([world.x_star]), np.array([[u]]))[0, 0]) for p, u in
                       ((q, 0.0), (1 - q, 0.999)))  # fmt: skip
        assert expected == pytest.approx(0, abs=1e-12)
        a = q * world.spike
        assert world.f_star == pytest.approx(mu * world.x_star**2 / 2 - sign * a * world.x_star)
        assert world.f_star == pytest.approx(-q * sigma_sq / (2 * mu * (1 - q)))


def test_worlds_out_of_range_are_refused():
    for arguments in ((0, 0.5), (1, 0.0), (1, 1.0), (1, 0.5, 0.0)):
        with pytest.raises(ValueError, match="TwoWorlds needs"):
            TwoWorlds(*arguments)


def test_the_ratio_of_the_jump_by_hand():
    """E(2ε + 2ξ)²/(2ε)² = 1 + 1/ε² for ξ = ±1, and each item says which ε it is about."""
    items = [e for e in samples_may_jump(Context(STATEMENT.stem, "test", "quick")) if "epsilon" in e.at]
    for item, eps in zip(items, (Fraction(1, 10), Fraction(1, 1000), Fraction(1, 10**6)), strict=True):
        exact = sum((2 * eps + 2 * xi) ** 2 for xi in (-1, 1)) / 2 / (2 * eps) ** 2
        assert exact == 1 + 1 / eps**2
        assert item.at["epsilon"] == float(eps)
        assert item.measured == pytest.approx(float(exact), rel=1e-12)


def test_the_jump_by_hand():
    problem = Jumping(Quadratic((1.0,), sigma_sq=1.0))
    for x, xi in itertools.product((-2.0, 0.5), (-1.0, 1.0)):
        assert problem.oracle(np.array([x]), np.array([[xi]]))[0, 0] == x + xi * math.copysign(1, x)


def test_the_pareto_moments_by_its_density():
    from scipy.integrate import quad

    mean, second = (quad(lambda x, k=k: 3 * x ** (k - 4), 1, math.inf)[0] for k in (1, 2))
    assert (mean, second - mean**2) == pytest.approx((Pareto().mean, Pareto().variance))
