"""Branch and bound by interval arithmetic, against known maxima, dense samples and functions that misbehave."""

from __future__ import annotations

import math
from fractions import Fraction

import flint
import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from sims.checks.intervals import ball, enclose_maximum, enclosed, exact, larger, rational

UNIT = (Fraction(0), Fraction(1))


def test_a_parabola():
    found = enclose_maximum(lambda x: x * (1 - x), [UNIT], relative=1e-6)
    assert found.low <= Fraction(1, 4) <= found.high
    assert found.high - found.low <= Fraction(1, 10**6)
    assert abs(found.at[0] - Fraction(1, 2)) < Fraction(1, 100)


def test_verdicts():
    found = enclose_maximum(lambda x: x * (1 - x), [UNIT])
    assert found.verdict(Fraction(251, 1000)) == "proved"
    assert found.verdict(Fraction(249, 1000)) == "refuted"
    assert found.verdict(Fraction(1, 4)) == "undecided"  # the maximum itself lies within every enclosure


def test_a_refutation_has_a_witness():
    found = enclose_maximum(lambda x, y: x * y, [UNIT, UNIT], limit=Fraction(9, 10))
    assert found.verdict(Fraction(9, 10)) == "refuted"
    x, y = found.at
    assert x * y > Fraction(9, 10)
    assert found.low <= x * y


def test_it_stops_at_once_above_the_limit():
    few = enclose_maximum(lambda x: x, [UNIT], limit=Fraction(1, 4))
    many = enclose_maximum(lambda x: x, [UNIT], relative=1e-9)
    assert few.boxes < many.boxes


def test_too_few_boxes_leave_it_undecided():
    found = enclose_maximum(lambda x: x * (1 - x), [UNIT], relative=1e-9, most=3)
    assert found.boxes <= 3
    assert found.verdict(Fraction(251, 1000)) == "undecided"


def test_an_enclosure_as_evidence():
    found = enclose_maximum(lambda x: x * (1 - x), [UNIT])
    limits = (Fraction(249, 1000), Fraction(1, 4), Fraction(251, 1000))  # the maximum is ¼: no interval proves ≤ ¼
    assert [enclosed("x(1 − x)", found, limit, "a link").verdict for limit in limits] == [
        "refuted",
        "undecided",
        "holds",
    ]


def test_nan_proves_nothing():
    found = enclose_maximum(lambda x: arb("nan"), [UNIT], most=50)
    assert found.verdict(Fraction(10**9)) == "undecided"
    assert found.middle == found.error == math.inf


def test_a_root_at_zero_needs_the_substitution():
    assert not ball(UNIT).sqrt().is_finite()  # why: the ball around [0, 1] dips below 0
    assert enclose_maximum(lambda u: u, [UNIT]).verdict(Fraction(1001, 1000)) == "proved"


def test_a_pole_is_found():
    found = enclose_maximum(lambda x: 1 / (1 - x), [UNIT], limit=Fraction(100))
    assert found.verdict(Fraction(100)) == "refuted"


def test_a_point():
    found = enclose_maximum(lambda x: 1 / x, [(Fraction(3), Fraction(3))])
    assert found.low <= Fraction(1, 3) <= found.high
    assert found.boxes == 1
    undefined = enclose_maximum(lambda x: 1 / x, [(Fraction(0), Fraction(0))])
    assert undefined.verdict(Fraction(1)) == "undecided"


def test_an_empty_side_is_refused():
    with pytest.raises(ValueError, match="low ≤ high"):
        enclose_maximum(lambda x: x, [(Fraction(1), Fraction(0))])


def test_the_precision_is_left_as_it_was():
    before = flint.ctx.prec
    enclose_maximum(lambda x: x, [UNIT])
    with pytest.raises(ZeroDivisionError):
        enclose_maximum(lambda x: x / (1 // 0), [UNIT])
    assert flint.ctx.prec == before


def test_it_is_deterministic():
    assert enclose_maximum(lambda x, y: x * (1 - y), [UNIT, UNIT]) == enclose_maximum(
        lambda x, y: x * (1 - y), [UNIT, UNIT]
    )


@given(st.fractions(-5, 5, max_denominator=10**6), st.fractions(0, 5, max_denominator=10**6))
def test_a_ball_contains_its_interval(low, width):
    found = ball((low, low + width))
    for share in (Fraction(0), Fraction(1, 3), Fraction(1)):
        assert rational(found.lower()) <= low + share * width <= rational(found.upper())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=2, max_size=5), st.integers(-3, 2))
def test_no_sample_exceeds_the_enclosure(coefficients, start):
    def polynomial(x):
        return sum((c * x**i for i, c in enumerate(coefficients)), 0 * x)

    found = enclose_maximum(polynomial, [(Fraction(start), Fraction(start + 1))], relative=1e-2, most=2000)
    dense = polynomial(np.linspace(start, start + 1, 501))
    assert np.max(dense) <= float(found.high) + 1e-9
    assert float(found.low) <= np.max(dense) + 1e-2 * (1 + abs(np.max(dense)))
    assert abs(found.middle - float(found.low)) <= found.error * (1 + 1e-9) + 1e-300


def test_larger_and_exact():
    assert rational(larger(exact(1), exact("5/2"), exact(2)).mid()) == Fraction(5, 2)
    third = exact(Fraction(1, 3))
    assert rational(third.lower()) <= Fraction(1, 3) <= rational(third.upper())
