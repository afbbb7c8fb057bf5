"""Krum's choice among float32 messages: told in float32 where that is certain."""

from __future__ import annotations

import numpy as np

from sims.kernels.cpu.products import distance_bounds


def nearest(messages: np.ndarray, neighbours: int) -> int | None:
    """The message of (n, d) with the least sum over its `neighbours` nearest others; None if float64 has to decide.

    The sum of the smallest of some numbers does not fall if the numbers rise: bounds of the distances give bounds of
    the sums. A message is chosen if its sum is certainly the smallest, or if only those of equal messages may be.
    """
    if messages.dtype != np.float32:
        return None
    lowest, highest = (_sums(bound, neighbours) for bound in distance_bounds(messages))
    if not np.all(np.isfinite(lowest) & np.isfinite(highest)):
        return None
    chosen = int(np.argmin(highest))
    rivals = np.flatnonzero(lowest <= highest[chosen])
    same = (np.array_equal(messages[i], messages[chosen]) for i in rivals if i != chosen)
    return chosen if all(same) else None


def _sums(distances: np.ndarray, neighbours: int) -> np.ndarray:
    """Every message's sum over its nearest others, (n,); NaN if any of its distances is."""
    others = distances.copy()
    np.fill_diagonal(others, -np.inf)  # itself comes first and is left out
    sums = np.sum(np.sort(others, axis=1)[:, 1 : neighbours + 1], axis=1)
    return np.where(np.any(np.isnan(distances), axis=1), np.nan, sums)
