"""Curves out of a sweep's table, as `byzcheck sweep table --format json` writes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Curve:
    """Means with their 95 % intervals along one axis, in ascending order; NaN where there is no interval."""

    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def curve(data: Mapping[str, Any], x: str, where: Mapping[str, Any]) -> Curve:
    """The rows with these settings, along the axis `x`.

    Raises ValueError if there is none, and if they differ in another setting too, so that a place of `x` is twice.

    >>> rows = [{"t": 2, "mean": {"float": "inf"}, "low": None, "high": None}, {"t": 1, "mean": 1, "low": 0, "high": 2}]
    >>> curve({"rows": rows}, "t", {}).mean.tolist()
    [1.0, inf]
    """
    said = ", ".join(f"{path} = {setting}" for path, setting in where.items())
    if not isinstance(data, Mapping) or not isinstance(data.get("rows"), list):
        raise ValueError("the figure's data have no rows: byzcheck sweep table")
    found = [row for row in data["rows"] if all(row.get(path) == setting for path, setting in where.items())]
    if not found:
        raise ValueError(f"the figure's data have no row with {said}: byzcheck sweep table")
    found.sort(key=lambda row: row[x])
    places = [row[x] for row in found]
    if len(set(places)) < len(places):
        raise ValueError(f"the figure's data have several rows with {said} at one {x}: more settings must be given")
    mean, low, high = (np.array([number(row[name]) for row in found]) for name in ("mean", "low", "high"))
    return Curve(np.array(places, float), mean, low, high)


def settings_of(data: Mapping[str, Any], path: str) -> list[Any]:
    """The values of an axis, in the order of the file.

    Raises ValueError if there is no such axis.
    """
    for name, values in data.get("axes", ()):
        if name == path:
            return values
    raise ValueError(f"the figure's data have no axis {path}: byzcheck sweep table")


def number(value: Any) -> float:
    """A number of the table, where null is NaN and ∞ is {"float": "inf"}."""
    if value is None:
        return math.nan
    return float(value["float"] if isinstance(value, Mapping) else value)
