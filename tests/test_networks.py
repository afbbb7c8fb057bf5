"""Sorting networks sort, and each of their comparators is needed."""

from __future__ import annotations

import numpy as np
import pytest

from sims.kernels import networks


@pytest.mark.parametrize("n", range(1, 17))
def test_sorting_networks_sort(n):
    """Every sequence of zeros and ones is sorted, hence every sequence (the 0-1 principle; Knuth, TAOCP 3, 5.3.4)."""
    bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    for wanted in (range(n), [(n - 1) // 2, n // 2], [0], range(n // 4, n - n // 4)):
        values = bits.copy()
        for low, high, keep_low, keep_high in networks.selection_network(n, wanted):
            pair = values[:, [low, high]]
            if keep_low:
                values[:, low] = pair.min(axis=1)
            if keep_high:
                values[:, high] = pair.max(axis=1)
        for k in wanted:
            np.testing.assert_array_equal(values[:, k], np.sort(bits, axis=1)[:, k])


def test_a_network_without_a_comparator_does_not_sort():
    network = networks.sorting_network(8)
    bits = (np.arange(2**8)[:, None] >> np.arange(8)) & 1
    for left_out in range(len(network)):
        values = bits.copy()
        for low, high, _, _ in network[:left_out] + network[left_out + 1 :]:
            values[:, [low, high]] = np.sort(values[:, [low, high]], axis=1)
        assert not np.array_equal(values, np.sort(bits, axis=1))
