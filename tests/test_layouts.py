"""Tensors whose rows are not side by side in memory: equal sums are equal there, and rules choose what they choose."""

from __future__ import annotations

import numpy as np
import pytest

from sims import backend, columns, kernels
from sims.aggregators import MDA, Bucketing, Phocas
from sims.backend import row_norms, sq_distances, sum_across, to_numpy
from sims.by_name import examples

torch = pytest.importorskip("torch")


def every_second(x):
    wide = torch.full((*x.shape[:-1], 2 * x.shape[-1] + 1), float("nan"), dtype=x.dtype)
    wide[..., 1::2] = x
    return wide[..., 1::2]


LAYOUTS = {  # messages (..., n, d) → the same numbers, elsewhere in memory
    "columns": lambda x: x.mT.contiguous().mT,
    "every second column": every_second,
    "workers before runs": lambda x: x.movedim(0, -2).contiguous().movedim(-2, 0),
    "runs last": lambda x: x.movedim(0, -1).contiguous().movedim(-1, 0),
    "one run": lambda x: x[:1].expand(x.shape),
}


def drawn(n, d, dtype=torch.float64, runs=2):
    """Messages in general position, where those around one of two that are closest share a score."""
    generator = torch.Generator().manual_seed(n * 1000 + d)
    return torch.randn((runs, n, d), generator=generator, dtype=dtype)


def mirrored(n, d, dtype=torch.float64, runs=2):
    """One at the origin, the others in pairs ±v: each pair has the same length, and the same distances to the rest."""
    half = drawn(n // 2, d, dtype, runs)
    return torch.cat([torch.zeros((runs, n % 2, d), dtype=dtype), half, -half], dim=-2)


def differing():
    """Which of these sums are not the same for two rows or two orders of a pair, by layout, n and d."""
    found = []
    for name, place in LAYOUTS.items():
        for n, d in ((3, 5), (5, 8), (7, 16), (11, 33), (12, 4)):
            x = place(drawn(n, d))
            squares, same = sq_distances(x), place(drawn(n, d)[:, :1].expand(2, n, d).contiguous())
            sums, norms = sum_across(same), row_norms(same)
            alike = torch.equal(sums, sums[:, :1].expand(2, n)) and torch.equal(norms, norms[:, :1].expand(2, n))
            if not (torch.equal(squares, squares.mT) and alike):
                found.append((name, n, d))
    return found


def test_distances_are_symmetric_and_equal_rows_have_equal_sums(monkeypatch):
    assert differing() == []
    monkeypatch.setattr(backend, "in_rows", lambda x: x)
    assert ("columns", 5, 8) in differing()  # as torch adds them up


def test_rows_that_overlap_in_memory(monkeypatch):
    x = drawn(1, 37)[0, 0].unfold(0, 33, 1)
    assert torch.equal(sq_distances(x), sq_distances(x).T)
    monkeypatch.setattr(backend, "in_rows", lambda x: x)
    assert not torch.equal(sq_distances(x), sq_distances(x).T)


@pytest.mark.parametrize("block", [2**18, 3 * 2 * 9 * 33])
def test_numpy_s_are_symmetric_anyway(monkeypatch, block):
    """Also with some rows at a time, the last ones fewer than the others."""
    monkeypatch.setattr(backend, "BLOCK", block)
    for place in LAYOUTS.values():
        for n, d in ((5, 8), (8, 16), (9, 33)):
            squares = sq_distances(place(drawn(n, d)).numpy())
            np.testing.assert_array_equal(squares, np.swapaxes(squares, -1, -2))
            squares = sq_distances(place(drawn(n, d)))
            assert torch.equal(squares, squares.mT)


def test_what_is_side_by_side_is_not_copied():
    x = drawn(5, 8)
    assert backend.in_rows(x) is x
    rows = x.numpy()
    assert backend.in_rows(rows) is rows
    assert backend.in_rows(rows[:, 1:4, 2:]).base is rows


def followed(x):
    """The same tensor, from where torch has to compute all by itself, for it writes down what it does."""
    return x.detach().requires_grad_()


def apart(rule, x, kind=followed):
    """In which layouts the rule gives something else than for the same messages side by side."""
    tol = 1e-5 if x.dtype == torch.float32 else 1e-12
    found = []
    for name, place in LAYOUTS.items():
        there = place(x)
        given, expected = (to_numpy(rule.aggregate(kind(y))) for y in (there, there.contiguous()))
        if not np.allclose(given, expected, rtol=0, atol=tol):
            found.append(name)
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", examples(11, 2).values(), ids=repr)
def test_every_rule_chooses_the_same(rule, dtype):
    for make in (drawn, mirrored):
        for d, runs, kind in ((5, 1, followed), (16, 2, followed), (16, 1, torch.detach), (33, 2, torch.Tensor.numpy)):
            assert apart(rule, make(11, d, getattr(torch, dtype), runs), kind) == [], (make.__name__, d, runs)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")  # torch's own, of vmap
@pytest.mark.parametrize("rule", examples(11, 2).values(), ids=repr)
def test_whoever_chooses_chooses_the_same(rule):
    """NumPy where no derivatives are asked for, torch where they are, and torch within `torch.func`."""
    for x in (drawn(11, 5, runs=3), mirrored(11, 16, runs=3)):
        if (
            isinstance(rule, MDA) and not x[0, 0].any()
        ):  # as tight is the mirrored subset: the last digit of sums decides
            continue
        expected = rule.aggregate(x)
        torch.testing.assert_close(rule.aggregate(followed(x)).detach(), expected, rtol=0, atol=1e-12)
        if isinstance(rule, Bucketing):  # which asks for a stream
            continue
        torch.testing.assert_close(torch.func.vmap(rule.aggregate)(x), expected, rtol=0, atol=1e-9)


def test_around_a_mean_that_is_rounded_it_chooses_the_same(monkeypatch):
    """Of two values on both sides of 0 the trimmed mean's last digit decides, in NumPy too where many are added up."""
    messages = mirrored(23, 8)
    for kind in (torch.detach, torch.Tensor.numpy):
        assert apart(Phocas(3), messages, kind) == []
    monkeypatch.setattr(columns, "in_rows", lambda x: x)
    with kernels.reference():
        for kind in (torch.detach, torch.Tensor.numpy):
            assert apart(Phocas(3), messages, kind)


def test_that_would_be_noticed(monkeypatch):
    monkeypatch.setattr(backend, "in_rows", lambda x: x)
    rules = examples(11, 2)
    for name, make, d in (("Bulyan", mirrored, 16), ("MDA", mirrored, 5)):
        found = [
            apart(rules[name], make(11, d, kind, runs)) for kind in (torch.float32, torch.float64) for runs in (1, 2)
        ]
        assert any(found), name
