"""The CUDA kernels of clipping and of Weiszfeld's steps, and their parameters, against the reference."""

from __future__ import annotations

import numpy as np
import pytest
from on_device import EXACT, NUMBERS, ROUNDING, agree, by_centre, compiled, messages, on_device, on_gpu, rng, spoiled

from sims import backend, kernels
from sims.aggregators import RFA, CenteredClipping
from sims.kernels.cuda import launch


@compiled
@pytest.mark.parametrize(("n", "d"), [(1, 1), (2, 3), (7, 10), (7, 4200), (25, 10), (25, 70), (25, 1030), (50, 3)])
@pytest.mark.parametrize("dtype", NUMBERS)
def test_rules_with_a_centre(device, dtype, n, d):
    for rule in by_centre():
        agree(rule, messages(n, d, dtype), ROUNDING)
        agree(rule, spoiled(messages(n, d, dtype), max(1, n // 4)), ROUNDING)
        agree(rule, spoiled(messages(n, d, dtype), n), ROUNDING)  # nobody alive: RFA has no answer, clipping stays


@compiled
@pytest.mark.parametrize("d", [6, 2100])
@pytest.mark.parametrize("scale", [3e149, 1e-170])
def test_squares_that_overflow_or_vanish(device, d, scale):
    x = messages(7, d)
    x[:, 1] *= 1e-3
    for factor in (0.3, 3.0):
        agree(CenteredClipping(scale * factor, steps=2), x * scale, ROUNDING)
        agree(RFA(nu=scale * factor), x * scale, ROUNDING)
    one = x.copy()
    one[:, 3] *= 1e140  # one far beyond the others
    one[:, 4, 0] = 2e150  # and one whose squares overflow
    agree(CenteredClipping(2.0, steps=2), one, ROUNDING * 1e-140)
    agree(CenteredClipping(0.0), x * 0.0, EXACT)
    agree(RFA(), x * 0.0, EXACT)


@compiled
@pytest.mark.parametrize("d", [5, 1100])
def test_array_parameters_and_leading_axes(device, d):
    x = messages(7, d, runs=6).reshape(2, 3, 7, d) * np.arange(1.0, 7.0).reshape(2, 3, 1, 1)
    tau, nu, centre = (
        np.geomspace(0.1, 1000, 6).reshape(2, 3),
        np.array([0.1, 50.0, 3.0]),
        rng(1).normal(size=(2, 1, d)),
    )
    agree(CenteredClipping(tau, steps=2), x, ROUNDING, centre)
    agree(CenteredClipping((tau, 1.0), steps=2), x, ROUNDING, centre)
    agree(RFA(nu=nu), x, ROUNDING)
    whole = CenteredClipping(tau, steps=2).aggregate(x, centre)
    for i, j in np.ndindex(2, 3):  # a run's numbers are the same in any batch
        alone = CenteredClipping(float(tau[i, j]), steps=2).aggregate(x[i, j], centre[i, 0])
        np.testing.assert_array_equal(whole[i, j], alone)


@compiled
def test_parameters_that_are_there_already(device, monkeypatch):
    x, tau = messages(7, 10), np.array([0.5, 2.0])
    expected = kernels.centered_clipping(x, np.zeros((2, 10)), (tau, 1.0))
    monkeypatch.setattr(launch, "is_cupy_array", lambda p: isinstance(p, np.ndarray))
    np.testing.assert_array_equal(kernels.centered_clipping(x, np.zeros((2, 10)), (tau, 1.0)), expected)


@compiled
def test_parameters_are_moved_once(device, monkeypatch):
    x, moved = messages(7, 10), []
    original = backend.namespace(x).asarray
    launch._tables.clear()
    monkeypatch.setattr(backend.namespace(x), "asarray", lambda *a, **k: moved.append(a) or original(*a, **k))
    rule = CenteredClipping(np.array([0.5, 2.0]), steps=2)
    for _ in range(3):
        kernels.centered_clipping(x, np.zeros((2, 10)), rule.radii)
    assert len(moved) == 1


@on_gpu
@pytest.mark.parametrize("d", [6, 2100])
@pytest.mark.parametrize("scale", [3e149, 1e-170])
def test_gpu_squares_that_overflow_or_vanish(d, scale):
    x = messages(7, d) * scale
    agree(CenteredClipping(scale * 3, steps=2), x, ROUNDING, to_device=on_device)
    agree(RFA(nu=scale * 3), x, ROUNDING, to_device=on_device)


def far_and_near(d):
    """Runs (8, 7, d) and centres (8, d), of a kind of their own in each run; the last two are ordinary."""
    largest = float(np.finfo(np.float64).max)
    x, v = rng(3).standard_normal((8, 7, d)), rng(4).standard_normal((8, d))
    x[0], v[0] = x[0] * 1e-310, 0
    x[1] = np.clip(x[1], -1, 1) * largest
    x[2, 3] = 1e300
    v[3] = np.clip(v[3], -1, 1) * largest
    x[4, ::2], v[4] = 0, 0
    x[4, 1] *= 1e-200
    v[5, 0] = np.nan
    x[:, 5, 0] = np.nan
    return x, v


@compiled
@pytest.mark.parametrize("d", [3, 1100])
def test_the_whole_range_of_numbers(device, d):
    """One finite message beyond 1e150 counts, and none overflows or vanishes; each run as the reference has it."""
    x, v = far_and_near(d)
    taus = np.array([1e-310, 1e307, 0.5, 1e-3, 1e-200, 1.0, 1.0, 1e-150])
    for tau in (taus, np.full(8, 2.0), np.zeros(8), np.full(8, np.inf)):
        rule = CenteredClipping(tau, steps=2)
        got = rule.aggregate(x, v)
        with kernels.reference():
            near(got, rule.aggregate(x, v))
    for nu in (taus, np.full(8, 0.1), np.full(8, np.inf)):
        got = RFA(nu=nu).aggregate(x)
        with kernels.reference():
            near(got, RFA(nu=nu).aggregate(x))


def near(got, expected):
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    size = np.nan_to_num(np.max(np.abs(expected), axis=-1, keepdims=True))
    assert np.all(np.abs(got / 4 - expected / 4) <= 1e-12 * size + 1e-323, where=~np.isnan(expected))
