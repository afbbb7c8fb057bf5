"""Whatever somebody's parts do to what they are handed or have returned, no number of ours changes."""

from __future__ import annotations

import dataclasses
import functools
import os

import numpy as np
import pytest
from oracles_that_remember import Drifting, Pushed, Restless, Wandering
from vandals import polite, vandal

from sims import columns, owned
from sims.aggregators import Bucketing, CenteredClipping, Clipping, CoordinateMedian, FunctionRule, Krum, Mean
from sims.attacks import ALittleIsEnough, BitFlipping, Mimic, NoAttack, SearchedStrength, Together
from sims.engine import Axis, Checkpoint, Experiment, play, simulate
from sims.observers import Clipped, Push
from sims.optimizers import SGD, RobustSGD, ServerMomentum, WeightDecay, WorkerMomentum, WorkerMVR
from sims.problems import HeterogeneousSoftmaxRegression, Quadratic, Sinusoidal, SoftmaxRegression

SIZES = {"n": 7, "f": 2, "steps": 7, "runs": 3, "seed": 1, "every": 2, "x0": 1.0}
BOWL = Quadratic((1.0, 2.0, 0.5), sigma_sq=1.0)


RULE, OPTIMIZER, ATTACK = CenteredClipping(1.0, 2), WorkerMomentum(0.1, 0.9, damped=False), Mimic()


def experiment(
    problem=BOWL,
    rule=RULE,
    optimizer=OPTIMIZER,
    attack=ATTACK,
    algorithm=RobustSGD,
    observers=(),
    **sizes,
):
    made = algorithm(rule, optimizer)
    return Experiment(problem, made, attack=attack, observers=observers, **{**SIZES, **sizes})


# where a part of somebody's own stands: make(of) puts it there, of(cls) being a subclass of a class of ours
PLACES = {
    "rule": lambda of: experiment(rule=of(CenteredClipping)(1.0, 2)),
    "rule that is a message": lambda of: experiment(rule=of(Krum)(1)),
    "rule with a state of every kind": lambda of: experiment(rule=of(Restless)(), optimizer=SGD(0.1)),
    "rule inside a rule": lambda of: experiment(rule=Bucketing(of(CenteredClipping)(1.0), 2)),
    "rule around a rule": lambda of: experiment(rule=of(Clipping)(CoordinateMedian(), 1.0)),
    "rule that an attacker tries": lambda of: experiment(rule=of(CenteredClipping)(1.0), attack=SearchedStrength()),
    "attack": lambda of: experiment(attack=of(Mimic)()),
    "attack that sends what it is shown": lambda of: experiment(attack=of(NoAttack)(), optimizer=SGD(0.1)),
    "attack on raw gradients": lambda of: experiment(attack=of(BitFlipping)()),
    "attack that tries the rule": lambda of: experiment(attack=of(SearchedStrength)("deviation")),
    "attack with a memory": lambda of: experiment(attack=of(Wandering)()),
    "attack among others": lambda of: experiment(
        Sinusoidal(1.0, 3), attack=Together((of(Mimic)(), of(ALittleIsEnough)(1.0))), grid=(2,)
    ),
    "problem": lambda of: experiment(of(Quadratic)((1.0, 2.0, 0.5), 1.0, 0.3, 1.0)),
    "problem at two points": lambda of: experiment(of(Sinusoidal)(1.0, 3), optimizer=WorkerMVR(0.1, 0.3)),
    "problem with labels": lambda of: experiment(
        of(SoftmaxRegression)(*dataclasses.astuple(SoftmaxRegression.example())[:2], 0.1)
    ),
    "problem with a memory": lambda of: experiment(of(Drifting)(), x0=None),
    "optimizer": lambda of: experiment(optimizer=of(WorkerMomentum)(0.1, 0.9, damped=False)),
    "optimizer that sends gradients": lambda of: experiment(optimizer=of(SGD)(0.1)),
    "optimizer at two points": lambda of: experiment(optimizer=of(WorkerMVR)(0.1, 0.3)),
    "optimizer with a memory of the server": lambda of: experiment(optimizer=of(ServerMomentum)(0.1, 0.9, False)),
    "optimizer inside one": lambda of: experiment(optimizer=WeightDecay(of(WorkerMomentum)(0.1, 0.9), 0.1)),
    "algorithm": lambda of: experiment(algorithm=of(RobustSGD), attack=SearchedStrength()),
    "algorithm with momentum": lambda of: experiment(algorithm=of(RobustSGD), rule=Restless()),
    "observer": lambda of: experiment(observers=(of(Push)(), Clipped())),
    "observer of a problem with a memory": lambda of: experiment(
        Drifting(), optimizer=WorkerMomentum(0.1, 0.9), observers=(of(Pushed)(),), x0=None
    ),
}
SHUFFLED = ("rule", "attack that tries the rule", "algorithm")


def same(a, b):
    for name, values in a.everywhere().items():
        np.testing.assert_array_equal(values, b.everywhere()[name], err_msg=name)
    np.testing.assert_array_equal(a.x, b.x)
    assert np.isfinite(a.x).all()


@pytest.mark.parametrize("place", PLACES)
def test_a_vandal_changes_no_number_anywhere(place):
    done = []

    def harmful(cls):
        made, what = vandal(cls)
        done.append(what)
        return made

    same(play(PLACES[place](harmful)), play(PLACES[place](polite)))
    assert all(what.harmed for what in done)


@pytest.mark.parametrize("place", SHUFFLED)
def test_nor_where_workers_keep_no_identity(place):
    harmful, well = PLACES[place](lambda cls: vandal(cls)[0]), PLACES[place](polite)
    same(play(dataclasses.replace(harmful, shuffle=True)), play(dataclasses.replace(well, shuffle=True)))


@pytest.mark.parametrize("place", ["rule", "attack", "optimizer", "algorithm", "observer"])
def test_nor_in_another_library(place):
    pytest.importorskip("torch")
    harmful, well = (
        dataclasses.replace(PLACES[place](of), backend="torch") for of in (lambda cls: vandal(cls)[0], polite)
    )
    same(play(harmful), play(well))


@pytest.mark.parametrize("place", PLACES)
def test_without_copies_each_of_them_would(place, monkeypatch):
    """The control: handed the arrays themselves, every vandal changes a number, or writes where nobody may."""
    expected = play(PLACES[place](polite))
    harmful = PLACES[place](lambda cls: vandal(cls)[0])
    monkeypatch.setattr(owned, "copied", lambda tree: tree)
    with pytest.raises((AssertionError, ValueError)), np.errstate(all="ignore"):
        same(play(harmful), expected)


def standing(cls, name):
    """The class under a name in this module, so that a key can stand for it."""
    cls.__name__ = cls.__qualname__ = name
    cls.__module__ = __name__
    globals()[name] = cls
    return cls


VANDALS = [(cls, *vandal(cls)) for cls in (Restless, WorkerMomentum, Wandering)]
HARMFUL = [standing(made, f"Harmful{cls.__name__}") for cls, made, _ in VANDALS]


class Cut(HARMFUL[2]):
    """Is interrupted in the fourth round, when it has overwritten all that it was given."""

    def send(self, view, state, rng):
        found = super().send(view, state, rng)
        if view.t == 4 and "INTERRUPTED" in os.environ:
            raise KeyboardInterrupt
        return found


def test_a_round_that_is_cut_short_begins_again_from_what_it_was(tmp_path, monkeypatch):
    rule, optimizer, _ = HARMFUL
    e = experiment(rule=rule(), optimizer=optimizer(0.1, 0.9), attack=Cut())
    monkeypatch.setenv("INTERRUPTED", "1")  # of which a key knows nothing
    with pytest.raises(KeyboardInterrupt):
        play(e, checkpoint=Checkpoint(tmp_path / "c.npz"))
    monkeypatch.delenv("INTERRUPTED")
    for _, _, done in VANDALS:  # what they remember is data of theirs, and would be in the key
        done.harmed.clear()
        done.given_away.clear()
    told = []
    resumed = play(e, checkpoint=Checkpoint(tmp_path / "c.npz"), watch=lambda progress: told.append(progress.t))
    assert told[0] == 4
    same(resumed, play(experiment(rule=Restless(), optimizer=WorkerMomentum(0.1, 0.9), attack=Wandering())))


def test_a_function_that_sorts_its_messages_is_the_median():
    def sorting(x):
        x.sort(axis=0)
        return x[len(x) // 2]

    def median(x):
        return np.median(x, axis=0)

    a, b = (experiment(rule=rule, f=0, attack=NoAttack()) for rule in (sorting, median))
    same(play(a), play(b))


def test_a_schedule_may_return_its_own_array_and_change_it():
    buffer = np.zeros((2, 1))

    def reusing(t):
        buffer[...] = [[0.1 / t], [0.2 / t]]
        return buffer

    def fresh(t):
        return np.array([[0.1 / t], [0.2 / t]])

    for optimizer in (SGD, lambda eta: WorkerMomentum(eta, lambda t: 0.0 if t == 1 else 0.5)):
        runs = {"grid": (2,), "attack": BitFlipping(), "rule": Mean()}
        same(
            play(experiment(optimizer=optimizer(reusing), **runs)), play(experiment(optimizer=optimizer(fresh), **runs))
        )


def test_whoever_watches_may_write_into_what_he_is_told():
    def scribble(progress):
        for values in progress.measures.values():
            values[...] = -1.0

    same(play(experiment(every=1), watch=scribble), play(experiment(every=1)))


class Box:
    """A state that is no tree."""

    def __init__(self):
        self.count, self.rows = 0, np.zeros(3)


class Counting(Mean):
    """Counts its calls in its state, in place."""

    def init(self, x):
        return Box()

    def combine(self, x, state, rng):
        state.count += 1
        state.rows += 1
        return np.mean(x, axis=-2) + state.rows, state


def test_a_state_that_is_no_tree_is_kept_apart_too():
    rule, x = Counting(), np.ones((4, 3))
    begun = rule.init(x)
    once = rule(x, begun)[1]
    twice = rule(x, once)[1]
    assert [state.count for state in (begun, once, twice)] == [0, 1, 2]
    assert [state.rows[0] for state in (begun, once, twice)] == [0, 1, 2]
    few, many = (experiment(rule=Counting(), attack=attack()) for attack in (NoAttack, SneakyTwice))
    same(play(few), play(many))


class Sneaky(NoAttack):
    """Draws from its stream before it tries the rule out, and keeps what it gets."""

    asked = 0

    def send(self, view, state, rng):
        everyone = np.concatenate([view.honest, view.own], axis=-2)
        for _ in range(self.asked):
            view.aggregate(everyone)[...] = 7.0
        return view.own, state


class SneakyTwice(Sneaky):
    asked = 2


@pytest.mark.parametrize("rule", [Bucketing(CenteredClipping(1.0), 2), Restless(), Mean()], ids=repr)
def test_trials_advance_nothing(rule):
    same(play(experiment(rule=rule, attack=Sneaky())), play(experiment(rule=rule, attack=SneakyTwice())))


def test_an_axis_and_a_start_are_taken_over_as_they_were():
    rates, start = np.array([0.1, 0.2]), np.array([1.0, 2.0, 3.0])
    e = experiment(optimizer=SGD(Axis("rate", rates)), x0=start)
    before, key = play(e), e.key()
    rates *= 0.0
    start *= 0.0
    same(play(e), before)
    assert e.key() == key


def test_a_record_is_nobody_else_s():
    e = experiment()
    first = play(e)
    kept = first.x.copy()
    for values in (first.x, *first.measures.values()):
        values[...] = 0.0
    np.testing.assert_array_equal(play(e).x, kept)
    assert simulate(BOWL, e.algorithm, attack=e.attack, **SIZES).x.flags.owndata


def test_a_decorated_function_of_ours_is_not_ours():
    """What a decorator makes says of itself that it is what it wraps."""

    @functools.wraps(columns.mean)
    def sorting(x):
        x.sort(axis=0)
        return x[len(x) // 2]

    x = np.array([[3.0], [1.0], [2.0]])
    FunctionRule(sorting).aggregate(x)
    assert x[:, 0].tolist() == [3.0, 1.0, 2.0]
    assert not owned.ours(sorting)
    assert owned.ours(columns.mean)


class Counter:
    """A state that can be called."""

    def __init__(self):
        self.count = np.zeros(1)

    def __call__(self):
        return self.count


def test_a_state_that_can_be_called_is_copied_too():
    state = Counter()
    owned.copied({"state": state})["state"].count += 1
    assert state.count == 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.array([1j, 2.0]), "must return real numbers, got complex128"),
        (np.array([None, 1.0]), "got object"),
        (np.array(["1", "2"]), "got <U1"),
        (np.ma.masked_array([1.0, 2.0], [True, False]), "a plain array of .*, got MaskedArray"),
        ([1.0, 2.0], "a plain array of .*, got list"),
    ],
    ids=["complex", "object", "text", "masked", "list"],
)
def test_what_a_function_returns_is_looked_at(answer, words):
    with pytest.raises(ValueError, match=words):
        FunctionRule(lambda x: answer).aggregate(np.ones((3, 2)))


def test_what_a_problem_computes_once_cannot_be_written_to():
    problem = HeterogeneousSoftmaxRegression(np.eye(12), np.arange(12) % 3, ridge=0.1, shards=3)
    for name in ("x_star", "places", "points", "point_labels"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(problem, name)[...] = 0
    assert not SoftmaxRegression(np.eye(3), np.arange(3), ridge=0.1).x_star.flags.writeable
