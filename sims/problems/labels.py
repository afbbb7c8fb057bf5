"""Labels of classes: what a problem takes, and how others' labels become that."""

from __future__ import annotations

from typing import Any

import numpy as np

from sims.problems.features import array


def relabelled(labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Labels as files have them, ±1, 1, …, C or any whole numbers, as classes 0, …, C − 1 in ascending order.

    `labels` (m,) are whole numbers, also as floats. Returned are the classes (m,), int64, and the labels (C,) that they
    had, as the numbers they were: `values[classes]` are the labels again. No class is empty. Label flipping, y → C − 1
    − y, goes by this order. Raises `ValueError` unless the labels are whole and finite, with two or more different.

    >>> relabelled([1.0, -1.0, 1.0])
    (array([1, 0, 1]), array([-1.,  1.]))
    """
    y = array(labels)
    if y is None or y.ndim != 1 or y.dtype.kind not in "iuf":
        told = type(labels).__name__ if y is None else f"{y.dtype} {y.shape}"
        raise ValueError(f"relabelled needs labels (m,) of numbers, got {told}")
    with np.errstate(all="ignore"):  # a caller may have told NumPy to raise
        broken = y[~(np.isfinite(y) & (np.floor(y) == y))]
    if len(broken):
        raise ValueError(f"relabelled needs whole labels, got {broken[0]}")
    values, classes = np.unique(y, return_inverse=True)
    if len(values) < 2:
        raise ValueError(f"relabelled needs 2 different labels or more, got {values.tolist()}")
    return classes.astype(np.int64), values


def check_classes(owner: str, labels: np.ndarray) -> None:
    """Raise a `ValueError` unless the labels (m,), m ≥ 1, are whole numbers 0, …, C − 1 with C ≥ 2, none left out."""
    if np.issubdtype(labels.dtype, np.integer):
        found = np.unique(labels)
        if len(found) > 1 and found[0] == 0 and found[-1] == len(found) - 1:
            return
    told = np.array2string(np.unique(labels), threshold=9, edgeitems=4) if labels.dtype.kind in "biuf" else labels.dtype
    raise ValueError(
        f"{owner} needs whole labels 0, …, C − 1 with C ≥ 2 and no class left out, got {told}: "
        "sims.problems.relabelled makes them so"
    )
