"""Problems: gradients, constants, oracles and their laws, each sampled claim with a false-alarm probability ≤ 1e-9."""

import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from sims import by_name
from sims.engine import Streams
from sims.problems import Bernoulli, Huber, Pareto, Pendulum, Quadratic, Rademacher, Sinusoidal

FALSE_ALARM = 1e-9
QUADRATIC = Quadratic((0.5, 2.0, 3.0), sigma_sq=6.0, zeta_sq=5.0, x_star=(1.0, -2.0, 0.25))
PROBLEMS = [QUADRATIC, Bernoulli(0.25, dim=2), Rademacher(dim=3), Pareto(dim=2)]
IDS = ["quadratic", "bernoulli", "rademacher", "pareto"]


def streams(runs=1, seed=0):
    return Streams(seed, "sample").runs(0, runs)


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_gradient_is_that_of_the_value(problem):
    # a central difference of a quadratic is exact but for rounding: each of the two values is a sum of three products
    # below 2^8, hence within 8 units of 2^8·eps, and dividing by 2h = 2^-3 multiplies that by 8
    h = 2.0**-4
    for x in np.random.default_rng(0).uniform(-4, 4, (20, problem.dim)):
        steps = h * np.eye(problem.dim)
        difference = (problem.value(x + steps) - problem.value(x - steps)) / (2 * h)
        assert np.max(np.abs(difference - problem.gradient(x))) <= 2 * 8 * 8 * 2.0**8 * np.finfo(float).eps


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_minimiser_minimum_and_excess(problem):
    star = np.zeros(problem.dim) + np.asarray(problem.x_star)
    assert np.array_equal(problem.gradient(star), np.zeros(problem.dim))
    assert problem.value(star) == problem.f_star
    x = star + np.arange(1, problem.dim + 1)
    assert problem.excess(x) == pytest.approx(problem.value(x) - problem.f_star, rel=1e-14)
    assert problem.excess(x) > 0


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_smoothness_and_strong_convexity_are_attained_and_not_exceeded(problem):
    axes = np.eye(problem.dim)
    slopes = np.linalg.norm(problem.gradient(axes) - problem.gradient(np.zeros(problem.dim)), axis=-1)
    assert slopes.max() == pytest.approx(problem.L, rel=1e-15)
    assert slopes.min() == pytest.approx(problem.mu, rel=1e-15)


def test_eigenvalues_between_are_geometric_and_end_at_both_constants():
    problem = Quadratic.between(0.5, 8.0, 5, sigma_sq=2.0)
    assert problem.eigenvalues == pytest.approx((0.5, 1.0, 2.0, 4.0, 8.0), rel=1e-15)
    assert (problem.mu, problem.L, problem.dim, problem.sigma_sq) == (0.5, 8.0, 5, 2.0)


@pytest.mark.parametrize(("n", "honest"), [(2, 2), (3, 3), (7, 7), (7, 4), (9, 2), (20, 15)])
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_offsets_of_the_honest_workers_sum_to_zero_and_have_mean_square_zeta(n, honest, dim):
    problem = Quadratic((1.0,) * dim, zeta_sq=5.0)
    offsets = problem.oracle(np.zeros(dim), np.zeros((n, dim)), honest)
    mean_square = np.sum(offsets[:honest] ** 2) / honest
    assert np.abs(offsets[:honest].sum(axis=0)).max() <= 1e-14 * n
    assert mean_square == pytest.approx(5.0, rel=1e-13)
    assert np.array_equal(offsets[honest:], offsets[[i % honest for i in range(n - honest)]])
    spread_if_all_counted = np.sum((offsets[: honest + 1] - offsets[: honest + 1].mean(axis=0)) ** 2) / (honest + 1)
    assert honest == n or abs(spread_if_all_counted - 5.0) > 1e-3  # the honest number matters: a control


def test_offsets_point_in_every_direction():
    offsets = Quadratic((1.0,) * 4, zeta_sq=1.0).oracle(np.zeros(4), np.zeros((9, 4)))
    assert offsets.T @ offsets / 9 == pytest.approx(np.eye(4) / 4, abs=1e-14)


def test_gaussian_noise_has_the_stated_mean_and_variance_and_no_other():
    # ξ = g − ∇f_i is Gaussian: √N·mean/s is standard normal and Σ(g − ∇f_i)²/s² has N degrees of freedom, both exactly
    n, steps, dim, x = 5, 20_000, 3, np.array([3.0, 0.0, -1.0])
    sample = QUADRATIC.draw(streams(), steps, n)
    noise = QUADRATIC.oracle(x[None], sample[:, 0]) - QUADRATIC.oracle(x[None], np.zeros((1, n, dim)))
    count = steps * n
    share = FALSE_ALARM / (2 * dim)
    half_width = scipy.stats.norm.isf(share / 2) * math.sqrt(2.0 / count)
    assert np.all(np.abs(noise.mean(axis=(0, 1))) <= half_width)
    low, high = scipy.stats.chi2.interval(1 - share, count)
    squares = np.sum(noise**2, axis=(0, 1))
    assert np.all((low <= squares / 2.0) & (squares / 2.0 <= high))
    for wrong in (2.0 * 1.06, 2.0 / 1.06):
        assert not np.any((low <= squares / wrong) & (squares / wrong <= high))


@pytest.mark.parametrize(("problem", "p"), [(Bernoulli(0.25), 0.25), (Rademacher(), 0.5)])
def test_two_point_laws_have_exactly_two_values_and_the_stated_probability(problem, p):
    count = 100_000
    values = -problem.oracle(np.zeros(1), problem.draw(streams(), 1, count)[0, 0])[:, 0]
    ones = int(np.sum(values == 1.0))
    assert set(np.unique(values)) == {1.0, 0.0 if isinstance(problem, Bernoulli) else -1.0}
    low, high = scipy.stats.binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], count, p)
    assert low <= ones <= high
    low, high = scipy.stats.binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], count, p + 0.02)
    assert not low <= ones <= high


@pytest.mark.parametrize(
    ("problem", "first", "last"),
    [
        (Bernoulli(0.0), 0.0, 0.0),
        (Bernoulli(0.5), 1.0, 0.0),
        (Bernoulli(1.0), 1.0, 1.0),
        (Rademacher(), 1.0, -1.0),
        (Pareto(), 1.0, 2.0 ** (53 / 3)),
    ],
    ids=repr,
)
def test_the_ends_of_the_uniform_have_finite_and_possible_values(problem, first, last):
    """Draws are multiples of 2^−53 in [0, 1): 0 comes once in 2^53 draws, and then it must be right, too."""
    found = problem.quantile(np.array([[0.0], [1.0 - 2.0**-53]]))[:, 0]
    assert found.tolist() == pytest.approx([first, last], rel=1e-14)


def test_two_point_laws_have_the_closed_moments():
    p = Fraction(1, 4)
    assert Fraction(Bernoulli(0.25).variance) == p * (1 - p) ** 2 + (1 - p) * p**2
    assert (Bernoulli(0.25).mean, Bernoulli(0.25).f_star) == (0.25, 0.09375)
    assert (Rademacher().mean, Rademacher().variance, Rademacher(dim=3).sigma_sq) == (0.0, 1.0, 3.0)


@pytest.mark.parametrize("shape", [2.5, 3.0, 7.0])
def test_pareto_moments_are_the_integrals_of_its_density(shape):
    problem = Pareto(shape)
    mean, mean_error = scipy.integrate.quad(lambda x: x * shape * x ** (-shape - 1), 1, math.inf)
    square, square_error = scipy.integrate.quad(lambda x: x * x * shape * x ** (-shape - 1), 1, math.inf)
    assert abs(problem.mean - mean) <= mean_error
    assert abs(problem.variance - (square - mean**2)) <= square_error + 4 * mean * mean_error


def test_pareto_draws_follow_the_stated_law_and_not_a_neighbour():
    # Dvoretzky–Kiefer–Wolfowitz with Massart's constant holds at every N: P(sup|F_N − F| > ε) ≤ 2 exp(−2Nε²).
    # No moment test would do: the third moment is infinite
    count = 200_000
    values = np.sort(-Pareto().oracle(np.zeros(1), Pareto().draw(streams(), 1, count)[0, 0])[:, 0])
    radius = math.sqrt(math.log(2 / FALSE_ALARM) / (2 * count))

    def distance(shape):
        law = 1 - values**-shape
        ranks = np.arange(count + 1) / count
        return max(np.max(law - ranks[:-1]), np.max(ranks[1:] - law))

    assert distance(3.0) <= radius
    assert distance(3.25) > radius
    assert distance(2.75) > radius


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_the_same_sample_serves_at_two_points(problem):
    sample = problem.draw(streams(), 1, 4)[0, 0]
    x, y = np.zeros(problem.dim), np.ones(problem.dim)
    difference = problem.oracle(x, sample) - problem.oracle(y, sample)
    assert difference == pytest.approx(
        np.broadcast_to(problem.gradient(x) - problem.gradient(y), (4, problem.dim)), abs=1e-14
    )


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (lambda v: Quadratic((1.0, 2.0), sigma_sq=v), [0.5, 1.0, 4.0]),
        (lambda v: Quadratic((1.0, 2.0), zeta_sq=v), [0.5, 1.0, 4.0]),
        (lambda v: Bernoulli(v, dim=2), [0.1, 0.5, 0.9]),
        (lambda v: Pareto(v, dim=2), [2.5, 3.0, 5.0]),
    ],
    ids=["sigma_sq", "zeta_sq", "p", "shape"],
)
def test_array_parameters_are_a_loop(make, values):
    many = make(np.array(values)[:, None])
    sample = many.draw(streams(4), 1, 3)[0]
    x = np.linspace(-1, 1, 24).reshape(3, 4, 2)
    for i, value in enumerate(values):
        one = make(value)
        assert np.array_equal(many.oracle(x, sample)[i], one.oracle(x[i], sample))
        assert np.array_equal(many.excess(x)[i], one.excess(x[i]))
        assert np.array_equal(many.gradient(x)[i], one.gradient(x[i]))


def test_array_eigenvalues_are_a_loop():
    eigenvalues = np.array([[1.0, 2.0], [3.0, 0.5]])
    many, x = Quadratic(eigenvalues[:, None, :]), np.linspace(-1, 1, 16).reshape(2, 4, 2)
    assert many.L[:, 0].tolist() == [2.0, 3.0]
    assert many.mu[:, 0].tolist() == [1.0, 0.5]
    for i in range(2):
        assert np.array_equal(many.excess(x)[i], Quadratic(tuple(eigenvalues[i])).excess(x[i]))


@pytest.mark.parametrize("cls", by_name.PROBLEMS, ids=lambda cls: cls.__name__)
def test_constructors_and_constants_compute_as_always_where_numpy_is_told_to_raise(cls):
    def constants():
        problem = cls.example()
        names = ("L", "mu", "sigma_sq", "zeta_sq", "x_star", "f_star", "dim", "sample_shape")
        return [np.asarray(getattr(problem, name)) for name in names]

    usual = constants()
    with np.errstate(all="raise"):
        strict = constants()
    assert all(np.array_equal(a, b) for a, b in zip(usual, strict, strict=True))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Quadratic((1.0, 2.0), sigma_sq=5e-324, zeta_sq=1e-320, x_star=1e308),
        lambda: Quadratic((5e-324, 1e308)),
        lambda: Quadratic.between(1e-300, 1e300, 5),
        lambda: Quadratic.between(5e-324, 5e-324, 3),
        lambda: Bernoulli(5e-324),
        lambda: Bernoulli(np.array([5e-324, 1.0])),
        lambda: Pareto(np.nextafter(2.0, 3.0)),
        lambda: Pareto(1e308),
        lambda: Pareto(np.array([3.0, 1e308])),
        lambda: Huber(5e-324),
        lambda: Sinusoidal(1e-200),
        lambda: Pendulum(np.array([1e-200, 0.0]), wave="square"),
    ],
)
def test_the_smallest_and_largest_parameters_too(make):
    with np.errstate(all="raise"):
        problem = make()
        for name in ("L", "mu", "sigma_sq", "zeta_sq", "x_star", "f_star"):
            assert np.all(np.isfinite(getattr(problem, name)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Quadratic((1.0, -0.5)), "Quadratic needs eigenvalues ≥ 0, got eigenvalues = -0.5"),
        (lambda: Quadratic(1.0), "eigenvalues of shape"),
        (lambda: Quadratic((1.0,), sigma_sq=-1.0), "sigma_sq ≥ 0, got sigma_sq = -1.0"),
        (lambda: Quadratic((1.0,), zeta_sq=math.nan), "zeta_sq ≥ 0, got zeta_sq = nan"),
        (lambda: Quadratic.between(2.0, 1.0, 3), "mu ≤ L, got mu = 2.0, L = 1.0"),
        (lambda: Quadratic.between(1.0, 2.0, 1), "mu = L for dim = 1"),
        (lambda: Quadratic((1.0,), zeta_sq=1.0).oracle(np.zeros(1), np.zeros((3, 1)), 1), "at least 2 honest workers"),
        (lambda: Bernoulli(1.5), "0 ≤ p ≤ 1, got p = 1.5"),
        (lambda: Bernoulli(math.nan), "0 ≤ p ≤ 1, got p = nan"),
        (lambda: Pareto(2.0), "shape > 2, got shape = 2.0"),
        (lambda: Rademacher(dim=0), "dim ≥ 1, got dim = 0"),
    ],
)
def test_bad_input_is_refused_with_its_numbers(make, message):
    with pytest.raises(ValueError, match=message):
        make()
