"""Every optimizer keeps what an optimizer owes, and what it owes catches the optimizer that breaks it."""

from __future__ import annotations

import numpy as np
import pytest
from faulty_optimizers import FAULTY

from sims.by_name import OPTIMIZERS
from sims.contracts import check_optimizer, contracts_for_optimizer
from sims.optimizers import SGD, Optimizer, Piecewise, ServerMomentum, WeightDecay, WorkerMomentum, WorkerMVR

SOUND = [optimizer.example() for optimizer in OPTIMIZERS]
SOUND += [WorkerMVR(0.1, 0.5, start="zero"), WorkerMVR(0.1, 0.5, idle=3), WorkerMVR(0.1, 1.0), SGD(0.0)]
SOUND += [WorkerMomentum(0.1, 0.9, damped=False), ServerMomentum(Piecewise(1.0, (2,)), 0.5, damped=False)]
SOUND += [SGD(lambda t: 0.1 / t), WeightDecay(WorkerMVR(0.1, 0.5), 0.1), WorkerMomentum(0.1, lambda t: 1 - 1 / t)]
NAMES = [f"{type(optimizer).__name__}-{k}" for k, optimizer in enumerate(SOUND)]


class Adam(Optimizer):
    """Somebody's own: coordinates are scaled by their own second moments, on the server."""

    learning_rate = 0.1

    def update(self, x, aggregate, memory, t):
        mean, square = memory or (0.0, 0.0)
        mean, square = 0.9 * mean + 0.1 * aggregate, 0.999 * square + 0.001 * aggregate**2
        step = mean / (1 - 0.9**t) / ((square / (1 - 0.999**t)) ** 0.5 + 1e-8)
        return x - 0.1 * step, (mean, square)


@pytest.mark.parametrize("optimizer", [*SOUND, Adam()], ids=[*NAMES, "Adam"])
def test_every_optimizer_keeps_its_contracts(optimizer):
    check_optimizer(optimizer)


@pytest.mark.parametrize("make_array", ["array-api-strict", "torch"], indirect=True)
@pytest.mark.parametrize("optimizer", SOUND[: len(OPTIMIZERS)], ids=NAMES[: len(OPTIMIZERS)])
def test_every_optimizer_keeps_its_contracts_on_every_library(make_array, optimizer):
    check_optimizer(optimizer, like=make_array(np.zeros(1)))


@pytest.mark.parametrize(("contract", "make"), FAULTY, ids=[f"{name}-{one.__name__}" for name, one in FAULTY])
def test_a_faulty_optimizer_is_caught_with_any_seed(contract, make):
    with pytest.raises(AssertionError, match=rf"^contract '.*' broken by .*{make.__name__}"):
        check_optimizer(make())
    for seed in range(20):
        with pytest.raises(AssertionError, match=rf"^contract '{contract}' broken by .*{make.__name__}"):
            check_one(contract, make(), seed)


def check_one(contract, optimizer, seed):
    """One contract alone, in float32, in which what is wider shows."""
    narrow = np.zeros(1, dtype=np.float32)
    owed = contracts_for_optimizer(optimizer, seed, narrow)
    {name.partition(" learning_rate")[0]: check for name, check in owed}[contract](optimizer)


def test_every_contract_has_an_optimizer_that_breaks_it():
    owed = {name.partition(" learning_rate")[0] for name, _ in contracts_for_optimizer(SGD(0.1))}
    assert owed == {name for name, _ in FAULTY}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: check_optimizer(SGD), "needs a sims Optimizer, got optimizer = <class"),  # pyright: ignore
        (lambda: check_optimizer(SGD(np.array([0.1, 0.2]))), "needs one value of learning_rate"),
        (lambda: check_optimizer(SGD(0.1), seed=-1), "needs seed ≥ 0"),
    ],
)
def test_what_cannot_be_checked_is_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
