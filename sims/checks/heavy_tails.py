"""What a sample says of a mean where nothing bounds the values: honest at error probabilities of 1e-9 all the same."""

from __future__ import annotations

import functools
import math

import numpy as np

from sims.checked import real

STAKES = tuple(0.7**j for j in range(24))  # shares of the capital that are bet, mixed with equal weights


def log_capital(ratios: np.ndarray) -> np.ndarray:
    """The logarithm of what bets on "the mean is larger than 1" have made of a capital of 1: (m, ...) → (...).

    K = Σ_j (1/J) Π_i (1 − c_j + c_j X_i) with stakes 0 < c_j ≤ 1. For independent X_i ≥ 0 of means ≤ 1 it is never
    negative and its mean is at most 1, so that P(K ≥ 1/α at any time) ≤ α (Ville 1939), however heavy the tail: whoever
    looks at K after every value and stops when he likes is wrong with probability α at most.

    >>> bool(log_capital(np.full(100, 2.0)) > 20), bool(log_capital(np.ones(100)) > 1e-12)
    (True, False)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.stack([np.sum(np.log1p(stake * (ratios - 1.0)), axis=0) for stake in STAKES])
        top = np.max(logs, axis=0)
        return top + np.log(np.mean(np.exp(logs - np.where(np.isfinite(top), top, 0.0)), axis=0))


def median_of_means(sample: np.ndarray, variance: float, alpha: float) -> tuple[np.ndarray, float]:
    """An estimate of the mean and the half-width of a level-(1 − alpha) interval, where the variance is at most this.

    Nothing else need be known of the independent values: (m, ...) → (...). The mean of a group of b is farther off than
    √(variance/(b·p)) with probability p at most (Chebyshev), so the median of K means is with at most that of half of K
    such accidents (Nemirovsky and Yudin 1983). Raises `ValueError` for fewer than K values.

    >>> values, width = median_of_means(np.zeros(2000), variance=1.0, alpha=1e-9)
    >>> float(values), width < 0.6
    (0.0, True)
    """
    variance = real("median_of_means", "variance", variance, least=0)
    groups, p = _groups(real("median_of_means", "alpha", alpha, above=0, below=1))
    size = len(sample) // groups
    if not size:
        raise ValueError(f"median_of_means needs at least {groups} values, got {len(sample)}")
    means = np.mean(np.reshape(sample[: groups * size], (groups, size, *sample.shape[1:])), axis=1)
    return np.median(means, axis=0), math.sqrt(variance / (size * p))


@functools.lru_cache(maxsize=64)
def _groups(alpha: float) -> tuple[int, float]:
    """How many groups K, an odd number, and the p for which the interval is shortest: K/p is least."""
    from scipy.special import betainc

    found = []
    for p in (0.02, 0.03, 0.05, 0.07, 0.1, 0.13, 0.17, 0.22):
        k = 1
        while betainc(k, k, p) > alpha:  # P(at least k of 2k − 1 groups are off)
            k += 1
        found.append(((2 * k - 1) / p, 2 * k - 1, p))
    return min(found)[1:]
