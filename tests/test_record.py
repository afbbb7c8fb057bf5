"""The record of a simulation: when values are taken, plain JSON, and a key that is known beforehand."""

import functools
import json
import math
import threading
from dataclasses import dataclass

import numpy as np
import pytest

from sims.aggregators import CenteredClipping, Mean
from sims.attacks import ALittleIsEnough, Attack
from sims.engine import Experiment, key, simulate
from sims.optimizers import SGD, RobustSGD
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
    experiment = Experiment(PROBLEM, ALGORITHM, attack=ALittleIsEnough(), **SIZES)
    assert key(stored["configuration"]) == record.key() == experiment.key()
    assert np.array_equal(np.array(stored["excess"]), record.excess)
    assert set(stored["versions"]) == {"byzcheck", "numpy", "python"}


def test_what_cannot_be_described_has_no_key():
    opaque = SGD(functools.partial(lambda lock, t: 0.1 / t, threading.Lock()))
    record = simulate(PROBLEM, RobustSGD(Mean(), opaque), **SIZES)
    with pytest.raises(ValueError, match="got _thread:lock"):
        record.key()
