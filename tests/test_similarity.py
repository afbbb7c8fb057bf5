"""Shards between a random deal and one by label."""

from __future__ import annotations

import numpy as np
import pytest

from sims.neural.data.similarity import similar_shards

LABELS = np.tile(np.arange(10), 200)


@pytest.mark.parametrize("similarity", [0.0, 0.33, 0.66, 1.0])
def test_every_worker_has_as_many_and_no_image_twice(similarity):
    shards = similar_shards(LABELS, 7, similarity, seed=3)
    assert len(np.unique(shards)) == shards.size
    assert 2000 - shards.size < 2 * 7
    assert shards.shape[0] == 7


def test_the_ends_are_an_even_split_and_one_by_label():
    counts = np.array([np.bincount(LABELS[one], minlength=10) for one in similar_shards(LABELS, 10, 0.0)])
    assert np.array_equal(counts, 200 * np.eye(10))
    counts = np.array([np.bincount(LABELS[one], minlength=10) for one in similar_shards(LABELS, 10, 1.0)])
    # of 200 draws without replacement from 2,000, 200 of each label: mean 20, deviation 4.0; 5 of these
    assert np.all(np.abs(counts - 20) < 21)


def test_in_between_a_share_is_by_label():
    shards = similar_shards(LABELS, 10, 0.5, seed=1)
    mixed, sorted_ = LABELS[shards[:, :100]], LABELS[shards[:, 100:]]
    assert np.all(np.diff(sorted_.ravel()) >= 0)
    assert all(len(np.unique(one)) == 10 for one in mixed)  # the chance that a label is missing is 3e-3 at most in all
    assert not np.array_equal(shards, similar_shards(LABELS, 10, 0.5, seed=2))


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"needs 0 ≤ similarity ≤ 1, got similarity = 1.5"):
        similar_shards(LABELS, 2, 1.5)
    with pytest.raises(ValueError, match="got count = 3000 for 2000"):
        similar_shards(LABELS, 3000, 0.5)
