"""All rules on CUDA: sizes, strides, launches, shares of a block; and on a GPU."""

from __future__ import annotations

import numpy as np
import pytest
from on_device import (
    EXACT,
    NUMBERS,
    ROUNDING,
    agree,
    by_centre,
    by_column,
    by_distance,
    by_length,
    compiled,
    few_blocks,
    messages,
    on_device,
    on_gpu,
    spoiled,
)

from sims import backend, kernels
from sims.aggregators import (
    CGE,
    RFA,
    Bulyan,
    CenteredClipping,
    CoordinateMedian,
    Krum,
    Mean,
    MoNNA,
    MultiKrum,
    TrimmedMean,
)
from sims.kernels import dispatch

# n²d is what the reference works through, on one core of the host, for the rules with distances
SIZES = [(n, d) for n in (1, 2, 7, 25, 50, 100) for d in (1, 10, 300, 5001, 100_003) if n * n * d <= 10**8]


@compiled
@pytest.mark.parametrize("layout", ["fortran", "every second", "reversed", "broadcast", "columns first"])
def test_any_strides(device, layout):
    n, d = 7, 1100
    x = {
        "fortran": lambda: np.asfortranarray(messages(n, d)),
        "every second": lambda: messages(2 * n, 2 * d, runs=4)[::2, ::2, ::2],
        "reversed": lambda: messages(n, d)[::-1, ::-1, ::-1],
        "broadcast": lambda: np.broadcast_to(messages(n, d, runs=1), (3, n, d)),
        "columns first": lambda: messages(d, n).transpose(0, 2, 1),
    }[layout]()
    for rule in (*by_column(n), *by_distance(n), *by_length(n)):
        agree(rule, x, EXACT)
    for rule in by_centre():
        agree(rule, x, ROUNDING)


@compiled
def test_two_hundred_workers(device):
    x = messages(200, 20, runs=1)
    for rule in (CoordinateMedian(), TrimmedMean(80), MultiKrum(60), Bulyan(40), *by_length(200)):
        agree(rule, x, EXACT)
    agree(CenteredClipping(20.0, steps=2), x, ROUNDING)
    agree(RFA(), messages(200, 1050, "float32", runs=1), ROUNDING)


@compiled
@pytest.mark.parametrize(
    ("rule", "d", "launches"),
    [
        (Mean(), 10, ["columns"]),
        (CoordinateMedian(), 5000, ["columns"]),
        (TrimmedMean(2), 10, ["columns"]),
        (CenteredClipping(1.0, steps=3), 10, ["clip_short"]),
        (RFA(), 10, ["weigh_short"]),
        (CenteredClipping(1.0), 5000, ["measure", "clip", "move"]),
        (RFA(steps=2), 5000, ["measure", "weigh", "move_and_measure", "weigh", "move"]),
        (Krum(2), 10, ["distances", "rank_short"]),
        (MoNNA(2), 10, ["measure", "add_chunks", "columns"]),
        (CGE(2), 5000, ["measure", "add_chunks", "columns"]),
        (MultiKrum(2), 5000, ["distances", "add_chunks", "compare", "count", "columns"]),
    ],
)
def test_launches_are_few(device, rule, d, launches):
    rule.aggregate(messages(9, d))
    assert device.launches == launches


def test_what_the_device_takes(monkeypatch):
    monkeypatch.setattr(dispatch, "is_cupy_array", lambda x: True)
    assert kernels.pays(np.zeros((25, 10)))
    assert kernels.pays(np.zeros((1000, 256, 1), np.float32))
    assert not kernels.pays(np.zeros((257, 10)))
    assert not kernels.pays(np.zeros((25, 10), np.float16))
    assert not kernels.pays(np.zeros((0, 25, 10)))
    assert not kernels.pays(np.zeros((25, 0)))
    with kernels.reference():
        assert not kernels.pays(np.zeros((25, 10)))


@compiled
def test_a_block_takes_several_shares(device, monkeypatch):
    few_blocks(monkeypatch)
    for x in (messages(7, 10, runs=3), messages(7, 2100, runs=3), spoiled(messages(7, 300, runs=5), 2)):
        for rule in (*by_column(7), *by_distance(7), *by_length(7)):
            agree(rule, x, EXACT)
        for rule in by_centre():
            agree(rule, x, ROUNDING)


@on_gpu
@pytest.mark.parametrize(("n", "d"), SIZES)
@pytest.mark.parametrize("dtype", NUMBERS)
def test_gpu_rules(dtype, n, d):
    """At d = 1 NumPy adds up in pairs, and nothing is exact."""
    for x in (messages(n, d, dtype), spoiled(messages(n, d, dtype), (n - 1) // 4)):
        for rule in (*by_column(n), *by_distance(n), *by_length(n)):
            agree(rule, x, EXACT if d > 1 else ROUNDING, to_device=on_device)
        for rule in by_centre():
            agree(rule, x, ROUNDING, to_device=on_device)


@on_gpu
@pytest.mark.parametrize("layout", ["reversed", "broadcast", "columns first"])
def test_gpu_strides(layout):
    x = on_device(messages(7, 1100))
    there = {
        "reversed": lambda: x[::-1, ::-1, ::-1],
        "broadcast": lambda: backend.namespace(x).broadcast_to(x[:1], (3, 7, 1100)),
        "columns first": lambda: x.transpose(0, 2, 1).copy().transpose(0, 2, 1),
    }[layout]()
    host = np.ascontiguousarray(backend.to_numpy(there))
    for rule in (*by_column(7), *by_distance(7), *by_length(7)):
        agree(rule, host, EXACT, to_device=lambda _: there)
    for rule in by_centre():
        agree(rule, host, ROUNDING, to_device=lambda y: there if y is host else on_device(y))
