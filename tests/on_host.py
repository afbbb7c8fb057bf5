"""Messages large enough for compiled code on the CPU, the rules that have some, and agreement with the reference."""

from __future__ import annotations

import itertools

import numpy as np

from sims import kernels
from sims.aggregators import (
    RFA,
    Bulyan,
    CenteredClipping,
    CoordinateMedian,
    Krum,
    Meamed,
    Mean,
    MultiKrum,
    Phocas,
    TrimmedMean,
)
from sims.kernels import dispatch

EXACT = "exact"  # coordinate by coordinate: not a bit may differ
DTYPES = [np.float32, np.float64]
WORKERS = [1, 2, 3, 7, 16, 25, 26]  # few sizes, each used by several tests: every one is compiled


def rng(seed):
    return np.random.Generator(np.random.Philox(seed))


def large(n, dtype=np.float64, *, offset=0.0, seed=0):
    """Messages (n, d) that are just large enough for the kernels, d odd so that the last group is not whole."""
    d = max(dispatch.SMALLEST // n, dispatch.SMALLEST // dispatch.MOST_WORKERS) + 3 | 1
    return (rng(seed).standard_normal((n, d)) + offset).astype(dtype)


def spoil(x, f):
    """The same with f rows of NaN, infinities, and huge numbers here and there."""
    x = x.copy()
    for row, value in zip(range(f), itertools.cycle((np.nan, np.inf, -np.inf)), strict=False):
        x[row * 2 % len(x), row :: 5 + row] = value
    return x


def rules(n):
    """Every rule with kernels that is defined for n workers, with the error that it may make."""
    f = (n - 1) // 4
    found = [(Mean(), EXACT), (CoordinateMedian(), EXACT), (TrimmedMean((n - 1) // 2), EXACT), (TrimmedMean(f), EXACT)]
    found += [(RFA(), 4e-15), (RFA(steps=7, nu=1e-3), 4e-15)]
    found += [(CenteredClipping(3.0), 4e-15), (CenteredClipping((50.0, 300.0, 0.0), steps=3), 4e-15)]
    if n == 7:  # `test_means_around_a_middle` has others
        found += [(Meamed(3), EXACT), (Phocas(2), EXACT)]
    if n >= 2 * f + 3:
        found += [(Krum(f), EXACT), (MultiKrum(f), EXACT), (Krum(f, "released"), EXACT), (MultiKrum(f, m=2), EXACT)]
    if n >= 4 * (f - 1) + 3 and f:
        found.append((Bulyan(f - 1), EXACT))
    return found


def agree(rule, x, error, state=None):
    """The kernel's result equals the reference's, bit for bit or within `error` and a rounding to the dtype."""
    assert kernels.pays(x)
    got = np.asarray(rule.aggregate(x, state))
    with kernels.reference():
        # NumPy adds in an order that depends on the layout
        expected = np.asarray(rule.aggregate(np.ascontiguousarray(x), state))
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    if error == EXACT:
        np.testing.assert_array_equal(got, expected)
    else:
        scale = np.max(np.abs(np.where(np.isfinite(x), x, 0)), initial=1.0)
        unit = error + np.finfo(got.dtype).eps
        np.testing.assert_allclose(got, expected, rtol=2 * unit, atol=unit * scale)
