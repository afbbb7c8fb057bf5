"""Imbalance and shards: counts by their definition, random by seed, the same for ever."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sims.neural.data import imbalanced, shards

LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(10), np.arange(60, 80, 2)))


@given(
    counts=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    gamma=st.floats(0.05, 1, exclude_max=True),
    seed=st.integers(0, 5),
)
def test_class_k_keeps_its_share_of_the_largest_possible_first_class(counts, gamma, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    chosen = imbalanced(labels, gamma, seed)
    assert chosen.tolist() == sorted(set(chosen.tolist()))
    kept = np.bincount(labels[chosen], minlength=len(counts)).tolist()
    wanted = [[math.floor(first * gamma**k + 0.5) for k in range(len(counts))] for first in range(counts[0] + 1)]
    possible = [one for one in wanted if all(a <= b for a, b in zip(one, counts, strict=True))]
    assert kept == possible[-1]


def test_no_imbalance_keeps_all_as_it_is():
    assert imbalanced(LABELS, 1.0, 3).tolist() == list(range(len(LABELS)))


def test_the_figure_s_imbalance_on_the_counts_of_mnist():
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    labels = np.repeat(np.arange(10), counts)
    assert np.bincount(labels[imbalanced(labels, 0.5)]).tolist() == [5923, 2962, 1481, 740, 370, 185, 93, 46, 23, 12]


def test_a_smaller_gamma_keeps_some_of_what_a_larger_one_keeps():
    more, less = (set(imbalanced(LABELS, gamma, 1).tolist()) for gamma in (0.8, 0.5))
    assert less < more


def test_what_is_kept_is_random_by_seed():
    chosen = [tuple(imbalanced(LABELS, 0.5, seed)) for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]


@pytest.mark.parametrize("gamma", [0.0, -0.5, 1.01, float("nan")])
def test_another_gamma_is_refused(gamma):
    with pytest.raises(ValueError, match="0 < gamma ≤ 1"):
        imbalanced(LABELS, gamma)


def test_a_class_without_images_is_refused():
    with pytest.raises(ValueError, match=r"each class 0, …, 2, got none of 1"):
        imbalanced(np.array([0, 2, 2]), 0.5)


@pytest.mark.parametrize("by", ["iid", "label"])
@pytest.mark.parametrize("count", [1, 7, 16, len(LABELS)])
def test_each_worker_has_as_many_and_no_image_is_had_twice(by, count):
    dealt = shards(LABELS, count, seed=2, by=by)
    assert dealt.dtype == np.int64
    assert dealt.shape == (count, len(LABELS) // count)
    assert len(set(dealt.ravel().tolist())) == dealt.size
    assert 0 <= dealt.min() <= dealt.max() < len(LABELS)


def test_shards_by_label_follow_each_other_in_class():
    found = LABELS[shards(LABELS, 16, seed=2, by="label")]
    assert np.all(np.diff(found.ravel()) >= 0)
    assert max(len(set(row)) for row in found.tolist()) <= 2


def test_what_is_left_out_is_random_and_not_of_the_last_class():
    labels = np.repeat(np.arange(10), 10)
    left = [set(range(100)) - set(shards(labels, 11, seed, by="label").ravel().tolist()) for seed in range(40)]
    assert {len(one) for one in left} == {1}
    assert len({labels[index] for one in left for index in one}) > 5


def test_shards_are_random_by_seed_and_iid_shards_have_all_classes():
    first, again, other = (shards(LABELS, 4, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert all(len(set(LABELS[row])) == 10 for row in first)


def test_draws_are_the_same_for_ever():
    labels = np.arange(12) % 3
    assert imbalanced(labels, 0.5, 5).tolist() == [0, 1, 3, 5, 6, 7, 9]
    assert shards(labels, 3, 5).tolist() == [[10, 3, 11, 8], [9, 7, 1, 5], [2, 6, 0, 4]]
    assert shards(labels, 3, 5, by="label").tolist() == [[3, 9, 6, 0], [10, 7, 1, 4], [11, 8, 5, 2]]


@pytest.mark.parametrize(
    ("count", "by", "told"),
    [
        (0, "iid", "count ≥ 1"),
        (691, "iid", "got count = 691 for 690"),
        (3, "class", "needs split iid or label or .*, got split = 'class'"),
    ],
)
def test_shards_that_cannot_be_dealt_are_refused(count, by, told):
    with pytest.raises(ValueError, match=told):
        shards(LABELS, count, by=by)
