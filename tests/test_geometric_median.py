"""The geometric median where it is hard to find: near a line, and of messages of many magnitudes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from flint import arb, ctx

from sims import backend
from sims.aggregators import GeometricMedian, geometric_median
from sims.contracts import check_oddness, check_permutation, check_scale, check_translation


@pytest.fixture(autouse=True)
def bits():
    before, ctx.prec = ctx.prec, 1500
    yield
    ctx.prec = before


def rng(seed):
    return np.random.Generator(np.random.Philox(seed))


def summed(x, v):
    """Σ_i ‖x_i − v‖ of floats, in 1,500 bits."""
    total = arb(0)
    for row in x:
        total += sum(((arb(float(a)) - arb(float(b))) ** 2 for a, b in zip(row, v, strict=True)), arb(0)).sqrt()
    return total


def nearly_on_a_line(seed, n, d, away):
    generator = rng(seed)
    places, direction = generator.uniform(0, 1, (n, 1)), generator.standard_normal(d)
    return places * direction + away * generator.standard_normal((n, d))


def in_other_orders(x, count=24):
    """Messages (runs, n, d) in as many orders: (count, runs, n, d)."""
    orders = [rng(k).permutation(x.shape[-2]) for k in range(count)]
    return np.stack([x[:, order] for order in orders])


@pytest.mark.parametrize("away", [0.0, 1e-16, 1e-12, 1e-7, 1e-5, 1e-3])
@pytest.mark.parametrize(("n", "d"), [(4, 2), (4, 3), (6, 3)])
def test_near_a_line_the_order_of_the_workers_makes_no_difference(n, d, away):
    x = np.stack([nearly_on_a_line(seed, n, d, away) for seed in range(12)])
    found = GeometricMedian().aggregate(in_other_orders(x))
    assert np.ptp(found, axis=0).max() <= 1e-10 * np.abs(x).max()


def test_rank_one_messages_in_float32():
    x = np.stack([rng(k).standard_normal((6, 1)) * rng(-k - 1 & 2**32 - 1).standard_normal(5) for k in range(60)])
    found = GeometricMedian().aggregate(in_other_orders(x.astype(np.float32), 8))
    assert np.ptp(found, axis=0).max() <= 1e-6 * np.abs(x).max()


@pytest.mark.parametrize("away", [1e-16, 1e-9, 1e-6])
def test_near_a_line_all_contracts_hold(away):
    for seed in range(2):
        x = nearly_on_a_line(seed, 6, 3, away)[None]
        for check in (check_permutation, check_oddness, check_translation, check_scale):
            check(GeometricMedian(), x)


def test_without_the_order_of_values_it_would_make_a_difference(monkeypatch):
    monkeypatch.setattr(geometric_median, "in_line", lambda weights, *_: weights[..., 0] < 0)
    with pytest.raises(AssertionError):
        test_near_a_line_the_order_of_the_workers_makes_no_difference(4, 2, 1e-7)


def minimisers(seeds):
    """Which share of outputs has a summed distance that no other of some points undercuts by more than rounding.

    The others are found from the messages on, by ever smaller steps downhill.
    """
    right = []
    for seed in seeds:
        generator = rng(seed)
        n, d, reach = int(generator.integers(3, 9)), int(generator.integers(2, 4)), float(generator.choice([5, 20, 35]))
        x = generator.standard_normal((n, d)) * 10.0 ** generator.uniform(-reach, reach, (n, d))
        x = x.astype(np.float32).astype(np.float64)
        y = GeometricMedian().aggregate(x)
        sizes = np.linalg.norm(x - y, axis=-1)
        candidates = [*x, y]
        for _ in range(12):
            best = candidates[int(np.argmin([np.sum(np.linalg.norm(x - v, axis=-1)) for v in candidates]))]
            lengths = generator.choice(sizes, (20, 1)) * 10.0 ** -generator.uniform(0, 3, (20, 1))
            candidates = [best, *(best + generator.standard_normal((20, d)) * lengths)]
        right.append(summed(x, best) >= summed(x, y) * (1 - n * arb(2.0**-52)))
    return np.mean(right)


def test_messages_of_many_magnitudes_have_a_minimiser():
    assert minimisers(range(300)) == 1


def test_steps_of_the_usual_lengths_would_not_find_it(monkeypatch):
    monkeypatch.setattr(geometric_median, "searched", lambda rows, weights, v, *_: v)
    assert minimisers(range(300)) < 1


def test_two_that_lie_close_together_seen_from_far_away():
    """Relative to the median of each coordinate, which is far from both, they are not told apart."""
    x = np.array([[-1e34, 2e19], [-5e-36, 1e-27], [-1.5e-13, -6e-23], [-8e-32, 5e27], [-5e28, 1.4e18]])
    y = GeometricMedian().aggregate(x)
    assert 1e26 < -y[0] < 1e28
    assert 1e26 < y[1] < 1e28


CLOSE = [
    [[0.0], [1.0], [1e3], [1e3], [-1e3]],
    [[0.0, 0.0], [1.0, 1.0], [1e3, 1e3], [1e3, -1e3], [-1e3, 300.0], [-1e3, -400.0]],
    [[3.0, 0.0, 1.0], [3.0, 1.0, 1.0], [1e3, 1e3, 0.0], [1e3, -1e3, 0.0], [-1e3, 300.0, 1e3], [-1e3, -400.0, -1e3]],
]


def close_together(make, x, dtype, exponent):
    """Messages of which two lie 2^exponent from each other and the others about 2^0, and their median in any order."""
    x = np.array(x)
    near = np.abs(x).max(axis=1) < 10
    x[near] = np.ldexp(x[near], exponent)
    x[~near] = x[~near] * 2.0**-10
    x = x.astype(dtype)
    orders = [rng(k).permutation(len(x)) for k in range(24)]
    return x, backend.to_numpy(GeometricMedian().aggregate(make(x[np.stack(orders)])))


@pytest.mark.parametrize("x", CLOSE, ids=["a line", "a plane", "space"])
def test_two_whose_distance_has_no_inverse(make_array, x):
    """1/5e-309 overflows, and in float32 1/2e-39: those two are told apart from all others, as from farther away."""
    for dtype, exponents in (("float64", (-1074, -1072, -1030, -1025, -1021, -960)), ("float32", (-149, -130, -100))):
        for exponent in exponents:
            messages, found = close_together(lambda x, dtype=dtype: make_array(x, dtype), x, dtype, exponent)
            assert np.all(found == messages[1 if len(x) == 5 else 0]), (dtype, exponent)


def test_the_same_where_there_is_no_float64():
    strict = pytest.importorskip("array_api_strict")

    def make(x):
        return strict.asarray(x.tolist(), dtype=strict.float32, device=strict.Device("no_float64"))

    for x, exponent in itertools.product(CLOSE, (-149, -145, -130, -127, -125, -110, -100, -90)):
        messages, found = close_together(make, x, "float32", exponent)
        assert np.all(found == messages[1 if len(x) == 5 else 0]), (x, exponent)


@pytest.mark.parametrize("held", [1, 100])
def test_however_many_messages_are_tried_at_a_time(monkeypatch, held):
    x = rng(7).standard_normal((3, 7, 5))
    x[1, 4] = x[1, 2]
    x[2, :4] = x[2, 0]  # which is the median
    found = GeometricMedian().aggregate(x)
    np.testing.assert_array_equal(found[2], x[2, 0])
    monkeypatch.setattr(backend, "BLOCK", held)
    np.testing.assert_array_equal(GeometricMedian().aggregate(x), found)
