"""No runs, no coordinates, one worker: every rule, every contract and every round takes them."""

from __future__ import annotations

import numpy as np
import pytest
from kept import keeps_all

from sims import contracts, kernels
from sims.aggregators import CenteredClipping, FunctionRule, Krum, Mean
from sims.backend import as_like, device, to_numpy
from sims.by_name import examples
from sims.checks.draws import Draws
from sims.engine import simulate
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.problems import Quadratic

NO_RUNS = [(0, 9, 2), (2, 0, 9, 2), (0, 2, 9, 1), (0, 9, 0), (0, 1, 4)]
NO_COORDINATES = [(9, 0), (2, 9, 0), (1, 0)]
ONE_WORKER = [(1, 4), (3, 1, 1)]
LARGE = [(0, 11, 13000), (2, 0, 11, 13000), (0, 1, 2**17), (1, 2**17), (0, 256, 512)]  # where kernels pay


def rules_for(n):
    found = {repr(rule): rule for f in (0, 1) for rule in examples(n, f).values()}
    return [*found.values(), FunctionRule(lambda x: x[0, ...])]


def like_the_input(rule, x, y):
    assert tuple(y.shape) == (*x.shape[:-2], x.shape[-1]), rule
    assert y.dtype == x.dtype, rule
    assert device(y) == device(x), rule


@pytest.mark.parametrize("shape", [*NO_RUNS, *NO_COORDINATES, *ONE_WORKER], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_rule_in_every_library(make_array, shape, dtype):
    x = make_array(np.ones(shape), dtype)
    for rule in rules_for(shape[-2]):
        for rng in (None, Draws("rule", x)):
            y, state = rule(x, None, rng)
            like_the_input(rule, x, y)
            like_the_input(rule, x, rule(x, state, rng)[0])
        assert np.all(to_numpy(y) == 1) or isinstance(rule, CenteredClipping) or 0 in y.shape or y.shape[-1] > 1


@pytest.mark.parametrize("shape", LARGE, ids=str)
def test_large_ones_by_kernels_and_without(shape):
    x = np.ones(shape)
    for rule in rules_for(shape[-2]):
        if shape[-2] > 11 and not isinstance(rule, Mean | Krum | CenteredClipping):
            continue  # seconds for each of the others, which have no runs to spend them on
        y = rule.aggregate(x)
        like_the_input(rule, x, y)
        with kernels.reference():
            np.testing.assert_allclose(y, rule.aggregate(x), rtol=1e-12)


@pytest.mark.parametrize("shape", [*NO_RUNS, *NO_COORDINATES, *ONE_WORKER], ids=str)
def test_every_contract(shape):
    x = np.ones(shape) * np.arange(1.0, shape[-1] + 1)
    for rule in rules_for(shape[-2]):
        keeps_all(rule, x)


@pytest.mark.parametrize("shape", [(0, 9, 2), (9, 0)], ids=str)
@pytest.mark.parametrize("make_array", ["array-api-strict"], indirect=True)
def test_every_contract_on_the_strict_library(make_array, shape):
    x = make_array(np.ones(shape))
    for rule in examples(9, 1).values():
        keeps_all(rule, x)


def test_a_fault_shows_where_there_is_one_worker():
    class Wrong(Mean):
        def reduce(self, x):
            return 2 * super().reduce(x)

    with pytest.raises(AssertionError, match="contract 'agreement'"):
        contracts.check_agreement(Wrong(), np.ones((1, 4)))


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0,), (3, 0, 2)], ids=str)
def test_an_array_of_nothing_keeps_its_shape_in_another_library(make_array, shape):
    assert tuple(as_like(np.zeros(shape), make_array([1.0])).shape) == shape


@pytest.mark.parametrize("rule", list(examples(1, 0).values()), ids=repr)
@pytest.mark.parametrize("optimizer", [SGD(0.5), WorkerMomentum(0.5, 0.5)], ids=["SGD", "momentum"])
def test_one_worker_alone(rule, optimizer):
    """On its own and by hand: what a rule makes of one message is the message, unless it clips."""
    record = simulate(Quadratic((1.0, 0.5)), RobustSGD(rule, optimizer), n=1, f=0, steps=3, runs=2, seed=0, x0=0.5)
    plain = simulate(Quadratic((1.0, 0.5)), RobustSGD(Mean(), optimizer), n=1, f=0, steps=3, runs=2, seed=0, x0=0.5)
    np.testing.assert_allclose(record.x, plain.x, rtol=1e-14)
