"""Problems whose noise is a wave with a random phase, against sums over equally spaced phases.

The mean of a trigonometric polynomial of degree < M over M equally spaced phases is its integral, so that 16 of them
give the moments of the sine exactly, up to rounding.
"""

import math

import numpy as np
import pytest

from sims.aggregators import Mean
from sims.backend import to_numpy
from sims.engine import Streams, simulate
from sims.optimizers import SGD, RobustSGD
from sims.problems import Huber, Pendulum, Sinusoidal

PHASES = np.arange(16)[:, None] / 16
KINDS = (Sinusoidal, Pendulum)
POINTS = np.array([-3.0, -0.7, 0.0, 0.2, 1.5, 4.0])


def noise(problem, x):
    """N(x; ξ) at the 16 phases."""
    at = np.array([x])
    return (problem.oracle(at, PHASES) - problem.gradient(at))[:, 0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("s", [0.5, 2.0])
def test_noise_has_mean_zero_and_the_stated_variance_everywhere(kind, s):
    problem = kind(s)
    for x in POINTS:
        assert abs(noise(problem, x).mean()) <= 1e-14
        assert (noise(problem, x) ** 2).mean() == pytest.approx(problem.sigma_sq, rel=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_mean_square_smoothness_holds_and_its_constant_is_attained(kind):
    problem = kind(1.5)
    ratios = []
    for x in POINTS:
        for y in (*POINTS, 1e-4, x + 1e-4):
            if x != y:
                g = [problem.oracle(np.array([p]), PHASES)[:, 0] for p in (x, y)]
                ratios.append(np.mean((g[0] - g[1]) ** 2) / (x - y) ** 2)
    assert max(ratios) <= problem.mean_square_L_sq * (1 + 1e-10)
    assert max(ratios) >= problem.mean_square_L_sq * (1 - 1e-6)
    assert problem.mean_square_L_sq == 1 + 1.5**2 / 2


@pytest.mark.parametrize("away", [1e-3, 0.1, 1.0, 3.0])
def test_the_square_wave_differs_to_first_order(away):
    # the signs differ on two arcs of length |x − y| of the circle: counted on a fine grid, error ≤ 4 cells
    problem, count = Sinusoidal(1.5, wave="square"), 400_000
    phases = (np.arange(count)[:, None] + 0.5) / count
    g = [problem.oracle(np.array([p]), phases)[:, 0] - p for p in (0.3, 0.3 + away)]
    assert np.mean(g[0] ** 2) == pytest.approx(problem.sigma_sq, rel=1e-14)
    assert np.mean((g[0] - g[1]) ** 2) == pytest.approx(4 * 1.5**2 * away / math.pi, abs=4 * 4 * 1.5**2 / count)
    assert problem.mean_square_L_sq == math.inf
    assert Sinusoidal(0.0, wave="square").mean_square_L_sq == 1


@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_that_of_the_value_and_one_lipschitz(kind):
    problem, h = kind(1.0, dim=2), 1e-5
    points = np.random.default_rng(0).uniform(-4, 4, (50, 2))
    for j in range(2):
        step = h * np.eye(2)[j]
        difference = (problem.value(points + step) - problem.value(points - step)) / (2 * h)
        assert difference == pytest.approx(problem.gradient(points)[:, j], abs=1e-9)
    slopes = np.abs(problem.gradient(points[1:]) - problem.gradient(points[:-1])) / np.abs(np.diff(points, axis=0))
    assert slopes.max() <= problem.L * (1 + 1e-12)
    assert problem.excess(np.zeros(2)) == problem.f_star == 0
    assert np.all(problem.excess(points) >= 0)


def test_the_pendulum_is_not_convex_and_the_bowl_is():
    ends = np.array([[2.0], [4.0], [3.0]])
    below, middle = (lambda v: ((v[0] + v[1]) / 2, v[2]))(Pendulum(1.0).value(ends))
    assert middle > below
    below, middle = (lambda v: ((v[0] + v[1]) / 2, v[2]))(Sinusoidal(1.0).value(ends))
    assert middle < below
    assert (Pendulum(1.0).mu, Sinusoidal(1.0).mu) == (0, 1)


def test_samples_are_uniform_phases_in_chunks_as_at_once():
    problem = Sinusoidal(1.0, dim=3)
    at_once = problem.draw(Streams(4, "sample").runs(0, 2), 5, 4)
    streams = Streams(4, "sample").runs(0, 2)
    assert np.array_equal(at_once, np.concatenate([problem.draw(streams, k, 4) for k in (2, 3)]))
    assert at_once.shape == (5, 2, 4, 3)
    values = np.sort(problem.draw(Streams(0, "sample").runs(0, 1), 1, 30_000).ravel())
    gap = np.max(np.abs(values - np.arange(len(values)) / len(values)))
    assert gap <= math.sqrt(math.log(2 / 1e-9) / (2 * len(values))) + 1 / len(values)  # Massart 1990


def test_amplitudes_are_a_grid():
    amplitude = np.array([[0.0], [0.5], [2.0]])
    sizes = {"n": 3, "f": 0, "steps": 20, "runs": 4, "seed": 0, "x0": [1.0]}
    many = simulate(Sinusoidal(amplitude), RobustSGD(Mean(), SGD(0.1)), grid=(3,), **sizes)
    for i, s in enumerate((0.0, 0.5, 2.0)):
        one = simulate(Sinusoidal(s), RobustSGD(Mean(), SGD(0.1)), **sizes)
        assert np.array_equal(many.x[i], one.x)
    assert Sinusoidal(amplitude).sigma_sq.tolist() == [[0.0], [0.125], [2.0]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wave", ["sine", "square"])
def test_every_array_library_gives_the_same(kind, wave, make_array):
    problem = kind(0.7, 2, wave)
    x, sample = np.array([[0.3, -2.0], [1.0, 5.0]]), np.random.default_rng(0).uniform(size=(2, 3, 2))
    for found, expected in (
        (problem.oracle(make_array(x), make_array(sample)), problem.oracle(x, sample)),
        (problem.excess(make_array(x)), problem.excess(x)),
        (problem.gradient(make_array(x)), problem.gradient(x)),
    ):
        assert to_numpy(found) == pytest.approx(expected, rel=1e-14, abs=1e-15)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sinusoidal(-1.0), "Sinusoidal needs 0 ≤ amplitude ≤ 1e\\+150, got amplitude = -1.0"),
        (lambda: Pendulum(float("nan")), "Pendulum needs 0 ≤ amplitude ≤ 1e\\+150, got amplitude = nan"),
        (lambda: Sinusoidal(1.0, dim=0), "Sinusoidal needs dim ≥ 1, got dim = 0"),
        (lambda: Sinusoidal(1.0, wave="saw"), "needs wave in .* got wave = 'saw'"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_huber_function_has_the_gradient_it_says():
    x = np.linspace(-3, 3, 61)[:, None]
    huber, step = Huber(1.0), 1e-6
    slopes = (huber.excess(x + step) - huber.excess(x - step)) / (2 * step)
    assert huber.gradient(x)[:, 0] == pytest.approx(slopes, abs=1e-6)
    assert huber.excess(np.array([2.0])) == 1.5
    assert float(huber.sigma_sq) == 0.5
