"""The largest gap between the means of two contaminated laws with one mixture, by linear programming.

An independent route to Theorem III's constant: nothing of its construction is put in.
"""

from __future__ import annotations

import numpy as np


def feasible(delta: float, gap: float, places: np.ndarray) -> bool:
    """Whether laws D_± on `places` with means ±gap and variance ≤ 1 have contaminations with equal mixtures.

    (1 − δ)D_+ + δQ_+ = (1 − δ)D_− + δQ_− for laws Q_±; linear in the four laws once the means are fixed.
    """
    from scipy.optimize import linprog

    m = len(places)
    zero, one = np.zeros(m), np.ones(m)
    eye = np.eye(m)
    equal = np.vstack(
        [
            np.hstack([(1 - delta) * eye, -(1 - delta) * eye, delta * eye, -delta * eye]),
            np.concatenate([one, zero, zero, zero]),
            np.concatenate([zero, one, zero, zero]),
            np.concatenate([zero, zero, one, zero]),
            np.concatenate([places, zero, zero, zero]),
            np.concatenate([zero, places, zero, zero]),
        ]
    )
    target = np.concatenate([zero, [1.0, 1.0, 1.0, gap, -gap]])
    least = np.vstack(
        [
            np.concatenate([(places - gap) ** 2, zero, zero, zero]),
            np.concatenate([zero, (places + gap) ** 2, zero, zero]),
        ]
    )
    result = linprog(np.zeros(4 * m), A_ub=least, b_ub=[1.0, 1.0], A_eq=equal, b_eq=target, method="highs")
    return bool(result.status == 0)


def largest_gap_by_linear_programming(delta: float, places: int = 121, bisections: int = 12) -> tuple[float, float]:
    """(half gap)²/ρ² between the two means, ρ² = 2·variance, and an error bound for the bisection and the grid.

    A grid of spacing r/√δ misses the best place by at most r/(2√δ); at a maximum this costs a share of order r².
    """
    spacing = 8 / (places - 1)  # in units of 1/√δ, the order of the distance of the rare values from the rest
    grid = np.linspace(-4, 4, places) / np.sqrt(delta)
    low, high = 0.0, 4.0
    for _ in range(bisections):
        middle = (low + high) / 2
        low, high = (middle, high) if feasible(delta, middle, grid) else (low, middle)
    return low**2 / 2, (high**2 - low**2) / 2 + 2 * spacing**2 * low**2 / 2
