"""Compiled distances on the CPU, and the lexicographic order."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from on_host import large

from sims.kernels.cpu import distances


def test_a_common_offset_costs_no_digits():
    x = large(7, offset=1e8)
    exact = [
        sum((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(x[0].tolist(), row.tolist(), strict=True)) for row in x
    ]
    got = distances.sq_distances(x)[0][0]
    assert all(abs(Fraction(float(v)) - e) <= e * Fraction(1, 10**12) for v, e in zip(got, exact, strict=True))


def test_distances_are_symmetric_and_those_of_equal_pairs_are_equal():
    x = large(25)
    x[7], x[18], x[24] = x[1], -x[0], -x[1]
    got, alive = distances.sq_distances(x)
    assert np.all(alive)
    np.testing.assert_array_equal(got, got.T)
    np.testing.assert_array_equal(np.diag(got), 0)
    assert got[1, 7] == 0
    np.testing.assert_array_equal(got[1], got[7])
    assert got[0, 1] == got[18, 24]  # of opposite messages


def test_lexicographic_ranks_of_long_messages():
    x = np.zeros((7, 300))
    x[1, 299], x[2, 299], x[3, 0], x[4, 150] = 1, 1, -1, np.nan
    alive = np.array([True] * 4 + [False] + [True] * 2)
    assert distances.lexicographic_ranks(x, alive).tolist() == [1, 5, 5, 0, 1, 1, 1]


def test_messages_that_begin_alike_are_in_the_order_of_their_values():
    """Of either sign, wherever they differ first; what comes later decides only among those that do not."""
    rng = np.random.Generator(np.random.Philox(0))
    for first in (1, distances.FEW - 1, distances.FEW, 299):
        x = np.zeros((12, 303))
        x[:, first:] = rng.choice([-3.0, -1.0, 0.0, 2.0], (12, 303 - first))
        x[9], x[10] = x[2], -x[2]
        rows = [tuple(row) for row in x.tolist()]
        expected = [sum(other < row for other in rows) for row in rows]
        assert distances.lexicographic_ranks(x, np.ones(12, bool)).tolist() == expected
