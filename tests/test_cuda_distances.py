"""The CUDA kernels of distances and of the lexicographic order, and the rules that choose messages by them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from on_device import EXACT, INF, NAN, NUMBERS, agree, by_distance, compiled, messages, spoiled

from sims import backend, kernels
from sims.kernels.cuda import distances


@compiled
@pytest.mark.parametrize(("n", "d"), [(3, 10), (4, 1030), (7, 4), (11, 300), (25, 10), (26, 2), (33, 40), (50, 7)])
@pytest.mark.parametrize("dtype", NUMBERS)
def test_rules_that_choose_messages(device, dtype, n, d):
    tied = np.round(messages(n, d, dtype))
    tied[:, 1], tied[:, -1] = tied[:, 0], -tied[:, 0]
    for rule in by_distance(n):
        for x in (messages(n, d, dtype), tied, spoiled(tied, (n - 3) // 4), spoiled(tied, n)):
            agree(rule, x, EXACT)


@compiled
def test_a_common_offset_costs_no_digits(device):
    x = messages(5, 2500, runs=1) + 1e8
    got, alive, _ = kernels.distances_and_ranks(x)
    assert np.all(alive)
    for i in range(5):
        for j in range(5):
            exact = sum(
                (Fraction(a) - Fraction(b)) ** 2 for a, b in zip(x[0, i].tolist(), x[0, j].tolist(), strict=True)
            )
            assert abs(Fraction(float(got[0, i, j])) - exact) <= exact * Fraction(1, 10**12)


@compiled
@pytest.mark.parametrize("d", [7, 1500])
def test_distances_of_equal_pairs_are_equal(device, d):
    x = messages(40, d, runs=2)
    x[:, 7], x[:, 18], x[:, 39] = x[:, 1], -x[:, 0], -x[:, 1]
    got, alive, _ = kernels.distances_and_ranks(x)
    assert np.all(alive)
    np.testing.assert_array_equal(got, np.swapaxes(got, 1, 2))
    np.testing.assert_array_equal(np.diagonal(got, axis1=1, axis2=2), 0)
    np.testing.assert_array_equal(got[:, 1], got[:, 7])
    np.testing.assert_array_equal(got[:, 0, 1], got[:, 18, 39])  # of opposite messages


@compiled
@pytest.mark.parametrize("d", [3, 300, 9000])
def test_ranks_of_messages_that_differ_late(device, d):
    x = np.zeros((3, 9, d))
    for run, row, column in ((0, 1, 0), (0, 2, d - 1), (0, 3, d // 2), (1, 4, d - 1), (1, 5, d - 2), (2, 6, d // 3)):
        x[run, row, column] = (-1) ** row
    x[0, 0, 1], x[1, 0, d - 1], x[2, 0, 0] = NAN, 2e150, -INF
    rows, alive = backend.finite_rows(x)
    _, got_alive, ranks = kernels.distances_and_ranks(x)
    np.testing.assert_array_equal(got_alive, alive)
    np.testing.assert_array_equal(ranks, backend.lexicographic_ranks(rows))


def test_sums_of_distances_take_no_more_memory_than_they_may():
    for n in (1, 25, 256):
        for d in (1, 10**3, 10**6, 10**9):
            chunks = -(-d // distances.width_of_chunks(n, d))
            assert chunks * n**2 <= max(distances.SUMS, n**2)
