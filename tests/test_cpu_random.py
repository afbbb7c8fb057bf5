"""The compiled normals against NumPy's own: not a bit may differ, nor the place where a stream stands."""

from __future__ import annotations

import numpy as np
import pytest

from sims.engine import Streams, on_cpu, simulate
from sims.kernels.cpu import random
from sims.kernels.cpu.random import LANES, WORDS, Normals

KEYS = np.array([Streams(0, "sample").key(run) for run in (0, 1, 2, 3, 2**40, 2**63, 2**64 - 1, 7)])


def expected(keys, numbers):
    """(numbers, streams), by NumPy."""
    return np.stack([np.random.Generator(np.random.Philox(key=key)).standard_normal(numbers) for key in keys], axis=-1)


def drawn(keys, *shapes, by_us=True):
    """What is drawn in pieces of the given shapes (steps, numbers), one after the other: (numbers, streams)."""
    made, found = Normals(keys, by_us=by_us), []
    for shape in shapes:
        out = np.full((*shape, LANES), np.nan)
        made.fill(out)
        assert np.all(np.isnan(out[..., len(keys) :]))  # nobody else's place is touched
        found.append(out[..., : len(keys)].reshape(-1, len(keys)))
    return np.concatenate(found)


def test_three_million_normals_are_numpy_s():
    """Of which some 30,000 took more than one word, and 800 lie in the tail beyond 3.65."""
    want = expected(KEYS, 400_000)
    assert np.sum(np.abs(want) > random.EDGE) > 500
    np.testing.assert_array_equal(drawn(KEYS, (400, 1000)), want)


@pytest.mark.parametrize("streams", [1, 3, 8])
def test_any_pieces_continue_the_streams(streams):
    shapes = [(1, 1), (3, 5), (1, WORDS - 1), (1, WORDS), (2, WORDS + 1), (1, 0), (0, 4), (1, 1000)]
    total = sum(steps * numbers for steps, numbers in shapes)
    for how in (True, False):
        found = drawn(KEYS[:streams], *shapes, by_us=how)
        np.testing.assert_array_equal(found, expected(KEYS[:streams], total))


def test_this_numpy_agrees():
    assert random.agrees()


@pytest.fixture
def afresh():
    random.agrees.cache_clear()
    yield
    random.agrees.cache_clear()


@pytest.mark.parametrize("change", ["table", "order", "no tables"])
def test_where_numpy_draws_otherwise_it_is_asked_itself(change, afresh, monkeypatch):
    """A single width that is off by one rounding, or streams in another order, are noticed; results stay the same."""
    from sims.aggregators import Mean
    from sims.optimizers import SGD, RobustSGD
    from sims.problems import Quadratic

    monkeypatch.setattr(on_cpu, "SMALLEST", 0)
    size = {"n": 3, "f": 0, "steps": 20, "runs": 11, "seed": 5}
    problem, algorithm = Quadratic((1.0, 2.0), sigma_sq=1.0), RobustSGD(Mean(), SGD(0.1))
    want = simulate(problem, algorithm, **size)
    original = random._draw
    if change == "table":
        widths = random.WIDTHS.copy()
        widths[77] = np.nextafter(widths[77], 1.0)
        monkeypatch.setattr(random, "WIDTHS", widths)
    elif change == "no tables":
        monkeypatch.setattr(random, "tables", None)
    else:
        monkeypatch.setattr(random, "_draw", lambda out, *rest: original(out[..., ::-1], *rest))
    random.agrees.cache_clear()
    assert not random.agrees()
    np.testing.assert_array_equal(simulate(problem, algorithm, **size).x, want.x)
