"""The least mean squared error of any rule in one case of Definition C and its mirror image, from below, in integers.

The good messages are whole numbers, each drawn from its own rational law; the f Byzantine ones are chosen by their
multiset at random, with a kernel that is found by iteration and then rounded. Nothing of the bound rests on how it was
found (`below.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

Counts = tuple[int, ...]  # how many messages are at each place
Rows = tuple[tuple[int, ...], ...]  # a law for each good worker: weights of the places, each row with the same sum
STEPS = 80  # of the iteration for the kernel, whose value hardly moves by then
FINE = 2**20  # quotients are rounded up to multiples of 1/FINE
PARTS = 2**10  # the kernel's probabilities are multiples of 1/PARTS


def multisets(places: int, size: int) -> list[Counts]:
    """All ways to put `size` messages at so many places, as counts.

    >>> multisets(2, 2)
    [(0, 2), (1, 1), (2, 0)]
    """
    if places == 1:
        return [(size,)]
    return [(first, *rest) for first in range(size + 1) for rest in multisets(places - 1, size - first)]


def places_of(rows: Rows) -> list[int]:
    """Where the messages are, mirrored about 0, in half steps: −(V − 1), …, V − 1."""
    count = len(rows[0])
    return list(range(1 - count, count, 2))


def spread(rows: Rows) -> Fraction:
    """ρ² = max over pairs of E(x_i − x_j)², in squared half steps."""
    at = places_of(rows)
    total = sum(rows[0])
    moments = [
        [Fraction(sum(weight * x**k for weight, x in zip(row, at, strict=True)), total) for k in (1, 2)] for row in rows
    ]
    return max(a[1] + b[1] - 2 * a[0] * b[0] for i, a in enumerate(moments) for b in moments[:i])


def chances(rows: Rows) -> dict[Counts, int]:
    """The weight of every multiset of the good messages, whose sum is (sum of a row)^g."""
    found: dict[Counts, int] = {(0,) * len(rows[0]): 1}
    for row in rows:
        longer: dict[Counts, int] = {}
        for counts, chance in found.items():
            for place, weight in enumerate(row):
                if weight:
                    more = (*counts[:place], counts[place] + 1, *counts[place + 1 :])
                    longer[more] = longer.get(more, 0) + chance * weight
        found = longer
    return found


@dataclass(frozen=True)
class Game:
    """The multisets of good messages with their weights and sums; what all n messages are with each choice, by number.

    `seen[h, b]` is the number of the multiset that the rule sees, `mirrored[h, b]` that of its mirror image.
    """

    weights: list[int]
    sums: list[int]
    seen: np.ndarray
    mirrored: np.ndarray
    numbers: int

    @classmethod
    def of(cls, rows: Rows, f: int) -> Game:
        """The game of these laws and f Byzantine messages at the same places."""
        chance, at = chances(rows), places_of(rows)
        good, bad = np.array(list(chance)), np.array(multisets(len(at), f))
        digits = (len(rows) + f + 1) ** np.arange(len(at), dtype=np.int64)
        total = good[:, None] + bad
        both = np.stack([total @ digits, total[..., ::-1] @ digits])
        different, numbered = np.unique(both, return_inverse=True)
        seen, mirrored = numbered.reshape(both.shape)
        return cls(list(chance.values()), [int(s) for s in good @ at], seen, mirrored, len(different))

    def kernel(self, steps: int = STEPS) -> np.ndarray:
        """The Byzantine choices given the good multiset, which make the rule's least error large: (good, choices).

        Each step multiplies a choice by the error of the best rule after it, and takes half the step (geometrically).
        """
        shares = np.array([float(Fraction(w, sum(self.weights))) for w in self.weights])
        target = np.array(self.sums, dtype=np.float64)
        kernel = np.full(self.seen.shape, 1 / self.seen.shape[1])
        for _ in range(steps):
            z = shares[:, None] * kernel
            moved = z * target[:, None]
            mass, first = (
                np.bincount(self.seen.ravel(), part.ravel(), self.numbers)
                + sign * np.bincount(self.mirrored.ravel(), part.ravel(), self.numbers)
                for part, sign in ((z, 1), (moved, -1))
            )
            best = np.divide(first, mass, out=np.zeros_like(first), where=mass > 0)
            kernel = kernel * (abs(target[:, None] - best[self.seen]) + 1e-9)
            kernel /= kernel.sum(axis=1, keepdims=True)
        return kernel

    def least_error(self, kernel: np.ndarray) -> Fraction:
        """A lower bound of every rule's E(Σx̂ − Σx)² in the worse of the case and its mirror image, for this kernel.

        The sum over what is seen of E[s²] − E[s]²/P, s the sum of the good messages; each quotient is rounded up.
        """
        parts = np.floor(kernel * PARTS).astype(np.int64)
        parts[np.arange(len(parts)), parts.argmax(axis=1)] += PARTS - parts.sum(axis=1)
        mass, first = [0] * self.numbers, [0] * self.numbers
        for weight, target, row, here, there in zip(
            self.weights, self.sums, parts.tolist(), self.seen.tolist(), self.mirrored.tolist(), strict=True
        ):
            for part, y, z in zip(row, here, there, strict=True):
                if part:
                    mass[y] += weight * part
                    mass[z] += weight * part
                    first[y] += weight * part * target
                    first[z] -= weight * part * target
        second = 2 * PARTS * sum(weight * target**2 for weight, target in zip(self.weights, self.sums, strict=True))
        known = sum(-(-FINE * moved * moved // share) for moved, share in zip(first, mass, strict=True) if share)
        return Fraction(FINE * second - known, FINE * 2 * PARTS * sum(self.weights))


@cache
def needed(rows: Rows, f: int, steps: int = STEPS) -> Fraction:
    """A c that every rule needs: the least error beside δρ², for g = len(rows) good workers with these laws.

    >>> round(float(needed(((1, 1, 0),) * 2, 1)), 3)  # n = 3: the Byzantine message mirrors what stands alone
    0.75
    """
    game, g = Game.of(rows, f), len(rows)
    return game.least_error(game.kernel(steps)) / g**2 / (Fraction(f, g + f) * spread(rows))
