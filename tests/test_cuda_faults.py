"""Wrong CUDA kernels, and missing barriers, are noticed by the tests of the rules."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from cuda_emulator import Emulator
from on_device import EXACT, NAN, ROUNDING, agree, broken, compiled, few_blocks, messages, spoiled

from sims import kernels
from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, MultiKrum, TrimmedMean
from sims.kernels import dispatch, entry
from sims.kernels.cuda import centres, distances, launch


def replaced(start, variants, source, *arguments):
    """Launch another source instead of some."""
    start(variants.get(source, source), *arguments)


@compiled
@pytest.mark.parametrize(
    ("rule", "d", "old", "new"),
    [
        (CoordinateMedian(), 5, "v4 = lower(a, b);", "v4 = a;"),
        (CoordinateMedian(), 5, "? v0 : (T)INF;", "? v0 : -(T)INF;"),
        (TrimmedMean(2), 5, "r * run_stride", "0"),
        (CenteredClipping(1.0), 5, "norm <= radius", "norm < 2 * radius"),
        (CenteredClipping(1.0), 5000, "radius / norm;", "radius / norm * (1 + 1e-9);"),
        (CenteredClipping(1.0), 5000, "skip[i] ? 0.0 : row[i] - here", "row[i] - here"),
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


@compiled
@pytest.mark.parametrize(
    ("rule", "d", "source", "needless"),
    [
        (RFA(), 70, lambda: centres.short_messages(9, "float64"), 0),
        # its threads read only those weights that they wrote, and have met before these are made: the first and the
        # last barrier of `into_weights` are for the short alone
        (RFA(), 2100, lambda: centres.long_messages(9, "float64"), 2),
        (MultiKrum(2), 70, lambda: distances.pairs_of_messages(9, "float64"), 0),
    ],
    ids=["short", "long", "distances"],
)
def test_each_missing_barrier_is_noticed(tmp_path, monkeypatch, all_are_many, rule, d, source, needless):
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
    x[2] *= 1e250  # for one block, with exponents beside all numbers
    x[2, 4, 0] = NAN

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
