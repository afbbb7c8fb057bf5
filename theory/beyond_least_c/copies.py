"""What an average of the middle messages needs at most when the good ones have one law: a form of gaps (`above.md`).

Of M ≥ g independent copies of a good message, sorted, with gaps d_s ≥ 0, the good messages are g at random. The mean
error² is at most Σ Q_st d_s d_t, and ρ² is the mean of Σ B_st d_s d_t: cδB − Q positive definite proves c.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import comb, lcm

import numpy as np
from flint import fmpz_mat

MARGIN = 1e-6  # by which the certified c is above the largest eigenvalue


def upper_weights(n: int, f: int, weights: Sequence[Fraction]) -> list[Fraction]:
    """w(k), k = 0 … g: what a gap below the k largest good messages adds to U − x̄, U = Σ weights_j·x_(f+j).

    >>> [str(w) for w in upper_weights(6, 2, [Fraction(1, 2)] * 2)]
    ['0', '1/4', '1/2', '1/4', '0']
    """
    g = n - f
    return [sum(reversed(weights[max(0, len(weights) - k) :]), Fraction(0)) - Fraction(k, g) for k in range(g + 1)]


def quadratic(up: Sequence[Fraction], theta: Fraction) -> list[list[Fraction]]:
    """q(k, l) with max(a², b²) ≤ Σ d_s d_t q(K_s, K_t) for a = Σ d_s w(K_s), b = Σ d_s w(g − K_s), K_s messages above.

    It is ½(a² + b²) + ¼(θ(a + b)² + (a − b)²/θ); at θ = 0 a and b must be equal, and it is a².
    """
    down = list(reversed(up))
    if theta == 0:
        if list(up) != down:
            raise ValueError("quadratic needs theta > 0 unless both sides are equal, got theta = 0")
        return [[a * b for b in up] for a in up]
    size = range(len(up))
    add, sub = [a + b for a, b in zip(up, down, strict=True)], [a - b for a, b in zip(up, down, strict=True)]
    return [
        [
            (up[k] * up[m] + down[k] * down[m]) / 2 + (theta * add[k] * add[m] + sub[k] * sub[m] / theta) / 4
            for m in size
        ]
        for k in size
    ]


def forms(g: int, copies: int, q: Sequence[Sequence[Fraction]]) -> tuple[np.ndarray, np.ndarray]:
    """(Q, B) in rationals, (M − 1, M − 1): the mean of q(K_s, K_t) over g of M copies, and of the distance²."""
    scale = lcm(*(value.denominator for row in q for value in row))
    whole = [[int(value * scale) for value in row] for row in q]
    error = np.zeros((copies - 1, copies - 1), dtype=object)
    distance = np.zeros((copies - 1, copies - 1), dtype=object)
    for s in range(1, copies):
        for t in range(s, copies):
            ways = 0
            for below in range(min(s, g) + 1):
                for above in range(max(0, g - below - (t - s)), min(copies - t, g - below) + 1):
                    chosen = comb(s, below) * comb(t - s, g - below - above) * comb(copies - t, above)
                    ways += chosen * whole[g - below][above]
            error[s - 1, t - 1] = error[t - 1, s - 1] = Fraction(ways, scale * comb(copies, g))
            distance[s - 1, t - 1] = distance[t - 1, s - 1] = Fraction(s * (copies - t), comb(copies, 2))
    return error, distance


def positive(matrix: np.ndarray) -> bool:
    """Whether a symmetric matrix of rationals is positive definite: its leading minors are, by Sylvester's criterion.

    >>> positive(np.array([[Fraction(2), Fraction(1)], [Fraction(1), Fraction(1)]], dtype=object))
    True
    """
    scale = lcm(*(value.denominator for value in matrix.ravel()))
    whole = [[int(value * scale) for value in row] for row in matrix]
    sizes = range(1, len(whole) + 1)
    return all(fmpz_mat([row[:size] for row in whole[:size]]).det() > 0 for size in sizes)


@cache
def at_most(n: int, f: int, weights: tuple[Fraction, ...], theta: Fraction, copies: int) -> Fraction:
    """A c of the average of the n − 2f middle messages with these weights, for good messages of one law: certified.

    The largest eigenvalue of Q relative to B is found in floating point, and c a little above it proved in rationals.
    """
    from scipy.linalg import eigh

    error, distance = forms(n - f, copies, quadratic(upper_weights(n, f, weights), theta))
    largest = eigh(error.astype(float), distance.astype(float), eigvals_only=True)[-1]
    bound = Fraction(round(largest * (1 + MARGIN) * 10**9), 10**9)
    if not positive(bound * distance - error):
        raise ValueError(f"no certificate at n = {n}, f = {f}, {copies} copies")
    return bound * Fraction(n, f)
