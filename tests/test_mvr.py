"""MVR in the engine, against explicit sums and rational recursions."""

from fractions import Fraction

import numpy as np
import pytest

from sims.aggregators import CenteredClipping, CoordinateMedian, Mean, TrimmedMean
from sims.attacks import ALittleIsEnough, Attack
from sims.backend import to_numpy
from sims.engine import Streams, simulate
from sims.optimizers import SGD, RobustSGD, WorkerMomentum, WorkerMVR
from sims.problems import Pendulum, Quadratic, Sinusoidal


def pairs(steps, n=3, d=2, seed=0):
    """Gradients at the present and the previous point, end to end, multiples of 1/8: small sums are exact."""
    return np.random.default_rng(seed).integers(-32, 33, (steps, n, 2 * d)) / 8


def iterate(algorithm, submitted, x0):
    state, xs = algorithm.init(x0), []
    for g in submitted:
        x, state = algorithm(g, state)
        xs.append(x)
    return np.stack(xs)


def by_hand(values, eta, alphas, start="sample", idle=0, x0=Fraction(4)):
    """One worker in one dimension, in rational arithmetic: all estimates and iterates."""
    m, x, xs, seen = Fraction(0), x0, [], []
    for t, (now, before) in enumerate(values, start=1):
        seen.append(now)
        if start == "sample" and t <= idle + 1:
            m = sum(seen, Fraction(0)) / t
        elif t == 1:
            m = alphas(1) * now
        else:
            m = now + (1 - alphas(t)) * (m - before)
        x = x if t <= idle else x - eta * m
        xs.append(x)
    return xs


@pytest.mark.parametrize(("start", "idle"), [("sample", 0), ("zero", 0), ("sample", 1), ("sample", 3)])
@pytest.mark.parametrize("varying", [False, True])
def test_the_recursion_in_rational_arithmetic(start, idle, varying):
    submitted = pairs(6, n=1, d=1)
    if start == "zero":
        submitted[0, :, 1] = submitted[0, :, 0]  # x_{−1} = x_0
    submitted[: idle + 1, :, 1] = submitted[: idle + 1, :, 0]
    alphas = (lambda t: Fraction(1, 2) if t % 2 else Fraction(1, 4)) if varying else lambda t: Fraction(1, 4)
    optimizer = WorkerMVR(0.5, (lambda t: float(alphas(t))) if varying else 0.25, start, idle)
    xs = iterate(RobustSGD(Mean(), optimizer), submitted, np.array([4.0]))[:, 0]
    values = [tuple(Fraction(float(g)) for g in row[0]) for row in submitted]
    expected = [float(x) for x in by_hand(values, Fraction(1, 2), alphas, start, idle)]
    assert xs == pytest.approx(expected, rel=1e-15)
    other = by_hand(values, Fraction(1, 2), lambda t: Fraction(3, 4), start, idle)
    assert [float(x) for x in other] != pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("idle", [0, 4])
def test_additive_noise_is_averaged_whatever_the_iterates_are(idle):
    # g = λx + ξ: m_t − λx_{t−1} = α Σ_k (1 − α)^{t−k} ξ_k + (1 − α)^{t−b} ξ̄, ξ̄ the mean of the first b = idle + 1
    lam, alpha, eta, steps, sigma = 2.0, 0.3, 0.1, 12, 1.5
    problem = Quadratic((lam,), sigma_sq=sigma**2)
    algorithm = RobustSGD(Mean(), WorkerMVR(eta, alpha, idle=idle))
    record = simulate(problem, algorithm, n=1, f=0, steps=steps, runs=3, seed=5, x0=[1.0])
    noise = sigma * Streams(5, "sample").runs(0, 3).normal(steps, (1, 1))[:, :, 0, 0]
    x, b = np.ones(3), idle + 1
    for t in range(1, steps + 1):
        if t >= b:
            error = (1 - alpha) ** (t - b) * noise[:b].mean(axis=0)
            error += sum(alpha * (1 - alpha) ** (t - k) * noise[k - 1] for k in range(b + 1, t + 1))
            x = x - eta * (lam * x + error)
        assert record.sq_distances[t] == pytest.approx(x**2, rel=1e-10)


def test_alpha_one_is_sgd_and_a_still_iterate_makes_it_momentum():
    problem, sizes = Sinusoidal(1.0, dim=2), {"n": 4, "f": 0, "steps": 15, "runs": 3, "seed": 0, "x0": [1.0, -2.0]}
    sgd = simulate(problem, RobustSGD(CoordinateMedian(), SGD(0.1)), **sizes)
    assert np.array_equal(simulate(problem, RobustSGD(CoordinateMedian(), WorkerMVR(0.1, 1.0)), **sizes).x, sgd.x)
    submitted = np.repeat(pairs(5)[..., :2], 2, axis=0)[:5]
    doubled = np.concatenate([submitted, submitted], axis=-1)
    mvr = RobustSGD(Mean(), WorkerMVR(0.5, 0.25, start="zero"))
    momentum = RobustSGD(Mean(), WorkerMomentum(0.5, 0.75))
    x0 = np.zeros(2)
    assert iterate(mvr, doubled, x0) == pytest.approx(iterate(momentum, submitted, x0), rel=1e-14)


def test_gradients_are_taken_at_the_last_two_iterates_with_one_sample():
    asked = []

    class Listening(Sinusoidal):
        def oracle(self, x, sample, honest=None):
            asked.append((x.copy(), sample.copy()))
            return super().oracle(x, sample, honest)

    record = simulate(
        Listening(1.0), RobustSGD(Mean(), WorkerMVR(0.1, 0.5)), n=2, f=0, steps=3, runs=1, seed=0, x0=[1.0]
    )
    points = [x[0, 0] for x, _ in asked]
    assert points[0] == points[1] == points[3] == 1.0
    assert points[2] == points[5]
    assert len(set(points)) == 3
    for k in (0, 2, 4):
        assert np.array_equal(asked[k][1], asked[k + 1][1])
    assert record.sq_distances[2, 0] == points[4] ** 2


def test_other_optimizers_ask_at_one_point():
    for optimizer in (SGD(0.1), WorkerMomentum(0.1, 0.5)):
        algorithm = RobustSGD(Mean(), optimizer)
        state = algorithm.init(np.zeros(2))
        assert [point is state.x for point in algorithm.points(state)] == [True]


def test_an_attack_on_gradients_sees_and_replaces_those_at_x_only():
    shapes = []

    class Zeros(Attack):
        enters = "gradients"

        def send(self, view, state, rng):
            shapes.append((view.honest_gradients.shape, view.own.shape, view.x.shape))
            return 0.0 * view.own, state

    problem = Sinusoidal(1.0, dim=2)
    algorithm = RobustSGD(Mean(), WorkerMVR(0.5, 0.25))
    record = simulate(problem, algorithm, n=3, f=1, attack=Zeros(), steps=2, runs=1, seed=1, x0=[1.0, 2.0])
    assert set(shapes) == {((1, 2, 2), (1, 1, 2), (1, 2))}
    samples = problem.draw(Streams(1, "sample").runs(0, 1), 2, 3)
    x0 = np.array([[1.0, 2.0]])
    first = problem.oracle(x0, samples[0])
    first[:, 2] = 0
    x1 = x0 - 0.5 * first.mean(axis=1)
    now, before = problem.oracle(x1, samples[1]), problem.oracle(x0, samples[1])
    now[:, 2] = 0
    x2 = x1 - 0.5 * (now + 0.75 * (first - before)).mean(axis=1)
    assert record.x == pytest.approx(x2, rel=1e-14)


@pytest.mark.parametrize("problem", [Sinusoidal(1.0, dim=2), Pendulum(0.5, dim=2)])
def test_runs_do_not_depend_on_batch_chunk_or_position(problem):
    algorithm = RobustSGD(CenteredClipping(tau=1.0), WorkerMVR(lambda t: 0.3 / t, lambda t: min(1.0, 1 / t), idle=2))
    sizes = {"n": 5, "f": 1, "attack": ALittleIsEnough(z=1.0), "steps": 11, "seed": 3, "x0": [1.0, -1.0]}
    many = simulate(problem, algorithm, runs=6, **sizes)
    for r in (0, 4):
        one = simulate(problem, algorithm, runs=1, first_run=r, chunk=3, **sizes)
        assert np.array_equal(one.x[0], many.x[r])
        assert np.array_equal(one.excess[:, 0], many.excess[:, r])
    assert many.key() != simulate(problem, RobustSGD(CenteredClipping(1.0), WorkerMVR(0.3, 0.5)), runs=6, **sizes).key()


def test_shuffled_workers_do_not_change_the_mean():
    algorithm = RobustSGD(Mean(), WorkerMVR(0.1, 0.3))
    sizes = {"n": 4, "f": 0, "steps": 8, "runs": 2, "seed": 0, "x0": [1.0]}
    plain = simulate(Quadratic((1.0,), sigma_sq=1.0), algorithm, **sizes)
    mixed = simulate(Quadratic((1.0,), sigma_sq=1.0), algorithm, shuffle=True, **sizes)
    assert mixed.x == pytest.approx(plain.x, rel=1e-12)


def test_array_parameters_are_a_loop():
    etas, alphas = np.array([0.1, 0.5, 0.0]), np.array([1.0, 0.3, 0.0])
    sizes = {"n": 5, "f": 1, "attack": ALittleIsEnough(z=1.0), "steps": 9, "runs": 4, "seed": 0, "x0": [2.0]}
    many = simulate(
        Sinusoidal(1.0), RobustSGD(TrimmedMean(1), WorkerMVR(etas[:, None], alphas[:, None])), grid=(3,), **sizes
    )
    for i in range(3):
        rule = RobustSGD(TrimmedMean(1), WorkerMVR(float(etas[i]), float(alphas[i])))
        assert np.array_equal(many.x[i], simulate(Sinusoidal(1.0), rule, **sizes).x)


@pytest.mark.parametrize("optimizer", [WorkerMVR(0.5, 0.25), WorkerMVR(0.5, 0.25, "zero"), WorkerMVR(0.5, 0.5, idle=2)])
def test_every_array_library_gives_the_same(optimizer, make_array):
    algorithm, submitted = RobustSGD(Mean(), optimizer), pairs(5)
    state = algorithm.init(make_array(np.zeros(2)))
    for g in submitted:
        x, state = algorithm(make_array(g), state)
        assert all(type(point) is type(x) for point in algorithm.points(state))
    assert to_numpy(x) == pytest.approx(iterate(algorithm, submitted, np.zeros(2))[-1], rel=1e-14)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WorkerMVR(-0.1, 0.5), "WorkerMVR needs learning_rate ≥ 0, got learning_rate = -0.1"),
        (lambda: WorkerMVR(0.1, 1.5), "WorkerMVR needs 0 ≤ alpha ≤ 1, got alpha = 1.5"),
        (lambda: WorkerMVR(0.1, np.array([0.5, -0.5])), "0 ≤ alpha ≤ 1, got alpha = -0.5"),
        (lambda: WorkerMVR(0.1, float("nan")), "alpha = nan"),
        (lambda: WorkerMVR(0.1, 0.5, "batch"), "needs start in .* got start = 'batch'"),
        (lambda: WorkerMVR(0.1, 0.5, idle=-1), "needs idle ≥ 0, got idle = -1"),
        (lambda: WorkerMVR(0.1, 0.5, "zero", 2), "no start = 'zero' with idle = 2"),
    ],
)
def test_bad_input_is_refused_with_its_numbers(make, message):
    with pytest.raises(ValueError, match=message):
        make()
