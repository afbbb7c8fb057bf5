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
