"""Requests that cannot fit are refused before anything is computed, and none that fits is."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sims.aggregators import Mean
from sims.engine import Experiment, memory, play, simulate
from sims.optimizers import SGD, RobustSGD
from sims.problems import Quadratic

SMALL = {"n": 3, "f": 0, "steps": 4, "runs": 2, "seed": 0}


def experiment(**changes):
    return Experiment(Quadratic((1.0, 2.0)), RobustSGD(Mean(), SGD(0.1)), **{**SMALL, **changes})


@pytest.mark.parametrize(
    "changes",
    [{"n": 10**12}, {"runs": 10**12}, {"steps": 10**12}, {"grid": (10**6, 10**6)}, {"n": 10**6, "runs": 10**6}],
    ids=str,
)
def test_what_cannot_fit_is_refused_with_what_it_would_take(changes):
    with pytest.raises(ValueError, match=r"needs at least [\d,]+\.\d GiB for its record .* of memory here: take fewer"):
        play(experiment(**changes))


def test_few_recorded_rounds_of_many_fit():
    memory.check_memory(experiment(steps=10**12, every=10**11), compiled=True)


def test_what_is_counted_is_what_arrays_take():
    """The record's own arrays, and messages and samples of one round."""
    e = experiment(grid=(5,), n=7, every=2)
    record, at_once = memory.needed(e, compiled=False)
    played = simulate(e.problem, e.algorithm, **{**SMALL, "grid": (5,), "n": 7, "every": 2})
    arrays = [*played.measures.values(), played.sq_aggregate_errors, played.x]
    assert sum(a.nbytes for a in arrays) <= record <= 1.2 * sum(a.nbytes for a in arrays)
    assert at_once == np.zeros((5, 2, 7, 2)).nbytes + np.zeros((2, 7, 2)).nbytes
    assert memory.needed(e, compiled=True) == (record, 0)


def test_the_limit_is_met_exactly():
    e = experiment()
    enough = sum(memory.needed(e, compiled=False))
    memory.check_memory(e, False, there=enough)
    with pytest.raises(ValueError, match=re.escape("n = 3, d = 2, runs = 2")):
        memory.check_memory(e, False, there=enough - 1)


def test_where_the_system_does_not_tell_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "memory", lambda: None)
    memory.check_memory(experiment(n=10**12), compiled=False)
