"""The whole range of the number type: what rules make of finite messages of any magnitude, held to exact arithmetic.

Of messages that are equally good but for less than rounding a rule may choose any: Krum's is held to the exact scores,
and sets in which exact distances nearly tie are left out for the other rules that choose.
"""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from sims import backend, columns
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
from sims.aggregators.scaled_distances import squares_between
from sims.checks.exact_rules import as_fmpq, exact_aggregate, krum_scores, neighbour_count

AVERAGES = (Mean, CoordinateMedian, TrimmedMean, Bucketing)
DTYPES = ("float64", "float32", "float16")


def rng(*seed):
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))


def limits(dtype):
    """The largest number, the smallest, and the exponents of 2 between which normal numbers with all digits lie."""
    found = np.finfo(dtype)
    return float(found.max), float(found.smallest_subnormal), int(found.minexp) + 4, int(found.maxexp) - 4


def at_any_scale(r, shape, dtype):
    _, _, low, high = limits(dtype)
    return np.ldexp(r.standard_normal(shape), int(r.integers(low, high)))


def rows_at_any_scale(r, shape, dtype):
    _, _, low, high = limits(dtype)
    return np.ldexp(r.standard_normal(shape), r.integers(low, high, (shape[0], 1)))


def numbers_at_any_scale(r, shape, dtype):
    _, _, low, high = limits(dtype)
    return np.ldexp(r.standard_normal(shape), r.integers(low, high, shape))


def the_largest(r, shape, dtype):
    """Differences, sums of two and every square overflow."""
    return np.clip(r.standard_normal(shape), -1, 1) * limits(dtype)[0]


def the_smallest(r, shape, dtype):
    """A few times the smallest denormal, so that halves are no numbers and every square vanishes."""
    return np.round(3 * r.standard_normal(shape)) * limits(dtype)[1]


def attacked(r, shape, dtype):
    """Some rows of the largest numbers beside rows of small ones."""
    largest, _, low, _ = limits(dtype)
    x = np.ldexp(r.standard_normal(shape), low + 5)
    return np.where(r.random((shape[0], 1)) < 0.3, largest * np.sign(x), x)


def the_largest_and_the_smallest(r, shape, dtype):
    largest, smallest, *_ = limits(dtype)
    z = r.standard_normal(shape)
    return np.where(r.random(shape) < 0.5, largest * np.sign(z), np.round(3 * z) * smallest)


KINDS = (
    at_any_scale,
    rows_at_any_scale,
    numbers_at_any_scale,
    the_largest,
    the_smallest,
    attacked,
    the_largest_and_the_smallest,
)


def rules(r, n, d):
    f = int(r.integers((n - 1) // 2))
    found = [Mean(), CoordinateMedian(), TrimmedMean(f), Bucketing(CoordinateMedian(), 2), Bucketing(Mean(), 3)]
    found += [Krum(f), Krum(f, "released"), Krum(f, "byzfl"), MultiKrum(f), MultiKrum(f, m=1 + int(r.integers(n - f)))]
    found += [
        MultiKrum(f, variant="released"),
        *(NearestNeighbourMixing(rule, f) for rule in (Mean(), CoordinateMedian())),
    ]
    return [*found, *(Bulyan(f) for f in range((n - 3) // 4 + 1))]


def exact(x):
    return [[Fraction(float(value)) for value in row] for row in x]


def nearly_tied(rows):
    """Whether two distances, or two sums of the nearest, or of their squares, are equal but for less than rounding."""

    def near(values):
        return any(a < b < a + a * Fraction(1, 10**6) for a, b in itertools.pairwise(sorted(values)))

    squares = [sorted(sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) for q in rows) for p in rows]
    sums = ([sum(own[1 : k + 1]) for own in squares] for k in range(1, len(rows)))
    powers = ([sum(s * s for s in own[1 : k + 1]) for own in squares] for k in range(1, len(rows)))
    return near(itertools.chain(*squares)) or any(map(near, sums)) or any(map(near, powers))


def best(rule, rows, digits):
    """The rows whose exact score is the least, within `digits`."""
    flint = [tuple(map(as_fmpq, row)) for row in rows]
    scores = [Fraction(int(s.p), int(s.q)) for s in krum_scores(flint, neighbour_count(rule, len(rows)), rule.variant)]
    return [row for row, score in zip(rows, scores, strict=True) if score <= min(scores) * (1 + digits)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_finite_messages_have_the_aggregate_of_exact_arithmetic(kind, dtype):
    """Within (n + 4) units of the largest magnitude in the coordinate, and one of the smallest numbers."""
    unit, smallest = Fraction(float(np.finfo(dtype).eps)), Fraction(limits(dtype)[1])
    chosen = 0
    for seed in range(25):
        r = rng(seed, KINDS.index(kind), DTYPES.index(dtype))
        n, d = int(r.integers(3, 12)), int(r.integers(1, 4))
        x = kind(r, (n, d), dtype).astype(dtype)
        assert np.isfinite(x).all()
        rows = exact(x)
        tied = nearly_tied(rows)
        for rule in rules(r, n, d):
            y = rule.aggregate(x)
            assert y.dtype == x.dtype
            assert np.isfinite(y).all(), (rule, x)
            if isinstance(rule, Krum):
                assert exact(y[None])[0] in best(rule, rows, Fraction(n + d, 2**50)), (rule, x, y)
                continue
            if tied and not isinstance(rule, AVERAGES):
                continue
            chosen += not isinstance(rule, AVERAGES)
            for j, right in enumerate(exact_aggregate(rule, rows)):
                allowed = (n + 4) * unit * max(abs(row[j]) for row in rows) + smallest
                assert abs(Fraction(float(y[j])) - right) <= allowed, (rule, x, y)
    # beside rows of other magnitudes, or the largest numbers, distances tie in all digits that there are
    assert chosen > 25 or kind not in (at_any_scale, the_largest)


@pytest.mark.parametrize(("dtype", "powers"), [("float64", range(-960, 1000, 98)), ("float32", range(-90, 110, 20))])
def test_no_threshold_is_hidden(dtype, powers):
    """A power of 2 changes no digit as long as none is lost: not a bit of any output but its exponent."""
    for seed in range(4):
        r = rng(seed)
        x = r.standard_normal((11, 3)).astype(dtype)
        x[:2] = x[2:4]  # and ties
        for rule in rules(r, 11, 3):
            y = rule.aggregate(x)
            for power in powers:
                assert np.array_equal(rule.aggregate(np.ldexp(x, power)), np.ldexp(y, power)), (rule, power)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", ["largest", "between", "finite and infinite"])
def test_an_attacker_s_magnitude_costs_the_others_no_digit(dtype, size):
    """Where what is far away is left out it does not matter how far: to the bit."""
    largest = limits(dtype)[0]
    for seed in range(10):
        r = rng(seed)
        x = r.standard_normal((11, 3)).astype(dtype)
        near, far = x.copy(), x.copy()
        near[:2] = [[100.0], [-150.0]]
        far[:2] = {
            "largest": [[largest], [-largest]],
            "between": [[largest**0.6], [-(largest**0.9)]],
            "finite and infinite": [[largest], [-np.inf]],
        }[size]
        for rule in (CoordinateMedian(), TrimmedMean(2), Krum(2), Krum(2, "released"), MultiKrum(2), Bulyan(2)):
            np.testing.assert_array_equal(rule.aggregate(far), rule.aggregate(near), err_msg=repr(rule))
        for rule in (NearestNeighbourMixing(CoordinateMedian(), 2), NearestNeighbourMixing(TrimmedMean(2), 2)):
            spread = float(np.ptp(x[2:].astype(np.float64)))
            assert np.max(np.abs(rule.aggregate(far))) <= 2 * np.max(np.abs(x)) + spread, rule


def test_a_run_at_the_edge_changes_nothing_in_its_neighbours():
    for seed in range(5):
        r = rng(seed)
        runs = [kind(r, (11, 3), "float64") for kind in KINDS] + [r.standard_normal((11, 3)), np.ones((11, 3))]
        runs[-2][3], runs[-2][4, 1] = np.nan, -np.inf
        for rule in rules(r, 11, 3):
            together = rule.aggregate(np.stack(runs).reshape(3, 3, 11, 3)).reshape(9, 3)
            for run, found in zip(runs, together, strict=True):
                np.testing.assert_array_equal(rule.aggregate(run), found, err_msg=repr(rule))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_library_has_the_whole_range(make_array, dtype):
    for kind, seed in itertools.product(KINDS, range(3)):
        r = rng(seed, 1)
        x = kind(r, (11, 2), dtype).astype(dtype)
        if nearly_tied(exact(x)):
            continue
        for rule in rules(r, 11, 2):
            expected = rule.aggregate(x)
            found = backend.to_numpy(rule.aggregate(make_array(x, dtype)))
            scale = np.max(np.abs(x.astype(np.longdouble)), axis=0) * 15 * np.finfo(dtype).eps
            apart = np.abs(found.astype(np.longdouble) - expected)
            assert (apart <= scale + limits(dtype)[1]).all(), (rule, x)


@pytest.mark.parametrize(("dtype", "error"), [("float64", 1e-12), ("float32", 2e-7), (">f4", 2e-7), ("float16", 1e-3)])
@pytest.mark.parametrize("rule", [Mean(), TrimmedMean(0), TrimmedMean(1000)], ids=repr)
def test_a_million_messages_are_averaged_to_the_stated_error(rule, dtype, error):
    x = rng(7).uniform(250, 320, (10**6, 2)).astype(dtype)
    kept = np.sort(x, axis=0)[rule.f : 10**6 - rule.f] if isinstance(rule, TrimmedMean) else x
    right = np.mean(kept.astype(np.longdouble), axis=0)
    assert np.max(np.abs(rule.aggregate(x) / right - 1)) <= error
    if error == 2e-7:  # what the addition of such numbers one after the other comes to
        assert np.max(np.abs(np.add.accumulate(kept, axis=0)[-1] / len(kept) / right - 1)) > 10 * error


def test_bulyan_s_promise_about_ties():
    """Duplicates in any order give the same bits, moved or scaled by what changes no digit."""
    for seed in range(60):
        r = rng(seed)
        n = int(r.integers(7, 12))
        few = r.standard_normal((int(r.integers(2, 5)), int(r.integers(1, 3))))
        x = few[r.integers(len(few), size=n)]
        rule = Bulyan(1)
        y = rule.aggregate(x)
        for _ in range(3):
            np.testing.assert_array_equal(rule.aggregate(x[r.permutation(n)]), y)
        for power in (-1000, -500, 520, 1000):
            small = np.ldexp(np.round(np.ldexp(x, 12)), -12)  # so that denormals have all its digits
            np.testing.assert_array_equal(
                rule.aggregate(np.ldexp(small, power)), np.ldexp(rule.aggregate(small), power), err_msg=repr(small)
            )


def test_farther_is_decided_where_both_differences_overflow():
    largest = np.finfo(np.float64).max
    for seed in range(300):
        r = rng(seed)
        low, high = -largest * r.uniform(0.6, 1, 2), largest * r.uniform(0.6, 1, 2)
        a, w = sorted(high)
        v, b = sorted(low)
        if seed % 3 == 0:
            w, b = a, v  # a tie
        if seed % 3 == 1:
            w, b = np.nextafter(a, np.inf), v  # the last digit decides
        expected = Fraction(a) - Fraction(v) > Fraction(w) - Fraction(b)
        with np.errstate(over="ignore", invalid="ignore"):
            assert bool(backend.farther(np.array(a), np.array(v), np.array(w), np.array(b))) == expected


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_distances_with_an_exponent_are_right_to_rounding(kind):
    for seed in range(10):
        r = rng(seed)
        x = kind(r, (5, int(r.integers(4))), "float64")
        with np.errstate(over="ignore", invalid="ignore"):
            found = squares_between(x)
        for i, j in itertools.product(range(5), range(5)):
            right = sum((Fraction(a) - Fraction(b)) ** 2 for a, b in zip(x[i].tolist(), x[j].tolist(), strict=True))
            if right == 0:
                assert found.fraction[i, j] == 0
                continue
            got = Fraction(float(found.fraction[i, j])) * Fraction(2) ** int(found.exponent[i, j])
            assert 0.5 <= found.fraction[i, j] < 1
            assert abs(got / right - 1) < Fraction(1, 10**15)


def test_the_middle_of_any_two_numbers():
    """Of the smallest the nearest number, of the largest no overflow; and the controls, which have one or the other."""
    largest, smallest = limits("float64")[:2]
    values = np.array([0.0, smallest, 3 * smallest, 1.0, largest / 2, np.nextafter(largest, 0), largest])
    values = np.concatenate([-values[::-1], values])
    low, high = np.meshgrid(values, values)
    low, high = np.minimum(low, high), np.maximum(low, high)
    with np.errstate(over="ignore", invalid="ignore"):
        for wrong in ((low + high) / 2, low + (high - low) / 2):
            assert not np.isfinite(wrong).all()
        found = columns.midpoint(low, high)
    for a, b, middle in zip(low.flat, high.flat, found.flat, strict=True):
        right = (Fraction(float(a)) + Fraction(float(b))) / 2
        assert a <= middle <= b
        assert abs(Fraction(float(middle)) - right) <= max(Fraction(abs(float(middle))) / 2**52, Fraction(smallest))
    assert 0.5 * smallest + 0.5 * smallest == 0 != columns.midpoint(np.array(smallest), np.array(smallest))
