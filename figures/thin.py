"""Lines with no more points than can be seen."""

from __future__ import annotations

import numpy as np


def thinned(points: np.ndarray, tolerance: float) -> np.ndarray:
    """The points without those that can be spared: none of these is farther from the line through the others.

    points: (k, 2), finite; the first and the last stay. Raises ValueError unless they are, and tolerance ≥ 0.

    >>> thinned(np.array([[0, 0], [1, 0.01], [2, 0], [2, 1]]), 0.05).tolist()
    [[0.0, 0.0], [2.0, 0.0], [2.0, 1.0]]
    """
    points = np.asarray(points, float)
    return points[needed(points, tolerance)]


def needed(points: np.ndarray, tolerance: float) -> np.ndarray:
    """Which points `thinned` keeps: between two of them the farthest from their segment, unless it is near enough.

    After Douglas and Peucker (1973).
    """
    points = np.asarray(points, float)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"points must have the shape (k, 2), got {points.shape}")
    if not tolerance >= 0:
        raise ValueError(f"tolerance must be ≥ 0, got {tolerance}")
    kept = np.zeros(len(points), bool)
    kept[[0, -1]] = True
    todo = [(0, len(points) - 1)]
    while todo:
        first, last = todo.pop()
        if last - first < 2:
            continue
        distances = from_segment(points[first + 1 : last], points[first], points[last])
        farthest = int(np.argmax(distances))
        if distances[farthest] > tolerance:
            middle = first + 1 + farthest
            kept[middle] = True
            todo += [(first, middle), (middle, last)]
    return kept


def from_segment(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """How far each point is from the segment between two others."""
    along = end - start
    length_sq = float(along @ along)
    share = np.clip((points - start) @ along / length_sq, 0, 1) if length_sq else np.zeros(len(points))
    return np.hypot(*(points - start - share[:, None] * along).T)
