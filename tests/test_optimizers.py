"""Optimizers and the algorithms made of them, against hand-made sums."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest

from sims.aggregators import CenteredClipping, CoordinateMedian, Mean
from sims.by_name.register import OPTIMIZERS
from sims.optimizers import SGD, RobustSGD, ServerMomentum, WorkerMomentum

X0 = np.array([4.0, -2.0])


def gradients(steps, n=3, d=2, seed=0):
    """Multiples of 1/8, so that short sums and products with dyadic β and η are exact."""
    return np.random.default_rng(seed).integers(-32, 33, (steps, n, d)) / 8


def iterate(algorithm, submitted, x0=X0):
    state, xs = algorithm.init(x0), []
    for g in submitted:
        x, state = algorithm(g, state)
        xs.append(x)
    return np.stack(xs)


def exact_momentum(values, eta, beta, damped, x0):
    """x_t of momentum in rational arithmetic, by the explicit sum over the past instead of the recursion."""
    weight = 1 - beta if damped else Fraction(1)
    xs, x = [], x0
    for t in range(len(values)):
        x = x - eta * sum(weight * beta ** (t - s) * values[s] for s in range(t + 1))
        xs.append(x)
    return xs


@pytest.mark.parametrize("damped", [True, False])
@pytest.mark.parametrize("kind", [WorkerMomentum, ServerMomentum])
def test_momentum_is_the_geometric_sum_over_the_past(kind, damped):
    submitted = gradients(6, n=1, d=1)
    xs = iterate(RobustSGD(Mean(), kind(0.5, 0.25, damped)), submitted, np.array([4.0]))[:, 0]
    values = [Fraction(float(g)) for g in submitted[:, 0, 0]]
    assert xs.tolist() == exact_momentum(values, Fraction(1, 2), Fraction(1, 4), damped, Fraction(4))
    assert xs.tolist() != exact_momentum(values, Fraction(1, 2), Fraction(1, 4), not damped, Fraction(4))


def test_sgd_is_the_running_sum():
    submitted = gradients(5, n=4)
    expected = X0 - 0.5 * np.cumsum(submitted.mean(axis=1), axis=0)
    assert np.array_equal(iterate(RobustSGD(Mean(), SGD(0.5)), submitted), expected)


def test_zero_momentum_is_sgd():
    submitted = gradients(5)
    sgd = iterate(RobustSGD(CoordinateMedian(), SGD(0.5)), submitted)
    for kind in (WorkerMomentum, ServerMomentum):
        for damped in (True, False):
            assert np.array_equal(iterate(RobustSGD(CoordinateMedian(), kind(0.5, 0.0, damped)), submitted), sgd)


def test_worker_and_server_momentum_agree_for_the_mean_and_for_no_median():
    submitted = gradients(5, n=4)
    worker, server = (kind(0.5, 0.5) for kind in (WorkerMomentum, ServerMomentum))
    assert np.array_equal(iterate(RobustSGD(Mean(), worker), submitted), iterate(RobustSGD(Mean(), server), submitted))
    median = CoordinateMedian()
    assert np.any(iterate(RobustSGD(median, worker), submitted) != iterate(RobustSGD(median, server), submitted))


def test_undamped_momentum_is_damped_with_a_larger_learning_rate_and_radius():
    # β = ½: everything is scaled by a power of two, so that equation (1) holds bit for bit
    submitted = gradients(8)
    form_1 = iterate(RobustSGD(CenteredClipping(tau=2.0), WorkerMomentum(0.25, 0.5, damped=False)), submitted)
    damped = iterate(RobustSGD(CenteredClipping(tau=1.0), WorkerMomentum(0.5, 0.5)), submitted)
    unscaled = iterate(RobustSGD(CenteredClipping(tau=2.0), WorkerMomentum(0.5, 0.5)), submitted)
    assert np.array_equal(form_1, damped)
    assert np.any(form_1 != unscaled)


def test_schedules_receive_the_round_from_one_on():
    submitted = gradients(4)
    seen = []

    def rate(t):
        seen.append(t)
        return 1.0 / t

    xs = iterate(RobustSGD(Mean(), SGD(rate)), submitted)
    assert seen == [1, 2, 3, 4]
    expected = X0 - np.cumsum(submitted.mean(axis=1) / np.arange(1, 5)[:, None], axis=0)
    assert xs == pytest.approx(expected, rel=1e-14)


def test_beta_as_a_function_gives_theorem_vi_its_first_round():
    submitted = gradients(3)
    xs = iterate(RobustSGD(Mean(), WorkerMomentum(1.0, lambda t: 0.0 if t == 1 else 0.5)), submitted)
    g1, g2 = submitted[:2].mean(axis=1)
    assert xs[:2] == pytest.approx(np.stack([X0 - g1, X0 - g1 - (g2 + g1) / 2]), rel=1e-14)


def test_halves_make_a_round_and_nothing_is_hidden():
    algorithm = RobustSGD(CenteredClipping(tau=1.0), WorkerMomentum(0.5, 0.5))
    g = gradients(2)
    _, state = algorithm(g[0], algorithm.init(X0))
    messages, spoken = algorithm.messages(g[1], state)
    guess = algorithm.aggregate(messages, spoken)
    x, after = algorithm.update(messages, spoken)
    again, _ = algorithm(g[1], state)
    assert np.array_equal(x, again)
    assert np.array_equal(after.aggregate, guess)
    assert (state.t, spoken.t, after.t) == (1, 1, 2)
    assert np.array_equal(messages, 0.5 * g[1] + 0.5 * (0.5 * g[0]))


def test_the_rule_keeps_its_state_from_round_to_round():
    # one worker always sends 10: clipping with τ = 1 moves its centre by one a round, 1, 2, 3
    xs = iterate(RobustSGD(CenteredClipping(tau=1.0), SGD(0.5)), np.full((3, 1, 1), 10.0), np.array([8.0]))
    assert xs[:, 0].tolist() == [8 - 0.5, 8 - 1.5, 8 - 3.0]


def test_inputs_may_be_read_only():
    submitted, x0 = gradients(3), X0.copy()
    submitted.flags.writeable = x0.flags.writeable = False
    assert np.all(np.isfinite(iterate(RobustSGD(Mean(), WorkerMomentum(0.5, 0.5)), submitted, x0)))


def test_a_plain_function_is_a_rule():
    submitted = gradients(4)
    plain = iterate(RobustSGD(lambda rows: np.median(rows, axis=0), SGD(0.5)), submitted)
    assert np.array_equal(plain, iterate(RobustSGD(CoordinateMedian(), SGD(0.5)), submitted))


@pytest.mark.parametrize("kind", [WorkerMomentum, ServerMomentum])
def test_array_parameters_are_a_loop(kind):
    etas, betas = np.array([0.1, 0.5, 1.0]), np.array([0.0, 0.3, 0.9])
    submitted = np.random.default_rng(0).normal(size=(5, 3, 4, 6, 2))
    x0 = np.ones((3, 4, 2))
    many = iterate(RobustSGD(Mean(), kind(etas[:, None], betas[:, None])), submitted, x0)
    for i in range(3):
        one = iterate(RobustSGD(Mean(), kind(float(etas[i]), float(betas[i]))), submitted[:, i], x0[i])
        assert np.array_equal(many[:, i], one)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(-0.1), "SGD needs learning_rate ≥ 0, got learning_rate = -0.1"),
        (lambda: SGD(float("nan")), "learning_rate ≥ 0, got learning_rate = nan"),
        (lambda: WorkerMomentum(0.1, 1.0), "WorkerMomentum needs 0 ≤ beta < 1, got beta = 1.0"),
        (lambda: ServerMomentum(0.1, np.array([0.5, -0.2])), "ServerMomentum needs 0 ≤ beta < 1, got beta = -0.2"),
        (lambda: WorkerMomentum(np.array([0.5, -1.0]), 0.5), "learning_rate ≥ 0, got learning_rate = -1.0"),
        (lambda: RobustSGD("mean", SGD(0.1)), "a rule is a sims Rule or a function"),
        (lambda: RobustSGD(Mean(), 0.1), "RobustSGD needs a sims Optimizer, got optimizer = 0.1"),
    ],
)
def test_bad_input_is_refused_with_its_numbers(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@dataclasses.dataclass
class Asked:
    """A schedule that is constant, and the rounds that it was asked for."""

    value: float
    rounds: list = dataclasses.field(default_factory=list)

    def __call__(self, t):
        self.rounds.append(t)
        return self.value


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in OPTIMIZERS for name in kind.reals])
def test_every_schedule_is_asked_for_the_round_that_is_played(kind, name):
    example = kind.example()
    asked = Asked(getattr(example, name))
    algorithm = RobustSGD(Mean(), dataclasses.replace(example, **{name: asked}))
    state = algorithm.init(X0)
    for t in range(1, 6):
        before = len(asked.rounds)
        _, state = algorithm(np.ones((3, 2 * len(algorithm.points(state)))), state)
        assert set(asked.rounds[before:]) <= {t}
    assert {2, 3, 4, 5} <= set(asked.rounds)  # MVR's first estimate needs no α
