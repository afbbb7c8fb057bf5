"""Rules that average a choice of n − f values or messages, in rationals and literally, for the formulas to be held to.

Each takes the messages of one run, f, and returns the aggregate. Ties go to the smaller value, as everywhere here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

Row = Sequence[Any]  # of rationals, Python's or flint's
Exact = Callable[[Sequence[Row], int], Row]


def mean_of(rows: Sequence[Row]) -> Row:
    """The mean of each coordinate."""
    return [sum(column) / len(rows) for column in zip(*rows, strict=True)]


def square(x: Row, y: Row) -> Any:
    """‖x − y‖²."""
    return sum((a - b) ** 2 for a, b in zip(x, y, strict=True))


def _least(rows: Sequence[Row], f: int, size: Callable[[Sequence[Row]], Any]) -> Row:
    subsets = itertools.combinations(sorted(tuple(row) for row in rows), len(rows) - f)
    return mean_of(min(subsets, key=lambda some: (size(some), some)))


def minimum_diameter(rows: Sequence[Row], f: int) -> Row:
    """The mean of those n − f messages whose largest distance is least."""
    return _least(rows, f, lambda some: max((square(x, y) for x, y in itertools.combinations(some, 2)), default=0))


def minimum_variance(rows: Sequence[Row], f: int) -> Row:
    """The mean of those n − f messages of least variance: on the line also of the least largest eigenvalue."""

    def variance(some: Sequence[Row]) -> Any:
        middle = mean_of(some)
        return sum(square(x, middle) for x in some)

    return _least(rows, f, variance)


def _nearest(column: Row, to: Any, count: int) -> Any:
    return sum(sorted(column, key=lambda value: (abs(value - to), value))[:count]) / count


def mean_around_median(rows: Sequence[Row], f: int) -> Row:
    """In each coordinate the mean of the n − f values nearest to the median, the midpoint of two for even n."""
    n, found = len(rows), []
    for column in zip(*rows, strict=True):
        ordered = sorted(column)
        found.append(_nearest(column, (ordered[(n - 1) // 2] + ordered[n // 2]) / 2, n - f))
    return found


def mean_around_trimmed_mean(rows: Sequence[Row], f: int) -> Row:
    """In each coordinate the mean of the n − f values nearest to the trimmed mean."""
    n, found = len(rows), []
    for column in zip(*rows, strict=True):
        found.append(_nearest(column, sum(sorted(column)[f : n - f]) / (n - 2 * f), n - f))
    return found


def mean_around_pivot(rows: Sequence[Row], f: int) -> Row:
    """The mean of the n − f messages nearest to the first one, itself among them."""
    pivot = rows[0]
    return mean_of(sorted(rows, key=lambda row: (square(row, pivot), tuple(row)))[: len(rows) - f])
