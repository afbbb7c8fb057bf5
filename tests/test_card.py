"""The card of a rule: ours, a plain function, and rules that declare what they do not keep."""

from __future__ import annotations

import math

import faulty
import numpy as np
import pytest

from byzcheck.card import card_of
from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, Krum, Mean, TrimmedMean, as_rule
from sims.checks.two_point import needed
from theory.definition_c_robust_aggregator.constants import finite_floor


def median_function(x):
    """A plain function, as users write it."""
    return np.median(x, axis=0)


def by_what(rule, n, f, seed=0):
    """The title, and the evidence as contracts, c and κ, None where there is none."""
    card = card_of(rule, n, f, seed)
    found = {item.what.split()[0]: item for item in card.evidence}
    assert len(found) == len(card.evidence)
    assert set(found) <= {"contracts", "error²", "c", "κ"}
    if "error²" in found:  # an error that is left at zero spread is what makes the constants infinite
        assert (found["error²"].verdict == "refuted") == math.isinf(found["c"].measured)
    return card.title, found.get("contracts"), found.get("c"), found.get("κ")


@pytest.mark.parametrize("rule", [CoordinateMedian(), TrimmedMean(1), Krum(1)], ids=repr)
def test_an_honest_robust_rule(rule):
    title, contracts, c, kappa = by_what(rule, 7, 1)
    assert title == f"{type(rule).__name__} at n = 7, f = 1"
    assert (contracts.measured, contracts.verdict) == (0, "supported")
    expected = needed(rule, 7, 1)
    assert (c.measured, kappa.measured) == (expected.c, expected.kappa)
    assert (c.claimed, kappa.claimed) == (finite_floor(7, 1), 1 / 5)
    assert c.verdict == kappa.verdict == "supported"


def test_a_rule_against_more_byzantine_workers_than_it_declares():
    """TM(1) trims one of three: no finite constant, and no contract is broken, since it promises one."""
    _, contracts, c, kappa = by_what(TrimmedMean(1), 11, 3)
    assert contracts.measured == 0
    assert c.measured == kappa.measured == math.inf


@pytest.mark.parametrize("rule", [Mean(), RFA()], ids=repr)
def test_a_rule_that_errs_at_zero_spread_needs_infinite_constants(rule):
    _, contracts, c, kappa = by_what(rule, 7, 1)
    assert contracts.measured == 0
    assert c.measured == kappa.measured == math.inf


def test_without_byzantine_workers_there_are_contracts_alone():
    _, contracts, c, kappa = by_what(Mean(), 4, 0)
    assert contracts.verdict == "supported"
    assert c is kappa is None


def test_a_plain_function_as_such_and_as_a_rule():
    """It promises nothing but to be a rule; its constants are those of the median that it is."""
    bare, wrapped = card_of(median_function, 7, 1), card_of(as_rule(median_function), 7, 1)
    assert bare == wrapped
    _, contracts, c, kappa = by_what(median_function, 7, 1)
    own = needed(CoordinateMedian(), 7, 1)
    assert contracts.measured == 0
    assert (c.measured, kappa.measured) == (own.c, own.kappa)


@pytest.mark.parametrize("n", [3, 5, 15, 25])
def test_centered_clipping_is_above_the_floor_that_binds_it(n):
    """With a centre within ρ of x̄ it may stay below that of rules which see messages alone, as at n = 15, f = 7."""
    f = (n - 1) // 2
    _, contracts, c, kappa = by_what(CenteredClipping(1.0), n, f)
    assert contracts.measured == 0
    assert c.verdict == "supported"
    assert kappa is None
    if n == 15:
        assert c.claimed < c.measured < finite_floor(n, f)


LIES = [
    (faulty.MeanThatClaimsRobustness(), {"boundedness", "non-finite", "majority"}),
    (faulty.TrimmedMeanThatClaimsTheMean(), {"mean", "propagation"}),
    (faulty.ShrinksToTheOrigin(), {"translation", "agreement", "majority"}),
    (faulty.FirstWorkerMean(), {"permutation", "ties", "boundedness", "majority", "non-finite"}),
    (faulty.HiddenState(), {"no hidden state"}),
    (faulty.MutatesInput(), {"inputs untouched"}),
]


@pytest.mark.parametrize(("rule", "at_least"), LIES, ids=[type(rule).__name__ for rule, _ in LIES])
def test_a_rule_that_declares_what_it_does_not_keep(rule, at_least):
    """The broken contracts are counted and named, and the evidence is a refutation."""
    _, contracts, _, _ = by_what(rule, 7, 1)
    named = {one.partition(" (")[0] for one in contracts.what.partition(": ")[2].split(", ")}
    assert at_least <= named
    assert contracts.measured == len(named)
    assert contracts.verdict == "refuted"


def test_the_same_seed_gives_the_same_card():
    assert card_of(Krum(1), 7, 1, seed=3) == card_of(Krum(1), 7, 1, seed=3)


@pytest.mark.parametrize(("n", "f"), [(4, 2), (5, 3), (3, -1), (0, 0)])
def test_counts_out_of_range(n, f):
    with pytest.raises(ValueError, match=f"0 ≤ f < n/2, got n = {n}, f = {f}"):
        card_of(CoordinateMedian(), n, f)


def test_an_n_for_which_the_rule_is_not_defined():
    with pytest.raises(ValueError, match="Krum needs n ≥ 2f \\+ 3, got n = 4, f = 1"):
        card_of(Krum(1), 4, 1)


def test_what_is_no_rule():
    with pytest.raises(ValueError, match="a rule is a sims Rule or a function"):
        card_of("Krum", 7, 1)  # type: ignore[arg-type]
