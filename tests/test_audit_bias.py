"""What an audit says of rules without attackers, beside what the theory rows say of the same laws."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from byzcheck.audit import bias
from sims.aggregators import Bulyan, CenteredClipping, CoordinateMedian, Krum, Mean, TrimmedMean, as_rule
from theory.counterexample_2_imbalanced.counts import krum_law, median_law, shares
from theory.counterexample_3_heavy_tail import expected_median


def found(rule, n, seed=0, like=None):
    """The three lines in order: ±1, skewed, imbalanced."""
    return bias.lines(rule, n, 1, seed, like)


@pytest.mark.parametrize("n", [7, 8, 25])
def test_the_mean_has_no_bias(n):
    two, skew, rest = found(Mean(), n)
    assert two.evidence[0].measured == pytest.approx(1 / n, rel=1e-12)
    assert two.good is skew.good is True
    assert rest.good in (True, None)
    assert skew.evidence[0].measured == 0
    assert abs(rest.evidence[0].measured - 1) <= rest.evidence[0].error


@pytest.mark.parametrize(
    ("rule", "returns"), [(CoordinateMedian(), True), (Krum(1), True), (Bulyan(1), True)], ids=repr
)
def test_middle_seekers_return_a_sign_at_odd_n(rule, returns):
    """Counterexample 1: Krum and the median always, Bulyan where n ≤ 6f + 1, as at n = 7, f = 1 and not at n = 9."""
    assert (found(rule, 7)[0].evidence[0].measured == pytest.approx(1, rel=1e-12)) is returns
    assert found(rule, 7)[0].good is False
    nine = found(rule, 9)[0].evidence[0].measured
    assert nine < 1 - 1e-6 if isinstance(rule, Bulyan) else nine == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("n", [4, 6])
def test_the_median_at_even_n_by_hand(n):
    """It is 0 where there are as many +1 as −1, else a sign."""
    expected = 1 - math.comb(n, n // 2) / 2**n
    assert found(CoordinateMedian(), n)[0].evidence[0].measured == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [3, 7, 25])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_median_on_skewed_noise_lands_where_the_recursion_says(n, seed):
    """Counterexample 3, by its exact E[median_n]; what the cut at 3 takes is below the half-width."""
    line = found(CoordinateMedian(), n, seed)[1]
    item = line.evidence[0]
    assert abs(1.5 + item.measured - float(expected_median(n))) <= item.error + 0.02 * (n == 3)
    assert line.good is False
    assert "below the mean" in line.against


@pytest.mark.parametrize("n", [7, 16])
def test_what_is_left_of_rare_classes_agrees_with_their_law(n):
    """Counterexample 2: the laws of the median's and Krum's output, from class counts."""
    p = shares(Fraction(1, 2), 10)
    for rule, law in ((CoordinateMedian(), median_law(n, p)), (Krum(1), krum_law(n, p))):
        item = found(rule, n)[2].evidence[0]
        exact = float(sum(law[2:]) / sum(p[2:]))
        assert abs(item.measured - exact) <= item.error, rule


def test_a_rule_that_remembers_is_asked_when_it_has_settled():
    """From 0 a step of τ = 0.1 on messages of at least 1 goes no farther than 0.1."""
    skew = found(CenteredClipping(0.1), 7)[1]
    assert -0.5 < skew.evidence[0].measured < -0.1
    assert skew.evidence[0].verdict == "supported"


def test_what_leaves_the_messages_is_refuted():
    two, skew, _ = found(as_rule(lambda x: 3 * np.median(x, axis=0) - 3), 7)
    assert two.evidence[0].verdict == "refuted"
    assert two.good is skew.good is False


def test_a_function_and_the_rule_that_it_is_agree():
    """From fewer draws: each within its own error."""
    own, plain = found(TrimmedMean(2), 9), found(as_rule(lambda x: np.mean(np.sort(x, axis=0)[2:-2], axis=0)), 9)
    assert own[0].evidence[0].measured == pytest.approx(plain[0].evidence[0].measured, rel=1e-9)
    for a, b in zip(own[1:], plain[1:], strict=True):
        assert abs(a.evidence[0].measured - b.evidence[0].measured) <= a.evidence[0].error + b.evidence[0].error


def test_the_same_seed_gives_the_same_numbers_and_float32_nearly_so():
    assert found(Krum(1), 7, 5) == found(Krum(1), 7, 5) != found(Krum(1), 7, 6)
    wide, narrow = found(CoordinateMedian(), 7), found(CoordinateMedian(), 7, like=np.zeros(1, np.float32))
    for a, b in zip(wide, narrow, strict=True):
        assert a.evidence[0].measured == pytest.approx(b.evidence[0].measured, abs=1e-6)
