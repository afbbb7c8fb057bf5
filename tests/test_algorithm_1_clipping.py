"""Algorithm 1 by a literal loop, and its wrong variants."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from perform import check_claims, results

from sims.aggregators import CenteredClipping
from theory.algorithm_1_clipping import (
    STATEMENT,
    AroundOrigin,
    DividedByUnclipped,
    RecentredOnMean,
    printed_step,
)

EXPECTED = {"as_coded": "supported", "defaults": "supported"}


def test_verdicts_and_controls():
    check_claims(STATEMENT, EXPECTED)


def test_an_algorithm_has_nothing_to_refute_and_its_consequences_are_proved():
    """That the code computes it is a test of the code, and no part."""
    result = results(STATEMENT.stem)
    assert result.stand("printed") == (0, 0)
    assert result.side("printed") is None
    assert STATEMENT.fault is None
    assert [claim.name for claim in STATEMENT.parts("corrected")] == ["shifts", "reach", "agrees", "unclipped"]
    assert result.side("corrected") == "proved"


def literal(messages, v, tau, steps):
    """The printed lines, with loops over workers and coordinates."""
    v = list(v)
    for _ in range(steps):
        clipped = []
        for m in messages:
            away = [a - b for a, b in zip(m, v, strict=True)]
            length = math.hypot(*away)
            factor = 1.0 if length == 0 else min(1.0, tau / length)
            clipped.append([a * factor for a in away])
        v = [b + math.fsum(c[j] for c in clipped) / len(messages) for j, b in enumerate(v)]
    return v


cases = st.integers(1, 4).flatmap(
    lambda d: st.tuples(
        st.lists(st.lists(st.floats(-1e3, 1e3), min_size=d, max_size=d), min_size=1, max_size=9),
        st.lists(st.floats(-1e3, 1e3), min_size=d, max_size=d),
        st.floats(0, 1e3),
        st.integers(1, 4),
    )
)


@given(cases)
def test_the_rule_is_the_loop(case):
    messages, v, tau, steps = case
    output, state = CenteredClipping(tau, steps)(np.array(messages), np.array(v))
    np.testing.assert_allclose(output, literal(messages, v, tau, steps), atol=1e-9)
    np.testing.assert_array_equal(output, state)
    assert math.dist(output, v) <= steps * tau * (1 + 1e-9) + 1e-9


@given(cases, st.floats(-100, 100))
def test_translation(case, by):
    messages, v, tau, steps = case
    rule = CenteredClipping(tau, steps)
    moved, _ = rule(np.array(messages) + by, np.array(v) + by)
    np.testing.assert_allclose(moved, rule(np.array(messages), np.array(v))[0] + by, atol=1e-8)


def test_one_step_on_a_triangle_of_sides_3_4_5():
    v, tau = (Fraction(1), Fraction(1)), Fraction(5, 2)
    rows = [(Fraction(4), Fraction(5)), (Fraction(1), Fraction(1)), (Fraction(1), Fraction(0))]
    lengths = [Fraction(5), Fraction(0), Fraction(1)]
    wanted = (1 + Fraction(3, 2) / 3, 1 + (2 - 1) / Fraction(3))
    assert printed_step(rows, v, tau, lengths) == wanted
    output, _ = CenteredClipping(2.5)(np.array(rows, dtype=float), np.array(v, dtype=float))
    np.testing.assert_allclose(output, [1.5, 4 / 3], rtol=1e-15)


def test_the_variants_differ_by_hand():
    x, v = np.array([[0.0], [1.0], [9.0]]), np.array([0.5])
    assert CenteredClipping(1.0)(x, v)[0] == pytest.approx(0.5 + (-0.5 + 0.5 + 1) / 3)
    assert DividedByUnclipped(1.0)(x, v)[0] == pytest.approx(0.5 + (-0.5 + 0.5 + 1) / 2)
    mean = 10 / 3
    assert RecentredOnMean(1.0)(x, v)[0] == pytest.approx(mean + (-1 - 1 + 1) / 3)
    assert AroundOrigin(1.0)(x, v)[0] == pytest.approx((0 + 1 + 1) / 3)


def test_defaults():
    rule = CenteredClipping(1.0)
    assert rule.steps == 1
    np.testing.assert_array_equal(rule.init(np.ones((3, 2))), [0.0, 0.0])
    _, state = rule(np.array([[4.0], [1.0]]))
    np.testing.assert_array_equal(state, [1.0])
    assert rule(np.array([[4.0], [1.0]]), state)[0] == pytest.approx([1.5])
    assert CenteredClipping(2.0, steps=3).radii == (2.0, 2.0, 2.0)
