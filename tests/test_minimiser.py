"""The minimiser of a softmax regression under any scaling of the features: right and proved, or refused."""

from __future__ import annotations

import math

import flint
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sims.backend import sum_across
from sims.problems import SoftmaxRegression
from sims.problems.minimiser import CERTIFIED, STEPS, _newton, _plain, certified, minimiser
from sims.problems.rounding import rounding_of_gradient

REFUSED = r"cannot vouch for its minimiser: it needs f\(x\*\) − min f ≤ 1e-08·log C, .* scale the features, or raise"
RNG = np.random.default_rng(0)
Y = np.arange(60) % 3
Z = RNG.standard_normal((60, 3)) + np.eye(3)[Y]
ONE = np.ones((60, 1))


def true_gradient(problem, x):
    """∇f(x) with 300 bits: every number of a float64 computation is one of its balls of radius ~1e-80."""
    before, flint.ctx.prec = flint.ctx.prec, 300
    try:
        a = [[flint.arb(float(v)) for v in row] for row in problem.points]
        w = [[flint.arb(float(v)) for v in row] for row in x.reshape(problem.classes, -1)]
        found = [[flint.arb(problem.ridge) * v for v in row] for row in w]
        for row, label in zip(a, problem.point_labels, strict=True):
            powers = [sum((u * v for u, v in zip(c, row, strict=True)), flint.arb(0)).exp() for c in w]
            total = sum(powers, flint.arb(0))
            for c, power in enumerate(powers):
                share = (power / total - int(c == label)) / len(a)
                found[c] = [v + share * u for v, u in zip(found[c], row, strict=True)]
        return np.array([[float(v) for v in row] for row in found]).ravel()
    finally:
        flint.ctx.prec = before


def proved(problem):
    """‖∇f(x*)‖²/(2λ), of the true gradient: f(x*) − min f is no more."""
    return float(np.sum(true_gradient(problem, problem.x_star) ** 2)) / (2 * problem.ridge)


@pytest.mark.parametrize(
    ("features", "ridge"),
    [
        (np.c_[Z * [1e-4, 1.0, 1e5], ONE], 1e-8),
        (np.c_[Z * 1e7, ONE], 1e-3),
        (np.c_[2000 + 5 * Z[:, :1], ONE], 1e-7),
        (np.c_[Z * 1e4, Z * 1e4, Z * 10, ONE, 0 * ONE], 1e-9),
        (np.c_[100 * np.eye(3)[Y] + Z, ONE], 1e-12),
        (np.c_[RNG.standard_normal((60, 80)) * np.logspace(-3, 4, 80)], 1e-8),
        (Z * 1e-150, 1e-3),
        (Z * 1e-7, 1e-16),
    ],
    ids=["mixed", "large", "years", "copies", "separable", "wide", "nothing", "small"],
)
def test_unscaled_features(features, ridge):
    problem = SoftmaxRegression(features, Y, ridge=ridge)
    assert proved(problem) <= problem.gap <= CERTIFIED * math.log(3)
    assert problem.f_star <= math.log(3)
    directions = np.random.default_rng(1).standard_normal((5, problem.dim))
    around = problem.x_star + 1e-3 * directions * np.linalg.norm(problem.x_star) / np.sqrt(problem.dim)
    assert np.all(problem.excess(around) >= 0)
    assert np.all(problem.value(around) >= problem.f_star - problem.gap)


def test_the_first_way_alone_would_not_do():
    """Newton's method as it stands: what is certified in two ways is not in one."""
    features = np.array([[1.0, 1e-5], [2.0, 1e-5], [-1.0, 1e-5], [3.0, 1e-5]]) * 1e5
    problem = SoftmaxRegression(features, np.array([0, 1, 1, 0]), ridge=1e-7)
    with np.errstate(all="ignore"):
        alone = _newton(problem, _plain, STEPS, STEPS)
    assert not certified(problem, alone)
    assert minimiser(problem)[1]
    assert problem.f_star < 0.56 < math.log(2)


@settings(max_examples=40, deadline=None)
@given(
    exponents=st.lists(st.integers(-8, 8), min_size=2, max_size=3),
    ridge=st.integers(-12, 1),
    offset=st.sampled_from([0.0, 1.0, 300.0]),
    seed=st.integers(0, 3),
)
def test_what_comes_back_is_proved_and_what_rounding_allows_comes_back(exponents, ridge, offset, seed):
    rng = np.random.default_rng(seed)
    z = (rng.standard_normal((12, len(exponents))) + offset) * 10.0 ** np.array(exponents)
    problem = SoftmaxRegression(np.c_[z, np.ones(12)], np.arange(12) % 2, ridge=10.0**ridge)
    size = np.max(np.abs(z))
    easy = (100 * 2.0**-53 * size * max(1.0, offset**2)) ** 2 / 10.0**ridge <= CERTIFIED / 10
    if easy or minimiser(problem)[1]:
        assert proved(problem) <= problem.gap <= CERTIFIED * math.log(2)
    else:
        with pytest.raises(ValueError, match=REFUSED):
            problem.x_star  # noqa: B018 (a property)


@pytest.mark.parametrize(
    "ask",
    [
        lambda problem: problem.x_star,
        lambda problem: problem.f_star,
        lambda problem: problem.gap,
        lambda problem: problem.excess(np.zeros(problem.dim)),
        lambda problem: problem.measure(np.zeros(problem.dim)),
    ],
    ids=["x_star", "f_star", "gap", "excess", "measure"],
)
def test_a_minimiser_that_is_not_certified_is_refused(ask):
    z, one, y = Z[:12], ONE[:12], Y[:12]
    problem = SoftmaxRegression(np.c_[1e6 + z, one], y, ridge=1e-6)
    for _ in range(2):  # no half-made answer is kept
        with pytest.raises(ValueError, match=REFUSED):
            ask(problem)
    assert problem.value(np.zeros(problem.dim)) == pytest.approx(math.log(3))  # what does not need it works
    assert np.isfinite(problem.L)
    centred = SoftmaxRegression(np.c_[problem.features[:, :3] - 1e6, one], y, ridge=1e-6)
    assert centred.gap <= 1e-8


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e5])
def test_the_certificate_holds_at_every_point_and_needs_the_rounding(scale):
    """At x*, what is computed as the gradient is rounding alone: without the bound on it nothing would be proved."""
    problem = SoftmaxRegression(np.c_[Z * scale, ONE], Y, ridge=1e-4)
    short = 0
    for x in [problem.x_star, *(problem.x_star * (1 + h) for h in (1e-15, 1e-13, 1e-9, 1e-3)), np.zeros(problem.dim)]:
        true, computed = true_gradient(problem, x), problem.gradient(x)
        p = problem._softmax(problem._scores(x))
        bound = rounding_of_gradient(problem.points, p, problem._hot(x), x, problem.ridge)
        assert np.linalg.norm(true - computed) <= bound <= 1e-10 * scale + 1e-10
        assert np.sum(true**2) / (2 * problem.ridge) <= problem.certificate(x)
        short += np.linalg.norm(computed) < np.linalg.norm(true)
    assert short
    wild = 1e20 * np.ones(problem.dim) * (-1.0) ** np.arange(problem.dim)  # scores that have no digit left
    assert problem.certificate(wild) == math.inf


def test_uniform_scaling_changes_nothing_but_the_unit():
    """f of features s·a with ridge λs² at x/s is f of a with λ at x."""
    one = SoftmaxRegression(np.c_[Z, ONE], Y, ridge=1e-3)
    for s in (1e-9, 1e-3, 7.0, 1e4, 1e9):
        other = SoftmaxRegression(s * np.c_[Z, ONE], Y, ridge=1e-3 * s * s)
        assert other.f_star == pytest.approx(one.f_star, rel=1e-12)
        assert s * other.x_star == pytest.approx(one.x_star, rel=1e-8, abs=1e-10)


def test_hessians_by_products_of_matrices_are_those_of_one_call():
    small = SoftmaxRegression(np.c_[Z, ONE], Y, ridge=1e-3)
    times = 2**20 // (60 * small.dim**2) + 1
    large = SoftmaxRegression(np.tile(small.features, (times, 1)), np.tile(Y, times), ridge=1e-3)
    x = np.random.default_rng(0).standard_normal(small.dim)
    assert large.hessian(x) == pytest.approx(small.hessian(x), rel=1e-12, abs=1e-14)
    assert large.f_star == pytest.approx(small.f_star, rel=1e-12)
    assert large.gap <= 1e-20


def test_strict_floating_point_errors_change_no_bit():
    """Probabilities that vanish, scores of ±1e5 and denormal features are no fault of the caller's."""

    def everything():
        for scale, ridge in ((1.0, 0.1), (1e5, 1e-7), (1e-160, 0.5)):
            problem = SoftmaxRegression(np.c_[Z * scale, scale * ONE], Y, ridge=ridge)
            x = np.stack([np.zeros(problem.dim), 1e3 * min(1.0, 1 / scale) * np.sin(np.arange(problem.dim))])
            yield from (problem.L, problem.sigma_sq, problem.x_star, problem.f_star, problem.gap)
            yield from (problem.value(x), problem.gradient(x), problem.variance(x), problem.accuracy(x))
            yield from (problem.excess(x), problem.oracle(x, np.full((2, 3, 1), 0.5), 2, flip=True))

    usual = list(everything())
    with np.errstate(all="raise"):
        strict = list(everything())
    for a, b in zip(usual, strict, strict=True):
        assert np.array_equal(a, b)
    assert np.all(sum_across(np.exp(np.array([-1e5, 0.0]))) == 1.0)  # and exp does vanish there
