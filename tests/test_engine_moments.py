"""The engine against exact recursions of the moments, each with a wrong recursion that must fail."""

import functools
import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats

from sims.aggregators import Mean
from sims.engine import Streams, simulate
from sims.optimizers import SGD, RobustSGD, ServerMomentum, WorkerMomentum
from sims.problems import Quadratic, Rademacher

FALSE_ALARM = 1e-9


def exact_law(lam, eta, beta, damped, variance, e0, steps):
    """Mean and variance of x_t − x*, t = 0, …, steps, for f = ½λ(x − x*)² and averaged gradients of the given variance.

    z = (x − x*, m) follows z⁺ = Az + bε, m⁺ = w(λ(x − x*) + ε) + βm, x⁺ = x − ηm⁺: its mean is A^t z_0, its covariance
    P⁺ = APAᵀ + variance·bbᵀ.
    """
    w = 1 - beta if damped else 1.0
    A = np.array([[1 - eta * w * lam, -eta * beta], [w * lam, beta]])
    b = np.array([-eta * w, w])
    z, P = np.array([e0, 0.0]), np.zeros((2, 2))
    law = [(z[0], P[0, 0])]
    for _ in range(steps):
        z, P = A @ z, A @ P @ A.T + variance * np.outer(b, b)
        law.append((z[0], P[0, 0]))
    return np.array(law)


def consistent(squares, mean, variance, share):
    """Whether Σ_r e_r² of R independent e_r ~ N(mean, variance) is within bounds that fail with probability ≤ share.

    Σ e_r²/variance is noncentral χ² with R degrees of freedom and B = R·mean²/variance; with probability
    ≥ 1 − 2e^{−u} it is between R + B − 2√((R + 2B)u) and R + B + 2√((R + 2B)u) + 2u (Birgé 2001, Lemma 8.1).
    """
    R, u = squares.shape[-1], math.log(2 / share)
    B = R * mean**2 / variance
    total, spread = np.sum(squares) / variance, 2 * math.sqrt((R + 2 * B) * u)
    return R + B - spread <= total <= R + B + spread + 2 * u


# λ, η, β: slow, fast, oscillating, heavy momentum
LAWS = [(1.0, 0.1, 0.0), (0.5, 0.8, 0.5), (4.0, 0.3, 0.9), (2.0, 0.05, 0.9), (1.0, 0.4, 0.99), (3.0, 0.5, 0.6)]
LAM, ETA, BETA = (np.array(column)[:, None] for column in zip(*LAWS, strict=True))
SIGMA_SQ, WORKERS, STEPS, TIMES = 3.0, 4, 40, (1, 2, 5, 12, 40)
OPTIMIZERS = {
    "sgd": SGD(ETA),
    "worker": WorkerMomentum(ETA, BETA),
    "worker-undamped": WorkerMomentum(ETA / 4, BETA, damped=False),
    "server": ServerMomentum(ETA, BETA),
    "server-undamped": ServerMomentum(ETA / 4, BETA, damped=False),
}
STARTS = [0.0, 1.5]  # x_0 − x*: from the optimum the noise is all there is, from afar the transient shows


@functools.cache
def simulated(name, e0):
    problem = Quadratic(LAM[..., None], sigma_sq=SIGMA_SQ, x_star=0.5)
    algorithm = RobustSGD(Mean(), OPTIMIZERS[name])
    sizes = {"n": WORKERS, "f": 0, "steps": STEPS, "runs": 6000, "seed": 1, "grid": (len(LAWS),)}
    return simulate(problem, algorithm, x0=[0.5 + e0], **sizes)


def agreements(name, e0, beta_error=0.0, variance_factor=1.0):
    """For each law and time: whether the simulated E‖x_t − x*‖² agrees with the exact one, or with a wrong one."""
    damped = not name.endswith("undamped")
    share = FALSE_ALARM / (len(LAWS) * len(TIMES))
    agreed = []
    for i, (lam, eta, beta) in enumerate(LAWS):
        beta = 0.0 if name == "sgd" else beta
        variance = variance_factor * SIGMA_SQ / WORKERS
        law = exact_law(lam, eta if damped else eta / 4, beta + beta_error, damped, variance, e0, STEPS)
        agreed.append([consistent(simulated(name, e0).sq_distances[t, i], *law[t], share) for t in TIMES])
    return np.array(agreed)


@pytest.mark.parametrize("e0", STARTS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_second_moments_follow_the_exact_recursion(name, e0):
    assert np.all(agreements(name, e0))


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("factor", [0.7, 1.35])
def test_a_wrong_noise_variance_is_caught_at_every_time(name, factor):
    assert not np.any(agreements(name, 0.0, variance_factor=factor))


@pytest.mark.parametrize("name", [name for name in OPTIMIZERS if name != "sgd"])
def test_a_wrong_beta_is_caught_under_every_law(name):
    assert not np.any(np.all(agreements(name, 1.5, beta_error=-0.1), axis=1))


def test_every_coordinate_has_its_own_variance():
    # x_T − x* is exactly Gaussian; from x* its squares over runs are χ² with one degree of freedom each
    lam, eta, beta, runs, steps = (0.2, 1.0, 3.0), 0.4, 0.7, 5000, 15
    problem = Quadratic(lam, sigma_sq=SIGMA_SQ)
    algorithm = RobustSGD(Mean(), WorkerMomentum(eta, beta))
    record = simulate(problem, algorithm, n=5, f=0, steps=steps, runs=runs, seed=2, every=steps)
    squares = np.sum(record.x**2, axis=0)
    variances = np.array([exact_law(v, eta, beta, True, SIGMA_SQ / (3 * 5), 0.0, steps)[-1, 1] for v in lam])
    low, high = scipy.stats.chi2.interval(1 - FALSE_ALARM / 3, runs)
    assert np.all((low <= squares / variances) & (squares / variances <= high))
    elsewhere = squares / variances[[1, 2, 0]]
    assert not np.any((low <= elsewhere) & (elsewhere <= high))


def test_sgd_settles_at_its_noise_floor():
    # stationary: E‖x − x*‖² = η(σ²/n)/(λ(2 − ηλ)); 60 rounds leave (1 − ηλ)^120 < 1e-47 of the start
    lam, eta, runs = 2.0, 0.3, 5000
    record = simulate(
        Quadratic((lam,), sigma_sq=SIGMA_SQ),
        RobustSGD(Mean(), SGD(eta)),
        n=WORKERS,
        f=0,
        steps=60,
        runs=runs,
        seed=3,
        x0=[1.0],
        every=60,
    )
    floor = eta * SIGMA_SQ / WORKERS / (lam * (2 - eta * lam))
    low, high = scipy.stats.chi2.interval(1 - FALSE_ALARM, runs)
    assert low <= record.sq_distances[-1].sum() / floor <= high
    small_step_formula = eta * SIGMA_SQ / WORKERS / (2 * lam)
    assert not low <= record.sq_distances[-1].sum() / small_step_formula <= high


def test_without_noise_convergence_is_linear_with_the_exact_slope():
    # ηλ = ½ and powers of two: no rounding at all, f(x_t) − f* = 4^−t (f(x_0) − f*)
    record = simulate(Quadratic((2.0,)), RobustSGD(Mean(), SGD(0.25)), n=4, f=0, steps=50, runs=2, seed=0, x0=[8.0])
    powers = 4.0 ** -np.arange(51)[:, None] * np.ones(2)
    assert np.array_equal(record.excess, 64.0 * powers)
    assert np.array_equal(record.sq_distances, 64.0 * powers)
    assert np.array_equal(record.sq_gradient_norms, 256.0 * powers)
    assert np.array_equal(record.sq_aggregate_errors, np.zeros((50, 2)))


def test_without_noise_momentum_is_the_rational_recursion():
    algorithm = RobustSGD(Mean(), WorkerMomentum(1.0, 0.5))
    record = simulate(Quadratic((0.5,)), algorithm, n=2, f=0, steps=12, runs=1, seed=0, x0=[1.0])
    x, m, half = Fraction(1), Fraction(0), Fraction(1, 2)
    for t in range(1, 13):
        m = half * (half * x) + half * m
        x -= m
        assert record.sq_gradient_norms[t, 0] == pytest.approx(float((half * x) ** 2), rel=1e-15)


def test_averaging_by_the_rate_1_over_t_gives_the_mean_of_all_samples():
    # x_t = x_{t−1} − (x_{t−1} − ξ̄_t)/t is the average of the signs so far, which are drawn here a second time
    record = simulate(Rademacher(), RobustSGD(Mean(), SGD(lambda t: 1.0 / t)), n=3, f=0, steps=50, runs=4, seed=5)
    signs = np.where(Streams(5, "sample").runs(0, 4).uniform(50, (3,)) < 0.5, 1.0, -1.0)
    assert record.x[:, 0] == pytest.approx(signs.mean(axis=(0, 2)), abs=1e-14)
