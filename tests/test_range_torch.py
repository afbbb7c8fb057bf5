"""The whole range of float16 and bfloat16 on torch's tensors, and derivatives where a result overflowed on the way."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from test_range import AVERAGES, KINDS, at_any_scale, nearly_tied, rng, rules, the_largest, the_smallest

from sims.aggregators import (
    Bucketing,
    Bulyan,
    CoordinateMedian,
    Krum,
    Mean,
    MultiKrum,
    NearestNeighbourMixing,
    TrimmedMean,
)
from sims.checks.exact_rules import exact_aggregate

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_numbers_of_sixteen_bits(kind, dtype):
    """bfloat16 has the range of float32: numbers that overflow in it are the largest of it."""
    found = torch.finfo(getattr(torch, dtype))
    smallest = Fraction(found.smallest_normal) * Fraction(found.eps)
    tried = 0
    for seed in range(15):
        r = rng(seed, 2)
        x = torch.tensor(kind(r, (8, 2), "float16" if dtype == "float16" else "float32").tolist(), dtype=torch.float64)
        x = x.clip(-found.max, found.max).to(getattr(torch, dtype))
        rows = [[Fraction(value) for value in row] for row in x.to(torch.float64).tolist()]
        tied = nearly_tied(rows)
        for rule in rules(r, 8, 2):
            if tied and not isinstance(rule, AVERAGES):
                continue
            tried += not isinstance(rule, AVERAGES)
            y = rule.aggregate(x)
            assert y.dtype == x.dtype
            for j, right in enumerate(exact_aggregate(rule, rows)):
                allowed = 4 * Fraction(found.eps) * max(abs(row[j]) for row in rows) + smallest
                assert abs(Fraction(y[j].item()) - right) <= allowed, (rule, x, y)
    assert tried or kind not in (at_any_scale, the_largest, the_smallest)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_a_hundred_thousand_messages(dtype):
    x = torch.from_numpy(rng(3).uniform(250, 320, (100_000, 2))).to(getattr(torch, dtype))
    right = x.to(torch.float64).mean(dim=0)
    for rule in (Mean(), TrimmedMean(0)):
        assert torch.max(torch.abs(rule.aggregate(x).to(torch.float64) / right - 1)) <= torch.finfo(x.dtype).eps


@pytest.mark.parametrize(
    "rule", [Mean(), CoordinateMedian(), TrimmedMean(1), Krum(1), MultiKrum(1), Bulyan(1)], ids=repr
)
def test_derivatives_of_the_largest_messages(rule):
    """Those of the same messages where nothing overflows."""
    x = torch.from_numpy(np.clip(rng(5).standard_normal((8, 3)), -1, 1))
    derivatives = []
    for scale in (1.0, torch.finfo(torch.float64).max):
        messages = (x * scale).requires_grad_()
        rule.aggregate(messages).sum().backward()
        derivatives.append(messages.grad)
    torch.testing.assert_close(derivatives[1], derivatives[0], rtol=1e-12, atol=0)


@pytest.mark.parametrize("rule", [Mean(), TrimmedMean(1), Bucketing(TrimmedMean(1), 2)], ids=repr)
def test_derivatives_of_means_that_are_held_to_their_messages(rule):
    """Equal messages share alike also where their sum overflows, and one that is not a number touches no other."""
    for value in (1.0, torch.finfo(torch.float64).max):
        x = torch.full((8, 3), value, dtype=torch.float64).requires_grad_()
        rule.aggregate(x).sum().backward()
        torch.testing.assert_close(x.grad.sum(dim=0), torch.ones(3, dtype=torch.float64), rtol=1e-12, atol=0)
        if rule.breakdown(8):
            spoiled = x.detach().clone()
            spoiled[2, 1] = float("nan")
            spoiled.requires_grad_()
            rule.aggregate(spoiled).sum().backward()
            assert torch.isfinite(spoiled.grad).all()


MAPPED = [Mean(), CoordinateMedian(), TrimmedMean(1), Krum(1), MultiKrum(1)]
MAPPED += [Bulyan(1), *(NearestNeighbourMixing(rule, 2) for rule in (Mean(), CoordinateMedian()))]


@pytest.mark.parametrize("rule", MAPPED, ids=repr)
def test_rules_within_a_vectorised_map(rule):
    """Where values cannot be asked for; sums that overflow are right there, too."""
    x = torch.from_numpy(rng(6).standard_normal((5, 8, 3)))
    spoiled = x.clone()
    spoiled[1, 0], spoiled[2, 1, 2], spoiled[3, 0] = float("inf"), float("nan"), 1e100
    for messages in (x, spoiled) if rule.breakdown(8) else (x,):
        found, expected = torch.func.vmap(rule.aggregate)(messages), rule.aggregate(messages)
        torch.testing.assert_close(found, expected, rtol=1e-14, atol=1e-15)
    if isinstance(rule, Mean | CoordinateMedian | TrimmedMean):
        large = torch.clip(x, -1, 1) * torch.finfo(x.dtype).max
        found = torch.func.vmap(rule.aggregate)(large)
        torch.testing.assert_close(found, rule.aggregate(large), rtol=1e-14, atol=0)
