"""Rules that draw random numbers get a stream wherever a rule is run, and are held to their contracts in law."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from kept import keeps_all

from byzcheck.card import card_of
from sims import contracts
from sims.aggregators import Bucketing, CoordinateMedian, Krum, Mean, NearestNeighbourMixing, Promises, Rule
from sims.attacks import Attack, SearchedStrength
from sims.backend import take_rows, to_numpy
from sims.checks.draws import Draws
from sims.checks.two_point import error_table
from sims.engine import Experiment, Streams, play
from sims.optimizers import SGD, RobustSGD
from sims.problems import Quadratic


@dataclasses.dataclass(frozen=True)
class Pairs(Rule):
    """Means of random pairs, then their median; it cannot do without a stream."""

    lean: float = 0.0  # of who is paired, towards the first workers

    @property
    def promises(self):
        return Promises(odd=False)

    def breakdown(self, n):
        return 0

    def require(self, n):
        if n < 2:
            raise ValueError(f"Pairs needs n ≥ 2, got n = {n}")

    def combine(self, x, state, rng):
        n = x.shape[-2]
        drawn = rng.uniform(1, (n,))[0, ...] * (1.0 + self.lean * np.arange(n))
        order = np.broadcast_to(np.argsort(drawn, axis=-1), x.shape[:-1])
        rows = take_rows(x, order)[..., : n // 2 * 2, :]
        means = rows.reshape(*x.shape[:-2], n // 2, 2, x.shape[-1]).mean(axis=-2)
        return np.median(means, axis=-2), state


class Dictator(Pairs):
    """Sends back one worker's message, more often the first one's."""

    def combine(self, x, state, rng):
        n = x.shape[-2]
        drawn = np.minimum(rng.uniform(1)[0, ...] * (n + 3), n + 2).astype(int)
        chosen = np.broadcast_to(np.maximum(drawn - 3, 0), x.shape[:-2])
        return take_rows(x, chosen[..., None])[..., 0, :], state


class Noisy(Pairs):
    """The mean and noise, whatever the scale of the messages."""

    def combine(self, x, state, rng):
        return x.mean(axis=-2) + rng.normal(1, (x.shape[-1],))[0, ...], state


class FirstOfTies(Pairs):
    """Of equally near messages to a random one it takes the first worker's: ties by index."""

    def combine(self, x, state, rng):
        n = x.shape[-2]
        at = np.broadcast_to((rng.uniform(1)[0, ...] * n).astype(int), x.shape[:-2])
        centre = take_rows(x, at[..., None])
        far = ((x - centre) ** 2).sum(axis=-1)
        far = np.where(far > 0, far, np.inf)
        return take_rows(x, np.argmin(far, axis=-1)[..., None])[..., 0, :], state


def drawn(*shape, seed=0):
    return np.random.Generator(np.random.Philox(seed)).normal(size=shape)


def named(value):
    """A name without an address."""
    return getattr(value, "__name__", repr(value))


@pytest.mark.parametrize("n", [1, 2, 6, 7])
def test_a_rule_that_cannot_do_without_a_stream_keeps_all_contracts(n):
    keeps_all(Pairs() if n > 1 else Bucketing(Mean(), 2), drawn(2, n, 2))


@pytest.mark.parametrize("shape", [(6, 2), (1, 6, 1), (2, 3, 6, 2)], ids=named)
def test_whatever_leading_axes_the_messages_have(shape):
    keeps_all(Pairs(), drawn(*shape))


@pytest.mark.parametrize(
    "rule", [Bucketing(Krum(1), 2), NearestNeighbourMixing(Bucketing(CoordinateMedian()), 1)], ids=named
)
def test_ours_are_drawn_for_too(rule):
    keeps_all(rule, drawn(2, 13, 2))


@pytest.mark.parametrize(
    ("rule", "check"),
    [
        (Pairs(lean=4.0), contracts.check_permutation),
        (Dictator(), contracts.check_permutation),
        (FirstOfTies(), contracts.check_ties),
        (Noisy(), contracts.check_scale),
        (Noisy(), contracts.check_agreement),
    ],
    ids=named,
)
def test_one_that_breaks_a_contract_is_caught(rule, check):
    with pytest.raises(AssertionError, match=rf"broken by {type(rule).__name__}"):
        check(rule, drawn(2, 7, 1))


def test_the_laws_of_two_samples_differ_by_chance_alone_no_more_than_allowed():
    """Sixty other messages: were the bound for the law too narrow, one of them would break it."""
    for seed in range(60):
        contracts.check_permutation(Pairs(), drawn(1, 5, 1, seed=seed))


def test_two_streams_of_a_purpose_are_one_and_runs_have_their_own():
    x = np.zeros((4, 3, 2))
    assert np.array_equal(Draws("a", x).normal(2, (3,)), Draws("a", x).normal(2, (3,)))
    assert np.array_equal(Draws("a", x).uniform(1)[:, 2], Draws("a", x[:1], first=2).uniform(1)[:, 0])
    assert np.array_equal(Draws("a", x[0]).uniform(1, (3,)), Draws("a", x).uniform(1, (3,))[:, 0])
    assert not np.array_equal(Draws("a", x).uniform(1), Draws("b", x).uniform(1))


def test_an_audit_gives_a_verdict():
    card = card_of(Pairs(), 7, 2)
    assert card.evidence[0].measured == 0
    assert card_of(Dictator(), 7, 2).evidence[0].measured > 0


def test_the_error_of_one_that_draws_is_the_mean_error():
    """One of n messages, uniformly: Byzantine ones at ±10⁶ are met with probability f/n, and the error² is theirs."""

    class Uniform(Pairs):
        def combine(self, x, state, rng):
            at = np.broadcast_to((rng.uniform(1)[0, ...] * x.shape[-2]).astype(int), x.shape[:-2])
            return take_rows(x, at[..., None])[..., 0, :], state

    found = error_table(Uniform(), 5, 1)[0] / 1e12
    assert abs(found - 0.2) < 0.14  # a mean of 200: five deviations of 0.028


class Asks(Attack):
    """Notes what the rule would make of the same messages, and what it made of the last."""

    def __init__(self, times):
        self.times, self.tried, self.met = times, [], []

    def send(self, view, state, rng):
        rows = np.concatenate([view.honest, view.own], axis=-2)
        self.tried.append([view.aggregate(rows) for _ in range(self.times)])
        self.met.append(view.last_aggregate.copy())
        return view.own, state


def asked(times, **changes):
    attack = Asks(times)
    sizes = {"n": 8, "f": 2, "steps": 6, "runs": 3, "seed": 0, **changes}
    made = RobustSGD(Bucketing(CoordinateMedian(), 2), SGD(0.1))
    record = play(Experiment(Quadratic((1.0,), sigma_sq=1.0), made, attack=attack, **sizes))
    return attack, record


def test_trials_of_a_round_meet_the_same_draws_and_other_ones_than_the_rule():
    attack, record = asked(3)
    plain = asked(0)[1]
    np.testing.assert_array_equal(record.x, plain.x)
    tried = np.array(attack.tried)
    assert np.array_equal(tried[:, 0], tried[:, 1])
    assert np.array_equal(tried[:, 0], tried[:, 2])
    met = np.array(attack.met)[1:]
    assert np.mean(tried[:-1, 0] == met) < 0.5  # the same order by chance, in few of them


def test_a_run_s_trials_are_its_own_whatever_the_batch():
    together = np.array(asked(1)[0].tried)
    alone = np.array(asked(1, runs=1, first_run=1)[0].tried)
    np.testing.assert_array_equal(together[:, :, 1:2], alone)


def test_shuffled_workers_change_no_trial_s_right_to_a_stream():
    attack, _ = asked(2, shuffle=True)
    tried = np.array(attack.tried)
    assert np.array_equal(tried[:, 0], tried[:, 1])


def test_a_rule_that_needs_a_stream_can_be_searched_against():
    made = RobustSGD(Pairs(), SGD(0.1))
    sizes = {"n": 8, "f": 2, "steps": 3, "runs": 2, "seed": 0}
    record = play(Experiment(Quadratic((1.0,), sigma_sq=1.0), made, attack=SearchedStrength(), **sizes))
    assert np.isfinite(record.x).all()


def test_another_library():
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(drawn(2, 9, 3))
    rule = Bucketing(CoordinateMedian(), 2)
    contracts.check_rule(rule, 9, 2, like=x)
    y = rule(x, None, Draws("a", x))[0]
    np.testing.assert_allclose(to_numpy(y), rule(x.numpy(), None, Draws("a", x.numpy()))[0], rtol=1e-14)


@pytest.mark.parametrize("rng", [np.random.default_rng(0), "streams", np.random.RandomState(0)], ids=type)
@pytest.mark.parametrize("shape", [(5, 2), (3, 5, 2)])
def test_what_is_no_stream_of_each_run_is_refused(rng, shape):
    """NumPy's generators have a `uniform` of other arguments: from it came one worker's message alone."""
    x = np.arange(np.prod(shape), dtype=float).reshape(shape)
    with pytest.raises(ValueError, match=r"needs an rng with uniform\(steps, shape\)"):
        Bucketing(Mean(), 2).aggregate(x, None, rng)


def test_as_many_streams_as_runs():
    x = np.arange(30.0).reshape(3, 5, 2)
    with pytest.raises(ValueError, match=r"here \(1, 3, 5\)"):
        Bucketing(Mean(), 2).aggregate(x, None, Streams(0, "rule").runs(0, 1))
