"""The verdicts that follow from evidence."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest

from sims.checks.evidence import Evidence, claim_verdict, headline, side_verdict

HUGE = Fraction(10) ** 400
INF, NAN = math.inf, math.nan


def evidence(measured, relation, claimed, kind="exact", error=0.0, covers=None, **more) -> Evidence:
    return Evidence("x", measured, relation, claimed, kind, error, covers, **more)


@pytest.mark.parametrize(
    ("measured", "relation", "claimed", "error", "verdict"),
    [
        (1, "<=", 2, 0, "supported"),
        (2, "<=", 2, 0, "supported"),
        (3, "<=", 2, 0, "refuted"),
        (3, ">=", 2, 0, "supported"),
        (1, ">=", 2, 0, "refuted"),
        (2, "=", 2, 0, "supported"),
        (2, "=", 3, 0, "refuted"),
        (1.0, "<=", 2.0, 0.5, "supported"),  # the whole interval below
        (2.6, "<=", 2.0, 0.5, "refuted"),  # the whole interval above
        (2.0, "<=", 2.0, 0.5, "undecided"),  # straddles, too wide
        (1.99, "<=", 2.0, 0.05, "supported"),  # straddles, narrow
        (2.01, "<=", 2.0, 0.05, "supported"),
        (2.4, ">=", 2.0, 0.5, "undecided"),
        (1.4, ">=", 2.0, 0.5, "refuted"),
        (2.01, "=", 2.0, 0.05, "supported"),
        (2.3, "=", 2.0, 0.5, "undecided"),  # too wide to say equal
        (2.6, "=", 2.0, 0.5, "refuted"),
        (NAN, "<=", 2.0, 0, "undecided"),
        (1.0, "<=", NAN, 0, "undecided"),
        (1.0, "=", 1.0, NAN, "undecided"),
        (INF, "<=", 2.0, 0, "refuted"),
        (1.0, "<=", INF, 0, "supported"),
        (INF, "=", INF, 0, "supported"),
        (-INF, "=", INF, 0, "refuted"),
        (1.0, "<=", 2.0, INF, "undecided"),
        (Fraction(1, 3), "=", Fraction(2, 6), 0, "supported"),
        (Fraction(1, 3), "=", 1 / 3, 0, "refuted"),  # a float is not a third
        (Fraction(1, 3), "=", 1 / 3, 1e-15, "supported"),
        (1 + 1 / HUGE, "<=", 1, 0, "refuted"),  # beyond the digits of a float
        (HUGE, "<=", HUGE - 1, 0, "refuted"),  # beyond its range
        (HUGE, "=", HUGE, 0, "supported"),
    ],
)
def test_evidence_verdict(measured, relation, claimed, error, verdict):
    assert evidence(measured, relation, claimed, error=error).verdict == verdict


@pytest.mark.parametrize("kind", ["exact", "proved", "searched", "sampled", "reproduced"])
def test_only_exact_or_proved_evidence_with_a_cover_holds(kind):
    assert evidence(1, "<=", 2, kind).verdict == "supported"
    strong = kind in ("exact", "proved")
    assert evidence(1, "<=", 2, kind, covers="all n").verdict == ("holds" if strong else "supported")
    assert evidence(3, "<=", 2, kind, covers="all n").verdict == "refuted"


def test_resolution_is_relative_to_the_larger_value():
    assert evidence(1.9, "<=", 2.0, error=0.3).verdict == "undecided"
    assert evidence(1.9, "<=", 2.0, error=0.3, resolution=0.2).verdict == "supported"


def test_tightness():
    assert evidence(2.0, "<=", 2.0).tightness == 0
    assert evidence(1.0, "<=", 2.0).tightness == pytest.approx(math.log(2))
    assert evidence(HUGE, "<=", 2 * HUGE).tightness == evidence(1 / HUGE, "<=", 2 / HUGE).tightness == math.log(2)
    assert [evidence(m, "<=", 2.0).tightness for m in (0.0, -1.0, INF, NAN)] == [INF] * 4


REFUTED, LOOSE, TIGHT = evidence(3, "<=", 2), evidence(1, "<=", 2), evidence(1.9, "<=", 2)
COVERED, OPEN = evidence(1, "<=", 2, covers="all"), evidence(NAN, "<=", 2)


@pytest.mark.parametrize(
    ("items", "verdict"),
    [
        ([], "undecided"),
        ([LOOSE], "supported"),
        ([LOOSE, COVERED], "holds"),
        ([COVERED, OPEN], "undecided"),
        ([COVERED, OPEN, REFUTED], "refuted"),
    ],
)
def test_claim_verdict(items, verdict):
    assert claim_verdict(items) == verdict


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ([], None),
        (["holds"], "holds"),
        (["holds", "supported"], "supported"),
        (["holds", "supported", "undecided"], "undecided"),
        (["undecided", "refuted", "holds"], "refuted"),
    ],
)
def test_side_verdict_is_the_weakest(verdicts, verdict):
    assert side_verdict(verdicts) == verdict


def test_headline():
    assert headline([LOOSE, TIGHT]) is TIGHT
    assert headline([TIGHT, REFUTED, LOOSE]) is REFUTED
    assert headline([OPEN]) is OPEN
    assert headline([]) is None


def test_what_settles_a_claim_speaks_for_it_before_what_is_tighter():
    proof = Evidence("all", 0.5, "<=", 1, "proved", covers="a lemma")
    search = Evidence("some", 0.99, "<=", 1, "searched")
    assert headline([search, proof]) is proof
    assert headline([search, replace(proof, claimed=0.4)]).what == "all"  # and a contradiction before all
