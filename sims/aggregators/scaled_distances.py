"""Squared distances with an exponent beside them, where those of float64 numbers overflow or vanish: on the host.

A squared distance is fraction·2^exponent, and so is a sum of them. Differences are measured against the largest of
their pair, so that each square has its digits, from the smallest denormals up to the largest numbers. Within the range
of float64 all is rounded as it is there: a power of 2 changes no digit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

FARTHEST = 2**20  # the exponent of ∞, far above all others; that of 0 is its opposite


class Scaled(NamedTuple):
    """Numbers ≥ 0, fraction·2^exponent: fractions in [1/2, 1), or 0, or ∞."""

    fraction: np.ndarray
    exponent: np.ndarray

    def sorted(self) -> Scaled:
        """In ascending order along the last axis."""
        order = np.lexsort((self.fraction, self.exponent), axis=-1)
        return Scaled(*(np.take_along_axis(part, order, axis=-1) for part in self))

    def total(self) -> Scaled:
        """The sums along the last axis of numbers in ascending order, (..., k) → (...)."""
        largest = self.exponent[..., -1]
        terms = np.ldexp(self.fraction, np.maximum(self.exponent - largest[..., None], -5000))
        return normalised(np.sum(terms, axis=-1), largest)

    def power(self, exponent: float) -> Scaled:
        """To the power 1/2, 1 or 2."""
        if exponent == 1:
            return self
        if exponent == 2:
            return normalised(self.fraction**2, 2 * self.exponent)
        odd = self.exponent % 2
        return normalised(np.sqrt(np.ldexp(self.fraction, odd)), self.exponent // 2)

    def places(self) -> np.ndarray:
        """Float64 numbers in the same order along the last axis, equal where these are equal; ∞ stays what it is."""
        order = np.lexsort((self.fraction, self.exponent), axis=-1)
        fraction, exponent = (np.take_along_axis(part, order, axis=-1) for part in self)
        rises = (fraction[..., 1:] != fraction[..., :-1]) | (exponent[..., 1:] != exponent[..., :-1])
        ranks = np.zeros(order.shape)
        ranks[..., 1:] = np.cumsum(rises, axis=-1)
        found = np.empty(order.shape)
        np.put_along_axis(found, order, np.where(np.isinf(fraction), np.inf, ranks), axis=-1)
        return found


def normalised(fraction: np.ndarray, exponent: Any) -> Scaled:
    """`Scaled` numbers from any float64 ≥ 0 and exponents."""
    found, shift = np.frexp(fraction)
    exponents = np.where(found == 0, -FARTHEST, np.where(np.isinf(found), FARTHEST, exponent + shift))
    return Scaled(found, exponents.astype(np.int64))


def squares_between(rows: np.ndarray) -> Scaled:
    """The squared distances between finite float64 rows, (..., n, d) → (..., n, n)."""
    n = rows.shape[-2]
    halves = 0.5 * rows
    found = [_squares_to(rows, halves, i) for i in range(n)]
    return Scaled(*(np.stack(parts, axis=-1) for parts in zip(*found, strict=True)))


def _squares_to(rows: np.ndarray, halves: np.ndarray, i: int) -> Scaled:
    away = rows - rows[..., i : i + 1, :]
    largest = np.max(np.abs(away), axis=-1, initial=0.0)
    far = np.isinf(largest)  # where a difference overflows, those of which halving takes a digit are nothing
    if far.any():
        away = np.where(far[..., None], halves - halves[..., i : i + 1, :], away)
        largest = np.max(np.abs(away), axis=-1, initial=0.0)
    exponent = np.frexp(largest)[1].astype(np.int64)
    unit = np.ldexp(away, -exponent[..., None])
    return normalised(np.sum(unit * unit, axis=-1), 2 * (exponent + far))


@dataclass(frozen=True)
class ScaledDistances:
    """What `sims.aggregators.distances.Distances` is, for host arrays with exponents."""

    values: Scaled
    alive: np.ndarray
    every_rank: np.ndarray

    @classmethod
    def between(cls, rows: np.ndarray, alive: np.ndarray, ranks: np.ndarray) -> ScaledDistances:
        """Of float64 rows (..., n, d) that are zeros where they are not alive (..., n)."""
        return cls(_without(squares_between(rows), ~alive), alive, ranks)

    def ranks(self, runs: Any) -> np.ndarray:
        """The lexicographic ranks of the messages of some runs."""
        return self.every_rank[runs]

    def comparable(self) -> np.ndarray:
        """Numbers that are in the order of the distances, row by row, −1 on the diagonal."""
        n = self.alive.shape[-1]
        return np.where(np.eye(n, dtype=bool), -1.0, self.values.places())

    def scores(self, neighbours: int) -> np.ndarray:
        """Numbers that are in the order of the scores; infinite where a row is not alive."""
        if neighbours == 0:
            return np.where(self.alive, 0.0, np.inf)
        nearest = (part[..., 1 : neighbours + 1] for part in self.values.sorted())  # itself first, at no distance
        return np.where(self.alive, Scaled(*nearest).total().places(), np.inf)

    def in_unit(self, neighbours: int) -> np.ndarray:
        """The distances over a power of 2 near the least within which a row has as many `neighbours`, (..., n, n).

        If that is 0, near the least that is not. What is much farther is infinite, what is much nearer is 0, and the
        diagonal −1.
        """
        n, exponents = self.alive.shape[-1], self.values.exponent
        around = self.values.sorted().exponent[..., neighbours]  # itself first
        unit = np.min(np.where(self.alive, around, FARTHEST), axis=-1)[..., None, None]
        apart = np.where(exponents > -FARTHEST, exponents, FARTHEST)
        unit = np.where(unit > -FARTHEST, unit, np.min(apart, axis=(-2, -1), keepdims=True))
        unit = np.where(unit < FARTHEST, unit, 0)
        shifts = np.clip(exponents - unit, -5000, 5000)
        return np.where(np.eye(n, dtype=bool), -1.0, np.ldexp(self.values.fraction, shifts))

    def among(self, some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The distances between `some` (..., n), 0 elsewhere, over a power of 2 near the largest; its exponent."""
        both = some[..., :, None] & some[..., None, :]
        exponents = np.where(both, self.values.exponent, -FARTHEST)
        unit = np.max(exponents, axis=(-2, -1))
        unit = np.where(abs(unit) == FARTHEST, 0, unit)
        shifts = np.clip(exponents - unit[..., None, None], -5000, 5000)
        return np.ldexp(np.where(both, self.values.fraction, 0.0), shifts), unit

    def first_least(self, numbers: np.ndarray, exponents: list[np.ndarray]) -> np.ndarray:
        """Where number·2^exponent is least, the first of several: (..., k) → (..., 1)."""
        places = normalised(numbers, np.stack(exponents, axis=-1)).places()
        return np.argmin(places, axis=-1, keepdims=True)

    def raised(self, power: float, scores: np.ndarray) -> ScaledDistances:
        """Distances to a power, for which exponents need no unit."""
        return replace(self, values=self.values.power(power))

    def infinity(self) -> float:
        """∞ as a distance or score."""
        return np.inf

    def without(self, taken: np.ndarray, infinite: float) -> ScaledDistances:
        """The same, with the messages `taken` (..., n) infinitely far away."""
        return replace(self, values=_without(self.values, taken))


def _without(values: Scaled, taken: np.ndarray) -> Scaled:
    away = taken[..., None, :]
    return Scaled(np.where(away, np.inf, values.fraction), np.where(away, FARTHEST, values.exponent))
