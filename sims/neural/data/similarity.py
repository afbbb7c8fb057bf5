"""Shards that are alike to a given degree: between images dealt at random and images sorted by label."""

from __future__ import annotations

import numpy as np

from sims.engine.streams import Streams
from sims.neural.data.sampling import order


def similar_shards(labels: np.ndarray, count: int, similarity: float, seed: int = 0) -> np.ndarray:
    """The images of each of `count` workers, a share of them dealt at random and the rest by label (γ-similarity).

    All m are shuffled; of the first ⌊γm⌋ each worker gets as many as every other, at random, and so of the rest, sorted
    by label: indices (count, k), in this order. Fewer than `count` of either part are left out. γ = `similarity` = 1 is
    an even split, 0 one by label. As ByzFL's "gamma_similarity_niid", but for what is left out, which some workers have
    there. The order is that of uniform draws from the stream "shards" of the seed.

    Raises `ValueError` unless 1 ≤ count ≤ m and 0 ≤ similarity ≤ 1.

    >>> similar_shards(np.repeat([0, 1], 4), 2, similarity=0.5).shape
    (2, 4)
    """
    labels = np.asarray(labels)
    size = len(labels)
    if not 1 <= count <= size:
        raise ValueError(f"similar_shards needs 1 ≤ count ≤ the number of images, got count = {count} for {size}")
    if not 0 <= similarity <= 1:
        raise ValueError(f"similar_shards needs 0 ≤ similarity ≤ 1, got similarity = {similarity}")
    mixed, rest = np.split(order(Streams(seed, "shards"), 0, size), [int(size * similarity)])
    rest = rest[np.argsort(labels[rest], kind="stable")] if len(rest) else rest
    return np.concatenate([_dealt(mixed, count), _dealt(rest, count)], axis=1)


def _dealt(indices: np.ndarray, count: int) -> np.ndarray:
    return indices[: len(indices) - len(indices) % count].reshape(count, -1)
