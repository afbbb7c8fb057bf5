"""κ* of Krum in every dimension, as a small semidefinite programme: certified from above, attained from below.

Let z be the message that Krum chooses and N its `neighbours` nearest others. Fix how many of N are Byzantine, and
whether z is. *Given N*, that no message scores less is linear in the Gram matrix: score(z) = Σ_N ‖z − x_j‖² ≤ Σ_S ‖x_i
− x_j‖² for every i and every S of as many others; and ‖z − x̄‖² is to be largest at v = 1, all linear. So the Gram
matrix may be averaged over all permutations of the honest messages in N, of those outside, and of the Byzantine ones in
N: it remains feasible and as good. What is left is four groups z, B, H, K: three centroids (z = 0) with a 3 × 3 Gram
matrix P ⪰ 0, and how far the members of each group are from their centroid, at the corners of a regular simplex, w ≥ 0.
In n dimensions this is exact, in fewer an upper bound.

*From above*: multipliers λ ≥ 0 with κv − ‖x̄‖² − Σ λ_S(score_S − score(z)) = ⟨Q, P⟩ + ⟨q, w⟩, Q ⪰ 0, q ≥ 0 prove κ* ≤
κ. They are found in floating point and checked in rationals, for every kind of N (Byzantine messages outside N are not
used). *From below*: the dual of the last linear programme is nearly a feasible P, w; mixed with a strictly feasible one
it is made into rational messages, on which Krum's exact definition is asked.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

Rows = list[list[Fraction]]
MARGIN = 1e-7  # of the eigenvalues of Q, so that rounding λ leaves them positive
Z, B, H, K = range(4)
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
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
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


@dataclass(frozen=True)
class Certified:
    """κ* of Krum between an exact ratio on rational messages and what multipliers prove in rationals."""

    lower: Fraction
    upper: Fraction
    rows: Rows
    honest: int  # how many of the rows, the first ones


@functools.cache
def certified(n: int, f: int, neighbours: int) -> Certified | None:
    """κ* of Krum with scores over that many nearest others, f of n Byzantine, any declared F; None if it is not found.

    Needs 1 ≤ `neighbours` ≤ n − f − 1 and more than f − 1 of them, or nothing holds the Byzantine ones.
    """
    if not max(f, 1) <= neighbours <= n - f - 1:
        return None
    kinds = [(False, near) for near in range(f)] + [(True, near) for near in range(f + 1)]
    problems = {kind: found for kind in kinds if (found := programme(n, f, neighbours, *kind)) is not None}
    likely = [kind for kind in ((False, f - 1), (True, f)) if kind in problems]  # all that can stand beside z does
    solved = {kind: found for kind in likely if (found := solve(problems[kind])) is not None}
    if len(solved) < len(likely):
        return None
    best = max(solved, key=lambda kind: solved[kind].kappa)
    upper = Fraction(solved[best].kappa) * (1 + Fraction(1, 10**7))
    for kind, problem in problems.items():
        found = solved[kind] if kind in solved else solve(problem, float(upper))
        if found is None or not found.proves(problem, upper):
            return None
    rows, honest = messages(problems[best], solved[best])
    mirrored = [[-value for value in row] for row in rows]  # ties are broken the other way there
    lower, rows = max(((ratio(way, honest, neighbours), way) for way in (rows, mirrored)), key=lambda pair: pair[0])
    return Certified(lower, upper, rows, honest)


def messages(problem: Programme, found: Solved, inwards: float = 1e-6) -> tuple[Rows, int]:
    """Rational messages of nearly that Gram matrix, the honest first; mixed with a strictly feasible one by `inwards`.

    There all honest messages but z are the corners of a regular simplex with z in its middle, and the Byzantine ones
    close to z, but none as central.
    """
    sizes = problem.sizes
    safe, wide = np.zeros((3, 3)), np.array([1e-2, 1.0, 1.0])
    for group in (B, H, K):
        if sizes[group] == 1:
            safe[group - 1, group - 1], wide[group - 1] = wide[group - 1], 0.0
    gram = (1 - inwards) * found.gram + inwards * safe
    widths = (1 - inwards) * np.maximum(found.widths, 0) + inwards * wide
    values, vectors = np.linalg.eigh(gram)
    centres = np.concatenate([np.zeros((1, 3)), vectors * np.sqrt(np.maximum(values, 0))])
    total = sum(sizes[1:])
    rows: dict[int, Rows] = {}
    used = 0
    for group in (Z, B, H, K):
        size = sizes[group]
        width = 0.0 if group == Z or size < 2 else float(np.sqrt(max(widths[group - 1], 0) * size / (size - 1)))
        rows[group] = []
        for j in range(size):
            corner = [Fraction(0)] * total
            for k in range(size if group != Z else 0):
                corner[used + k] = _near(width) * (Fraction(int(j == k)) - Fraction(1, size))
            rows[group].append([*(_near(value) for value in centres[group]), *corner])
        used += size if group != Z else 0
    honest = [*(rows[Z] if problem.honest else []), *rows[H], *rows[K]]
    return [*honest, *([] if problem.honest else rows[Z]), *rows[B]], len(honest)


def _near(value: float) -> Fraction:
    """A rational with few digits near a number."""
    return Fraction(round(value * 2**34), 2**34)


def ratio(rows: Rows, honest: int, neighbours: int) -> Fraction:
    """‖Krum − x̄‖²/v on the messages, of which the first `honest` are, by the exact definition of Krum's scores."""
    from sims.aggregators import Krum
    from sims.checks.exact_rules import exact_aggregate

    told = len(rows) - neighbours - 2  # Krum's own F, so that its n − F − 2 are these
    chosen = exact_aggregate(Krum(told) if told >= 0 else Krum(told + 1, "byzfl"), rows)
    return error_ratio(chosen, rows[:honest])


def error_ratio(output: Sequence[Fraction], honest: Rows) -> Fraction:
    """‖output − x̄‖²/v, v = (1/g)Σ‖x_i − x̄‖² > 0."""
    g = len(honest)
    mean = [sum(column, Fraction(0)) / g for column in zip(*honest, strict=True)]
    variance = sum(((x - m) ** 2 for row in honest for x, m in zip(row, mean, strict=True)), Fraction(0)) / g
    return sum(((y - m) ** 2 for y, m in zip(output, mean, strict=True)), Fraction(0)) / variance
