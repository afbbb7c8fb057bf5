"""Shards of data: every split by its definition, Dirichlet's law by other means, the same for ever."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from sims.problems import shards
from sims.problems.shards import deal, log_gamma

FALSE_ALARM = 1e-9
SPLITS = [
    {"split": "iid"},
    {"split": "label"},
    {"split": "similarity", "similarity": 0.4},
    {"split": "shards", "pieces": 3},
    {"split": "dirichlet", "alpha": 0.3},
]
LABELS = np.tile(np.arange(10), 200)


def rng(seed=0):
    return np.random.Generator(np.random.Philox(seed))


def counts(dealt, labels=LABELS):
    return np.array([np.bincount(labels[row], minlength=labels.max() + 1) for row in dealt])


@given(
    labels=st.lists(st.integers(0, 5), min_size=1, max_size=60),
    count=st.integers(1, 7),
    settings_=st.sampled_from(SPLITS),
    alpha=st.sampled_from([5e-324, 1e-9, 0.05, 1.0, 1e9, 1.7e308]),
)
def test_no_point_is_had_twice_and_few_are_left_out(labels, count, settings_, alpha):
    """Also for labels with gaps, classes of one point, proportions that vanish or are equal to the last bit."""
    settings_ = settings_ | ({"alpha": alpha} if settings_["split"] == "dirichlet" else {})
    least = count * settings_.get("pieces", 1)
    if len(labels) < least:
        with pytest.raises(ValueError, match=r"deal needs"):
            deal(np.array(labels), count, rng(), **settings_)
        return
    parts = settings_.get("pieces", 1)
    if settings_["split"] == "similarity":
        first, parts = int(0.4 * len(labels)), 2
        if first < count and len(labels) - first < count:
            with pytest.raises(ValueError, match="a point for each worker or piece"):
                deal(np.array(labels), count, rng(), **settings_)
            return
    dealt = deal(np.array(labels), count, rng(), **settings_)
    assert dealt.shape[0] == count
    assert len(set(dealt.ravel().tolist())) == dealt.size
    assert set(dealt.ravel().tolist()) <= set(range(len(labels)))
    assert len(labels) - dealt.size < parts * count


@pytest.mark.parametrize("settings", SPLITS, ids=lambda s: s["split"])
def test_the_seed_decides_and_nothing_else(settings):
    first, again, other = (deal(LABELS, 7, rng(seed), **settings) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_draws_are_the_same_for_ever():
    labels = np.arange(12) % 3
    found = [deal(labels, 3, rng(5), **settings).tolist() for settings in SPLITS]
    assert found == [
        [[11, 3, 10, 6], [2, 4, 5, 7], [0, 9, 8, 1]],
        [[3, 6, 0, 9], [10, 4, 7, 1], [11, 2, 5, 8]],
        [[11, 0, 9], [3, 4, 7], [10, 1, 2]],
        [[10, 5, 11], [0, 6, 2], [7, 4, 3]],
        [[3, 6, 0, 9], [10, 11, 2, 5], [4, 7, 1, 8]],
    ]


@pytest.mark.parametrize("similarity", [0.0, 0.33, 0.66, 1.0])
def test_similarity_leaves_out_fewer_than_a_worker_has_of_either_part(similarity):
    dealt = deal(LABELS, 7, rng(3), "similarity", similarity=similarity)
    assert 2000 - dealt.size < 2 * 7


def test_the_ends_of_similarity_are_an_even_split_and_one_by_label():
    assert np.array_equal(counts(deal(LABELS, 10, rng(), "similarity", similarity=0.0)), 200 * np.eye(10))
    assert np.array_equal(deal(LABELS, 10, rng(), "similarity", similarity=1.0), deal(LABELS, 10, rng()))


def test_between_them_a_share_is_by_label():
    dealt = deal(LABELS, 10, rng(1), "similarity", similarity=0.5)
    mixed, sorted_ = LABELS[dealt[:, :100]], LABELS[dealt[:, 100:]]
    assert np.all(np.diff(sorted_.ravel()) >= 0)
    assert all(len(np.unique(one)) == 10 for one in mixed)  # the chance that a label is missing is 3e-3 at most in all


@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_a_worker_has_pieces_of_the_sorted_points(pieces):
    """200 of each label and 10·pieces pieces: each piece has one label, and pieces are given out at random."""
    found = counts(deal(LABELS, 10, rng(4), "shards", pieces=pieces))
    assert np.all(found % (200 // pieces) == 0)
    assert np.array_equal(found.sum(axis=0), np.full(10, 200))
    assert len({tuple(row.nonzero()[0]) for row in found}) > 3
    assert counts(deal(LABELS, 10, rng(5), "shards", pieces=pieces)).tolist() != found.tolist()


# Dirichlet


@pytest.mark.parametrize("shape", [0.01, 0.3, 1.0, 7.5, 1e4])
def test_logarithms_of_gamma_variables_follow_their_law_and_not_a_neighbour(shape):
    """Dvoretzky–Kiefer–Wolfowitz; for log G of a small shape the law of G itself has no digits left below 1e-308."""
    size = 200_000
    values = np.sort(log_gamma(np.full(size, shape), rng(1)))
    assert np.all(np.isfinite(values))
    radius = math.sqrt(math.log(2 / FALSE_ALARM) / (2 * size))

    def distance(a):
        law = scipy.stats.loggamma(a).cdf(values)
        ranks = np.arange(size + 1) / size
        return max(np.max(law - ranks[:-1]), np.max(ranks[1:] - law))

    assert distance(shape) <= radius
    assert distance(shape * 1.05 + 5 * (shape > 1e3)) > radius


def test_points_are_drawn_by_their_proportions_from_what_is_left():
    """Against the law of drawing one after the other, a class that is exhausted being drawn no more, exactly."""
    q, left, wanted, size = (0.5, 0.3, 0.2), (1, 2, 5), 4, 30_000

    @cache
    def law(left, wanted):
        if not wanted:
            return {(0, 0, 0): 1.0}
        found, total = {}, sum(p for p, have in zip(q, left, strict=True) if have)
        for k, have in enumerate(left):
            if have:
                rest = tuple(v - (j == k) for j, v in enumerate(left))
                for taken, chance in law(rest, wanted - 1).items():
                    key = tuple(v + (j == k) for j, v in enumerate(taken))
                    found[key] = found.get(key, 0.0) + chance * q[k] / total
        return found

    source, weights = rng(2), np.log(q)
    drawn = [tuple(shards._drawn(weights, np.array(left), wanted, source).tolist()) for _ in range(size)]
    exact = law(left, wanted)
    assert set(drawn) == set(exact)
    share = FALSE_ALARM / (2 * len(exact))
    for outcome, chance in exact.items():
        low, high = scipy.stats.binom.ppf([share, 1 - share], size, chance)
        assert low <= drawn.count(outcome) <= high
    free = scipy.stats.multinomial(wanted, q)  # a control: without the limits the law is another
    low, high = scipy.stats.binom.ppf([share, 1 - share], size, free.pmf((1, 1, 2)))
    assert not low <= drawn.count((1, 1, 2)) <= high


def test_a_worker_s_classes_are_as_alike_as_alpha_says():
    """The share of pairs of one class among a worker's points has the mean E Σ q² = (1 + α)/(1 + αC), exactly.

    For the first worker, whose 20 points no class of 20 can lack. A mean of 400 numbers in [0, 1] is within 0.164 of
    it but for 1e-9 (Hoeffding); without heterogeneity it is 0.1.
    """
    labels = np.tile(np.arange(10), 20)
    radius = math.sqrt(math.log(2 / FALSE_ALARM) / (2 * 400))
    for alpha in (0.02, 0.3, 100.0):
        pairs = []
        for seed in range(400):
            n = counts(deal(labels, 10, rng(seed), "dirichlet", alpha=alpha), labels)[0]
            pairs.append(float(np.sum(n * (n - 1))) / (20 * 19))
        assert abs(np.mean(pairs) - (1 + alpha) / (1 + 10 * alpha)) <= radius
        assert (abs(np.mean(pairs) - 0.1) > radius) == (alpha < 1)


def test_proportions_of_unequal_classes_are_those_of_the_data_for_a_large_alpha():
    labels = np.repeat(np.arange(3), [8000, 1500, 500])
    found = counts(deal(labels, 5, rng(), "dirichlet", alpha=1e8), labels)
    low, high = scipy.stats.binom.ppf([[FALSE_ALARM], [1 - FALSE_ALARM]], 2000, [0.8, 0.15, 0.05])
    assert np.all((low <= found[:2]) & (found[:2] <= high))
    assert np.array_equal(found.sum(axis=0), [8000, 1500, 500])


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"count": 0}, "deal needs count ≥ 1, got count = 0"),
        ({"count": 2001}, "got count = 2001 for 2000"),
        ({"count": 2.0}, "got count = 2.0"),
        ({"count": True}, "got count = True"),
        ({"split": "labels"}, "needs split iid or label or similarity or shards or dirichlet, got split = 'labels'"),
        ({"split": ["iid"]}, r"got split = \['iid'\]"),
        ({"split": "similarity", "similarity": 1.5}, "needs 0 ≤ similarity ≤ 1, got similarity = 1.5"),
        ({"split": "similarity", "similarity": math.nan}, "got similarity = nan"),
        ({"split": "similarity", "similarity": "1"}, "got similarity = '1'"),
        ({"split": "shards", "pieces": 0}, "pieces ≥ 1, got pieces = 0"),
        ({"split": "shards", "pieces": 2.5}, "got pieces = 2.5"),
        ({"split": "shards", "pieces": 1001, "count": 2}, "a point for each worker or piece, got 2000 for 2 workers"),
        ({"split": "dirichlet", "alpha": 0}, "needs alpha > 0, got alpha = 0.0"),
        ({"split": "dirichlet", "alpha": math.inf}, "got alpha = inf"),
        ({"split": "dirichlet", "alpha": None}, "got alpha = None"),
        ({"split": "dirichlet", "alpha": 10**400}, "got alpha = 1000"),
        ({"split": "label", "alpha": 0.5}, "takes alpha only with split = 'dirichlet', got split = 'label'"),
        ({"split": "dirichlet", "pieces": 3}, "takes pieces only with split = 'shards', got split = 'dirichlet'"),
    ],
)
def test_what_cannot_be_dealt_is_refused(settings, told):
    with pytest.raises(ValueError, match=told):
        deal(LABELS, **{"count": 4, "rng": rng(), **settings})


def test_numpy_s_numbers_do():
    plain = deal(LABELS, 5, rng(), "dirichlet", alpha=2.0)
    assert np.array_equal(deal(LABELS, np.int64(5), rng(), "dirichlet", alpha=np.float32(2.0)), plain)
