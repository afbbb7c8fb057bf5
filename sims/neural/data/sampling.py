"""Which images are kept and which worker has which: functions of labels and a seed.

Random orders are those of uniform draws, by the streams of `sims.engine.Streams` for (seed, purpose): "imbalance", with
the class as run, and "shards". They do not depend on NumPy's ways of shuffling.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sims.engine.streams import Streams
from sims.problems.shards import Split, deal, order


def imbalanced(labels: np.ndarray, gamma: float, seed: int = 0) -> np.ndarray:
    """Which images to keep so that class k has about γ^k times as many as class 0: indices, ascending.

    Class k keeps n_k = ⌊n_0 γ^k + ½⌋ of its images, for the largest n_0 for which every class has that many; γ = 1
    keeps all as it is. Which ones is random, class by class, and a smaller n_k keeps some of those that a larger one
    keeps. Classes far behind may keep none.

    Raises `ValueError` unless 0 < γ ≤ 1 and each of the classes 0, …, max(labels) is there.

    >>> np.bincount(np.repeat([0, 1, 2], 8)[imbalanced(np.repeat([0, 1, 2], 8), gamma=0.5)])
    array([8, 4, 2])
    """
    labels = np.asarray(labels)
    if not 0 < gamma <= 1:
        raise ValueError(f"imbalanced needs 0 < gamma ≤ 1, got gamma = {gamma}")
    if gamma == 1:
        return np.arange(len(labels))
    have = np.bincount(labels).tolist()
    if not all(have):
        raise ValueError(f"imbalanced needs an image of each class 0, …, {len(have) - 1}, got none of {have.index(0)}")
    first = have[0]
    while any(wanted > there for wanted, there in zip(kept(first, gamma, len(have)), have, strict=True)):
        first -= 1
    chosen = [
        np.flatnonzero(labels == k)[order(Streams(seed, "imbalance").generator(k), have[k])[:count]]
        for k, count in enumerate(kept(first, gamma, len(have)))
    ]
    return np.sort(np.concatenate(chosen))


def kept(first: int, gamma: float, classes: int) -> list[int]:
    """n_k = ⌊n_0 γ^k + ½⌋ for every class."""
    return [int(first * gamma**k + 0.5) for k in range(classes)]


def shards(labels: np.ndarray, count: int, seed: int = 0, by: Split = "iid", **settings: Any) -> np.ndarray:
    """The images of each of `count` workers, as many for each: indices (count, k), no image twice.

    They are dealt by `sims.problems.shards.deal`, which says what "iid", "label", "similarity", "shards" and
    "dirichlet" are, which settings they take, and what is refused.
    """
    return deal(labels, count, Streams(seed, "shards").generator(0), by, **settings)
