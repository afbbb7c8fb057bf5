"""Confidence intervals that are honest at error probabilities of 1e-9: no normal approximation anywhere."""

from __future__ import annotations

import math

import numpy as np


def proportion(successes: int, trials: int, alpha: float) -> tuple[float, float]:
    """Clopper–Pearson interval for a probability (Clopper and Pearson 1934): level ≥ 1 − alpha for every p.

    >>> low, high = proportion(0, 100, 0.05)
    >>> low, round(high, 4)
    (0.0, 0.0362)
    """
    from scipy.special import betaincinv

    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"proportion needs 0 ≤ successes ≤ trials and trials ≥ 1, got {successes} of {trials}")
    low = 0.0 if successes == 0 else float(betaincinv(successes, trials - successes + 1, alpha / 2))
    high = 1.0 if successes == trials else float(betaincinv(successes + 1, trials - successes, 1 - alpha / 2))
    return low, high


def bounded_mean(sample: np.ndarray, low: float, high: float, alpha: float) -> tuple[float, float]:
    """Sample mean and the half-width of a level-(1 − alpha) interval for the mean of independent values in [low, high].

    The smaller of Hoeffding's (1963) and the empirical Bernstein half-width √(2V ln(4/α')/m) + 7(b−a)ln(4/α')/(3(m−1))
    (Maurer and Pontil 2009, Theorem 4), each at α' = alpha/2.

    >>> bounded_mean(np.zeros(1000), 0.0, 1.0, 1e-9)[1] < 0.06
    True
    """
    m, width = len(sample), high - low
    if m < 2:
        raise ValueError(f"bounded_mean needs at least 2 values, got {m}")
    if not (np.min(sample) >= low and np.max(sample) <= high):
        raise ValueError(f"values must lie in [{low}, {high}], got [{np.min(sample)}, {np.max(sample)}]")
    log = math.log(4 / (alpha / 2))
    hoeffding = width * math.sqrt(log / (2 * m))
    bernstein = math.sqrt(2 * float(np.var(sample, ddof=1)) * log / m) + 7 * width * log / (3 * (m - 1))
    return float(np.mean(sample)), min(hoeffding, bernstein)
