"""Experiments are values: one key for each, whatever form its parts were given in, and no two share one."""

from __future__ import annotations

import dataclasses
import inspect
import json
import pickle

import array_api_strict
import numpy as np
import pytest
from rules_of_ones_own import InSlots

from sims import backend, kernels
from sims.aggregators import CenteredClipping, Mean
from sims.attacks import BitFlipping, InnerProductManipulation, LabelFlipping
from sims.engine import Experiment, Observer, describe, key, play, simulate
from sims.engine.describe import canonical
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.problems import Quadratic


@dataclasses.dataclass(frozen=True)
class Watcher(Observer):
    def __call__(self, seen):
        return {"t": seen.aggregate[..., 0] * 0 + seen.t}


PROBLEM, ALGORITHM = Quadratic((1.0, 2.0), sigma_sq=1.0), RobustSGD(CenteredClipping(tau=1.0), SGD(0.1))
SIZES = {"n": 5, "f": 1, "steps": 7, "runs": 2, "seed": 0}
BASE = Experiment(PROBLEM, ALGORITHM, **SIZES)
OTHER = {  # field → another value of it
    "problem": dataclasses.replace(PROBLEM, sigma_sq=2.0),
    "algorithm": RobustSGD(CenteredClipping(tau=1.5), SGD(0.1)),
    "n": 6,
    "f": 2,
    "steps": 8,
    "runs": 3,
    "seed": 1,
    "attack": BitFlipping(),
    "x0": [1.0, 0.0],
    "grid": (2,),
    "axes": {"run": (1.0, 2.0)},
    "shuffle": True,
    "first_run": 1,
    "every": 2,
    "backend": "cupy",
    "observers": (Watcher(),),
}


def unnoticed(key_of) -> set[str]:
    """The fields that may change without a change of the key."""
    return {name for name, value in OTHER.items() if key_of(dataclasses.replace(BASE, **{name: value})) == key_of(BASE)}


def test_every_field_is_in_the_key():
    assert set(OTHER) == {field.name for field in dataclasses.fields(Experiment)}
    assert unnoticed(Experiment.key) == set()


@pytest.mark.parametrize("name", OTHER)
def test_a_field_that_is_not_in_the_key_is_noticed(name):
    def without(experiment):
        return key({other: value for other, value in experiment.configuration.items() if other != name})

    assert unnoticed(without) == {name}


DEEPER = {
    "rule's steps": {"algorithm": RobustSGD(CenteredClipping(tau=1.0, steps=2), SGD(0.1))},
    "array instead of number": {"algorithm": RobustSGD(CenteredClipping(tau=np.array([1.0])), SGD(0.1))},
    "learning rate": {"algorithm": RobustSGD(CenteredClipping(tau=1.0), SGD(0.2))},
    "schedule": {"algorithm": RobustSGD(CenteredClipping(tau=1.0), SGD(lambda t: 0.1 / t))},
    "another schedule": {"algorithm": RobustSGD(CenteredClipping(tau=1.0), SGD(lambda t: 0.2 / t))},
    "optimizer": {"algorithm": RobustSGD(CenteredClipping(tau=1.0), WorkerMomentum(0.1, 0.0))},
    "eigenvalues": {"problem": dataclasses.replace(PROBLEM, eigenvalues=(1.0, 2.5))},
    "attack": {"attack": InnerProductManipulation()},
    "attack's parameter": {"attack": InnerProductManipulation(epsilon=0.2)},
    **{name: {name: value} for name, value in OTHER.items()},
}


def test_no_two_experiments_share_a_key():
    keys = {dataclasses.replace(BASE, **changes).key() for changes in DEEPER.values()} | {BASE.key()}
    assert len(keys) == len(DEEPER) + 1


class Custom(Mean):
    """A rule with attributes that are no fields."""

    def __init__(self, value):
        object.__setattr__(self, "value", value)


def test_attributes_that_are_no_fields_are_in_the_key():
    keys = [dataclasses.replace(BASE, algorithm=RobustSGD(Custom(value), SGD(0.1))).key() for value in (1.0, 2.0, 1.0)]
    assert keys[0] == keys[2] != keys[1]


def schedule(scale):
    return lambda t: scale / t


def test_closures_are_told_apart_and_equal_ones_are_not():
    def made(scale):
        return dataclasses.replace(BASE, algorithm=RobustSGD(Mean(), SGD(schedule(scale)))).key()

    assert made(1.0) == made(1.0) != made(2.0)


def with_default(scale):
    return lambda t, scale=scale: scale / t


def with_keyword(scale):
    return lambda t, *, scale=scale: scale / t


@pytest.mark.parametrize("make", [with_default, with_keyword])
def test_defaults_of_functions_are_in_the_key(make):
    keys = [dataclasses.replace(BASE, algorithm=RobustSGD(Mean(), SGD(make(s)))).key() for s in (1.0, 2.0, 1.0)]
    assert keys[0] == keys[2] != keys[1]


def test_the_precision_of_an_array_is_in_the_key():
    numbers = np.array([0.5, 2.0])
    keys = {
        dataclasses.replace(BASE, algorithm=RobustSGD(Custom(numbers.astype(dtype)), SGD(0.1))).key()
        for dtype in ("float16", "float32", "float64")
    }
    assert len(keys) == 3


# One key, in whatever form parts are given


@pytest.mark.parametrize(
    "changes",
    [
        {"backend": backend.get_namespace("numpy")},
        {"backend": np},
        {"n": np.int64(5), "seed": np.uint8(0), "steps": np.int32(7)},
        {"grid": []},
        {"shuffle": np.False_},
    ],
    ids=str,
)
def test_the_same_experiment_has_one_key(changes):
    assert dataclasses.replace(BASE, **changes).key() == BASE.key()


@pytest.mark.parametrize(
    "having",
    [lambda zero: zero, lambda zero: [1.0, zero], np.array, np.float64, lambda zero: {"a": zero}, CenteredClipping],
)
def test_zero_has_no_sign_in_keys(having):
    assert canonical(describe(having(-0.0))) == canonical(describe(having(0.0)))


@pytest.mark.parametrize(
    "x0", [(1, 0), np.array([1, 0]), np.array([1.0, 0.0], dtype="float32"), array_api_strict.asarray([1.0, 0.0])]
)
def test_a_start_of_equal_values_has_one_key(x0):
    assert dataclasses.replace(BASE, x0=x0).key() == dataclasses.replace(BASE, x0=[1.0, 0.0]).key()


def test_the_numbers_do_not_depend_on_how_the_backend_was_named():
    """Also where compiled rounds play: 25·10 normals in each of 600 rounds are enough for them."""
    problem = Quadratic.between(0.1, 1.0, 10, sigma_sq=1.0)
    records = [
        simulate(problem, ALGORITHM, n=25, f=5, steps=600, runs=1, seed=0, backend=named)
        for named in ("numpy", np, backend.get_namespace("numpy"))
    ]
    for record in records[1:]:
        np.testing.assert_array_equal(record.excess, records[0].excess)
        assert record.key() == records[0].key()


def test_another_library_is_named_by_its_module():
    experiment = dataclasses.replace(BASE, backend=array_api_strict)
    assert experiment.backend == "array_api_strict"
    assert dataclasses.replace(experiment, seed=1).backend == "array_api_strict"
    with kernels.reference():
        np.testing.assert_array_equal(play(experiment).x, play(BASE).x)


def test_a_start_that_is_no_number_can_be_played_and_has_no_key():
    experiment = dataclasses.replace(BASE, x0=float("nan"))
    assert np.all(np.isnan(play(experiment).x))
    with pytest.raises(ValueError, match="needs parameters that can be described, got NaN"):
        experiment.key()


def test_a_later_change_of_x0_is_no_change_of_the_experiment():
    x0 = np.array([1.0, 0.0])
    experiment = dataclasses.replace(BASE, x0=x0)
    x0[0] = 7.0
    assert experiment.start()[0].tolist() == [1.0, 0.0]
    with pytest.raises(ValueError, match="read-only"):
        experiment.x0[0] = 7.0


# Running


def test_simulate_takes_the_fields_of_an_experiment_and_a_chunk():
    ours, theirs = (inspect.signature(f).parameters for f in (Experiment, simulate))
    assert set(theirs) == {*ours, "chunk"}
    assert inspect.signature(play).parameters["chunk"].default is theirs["chunk"].default is None
    for name, parameter in ours.items():
        assert theirs[name].kind == parameter.kind, name
        if name != "attack":  # no attack is `NoAttack()`
            assert theirs[name].default == parameter.default, name


def test_simulate_runs_the_experiment():
    experiment = dataclasses.replace(BASE, **{**OTHER, "backend": "numpy", "f": 1, "runs": 2})
    options = {field.name: getattr(experiment, field.name) for field in dataclasses.fields(Experiment)}
    for record in (play(experiment), play(experiment, chunk=3), simulate(**options)):
        assert record.key() == experiment.key()
        np.testing.assert_array_equal(record.x, simulate(**options, chunk=2).x)
    assert json.loads(json.dumps(experiment.configuration)) == experiment.configuration


def test_an_experiment_survives_pickling():
    assert pickle.loads(pickle.dumps(BASE)).key() == BASE.key()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"problem": "quadratic"}, "an experiment needs a sims Oracle as problem, got problem = 'quadratic'"),
        ({"algorithm": Mean()}, r"needs a sims Algorithm as algorithm, got algorithm = Mean\(\)"),
        ({"attack": None}, "an experiment needs a sims Attack as attack, got attack = None"),
        ({"attack": LabelFlipping()}, "LabelFlipping needs a problem with labels"),
        ({"n": True}, "whole number n ≥ 1, got n = True"),
        ({"f": 5}, "0 ≤ f < n, got f = 5, n = 5"),
        ({"grid": (0,)}, "grid ≥ 1, got grid = 0"),
        ({"grid": 3}, "a tuple as grid, got grid = 3"),
        ({"seed": 0.5}, "whole number seed, got seed = 0.5"),
        ({"backend": "jax"}, "backend must be one of numpy, cupy, torch, got 'jax'"),
        ({"backend": "json"}, "backend must be one of numpy, cupy, torch, got 'json'"),
    ],
)
def test_what_is_no_experiment_is_refused_when_it_is_made(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        dataclasses.replace(BASE, **changes)


def test_a_chunk_of_no_rounds_is_refused():
    with pytest.raises(ValueError, match="chunk ≥ 1, got chunk = 0"):
        play(BASE, chunk=0)


# What no two keys may share


def described(rule=None, rate=0.1):
    return dataclasses.replace(BASE, algorithm=RobustSGD(rule or Mean(), SGD(rate)))


@pytest.mark.parametrize(("one", "other"), [((1.0, 0), (2.0, 0)), ((1.0, 0), (1.0, 1))])
def test_parameters_in_slots_are_in_keys(one, other):
    assert described(InSlots(*one)).key() != described(InSlots(*other)).key()


def test_the_data_of_its_module_that_a_function_reads_is_in_keys(monkeypatch):
    monkeypatch.setitem(globals(), "RATE", 0.1)
    named, nested = described(rate=of_the_module).key(), described(rate=lambda t: next(RATE for _ in "x")).key()
    monkeypatch.setitem(globals(), "RATE", 0.5)
    assert described(rate=of_the_module).key() != named
    assert described(rate=lambda t: next(RATE for _ in "x")).key() != nested


def of_the_module(t):
    return RATE / t


RATE = 0.1


def test_names_of_a_mapping_keep_their_type():
    assert canonical(describe({1: "a"})) != canonical(describe({"1": "a"}))
    assert canonical(describe({1: "a", 2: "b"})) == canonical(describe({2: "b", 1: "a"}))
