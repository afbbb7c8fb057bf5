"""Confidence intervals that are honest at error probabilities of 1e-9: no normal approximation anywhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sims.checked import numbers, real, whole


def proportion(successes: int, trials: int, alpha: float) -> tuple[float, float]:
    """Clopper–Pearson interval for a probability (Clopper and Pearson 1934): level ≥ 1 − alpha for every p.

    Each end is where its tail is alpha/2, to 1e-9 of that and to the next floating-point number outside, for alpha from
    1e-250 on. Raises `ValueError` for a count or an alpha that there is not.

    >>> low, high = proportion(0, 100, 0.05)
    >>> low, round(high, 4)
    (0.0, 0.0362)
    """
    from scipy.special import betainc, betaincc

    trials, alpha = whole("proportion", "trials", trials), real("proportion", "alpha", alpha, SMALLEST_ALPHA, most=1)
    if not 0 <= whole("proportion", "successes", successes) <= trials or trials < 1:
        raise ValueError(f"proportion needs 0 ≤ successes ≤ trials and trials ≥ 1, got {successes} of {trials}")
    failures, tail = trials - successes, alpha / 2
    low, high = 0.0, 1.0
    if successes:
        low = _last(lambda p: betainc(successes, failures + 1, p) <= tail)  # P(K ≥ successes)
    if failures:
        high = math.nextafter(_last(lambda p: betaincc(successes + 1, failures, p) > tail), 1.0)  # P(K ≤ successes)
    return low, high


SMALLEST_ALPHA = 1e-250  # below, the incomplete beta function has fewer digits


def _last(holds: Callable[[float], bool]) -> float:
    """The largest number in [0, 1] of which something holds that holds up to there.

    By halving among all floating-point numbers, which lie in the order of their bits: as exact near 0 as near 1, and
    never a tail from 1 minus a number, in which a small one is lost.
    """
    inside, outside = 0, int(np.float64(1.0).view(np.int64))
    while outside - inside > 1:
        middle = (inside + outside) // 2
        if holds(float(np.int64(middle).view(np.float64))):
            inside = middle
        else:
            outside = middle
    return float(np.int64(inside).view(np.float64))


def bounded_mean(sample: np.ndarray, low: float, high: float, alpha: float) -> tuple[float, float]:
    """Sample mean and the half-width of a level-(1 − alpha) interval for the mean of independent values in [low, high].

    The smaller of Hoeffding's (1963) and the empirical Bernstein half-width √(2V ln(4/α')/m) + 7(b−a)ln(4/α')/(3(m−1))
    (Maurer and Pontil 2009, Theorem 4), each at α' = alpha/2.

    >>> bounded_mean(np.zeros(1000), 0.0, 1.0, 1e-9)[1] < 0.06
    True
    """
    sample, low, high, alpha = _sampled("bounded_mean", sample, low, high, alpha)
    m, width = len(sample), high - low
    if m < 2:
        raise ValueError(f"bounded_mean needs at least 2 values, got {m}")
    if not (np.min(sample) >= low and np.max(sample) <= high):
        raise ValueError(f"values must lie in [low, high] = [{low}, {high}], got [{np.min(sample)}, {np.max(sample)}]")
    log = math.log(4 / (alpha / 2))
    hoeffding = width * math.sqrt(log / (2 * m))
    bernstein = math.sqrt(2 * float(np.var(sample, ddof=1)) * log / m) + 7 * width * log / (3 * (m - 1))
    return float(np.mean(sample)), min(hoeffding, bernstein)


def _sampled(owner: str, sample: Any, low: Any, high: Any, alpha: Any) -> tuple[np.ndarray, float, float, float]:
    """The values, their range and the level, each checked by itself."""
    values = numbers(owner, "sample", sample, "a sample of numbers (m,)")
    if values.ndim != 1:
        raise ValueError(f"{owner} needs a sample (m,), got sample of shape {values.shape}")
    return values, real(owner, "low", low), real(owner, "high", high), _level(owner, alpha)


def _level(owner: str, alpha: Any) -> float:
    return real(owner, "alpha", alpha, least=1e-300, below=1)


SHARES = tuple(0.7**j for j in range(16))  # of the largest stake that cannot ruin, mixed with equal weights


def betting_mean(sample: np.ndarray, low: float, high: float, alpha: float) -> tuple[float, float]:
    """Sample mean and the half-width of a level-(1 − alpha) interval for the mean of independent values in [low, high].

    By bets (Waudby-Smith and Ramdas 2024), here with fixed stakes: for values in [0, 1] of mean μ the capital K(μ) =
    Σ_j (1/J) Π_i (1 + c_j(μ − X_i)/(1 − μ)), 0 < c_j ≤ 1, is never negative and has the mean 1, so that P(K(μ) ≥
    2/alpha) ≤ alpha/2 (Markov). K grows with μ: the upper end is where it reaches 2/alpha, the lower end that of 1 − X.
    Where the sample hardly varies the half-width is log(2J/alpha)/m of the range, less than half `bounded_mean`'s.
    It is that of the longer side.

    >>> bool(betting_mean(np.zeros(1000), 0.0, 1.0, 1e-9)[1] < 0.5 * bounded_mean(np.zeros(1000), 0.0, 1.0, 1e-9)[1])
    True
    """
    sample, low, high, alpha = _sampled("betting_mean", sample, low, high, alpha)
    m, width = len(sample), high - low
    if m < 2:
        raise ValueError(f"betting_mean needs at least 2 values, got {m}")
    if not high > low:
        raise ValueError(f"betting_mean needs high > low, got [{low}, {high}]")
    if not (np.min(sample) >= low and np.max(sample) <= high):
        raise ValueError(f"values must lie in [low, high] = [{low}, {high}], got [{np.min(sample)}, {np.max(sample)}]")
    values = np.clip((np.asarray(sample, dtype=np.float64) - low) / width, 0.0, 1.0)
    mean = float(np.mean(values))
    sides = _upper_end(values, mean, alpha / 2) - mean, _upper_end(1 - values, 1 - mean, alpha / 2) - (1 - mean)
    return float(np.mean(sample)), width * max(sides)


def _upper_end(values: np.ndarray, mean: float, alpha: float) -> float:
    """The least μ, from above to 2^−40, at which the capital is 1/alpha; 1 if there is none."""
    shares, goal = np.array(SHARES)[:, None], math.log(len(SHARES) / alpha)
    inside, outside = mean, 1.0
    while outside - inside > 2.0**-40:
        mu = (inside + outside) / 2
        with np.errstate(divide="ignore"):  # a value 1 ruins the largest stake
            logs = np.sum(np.log1p(shares * (mu - values) / (1 - mu)), axis=-1)
        top = float(np.max(logs))
        reached = top + math.log(float(np.sum(np.exp(logs - top)))) >= goal
        inside, outside = (inside, mu) if reached else (mu, outside)
    return outside
