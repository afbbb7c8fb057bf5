"""Messages, rules and agreement for the CUDA kernels, emulated or on a GPU."""

from __future__ import annotations

import numpy as np
import pytest
from cuda_emulator import COMPILER

from conftest import ON_GPU
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
from sims.kernels.cuda import launch

EXACT = 0.0  # coordinate by coordinate: not a bit may differ, but for the sign of a zero
ROUNDING = 4e-15
NUMBERS = ("float32", "float64")
NAN, INF = float("nan"), float("inf")
compiled = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler: the CUDA kernels were not run here")

# where threads never meet their order is of no consequence
ONE_ORDER = pytest.mark.parametrize("emulator", [False], indirect=True, ids=["forwards"])


def on_gpu(test):
    """The test runs where there are CuPy and a GPU, and is one of those that `make gpu` runs."""
    for mark in ON_GPU:
        test = mark(test)
    return test


def rng(seed=0):
    return np.random.Generator(np.random.Philox(seed))


def messages(n, d, dtype="float64", *, runs=2, seed=0):
    return rng(seed).standard_normal((runs, n, d)).astype(dtype)


def spoiled(x, rows):
    """The same with NaN and infinities here and there in some rows."""
    x = x.copy()
    for k, value in zip(range(rows), (NAN, INF, -INF) * rows, strict=False):
        x[..., 2 * k % x.shape[-2], k % 3 :: 2] = value
    return x


def agree(rule, x, error, state=None, to_device=np.asarray):
    """The kernel's result is the reference's on the host, bit for bit or within `error` and a rounding to the dtype."""
    there = to_device(x)
    assert kernels.pays(there)
    got = backend.to_numpy(rule.aggregate(there, None if state is None else to_device(state)))
    with kernels.reference():
        expected = rule.aggregate(np.ascontiguousarray(x), state)
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    if error == EXACT:
        np.testing.assert_array_equal(got, expected)
    else:
        unit = error + np.finfo(got.dtype).eps
        scale = np.max(np.abs(np.where(np.isfinite(x), x, 0)), initial=np.finfo(got.dtype).tiny)
        np.testing.assert_allclose(got, expected, rtol=2 * unit, atol=unit * scale)


def by_column(n):
    """The rules that need nothing but columns, with as many trimmed as can be, and about a quarter."""
    return [Mean(), CoordinateMedian(), *(TrimmedMean(f) for f in {(n - 1) // 4, (n - 1) // 2})]


def by_distance(n):
    """The rules that choose messages first, as far as they are defined."""
    f = (n - 3) // 4
    found = [Krum(f), MultiKrum(f), Krum(f, "released"), MultiKrum(f, m=2)] if n >= 2 * f + 3 and f >= 0 else []
    return [*found, Bulyan(f)] if found else []


def by_length(n):
    """The rules that choose messages by their distances to one point."""
    f = (n - 1) // 2
    return [CGE(f), MoNNA(f), MoNNA(f, idx=n - 1)]


def by_centre():
    clipping = [CenteredClipping(3.0), CenteredClipping((50.0, 1.0, 0.0, 2.0), steps=4), CenteredClipping(INF)]
    return [*clipping, RFA(), RFA(steps=7, nu=1e-3)]


def broken(monkeypatch, old, new):
    """Launch every source with a piece of its text replaced."""
    right = launch.start

    def start(source, *arguments):
        assert old in source
        right(source.replace(old, new), *arguments)

    monkeypatch.setattr(launch, "start", start)


def few_blocks(monkeypatch):
    """Several runs, and several shares of one, are done by one block after the other."""
    monkeypatch.setattr(launch, "MOST_ACROSS", 1)
    monkeypatch.setattr(launch, "MOST_BLOCKS", 1)


def on_device(x):
    import cupy  # pyright: ignore[reportMissingImports]

    return cupy.asarray(x)
