"""For definitions of rules in rational arithmetic: `Fraction`s, or flint's numbers, which are quicker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Vector = Sequence[Any]  # of rational numbers


def average(rows: Sequence[Vector]) -> list[Any]:
    """The mean of each coordinate."""
    return [sum(column) / len(rows) for column in zip(*rows, strict=True)]


def median(values: Vector) -> Any:
    """The middle value, or the midpoint of the two."""
    ordered, n = sorted(values), len(values)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2


def square(row: Vector, about: Vector | None = None) -> Any:
    """The squared length of a row, or of its difference from another."""
    away = row if about is None else [a - b for a, b in zip(row, about, strict=True)]
    return sum(value * value for value in away)


def on_a_line(name: str, rows: Sequence[Vector]) -> list[Any]:
    """The values of messages with one coordinate; a `ValueError` where there are more."""
    if len(rows[0]) != 1:
        raise ValueError(f"{name} has an exact definition for d = 1 only, got d = {len(rows[0])}")
    return [row[0] for row in rows]
