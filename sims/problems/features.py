"""Features of points as a problem keeps them: its own, dense, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from sims.backend import host


def dense(owner: str, features: Any) -> np.ndarray:
    """Features of any array library, or SciPy's sparse, as a dense float64 array that nobody else has or writes to.

    Raises `ValueError` for what is no array of real numbers or masked, and where there is not the memory.
    """
    given: Any = features if sparse.issparse(features) else array(features)
    if given is None or given.dtype.kind not in "biuf":
        told = type(features).__name__ if given is None else f"an array of {given.dtype}"
        raise ValueError(f"{owner} needs features of real numbers, got {told}")
    try:
        with np.errstate(all="ignore"):  # what is too large for float64 becomes infinite, and is found
            found = given.toarray() if sparse.issparse(given) else given
            found = found.astype(np.float64, order="C", copy=found is given)
    except (MemoryError, ValueError) as error:  # SciPy and NumPy say it in several ways
        size = 8.0 * given.shape[0] * given.shape[-1]
        raise ValueError(
            f"{owner} keeps features dense, and {given.shape[0]} × {given.shape[-1]} of them take {size:.3g} bytes, "
            "which are not there"
        ) from error
    found.flags.writeable = False
    return found


def array(values: Any) -> np.ndarray | None:
    """An array on the host of what is one, or of lists of numbers; None for what is neither, and for a masked one."""
    if isinstance(values, np.ma.MaskedArray):
        return None
    try:
        return host(values)
    except (TypeError, ValueError, OverflowError):  # lists of different lengths
        return None
