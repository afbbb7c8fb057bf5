"""Laws of what the rules return when each worker sends one of K equidistant gradients, from class counts alone.

Messages are −e_k (a softmax layer's logit gradient 1/K − e_k at equal logits, moved by 1/K) with probability p_k. The
law of n messages is the multinomial law of the counts c = (c_1, …, c_K); every sum over it runs in integers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from flint import fmpq, fmpq_poly


def shares(gamma: Fraction, classes: int) -> list[Fraction]:
    """Class proportions 1, γ, γ², …, normalised.

    >>> shares(Fraction(1, 2), 2)
    [Fraction(2, 3), Fraction(1, 3)]
    """
    weights = [gamma**k for k in range(classes)]
    return [w / sum(weights) for w in weights]


def compositions(n: int, classes: int) -> np.ndarray:
    """All count vectors of n messages, (number, K)."""
    bars = np.array(list(itertools.combinations(range(n + classes - 1), classes - 1))).reshape(-1, classes - 1)
    ends = np.concatenate([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), n + classes - 1)], axis=1)
    return np.diff(ends, axis=1) - 1


def messages(counts: np.ndarray) -> np.ndarray:
    """Messages −e_k with the given counts: (number, K) → (number, n, K)."""
    ends = np.cumsum(counts, axis=1)
    labels = np.sum(np.arange(ends[0, -1])[None, :, None] >= ends[:, None, :], axis=2)
    return -np.eye(counts.shape[1])[labels]


def probability(counts: Sequence[int], p: Sequence[Fraction]) -> Fraction:
    """The multinomial probability of a count vector."""
    ways, left = 1, sum(counts)
    for c in counts:
        ways, left = ways * math.comb(left, c), left - c
    return ways * math.prod((share**c for share, c in zip(p, counts, strict=True)), start=Fraction(1))


def _weights(p: Sequence[Fraction]) -> tuple[list[int], int]:
    """The shares as whole numbers, and their sum."""
    unit = math.lcm(*(share.denominator for share in p))
    return [int(share * unit) for share in p], unit


def krum_law(n: int, p: Sequence[Fraction]) -> list[Fraction]:
    """P(Krum returns class k): the most frequent class, of several the first; the same for every f."""
    weights, unit = _weights(p)

    def ways(weight: int, most: int) -> fmpq_poly:
        """Σ_{x ≤ most} weight^x y^x/x!: what m messages can be has m! times the coefficient of y^m in a product."""
        return fmpq_poly([fmpq(weight**x, math.factorial(x)) for x in range(most + 1)])

    law = []
    for k, weight in enumerate(weights):
        found = fmpq(0)
        for c in range(1, n + 1):
            others = [ways(other, c - 1 if j < k else c) for j, other in enumerate(weights) if j != k]
            found += fmpq(weight**c, math.factorial(c)) * math.prod(others, start=fmpq_poly([1]))[n - c]
        law.append(Fraction(int(found * math.factorial(n)), unit**n))
    return law


def median_law(n: int, p: Sequence[Fraction]) -> list[Fraction]:
    """P(the coordinate-wise median is the gradient of class k): class k has more than half of the messages."""
    return [at_least(n, n // 2 + 1, share) for share in p]


def at_least(n: int, least: int, p: Fraction) -> Fraction:
    """P(Bin(n, p) ≥ least)."""
    a, b = p.numerator, p.denominator
    return Fraction(sum(math.comb(n, c) * a**c * (b - a) ** (n - c) for c in range(least, n + 1)), b**n)


def is_geometric_median(c: int, n: int, squares: int) -> bool:
    """Whether a class with c of n messages is the only geometric median; `squares` is Σ c_j² of the others.

    By the subgradient condition at −e_k, ‖Σ_j c_j(e_j − e_k)/√2‖ ≤ c_k. With n/2 messages on each of two classes
    the whole segment between them is optimal.
    """
    return squares + (n - c) ** 2 <= 2 * c**2 and not (2 * c == n and 4 * squares == n**2)


def geometric_median_law(n: int, p: Sequence[Fraction]) -> list[Fraction]:
    """P(the geometric median is the gradient of class k)."""
    weights, unit = _weights(p)
    law = []
    for k, weight in enumerate(weights):
        ways = {(0, 0): 1}  # (messages of the other classes, sum of their squared counts) → ways
        for other in weights[:k] + weights[k + 1 :]:
            step: dict[tuple[int, int], int] = {}
            for (m, squares), w in ways.items():
                for x in range(n - m + 1):
                    key = (m + x, squares + x * x)
                    step[key] = step.get(key, 0) + w * math.comb(m + x, x) * other**x
            ways = step
        total = sum(
            w * math.comb(n, m) * weight ** (n - m)
            for (m, squares), w in ways.items()
            if is_geometric_median(n - m, n, squares)
        )
        law.append(Fraction(total, unit**n))
    return law


def up_to_order(n: int, p: Sequence[Fraction]) -> tuple[np.ndarray, list[Fraction]]:
    """All count vectors of n messages with c_3 ≥ c_4 ≥ …, and the probability of each up to the order of these classes.

    Enough for what a rule gives to classes 3 and up together, if it treats them alike.
    """
    weights, unit = _weights(p)
    ways: dict[tuple[int, ...], int] = {(): 1}  # counts of the classes from 3 on, in descending order, without zeros
    for weight in weights[2:]:
        step: dict[tuple[int, ...], int] = {}
        for counts, w in ways.items():
            m = sum(counts)
            for x in range(n - m + 1):
                key = tuple(sorted((*counts, x), reverse=True)) if x else counts
                step[key] = step.get(key, 0) + w * math.comb(m + x, x) * weight**x
        ways = step
    rows, law = [], []
    for rest, w in ways.items():
        left = n - sum(rest)
        for c in range(left + 1):
            rows.append([c, left - c, *rest, *[0] * (len(p) - 2 - len(rest))])
            first = math.comb(left, c) * weights[0] ** c * weights[1] ** (left - c)
            law.append(Fraction(math.comb(n, left) * first * w, unit**n))
    return np.array(rows), law
