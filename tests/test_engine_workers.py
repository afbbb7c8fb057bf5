"""Workers, attackers and identities in the engine, by sums that can be made by hand."""

from dataclasses import dataclass

import numpy as np
import pytest
import scipy.stats

from sims.aggregators import CenteredClipping, CoordinateMedian, Mean, TrimmedMean
from sims.attacks import ALittleIsEnough, Attack, BitFlipping, InnerProductManipulation
from sims.engine import Streams, simulate
from sims.optimizers import SGD, RobustSGD, ServerMomentum, WorkerMomentum
from sims.problems import Quadratic

FALSE_ALARM = 1e-9


@dataclass(frozen=True)
class Constant(Attack):
    """The same number in every coordinate, submitted as a gradient or as a message."""

    value: float
    enters: str = "messages"

    def send(self, view, state, rng):
        return view.own * 0.0 + self.value, state


def one_step(rule, n, f, attack, **options):
    """‖aggregate − mean honest message‖² in the first round from x = 3 on f(x) = ½x², without noise."""
    algorithm = RobustSGD(rule, SGD(0.5))
    record = simulate(
        Quadratic((1.0,)), algorithm, n=n, f=f, attack=attack, steps=1, runs=1, seed=0, x0=[3.0], **options
    )
    return float(record.sq_aggregate_errors[0, 0])


def test_the_true_number_of_attackers_need_not_be_the_declared_one():
    # honest messages 3, Byzantine 103; a trimmed mean of 7 with f = 1 averages 5 values, true f − 1 of them bad
    errors = [one_step(TrimmedMean(f=1), 7, f, Constant(103.0)) for f in range(7)]
    assert errors[:2] == [0.0, 0.0]
    assert errors[2:] == pytest.approx([20.0**2, 40.0**2, 60.0**2, 80.0**2, 100.0**2], rel=1e-14)


def test_attacks_meet_the_mean_as_they_should():
    assert one_step(Mean(), 4, 1, None) == 0.0
    assert one_step(Mean(), 4, 1, BitFlipping()) == pytest.approx(1.5**2)  # (3·3 − 3)/4 − 3
    assert one_step(Mean(), 4, 1, InnerProductManipulation(epsilon=1.0)) == pytest.approx(1.5**2)
    assert one_step(Mean(), 4, 1, ALittleIsEnough()) == 0.0  # without noise there is no spread to hide in


def test_bit_flipping_without_momentum_and_with_it():
    # worker momentum β = ½, one round from x = 3: messages 1.5; the raw flip sends −3, the other −1.5
    sizes = {"n": 4, "f": 1, "steps": 1, "runs": 1, "seed": 0, "x0": [3.0]}
    algorithm = RobustSGD(Mean(), WorkerMomentum(0.5, 0.5))
    raw, momenta = (
        simulate(Quadratic((1.0,)), algorithm, attack=BitFlipping(on), **sizes) for on in ("gradients", "messages")
    )
    assert raw.sq_aggregate_errors[0, 0] == ((1.5 * 3 - 3) / 4 - 1.5) ** 2
    assert momenta.sq_aggregate_errors[0, 0] == ((1.5 * 3 - 1.5) / 4 - 1.5) ** 2


def test_a_submitted_gradient_goes_through_the_momentum_and_a_message_does_not():
    algorithm = RobustSGD(Mean(), WorkerMomentum(0.5, 0.5))
    sizes = {"n": 4, "f": 1, "steps": 1, "runs": 1, "seed": 0, "x0": [3.0]}
    submitted, sent = (
        simulate(Quadratic((1.0,)), algorithm, attack=Constant(8.0, enters), **sizes).sq_aggregate_errors[0, 0]
        for enters in ("gradients", "messages")
    )
    assert submitted == ((1.5 * 3 + 4) / 4 - 1.5) ** 2
    assert sent == ((1.5 * 3 + 8) / 4 - 1.5) ** 2


def test_a_submitted_gradient_is_remembered_by_its_identity_and_a_message_is_not():
    # from x = 4, η = ½, β = ½: rounds of four workers, honest momenta h and the attacker's momentum b
    algorithm = RobustSGD(Mean(), WorkerMomentum(0.5, 0.5))
    sizes = {"n": 4, "f": 1, "steps": 2, "runs": 1, "seed": 0, "x0": [4.0]}
    for enters, first, second in (("gradients", 4.0, 0.5 * 8 + 0.5 * 4.0), ("messages", 8.0, 8.0)):
        record = simulate(Quadratic((1.0,)), algorithm, attack=Constant(8.0, enters), **sizes)
        h1 = 0.5 * 4
        x1 = 4 - 0.5 * (3 * h1 + first) / 4
        h2 = 0.5 * x1 + 0.5 * h1
        x2 = x1 - 0.5 * (3 * h2 + second) / 4
        assert record.x[0, 0] == x2
        assert record.sq_distances[1, 0] == x1**2


@dataclass(frozen=True)
class Counting(Attack):
    """Sends its state, which starts at 10·n + f and grows by one a round."""

    def init(self, x, n, f):
        return 10 * n + f

    def send(self, view, state, rng):
        return view.own * 0.0 + state, state + 1


def test_the_attack_keeps_its_state_from_round_to_round():
    algorithm = RobustSGD(Mean(), SGD(0.0))
    record = simulate(Quadratic((1.0,)), algorithm, n=4, f=2, attack=Counting(), steps=3, runs=1, seed=0, chunk=1)
    assert record.sq_aggregate_errors[:, 0].tolist() == [(state / 2) ** 2 for state in (42, 43, 44)]


@dataclass(frozen=True)
class Spy(Attack):
    """Sends three times its own message and notes what it saw, and what it predicts the aggregate to be."""

    views: list
    predictions: list

    def send(self, view, state, rng):
        sent = 3 * view.own
        self.views.append(view)
        self.predictions.append(view.aggregate(np.concatenate([view.honest, sent], axis=-2)))
        return sent, state


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("rule", [CenteredClipping(tau=0.5), lambda messages: messages[0] + messages[2]])
def test_the_view_shows_the_round_as_it_is(rule, shuffle):
    # clipping knows its centre, the plain function the places of the workers: the prediction must have both right
    spy, problem = Spy([], []), Quadratic((1.0, 3.0), sigma_sq=1.0)
    algorithm, n, f, eta, beta = RobustSGD(rule, WorkerMomentum(0.25, 0.5)), 5, 2, 0.25, 0.5
    simulate(problem, algorithm, n=n, f=f, attack=spy, steps=6, runs=3, seed=0, x0=[4.0, 1.0], shuffle=shuffle)
    samples = problem.draw(Streams(0, "sample").runs(0, 3), 6, n)
    x, aggregate, momenta = np.tile([4.0, 1.0], (3, 1)), np.zeros((3, 2)), np.zeros((3, n, 2))
    for t, (view, prediction) in enumerate(zip(spy.views, spy.predictions, strict=True)):
        gradients = problem.oracle(x, samples[t])
        momenta = (1 - beta) * gradients + beta * momenta
        assert view.t == t + 1
        assert np.array_equal(view.x, x)
        assert np.array_equal(view.last_aggregate, aggregate)
        assert np.array_equal(np.concatenate([view.honest_gradients, view.own_gradients], axis=-2), gradients)
        assert shuffle or np.array_equal(np.concatenate([view.honest, view.own], axis=-2), momenta)
        aggregate = prediction
        x = x - eta * aggregate


def shuffled(rule, optimizer, shuffle, steps=10):
    """n = 8, f = 3 submit the gradient 64; honest gradients are the same for all; powers of two, hence no rounding."""
    return simulate(
        Quadratic((0.5,)),
        RobustSGD(rule, optimizer),
        n=8,
        f=3,
        attack=Constant(64.0, "gradients"),
        steps=steps,
        runs=5,
        seed=0,
        x0=[1024.0],
        shuffle=shuffle,
    )


def test_shuffling_defeats_worker_momentum_but_not_the_median_of_gradients():
    momentum = WorkerMomentum(0.5, 0.5)
    # five equal honest momenta of eight: the median is theirs, as long as the attackers keep their identities
    assert np.all(shuffled(CoordinateMedian(), momentum, False).sq_aggregate_errors == 0)
    assert np.all(shuffled(CoordinateMedian(), momentum, True).sq_aggregate_errors.max(axis=0) > 1)
    assert np.all(shuffled(CoordinateMedian(), SGD(0.5), True).sq_aggregate_errors == 0)


@pytest.mark.parametrize(
    "attack", [BitFlipping(), BitFlipping("messages"), InnerProductManipulation(0.5), Constant(5.0, "gradients")]
)
@pytest.mark.parametrize("optimizer", [SGD(0.1), ServerMomentum(0.1, 0.5)])
def test_an_attacker_is_shown_his_own_message_wherever_he_stands(attack, optimizer):
    problem = Quadratic((1.0, 2.0), sigma_sq=1.0, zeta_sq=9.0)
    size = {"n": 7, "f": 3, "steps": 6, "runs": 5, "seed": 0}
    plain, shuffled = (
        simulate(problem, RobustSGD(Mean(), optimizer), attack=attack, shuffle=which, **size) for which in (False, True)
    )
    np.testing.assert_allclose(shuffled.x, plain.x, rtol=1e-11)
    np.testing.assert_allclose(shuffled.sq_aggregate_errors, plain.sq_aggregate_errors, rtol=1e-10)


@pytest.mark.parametrize("optimizer", [SGD(0.5), WorkerMomentum(0.5, 0.5), ServerMomentum(0.5, 0.5)])
def test_shuffling_leaves_the_mean_unchanged_bit_for_bit(optimizer):
    plain, mixed = (shuffled(Mean(), optimizer, shuffle, steps=7) for shuffle in (False, True))
    assert np.array_equal(plain.sq_distances, mixed.sq_distances)
    assert np.array_equal(plain.x, mixed.x)


def test_shuffling_puts_the_attacker_at_every_place_equally_often():
    # a rule that returns its first row finds the attacker there in a Bin(rounds, 1/n) number of rounds
    def first_row(messages):
        return messages[0]

    n, runs, steps = 4, 40, 250
    sizes = {"n": n, "f": 1, "attack": Constant(1.0), "steps": steps, "runs": runs, "seed": 0}
    mixed = simulate(Quadratic((1.0,)), RobustSGD(first_row, SGD(0.0)), shuffle=True, **sizes)
    low, high = scipy.stats.binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], runs * steps, 1 / n)
    assert low <= np.sum(mixed.sq_aggregate_errors == 1) <= high
    plain = simulate(Quadratic((1.0,)), RobustSGD(first_row, SGD(0.0)), **sizes)
    assert np.sum(plain.sq_aggregate_errors == 1) == 0


def test_heterogeneity_averages_out_over_the_honest_workers_only():
    problem = Quadratic((1.0, 1.0), zeta_sq=4.0)
    record = simulate(problem, RobustSGD(Mean(), SGD(0.5)), n=7, f=2, steps=1, runs=1, seed=0, x0=[1.0, 0.0])
    offsets = problem.oracle(np.zeros(2), np.zeros((7, 2)), 5)
    assert record.sq_aggregate_errors[0, 0] == pytest.approx(np.sum((offsets.sum(axis=0) / 7) ** 2), rel=1e-12)
    clean = simulate(problem, RobustSGD(Mean(), SGD(0.5)), n=7, f=0, steps=1, runs=1, seed=0, x0=[1.0, 0.0])
    assert clean.sq_distances[1, 0] == pytest.approx(0.25, rel=1e-14)
