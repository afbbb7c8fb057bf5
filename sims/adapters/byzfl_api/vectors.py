"""What ByzFL calls vectors, as messages (n, d), and its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import is_torch_array

from sims import checked
from sims.aggregators import Rule
from sims.backend import Array, namespace

Vectors = Any  # a list of arrays or tensors, or one of them all


def read(vectors: Vectors) -> tuple[Array, tuple[int, ...]]:
    """Messages (n, d) of a list of arrays or tensors or of one (n, …) of them all, and the shape of one.

    Tensors become float32, whole numbers float64. Raises `TypeError` for anything else, `ValueError` for no vectors.
    """
    if isinstance(vectors, list) and not vectors:
        raise ValueError("vectors needs at least one vector, got none")
    first = vectors[0] if isinstance(vectors, list) else vectors
    if is_torch_array(first):
        x = namespace(first).stack(vectors) if isinstance(vectors, list) else vectors
        x = x.float()
    elif isinstance(first, np.ndarray):
        x = np.asarray(vectors)
        x = x.astype(np.float64) if x.dtype.kind in "iub" else x
    else:
        raise TypeError(
            f"vectors must be a list of NumPy arrays or torch tensors, or one of them all, got {checked.told(vectors)}"
        )
    if x.ndim < 2:
        raise ValueError(f"vectors needs vectors along the first axis, got shape {tuple(x.shape)}")
    shape = tuple(x.shape[1:])
    return x.reshape(x.shape[0], int(np.prod(shape))), shape


def aggregated(rule: Rule, vectors: Vectors) -> Array:
    """What the rule makes of the vectors, in the shape of one."""
    x, shape = read(vectors)
    return rule.aggregate(x).reshape(shape)


def majority(owner: str, f: int, n: int) -> None:
    """Raise unless n ≥ 2f + 1."""
    if n < 2 * f + 1:
        raise ValueError(f"{owner} needs n ≥ 2f + 1, got n = {n}, f = {f}")


def a_float(
    owner: str,
    name: str,
    value: Any,
    least: float | None = None,
    error: type[Exception] = ValueError,
    finite: bool = True,
) -> float:
    """A parameter that ByzFL takes as a float and as nothing else; `error` is what it raises for the others."""
    if not isinstance(value, float):
        raise error(f"{owner} needs {name} as a float, got {name} = {checked.told(value)}")
    return checked.real(owner, name, value, least=least, finite=finite) + 0.0  # of −0.0 it makes 0.0
