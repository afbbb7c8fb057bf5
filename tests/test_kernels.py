"""Compiled aggregation against the reference: every rule, dtype, layout and kind of message."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from on_host import DTYPES, EXACT, WORKERS, agree, large, rng, rules, spoil

from conftest import arrays_of, usable
from sims import kernels
from sims.aggregators import (
    CAF,
    CGE,
    MDA,
    RFA,
    SMEA,
    CenteredClipping,
    CoordinateMedian,
    Krum,
    Meamed,
    Mean,
    MoNNA,
    Phocas,
    TrimmedMean,
)
from sims.kernels import dispatch
from sims.kernels.cpu import clipping, columns, threads

pytestmark = pytest.mark.usefixtures("all_are_many")


@pytest.mark.parametrize("n", WORKERS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_kernels_agree_with_the_reference(n, dtype):
    x = large(n, dtype)
    for rule, error in rules(n):
        agree(rule, x, error)


@pytest.mark.parametrize(("n", "dtype"), [(4, np.float64), (9, np.float32), (25, np.float32)])
def test_means_around_a_middle(n, dtype):
    x, limits = large(n, dtype), np.finfo(dtype)
    for f in {(n - 1) // 2, (n - 1) // 4}:
        for rule in (Meamed(f), Phocas(f)):
            for some in (x, np.round(x), spoil(x, f), spoil(x, n), np.clip(x, -0.9, 0.9) * limits.max, x * limits.tiny):
                agree(rule, some, EXACT)


@pytest.mark.parametrize("rule", [CGE(2), MoNNA(2, idx=3), MDA(2), SMEA(2), CAF(2)], ids=repr)
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_chosen_among_large_messages(rule, dtype):
    """Sums over coordinates are added in another order, which changes no choice here, and weights by rounding."""
    x = large(9, dtype)
    agree(rule, x, EXACT if not isinstance(rule, CAF) else 1e-12)
    agree(rule, spoil(x, 2), EXACT if not isinstance(rule, CAF) else 1e-12)


def test_two_hundred_workers():
    x = large(200, np.float32)
    for rule, error in ((CoordinateMedian(), EXACT), (TrimmedMean(80), EXACT), (CenteredClipping(20.0), 4e-15)):
        agree(rule, x, error)
    agree(Krum(60), x, EXACT)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [7, 25])
def test_non_finite_messages_count_as_the_worst(n, dtype):
    for f in (1, (n - 1) // 4, n // 2, n):
        x = spoil(large(n, dtype), f)
        for rule, error in rules(n):
            agree(rule, x, error)


def test_messages_beyond_huge_count_as_infinite():
    x = large(7)
    x[2, 5], x[3] = 1.5e150, 1e200
    for rule, error in rules(7):
        agree(rule, x, error)


@pytest.mark.parametrize("layout", ["fortran", "every second row", "reversed rows", "every second column", "strided"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_strides(layout, dtype):
    n = 7
    x = {
        "fortran": lambda: np.asfortranarray(large(n, dtype)),
        "every second row": lambda: large(2 * n, dtype)[::2],
        "reversed rows": lambda: large(n, dtype)[::-1],
        "every second column": lambda: large(n, dtype).repeat(2, axis=1)[:, ::2],
        "strided": lambda: large(4 * n, dtype).reshape(2, 2, n, -1)[:, 1].transpose(0, 1, 2)[:, ::-1, ::-1],
    }[layout]()
    if not kernels.pays(x):
        x = np.concatenate([x] * 4, axis=-1)[..., ::-1]
    for rule, error in rules(n):
        agree(rule, x, error)


def test_read_only_and_broadcast_messages():
    x = np.broadcast_to(large(1)[0], (7, large(1).shape[1]))  # all rows are the same memory
    for rule, error in rules(7):
        agree(rule, x, error)


def test_leading_axes_and_array_parameters():
    n = 7
    x = np.stack([large(n, seed=k) * (1 + k) for k in range(6)]).reshape(2, 3, n, -1)
    tau, nu = np.geomspace(0.1, 1000, 6).reshape(2, 3), np.array([0.1, 50.0, 300.0])
    centre = rng(1).standard_normal((2, 1, x.shape[-1]))
    for rule, error in rules(n):
        agree(rule, x, error)
    agree(CenteredClipping(tau, steps=2), x, 1e-14, centre)
    agree(RFA(nu=nu), x, 1e-14)
    for i, j in itertools.product(range(2), range(3)):  # a run's numbers are the same in any batch
        alone = CenteredClipping(float(tau[i, j]), steps=2).aggregate(x[i, j], centre[i, 0])
        np.testing.assert_array_equal(CenteredClipping(tau, steps=2).aggregate(x, centre)[i, j], alone)


def test_results_do_not_depend_on_the_number_of_threads():
    x = large(7).repeat(3, axis=1)
    found = []
    try:
        for count in (1, 2, None):
            threads.limit(count)
            found.append([np.asarray(rule.aggregate(x)) for rule, _ in rules(7)])
    finally:
        threads.limit(None)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_ties_are_broken_by_value_and_never_by_index():
    n = 7
    x = np.round(large(n) * 0.2)
    x[1], x[4], x[5] = x[0], -x[0], -x[0]  # the first two are one point, the next two another
    for rule, error in rules(n):
        agree(rule, x, error)
        if error == EXACT and not isinstance(rule, Mean):
            np.testing.assert_array_equal(rule.aggregate(x), rule.aggregate(x[::-1]))


def test_small_work_and_other_dtypes_take_the_reference():
    assert not kernels.pays(np.zeros((25, 100)))
    assert not kernels.pays(np.zeros((10**6, 25, 100)))
    assert not kernels.pays(np.zeros((1000, 10**4)))  # too many workers to sort in registers
    assert not kernels.pays(np.zeros((25, 10**5), np.float16))
    assert not kernels.pays(np.zeros((25, 10**5), ">f8"))
    assert not kernels.pays(np.zeros(8 * 25 * 10**5 + 1, np.uint8)[1:].view(np.float64).reshape(25, 10**5))
    with kernels.reference():
        assert not kernels.pays(large(7))
    assert kernels.pays(large(7))


@pytest.mark.skipif(not usable("torch"), reason="torch is not available here")
def test_torch_tensors_on_the_cpu_reach_the_kernels_without_a_copy():
    values = large(7, np.float32)
    x = arrays_of("torch")(values[:, :4], "float32").new_tensor(values)
    assert kernels.pays(x)
    assert dispatch.runs_of(x).ctypes.data == x.data_ptr()
    for rule, error in rules(7):
        got = rule.aggregate(x)
        assert type(got) is type(x)
        expected = rule.aggregate(values)
        assert error == EXACT or not math.isnan(error)
        np.testing.assert_array_equal(got.numpy(), expected)
    assert not kernels.pays(x.requires_grad_())


def test_a_wrong_kernel_would_be_noticed(monkeypatch):
    """`agree` is not blind: a median that trims one value too few, clipping with another radius."""
    monkeypatch.setattr(columns, "coordinate_median", lambda x: columns.trimmed_mean(x, 2))
    with pytest.raises(AssertionError):
        agree(CoordinateMedian(), large(7), EXACT)
    original = clipping.centered_clipping
    monkeypatch.setattr(clipping, "centered_clipping", lambda x, v, r: original(x, v, [t * (1 + 1e-9) for t in r]))
    with pytest.raises(AssertionError):
        agree(CenteredClipping(3.0), large(7), 4e-15)
