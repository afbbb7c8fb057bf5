"""Rates as slopes: the slope of log error against log T, with an interval that is as honest as those of the errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sims.checked import numbers

ROUNDING = 1e-12  # of a weighted sum of a few dozen logarithms


def slope(
    sizes: Sequence[float], low: Sequence[float], high: Sequence[float], weights: Sequence[float] | None = None
) -> tuple[float, float]:
    """The slope of log y against log T by weighted least squares, as (middle, radius), where low_k ≤ y_k ≤ high_k.

    The slope is Σ_k c_k log y_k with c_k = w_k(t_k − t̄)/Σ w(t − t̄)², t = log T: linear in the logarithms, so that its
    range over the box of all y is found by taking each y_k at one of its ends. Nothing is assumed of how the errors
    within the box are distributed or depend on each other: if all intervals hold, so does that of the slope, and its
    false-alarm probability is at most the sum of theirs. A lower end of 0 makes the radius infinite.

    `weights` default to 1. Raises `ValueError` unless two sizes differ, 0 < T, 0 < high, 0 ≤ low ≤ high and w > 0.

    >>> slope([10, 100, 1000], [1.0, 0.1, 0.01], [1.0, 0.1, 0.01])[0]
    -1.0
    """
    given = {"sizes": sizes, "low": low, "high": high} | ({} if weights is None else {"weights": weights})
    read = {name: numbers("slope", name, values).astype(np.float64) for name, values in given.items()}
    if flat := [f"{name} of shape {values.shape}" for name, values in read.items() if values.ndim != 1]:
        raise ValueError(f"slope needs a number for each size, got {flat[0]}")
    places, lower, upper = read["sizes"], read["low"], read["high"]
    w = read.get("weights", np.ones(len(places)))
    _check(places, lower, upper, w)
    t = np.log(places)
    away = t - np.sum(w * t) / np.sum(w)
    c = w * away / np.sum(w * away**2)
    with np.errstate(divide="ignore"):
        bottom, top = np.log(lower), np.log(upper)
    if not np.all(np.isfinite(bottom)):
        return float(c @ np.where(np.isfinite(bottom), (bottom + top) / 2, top)), float("inf")
    radius = float(np.abs(c) @ (top - bottom)) / 2
    return round(float(c @ (bottom + top)) / 2, 12), radius + ROUNDING


def _check(places: Any, lower: Any, upper: Any, w: Any) -> None:
    if not len(places) == len(lower) == len(upper) == len(w):
        lengths = ", ".join(str(len(values)) for values in (places, lower, upper, w))
        raise ValueError(f"slope needs sizes, low, high and weights of one length, got {lengths}")
    if len(set(places.tolist())) < 2 or not np.all(places > 0):
        raise ValueError(f"slope needs at least 2 different sizes, all > 0, got {places.tolist()}")
    if not (np.all(lower >= 0) and np.all(lower <= upper) and np.all(upper > 0)):
        raise ValueError(f"slope needs 0 ≤ low ≤ high and high > 0, got {lower.tolist()} and {upper.tolist()}")
    if not np.all(w > 0):
        raise ValueError(f"slope needs weights > 0, got {w.tolist()}")
