"""Oracles with a memory: it is a value that goes from round to round, whatever else the round does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from oracles_that_remember import Drifting, Pushed, Restless, Wandering

from sims.aggregators import Mean
from sims.attacks import LabelFlipping, NoAttack
from sims.engine import Experiment, Observer, Streams, play, simulate
from sims.optimizers import SGD, RobustSGD, WorkerMomentum, WorkerMVR

SGD_MEAN = RobustSGD(Mean(), SGD(0.1))
SIZES = {"n": 5, "f": 2, "steps": 7, "runs": 3, "seed": 0}


def by_hand(flip: bool, eta: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Iterates and totals of all samples after each round of the mean with SGD, from its own start."""
    streams = Streams(0, "sample").runs(0, 3)
    x = 4 + Streams(0, "start").runs(0, 3).uniform(1, (3,))[0]
    total, xs, totals = np.zeros((3, 3)), [x], [np.zeros((3, 3))]
    for t, sample in enumerate(streams.normal(7, (5, 3)), 1):
        total = total + sample.mean(axis=1)
        signed = sample * np.array([1, 1, 1, -1, -1])[:, None] if flip else sample
        x = x - eta * (x + signed.mean(axis=1) + total / t)
        xs.append(x)
        totals.append(total)
    return np.stack(xs), np.stack(totals)


@pytest.mark.parametrize("attack", [NoAttack(), LabelFlipping()])
def test_memory_start_and_labels_are_those_of_a_loop_by_hand(attack):
    record = simulate(Drifting(), SGD_MEAN, attack=attack, **SIZES)
    xs, totals = by_hand(attack.flips_labels)
    np.testing.assert_allclose(record.x, xs[-1], rtol=1e-14)
    np.testing.assert_allclose(record.measures["sq"], np.sum(xs**2, axis=-1), rtol=1e-14)
    np.testing.assert_allclose(record.measures["drift"], np.sum(totals, axis=-1), rtol=1e-12)


def test_gradients_at_other_points_leave_no_memory():
    record = simulate(Drifting(), RobustSGD(Mean(), WorkerMVR(0.1, 0.5)), **SIZES)
    np.testing.assert_allclose(record.measures["drift"], np.sum(by_hand(False)[1], axis=-1), rtol=1e-12)


@dataclasses.dataclass(frozen=True)
class Looking(Observer):
    """Keeps the iterate and the messages of every round."""

    rounds: list = dataclasses.field(default_factory=list)

    def __call__(self, seen):
        self.rounds.append((seen.x, seen.messages))
        return {"looked": seen.x[..., 0]}


def test_gradients_of_one_round_see_one_memory():
    """At α = 0 an estimate changes by g(x) − g(x'), here x − x': the drift, which a memory decides, cancels."""
    looking = Looking()
    simulate(Drifting(), RobustSGD(Mean(), WorkerMVR(0.1, 0.0)), observers=(looking,), **SIZES)
    first = looking.rounds[0][1] - looking.rounds[0][0][..., None, :]
    for x, messages in looking.rounds:
        np.testing.assert_allclose(messages - x[..., None, :], first, rtol=1e-12, atol=1e-12)


def test_a_given_start_replaces_its_own_and_both_are_in_the_key():
    own = Experiment(Drifting(), SGD_MEAN, **SIZES)
    assert own.x0 is None
    assert np.all(own.start() > 4)
    given = dataclasses.replace(own, x0=2.0)
    assert np.all(given.start() == 2.0)
    assert given.key() != own.key()
    assert len({tuple(row) for row in own.start()}) == 3  # runs begin apart
    split = [Experiment(Drifting(), SGD_MEAN, **{**SIZES, "runs": 1}, first_run=k).start() for k in range(3)]
    np.testing.assert_array_equal(np.concatenate(split), own.start())


def test_a_fresh_memory_is_behind_the_plain_oracle():
    x, sample = np.ones((2, 3)), np.arange(30.0).reshape(2, 5, 3)
    expected = x[:, None] + sample + sample.mean(axis=1, keepdims=True)
    np.testing.assert_array_equal(Drifting().oracle(x, sample), expected)
    assert set(Drifting().measure(x)) == {"sq", "drift"}


PUSHED = (Pushed(),)


def watched(observers=PUSHED, **changes):
    options = {**SIZES, "steps": 8, "every": 3, "attack": Wandering(), "observers": observers, **changes}
    return simulate(Drifting(), RobustSGD(Restless(), WorkerMomentum(0.1, 0.5)), **options)


def test_observers_change_nothing_and_are_averaged_over_the_rounds_between_two_records():
    plain, seen = watched(observers=()), watched()
    np.testing.assert_array_equal(plain.x, seen.x)
    assert seen.times.tolist() == [0, 3, 6, 8]
    np.testing.assert_array_equal(seen.observed["rounds"], np.array([[2.0], [5.0], [7.5]]) * np.ones(3))
    each = watched(every=1).observed["gap"]
    assert np.all(np.isnan(each[2::3]))
    np.testing.assert_allclose(seen.observed["gap"][0], each[:2].mean(axis=0))
    np.testing.assert_allclose(seen.observed["gap"][2], each[6:].mean(axis=0))
    assert set(seen.table()) == {"time", "run", "sq", "drift", "sq_aggregate_errors", "gap", "rounds"}
    squares = watched(every=1).sq_aggregate_errors
    assert np.all(each[~np.isnan(each)] ** 2 <= squares[~np.isnan(each)])


def test_what_is_observed_in_no_round_is_nan():
    assert np.all(np.isnan(watched(every=1).observed["gap"][2]))


class Twice(Observer):
    def __call__(self, seen):
        return {"gap": seen.aggregate[..., 0]}


class Changing(Observer):
    def __call__(self, seen):
        return {f"name{seen.t > 4}": seen.aggregate[..., 0]}


class Taken(Observer):
    def __call__(self, seen):
        return {"sq": seen.aggregate[..., 0]}


@pytest.mark.parametrize(
    ("observers", "words"),
    [
        ((Pushed(), Twice()), "two observers note 'gap'"),
        ((Changing(),), "must note the same in every round"),
        ((Taken(),), "under the name of what was observed, 'sq'"),
        ((Mean(),), r"needs sims Observers as observers, got Mean\(\)"),
    ],
)
def test_observers_that_contradict_are_refused(observers, words):
    with pytest.raises(ValueError, match=words):
        watched(observers=observers)


def test_progress_is_told_after_each_round():
    told = []
    e = Experiment(Drifting(), SGD_MEAN, **SIZES, every=3)
    record = play(e, watch=told.append)
    assert [one.t for one in told] == list(range(1, 8))
    assert [one.at for one in told] == [0, 0, 3, 3, 3, 6, 7]
    np.testing.assert_array_equal(told[-1].measures["sq"], record.measures["sq"][-1])
