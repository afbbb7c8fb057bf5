"""Whole rules in one call for few messages: the reference's numbers, or none where only the reference can tell."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from on_host import DTYPES, EXACT, rng, spoil

from sims import kernels
from sims.aggregators import (
    CGE,
    RFA,
    CenteredClipping,
    CoordinateMedian,
    Krum,
    Meamed,
    Mean,
    MoNNA,
    MultiKrum,
    Phocas,
    Rule,
    TrimmedMean,
)
from sims.by_name import examples
from sims.kernels import at_once
from sims.kernels.cpu import few, helpers, threads

SHAPES = [(1, 1), (2, 3), (5, 10), (7, 1), (9, 16), (11, 33), (25, 130), (64, 2), (130, 1), (256, 9)]


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch):
    monkeypatch.setattr(at_once, "PATIENCE", 0)


def rules(n):
    """Every rule that is done at once and is defined for n workers, and how many steps round, if not `EXACT`."""
    f, most = (n - 1) // 4, (n - 1) // 2
    found: list[tuple[Rule, object]] = [(Mean(), EXACT), (CoordinateMedian(), EXACT)]
    found += [(made(k), EXACT) for made in (TrimmedMean, Meamed, Phocas, CGE, MoNNA) for k in {f, most}]
    found += [(MoNNA(f, idx=n - 1), EXACT), (RFA(), 3), (RFA(steps=1, nu=2.0), 1)]
    found += [(CenteredClipping(1.0), 1), (CenteredClipping((9.0, 1.0, 0.5), steps=3), 3)]
    if n >= 2 * f + 3:
        found += [(Krum(f), EXACT), (Krum(f, "byzfl"), EXACT), (Krum(f, "released"), EXACT)]
        found += [(MultiKrum(f), EXACT), (MultiKrum(f, m=1), EXACT)]
    return found


def drawn(n, d, dtype, runs=(), seed=0):
    return (rng(seed).standard_normal((*runs, n, d)) + 1.5).astype(dtype)


def agree(rule, x, steps, state=None):
    """The reference's numbers; a step of either is right to 8(n + 2)·ε times the largest number."""
    got = rule.aggregate(x, state)
    with kernels.reference():
        expected = rule.aggregate(np.ascontiguousarray(x), state)
    assert got.dtype == expected.dtype
    if steps == EXACT:
        np.testing.assert_array_equal(got, expected)
    else:
        scale = np.max(np.abs(np.where(np.isfinite(x), x, 0)), initial=1e-300)
        unit = 16 * steps * (x.shape[-2] + 2) * np.finfo(np.float64).eps + np.finfo(got.dtype).eps
        np.testing.assert_allclose(got, expected, rtol=0, atol=unit * scale + np.finfo(got.dtype).smallest_subnormal)


def at_once_or_not(rule, x):
    """What the compiled call alone gives."""
    return rule.at_once(at_once.few(x), None)


def test_every_rule_that_is_done_at_once_is_tried_here():
    has = {type(rule) for rule in examples(11, 2).values() if "at_once" in vars(type(rule))}
    assert has == {type(rule) for rule, _ in rules(11)}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("n", "d"), SHAPES)
def test_the_numbers_are_the_references(n, d, dtype):
    x, limits = drawn(n, d, dtype), np.finfo(dtype)
    pairs = np.concatenate([x, -x])[:n]
    equal = np.concatenate([x[:1], np.repeat(x[-1:], n - 1, axis=0)])
    extreme = [x * scale for scale in (limits.tiny, limits.smallest_subnormal, dtype(7e-162))]
    extreme.append(np.clip(x, -0.9, 0.9) * limits.max)
    for rule, steps in rules(n):
        for some in (x, np.round(x), pairs, equal, x + dtype(1e6), spoil(x, (n - 1) // 4), spoil(x, n), *extreme):
            agree(rule, some, steps)


def test_messages_in_general_position_are_done_at_once():
    """Otherwise nothing above says anything of the compiled calls."""
    for n, d in SHAPES:
        for rule, _ in rules(n):
            if n > 1 and not rule.meets_ties(n, d) and getattr(rule, "variant", "") != "released":
                assert at_once_or_not(rule, drawn(n, d, np.float64)) is not None, (rule, n, d)


def test_no_number_of_workers_is_compiled_for():
    """Once for float32 and once for float64, whatever n, f and d are, and whether x may be written."""
    for n in range(3, 40):
        for rule, _ in rules(n):
            x = drawn(n, n, DTYPES[n % 2])
            x.flags.writeable = n % 3 > 0
            rule.aggregate(x)
    assert {name: len(function.signatures) for name, (function, _) in few.KERNELS.items()} == dict.fromkeys(
        few.KERNELS, 2
    )


def test_a_few_calls_do_not_import_the_compiler():
    """And those that do give the same numbers."""
    program = (
        "import sys, numpy as np; from sims.aggregators import *\n"
        "x = np.random.default_rng(0).standard_normal((7, 5))\n"
        "for rule in (Mean(), CoordinateMedian(), TrimmedMean(1), MultiKrum(1), CGE(1)):\n"
        "    first = rule.aggregate(x)\n"
        "    assert 'numba' not in sys.modules\n"
        "for _ in range(21):\n"
        "    assert (rule.aggregate(x) == first).all()\n"
        "assert 'numba' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_liars_who_send_the_same_are_no_tie():
    x = drawn(11, 10, np.float32)
    x[-3:] = x[-1]
    for rule in (Krum(3), MultiKrum(3), MoNNA(3), CGE(3)):
        assert at_once_or_not(rule, x) is not None
        agree(rule, x, EXACT)


def test_two_groups_of_equal_messages_are_a_tie():
    x = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    rule = Krum(1, "byzfl")
    assert at_once_or_not(rule, x) is None
    np.testing.assert_array_equal(rule.aggregate(x[::-1]), rule.aggregate(x))


def test_scores_that_rounding_may_have_put_in_order_are_left_to_the_reference():
    """Messages on a circle: all scores are equal but for rounding, which the reference's sums decide."""
    angles = 2 * np.pi * np.arange(8) / 8
    x = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    for rule in (Krum(2), MultiKrum(2), CGE(2), MoNNA(2)):
        assert at_once_or_not(rule, x) is None
        agree(rule, x, EXACT)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_run_does_not_depend_on_its_batch(dtype):
    """Some of which have to be the reference's."""
    x = drawn(7, 5, dtype, (4, 3))
    x[1, 2, 3] = np.nan
    x[2, 0] *= np.finfo(dtype).max / 10
    x[3, 1] = np.round(x[3, 1])
    for rule, _ in rules(7):
        batch = rule.aggregate(x)
        for k in np.ndindex(4, 3):
            np.testing.assert_array_equal(batch[k], rule.aggregate(x[k]), err_msg=f"{rule} {k}")


@pytest.mark.parametrize("shape", [(1001, 5, 3), (5, 2000), (33, 700), (9, 1)])
def test_work_is_shared_by_threads(monkeypatch, shape):
    """Whatever helpers are awake, and however many: one has as many parts to choose from as three."""
    monkeypatch.setattr(helpers, "SHORTEST", 0.01)
    monkeypatch.setattr(helpers, "PART", 0.01)
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    threads.limit(None)
    *runs, n, d = shape
    x = drawn(n, d, np.float64, tuple(runs))
    for rule, _ in rules(n):
        shared = [rule.aggregate(x) for _ in range(5)]
        with monkeypatch.context() as patch:
            patch.setattr(helpers, "SHORTEST", 1e9)
            alone = rule.aggregate(x)
        for found in shared:
            np.testing.assert_array_equal(found, alone)
    monkeypatch.undo()
    threads.limit(None)  # who counts again


def test_parameters_and_centres_of_every_run():
    x, tau = drawn(7, 5, np.float64, (4, 3)), np.linspace(0.0, 3.0, 12).reshape(4, 3)
    centre = drawn(4, 3, np.float64, (5,), seed=1).transpose(1, 2, 0)
    clipping = CenteredClipping((tau, 1.0, tau[:1]), steps=3)
    agree(clipping, x, 3, centre)
    y, after = clipping(x, centre)
    np.testing.assert_array_equal(y, after)
    assert not np.shares_memory(y, after)
    for k in np.ndindex(4, 3):
        alone = CenteredClipping((float(tau[k]), 1.0, float(tau[0, k[1]])), steps=3)
        np.testing.assert_array_equal(y[k], alone.aggregate(x[k], centre[k]))
    agree(RFA(nu=tau + 0.1), x, 3)


def test_how_messages_lie_in_memory_changes_nothing():
    x = drawn(9, 6, np.float32, (3,))
    wide = np.repeat(x, 2, axis=-1)[..., ::2]
    unaligned = np.frombuffer(b"x" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape)
    locked = x.copy()
    locked.flags.writeable = False
    for rule, _ in rules(9):
        for same in (wide, np.asfortranarray(x), unaligned, locked, x.astype(">f4")):
            np.testing.assert_array_equal(rule.aggregate(same), rule.aggregate(x), err_msg=str(rule))


def test_a_tensor_has_the_same_numbers_and_its_derivatives():
    torch = pytest.importorskip("torch")
    x = drawn(9, 6, np.float64)
    for rule, _ in rules(9):
        here = torch.from_numpy(x)
        y = rule.aggregate(here)
        assert isinstance(y, torch.Tensor)
        np.testing.assert_array_equal(y.numpy(), rule.aggregate(x))
        traced = rule.aggregate(here.clone().requires_grad_())
        torch.testing.assert_close(traced.detach(), y)
        assert traced.requires_grad
        mapped = torch.func.vmap(rule.aggregate)(here[None])[0]
        torch.testing.assert_close(mapped, y)


def test_a_subclass_computes_what_it_says():
    class Half(Mean):
        def reduce(self, x):
            return super().reduce(x) / 2

    x = drawn(5, 3, np.float64)
    np.testing.assert_allclose(Half().aggregate(x), x.mean(axis=0) / 2)


def test_what_a_rule_requires_is_asked_first():
    with pytest.raises(ValueError, match="Krum needs n ≥ 2f"):
        Krum(3).aggregate(drawn(5, 3, np.float64))
    with pytest.raises(ValueError, match="tau to broadcast"):
        CenteredClipping(np.ones(4)).aggregate(drawn(5, 3, np.float64, (3,)))


@pytest.mark.parametrize("x", [np.zeros((2, 0)), np.zeros((0, 2, 3)), np.zeros((257, 3)), np.zeros((2, 3), np.float16)])
def test_what_the_kernels_do_not_take(x):
    assert at_once.few(x) is None
    assert Mean().aggregate(x).shape == (*x.shape[:-2], x.shape[-1])
