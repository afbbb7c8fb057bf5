"""Bets and medians of means: exact error probabilities where they can be counted, and power where it is needed."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from sims.checks.heavy_tails import STAKES, log_capital, median_of_means


def drawn(seed=0):
    return np.random.Generator(np.random.Philox(seed))


def test_the_capital_is_the_mixture_of_its_bets():
    ratios = drawn().exponential(size=9)
    expected = np.mean([np.prod([1 + c * (r - 1) for r in ratios]) for c in STAKES])
    assert log_capital(ratios) == pytest.approx(math.log(expected), rel=1e-12)


def test_who_bets_on_a_mean_of_one_neither_wins_nor_loses_on_average():
    """All 4^6 outcomes of a law with the mean 1: the mean of the capital is 1, and it is rarely large."""
    law = {0.0: 0.5, 0.5: 0.2, 1.0: 0.2, 7.0: 0.1}
    assert math.fsum(value * p for value, p in law.items()) == pytest.approx(1.0)
    outcomes = np.array(list(itertools.product(law, repeat=6))).T
    chances = np.prod([[law[value] for value in row] for row in outcomes], axis=0)
    capital = np.exp(log_capital(outcomes))
    assert float(chances @ capital) == pytest.approx(1.0, rel=1e-12)
    for alpha in (0.5, 0.1, 0.01, 1e-3):
        assert float(chances[capital >= 1 / alpha].sum()) <= alpha


def test_a_fall_to_nothing_ruins_the_largest_stake_only():
    assert np.isfinite(log_capital(np.array([0.0, 5.0])))
    assert log_capital(np.zeros((3, 2))).shape == (2,)


@pytest.mark.parametrize("seed", range(10))
def test_twice_the_mean_is_seen_behind_a_tail_without_a_fourth_moment(seed):
    pairs = (1 - drawn(seed).random((2, 2**14))) ** (-1 / 3)
    squares = 0.5 * (pairs[0] - pairs[1]) ** 2  # of mean 3/4
    assert log_capital(squares / 0.375) > math.log(1e10)
    assert log_capital(squares / 0.75) < math.log(1e3)


def test_the_interval_of_medians_holds_where_chebyshev_is_attained():
    """The law ±√V/√q with probability q/2 each is the worst for Chebyshev: no miss in a thousand at α = 10^−3."""
    q, alpha, rng = 0.02, 1e-3, drawn(1)
    misses = 0
    for _ in range(1000):
        jumps = rng.random(2000) < q
        sample = np.where(jumps, rng.choice([-1.0, 1.0], 2000), 0.0) / math.sqrt(q)
        estimate, width = median_of_means(sample, 1.0, alpha)
        misses += abs(float(estimate)) > width
    assert misses <= 4  # P(more of 1000 at 10^−3) is 0.4 %, were the probability the whole α


def test_the_interval_of_medians_by_hand():
    # of all p on the list K/p is least for K = 45, p = 0.13 at α = 10^−9: P(Bin(45, 0.13) ≥ 23) = 4.6e-10
    tail = math.fsum(math.comb(45, k) * 0.13**k * 0.87 ** (45 - k) for k in range(23, 46))
    assert tail <= 1e-9
    sample = np.arange(90.0)
    estimate, width = median_of_means(sample, 4.0, 1e-9)
    assert width == pytest.approx(math.sqrt(4.0 / (2 * 0.13)))
    assert float(estimate) == 44.5  # the 23rd of the means ½, 2½, …
    assert median_of_means(np.stack([sample, -sample], axis=1), 4.0, 1e-9)[0].tolist() == [44.5, -44.5]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: median_of_means(np.zeros(44), 1.0, 1e-9), "needs at least 45 values, got 44"),
        (lambda: median_of_means(np.zeros(99), -1.0, 1e-9), "needs variance ≥ 0, got variance = -1.0"),
        (lambda: median_of_means(np.zeros(99), 1.0, 1.0), "needs 0 < alpha < 1, got alpha = 1.0"),
    ],
)
def test_what_cannot_be_is_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
