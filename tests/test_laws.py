"""Finite-support laws against the enumeration of all outcomes."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binom

from sims.checks.laws import binomial, expectation, two_valued

F = Fraction


@pytest.mark.parametrize("n", [0, 1, 2, 5, 9])
@pytest.mark.parametrize("p", [F(0), F(1, 4), F(2, 3), F(1)])
def test_the_binomial_law_over_all_outcomes(n, p):
    law = [F(0)] * (n + 1)
    for outcome in itertools.product((0, 1), repeat=n):
        law[sum(outcome)] += math.prod((p if bit else 1 - p for bit in outcome), start=F(1))
    assert binomial(n, p) == law


def test_a_large_binomial_law_sums_to_one_exactly_and_agrees_with_another_library():
    law = binomial(150, F(1, 3))
    assert sum(law) == 1
    np.testing.assert_allclose([float(q) for q in law], binom.pmf(np.arange(151), 150, 1 / 3), rtol=1e-11)
    assert expectation(law, [F(k) for k in range(151)]) == 50
    assert expectation(law, [F(k * k) for k in range(151)]) == 150 * F(2, 9) + 2500


def test_an_expectation_is_exact_and_needs_a_value_for_every_outcome():
    assert expectation([F(1, 3), F(2, 3)], [F(1, 7), F(5)]) == F(1, 21) + F(10, 3)
    with pytest.raises(ValueError, match="shorter"):
        expectation([F(1, 2), F(1, 2)], [F(1)])


@pytest.mark.parametrize("n", [1, 2, 5])
def test_two_valued_messages_are_one_for_each_count(n):
    x = np.array(two_valued(n, -1.0, 3.0))
    assert x.shape == (n + 1, n, 1)
    assert set(x.ravel()) == {-1.0, 3.0}
    assert np.sum(x == 3.0, axis=(1, 2)).tolist() == list(range(n + 1))
