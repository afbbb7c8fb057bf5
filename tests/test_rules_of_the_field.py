"""MDA, SMEA, CAF, CGE, MoNNA, Meamed, Phocas and Krum as ByzFL has it, by second routes and at their corners."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from sims.aggregators import (
    CAF,
    CGE,
    MDA,
    SMEA,
    Clipping,
    Krum,
    Meamed,
    Mean,
    MoNNA,
    MultiKrum,
    Phocas,
    TrimmedMean,
    caf,
)
from sims.aggregators.subsets import candidates, subsets
from sims.checks.exact_rules import exact_aggregate
from sims.contracts import contracts_for

NEW = (CAF, CGE, MDA, Meamed, MoNNA, Phocas, SMEA)
BY_SUBSETS = (MDA, SMEA)


def drawn(n, d, seed=0):
    rng = np.random.Generator(np.random.Philox(seed))
    return rng.standard_normal((n, d)) * rng.choice([1.0, 5.0], (n, 1))


def exact(rule, x):
    return [float(value) for value in exact_aggregate(rule, [[Fraction(float(v)) for v in row] for row in x])]


def best_subset(x, m, badness):
    return x[list(min(itertools.combinations(range(len(x)), m), key=lambda s: badness(x[list(s)])))].mean(axis=0)


# In space by other routes: the whole covariance instead of distances


def diameter(rows):
    away = np.linalg.norm(rows[:, None] - rows[None], axis=-1)
    return away.max(), (away**2).sum()


def spread(rows):
    return np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)[0]


def filtered(x, f):
    """CAF with the covariance matrix of the coordinates."""
    c, found = np.ones(len(x)), []
    while c.sum() > len(x) - 2 * f:
        mean = c @ x / c.sum()
        values, vectors = np.linalg.eigh((c[:, None] * (x - mean)).T @ (x - mean) / c.sum())
        tau = ((x - mean) @ vectors[:, -1]) ** 2
        found.append((values[-1], mean))
        c = np.where(c > 1e-12, c * (1 - tau / tau[c > 1e-12].max()), 0.0)
    return min(found, key=lambda one: one[0])[1]


@pytest.mark.parametrize(("n", "f", "d"), [(5, 1, 2), (5, 2, 3), (7, 3, 2), (8, 2, 5), (9, 1, 4)])
def test_in_space_by_another_route(n, f, d):
    for seed in range(8):
        x = drawn(n, d, seed)
        np.testing.assert_allclose(MDA(f).aggregate(x), best_subset(x, n - f, diameter), atol=1e-12)
        np.testing.assert_allclose(SMEA(f).aggregate(x), best_subset(x, n - f, spread), atol=1e-12)
        np.testing.assert_allclose(CAF(f).aggregate(x), filtered(x, f), atol=1e-9)
        assert np.abs(MDA(f).aggregate(x) - x.mean(axis=0)).max() > 1e-3


def test_among_many_subsets_the_host_passes_over_those_that_a_bound_rules_out_and_no_other():
    for seed in range(3):
        x = drawn(12, 4, seed)
        np.testing.assert_allclose(SMEA(4).aggregate(x), best_subset(x, 8, spread), atol=1e-12)


# Subsets


@pytest.mark.parametrize(("n", "m"), [(1, 1), (4, 4), (5, 2), (7, 4)])
def test_subsets_are_all_of_them_in_lexicographic_order(n, m):
    assert subsets(n, m).tolist() == [list(one) for one in itertools.combinations(range(n), m)]
    assert len(candidates(n, m, 1)) == n - m + 1
    assert np.array_equal(candidates(n, m, 2), subsets(n, m))


@pytest.mark.parametrize("kind", BY_SUBSETS)
def test_on_a_line_neighbours_suffice(kind):
    """Against the definition, which looks at all subsets, with ties and equal messages."""
    rng = np.random.Generator(np.random.Philox(2))
    for n, f in ((5, 1), (6, 2), (7, 3), (8, 2)):
        for _ in range(40):
            x = rng.integers(0, 6, (n, 1)).astype(np.float64)
            np.testing.assert_allclose(kind(f).aggregate(x), exact(kind(f), x), atol=1e-13)


@pytest.mark.parametrize("kind", BY_SUBSETS)
def test_on_a_line_who_is_not_finite_is_last(kind):
    x = np.array([[-2.0], [np.nan], [-1.0], [np.inf], [1.5]])
    assert kind(2).aggregate(x)[0] == -0.5


def test_of_several_subsets_of_one_diameter_the_least_scattered_is_taken_whoever_sent_it():
    """Two messages decide the diameter, and which of two others is in is no matter of who comes first."""
    x = np.array([[0.0, 0.0], [4.0, 0.0], [2.0, 0.2], [2.0, 3.0], [2.0, -2.9]])
    assert exact(MDA(1), x) == pytest.approx([2.0, 0.8])  # not (2, −0.675), without the fourth
    for order in itertools.permutations(range(5)):
        np.testing.assert_array_equal(MDA(1).aggregate(x[list(order)]), MDA(1).aggregate(x))
    np.testing.assert_allclose(MDA(1).aggregate(x), [2.0, 0.8])


@pytest.mark.parametrize(
    ("kind", "n", "f", "sentence"),
    [
        (MDA, 4, 2, "MDA needs n ≥ 2f [+] 1, got n = 4, f = 2"),
        (MDA, 40, 6, "MDA compares all subsets of n − f messages and needs at most 262144 of them, got 3838380 for"),
        (SMEA, 25, 6, "needs at most 65536 of them, got 177100 for n = 25, f = 6"),
        (CAF, 4, 2, "CAF needs n ≥ 2f [+] 1, got n = 4, f = 2"),
        (CGE, 4, 2, "CGE needs n ≥ 2f [+] 1, got n = 4, f = 2"),
        (Meamed, 4, 2, "Meamed needs n ≥ 2f [+] 1, got n = 4, f = 2"),
        (Phocas, 4, 2, "Phocas needs n ≥ 2f [+] 1, got n = 4, f = 2"),
        (MoNNA, 4, 2, "MoNNA needs n ≥ 2f [+] 1, got n = 4, f = 2"),
        (lambda f: MoNNA(f, idx=4), 4, 1, "MoNNA needs idx < n, got idx = 4, n = 4"),
        (lambda f: Krum(f, "byzfl"), 2, 1, "Krum of the variant byzfl needs n ≥ 2f [+] 1, got n = 2, f = 1"),
        (Krum, 3, 1, "Krum needs n ≥ 2f [+] 3, got n = 3, f = 1"),
        (MultiKrum, 3, 1, "MultiKrum needs n ≥ 2f [+] 3, got n = 3, f = 1"),
    ],
)
def test_what_is_not_defined_is_refused(kind, n, f, sentence):
    with pytest.raises(ValueError, match=sentence):
        kind(f).aggregate(np.zeros((n, 2)))


def test_a_definition_that_is_for_a_line_says_so():
    for rule in (SMEA(1), CAF(1)):
        with pytest.raises(
            ValueError, match=f"{type(rule).__name__} has an exact definition for d = 1 only, got d = 2"
        ):
            exact(rule, np.zeros((3, 2)))


# The whole range


@pytest.mark.parametrize("kind", [kind for kind in NEW if kind not in (Meamed, Phocas)])
@pytest.mark.parametrize("unit", [2.0**-1074, 2.0**-900, 2.0**520, 2.0**1020])
def test_where_squares_vanish_or_overflow_the_choice_is_the_same(kind, unit):
    rng = np.random.Generator(np.random.Philox(3))
    for _ in range(30):
        x = rng.integers(-4, 5, (7, 1)).astype(np.float64)
        expected = np.array(exact(kind(2), x * unit))
        allowed = unit * 2.0**-44 + 7 * 5e-324  # a sum of seven shares, each rounded
        np.testing.assert_allclose(kind(2).aggregate(x * unit), expected, rtol=0, atol=allowed)


@pytest.mark.parametrize("far", [1e4, 1e8, 1e30, 1e200, 1.7e308, np.inf, np.nan])
def test_the_filter_ends_however_far_messages_are(far):
    """Which it does not if messages without weight decide what the largest deviation is."""
    x = drawn(9, 3)
    x[:2] = [[far] * 3, [-far, far, 0.5 * far]]
    y = CAF(2).aggregate(x)
    assert np.isfinite(y).all()
    assert np.abs(y).max() < 20
    np.testing.assert_array_equal(CAF(0).aggregate(x[2:]), Mean().aggregate(x[2:]))


def test_a_run_is_filtered_as_it_is_alone_beside_one_of_another_scale():
    x = np.stack([drawn(9, 3), drawn(9, 3, seed=1) * 1e200, drawn(9, 3, seed=2) * 1e-200])
    for rule in (CAF(2), MDA(2), SMEA(2), CGE(2), MoNNA(2)):
        np.testing.assert_array_equal(rule.aggregate(x), [rule.aggregate(run) for run in x])


# Who is trusted


def test_monna_trusts_one_worker_and_says_so():
    x = drawn(7, 3)
    rule = MoNNA(2, idx=3)
    owed = dict(contracts_for(rule, 7, 3))
    assert not {"permutation", "ties", "boundedness"} & set(owed)
    assert {"permutation", "ties"} <= set(dict(contracts_for(MoNNA(0), 7, 3)))
    assert not Clipping(rule, 1.0).promises.permutation
    nearest = np.argsort(np.linalg.norm(x - x[3], axis=1))[:5]
    np.testing.assert_allclose(rule.aggregate(x), x[nearest].mean(axis=0), atol=1e-14)
    others = x.copy()
    others[:2] = 1e300  # any two but the third
    assert np.linalg.norm(rule.aggregate(others) - x[3]) <= np.linalg.norm(x - x[3], axis=1).max()
    x[3, 0] = np.inf
    assert np.isnan(rule.aggregate(x)).all()


# Coordinates


def test_means_around_a_middle_leave_out_the_farther_ones():
    row = np.array([[0.0], [1.0], [2.0], [4.0], [100.0]])
    assert exact(Meamed(1), row) == [1.75]
    assert Meamed(1).aggregate(row)[0] == 1.75
    assert Meamed(2).aggregate(row)[0] == 1.0  # of 0 and 4, equally near 2, the smaller
    assert Phocas(1).aggregate(row)[0] == 1.75
    assert Phocas(0).aggregate(row)[0] == 21.4
    lopsided = np.array([[0.0], [0.0], [0.0], [5.0], [5.0]])
    assert (Meamed(2).aggregate(lopsided)[0], Phocas(2).aggregate(lopsided)[0]) == (0.0, 0.0)
    far = np.array([[0.0], [4.0], [9.0], [10.0], [11.0], [12.0]])  # median 9.5, trimmed mean 8.75
    assert Meamed(2).aggregate(far)[0] == Phocas(2).aggregate(far)[0] == 10.5
    assert TrimmedMean(2).aggregate(far)[0] == 9.5


# Krum as ByzFL has it


@pytest.mark.parametrize("kind", [Krum, MultiKrum])
def test_the_variant_of_byzfl_takes_what_byzfl_takes(kind):
    rng = np.random.Generator(np.random.Philox(4))
    for n, f in ((1, 0), (2, 0), (3, 1), (4, 1), (5, 2)):
        rule = kind(f, variant="byzfl")
        for _, check in contracts_for(rule, n, 2):
            check(rule, drawn(n, 2, seed=n))
        for _ in range(20):
            x = rng.integers(-3, 4, (n, 2)).astype(np.float64)
            np.testing.assert_allclose(rule.aggregate(x), exact(rule, x), atol=1e-14)
    ends = kind(1, variant="byzfl").aggregate(np.array([[0.0], [1.0], [50.0]]))
    assert ends[0] == (0.0 if kind is Krum else 0.5)


# CAF's mean, some columns at a time


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_weighted_mean_of_many_columns_is_that_of_each(dtype):
    """Also where some columns overflow on the way, and where a message without weight is not finite."""
    rng = np.random.Generator(np.random.Philox(7))
    x = (rng.standard_normal((2, 9, 3 * caf.AT_ONCE // 18 + 5)) + 100).astype(dtype)
    weights = rng.uniform(0.1, 1.0, (2, 9))
    weights[1, 2] = 0.0
    weights /= weights.sum(axis=-1, keepdims=True)
    x[1, 2] = np.nan
    largest = float(np.finfo(dtype).max)
    x[0, :, 7::1000] = np.where(np.arange(9) % 2, largest, -largest)[:, None]
    with np.errstate(all="ignore"):  # as within a rule
        found = caf.weighted_mean(x, weights)
    columns = [0, 7, 1007, -1]
    shares = weights[..., None] * np.where(weights[..., None] > 0, x, 0)[..., columns].astype(np.float64)
    expected = [[math.fsum(column) for column in run.T] for run in shares]
    error = np.abs(found[:, columns] / 4 - np.array(expected) / 4)  # n + 3 roundings of what is added up, to `dtype`
    assert np.all(error <= (9 + 3) * np.finfo(dtype).eps * np.sum(np.abs(shares / 4), axis=-2))
    one = np.concatenate([caf.weighted_mean(x[:1, :, j : j + 1], weights[:1]) for j in range(0, 3000, 97)], axis=-1)
    np.testing.assert_allclose(found[:1, :3000:97], one, rtol=4 * np.finfo(dtype).eps)


def test_a_run_that_is_done_early_is_what_it_is_alone():
    """One of equal messages, one without an attacker and one whose attackers are far away, which takes more steps."""
    x = np.stack([np.ones((9, 4)), drawn(9, 4, 1), drawn(9, 4, 2), drawn(9, 4, 3)])
    x[2, :2] += 1e4
    x[3, :2] *= 1e200
    found = CAF(2).aggregate(x)
    for run, expected in zip(x, found, strict=True):
        np.testing.assert_array_equal(CAF(2).aggregate(run), expected)
