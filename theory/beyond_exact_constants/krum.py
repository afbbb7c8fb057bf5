"""κ* of Krum in every dimension, as a small semidefinite programme: certified from above, attained from below.

Given the chosen message's neighbours, all is linear in the Gram matrix, which symmetry makes one of four groups: the
proof is in `krum.md`. Multipliers are found in floating point and checked in rationals, for every kind of neighbours;
the dual is made into rational messages, on which Krum's exact definition is asked.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from theory.beyond_exact_constants.programme import B, H, K, Programme, Solved, Z, programme, solve

Rows = list[list[Fraction]]


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


def error_ratio(output: Sequence[Any], honest: Sequence[Sequence[Any]]) -> Any:
    """‖output − x̄‖²/v, v = (1/g)Σ‖x_i − x̄‖² > 0, of rationals, Python's or flint's."""
    g = len(honest)
    mean = [sum(column) / g for column in zip(*honest, strict=True)]
    variance = sum((x - m) ** 2 for row in honest for x, m in zip(row, mean, strict=True)) / g
    return sum((y - m) ** 2 for y, m in zip(output, mean, strict=True)) / variance
