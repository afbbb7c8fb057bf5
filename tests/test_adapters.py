"""Aggregators of other libraries as rules, and messages of models; what is installed is asked itself, too."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from sound_rules import byzfl_itself

from conftest import arrays_of
from sims import contracts
from sims.adapters import byzfl_api
from sims.adapters.audited import from_byzfl, from_flower, from_krum
from sims.adapters.flat import flat
from sims.aggregators import CenteredClipping, Krum, Promises, TrimmedMean
from sims.contracts.global_random import moved_by
from sims.engine import simulate
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Quadratic

X = np.random.Generator(np.random.Philox(31)).normal(size=(2, 3, 7, 4))
BYZFL = byzfl_itself()
WITH_BYZFL = pytest.mark.skipif(BYZFL is None, reason="ByzFL is not installed: make test EXTRAS=test,neural does it")
LIBRARIES = [pytest.param(byzfl_api, id="adapter"), pytest.param(BYZFL, id="byzfl", marks=WITH_BYZFL)]


# ByzFL


@pytest.mark.parametrize("library", LIBRARIES)
def test_each_run_of_a_batch_is_aggregated_alone(library):
    rule = from_byzfl(library.TrMean(f=2))
    np.testing.assert_allclose(rule.aggregate(X), TrimmedMean(2).aggregate(X), rtol=0, atol=1e-14)
    assert (rule.breakdown(7), rule.promises.translation, rule.promises.agreement) == (2, False, False)
    assert rule.aggregate(X[:0]).shape == (0, 3, 4)
    with pytest.raises(ValueError, match="ByzFL's TrMean needs n ≥ 5, got n = 4"):
        rule.aggregate(X[0, 0, :4])


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_comes_before_sees_the_messages_first_and_writes_into_no_ones(library):
    rule = from_byzfl(library.Average(), before=[library.Clipping(1.0), library.ARC(1)], f=1)
    before = X.copy()
    first = rule.aggregate(X)
    assert np.array_equal(X, before)
    assert np.array_equal(rule.aggregate(X), first)
    assert np.all(np.linalg.norm(first, axis=-1) <= 1)
    assert rule.breakdown(7) == 1


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_centre_is_the_state(library):
    clip = library.CenteredClipping(tau=0.5, L=2)
    rule, own = from_byzfl(clip), CenteredClipping(0.5, 2)
    state, centre = rule.init(X), own.init(X)
    for _ in range(3):
        y, state = rule(X, state)
        expected, centre = own(X, centre)
        np.testing.assert_allclose(y, expected, rtol=0, atol=1e-14)
        assert np.array_equal(y, state)
    assert clip.m is None  # it was never asked itself


@pytest.mark.parametrize("library", LIBRARIES)
def test_it_runs_in_a_simulation(library):
    def excess(rule):
        algorithm = RobustSGD(rule, WorkerMomentum(0.1, 0.9))
        return simulate(Quadratic.example(), algorithm, n=7, f=0, steps=5, runs=2, seed=0, grid=(5,)).excess

    found = excess(from_byzfl(library.CenteredClipping(tau=0.5)))
    np.testing.assert_allclose(found, excess(CenteredClipping(0.5)), rtol=1e-12)


@pytest.mark.parametrize("library", LIBRARIES)
def test_tensors_are_asked_in_float32_and_answered_in_their_own_dtype(library):
    torch = pytest.importorskip("torch")
    x = torch.tensor(X)
    for made in (library.Median(), library.CenteredClipping(tau=0.5)):
        y = from_byzfl(made).aggregate(x)
        assert (type(y), y.dtype, tuple(y.shape)) == (torch.Tensor, torch.float64, (2, 3, 4))
        assert torch.equal(y, y.float().double())  # that is all the digits there are


def test_arrays_of_other_libraries_go_in_as_numpys():
    x = arrays_of("array-api-strict")(X[0, 0])
    y = from_byzfl(byzfl_api.Krum(1)).aggregate(x)
    assert type(y) is type(x)
    assert np.array_equal(np.from_dlpack(y), byzfl_api.Krum(1)(X[0, 0]))


@WITH_BYZFL
@pytest.mark.parametrize(
    ("made", "promises", "contract"),
    [
        (lambda b: b.Krum(1), Promises(), "ties"),  # by index
        (lambda b: b.GeometricMedian(nu=0.1), Promises(), "translation"),  # it starts at the origin
        (lambda b: b.CenteredClipping(tau=1.0), Promises(), "scale"),
        (lambda b: b.Average(), Promises(), "boundedness"),
    ],
)
def test_an_audit_finds_what_is_wrong_with_it(made, promises, contract):
    rule = from_byzfl(made(BYZFL), f=1, promises=promises)
    with pytest.raises(AssertionError, match=f"contract '{contract}.* broken by"):
        contracts.check_rule(rule, 5, 3)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", ["TrMean", "Median"])
def test_an_audit_finds_nothing_wrong_with_what_is_right(library, name):
    aggregator = getattr(library, name)(**({"f": 1} if name == "TrMean" else {}))
    rule = from_byzfl(aggregator, promises=Promises())
    contracts.check_rule(rule, 5, 3)
    assert repr(rule) == f"ByzFL's {name} (f = {int(name == 'TrMean')})"


@WITH_BYZFL
def test_byzfls_krum_returns_the_message_with_a_nan():
    rule = from_byzfl(BYZFL.Krum(1))
    with pytest.raises(AssertionError, match="non-finite"):
        contracts.check_non_finite(rule, X[0])
    contracts.check_non_finite(from_byzfl(byzfl_api.Krum(1)), X[0])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: from_byzfl(byzfl_api.Krum), "from_byzfl needs an instance that can be called, got aggregator"),
        (lambda: from_byzfl(byzfl_api.Krum(1), before=[3]), "can be called, got before = 3"),
        (lambda: from_byzfl(byzfl_api.Median(), f=-1), "from_byzfl needs f ≥ 0, got f = -1"),
        (lambda: from_byzfl(byzfl_api.Median(), promises=True), "from_byzfl needs sims Promises, got promises = True"),
        (lambda: from_krum(object(), 1), r"from_krum needs a class with aggregate\(…\)"),
        (lambda: from_flower(object()), "from_flower needs a strategy with aggregate_fit or aggregate_train"),
    ],
)
def test_what_is_no_aggregator_is_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_what_it_raises_is_an_error_of_the_rule():
    def broken(x):
        raise KeyError("gone")

    with pytest.raises(ValueError, match="the rule broken raised KeyError: 'gone'"):
        from_byzfl(broken).aggregate(X[0, 0])


# krum


class TrimmedLikeKrums:
    """A class as krum's are: tensors in, and n and f by name."""

    seen: tuple = ()

    @classmethod
    def aggregate(cls, gradients, /, out=None, *, n, f, **more):
        cls.seen = (type(gradients).__name__, n, f, more)
        ordered = gradients.sort(dim=0).values
        return ordered[f : n - f].mean(dim=0)


def test_krums_classes_are_called_with_tensors_and_names():
    pytest.importorskip("torch")
    rule = from_krum(TrimmedLikeKrums, 2, nu=0.5)
    np.testing.assert_allclose(rule.aggregate(X), TrimmedMean(2).aggregate(X), rtol=0, atol=1e-14)
    assert TrimmedLikeKrums.seen == ("Tensor", 7, 2, {"nu": 0.5})
    with pytest.raises(ValueError, match="krum's TrimmedLikeKrums needs n ≥ 5, got n = 4"):
        rule.aggregate(X[0, 0, :4])


def test_multikrum_of_krums_needs_one_more_without_an_m():
    class MultiKrum(TrimmedLikeKrums):
        pass

    assert (from_krum(MultiKrum, 2).least, from_krum(MultiKrum, 2, m=1).least) == (8, 7)


@pytest.mark.skipif(importlib.util.find_spec("krum") is None, reason="krum is not installed (it needs Python 3.12)")
def test_krum_itself():
    pytest.importorskip("torch")
    theirs = importlib.import_module("krum.primitives.aggregators.krum").Krum
    np.testing.assert_allclose(from_krum(theirs, 2).aggregate(X), Krum(2).aggregate(X), rtol=0, atol=1e-14)
    multi = importlib.import_module("krum.primitives.aggregators.multikrum").MultiKrum
    assert from_krum(multi, 1).least == 6
    assert from_krum(multi, 1, m=2).aggregate(X).shape == (2, 3, 4)


# Flower


@dataclass
class Older:
    """A strategy as Flower's are with `aggregate_fit`, that takes the median."""

    num_malicious_clients: int = 2

    def aggregate_fit(self, server_round, results, failures):
        assert server_round > 0
        assert not failures
        assert {answer.num_examples for _, answer in results} == {1}
        return [np.median([answer.parameters[0] for _, answer in results], axis=0)], {}


class Newer:
    """A strategy as Flower's are with `aggregate_train`, that takes the median."""

    num_malicious_nodes = 1
    weighted_by_key = "examples"
    arrayrecord_key = "weights"

    def aggregate_train(self, server_round, replies):
        assert not any(reply.has_error() for reply in replies)
        assert {reply.content["metrics"]["examples"] for reply in replies} == {1}
        return Rows([np.median([reply.content["weights"][0] for reply in replies], axis=0)]), {}


class Rows(list):
    def to_numpy_ndarrays(self):
        return self


@pytest.fixture
def flower(monkeypatch):
    """What of Flower builds the answers of workers, where a strategy of one's own takes them apart again."""
    common = types.SimpleNamespace(
        Status=lambda code, message: None,
        Code=types.SimpleNamespace(OK=0),
        FitRes=lambda status, parameters, num_examples, metrics: types.SimpleNamespace(
            parameters=parameters, num_examples=num_examples
        ),
        ndarrays_to_parameters=list,
        parameters_to_ndarrays=list,
    )
    app = types.SimpleNamespace(RecordDict=dict, ArrayRecord=Rows, MetricRecord=dict)
    module = types.ModuleType("flwr")
    module.__dict__.update(common=common, app=app)
    monkeypatch.setitem(sys.modules, "flwr", module)


@pytest.mark.parametrize(("strategy", "f"), [(Older(), 2), (Newer(), 1)])
def test_flowers_strategies_of_both_kinds(flower, strategy, f):
    rule = from_flower(strategy)
    assert np.array_equal(rule.aggregate(X), np.median(X, axis=-2))
    assert (rule.breakdown(7), from_flower(strategy, f=3).breakdown(7)) == (f, 3)


@pytest.mark.skipif(importlib.util.find_spec("flwr") is None, reason="Flower is not installed")
@pytest.mark.parametrize("module", ["flwr.server.strategy", "flwr.serverapp.strategy"])
def test_flower_itself(module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it imports
        strategies = importlib.import_module(module)
    number = "num_malicious_clients" if "server." in module else "num_malicious_nodes"
    assert np.array_equal(from_flower(strategies.FedMedian()).aggregate(X), np.median(X, axis=-2))
    krum = from_flower(strategies.Krum(**{number: 2}))
    assert np.array_equal(krum.aggregate(X), Krum(2).aggregate(X))
    assert krum.breakdown(7) == 2
    # the older one hands its rule what it is given beside, and that needs it
    bulyan = from_flower(strategies.Bulyan(**{number: 1}, **({"to_keep": 0} if "server." in module else {})))
    assert bulyan.aggregate(X).shape == (2, 3, 4)
    with pytest.raises(ValueError, match="Flower's Bulyan needs n ≥ 7, got n = 6"):
        bulyan.aggregate(X[0, 0, :6])


# Models


def test_gradients_and_back():
    grads = [[X[0, 0, k, :2].reshape(2, 1), X[0, 0, k, 2:3]] for k in range(4)]
    x, back = flat(grads)
    assert np.array_equal(x, X[0, 0, :4, :3])
    weight, bias = back(TrimmedMean(1).aggregate(x))
    assert (weight.shape, bias.shape) == ((2, 1), (1,))
    assert np.array_equal(np.concatenate([weight.ravel(), bias]), TrimmedMean(1).aggregate(x))
    y = np.zeros(3)
    back(y)[0][0] = 1.0
    assert not y.any()


def test_a_state_dict_and_back_into_the_model():
    torch = pytest.importorskip("torch")

    def model():
        return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2), torch.nn.Linear(2, 1).half())

    models = moved_by(lambda: [model() for _ in range(3)], 0)[0]
    states = [one.state_dict() for one in models]
    with pytest.raises(ValueError, match=r"int64 as '1.num_batches_tracked' of worker 0; .* left out by skip"):
        flat(states)
    x, back = flat(states, skip=["1.num_batches_tracked"])
    assert (x.dtype, tuple(x.shape)) == (torch.float32, (3, 3 * 2 + 2 + 4 * 2 + 3))
    for state, row in zip(states, x, strict=True):
        again = back(row)
        assert list(again) == [name for name in state if name != "1.num_batches_tracked"]
        assert all(torch.equal(again[name], state[name]) and again[name].dtype == state[name].dtype for name in again)
    models[0].load_state_dict(back(x.mean(dim=0)), strict=False)
    assert torch.equal(flat([models[0].state_dict()], skip=["1.num_batches_tracked"])[0][0, :6], x.mean(dim=0)[:6])


def test_entries_are_laid_out_in_the_first_ones_order():
    one, two = {"w": np.array([1.0]), "b": np.array([2.0])}, {"b": np.array([4.0]), "w": np.array([3.0])}
    x, back = flat([one, two])
    assert np.array_equal(x, [[1.0, 2.0], [3.0, 4.0]])
    assert list(back(x[1])) == ["w", "b"]


@pytest.mark.parametrize(
    ("models", "skip", "sentence"),
    [
        ([], (), "flat needs a list of models, one of each worker, got models = "),
        ({"w": np.ones(1)}, (), "flat needs a list of models"),
        ([np.ones(1)], (), "flat needs sequences or mappings of arrays, got .* of worker 0"),
        ([[]], (), "at least one entry"),
        ([[np.ones(1)], [None]], (), "got None as 0 of worker 1"),
        ([[np.ones(1)], [np.ones(2)]], (), r"got 0 as \(1,\) of worker 0 and \(2,\) of worker 1"),
        ([{"w": np.ones(1)}, {"v": np.ones(1)}], (), "got 'v', 'w' of 0 or of 1 alone"),
        ([[np.ones(1), np.ones(1)], [np.ones(1)]], (), "got 1 of 0 or of 1 alone"),
        ([[np.ones(1, dtype=int)]], (), "got int64 as 0 of worker 0"),
        ([[np.ones(1)]], (1,), "names or positions of entries in skip, got 1"),
    ],
)
def test_models_that_do_not_fit_are_refused(models, skip, sentence):
    with pytest.raises(ValueError, match=sentence):
        flat(models, skip)


def test_what_does_not_fit_back_is_refused():
    _, back = flat([[np.ones((2, 1))]])
    for y in (np.ones(3), np.ones((1, 2)), [1.0, 2.0]):
        with pytest.raises(ValueError, match=r"back needs an array of .*numpy of shape \(2,\), got"):
            back(y)
