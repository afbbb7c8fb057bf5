"""Krum's choice among float32 messages: told in float32 where that is certain."""

from __future__ import annotations

import numpy as np

from sims.kernels.distances import SINGLE_ERROR, sq_distances

FAINT, LOUD = 1e-25, 1e30  # a float32 square between them, or a sum of them, has neither lost digits nor overflowed


def nearest(messages: np.ndarray, neighbours: int) -> int | None:
    """The message of (n, d) with the least sum over its `neighbours` nearest others; None if float64 has to decide.

    It is certain where no other sum is within the rounding of the smallest, or only those of equal messages are.
    """
    if messages.dtype != np.float32:
        return None
    sq, alive = sq_distances(messages, single=True)
    np.fill_diagonal(sq, np.inf)
    scores = np.sum(np.sort(sq, axis=1)[:, :neighbours], axis=1)
    smallest = int(np.argmin(scores))
    if not np.all(alive) or not scores[smallest] < LOUD:
        return None
    if scores[smallest] <= FAINT:  # zero, or squares have vanished
        near = np.flatnonzero(sq[smallest] == 0)
        if sum(np.array_equal(messages[i], messages[smallest]) for i in near) < neighbours:
            return None
    # every exact sum is within a factor 1 ± ε of the computed one
    rivals = np.flatnonzero(scores * (1 - SINGLE_ERROR) <= scores[smallest] * (1 + SINGLE_ERROR))
    if all(np.array_equal(messages[i], messages[smallest]) for i in rivals):
        return smallest
    return None
