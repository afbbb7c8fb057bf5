"""Which images are kept and which worker has which: functions of labels and a seed.

Random orders are those of uniform draws, by the streams of `sims.engine.Streams` for (seed, purpose): "imbalance", with
the class as run, and "shards". They do not depend on NumPy's ways of shuffling.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from sims.engine.streams import Streams

Split = Literal["iid", "label"]


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
        np.flatnonzero(labels == k)[order(Streams(seed, "imbalance"), k, have[k])[:count]]
        for k, count in enumerate(kept(first, gamma, len(have)))
    ]
    return np.sort(np.concatenate(chosen))


def kept(first: int, gamma: float, classes: int) -> list[int]:
    """n_k = ⌊n_0 γ^k + ½⌋ for every class."""
    return [int(first * gamma**k + 0.5) for k in range(classes)]


def shards(labels: np.ndarray, count: int, seed: int = 0, by: Split = "iid") -> np.ndarray:
    """The images of each of `count` workers, as many for each: indices (count, ⌊m/count⌋), in random order.

    All are shuffled, and what is left over when they are dealt out, fewer than `count`, is left out. "iid" deals them
    in this order; "label" sorts them by label before, so that a worker has few classes (Karimireddy, He, Jaggi 2022).

    Raises `ValueError` unless 1 ≤ count ≤ m and `by` is one of the two.
    """
    size = len(labels)
    if not 1 <= count <= size:
        raise ValueError(f"shards needs 1 ≤ count ≤ the number of images, got count = {count} for {size}")
    if by not in get_args(Split):
        raise ValueError(f"shards are dealt by {' or '.join(get_args(Split))}, got by = {by!r}")
    dealt = order(Streams(seed, "shards"), 0, size)[: size - size % count]
    if by == "label":
        dealt = dealt[np.argsort(np.asarray(labels)[dealt], kind="stable")]
    return dealt.reshape(count, -1)


def order(streams: Streams, run: int, size: int) -> np.ndarray:
    """0, …, size − 1 in the order of as many uniform draws."""
    return np.argsort(streams.generator(run).random(size), kind="stable")
