"""Compiled aggregation against the reference: every rule, dtype, layout and kind of message."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from conftest import arrays_of, usable

from sims import kernels
from sims.aggregators import (
    RFA,
    Bulyan,
    CenteredClipping,
    CoordinateMedian,
    Krum,
    Mean,
    MultiKrum,
    TrimmedMean,
)
from sims.kernels import dispatch, networks
from sims.kernels.cpu import centres, clipping, columns, distances, products, threads

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


@pytest.mark.parametrize("n", WORKERS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_kernels_agree_with_the_reference(n, dtype):
    x = large(n, dtype)
    for rule, error in rules(n):
        agree(rule, x, error)


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


def test_rows_whose_squares_overflow_or_vanish_are_left_to_the_reference():
    x = large(7)
    for scale in (3e149, 1e-170):
        agree(CenteredClipping(scale), x * scale, 1e-14)
        agree(RFA(nu=scale), x * scale, 1e-14)
    ones = np.ones(len(x))
    assert clipping.centered_clipping((x * 3e149)[None], np.zeros((1, x.shape[1])), [ones]) is None
    assert clipping.weiszfeld_steps(x[None], 1e-170 * ones, 1) is None
    assert clipping.weiszfeld_steps(np.full_like(x, np.nan)[None], ones, 1) is None


def test_a_centre_that_does_not_fit_into_the_messages_dtype_is_left_to_the_reference():
    x, far = large(7, np.float32), np.full(large(7).shape[1], 1e100)
    for steps in (1, 2):
        rule = CenteredClipping(1.0, steps=steps)
        assert clipping.centered_clipping(x[None], far[None], [np.ones(1)] * steps) is None
        agree(rule, x, 1e-14, state=far)


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


def within_bounds(x):
    """Whether the float32 bounds of all distances hold; and how wide they are, in units of the largest distance."""
    low, high = products.distance_bounds(x)
    exact, _ = distances.sq_distances(x)
    np.testing.assert_array_equal(low, low.T)
    np.testing.assert_array_equal(high, high.T)
    return bool(np.all((low <= exact) & (exact <= high))), float(np.max(high - low) / np.max(exact))


@pytest.mark.parametrize("n", [3, 7, 25, 26, 50])
def test_bounds_of_distances_hold_and_are_narrow(n):
    for offset, scale in ((0.0, 1.0), (3.0, 1e-10), (1e4, 1.0), (-7.0, 1e15)):
        x = large(n, np.float32, offset=offset) * np.float32(scale)
        holds, width = within_bounds(x)
        assert holds
        assert 0 < width < 1e-4


def test_bounds_of_distances_hold_where_digits_are_lost():
    """A far message, messages that are close to each other, and squares that vanish: wider bounds, no wrong ones."""
    x = large(7, np.float32)
    x[2] *= 1e6
    x[5] = x[4] * np.float32(1 + 1e-5)
    for scale in (1.0, 1e-22, 1e-30, 1e-38, 1e12):
        assert within_bounds(x * np.float32(scale))[0]


def test_bounds_without_the_margin_would_be_noticed(monkeypatch):
    """The bounds are of use: with a thousandth of the rounding some distance lies outside."""
    monkeypatch.setattr(products, "UNIT", products.UNIT / 1000)
    assert not within_bounds(large(25, np.float32))[0]


def test_krum_chooses_in_single_precision_only_what_is_certain():
    x = large(7, np.float32)
    expected = Krum(1).aggregate(x.astype(np.float64))
    np.testing.assert_array_equal(x[products.index_of_nearest(x, 4)], expected)
    assert products.index_of_nearest(x.astype(np.float64), 4) is None
    close = x.copy()
    close[6] = np.nextafter(expected, np.float32(np.inf), dtype=np.float32)  # as near as the nearest, and not equal
    assert products.index_of_nearest(close, 4) is None
    agree(Krum(1), close, EXACT)
    close[6] = expected
    assert products.index_of_nearest(close, 4) is not None
    for spoiled in (x * np.float32(1e-30), x * np.float32(1e18), spoil(x, 1)):
        assert products.index_of_nearest(spoiled, 4) is None
        agree(Krum(1), spoiled, EXACT)
    crowd = np.concatenate([np.repeat(x[:1], 5, axis=0), x[1:3]])
    np.testing.assert_array_equal(x[0], crowd[products.index_of_nearest(crowd, 4)])
    faint = crowd * np.float32(1e-30)
    faint[:5] += np.arange(5, dtype=np.float32)[:, None] * np.float32(1e-35)  # equal to the eye of float32 squares
    assert products.index_of_nearest(faint, 4) is None
    agree(Krum(1), faint, EXACT)


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


def test_lexicographic_ranks_of_long_messages():
    x = np.zeros((7, 300))
    x[1, 299], x[2, 299], x[3, 0], x[4, 150] = 1, 1, -1, np.nan
    alive = np.array([True] * 4 + [False] + [True] * 2)
    assert distances.lexicographic_ranks(x, alive).tolist() == [1, 5, 5, 0, 1, 1, 1]


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


def test_small_work_compiles_nothing():
    """A thousand rules on messages of random n do not even import the compiler."""
    program = (
        "import sys, numpy as np; from sims.aggregators import *\n"
        "for n in range(3, 40):\n"
        "    for rule in (Mean(), CoordinateMedian(), TrimmedMean(1), RFA(), CenteredClipping(1.0), Krum(0)):\n"
        "        rule.aggregate(np.ones((n, 50)))\n"
        "assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


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


@pytest.mark.parametrize("backwards", [False, True])
def test_the_centre_moves_by_the_weighted_differences(backwards):
    x, v = np.array([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]]), np.ones(3)
    centre, all_alive = centres.Centre(v, v[:0]), np.array([True, True])
    squares = centres.advance(x, all_alive, centre, centre, np.array([0.5, 0.0]), backwards=backwards)
    np.testing.assert_array_equal(v, [1.0, 1.5, 2.0])
    np.testing.assert_array_equal(squares, [0 + 0.25 + 1, 16 + 12.25 + 9])


def test_a_centre_is_not_rounded_between_steps():
    """Of float32 messages: the rounded centre and what is left of it make the float64 one."""
    x = large(7, np.float32)
    d, weights, alive = x.shape[1], rng(1).random(7), np.ones(7, dtype=bool)
    start = centres.Centre(np.zeros(d, np.float32), np.zeros(0, np.float32))
    end = centres.Centre(np.empty(d, np.float32), np.empty(d, np.float32))
    centres.advance(x, alive, start, end, weights)
    expected = np.sum(weights[:, None] * x.astype(np.float64), axis=0)
    np.testing.assert_array_equal(end.rounded, expected.astype(np.float32))
    np.testing.assert_allclose(end.rounded.astype(np.float64) + end.rest, expected, rtol=1e-12, atol=1e-13)
    squares = centres.advance(x, alive, end)
    np.testing.assert_allclose(squares, np.sum((x.astype(np.float64) - expected) ** 2, axis=1), rtol=1e-12)


def test_threads_split_work_without_gaps():
    parts = []
    threads.split(lambda a, b: parts.append((a, b)), 1000, 64)
    assert sorted(parts)[0][0] == 0
    assert sorted(parts)[-1][1] == 1000
    assert all(a[1] == b[0] and a[1] % 64 == 0 for a, b in itertools.pairwise(sorted(parts)))
    with pytest.raises(ValueError, match="at least 1 thread, got 0"):
        threads.limit(0)


def test_an_error_in_a_thread_is_not_lost():
    def work(first, last):
        raise RuntimeError(f"{first}")

    with pytest.raises(RuntimeError):
        threads.split(work, 1000)
