"""Softmax regression: gradients by differences, the oracle by enumerating the data, constants, the minimiser."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import scipy.stats

from sims.backend import to_numpy
from sims.checks.problem import FiniteLaw, cells, check_noise
from sims.engine import Streams
from sims.problems import SoftmaxRegression

PROBLEM = SoftmaxRegression.mixture(classes=4, dim=2, size=64, ridge=0.1)
PROBLEMS = [
    PROBLEM,
    SoftmaxRegression.mixture(classes=2, dim=1, size=8, ridge=1.0, seed=3),
    SoftmaxRegression.mixture(classes=3, dim=4, size=60, spread=0.2, ridge=0.01, seed=1),
]
IDS = ["four", "two", "three"]


def points(problem, count=6, size=2.0):
    return size * np.random.default_rng(0).standard_normal((count, problem.dim))


def losses(problem, x):
    """Each point's loss by SciPy, without the ridge."""
    scores = np.asarray(problem.features) @ x.reshape(problem.classes, -1).T
    return scipy.special.logsumexp(scores, axis=1) - scores[np.arange(len(scores)), problem.labels]


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_value_by_another_library_and_gradient_by_differences(problem):
    h = 1e-5
    for x in points(problem):
        assert problem.value(x) == pytest.approx(losses(problem, x).mean() + problem.ridge * (x @ x) / 2, rel=1e-13)
        steps = h * np.eye(problem.dim)
        difference = (problem.value(x + steps) - problem.value(x - steps)) / (2 * h)
        assert difference == pytest.approx(problem.gradient(x), abs=1e-8)
        curved = (problem.gradient(x + steps) - problem.gradient(x - steps)) / (2 * h)
        assert curved == pytest.approx(problem.hessian(x), abs=1e-8)


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_the_oracle_over_the_data_set_is_unbiased_with_the_stated_variance(problem):
    size = len(problem.labels)
    law = cells(size)
    found = list(check_noise(problem, law, points(problem)))
    assert [e.what.split()[1] for e in found] == ["bias", "variance"]
    assert all(e.measured <= e.claimed + e.error for e in found)
    for x in points(problem):
        noise = problem.oracle(x, law.samples) - problem.gradient(x)
        assert problem.variance(x) == pytest.approx(np.sum(noise**2) / size, rel=1e-12)
        assert problem.variance(x) <= problem.sigma_sq
    wrong = FiniteLaw(law.samples[:-1], np.full(size - 1, 1 / (size - 1)))  # a point is never drawn: a control
    biased = next(iter(check_noise(problem, wrong, points(problem))))
    assert biased.verdict == "refuted"


def test_the_variance_by_hand():
    """Scores sure of one class at each of two places, both labels at each: half of the points have ‖P − e_y‖² = 2.

    With ‖a‖² = 2 that is ½·2·2 less the squared mean, (½, −½) ⊗ (1, 0).
    """
    a = np.array([[1.0, 1.0], [-1.0, 1.0]])
    problem = SoftmaxRegression(np.repeat(a, 2, axis=0), np.array([0, 1, 0, 1]), ridge=0.1)
    assert problem.sigma_sq == 4.0
    assert problem.variance(np.array([1.0, 0.0, -1.0, 0.0]) * 40) == pytest.approx(2 - 0.5, rel=1e-14)


def test_a_batch_divides_the_variance():
    one, four = (SoftmaxRegression(PROBLEM.features, PROBLEM.labels, 0.1, batch) for batch in (1, 4))
    x = points(PROBLEM)[0]
    assert four.variance(x) == one.variance(x) / 4
    assert four.sigma_sq == one.sigma_sq / 4
    sample = four.draw(Streams(0, "sample").runs(0, 2), 3, 5)
    assert sample.shape == (3, 2, 5, 4)
    apart = np.mean([one.oracle(x, sample[0, 0, :, j : j + 1]) for j in range(4)], axis=0)
    assert four.oracle(x, sample[0, 0]) == pytest.approx(apart, rel=1e-13)


@pytest.mark.parametrize("flip", [False, True])
def test_one_worker_by_hand(flip):
    """Two classes at ±1, W = (w, −w): P_0 = 1/(1 + e^{−2wa}); the flipped label is the other one."""
    problem = SoftmaxRegression(np.array([[1.0], [-1.0]]), np.array([0, 1]), ridge=0.5)
    w = 0.3
    p = 1 / (1 + math.exp(-2 * w))
    first, second = problem.oracle(np.array([w, -w]), np.array([[0.2], [0.2]]), 1, flip)
    assert first == pytest.approx([p - 1 + 0.5 * w, 1 - p - 0.5 * w], rel=1e-14)
    assert second == pytest.approx([p - (not flip) + 0.5 * w, 1 - p - flip - 0.5 * w], rel=1e-14)


@pytest.mark.parametrize("batch", [1, 3])
def test_flipping_is_the_problem_with_other_labels(batch):
    problem = dataclasses.replace(PROBLEM, batch=batch)
    other = dataclasses.replace(problem, labels=3 - np.asarray(PROBLEM.labels))
    sample = problem.draw(Streams(0, "sample").runs(0, 2), 1, 7)[0]
    x = points(problem)[:2]
    plain, mixed = problem.oracle(x, sample), problem.oracle(x, sample, 4, flip=True)
    assert np.array_equal(mixed[:, :4], plain[:, :4])
    assert np.array_equal(mixed[:, 4:], other.oracle(x, sample)[:, 4:])
    assert not np.any(np.all(mixed[:, 4:] == plain[:, 4:], axis=-1))
    assert np.array_equal(problem.oracle(x, sample, flip=True), plain)


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_the_minimiser_is_certified_and_found_by_another_optimiser(problem):
    slope, size = np.linalg.norm(problem.gradient(problem.x_star)), np.linalg.norm(problem.features, axis=1).max()
    assert slope**2 / (2 * problem.ridge) <= 1e-28
    roundings = len(problem.labels) + 4 * problem.dim + 10  # a worst case of what the certificate counts, |W| < 1
    assert problem.gap <= (slope + roundings * 2.0**-53 * size * 2) ** 2 / (2 * problem.ridge) <= 1e-22
    found = scipy.optimize.minimize(
        problem.value, np.ones(problem.dim), jac=problem.gradient, method="L-BFGS-B", options={"ftol": 0, "gtol": 1e-9}
    )
    assert np.linalg.norm(found.x - problem.x_star) <= 1e-6
    assert found.fun >= problem.f_star - 1e-15 * (1 + problem.f_star) * 8
    assert problem.excess(problem.x_star) == 0


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_the_excess_is_the_difference_of_values_and_stays_exact_near_the_minimiser(problem):
    for scale in (1e-2, 0.1, 1.0, 10.0, 300.0):
        x = problem.x_star + scale * points(problem)
        assert problem.excess(x) == pytest.approx(problem.value(x) - problem.f_star, rel=1e-9)
    direction = points(problem)[0]
    curve = direction @ problem.hessian(problem.x_star) @ direction / 2
    for scale in (1e-3, 1e-6, 1e-9):  # where a difference of values has no digit left
        found = problem.excess(problem.x_star + scale * direction) / scale**2
        assert found == pytest.approx(curve, rel=20 * scale + 2e-15 / scale)  # the third derivative, x_star + step


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_smoothness_and_strong_convexity(problem):
    spectra = [np.linalg.eigvalsh(problem.hessian(x)) for x in points(problem, 20, 1.0)]
    assert max(s[-1] for s in spectra) <= problem.L
    assert min(s[0] for s in spectra) == pytest.approx(problem.mu, rel=1e-12)
    common = np.tile(np.arange(np.shape(problem.features)[1]) + 1.0, problem.classes)  # the same vector in each row
    x = points(problem)[0]
    assert problem.gradient(x + common) - problem.gradient(x) == pytest.approx(problem.mu * common, abs=1e-12)


def test_the_smoothness_bound_is_attained():
    """Two classes, W = 0: P = (½, ½), diag(P) − PPᵀ has the eigenvalue ½."""
    problem = PROBLEMS[1]
    assert np.linalg.eigvalsh(problem.hessian(np.zeros(problem.dim)))[-1] == pytest.approx(problem.L, rel=1e-12)
    simplex = np.random.default_rng(0).dirichlet([0.3] * 5, 2000)
    largest = [np.linalg.eigvalsh(np.diag(p) - np.outer(p, p))[-1] for p in simplex]
    assert 0.45 < max(largest) <= 0.5 + 1e-15


def test_accuracy_counts_the_highest_scores():
    x = PROBLEM.x_star
    guesses = np.argmax(np.asarray(PROBLEM.features) @ x.reshape(4, -1).T, axis=1)
    assert PROBLEM.accuracy(x) == np.mean(guesses == PROBLEM.labels) > 0.6


def test_draws_are_uniform_over_the_data():
    size = 64
    u = PROBLEM.draw(Streams(0, "sample").runs(0, 1), 1, 40_000)[0, 0, :, 0]
    counts = np.bincount(np.floor(u * size).astype(int), minlength=size)
    low, high = scipy.stats.binom.ppf([1e-11, 1 - 1e-11], 40_000, float(Fraction(1, size)))
    assert np.all((low <= counts) & (counts <= high))


def test_every_array_library_gives_the_same(make_array):
    x, sample = points(PROBLEM)[:2], np.random.default_rng(0).uniform(size=(2, 5, 1))
    for found, expected in (
        (
            PROBLEM.oracle(make_array(x), make_array(sample), 3, flip=True),
            PROBLEM.oracle(x, sample, 3, flip=True),
        ),
        (PROBLEM.excess(make_array(x)), PROBLEM.excess(x)),
        (PROBLEM.gradient(make_array(x)), PROBLEM.gradient(x)),
        (PROBLEM.value(make_array(x)), PROBLEM.value(x)),
        (PROBLEM.variance(make_array(x)), PROBLEM.variance(x)),
        (PROBLEM.accuracy(make_array(x)), PROBLEM.accuracy(x)),
    ):
        assert to_numpy(found) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SoftmaxRegression(np.ones(3), np.array([0, 1, 0])), r"features \(m, p\) and labels \(m,\)"),
        (lambda: SoftmaxRegression(np.ones((3, 1)), np.array([0, 1])), r"got \(3, 1\) and \(2,\)"),
        (lambda: SoftmaxRegression(np.array([[np.inf], [1.0]]), np.array([0, 1])), "finite features"),
        (
            lambda: SoftmaxRegression(np.full((2, 1), 1e160), np.array([0, 1])),
            "squares that are, got .* up to 1e\\+160",
        ),
        (lambda: SoftmaxRegression(np.ones((2, 0)), np.array([0, 1])), r"got \(2, 0\) and \(2,\)"),
        (lambda: SoftmaxRegression([[1.0], [1.0, 2.0]], np.array([0, 1])), "features of real numbers, got list"),
        (lambda: SoftmaxRegression(np.ones((2, 1)) * 1j, np.array([0, 1])), "real numbers, got an array of complex128"),
        (lambda: SoftmaxRegression(np.ma.ones((2, 1)), np.array([0, 1])), "real numbers, got MaskedArray"),
        (lambda: SoftmaxRegression(np.ones((2, 1)), [[0], [1, 0]]), r"got \(2, 1\) and list"),
        (lambda: SoftmaxRegression(np.ones((2, 1)), np.array([0, 1]), ridge=0.0), "ridge > 0, got ridge = 0.0"),
        (lambda: SoftmaxRegression(np.ones((2, 1)), np.array([0, 1]), batch=0), "batch ≥ 1, got batch = 0"),
        (lambda: SoftmaxRegression.mixture(classes=3, size=64), "a multiple of classes as size"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
