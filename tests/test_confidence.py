"""Confidence intervals by enumeration: their coverage is computed, not sampled."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.special import betaincinv
from scipy.stats import binom, norm

from sims.checks.confidence import betting_mean, bounded_mean, proportion

CHANCES = [0.0, 1e-9, 1e-4, 0.01, 0.05, 0.2, 1 / 3, 0.5, 0.77, 0.95, 0.999, 1.0]


def misses(intervals, trials, p):
    """P(p below its interval), P(p above it) for K ~ Bin(trials, p), by enumeration of K."""
    mass = binom.pmf(np.arange(trials + 1), trials, p)
    low, high = np.array(intervals).T
    return float(np.sum(mass[p < low])), float(np.sum(mass[p > high]))


@pytest.mark.parametrize("alpha", [0.2, 0.05, 1e-3, 1e-9])
@pytest.mark.parametrize("trials", [1, 2, 7, 30, 200])
def test_proportion_covers_at_every_p(trials, alpha):
    """Each side misses with probability at most α/2, also at p between and at the end points of the intervals."""
    intervals = [proportion(k, trials, alpha) for k in range(trials + 1)]
    ends = [end + side for interval in intervals for end in interval for side in (-1e-12, 0.0, 1e-12)]
    for p in CHANCES + [end for end in ends[:: max(1, trials // 20)] if 0 <= end <= 1]:
        below, above = misses(intervals, trials, p)
        assert max(below, above) <= alpha / 2 * (1 + 1e-6)


@pytest.mark.parametrize("alpha", [0.05, 1e-9])
@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (1, 1000), (650, 1000)])
def test_proportion_is_no_wider_than_the_tails_allow(successes, trials, alpha):
    """At its ends the tails are α/2 exactly (Clopper and Pearson's definition)."""
    low, high = proportion(successes, trials, alpha)
    assert low == 0 if successes == 0 else binom.sf(successes - 1, trials, low) == pytest.approx(alpha / 2, rel=1e-6)
    assert (
        high == 1 if successes == trials else binom.cdf(successes, trials, high) == pytest.approx(alpha / 2, rel=1e-6)
    )


def tail(trials: int, counts: range, p: float) -> Fraction:
    """P(K in counts) for K ~ Bin(trials, p), exactly."""
    chance = Fraction(p)
    return sum(math.comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in counts)


ENDS = [(0, 1), (1, 1), (1, 2), (0, 200), (1, 150), (7, 100), (10, 20), (40, 50), (99, 100), (90, 90)]
ALPHAS = [1.0, 0.05, 1e-7, 1e-9, 1e-13, 1e-15, 1e-16, 1e-17, 1e-30, 1e-100, 1e-250]


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize(("successes", "trials"), ENDS)
def test_the_tails_at_the_ends_of_a_proportion_are_right_in_fractions(successes, trials, alpha):
    """No more than α/2, and more than that at the next numbers inside: whatever α is, 1 − α/2 as well."""
    assert_tails(*proportion(successes, trials, alpha), successes, trials, alpha)


def assert_tails(low, high, successes, trials, alpha):
    half, slack = Fraction(alpha) / 2, 1 + Fraction(1, 10**9)
    below, above = range(successes, trials + 1), range(successes + 1)
    if successes:
        assert tail(trials, below, low) <= half * slack
        assert tail(trials, below, math.nextafter(low, 1.0)) * slack > half
    if successes < trials:
        assert tail(trials, above, high) <= half * slack
        assert tail(trials, above, math.nextafter(high, 0.0)) * slack > half


@pytest.mark.parametrize("alpha", [1e-9, 1e-13, 1e-16])
def test_fractions_find_a_tail_that_is_taken_from_one(alpha):
    """1 − α/2 is rounded: at 1e-9 the end is wrong in the seventh digit of its tail, at 1e-16 altogether."""
    wrong = float(betaincinv(1, 200, 1 - alpha / 2))
    with pytest.raises(AssertionError):
        assert_tails(0.0, wrong, 0, 200, alpha)


@pytest.mark.parametrize("alpha", [1e-12, 1e-200])
def test_no_success_in_many_trials(alpha):
    """1 − (α/2)^{1/m}, which is log(2/α)/m for large m: nothing of it is lost beside 1."""
    assert proportion(0, 10**15, alpha)[1] == pytest.approx(-math.expm1(math.log(alpha / 2) / 10**15), rel=1e-9)


@pytest.mark.parametrize("alpha", [0.0, -0.1, 1.1, math.nan, 1e-251])
def test_proportion_refuses_an_alpha_that_there_is_not(alpha):
    with pytest.raises(ValueError, match=r"1e-250 ≤ alpha ≤ 1, got alpha = "):
        proportion(1, 3, alpha)


def test_the_enumeration_catches_the_normal_approximation():
    """p̂ ± z·√(p̂(1 − p̂)/m), which the checks must not use."""
    z, trials = norm.isf(0.005), 30
    intervals = []
    for k in range(trials + 1):
        half = z * math.sqrt(k / trials * (1 - k / trials) / trials)
        intervals.append((k / trials - half, k / trials + half))
    assert sum(misses(intervals, trials, 0.02)) > 0.5


@pytest.mark.parametrize(("successes", "trials"), [(-1, 5), (6, 5), (0, 0)])
def test_proportion_refuses_impossible_counts(successes, trials):
    with pytest.raises(ValueError, match=f"got {successes} of {trials}"):
        proportion(successes, trials, 0.05)


def of_ones(ones, trials, low=0.0, high=1.0, alpha=0.05):
    sample = np.full(trials, low)
    sample[:ones] = high
    return bounded_mean(sample, low, high, alpha)


@pytest.mark.parametrize("alpha", [0.2, 0.05, 1e-3])
@pytest.mark.parametrize("trials", [2, 3, 10, 60, 400])
def test_bounded_mean_covers_bernoulli_laws(trials, alpha):
    """P(|mean − p| > half-width) ≤ α for K ~ Bin(m, p), by enumeration of K."""
    intervals = [
        (mean - half, mean + half) for mean, half in (of_ones(k, trials, alpha=alpha) for k in range(trials + 1))
    ]
    for p in CHANCES:
        assert sum(misses(intervals, trials, p)) <= alpha


@pytest.mark.parametrize("alpha", [0.05, 1e-3, 1e-9])
@pytest.mark.parametrize("trials", [2, 20, 300])
def test_bounded_mean_is_never_narrower_than_the_binomial_needs(trials, alpha):
    """It holds at level 1 − α for all laws on [0, 1], hence contains what one-sided tests at α cannot exclude."""
    for ones in range(trials + 1):
        mean, half = of_ones(ones, trials, alpha=alpha)
        low, high = proportion(ones, trials, 2 * alpha)  # ends with tails of α
        assert mean - half <= low + 1e-12
        assert high - 1e-12 <= mean + half


def test_the_enumeration_catches_a_bernstein_width_without_its_second_term():
    """All zeros have no sample variance: without 7(b − a)ln(4/α')/(3(m − 1)) the width would be 0."""
    trials, alpha, p = 60, 0.05, 0.02
    intervals = []
    for k in range(trials + 1):
        mean = k / trials
        variance = mean * (1 - mean) * trials / (trials - 1)
        half = math.sqrt(2 * variance * math.log(8 / alpha) / trials)
        intervals.append((mean - half, mean + half))
    assert sum(misses(intervals, trials, p)) > alpha


def test_bounded_mean_by_its_two_formulas():
    """Hoeffding's at large variance, Bernstein's at small; in any range, in units of it."""
    m, log = 5000, math.log(8 / 1e-6)
    mean, half = of_ones(m // 2, m, alpha=1e-6)
    assert (mean, half) == (0.5, pytest.approx(math.sqrt(log / (2 * m))))
    _, narrow = of_ones(5, m, alpha=1e-6)
    variance = 5 / m * (1 - 5 / m) * m / (m - 1)
    assert narrow == pytest.approx(math.sqrt(2 * variance * log / m) + 7 * log / (3 * (m - 1)))
    assert narrow < half
    shifted, wide = of_ones(5, m, low=-3.0, high=7.0, alpha=1e-6)
    assert (shifted, wide) == (pytest.approx(-3 + 10 * 5 / m), pytest.approx(10 * narrow))


@pytest.mark.parametrize(
    ("sample", "sentence"),
    [([0.5], "at least 2 values, got 1"), ([0.0, 1.5], "must lie in"), ([-0.1, 0.5], "must lie in")],
)
def test_bounded_mean_refuses_what_it_cannot_bound(sample, sentence):
    with pytest.raises(ValueError, match=sentence):
        bounded_mean(np.array(sample), 0.0, 1.0, 0.05)


def test_bounded_mean_refuses_nan():
    with pytest.raises(ValueError, match="must lie in"):
        bounded_mean(np.array([0.5, np.nan]), 0.0, 1.0, 0.05)


@pytest.mark.parametrize("alpha", [0.2, 0.05, 1e-3])
@pytest.mark.parametrize("trials", [2, 3, 10, 60, 400])
def test_betting_mean_covers_bernoulli_laws(trials, alpha):
    samples = (np.arange(trials) < k for k in range(trials + 1))
    intervals = [(mean - half, mean + half) for mean, half in (betting_mean(x * 1.0, 0.0, 1.0, alpha) for x in samples)]
    for p in CHANCES:
        assert sum(misses(intervals, trials, p)) <= alpha


@pytest.mark.parametrize("alpha", [0.05, 1e-9])
@pytest.mark.parametrize("trials", [20, 300])
def test_betting_mean_is_never_narrower_than_the_binomial_needs(trials, alpha):
    for ones in range(0, trials + 1, 5):
        mean, half = betting_mean((np.arange(trials) < ones) * 1.0, 0.0, 1.0, alpha)
        low, high = proportion(ones, trials, 2 * alpha)
        assert mean - half <= low + 1e-9
        assert high - 1e-9 <= mean + half


def test_betting_mean_of_values_that_hardly_vary_is_narrow_in_any_range():
    sample = np.tile([0.119, 0.121], 200)
    mean, half = betting_mean(sample, 0.0, 1.0, 1e-9)
    assert mean == pytest.approx(0.12)
    assert half < 0.5 * bounded_mean(sample, 0.0, 1.0, 1e-9)[1]
    assert half >= 0.88 * -math.expm1(math.log(1e-9) / 400)  # a share 1 − α^{1/m} at the value 1 is seldom seen
    shifted, wide = betting_mean(10 * sample - 3, -3.0, 7.0, 1e-9)
    assert (shifted, wide) == (pytest.approx(-1.8), pytest.approx(10 * half))
    turned, same = betting_mean(1 - sample, 0.0, 1.0, 1e-9)
    assert (turned, same) == (pytest.approx(0.88), pytest.approx(half))


@pytest.mark.parametrize(
    ("sample", "sentence"),
    [([0.5], "at least 2 values, got 1"), ([0.0, 1.5], "must lie in"), ([0.5, np.nan], "must lie in")],
)
def test_betting_mean_refuses_what_it_cannot_bound(sample, sentence):
    with pytest.raises(ValueError, match=sentence):
        betting_mean(np.array(sample), 0.0, 1.0, 0.05)


@pytest.mark.parametrize(
    ("high", "sentence"),
    [(0.5, r"needs high > low, got \[0.5"), (0.0, r"needs high > low, got \[0.5"), (math.nan, "got high = nan")],
)
def test_betting_mean_refuses_an_empty_range(high, sentence):
    with pytest.raises(ValueError, match=sentence):
        betting_mean(np.full(3, 0.5), 0.5, high, 0.05)
