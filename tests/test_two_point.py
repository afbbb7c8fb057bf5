"""The search over laws on two values: each of its parts by another route."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import faulty
import numpy as np
import pytest
from scipy.stats import binom

from sims.aggregators import RFA, CoordinateMedian, GeometricMedian, Krum, Mean, MultiKrum, TrimmedMean
from sims.checks.two_point import (
    Law,
    binomial_pmf,
    byzantine_choices,
    distance_sq,
    error_table,
    needed,
    search_c,
    search_kappa,
)


@pytest.mark.parametrize("n", [0, 1, 6, 100, 500, 501, 2500])
def test_the_floating_point_binomial_law(n):
    p = np.array([0.0, 1e-7, 0.3, 0.5, 1.0])
    expected = [binom.pmf(np.arange(n + 1), n, q) for q in p]
    # to n roundings; far out p^k itself is subnormal
    np.testing.assert_allclose(binomial_pmf(n, p), expected, rtol=1e-10, atol=1e-100)


@pytest.mark.parametrize(("m", "g"), [(0, 1), (0, 2), (1, 1), (1, 2), (1, 3), (2, 3), (2, 4), (4, 4)])
def test_the_distance_over_all_pairs(m, g):
    """max E(x_i − x_j)² over pairs of different workers; independent Bernoulli values differ or not."""
    grid = [0.0, 0.1, 0.5, 0.9, 1.0]
    for p, q in itertools.product(grid, grid):
        chances = [p] * m + [q] * (g - m)
        pairs = [a * (1 - b) + b * (1 - a) for a, b in itertools.combinations(chances, 2)]
        assert distance_sq(m, g, np.array(p), np.array(q)) == pytest.approx(max(pairs, default=0.0), abs=1e-15)


@pytest.mark.parametrize("f", [1, 2, 5])
def test_the_byzantine_choices_name_every_place_that_matters(f):
    """All at one place, on both sides of the honest values and mirrored about their middle; and some apart."""
    choices = byzantine_choices(f)
    assert choices.shape[1] == f
    together = {row[0] for row in choices.tolist() if len(set(row)) == 1}
    assert {0.0, 0.5, 1.0, -1e6, 1 + 1e6} <= together
    assert {round(1 - place, 9) for place in together if place < 0} == {round(p, 9) for p in together if p > 1}
    assert any(len(set(row)) == 2 for row in choices.tolist()) == (f > 1)


def table_by_search(rule, n, f, places):
    """e_k with all multisets of Byzantine values from `places`."""
    g = n - f
    bad = np.array(list(itertools.combinations_with_replacement(places, f)))
    errors = []
    for k in range(g + 1):
        x = np.empty((len(bad), n, 1))
        x[:, :g, 0] = np.arange(g) < k
        x[:, g:, 0] = bad
        errors.append(np.max((rule.aggregate(x)[:, 0] - k / g) ** 2))
    return np.array(errors)


PLACES = [-1e6, *np.arange(-60, 81) / 20, 1e6]


@pytest.mark.parametrize(
    ("rule", "n", "f"),
    [(CoordinateMedian(), 5, 1), (CoordinateMedian(), 7, 2), (GeometricMedian(), 6, 2), (TrimmedMean(2), 7, 2)],
    ids=repr,
)
def test_the_errors_of_monotone_rules_are_those_of_all_byzantine_values(rule, n, f):
    np.testing.assert_allclose(error_table(rule, n, f), table_by_search(rule, n, f, PLACES), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("rule", "n", "f"), [(Krum(1), 7, 1), (Krum(2), 7, 2), (MultiKrum(1), 5, 1)], ids=repr)
def test_the_errors_of_rules_that_choose_messages_are_lower_bounds(rule, n, f):
    """For them the best Byzantine value depends on n and k; a finer grid finds little more, Krum's ties included."""
    table, found = error_table(rule, n, f), table_by_search(rule, n, f, PLACES)
    assert table[0] == table[-1] == 0
    assert np.all(table <= found * 1.02)
    assert search_c(found, f / n)[0] <= 1.02 * search_c(table, f / n)[0]


def test_many_workers_are_taken_in_parts_of_the_same_numbers(monkeypatch):
    """A rule that compares all messages would hold n² distances for every outcome and choice at once."""
    whole = error_table(Krum(2), 11, 2)
    monkeypatch.setattr("sims.checks.two_point.DISTANCES", 1)
    assert error_table(Krum(2), 11, 2).tolist() == whole.tolist()


def test_what_the_median_needs_by_hand():
    """n = 3, f = 1: c = 3/4; κ = (½)²/(½·½) = 1 = f/(n − 2f)."""
    found = needed(CoordinateMedian(), 3, 1)
    assert (found.c, found.kappa, found.ones) == (pytest.approx(0.75), 1.0, 1)


@pytest.mark.parametrize(("n", "f"), [(3, 1), (5, 2), (9, 2), (25, 11)])
def test_kappa_of_the_trimmed_mean_is_the_least(n, f):
    found = needed(TrimmedMean(f), n, f)
    assert found.kappa == pytest.approx(f / (n - 2 * f), rel=1e-12)
    assert found.ones in (f, n - 2 * f)


@pytest.mark.parametrize("rule", [Mean(), RFA(), faulty.ShrinksToTheOrigin(), faulty.MeanOverNMinusOne()], ids=repr)
def test_an_error_at_zero_spread_needs_an_infinite_constant(rule):
    found = needed(rule, 7, 1)
    assert found.c == found.kappa == math.inf


@dataclass(frozen=True)
class NaNAtOneOutcome(faulty.Faulty):
    """The median, but NaN where two of the honest messages are 1."""

    def reduce(self, x):
        bad = np.sum(x[..., : x.shape[-2] - self.f, :] == 1.0, axis=-2) == 2
        return np.where(bad, np.nan, faulty.median(x))


def test_nan_counts_as_an_infinite_error():
    assert np.isinf(error_table(NaNAtOneOutcome(), 5, 1)[2])
    assert needed(NaNAtOneOutcome(), 5, 1).c == math.inf


def test_which_end_errs_is_told():
    """An error where all honest messages are 0, or 1: the law says where."""
    assert search_c(np.array([1.0, 0.0, 0.0]), 0.2) == (math.inf, Law(0, 0.0, 0.0))
    assert search_c(np.array([0.0, 0.0, 1.0]), 0.2) == (math.inf, Law(0, 0.0, 1.0))
    assert search_kappa(np.array([1.0, 0.0, 0.0])) == (math.inf, 0)
    assert search_kappa(np.array([0.0, 0.0, 1.0])) == (math.inf, 2)


@pytest.mark.parametrize("position", [1, 2, 3])
def test_one_error_alone_is_found_where_it_is_worst(position):
    """e = 1 at k of g = 4 alone: κ = 1/(k/4·(1 − k/4)); c over all laws of two groups on a grid is not larger."""
    errors = np.zeros(5)
    errors[position] = 1.0
    share = position / 4
    assert search_kappa(errors) == (pytest.approx(1 / (share * (1 - share))), position)
    c, law = search_c(errors, 0.25)
    chances = [law.p] * law.m + [law.q] * (4 - law.m)
    reached = sum(
        math.prod(p if bit else 1 - p for p, bit in zip(chances, outcome, strict=True))
        for outcome in itertools.product((0, 1), repeat=4)
        if sum(outcome) == position
    )
    spread = distance_sq(law.m, 4, np.array(law.p), np.array(law.q))
    assert c == pytest.approx(reached / spread / 0.25)
    assert c >= 1 / 0.25 * (1 - 1e-9)  # the deterministic split: P = 1, ρ² = 1


@pytest.mark.parametrize(("n", "f"), [(3, 0), (3, 3), (2, 5)])
def test_needed_refuses_counts_out_of_range(n, f):
    with pytest.raises(ValueError, match=f"1 ≤ f < n, got n = {n}, f = {f}"):
        needed(CoordinateMedian(), n, f)
