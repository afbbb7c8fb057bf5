"""The CUDA kernels: run on the CPU by `cuda_emulator` against the reference, compiled where a CUDA compiler is at hand.

What needs a GPU is marked so and skipped without one; the header of pytest says so.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import importlib.util
import itertools
import math
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from conftest import usable
from cuda_emulator import COMPILER, Emulator, kernels_of

from sims import backend, kernels
from sims.aggregators import RFA, Bulyan, CenteredClipping, CoordinateMedian, Krum, Mean, MultiKrum, TrimmedMean
from sims.attacks import InnerProductManipulation
from sims.engine import Experiment, Streams, simulate, streams
from sims.kernels import dispatch, entry
from sims.kernels.cuda import centres as cuda_centres
from sims.kernels.cuda import column_rules, launch
from sims.kernels.cuda import columns as cuda_columns
from sims.kernels.cuda import distances as cuda_distances
from sims.kernels.cuda import random as cuda_random
from sims.kernels.cuda.rounds import Rounds
from sims.kernels.in_rounds import Answer, Step
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.problems import Quadratic

EXACT = 0.0  # coordinate by coordinate: not a bit may differ, but for the sign of a zero
ROUNDING = 4e-15
NUMBERS = ("float32", "float64")
NAN, INF = float("nan"), float("inf")

on_gpu = pytest.mark.skipif(not usable("cupy"), reason="needs a GPU and CuPy: not run here")
compiled = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler: the CUDA kernels were not run here")


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


@pytest.fixture(scope="session")
def libraries(tmp_path_factory):
    return tmp_path_factory.mktemp("cuda")


@pytest.fixture(scope="session", params=[False, True], ids=["forwards", "backwards"])
def emulator(request, libraries):
    """Threads of a block in either order: kernels with a race would differ."""
    return Emulator(libraries, backwards=request.param)


# where threads never meet their order is of no consequence
ONE_ORDER = pytest.mark.parametrize("emulator", [False], indirect=True, ids=["forwards"])


@pytest.fixture
def device(emulator, monkeypatch):
    """NumPy's arrays stand for the device's: all goes the way of CuPy's, and kernels are emulated."""

    def is_there(x):
        return isinstance(x, np.ndarray)

    monkeypatch.setattr(launch, "start", emulator.launch)
    monkeypatch.setattr(entry, "is_cupy_array", is_there)
    monkeypatch.setattr(dispatch, "is_cupy_array", is_there)
    monkeypatch.setattr(streams, "is_cupy_namespace", lambda xp: True)
    emulator.launches.clear()
    return emulator


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


def by_centre():
    clipping = [CenteredClipping(3.0), CenteredClipping((50.0, 1.0, 0.0, 2.0), steps=4), CenteredClipping(INF)]
    return [*clipping, RFA(), RFA(steps=7, nu=1e-3)]


def sources(n, dtype):
    """Every source for n workers."""
    f = (n - 1) // 4
    columns = [cuda_columns.source(rule, n, f, dtype) for rule in column_rules.COLUMN_RULES]
    centres = [cuda_centres.long_messages(n, dtype), cuda_centres.short_messages(n, dtype)]
    played = whole_rounds(n) if dtype == "float64" else []
    return [*columns, *centres, cuda_distances.pairs_of_messages(n, dtype), cuda_random.SOURCE, *played]


def whole_rounds(n):
    """The rounds of every rule that n workers can have, in few and many dimensions."""
    f = max(0, n - 3) // 4
    steps = [step for step in Step if n >= 3 or step != Step.KRUM]
    kinds = itertools.product(
        steps, ((10, Answer.HONEST, False), (8192 // n, Answer.EDGE if f else Answer.HONEST, True))
    )
    return [
        Rounds(step, n, d, n - f, f, answer, answer // 4, momentum, offsets=momentum).source
        for step, (d, answer, momentum) in kinds
    ]


# Rules


@compiled
@ONE_ORDER
@pytest.mark.parametrize("sizes", [range(1, 18), (25, 26, 32, 33, 49, 50)], ids=["few", "many"])
@pytest.mark.parametrize("dtype", NUMBERS)
def test_columns_of_up_to_fifty_workers(device, dtype, sizes):
    rules = {"mean": [0], "median": [0], "trimmed_mean": [(n - 1) // 4 for n in sizes] + [(n - 1) // 2 for n in sizes]}
    device.prepare(
        cuda_columns.source(name, n, f, dtype)
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
@pytest.mark.parametrize(("n", "d"), [(3, 10), (4, 1030), (7, 4), (11, 300), (25, 10), (26, 2), (33, 40), (50, 7)])
@pytest.mark.parametrize("dtype", NUMBERS)
def test_rules_that_choose_messages(device, dtype, n, d):
    tied = np.round(messages(n, d, dtype))
    tied[:, 1], tied[:, -1] = tied[:, 0], -tied[:, 0]
    for rule in by_distance(n):
        for x in (messages(n, d, dtype), tied, spoiled(tied, (n - 3) // 4), spoiled(tied, n)):
            agree(rule, x, EXACT)


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
    one[:, 4, 0] = 2e150  # and one that counts as infinite
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
    for rule in (*by_column(n), *by_distance(n)):
        agree(rule, x, EXACT)
    for rule in by_centre():
        agree(rule, x, ROUNDING)


@compiled
@ONE_ORDER
@pytest.mark.parametrize(("n", "dtype"), [(5, "float32"), (8, "float64"), (25, "float32")])
def test_columns_of_more_workers_than_there_are_registers(device, monkeypatch, n, dtype):
    monkeypatch.setattr(column_rules, "MOST_WORDS", 0)
    for rule in (*by_column(n), *by_distance(n)):
        for x in (messages(n, 12, dtype), np.round(messages(n, 12, dtype)), spoiled(messages(n, 12, dtype), n // 4)):
            agree(rule, x, EXACT)


@compiled
def test_two_hundred_workers(device):
    x = messages(200, 20, runs=1)
    for rule in (CoordinateMedian(), TrimmedMean(80), MultiKrum(60), Bulyan(40)):
        agree(rule, x, EXACT)
    agree(CenteredClipping(20.0, steps=2), x, ROUNDING)
    agree(RFA(), messages(200, 1050, "float32", runs=1), ROUNDING)


@compiled
@pytest.mark.parametrize("m", [3, 6, 9])
@pytest.mark.parametrize("words", [0, 256])
def test_messages_around_the_median_need_not_be_finite(device, monkeypatch, m, words):
    """Every combination of a few values, as columns, with as many kept as can be: the reference, NaN for NaN."""
    monkeypatch.setattr(column_rules, "MOST_WORDS", words)
    from sims.aggregators.bulyan import _mean_around_median

    values = np.array([NAN, INF, -INF, -1.0, 0.5, 2.0])
    x = values[rng().integers(0, 6, (m, 4000))]
    for f in range((m + 1) // 2):
        with np.errstate(all="ignore"):
            expected = _mean_around_median(x, m - 2 * f)
        np.testing.assert_array_equal(kernels.mean_around_median(x, np.arange(m), f), expected)


# Distances


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
    rows, alive = backend.measurable(x)
    _, got_alive, ranks = kernels.distances_and_ranks(x)
    np.testing.assert_array_equal(got_alive, alive)
    np.testing.assert_array_equal(ranks, backend.lexicographic_ranks(rows))


def test_sums_of_distances_take_no_more_memory_than_they_may():
    for n in (1, 25, 256):
        for d in (1, 10**3, 10**6, 10**9):
            chunks = -(-d // cuda_distances.width_of_chunks(n, d))
            assert chunks * n**2 <= max(cuda_distances.SUMS, n**2)


# Launching


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
        (MultiKrum(2), 5000, ["distances", "add_chunks", "compare", "count", "columns"]),
    ],
)
def test_launches_are_few(device, rule, d, launches):
    rule.aggregate(messages(9, d))
    assert device.launches == launches


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


# That the tests above see what is wrong


def replaced(start, variants, source, *arguments):
    """Launch another source instead of some."""
    start(variants.get(source, source), *arguments)


def broken(monkeypatch, old, new):
    """Launch every source with a piece of its text replaced."""
    right = launch.start

    def start(source, *arguments):
        assert old in source
        right(source.replace(old, new), *arguments)

    monkeypatch.setattr(launch, "start", start)


@compiled
@pytest.mark.parametrize(
    ("rule", "d", "old", "new"),
    [
        (CoordinateMedian(), 5, "v4 = lower(a, b);", "v4 = a;"),
        (CoordinateMedian(), 5, "? v0 : (T)INF;", "? v0 : -(T)INF;"),
        (TrimmedMean(2), 5, "r * run_stride", "0"),
        (CenteredClipping(1.0), 5, "norm <= radius", "norm < 2 * radius"),
        (CenteredClipping(1.0), 5000, "radius / norm;", "radius / norm * (1 + 1e-9);"),
        (CenteredClipping(1.0), 5000, "dead[r * N + i] = 1", "(void)0"),
        (CenteredClipping(1.0), 5000, "w < THREADS / 32", "w < THREADS / 64"),
        (RFA(), 5, "i = 1; i < N", "i = 2; i < N"),
        (MultiKrum(2), 5, "s11 = fma(a1 - b1, a1 - b1, s11)", "s11 = fma(a1 - b1, a1 - b0, s11)"),
    ],
)
def test_a_wrong_kernel_is_noticed(device, monkeypatch, rule, d, old, new):
    x = spoiled(messages(9, d), 2)
    x[:, 8] *= 3
    error = ROUNDING if isinstance(rule, CenteredClipping | RFA) else EXACT
    agree(rule, x, error)
    broken(monkeypatch, old, new)
    with np.errstate(all="ignore"), pytest.raises(AssertionError):
        agree(rule, x, error)


def few_blocks(monkeypatch):
    """Several runs, and several shares of one, are done by one block after the other."""
    monkeypatch.setattr(launch, "MOST_ACROSS", 1)
    monkeypatch.setattr(launch, "MOST_BLOCKS", 1)


@compiled
def test_a_block_takes_several_shares(device, monkeypatch):
    few_blocks(monkeypatch)
    for x in (messages(7, 10, runs=3), messages(7, 2100, runs=3), spoiled(messages(7, 300, runs=5), 2)):
        for rule in (*by_column(7), *by_distance(7)):
            agree(rule, x, EXACT)
        for rule in by_centre():
            agree(rule, x, ROUNDING)


@compiled
@pytest.mark.parametrize(
    ("rule", "d", "source", "needless"),
    [
        (RFA(), 70, lambda: cuda_centres.short_messages(9, "float64"), 0),
        # its threads read only those weights that they wrote, so that the last barrier before is for the short alone
        (RFA(nu=1e-160), 2100, lambda: cuda_centres.long_messages(9, "float64"), 1),
        (MultiKrum(2), 70, lambda: cuda_distances.pairs_of_messages(9, "float64"), 0),
    ],
    ids=["short", "long", "distances"],
)
def test_each_missing_barrier_is_noticed(tmp_path, monkeypatch, rule, d, source, needless):
    """Without it one of the two orders of the threads differs from the reference."""
    text, barrier = source(), "__syncthreads();"
    places = [k for k in range(len(text)) if text.startswith(barrier, k)]
    variants = [text, *(text[:k] + text[k + len(barrier) :] for k in places)]
    orders = [Emulator(tmp_path), Emulator(tmp_path, backwards=True)]
    few_blocks(monkeypatch)
    for module in (entry, dispatch):
        monkeypatch.setattr(module, "is_cupy_array", lambda x: isinstance(x, np.ndarray))
    x = messages(9, d, runs=3)
    x[1] *= np.geomspace(1e148, 1e149, d)  # squares overflow, so that the norms are taken by other means
    x[1, 3, -1] = NAN

    def results(variant):
        """In the two orders; None where threads do not meet."""
        for emulator in orders:
            emulator.prepare(variants)
            run = functools.partial(replaced, emulator.launch, {text: variant})
            monkeypatch.setattr(launch, "start", run)
            try:
                yield rule.aggregate(x)
            except AssertionError:
                yield None

    with kernels.reference():
        np.testing.assert_allclose(next(results(text)), rule.aggregate(x), rtol=1e-12)
    right = next(results(text))
    unnoticed = [
        text[:k].count("\n") + 1
        for k, variant in zip(places, variants[1:], strict=True)
        if all(np.array_equal(found, right) for found in results(variant))
    ]
    assert len(unnoticed) == needless, unnoticed


@compiled
def test_threads_that_do_not_meet_are_noticed(tmp_path):
    source = launch.prelude("float64") + (
        'extern "C" __global__ void apart(T* x) { if (threadIdx.x < 5) { __syncthreads(); x[0] = 1; }'
        " else if (threadIdx.x < 9) __shfl_xor_sync(0xffffffffu, 1.0, 1); }\n"
        'extern "C" __global__ void left(T* x) { if (threadIdx.x > 4) return; __syncthreads(); x[0] = 2; }\n'
    )
    emulator, x = Emulator(tmp_path), np.zeros(1)
    with pytest.raises(AssertionError, match="the threads of apart do not meet"):
        emulator.launch(source, "apart", (1,), (32,), x)
    emulator.launch(source, "left", (1,), (32,), x)  # who has ended is not waited for
    assert x == 2


# The generator


@pytest.mark.parametrize(
    ("counter", "word", "expected"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
    ids=["zeros", "ones", "the digits of π"],
)
def test_philox_gives_the_published_answers(counter, word, expected):
    """The known-answer vectors of Random123 for philox4x32-10 (Salmon et al. 2011)."""
    words = [np.array([int(w, 16) for w in text.split()], dtype=np.uint32) for text in (counter, word)]
    assert cuda_random.philox(*words).tolist() == [int(w, 16) for w in expected.split()]


@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_the_host_draws_the_words_of_philox(kind):
    """By Python's integers, a second time: position e of run r is in block ⌊e/2⌋, counter (block, run)."""
    word, runs = 0x0123456789ABCDEF, range(2**33 + 5, 2**33 + 7)
    drawn = cuda_random.draw_on_host(kind, word, runs, 2**34 + 1, 3, (3,))
    for (step, r, place), got in np.ndenumerate(drawn):
        e = 2**34 + 1 + 3 * step + place
        block, run = e // 2, runs[r]
        counter = np.array([block % 2**32, block >> 32, run % 2**32, run >> 32])
        c = cuda_random.philox(counter, np.array([word % 2**32, word >> 32])).tolist()
        u, v = (((c[k] >> 5) * 2**26 + (c[k + 1] >> 6)) / 2**53 for k in (0, 2))
        wave = math.sin if e % 2 else math.cos
        normal = math.sqrt(-2 * math.log(1 - u)) * wave(2 * math.pi * v)
        assert math.isclose(got, (v if e % 2 else u) if kind == "uniform" else normal, rel_tol=1e-14)


@compiled
@pytest.mark.parametrize("shape", [(), (3,), (5, 2), (1, 301)])
def test_the_device_draws_what_the_host_draws(device, shape):
    for word, runs in ((0, range(3)), (2**64 - 1, range(2**32 - 1, 2**32 + 1)), (5, range(2**64 - 2, 2**64 - 1))):
        drawn = cuda_random.DeviceStreams(word, runs, np)
        for steps, first in ((3, 0), (1, 3), (4, 4)):
            expected = cuda_random.draw_on_host("uniform", word, runs, first * math.prod(shape), steps, shape)
            np.testing.assert_array_equal(drawn.uniform(steps, shape), expected)
        expected = cuda_random.draw_on_host("normal", word, runs, 0, 7, shape)
        got = cuda_random.DeviceStreams(word, runs, np).normal(7, shape)
        np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-14)


@compiled
@pytest.mark.parametrize("kind", ["normal", "uniform"])
@pytest.mark.parametrize("chunks", [(10,), (1,) * 10, (3, 7), (9, 1)])
@pytest.mark.parametrize("shape", [(), (3,), (5, 2)])
def test_drawing_in_chunks_continues_the_sequence_bit_for_bit(device, kind, chunks, shape):
    whole = getattr(Streams(4, "sample").runs(2, 3), kind)(10, shape)
    parts = Streams(4, "sample").runs(2, 3)
    assert isinstance(parts, cuda_random.DeviceStreams)
    np.testing.assert_array_equal(np.concatenate([getattr(parts, kind)(steps, shape) for steps in chunks]), whole)
    late = getattr(Streams(4, "sample").runs(3, 1), kind)(10, shape)
    np.testing.assert_array_equal(late[:, 0], whole[:, 1])


def test_seed_purpose_and_run_each_change_the_stream():
    def drawn(seed, purpose, run):
        return cuda_random.draw_on_host("uniform", Streams(seed, purpose).word, range(run, run + 1), 0, 50, ())

    for other in ((1, "sample", 0), (0, "attack", 0), (0, "sample", 1), (0, "sample", 2**63)):
        assert not np.any(drawn(0, "sample", 0) == drawn(*other))


def test_moments():
    """Means of 2^20 independent terms, each within 6.5 standard deviations of itself, which fails once in 10^10."""
    count = 2**20
    u = cuda_random.draw_on_host("uniform", 11, range(4), 0, count // 4, ()).ravel()
    z = cuda_random.draw_on_host("normal", 11, range(4), 0, count // 4, ()).ravel()
    assert 0 <= u.min() < u.max() < 1
    double = [math.prod(range(1, 2 * k, 2)) for k in range(9)]  # E z^{2k} = (2k − 1)!!
    for name, terms, mean, variance in (
        ("u", u, 1 / 2, 1 / 12),
        ("u²", u**2, 1 / 3, 1 / 5 - 1 / 9),
        ("neighbours", u[:-1:2] * u[1::2], 1 / 4, 1 / 9 - 1 / 16),
        *(
            (f"z^{k}", z**k, double[k // 2] * (k % 2 == 0), double[k] - (double[k // 2] * (k % 2 == 0)) ** 2)
            for k in range(1, 5)
        ),
        ("pairs", z[:-1:2] * z[1::2], 0, 1),
        ("squares of pairs", z[:-1:2] ** 2 * z[1::2] ** 2, 1, 8),
        ("|z| > 1", abs(z) > 1, math.erfc(math.sqrt(0.5)), 0.25),
        ("|z| > 3", abs(z) > 3, math.erfc(3 / math.sqrt(2)), math.erfc(3 / math.sqrt(2))),
    ):
        assert abs(np.mean(terms) - mean) <= 6.5 * math.sqrt(variance / len(terms)), name


# Simulations


def run(**changes):
    parameters = {"n": 5, "f": 1, "attack": InnerProductManipulation(0.5), "steps": 12, "runs": 6, "seed": 3}
    algorithm = RobustSGD(CenteredClipping(1.0), WorkerMomentum(0.1, 0.9))
    return simulate(Quadratic((1.0, 2.0), sigma_sq=1.0), algorithm, **(parameters | changes))


@compiled
@pytest.mark.parametrize("shuffle", [False, True])
def test_simulations_on_the_device_do_not_depend_on_batch_or_chunk(device, shuffle):
    whole = run(shuffle=shuffle, backend=backend.get_namespace("numpy"))
    assert "normal" in device.launches
    assert "clip_short" in device.launches
    for record, there in (
        (run(shuffle=shuffle, chunk=5, backend=backend.get_namespace("numpy")), slice(None)),
        (run(shuffle=shuffle, runs=2, first_run=3, backend=backend.get_namespace("numpy")), slice(3, 5)),
    ):
        np.testing.assert_array_equal(record.excess, whole.excess[:, there])
        np.testing.assert_array_equal(record.x, whole.x[there])


@compiled
def test_nothing_is_fetched_before_the_end(device, monkeypatch):
    fetched = []
    original = backend.to_numpy

    def noticed(x):
        fetched.append(device.launches.count("clip_short"))
        return original(x)

    monkeypatch.setattr(importlib.import_module("sims.engine.simulate"), "to_numpy", noticed)
    run(backend=backend.get_namespace("numpy"))
    rounds = device.launches.count("clip_short")
    assert fetched == [rounds] * 5  # four columns of the record and x


def test_another_generator_is_another_configuration():
    algorithm = RobustSGD(Mean(), SGD(0.1))
    keys = [
        Experiment(Quadratic((1.0,)), algorithm, n=2, f=0, steps=1, runs=1, seed=0, backend=name).key()
        for name in ("numpy", "cupy")
    ]
    assert keys[0] != keys[1]


# CUDA's own compilers


def every_source():
    sizes = [(n, dtype) for dtype in NUMBERS for n in (1, 2, 25, 50)] + [(256, "float64")]
    return dict.fromkeys(source for n, dtype in sizes for source in sources(n, dtype))


def test_kernels_have_distinct_names():
    for source in sources(25, "float32"):
        names = kernels_of(source)
        assert names
        assert len(set(names)) == len(names)


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="no nvcc here")
def test_nvcc_compiles_every_source(tmp_path):
    for k, source in enumerate(sources(25, "float32") + sources(7, "float64")):
        path = tmp_path / f"{k}.cu"
        path.write_text(source)
        command = ["nvcc", *launch.OPTIONS, "-ptx", "-Werror", "all-warnings", str(path), "-o", str(path) + ".ptx"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        ptx = Path(str(path) + ".ptx").read_text()
        assert all(f".entry {name}(" in ptx for name in kernels_of(source))


def nvrtc():
    """The library with which CuPy compiles, if one is installed."""
    found = importlib.util.find_spec("nvidia")
    places = [Path(p) for p in (found.submodule_search_locations or ())] if found else []
    libraries = [path for place in places for path in place.rglob("libnvrtc.so.*")]
    return ctypes.CDLL(str(libraries[0])) if libraries else None


@pytest.mark.skipif(nvrtc() is None, reason="no NVRTC here")
def test_nvrtc_compiles_every_source():
    library = nvrtc()
    assert library is not None
    options = [*(option.encode() for option in launch.OPTIONS), b"--gpu-architecture=compute_70"]
    for source in every_source():
        program, size = ctypes.c_void_p(), ctypes.c_size_t()
        assert library.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"source.cu", 0, None, None) == 0
        failed = library.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
        library.nvrtcGetProgramLogSize(program, ctypes.byref(size))
        log = ctypes.create_string_buffer(size.value)
        library.nvrtcGetProgramLog(program, log)
        library.nvrtcDestroyProgram(ctypes.byref(program))
        assert not failed, log.value.decode()[:2000]


# On a GPU


def on_device(x):
    import cupy  # pyright: ignore[reportMissingImports]

    return cupy.asarray(x)


@on_gpu
@pytest.mark.parametrize("n", [1, 2, 7, 25, 50, 100])
@pytest.mark.parametrize("d", [1, 10, 300, 5001, 100_003])
@pytest.mark.parametrize("dtype", NUMBERS)
def test_gpu_rules(dtype, n, d):
    """At d = 1 NumPy adds up in pairs, and nothing is exact."""
    for x in (messages(n, d, dtype), spoiled(messages(n, d, dtype), (n - 1) // 4)):
        for rule in (*by_column(n), *by_distance(n)):
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
    for rule in (*by_column(7), *by_distance(7)):
        agree(rule, host, EXACT, to_device=lambda _: there)
    for rule in by_centre():
        agree(rule, host, ROUNDING, to_device=lambda y: there if y is host else on_device(y))


@on_gpu
@pytest.mark.parametrize("d", [6, 2100])
@pytest.mark.parametrize("scale", [3e149, 1e-170])
def test_gpu_squares_that_overflow_or_vanish(d, scale):
    x = messages(7, d) * scale
    agree(CenteredClipping(scale * 3, steps=2), x, ROUNDING, to_device=on_device)
    agree(RFA(nu=scale * 3), x, ROUNDING, to_device=on_device)


@on_gpu
def test_gpu_generator():
    drawn = cuda_random.DeviceStreams(12345, range(2**32 - 2, 2**32 + 3), backend.get_namespace("cupy"))
    for first, steps in ((0, 3), (3, 4)):
        expected = cuda_random.draw_on_host("uniform", 12345, drawn.runs, 33 * first, steps, (11, 3))
        np.testing.assert_array_equal(backend.to_numpy(drawn.uniform(steps, (11, 3))), expected)
    normal = cuda_random.DeviceStreams(12345, range(5), backend.get_namespace("cupy")).normal(7, (3,))
    expected = cuda_random.draw_on_host("normal", 12345, range(5), 0, 7, (3,))
    np.testing.assert_allclose(backend.to_numpy(normal), expected, rtol=1e-13, atol=1e-14)


@on_gpu
@pytest.mark.parametrize("shuffle", [False, True])
def test_gpu_simulations_do_not_depend_on_batch_or_chunk(shuffle):
    whole = run(shuffle=shuffle, backend="cupy")
    np.testing.assert_array_equal(run(shuffle=shuffle, chunk=5, backend="cupy").excess, whole.excess)
    late = run(shuffle=shuffle, runs=2, first_run=3, backend="cupy")
    np.testing.assert_array_equal(late.excess, whole.excess[:, 3:5])


def expected_sq_distance(eta, steps, n):
    """E(x_T − x*)² of x ← x − η((x − x*) + noise of variance 1/n) from distance 1."""
    shrink = (1 - eta) ** 2
    return shrink**steps + eta**2 / n * (1 - shrink**steps) / (1 - shrink)


def check_expectation(backend_name):
    """The mean of 20,000 squares of a normal is within 6.5 of its own standard deviations, estimated."""
    algorithm = RobustSGD(Mean(), SGD(0.3))
    record = simulate(
        Quadratic((1.0,), sigma_sq=1.0),
        algorithm,
        n=4,
        f=0,
        steps=20,
        runs=20_000,
        seed=1,
        x0=[1.0],
        backend=backend_name,
    )
    last = record.sq_distances[-1]
    assert abs(last.mean() - expected_sq_distance(0.3, 20, 4)) <= 6.5 * last.std() / math.sqrt(len(last))


@compiled
def test_expectation_of_a_simulation_with_the_devices_numbers(device):
    check_expectation(backend.get_namespace("numpy"))
    assert "normal" in device.launches


@on_gpu
def test_gpu_expectation_of_a_simulation():
    check_expectation("cupy")


@on_gpu
def test_gpu_verifies_the_paper():
    import theory
    from byzcheck.run import Options, check_statements

    for result in check_statements(list(theory.PAPER), Options(budget="quick", backend="cupy")):
        for claim in result.statement.claims:
            assert result.caught(claim), (result.statement.stem, claim.name)
