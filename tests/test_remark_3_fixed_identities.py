"""Remark 3: laws of arrays by their multisets, errors in closed form, and the arrangements that the engine makes."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from perform import check_statement, results, verdicts, well_formed
from scipy.stats import binom

from sims.aggregators import FunctionRule
from sims.checks.laws import binomial
from sims.engine import simulate
from sims.optimizers import SGD, RobustSGD
from theory.definition_b_permutation_invariance.algorithms import Counting, Trusting
from theory.remark_3_fixed_identities import (
    STATEMENT,
    added,
    afresh,
    coins,
    expected_error,
    fixed,
    largest_bias,
    laws,
    on_schedule,
    total_variation,
)
from theory.theorem_ii_lower_bound.errors import enumerated_error
from theory.theorem_ii_lower_bound.worlds import Mirror, TwoWorlds


def test_the_statement_is_well_formed():
    well_formed(STATEMENT)


def test_the_verdicts_at_the_quick_budget():
    assert verdicts(STATEMENT.stem) == {
        "arrays": "holds",
        "forced": "holds",
        "impossible": "holds",
        "identities": "holds",
        "worker_momentum": "supported",
    }


def test_every_control_is_caught():
    check_statement(results(STATEMENT.stem))


def test_both_printed_parts_stand_and_the_corrected_statement_is_proved():
    result = results(STATEMENT.stem)
    assert [claim.name for claim in STATEMENT.parts("printed")] == ["forced", "impossible"]
    assert result.stand("printed") == (2, 2)
    assert STATEMENT.fault is None
    assert result.side("corrected") == "proved"


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


@pytest.mark.parametrize(("n", "f"), [(3, 1), (4, 1), (5, 1), (5, 2), (12, 3), (40, 1)])
def test_some_bias_always_leaves_the_order(n, f):
    """By scipy's tails: no bias below the largest one breaks the order, and the next hundredth does."""
    g, bias = n - f, float(largest_bias(n, f))
    k = np.arange(g + 1)

    def gap(b):
        return np.min(binom.sf(k - f - 1, g, (1 - b) / 2) - binom.sf(k - 1, g, (1 + b) / 2))

    assert 0 < bias <= f / g
    assert all(gap(b) >= -1e-12 for b in np.linspace(0, bias, 20))
    assert gap(bias + 0.01) < 0


def test_the_largest_bias_of_three_workers_by_hand():
    """P(Bin(2, a) = 2) = a² ≤ P(Bin(2, 1 − a) ≥ 1) = 1 − a²: a ≤ 1/√2."""
    assert largest_bias(3, 1) == Fraction(41, 100)
    assert Fraction(141, 200) ** 2 * 2 <= 1 < Fraction(142, 200) ** 2 * 2


def test_coins_have_their_laws_and_byzantine_workers_add_what_is_missing():
    n, f, bias = 5, 2, largest_bias(5, 2)
    g, a = n - f, (1 + bias) / 2
    rounds = list(added(g, f, a))
    for k in range(g + 1):
        assert sum(chance for honest, _, chance in rounds if honest == k) == binomial(g, 1 - a)[k]
        assert sum(chance for honest, bad, chance in rounds if honest + bad == k) == binomial(g, a)[k]
    assert {bad for _, bad, _ in rounds} <= set(range(f + 1))
    for world, p in zip(coins(n, f, bias, fixed), (a, 1 - a), strict=True):
        for worker in range(g):  # good workers toss independent coins: P(−1) = p, also given another one
            assert sum(chance for row, chance in world.items() if row[worker] == -1) == p
        assert sum(chance for row, chance in world.items() if row[0] == row[1] == -1) == p * p


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
