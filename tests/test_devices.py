"""Arrays not on the default device, or on one without float64, and tensors that are not what lies in memory."""

from __future__ import annotations

import itertools

import array_api_strict as strict
import numpy as np
import pytest
from kept import keeps_all

from conftest import usable
from sims.aggregators import FunctionRule, GeometricMedian
from sims.backend import to_numpy, widest
from sims.by_name import examples

RULES = examples(9, 2)
DEVICES = ("CPU_DEVICE", "device1", "no_float64")


def on(device, values, dtype="float64"):
    kind = getattr(strict, "float32" if device == "no_float64" else dtype)
    return strict.asarray(np.asarray(values).tolist(), dtype=kind, device=strict.Device(device))


@pytest.mark.parametrize("device", DEVICES[1:])
@pytest.mark.parametrize("rule", RULES.values(), ids=repr)
def test_every_rule_keeps_its_contracts_on_every_device(rule, device):
    keeps_all(rule, on(device, np.random.Generator(np.random.Philox(0)).standard_normal((2, 9, 3))))


@pytest.mark.parametrize("rule", RULES.values(), ids=repr)
def test_a_device_without_float64_is_as_right_as_float32(rule):
    x = np.random.Generator(np.random.Philox(0)).standard_normal((2, 9, 3)).astype(np.float32)
    found = to_numpy(rule.aggregate(on("no_float64", x)))
    np.testing.assert_allclose(found, rule.aggregate(x), rtol=0, atol=2e-5)


def test_messages_on_lines_and_in_corners_have_a_geometric_median_without_float64():
    """Where Newton's system is singular but for a ridge, which in float32 is one only if it is wider; also in a batch
    in which some runs are done long before.
    """
    few = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=4)))
    lines = np.stack([few, np.zeros_like(few)], axis=-1)
    corner = np.array([[0, 0], [3, 0.1], [0.2, 3], [2, 2.5]])
    planes = np.stack([few, few[:, ::-1] * 2], axis=-1)
    x = np.concatenate([lines, corner[None], planes, corner[None] * 1e-3]).astype(np.float32)
    found = to_numpy(GeometricMedian().aggregate(on("no_float64", x)))
    best = GeometricMedian().aggregate(x)
    summed, least = (np.linalg.norm(x.astype(np.float64) - v[:, None], axis=-1).sum(axis=-1) for v in (found, best))
    assert np.all(summed <= least * (1 + 4 * 2.0**-23))


@pytest.mark.parametrize("scale", [1e-44, 1e-38, 1e-20, 1e20, 3e38])
@pytest.mark.parametrize("name", ["CenteredClipping", "RFA", "GeometricMedian", "Clipping", "ARC"])
def test_a_device_without_float64_has_the_whole_range_of_float32(name, scale):
    """Rules around a centre: what float64 gives on the same numbers, to rounding."""
    drawn = np.clip(np.random.Generator(np.random.Philox(1)).standard_normal((9, 3)), -1, 1) * scale
    x, rule = drawn.astype(np.float32), RULES[name]
    found, expected = to_numpy(rule.aggregate(on("no_float64", x))), rule.aggregate(x)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * float(np.max(np.abs(x))) + 12 * 1.5e-45)


@pytest.mark.parametrize("device", DEVICES)
def test_what_is_made_is_where_the_messages_are(device):
    where = strict.Device(device)
    first = FunctionRule(lambda x: x[0, ...])
    for shape in ((0, 5, 2), (3, 5, 2), (5, 0), (2, 0, 5, 2)):
        x = strict.zeros(shape, dtype=strict.float32, device=where)
        assert first.aggregate(x).device == where
        for rule in examples(5, 1).values():
            assert rule.aggregate(x).device == where


def test_the_widest_dtype_is_that_of_the_device():
    assert widest(on("device1", [0.0])) == strict.float64
    assert widest(on("no_float64", [0.0])) == strict.float32
    assert widest(np.zeros(1, np.float16)) == np.float64


@pytest.mark.skipif(not usable("torch"), reason="torch is not available here")
@pytest.mark.parametrize("d", [3, 20_001])
def test_a_pending_sign_is_taken_into_account(d):
    """The imaginary part of a conjugate is a view of memory that has the other sign."""
    import torch

    drawn = np.random.Generator(np.random.Philox(2)).standard_normal((2, 9, d))
    turned = torch.complex(torch.from_numpy(drawn[1]), torch.from_numpy(-drawn[0])).conj().imag
    assert turned.is_neg()
    np.testing.assert_array_equal(to_numpy(turned), drawn[0])
    centre = torch.complex(torch.from_numpy(drawn[1]), torch.from_numpy(-drawn[1])).conj().imag[0]
    assert centre.is_neg()
    for rule in RULES.values():
        state = rule.init(turned)
        plain = torch.from_numpy(drawn[0])
        if isinstance(state, torch.Tensor):
            found, expected = rule.aggregate(turned, centre), rule.aggregate(plain, torch.from_numpy(drawn[1, 0]))
            again = rule.aggregate(plain, centre)
            torch.testing.assert_close(again, expected, rtol=0, atol=1e-12)
        else:
            found, expected = rule.aggregate(turned), rule.aggregate(plain)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("rule", RULES.values(), ids=repr)
@pytest.mark.parametrize("kind", [">f8", ">f4", "read only"])
def test_foreign_byte_order_and_read_only_memory(rule, kind):
    x = np.random.Generator(np.random.Philox(3)).standard_normal((2, 9, 3))
    plain = x.astype(np.float32) if kind == ">f4" else x
    given = plain.copy() if kind == "read only" else plain.astype(kind)
    given.flags.writeable = False
    found, expected = rule.aggregate(given), rule.aggregate(plain)
    assert found.dtype == given.dtype
    np.testing.assert_array_equal(found, expected)
