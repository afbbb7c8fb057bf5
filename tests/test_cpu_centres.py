"""Compiled clipping and Weiszfeld steps on the CPU: what is left to the reference, and how a centre is kept."""

from __future__ import annotations

import numpy as np
import pytest
from on_host import agree, large, rng

from sims.aggregators import (
    RFA,
    CenteredClipping,
)
from sims.backend import HUGE
from sims.kernels.cpu import centres, clipping

pytestmark = pytest.mark.usefixtures("all_are_many")


def test_rows_whose_squares_overflow_or_vanish_are_left_to_the_reference():
    x = large(7)
    for scale in (3e149, 1e-170):
        agree(CenteredClipping(scale), x * scale, 1e-14)
        agree(RFA(nu=scale), x * scale, 1e-14)
    ones = np.ones(len(x))
    assert clipping.centered_clipping((x * 3e149)[None], np.zeros((1, x.shape[1])), [ones]) is None
    assert clipping.weiszfeld_steps(x[None], 1e-170 * ones, 1) is None
    assert clipping.weiszfeld_steps(np.full_like(x, np.nan)[None], ones, 1) is None


def test_a_centre_that_does_not_fit_into_the_messages_dtype_is_left_to_the_reference():
    x, far = large(7, np.float32), np.full(large(7).shape[1], 1e100)
    for steps in (1, 2):
        rule = CenteredClipping(1.0, steps=steps)
        assert clipping.centered_clipping(x[None], far[None], [np.ones(1)] * steps) is None
        agree(rule, x, 1e-14, state=far)


@pytest.mark.parametrize("backwards", [False, True])
def test_the_centre_moves_by_the_weighted_differences(backwards):
    x, v = np.array([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]]), np.ones(3)
    centre, all_alive = centres.Centre(v, v[:0]), np.array([True, True])
    squares = centres.advance(x, all_alive, centre, centre, np.array([0.5, 0.0]), backwards=backwards)
    np.testing.assert_array_equal(v, [1.0, 1.5, 2.0])
    np.testing.assert_array_equal(squares, [0 + 0.25 + 1, 16 + 12.25 + 9])


def test_a_centre_is_not_rounded_between_steps():
    """Of float32 messages: the rounded centre and what is left of it make the float64 one."""
    x = large(7, np.float32)
    d, weights, alive = x.shape[1], rng(1).random(7), np.ones(7, dtype=bool)
    start = centres.Centre(np.zeros(d, np.float32), np.zeros(0, np.float32))
    end = centres.Centre(np.empty(d, np.float32), np.empty(d, np.float32))
    centres.advance(x, alive, start, end, weights)
    expected = np.sum(weights[:, None] * x.astype(np.float64), axis=0)
    np.testing.assert_array_equal(end.rounded, expected.astype(np.float32))
    np.testing.assert_allclose(end.rounded.astype(np.float64) + end.rest, expected, rtol=1e-12, atol=1e-13)
    squares = centres.advance(x, alive, end)
    np.testing.assert_allclose(squares, np.sum((x.astype(np.float64) - expected) ** 2, axis=1), rtol=1e-12)


def test_a_centre_between_steps_has_all_digits():
    """Messages of float32 give what the same numbers in float64 give, rounded once, at the end."""
    x = large(7, np.float32)
    wide, origin = x.astype(np.float64), np.zeros((1, x.shape[1]))
    radii, nu = [np.array([tau]) for tau in (60.0, 20.0, 5.0)], np.array([0.1])
    found = clipping.centered_clipping(x[None], origin, radii), clipping.weiszfeld_steps(x[None], nu, 3)
    expected = clipping.centered_clipping(wide[None], origin, radii), clipping.weiszfeld_steps(wide[None], nu, 3)
    for once, right in zip(found, expected, strict=True):
        assert once.dtype == np.float32
        np.testing.assert_array_equal(once, right.astype(np.float32))


def test_at_radius_zero_nothing_moves_and_without_one_all_are_averaged():
    """Around a message, at a distance 0 from the centre, and with one that is not finite, which has no weight."""
    x = large(7)
    x[4, 5::11] = np.nan
    centre, alive = x[2].copy(), np.arange(7) != 4
    nowhere = clipping.centered_clipping(x[None], centre[None], [np.zeros(1)] * 2)
    np.testing.assert_array_equal(nowhere[0], centre)
    everywhere = clipping.centered_clipping(x[None], centre[None], [np.array([np.inf])])
    expected = centre + np.sum(x[alive] - centre, axis=0) / 7
    np.testing.assert_allclose(everywhere[0], expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("value", [2 * HUGE, 1e155, 1e300, -1e308])
def test_one_enormous_message_is_clipped_and_not_dead(value):
    """Whether its square overflows or not; with a centre beside it, and without."""
    x = large(7)
    centre = x[1].copy()
    x[3, 1000] = value
    assert clipping.centered_clipping(x[None], centre[None], [np.array([50.0])]) is None
    agree(CenteredClipping(50.0), x, 1e-14, state=centre)
    agree(RFA(steps=2), x, 1e-14)
    moved = (
        CenteredClipping(50.0).aggregate(x, centre)[1000]
        - CenteredClipping(50.0).aggregate(np.where(abs(x) > HUGE, np.nan, x), centre)[1000]
    )
    np.testing.assert_allclose(moved, np.sign(value) * 50 / 7, rtol=1e-12)
