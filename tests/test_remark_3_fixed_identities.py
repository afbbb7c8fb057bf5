"""Remark 3: laws of arrays by their multisets, errors in closed form, and the arrangements that the engine makes."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from perform import check_statement, results, verdicts, well_formed

from sims.aggregators import FunctionRule
from sims.engine import simulate
from sims.optimizers import SGD, RobustSGD
from theory.definition_b_permutation_invariance.algorithms import Counting, Trusting
from theory.remark_3_fixed_identities import (
    STATEMENT,
    afresh,
    expected_error,
    fixed,
    laws,
    on_schedule,
    total_variation,
)
from theory.theorem_ii_lower_bound.errors import enumerated_error
from theory.theorem_ii_lower_bound.worlds import Mirror, TwoWorlds


def test_the_statement_is_well_formed():
    well_formed(STATEMENT)


def test_the_verdicts_at_the_quick_budget():
    assert verdicts(STATEMENT.stem) == {"arrays": "holds", "forced": "holds", "worker_momentum": "supported"}


def test_every_control_is_caught():
    check_statement(results(STATEMENT.stem))


@pytest.mark.parametrize(("n", "f"), [(3, 1), (4, 1), (5, 2)])
def test_the_laws_by_multisets(n, f):
    """P(array) = P(ΣU = k) over the number of arrangements of k spikes −1 and min(k, f) spikes +1."""
    q, g = Fraction(1, 5), n - f
    for world, sign in zip(laws(n, f, q, afresh), (1, -1), strict=True):
        assert sum(world.values()) == 1
        for array, probability in world.items():
            count = Counter(array)
            k = count[-sign]
            assert count[sign] == min(k, f)
            ways = math.factorial(n) // math.prod(math.factorial(c) for c in count.values())
            assert probability == math.comb(g, k) * q**k * (1 - q) ** (g - k) / ways


def test_the_total_variation_by_hand():
    """Fixed identities, n = 3, f = 1: the arrays agree only without spikes; afresh, unless both good ones show one."""
    q = Fraction(1, 4)
    for identities in (fixed, on_schedule):
        assert total_variation(*laws(3, 1, q, identities)) == 1 - (1 - q) ** 2
    assert total_variation(*laws(3, 1, q, afresh)) == q**2


@pytest.mark.parametrize("t", [1, 2, 3])
def test_trusting_a_good_worker_errs_by_its_variance(t):
    assert expected_error(Trusting(), 3, 1, t, Fraction(3, 8), fixed) == Fraction(1, 2 * t)


def test_who_forgets_does_not_mind():
    q = Fraction(1, 4)
    for identities in (afresh, fixed, on_schedule):
        assert expected_error(Counting(q), 3, 1, 2, q, identities) == enumerated_error(Counting(q), 3, 1, 2, q)


def test_the_engine_gives_each_worker_the_same_law_when_they_change():
    """Listening to worker 1 with η_t = 1/t: E x_t is the optimum with fixed identities, near 0 when they change."""
    world = TwoWorlds(1, 0.25)

    def first(messages):
        return messages[0]

    ends = {}
    for shuffle in (False, True):
        record = simulate(
            world, RobustSGD(FunctionRule(first), SGD(lambda t: 1 / t)), n=6, f=3, attack=Mirror(world),
            steps=40, runs=400, seed=0, shuffle=shuffle, every=40,
        )  # fmt: skip
        ends[shuffle] = float(np.mean(record.x))
    assert ends[False] == pytest.approx(world.x_star, abs=0.05)
    assert ends[True] == pytest.approx(0, abs=0.05)  # K > 3 never happens with 3 good workers: all is mirrored
