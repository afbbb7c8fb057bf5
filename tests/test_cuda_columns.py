"""The CUDA kernels of rules by column, with straight lines and with loops, against the reference."""

from __future__ import annotations

import numpy as np
import pytest
from on_device import (
    EXACT,
    INF,
    NAN,
    NUMBERS,
    ONE_ORDER,
    agree,
    by_column,
    by_distance,
    compiled,
    messages,
    rng,
    spoiled,
)

from sims import kernels
from sims.aggregators import Meamed, Phocas
from sims.columns import mean_around_median
from sims.kernels.cuda import column_rules, columns


@compiled
@ONE_ORDER
@pytest.mark.parametrize("sizes", [range(1, 18), (25, 26, 32, 33, 49, 50)], ids=["few", "many"])
@pytest.mark.parametrize("dtype", NUMBERS)
def test_columns_of_up_to_fifty_workers(device, dtype, sizes):
    rules = {"mean": [0], "median": [0], "trimmed_mean": [(n - 1) // 4 for n in sizes] + [(n - 1) // 2 for n in sizes]}
    device.prepare(
        columns.source(name, n, f, dtype)
        for name, trimmed in rules.items()
        for n in sizes
        for f in {f for f in trimmed if 2 * f < n}
        if name != "trimmed_mean" or f in ((n - 1) // 4, (n - 1) // 2)
    )
    for n in sizes:
        for rule in by_column(n):
            agree(rule, messages(n, 5, dtype), EXACT)
            agree(rule, np.round(messages(n, 33, dtype, runs=1)), EXACT)
            for rows in (1, n // 2, n):
                agree(rule, spoiled(messages(n, 5, dtype), rows), EXACT)


@compiled
@ONE_ORDER
@pytest.mark.parametrize(("n", "dtype"), [(5, "float32"), (8, "float64"), (25, "float32")])
def test_columns_of_more_workers_than_there_are_registers(device, monkeypatch, n, dtype):
    monkeypatch.setattr(column_rules, "MOST_WORDS", 0)
    for rule in (*by_column(n), *by_distance(n)):
        for x in (messages(n, 12, dtype), np.round(messages(n, 12, dtype)), spoiled(messages(n, 12, dtype), n // 4)):
            agree(rule, x, EXACT)


@compiled
@ONE_ORDER
@pytest.mark.parametrize(("n", "dtype"), [(1, "float64"), (4, "float32"), (9, "float64"), (25, "float32")])
@pytest.mark.parametrize("words", [0, 256], ids=["loops", "straight lines"])
def test_means_around_a_middle(device, monkeypatch, n, dtype, words):
    monkeypatch.setattr(column_rules, "MOST_WORDS", words)
    limits = np.finfo(dtype)
    for f in {(n - 1) // 2, (n - 1) // 4}:
        for rule in (Meamed(f), Phocas(f)):
            x = messages(n, 33, dtype)
            for some in (x, np.round(x), spoiled(x, f), np.clip(x, -0.9, 0.9) * limits.max, x * limits.tiny):
                agree(rule, some, EXACT)


@compiled
@pytest.mark.parametrize("m", [3, 6, 9])
@pytest.mark.parametrize("words", [0, 256])
def test_messages_around_the_median_need_not_be_finite(device, monkeypatch, m, words):
    """Every combination of a few values, as columns, with as many kept as can be: the reference, NaN for NaN."""
    monkeypatch.setattr(column_rules, "MOST_WORDS", words)
    values = np.array([NAN, INF, -INF, -1.0, 0.5, 2.0])
    x = values[rng().integers(0, 6, (m, 4000))]
    for less in range(m):
        with np.errstate(all="ignore"):
            expected = mean_around_median(x, m - less)
        np.testing.assert_array_equal(kernels.mean_around_median(x, np.arange(m), less), expected)
