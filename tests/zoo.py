"""Values that somebody may give for a parameter by mistake, and what it may do with one: refuse it, or work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from sims.engine.describe import describe

ZOO: dict[str, Any] = {
    "NaN": float("nan"),
    "−NaN": -float("nan"),
    "∞": float("inf"),
    "−∞": -float("inf"),
    "0": 0,
    "0.0": 0.0,
    "−0.0": -0.0,
    "−1": -1,
    "−0.5": -0.5,
    "the smallest denormal": 5e-324,
    "a denormal": 1e-310,
    "tiny": 1e-200,
    "huge": 1e308,
    "1": 1,
    "2.0": 2.0,
    "2.5": 2.5,
    "an imaginary number": 1j,
    "True": True,
    "NumPy's True": np.True_,
    "None": None,
    "a text": "2",
    "bytes": b"2",
    "nothing in a list": [],
    "a list": [1.0],
    "a tuple": (1.0,),
    "truth among numbers": [True, 1.0],
    "a ragged list": [[1.0], [2.0, 3.0]],
    "None in a list": [None],
    "a text in a list": ["1"],
    "NaN in a list": [0.5, float("nan")],
    "a mapping": {"a": 1},
    "an object": object(),
    "a masked array": np.ma.masked_array([1.0, 2.0], mask=[True, False]),
    "a masked number": np.ma.masked,
    "an array of objects": np.array([1.0, None], dtype=object),
    "an array of texts": np.array(["1"]),
    "a complex array": np.array([1j]),
    "an array of truth values": np.array([True, False]),
    "a matrix": np.ones((1, 1)).view(np.matrix),
    "no array entries": np.zeros(0),
    "an array": np.array([0.5, 0.25]),
    "a column": np.array([[0.5], [0.25]]),
    "an array of no axes": np.array(0.5),
    "a big-endian array": np.array([0.5, 0.25], dtype=">f8"),
    "an endless array": np.broadcast_to(0.5, (10**6, 10**6, 1)),
    "an endless array, in part": np.broadcast_to(np.array([0.5, np.nan])[:, None], (2, 10**12)),
    "NumPy's 2": np.int64(2),
    "NumPy's unsigned 2": np.uint8(2),
    "NumPy's half": np.float32(0.5),
    "NumPy's NaN": np.float16("nan"),
    "a date": np.datetime64("2021-06-01"),
    "a fraction": Fraction(1, 2),
    "a fraction beyond floats": Fraction(10**400),
    "a decimal": Decimal("0.5"),
    "beyond floats": 10**400,
    "beyond what Python writes": 10**6000,
    "below floats": -(10**400),
}
TWINS: dict[str, Any] = {  # another spelling of a plain value, and that value
    "−0.0": 0.0,
    "NumPy's 2": 2,
    "NumPy's unsigned 2": 2,
    "NumPy's half": 0.5,
    "an array of no axes": 0.5,
    "a fraction": 0.5,
    "a list": (1.0,),
}
EXTREME = {"huge", "an endless array"}  # at which iterates may overflow, which a record says as it is


class SilentError(Exception):
    """A wrong value that was not refused in the documented way; the text says what happened."""


def tried(make: Callable[..., Any], use: Callable[[Any], Any], given: Mapping[str, Any], name: str, value: Any) -> Any:
    """What `use` gives for what `make` makes with `value` for the parameter `name`; None where that was refused.

    Raises `SilentError` for any other exception than a `ValueError` with the name of the parameter.
    """
    try:
        return use(make(**{**given, name: value}))
    except ValueError as error:
        if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", str(error)):
            raise SilentError(f"{name} = {_short(value)}: {error}") from error
        return None
    except Exception as error:
        raise SilentError(f"{name} = {_short(value)}: {type(error).__name__}: {error}") from error


def faults(
    make: Callable[..., Any],
    use: Callable[[Any], Any],
    given: Mapping[str, Any],
    names: Mapping[str, Any],
    right: Callable[[Any], bool],
) -> Iterator[str]:
    """A sentence for each value and parameter with which something is neither refused nor right."""
    for name in names:
        for called, value in ZOO.items():
            try:
                found = tried(make, use, given, name, value)
                twin = tried(make, use, given, name, TWINS[called]) if called in TWINS else None
            except SilentError as error:
                yield f"{called}: {error}"
                continue
            if found is None:
                continue
            if called not in EXTREME and not right(found):
                yield f"{called}: {name} = {_short(value)} gives {found!r:.200}"
            if called in TWINS and not _same(found, twin):
                yield f"{called}: {name} = {_short(value)} gives something else than {TWINS[called]!r}"
            made = make(**{**given, name: value})
            if not is_dataclass(made):
                continue
            if isinstance(vars(made).get(name), np.generic | list):
                yield f"{called}: {name} is kept as {type(vars(made)[name]).__name__}"
            if called in TWINS and describe(made) != describe(make(**{**given, name: TWINS[called]})):
                yield f"{called}: {name} has another key than {TWINS[called]!r}"


def _short(value: Any) -> str:
    try:
        return f"{value!r:.60}"
    except Exception:
        return type(value).__name__


def _same(a: Any, b: Any) -> bool:
    if a is None:
        return b is None
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return isinstance(b, tuple | list) and len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, np.ndarray | float | int):
        a, b = np.asarray(a), np.asarray(b)
        return np.array_equal(a, b, equal_nan=a.dtype.kind == b.dtype.kind == "f")
    return b is not None
