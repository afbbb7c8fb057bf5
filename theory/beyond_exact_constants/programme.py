"""The semidefinite programme of `krum.py`: its data, its solution in floating point, and the proof in rationals."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

MARGIN = 1e-7  # of the eigenvalues of Q, so that rounding λ leaves them positive
Z, B, H, K = range(4)  # the groups
TOLERANCES = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
SIZE = 9  # P: BB, HH, KK, BH, BK, HK; then w of B, H, K
PLACES = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


@dataclass(frozen=True)
class Programme:
    """One kind of N: the sizes of the groups z, B, H, K; v and ‖x̄‖² as vectors over (P, w), and the constraints.

    Constraint c is Σ counts[c, p]·distances[p] ≥ 0, p the pair of a group of B, H, K and any group.
    """

    sizes: tuple[int, int, int, int]
    honest: bool
    variance: np.ndarray
    error: np.ndarray
    distances: np.ndarray  # (12, 9), of rationals
    counts: np.ndarray  # (constraints, 12)

    @property
    def present(self) -> list[int]:
        """The groups B, H, K that have members, as places 0, 1, 2."""
        return [group - 1 for group in (B, H, K) if self.sizes[group]]

    @property
    def spread(self) -> list[int]:
        """Those that have two at least."""
        return [group - 1 for group in (B, H, K) if self.sizes[group] > 1]


def _square(along: Any) -> np.ndarray:
    """‖Σ along_a·centroid_a‖² over (P, w)."""
    a, b, c = along
    return np.array([a * a, b * b, c * c, 2 * a * b, 2 * a * c, 2 * b * c, 0, 0, 0], dtype=object)


def programme(n: int, f: int, neighbours: int, honest: bool, near: int) -> Programme | None:
    """The kind with `near` Byzantine among N and z honest or not; None if there are not so many."""
    g = n - f
    sizes = (1, near, neighbours - near, g - (neighbours - near) - honest)
    if min(sizes) < 0:
        return None
    place = np.array([[Fraction(int(group - 1 == j)) for j in range(3)] for group in range(4)], dtype=object)
    wide = np.array([[Fraction(int(group > 0 and 5 + group == j)) for j in range(SIZE)] for group in range(4)])

    def apart(one: int, other: int) -> np.ndarray:
        if one == other:
            return Fraction(2 * sizes[one], max(sizes[one] - 1, 1)) * wide[one]
        return _square(place[one] - place[other]) + wide[one] + wide[other]

    members = (Z, H, K) if honest else (H, K)
    mean = sum((sizes[a] * place[a] for a in members), 0 * place[Z]) / g
    variance = sum((sizes[a] * (_square(place[a]) + wide[a]) for a in members), 0 * wide[Z]) / g - _square(mean)
    counts = []
    for group in (B, H, K):
        free = [size - (place == group) for place, size in enumerate(sizes)]
        for taken in itertools.product(*(range(min(max(size, 0), neighbours) + 1) for size in free[:3])):
            rest = neighbours - sum(taken)
            if sizes[group] and 0 <= rest <= free[K]:
                row = np.zeros((3, 4), dtype=int)
                row[group - 1] = (*taken, rest)
                row[B - 1, Z] -= sizes[B]
                row[H - 1, Z] -= sizes[H]
                counts.append(row.ravel())
    distances = np.array([apart(one, other) for one in (B, H, K) for other in range(4)])
    return Programme(sizes, honest, variance, _square(mean), distances, np.array(counts))


def _matrix(q: np.ndarray, present: Sequence[int]) -> np.ndarray:
    """Q of the part of q that is over P, of the groups that are there."""
    found = np.zeros((3, 3), dtype=q.dtype)
    for value, (i, j) in zip(q, PLACES, strict=False):
        found[i, j] = found[j, i] = value if i == j else value / 2
    return found[np.ix_(present, present)]


def positive(matrix: np.ndarray) -> bool:
    """Whether a symmetric matrix of rationals is positive definite: all of Gauss's pivots are.

    >>> positive(np.array([[Fraction(2), Fraction(1)], [Fraction(1), Fraction(1)]], dtype=object))
    True
    """
    left = matrix.copy()
    for i in range(len(left)):
        if left[i, i] <= 0:
            return False
        for j in range(i + 1, len(left)):
            left[j] = left[j] - left[i] * (left[j, i] / left[i, i])
    return True


@dataclass(frozen=True)
class Solved:
    """κ and λ of a programme, and the Gram matrix and spreads that come with them, at v = 1."""

    kappa: float
    multipliers: np.ndarray
    gram: np.ndarray  # (3, 3)
    widths: np.ndarray  # (3,)

    def proves(self, problem: Programme, kappa: Fraction) -> bool:
        """Whether its multipliers prove κ* ≤ `kappa`, in rationals."""
        used = np.flatnonzero(self.multipliers > 0)
        weights = np.array([Fraction(float(self.multipliers[i])) for i in used], dtype=object)
        q = kappa * problem.variance - problem.error
        if len(used):
            q = q - (weights @ problem.counts[used]) @ problem.distances
        return positive(_matrix(q, problem.present)) and all(q[6 + i] >= 0 for i in problem.spread)


def _cut(direction: np.ndarray) -> np.ndarray:
    """P = uuᵀ, as a vector over (P, w)."""
    return np.array([*(direction[i] * direction[j] for i, j in PLACES), 0, 0, 0], dtype=float)


def solve(problem: Programme, kappa: float | None = None, rounds: int = 60) -> Solved | None:
    """The least κ that multipliers prove; or multipliers that prove the given `kappa`. None if there are none.

    By linear programmes over finitely many directions u of uᵀQu > 0, to which the eigenvectors below that are added.
    """
    from scipy.optimize import linprog

    present = problem.present
    variance, error = problem.variance.astype(float), problem.error.astype(float)
    constraints = problem.counts @ problem.distances.astype(float)
    cuts = []
    for way in itertools.product((-1.0, -0.5, 0.0, 0.5, 1.0), repeat=len(present)):
        if any(way):
            direction = np.zeros(3)
            direction[present] = np.array(way) / np.linalg.norm(way)
            cuts.append(_cut(direction))
    for group in problem.spread:
        cuts.append(np.eye(SIZE)[6 + group])
    found = None
    for _ in range(rounds):
        at = np.array(cuts)
        free = at @ variance if kappa is None else -np.ones(len(at))  # κ itself, or a margin to be as wide as can be
        fixed = at @ error - (0 if kappa is None else kappa) * (at @ variance) + MARGIN
        found = linprog(
            [1 if kappa is None else -1, *[0] * len(constraints)],
            A_ub=np.concatenate([-free[:, None], at @ constraints.T], axis=1),
            b_ub=-fixed,
            bounds=[(0, None if kappa is None else 1), *[(0, None)] * len(constraints)],
            method="highs",
            options={"presolve": False, **TOLERANCES},  # which takes longer than such a small programme itself
        )
        if found.status != 0:
            return None
        level, multipliers = found.x[0], found.x[1:]
        q = (level if kappa is None else kappa) * variance - error - multipliers @ constraints
        values, vectors = np.linalg.eigh(_matrix(q, present))
        if values[0] > MARGIN / 2:
            break
        for value, vector in zip(values, vectors.T, strict=True):
            if value < MARGIN:
                direction = np.zeros(3)
                direction[present] = vector
                cuts.append(_cut(direction))
    else:
        return None
    weights = -found.ineqlin.marginals @ at
    gram = np.zeros((3, 3))
    for value, (i, j) in zip(weights, PLACES, strict=False):
        gram[i, j] = gram[j, i] = value
    return Solved(float(level if kappa is None else kappa), multipliers, gram, weights[6:])
