"""The card of a rule: ours, a plain function, and rules that declare what they do not keep."""

from __future__ import annotations

import math

import faulty
import numpy as np
import pytest

from byzcheck.card import card_of
from byzcheck.facts import Budget
from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, Krum, Mean, TrimmedMean, as_rule
from theory.beyond_exact_constants.known import constants_of
from theory.definition_c_robust_aggregator.constants import finite_floor

pytestmark = pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero")


MEDIAN = constants_of(CoordinateMedian(), 11, 2)


def median_function(x):
    """A plain function, as users write it."""
    return np.median(x, axis=0)


def nearest(x):
    """The message nearest to the median, ties by index: five messages give [1, 0] or [0, −1] by their order."""
    return x[np.argmin(((x - np.median(x, axis=0)) ** 2).sum(axis=1))]


def by_about(card):
    assert len({line.about for line in card.lines}) == len(card.lines)
    return {line.about: line for line in card.lines}


@pytest.mark.parametrize("rule", [CoordinateMedian(), TrimmedMean(1), Krum(1)], ids=repr)
def test_an_honest_robust_rule(rule):
    card = card_of(rule, 7, 1)
    lines, known = by_about(card), constants_of(rule, 7, 1)
    assert card.title == f"{type(rule).__name__} at n = 7, f = 1"
    assert not card.flawed
    assert lines["contracts"].good is True
    assert f"keeps all {len(card.contracts)} contracts" in lines["contracts"].says
    assert lines["κ"].evidence[0].measured == pytest.approx(float(known.kappa.lower))
    assert lines["κ"].evidence[0].claimed == pytest.approx(1 / 5)
    assert lines["c"].evidence[0].claimed == finite_floor(7, 1)
    assert all(item.verdict == "supported" or item.kind in ("exact", "proved") for item in lines["κ"].evidence)


def test_ten_lines_say_what_matters_most():
    first = [line.about for line in card_of(Krum(1), 7, 1).lines[:10]]
    assert first[0] == "contracts"
    for about in ("permutation invariance, SGD", "lower bound, worker momentum", "κ", "c", "breakdown point"):
        assert about in first


def test_a_rule_against_more_byzantine_workers_than_it_declares():
    """TM(1) trims one of three: no finite constant, and no contract is broken, since it promises one."""
    card = card_of(TrimmedMean(1), 11, 3)
    lines = by_about(card)
    assert lines["contracts"].good is True
    assert math.isinf(lines["κ"].evidence[0].measured)
    assert lines["breakdown point"].good is False
    assert card.flawed


@pytest.mark.parametrize("rule", [Mean(), RFA()], ids=repr)
def test_a_rule_that_errs_at_zero_spread_needs_infinite_constants(rule):
    card = card_of(rule, 7, 1)
    lines = by_about(card)
    assert lines["contracts"].good is True
    assert "no κ is enough" in lines["κ"].says
    assert "no c is enough" in lines["c"].says
    assert card.flawed


def test_without_byzantine_workers_there_are_no_constants():
    lines = by_about(card_of(Mean(), 4, 0))
    assert lines["contracts"].good is True
    assert not {"κ", "c"} & lines.keys()


def test_a_plain_function_as_such_and_as_a_rule():
    """It promises nothing but to be a rule; its constants are those of the median that it is."""
    bare, wrapped = card_of(median_function, 7, 1), card_of(as_rule(median_function), 7, 1)
    assert [line.says for line in bare.lines[:-1]] == [line.says for line in wrapped.lines[:-1]]  # but for the clock
    lines = by_about(bare)
    assert not bare.flawed
    assert lines["κ"].evidence[0].measured == pytest.approx(float(constants_of(CoordinateMedian(), 7, 1).kappa.lower))
    assert lines["NaN, ±∞, huge"].good is False  # NumPy's median of a NaN is one


def test_what_is_right_to_single_precision_is_not_condemned():
    card = card_of(lambda x: np.median(x.astype(np.float32), axis=0), 11, 2)
    assert not card.flawed
    assert by_about(card)["contracts"].good is True
    assert by_about(card)["κ"].evidence[0].measured == pytest.approx(float(MEDIAN.kappa.lower), rel=1e-3)


def test_an_iteration_that_ends_is_not_condemned():
    def weiszfeld(x):
        v = x.mean(axis=0)
        for _ in range(25):
            w = 1 / np.maximum(1e-9, np.linalg.norm(x - v, axis=1))
            v = (w[:, None] * x).sum(axis=0) / w.sum()
        return v

    card = card_of(weiszfeld, 5, 1)
    assert by_about(card)["contracts"].good is True
    assert not math.isinf(by_about(card)["c"].evidence[0].measured)


def test_ties_by_index_are_named_with_both_orders():
    card = card_of(nearest, 25, 5)
    line = card.lines[0]
    assert (line.about, line.good) == ("contracts", False)
    assert "ties" in line.says
    assert line.witness.count("gave") == 2
    assert "in another order" in line.witness
    assert card.flawed


@pytest.mark.parametrize("n", [5])
def test_clipping_is_measured_at_its_own_radius(n):
    f = (n - 1) // 2
    lines = by_about(card_of(CenteredClipping(1.0), n, f))
    assert "κ" not in lines
    small, large = (by_about(card_of(CenteredClipping(tau), n, f))["c"] for tau in (0.5, 2.0))
    # a τ in units of the ρ that it fits is always the same: the c is of the rule, whatever the unit
    assert small.evidence[0].measured == pytest.approx(large.evidence[0].measured, rel=1e-6)
    assert small.evidence[0].claimed <= small.evidence[0].measured


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
    """The broken contracts are counted and named, and the card is that of a flawed rule."""
    card = card_of(rule, 7, 1)
    broken = {one.contract for one in card.contracts if one.violation is not None}
    assert at_least <= broken
    assert card.lines[0].evidence[0].measured == len(broken)
    assert card.lines[0].evidence[0].verdict == "refuted"
    assert card.flawed


def test_a_rule_that_does_not_answer_has_a_card_that_says_so():
    def raises(x):
        raise KeyError("no key")

    def hangs(x):
        while True:
            pass

    for rule, word in ((raises, "KeyError: 'no key'"), (hangs, "hangs"), (lambda x: [0.0], "got list")):
        card = card_of(rule, 5, 1, seconds=1.0)
        (line,) = card.lines
        assert (line.about, line.good) == ("answers", False)
        assert word in line.says
        assert card.flawed


def test_a_rule_that_hangs_on_some_messages_alone_has_the_rest_of_its_card():
    def hangs_on_nan(x):
        while np.isnan(x).any():
            pass
        return np.median(x, axis=0)

    lines = by_about(card_of(hangs_on_nan, 5, 1, seconds=2.0))
    assert "no answer within 2 s" in lines["contracts"].says
    assert lines["κ"].evidence[0].measured == pytest.approx(float(constants_of(CoordinateMedian(), 5, 1).kappa.lower))


def test_the_theorems_have_bounds_if_a_problem_is_given():
    card = card_of(TrimmedMean(1), 7, 1, budget=Budget.of("T=1000,sigma=1,L=1,F0=1"))
    bounds = {one.theorem: one for one in card.theorems}
    assert bounds["Theorem VI′"].applies == "yes"
    assert bounds["Theorem VI′"].bound is not None
    assert card_of(TrimmedMean(1), 7, 1).theorems[3].bound is None


def test_the_same_seed_gives_the_same_card():
    one, other = card_of(Krum(1), 7, 1, seed=3), card_of(Krum(1), 7, 1, seed=3)
    assert [line for line in one.lines if line.how != "measured"] == [
        line for line in other.lines if line.how != "measured"
    ]


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
