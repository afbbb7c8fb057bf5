"""Bounds of distances from float32 products, and Krum's choice where they tell it."""

from __future__ import annotations

import numpy as np
import pytest
from on_host import EXACT, agree, large, spoil

from sims.aggregators import (
    Krum,
)
from sims.kernels.cpu import distances, products

pytestmark = pytest.mark.usefixtures("all_are_many")


def within_bounds(x):
    """Whether the float32 bounds of all distances hold; and how wide they are, in units of the largest distance."""
    low, high = products.distance_bounds(x)
    exact, _ = distances.sq_distances(x)
    np.testing.assert_array_equal(low, low.T)
    np.testing.assert_array_equal(high, high.T)
    return bool(np.all((low <= exact) & (exact <= high))), float(np.max(high - low) / np.max(exact))


@pytest.mark.parametrize("n", [3, 7, 25, 26, 50])
def test_bounds_of_distances_hold_and_are_narrow(n):
    for offset, scale in ((0.0, 1.0), (3.0, 1e-10), (1e4, 1.0), (-7.0, 1e15)):
        x = large(n, np.float32, offset=offset) * np.float32(scale)
        holds, width = within_bounds(x)
        assert holds
        assert 0 < width < 1e-4


def test_bounds_of_distances_hold_where_digits_are_lost():
    """A far message, messages that are close to each other, and squares that vanish: wider bounds, no wrong ones."""
    x = large(7, np.float32)
    x[2] *= 1e6
    x[5] = x[4] * np.float32(1 + 1e-5)
    for scale in (1.0, 1e-22, 1e-30, 1e-38, 1e12):
        assert within_bounds(x * np.float32(scale))[0]


def test_bounds_without_the_margin_would_be_noticed(monkeypatch):
    """The bounds are of use: with a thousandth of the rounding some distance lies outside."""
    monkeypatch.setattr(products, "UNIT", products.UNIT / 1000)
    assert not within_bounds(large(25, np.float32))[0]


def test_krum_chooses_in_single_precision_only_what_is_certain():
    x = large(7, np.float32)
    expected = Krum(1).aggregate(x.astype(np.float64))
    np.testing.assert_array_equal(x[products.index_of_nearest(x, 4)], expected)
    assert products.index_of_nearest(x.astype(np.float64), 4) is None
    close = x.copy()
    close[6] = np.nextafter(expected, np.float32(np.inf), dtype=np.float32)  # as near as the nearest, and not equal
    assert products.index_of_nearest(close, 4) is None
    agree(Krum(1), close, EXACT)
    close[6] = expected
    assert products.index_of_nearest(close, 4) is not None
    for spoiled in (x * np.float32(1e-30), x * np.float32(1e18), spoil(x, 1)):
        assert products.index_of_nearest(spoiled, 4) is None
        agree(Krum(1), spoiled, EXACT)
    crowd = np.concatenate([np.repeat(x[:1], 5, axis=0), x[1:3]])
    np.testing.assert_array_equal(x[0], crowd[products.index_of_nearest(crowd, 4)])
    faint = crowd * np.float32(1e-30)
    faint[:5] += np.arange(5, dtype=np.float32)[:, None] * np.float32(1e-35)  # equal to the eye of float32 squares
    assert products.index_of_nearest(faint, 4) is None
    agree(Krum(1), faint, EXACT)
