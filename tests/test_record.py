"""The record of a simulation: when values are taken, plain JSON, and keys that no two configurations share."""

import functools
import json
import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from sims.aggregators import CenteredClipping, Mean
from sims.attacks import ALittleIsEnough, Attack, InnerProductManipulation
from sims.engine import configure, key, simulate
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.problems import Quadratic

PROBLEM, ALGORITHM = Quadratic((1.0, 2.0), sigma_sq=1.0), RobustSGD(CenteredClipping(tau=1.0), SGD(0.1))
SIZES = {"n": 5, "f": 1, "steps": 7, "runs": 2, "seed": 0}


@dataclass(frozen=True)
class Infinite(Attack):
    """Infinity in every coordinate."""

    def send(self, view, state, rng):
        return view.own * 0.0 + math.inf, state


def test_values_are_recorded_at_multiples_and_at_the_end():
    full, thin = (simulate(PROBLEM, ALGORITHM, every=every, **SIZES) for every in (1, 3))
    assert thin.times.tolist() == [0, 3, 6, 7]
    assert np.array_equal(thin.excess, full.excess[[0, 3, 6, 7]])
    assert np.array_equal(thin.sq_aggregate_errors, full.sq_aggregate_errors[[2, 5, 6]])
    assert np.array_equal(full.sq_distances[-1], np.sum(full.x**2, axis=-1))


def test_an_infinite_message_is_recorded_and_not_an_error():
    record = simulate(PROBLEM, RobustSGD(Mean(), SGD(0.1)), attack=Infinite(), **SIZES)
    assert not np.any(np.isfinite(record.x))
    json.dumps(record.as_dict(), allow_nan=False)


def test_a_record_is_plain_json_and_knows_its_key_beforehand():
    record = simulate(PROBLEM, ALGORITHM, attack=ALittleIsEnough(), chunk=2, **SIZES)
    stored = json.loads(json.dumps(record.as_dict(), allow_nan=False))
    assert (
        key(stored["configuration"])
        == record.key()
        == key(configure(PROBLEM, ALGORITHM, attack=ALittleIsEnough(), **SIZES))
    )
    assert np.array_equal(np.array(stored["excess"]), record.excess)
    assert set(record.configuration["versions"]) == {"byzcheck", "numpy", "python", "streams"}


VARIANTS = {
    "rule": (PROBLEM, RobustSGD(CenteredClipping(tau=1.5), SGD(0.1)), {}),
    "rule's steps": (PROBLEM, RobustSGD(CenteredClipping(tau=1.0, steps=2), SGD(0.1)), {}),
    "array instead of number": (PROBLEM, RobustSGD(CenteredClipping(tau=np.array([1.0, 2.0])), SGD(0.1)), {}),
    "learning rate": (PROBLEM, RobustSGD(CenteredClipping(tau=1.0), SGD(0.2)), {}),
    "schedule": (PROBLEM, RobustSGD(CenteredClipping(tau=1.0), SGD(lambda t: 0.1 / t)), {}),
    "another schedule": (PROBLEM, RobustSGD(CenteredClipping(tau=1.0), SGD(lambda t: 0.2 / t)), {}),
    "optimizer": (PROBLEM, RobustSGD(CenteredClipping(tau=1.0), WorkerMomentum(0.1, 0.0)), {}),
    "problem": (replace(PROBLEM, sigma_sq=2.0), ALGORITHM, {}),
    "eigenvalues": (replace(PROBLEM, eigenvalues=(1.0, 2.5)), ALGORITHM, {}),
    "attack": (PROBLEM, ALGORITHM, {"attack": InnerProductManipulation()}),
    "attack's parameter": (PROBLEM, ALGORITHM, {"attack": InnerProductManipulation(epsilon=0.2)}),
    **{name: (PROBLEM, ALGORITHM, {name: value}) for name, value in {"n": 6, "f": 2, "steps": 8, "runs": 3}.items()},
    **{name: (PROBLEM, ALGORITHM, {name: value}) for name, value in {"seed": 1, "first_run": 1, "every": 2}.items()},
    **{name: (PROBLEM, ALGORITHM, {name: value}) for name, value in {"shuffle": True, "x0": [1.0, 0.0]}.items()},
}


def test_every_parameter_is_in_the_key():
    keys = [key(configure(p, a, **{**SIZES, **options})) for p, a, options in VARIANTS.values()]
    keys.append(key(configure(PROBLEM, ALGORITHM, **SIZES)))
    assert len(set(keys)) == len(VARIANTS) + 1


def schedule(scale):
    return lambda t: scale / t


def test_closures_are_told_apart_and_equal_ones_are_not():
    def made(scale):
        return key(configure(PROBLEM, RobustSGD(Mean(), SGD(schedule(scale))), **SIZES))

    assert made(1.0) == made(1.0) != made(2.0)


def test_what_cannot_be_described_has_no_key():
    opaque = SGD(functools.partial(lambda scale, t: scale / t, 1.0))
    record = simulate(PROBLEM, RobustSGD(Mean(), opaque), **SIZES)
    with pytest.raises(ValueError, match="got functools:partial"):
        record.key()
