"""What an audit says of rules that do not answer, of damaged messages, and of breakdown points."""

from __future__ import annotations

import math
import sys

import faulty
import numpy as np
import pytest

from byzcheck.audit import answers, breakdown, damaged
from sims.aggregators import (
    ARC,
    CenteredClipping,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    MultiKrum,
    TrimmedMean,
    as_rule,
)

ROBUST = [CoordinateMedian(), TrimmedMean(2), Krum(2), GeometricMedian(), CenteredClipping(1.0)]


def raises(x):
    raise KeyError("no key")


def leaves(x):
    sys.exit(3)


def wrong_shape(x):
    return x[0, :1]


def a_list(x):
    return list(np.median(x, axis=0))


def in_float32(x):
    return np.median(x, axis=0).astype(np.float32)


def in_whole_numbers(x):
    return np.round(np.median(x, axis=0)).astype(np.int64)


def not_a_number(x):
    return np.median(x, axis=0) / 0


def for_ever(x):
    while True:
        pass


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize(
    ("function", "words"),
    [
        (raises, "the rule raises raised KeyError: 'no key'"),
        (leaves, "the rule raised SystemExit: 3"),
        (wrong_shape, "a rule must return shape (3,) for messages (5, 3), got (1,)"),
        (a_list, "must return a plain array"),
        (not_a_number, "the rule's answer is not finite"),
        (for_ever, "hangs: 5 ordinary float64 messages of 3 numbers, and no answer within 0.2 s"),
        (in_float32, "answers 5 ordinary float64 messages of 3 numbers in float32: converted"),
        (in_whole_numbers, "answers 5 ordinary float64 messages of 3 numbers in int64: converted"),
    ],
)
def test_a_rule_that_does_not_answer_as_it_should(function, words):
    (line,) = answers.lines(as_rule(function), 5, 1, seconds=0.2 if function is for_ever else 60.0)
    assert words in line.says
    assert line.good is (None if function is in_float32 else False)


def test_a_rule_that_answers():
    (line,) = answers.lines(CoordinateMedian(), 5, 1)
    assert line.good is True
    (line,) = answers.lines(as_rule(lambda x: np.median(x, axis=0).astype(np.float64)), 5, 1, like=np.zeros(1, "f"))
    assert (line.good, line.against) == (None, "the messages are float32")  # nothing is lost


@pytest.mark.parametrize("rule", ROBUST, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_robust_rules_bear_damaged_messages(rule, dtype):
    first, tiny = damaged.lines(rule, 7, 2, like=np.zeros(1, dtype))
    assert first.good is tiny.good is True
    assert all(item.verdict == "supported" for line in (first, tiny) for item in line.evidence)
    assert "NaN" in first.says


@pytest.mark.filterwarnings("ignore:All-NaN", "ignore:invalid value", "ignore:overflow")
@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Mean(), "the output is NaN (NaN, NaN in one number, +∞ and −∞); the output is infinite (+∞, −∞"),
        (as_rule(lambda x: np.median(x, axis=0)), "the output is NaN (NaN, NaN in one number); the output stays among"),
        (faulty.NaNPoisonsMedian(2), "the output is NaN"),
        (faulty.TrimsTheTopOnly(2), "the output is infinite"),
        (as_rule(lambda x: raises(x) if np.isnan(x).any() else np.median(x, axis=0)), "raised KeyError"),
    ],
)
def test_what_lets_damage_through_is_said(rule, words):
    first = damaged.lines(rule, 7, 2)[0]
    assert words in first.says
    assert first.good is False
    assert "refuted" in {item.verdict for item in first.evidence}


def test_a_rule_that_hangs_on_nan_alone_is_found_and_asked_further():
    def hangs(x):
        return for_ever(x) if np.isnan(x).any() else np.median(x, axis=0)

    first, tiny = damaged.lines(as_rule(hangs), 7, 2, seconds=0.2)
    assert "it hangs, no answer within 0.2 s (NaN, NaN in one number); the output stays among" in first.says
    assert (first.good, tiny.good) == (False, True)


def test_a_rule_that_divides_by_vanishing_distances():
    """Squares of denormal numbers vanish: 0/0 in an iteration that does not look."""

    def weighted(x):
        weights = 1 / np.sqrt(np.sum((x - np.mean(x, axis=0)) ** 2, axis=1))
        return weights @ x / np.sum(weights)

    with np.errstate(all="ignore"):
        assert damaged.lines(as_rule(weighted), 7, 2)[1].good is False


def test_an_output_that_vanishes_with_its_messages():
    """All messages are between 1 and 3 of a tiny unit: 0 is not among them."""
    tiny = damaged.lines(as_rule(lambda x: np.where(np.abs(x) < 1e-300, 0, x).mean(axis=0)), 7, 2)[1]
    assert "the output stays near them" in tiny.says
    assert tiny.good is False
    assert 0.5 <= tiny.evidence[0].measured < 2  # √3 from the corner (1, 1, 1), in units of √12 or somewhat less


@pytest.mark.parametrize(
    ("y", "words", "far"),
    [
        ([0.5, 0.5], "the output stays among the honest", 0.0),
        ([1.0, 2.0], "the output stays among the honest", 0.0),
        ([1.3, 2.4], "the output stays near the honest", 0.5 / 5**0.5),
        ([-30.0, 0.0], "the output goes far away", 30 / 5**0.5),
        ([math.inf, 0.0], "the output is infinite", math.inf),
        ([math.inf, math.nan], "the output is NaN", math.inf),
    ],
)
def test_distances_from_the_box_by_hand(y, words, far):
    honest = np.array([[[0.0, 0.0], [1.0, 0.0], [0.5, 2.0]]] * 2)
    found, distance = damaged.outcome(np.array([[0.5, 1.0], y]), honest)
    assert found == words
    assert distance == pytest.approx(far)


def test_without_attackers_one_damaged_message_condemns_nobody():
    first = damaged.lines(Mean(), 7, 0)[0]
    assert first.good is None
    assert first.evidence == ()
    assert "1 damaged of 7" in first.says


@pytest.mark.parametrize(("n", "f"), [(7, 1), (7, 2), (9, 2), (10, 2), (15, 5), (16, 1), (60, 20)])
@pytest.mark.parametrize("variant", ["paper", "released"])
def test_krum_breaks_down_where_its_scores_say(n, f, variant):
    """min(f + 2, ⌊(n − 1)/2⌋), by the derivation in the module: more than is declared."""
    assert breakdown.found_breakdown(Krum(f, variant), n, 0, None)[0] == min(f + 2, (n - 1) // 2)


@pytest.mark.parametrize("n", [5, 6, 25])
def test_breakdown_points_that_are_known(n):
    half = (n - 1) // 2
    cases = [(Mean(), 0), (CoordinateMedian(), half), (GeometricMedian(), half), (TrimmedMean(1), 1)]
    for rule, expected in [*cases, (CenteredClipping(1.0), n - 1)]:
        assert breakdown.found_breakdown(rule, n, 1, None)[0] == expected, rule
    if n > 6:
        assert breakdown.found_breakdown(MultiKrum(5), n, 1, None)[0] == 5
        assert breakdown.found_breakdown(ARC(Mean(), 5), n, 1, None)[0] >= 5


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "rule", [faulty.MeanThatClaimsRobustness(2), faulty.TrimsTheTopOnly(2), faulty.FirstWorkerMean(2)], ids=repr
)
def test_a_declared_breakdown_point_that_is_too_large(rule, seed):
    (line,) = breakdown.lines(rule, 9, 2, seed)
    assert line.good is False
    assert line.evidence[0].verdict == "refuted"
    assert "0 of 9" in line.says
    assert "fewer than is declared" in line.against
    assert line.witness


def test_what_is_declared_counts_beside_f():
    assert breakdown.lines(faulty.MeanThatClaimsRobustness(2), 9, 0)[0].good is False
    assert breakdown.lines(Mean(), 9, 0)[0].good is True


@pytest.mark.parametrize(("f", "good"), [(2, True), (3, False)])
def test_a_rule_that_is_told_too_small_an_f(f, good):
    (line,) = breakdown.lines(TrimmedMean(2), 9, f)
    assert line.good is good
    assert line.evidence[0].measured == 2


def test_growth_and_not_size_is_what_breaks():
    """A rule that is clipped to a ball around the origin, however large, is bounded; one that follows slowly is not."""

    def clipped(x):
        return np.clip(np.mean(x, axis=0), -1e6, 1e6)

    def root(x):
        mean = np.mean(x, axis=0)
        return np.sign(mean) * np.abs(mean) ** 0.5

    assert breakdown.found_breakdown(as_rule(clipped), 5, 0, None)[0] == 4
    assert breakdown.found_breakdown(as_rule(root), 5, 0, None)[0] == 0


def test_distances_fit_the_dtype():
    assert breakdown.scales(None)[-1] == 1e12
    assert breakdown.scales(np.zeros(1, np.float16))[-1] <= 100  # squares stay below 65504
    assert math.isfinite(breakdown.scales(np.zeros(1, np.float32))[-1] ** 2 * 100)
