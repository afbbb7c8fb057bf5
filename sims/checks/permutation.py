"""Whether an algorithm over t rounds notices who sent what: a search that returns the smallest counterexample.

Permutations of n workers, a different one each round, are products of exchanges of two neighbours in one round; so an
array function is invariant under all of them if and only if it is under those t(n − 1) exchanges, on every array.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from sims.checked import whole
from sims.checks.exact_algorithm import ExactAlgorithm, every_path, run

Part = Literal["queries", "output", "both"]
Rows = tuple[tuple[int, ...], ...]
SIZES = ((2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (4, 1))  # (n, t)
VALUES = (-1, 0, 1)


@dataclass(frozen=True)
class Counterexample:
    """A t × n array of gradients, and a round and a worker who, if exchanged with the next, change what comes out."""

    gradients: Rows
    round: int
    worker: int
    before: Any
    after: Any

    @property
    def n(self) -> int:
        """The number of workers."""
        return len(self.gradients[0])

    @property
    def t(self) -> int:
        """The number of rounds."""
        return len(self.gradients)

    def __str__(self) -> str:
        rows = "; ".join(", ".join(map(str, row)) for row in self.gradients)
        return (
            f"n = {self.n}, t = {self.t}, rounds ({rows}), workers {self.worker} and {self.worker + 1} of round "
            f"{self.round} exchanged: {_words(self.before)} becomes {_words(self.after)}"
        )


def seen(algorithm: ExactAlgorithm, array: Rows, part: Part) -> Any:
    """The query points of rounds 1, …, t, the output, or both in a row, in rationals."""
    queries, output = run(algorithm, [[Fraction(g) for g in row] for row in array])
    return _part((*queries, output), part)


def _part(path: tuple[Fraction, ...], part: Part) -> Any:
    return {"queries": path[:-1], "output": path[-1], "both": path}[part]


def exchanges(array: Rows) -> Iterator[tuple[int, int, Rows]]:
    """All arrays that differ from this one by an exchange of two neighbours in one round, with that round and place."""
    for r, row in enumerate(array):
        for i in range(len(row) - 1):
            if row[i] != row[i + 1]:
                swapped = (*row[:i], row[i + 1], row[i], *row[i + 2 :])
                yield r, i, (*array[:r], swapped, *array[r + 1 :])


def enumerate_all(
    algorithm: ExactAlgorithm, n: int, t: int, values: Sequence[int], part: Part
) -> tuple[int, int, Counterexample | None]:
    """How many exchanges change something, how many there are, and the smallest of those that do (by Σ|values|)."""
    n, t = whole("enumerate_all", "n", n, least=1), whole("enumerate_all", "t", t, least=1)
    rows = tuple(itertools.product(values, repeat=n))
    fractions = {row: tuple(map(Fraction, row)) for row in rows}
    paths = every_path(algorithm, rows, t, lambda row, x: fractions[row])
    results = {a: _part(path, part) for a, path in zip(itertools.product(rows, repeat=t), paths, strict=True)}
    changed, total, best = 0, 0, None
    for array, before in results.items():
        for r, i, other in exchanges(array):
            total += 1
            if results[other] != before:
                changed += 1
                if best is None or weight(array) < weight(best.gradients):
                    best = Counterexample(array, r + 1, i + 1, before, results[other])
    return changed, total, best


@dataclass(frozen=True)
class Enumeration:
    """How many of `total` exchanges change something, and the smallest that does: fewest workers, then rounds."""

    changed: int
    total: int
    smallest: Counterexample | None


def tally(
    algorithm: ExactAlgorithm, part: Part, sizes: Sequence[tuple[int, int]] = SIZES, values: Sequence[int] = VALUES
) -> Enumeration:
    """All exchanges in all arrays of `values` of the given sizes (n, t).

    A size for which the rule is not defined is passed over; `ValueError` if none is left.
    """
    changed = total = 0
    first = None
    for n, t in sorted(sizes):
        try:
            more, tried, found = enumerate_all(algorithm, n, t, values, part)
        except ValueError:
            continue
        changed, total, first = changed + more, total + tried, first or found
    if not total:
        raise ValueError(f"no size (n, t) among {list(sizes)} leaves anything to exchange")
    return Enumeration(changed, total, first)


def weight(array: Rows) -> tuple[int, int, int, Rows]:
    """What is smallest: Σ|values|, then the number of values that are not 0, then of negative ones."""
    flat = [g for row in array for g in row]
    return sum(map(abs, flat)), sum(g != 0 for g in flat), sum(g < 0 for g in flat), array


def search(
    algorithm: ExactAlgorithm,
    part: Part,
    rng: np.random.Generator,
    *,
    n: int,
    t: int,
    arrays: int,
    largest: int = 8,
) -> tuple[Counterexample | None, int]:
    """A counterexample among random t × n arrays of integers, shrunk, or None; and how many exchanges were tried."""
    n, t = whole("search", "n", n, least=1), whole("search", "t", t, least=1)
    arrays, largest = whole("search", "arrays", arrays, least=0), whole("search", "largest", largest, least=0)
    tried = 0
    for _ in range(arrays):
        array = tuple(tuple(map(int, row)) for row in rng.integers(-largest, largest + 1, (t, n)))
        before = seen(algorithm, array, part)
        for r, i, other in exchanges(array):
            tried += 1
            after = seen(algorithm, other, part)
            if after != before:
                return shrink(algorithm, part, Counterexample(array, r + 1, i + 1, before, after)), tried
    return None, tried


def shrink(algorithm: ExactAlgorithm, part: Part, found: Counterexample) -> Counterexample:
    """A smaller one: rounds and workers left out, values moved towards 0, as long as an exchange still shows."""
    while True:
        for array in smaller(found.gradients):
            try:
                before = seen(algorithm, array, part)
                hits = (
                    Counterexample(array, r + 1, i + 1, before, after)
                    for r, i, other in exchanges(array)
                    if (after := seen(algorithm, other, part)) != before
                )
                better = next(hits, None)
            except ValueError:  # the rule is not defined for so few workers
                continue
            if better is not None:
                found = better
                break
        else:
            return found


def smaller(array: Rows) -> Iterator[Rows]:
    """Arrays with a round less, a worker less, or one value nearer to 0."""
    n, t = len(array[0]), len(array)
    if t > 1:
        yield from ((*array[:r], *array[r + 1 :]) for r in range(t))
    if n > 2:
        yield from (tuple((*row[:i], *row[i + 1 :]) for row in array) for i in range(n))
    for r, i in itertools.product(range(t), range(n)):
        value = array[r][i]
        for less in dict.fromkeys((0, int(value / 2), value - (value > 0) + (value < 0))):
            if abs(less) < abs(value):
                row = (*array[r][:i], less, *array[r][i + 1 :])
                yield (*array[:r], row, *array[r + 1 :])


def _words(value: Any) -> str:
    return f"({', '.join(map(str, value))})" if isinstance(value, tuple) else str(value)
