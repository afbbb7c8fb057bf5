"""Remark 2: the engine's own rules and memories under random permutations, instead of exact arrays."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from perform import check_statement, results, verdicts, well_formed

from sims.aggregators import RFA, Bulyan, CenteredClipping, CoordinateMedian, GeometricMedian, Krum, MultiKrum
from sims.checks.exact_algorithm import run
from sims.optimizers import SGD, RobustSGD, ServerMomentum, WorkerMomentum
from theory.remark_2_memoryless import STATEMENT, Weighted


def test_the_statement_is_well_formed():
    well_formed(STATEMENT)


def test_the_verdicts_at_the_quick_budget():
    assert verdicts(STATEMENT.stem) == {
        "memoryless": "refuted",
        "memoryless_symmetric": "holds",
        "memory_notices": "refuted",
        "memory_of_multisets": "holds",
    }


def test_every_control_is_caught():
    check_statement(results(STATEMENT.stem))


def largest_change(rule, optimizer, n=11, d=3, t=5, trials=20):
    """The largest change of x_t when the workers of each round change places, in floats and in d dimensions."""
    rng = np.random.default_rng(0)
    worst = 0.0
    for _ in range(trials):
        array = rng.standard_normal((t, n, d))
        algorithm = RobustSGD(rule, optimizer)
        ends = []
        for moved in (array, np.stack([row[rng.permutation(n)] for row in array])):
            state = algorithm.init(np.zeros(d))
            for row in moved:
                _, state = algorithm(row, state)
            ends.append(state.x)
        worst = max(worst, float(np.max(np.abs(ends[0] - ends[1]))))
    return worst


RULES = (
    CoordinateMedian(),
    GeometricMedian(),
    RFA(),
    Krum(2),
    MultiKrum(2),
    Bulyan(2),
    CenteredClipping(0.3),
)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: type(r).__name__)
def test_symmetric_rules_do_not_notice_without_or_with_memory_on_the_server(rule):
    for optimizer in (SGD(0.3), ServerMomentum(0.3, 0.9)):
        assert largest_change(rule, optimizer) < 1e-7  # the geometric median is found to a tolerance


@pytest.mark.parametrize("rule", RULES, ids=lambda r: type(r).__name__)
def test_worker_momentum_notices(rule):
    assert largest_change(rule, WorkerMomentum(0.3, 0.9)) > 1e-4


def test_a_weighted_mean_by_hand():
    queries, output = run(Weighted(), [[Fraction(1), Fraction(4)], [Fraction(3), Fraction(0)]])
    assert queries == (0, Fraction(-3, 2))  # ½·(1·1 + 2·4)/3
    assert output == Fraction(-3, 2) - Fraction(1, 2)
