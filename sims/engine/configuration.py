"""What a run was made of, as plain JSON, and a key that two different configurations cannot share."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import math
import platform
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from sims.backend import to_numpy

STREAMS_VERSION = 1  # of the random streams: raised whenever the same seed would draw other numbers


def describe(value: Any) -> Any:
    """A value as JSON: dataclasses and plain objects with all their parameters, arrays with dtype, functions by their code.

    A plain function is described by its name and a digest of its code, constants, defaults and closure (not of the globals
    it reads). What cannot be described becomes {"opaque": type}, for which `key` refuses.

    >>> from sims.aggregators import TrimmedMean
    >>> describe(TrimmedMean(f=2))
    {'type': 'sims.aggregators.trimmed_mean:TrimmedMean', 'f': 2}
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, np.generic):
        return describe(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}  # JSON has no infinity
    if isinstance(value, tuple | list | range):
        return [describe(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): describe(item) for name, item in value.items()}
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        host = to_numpy(value)
        return {"array": describe(host.tolist()), "dtype": str(host.dtype)}
    if isinstance(value, FunctionType):
        return {"function": _name(value), "digest": _digest_of_function(value)}
    if isinstance(value, type):
        return {"class": _name(value)}
    if dataclasses.is_dataclass(value):
        fields = {field.name: describe(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"type": _name(type(value)), **fields}
    if hasattr(value, "__dict__") and not isinstance(value, Callable | np.random.Generator):
        return {"type": _name(type(value)), **{name: describe(item) for name, item in sorted(vars(value).items())}}
    return {"opaque": _name(type(value))}


def key(configuration: Mapping[str, Any]) -> str:
    """32 hexadecimal digits that stand for a configuration; raises `ValueError` if a part of it could not be described."""
    text = json.dumps(configuration, sort_keys=True, ensure_ascii=True, allow_nan=False)
    if '"opaque":' in text:
        raise ValueError(f"a key needs parameters that can be described, got {_opaque(configuration)}")
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def versions() -> dict[str, Any]:
    """The versions on which recorded numbers depend."""
    try:
        byzcheck = importlib.metadata.version("byzcheck")
    except importlib.metadata.PackageNotFoundError:
        byzcheck = "not installed"
    return {
        "byzcheck": byzcheck,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "streams": STREAMS_VERSION,
    }


def _name(thing: Any) -> str:
    return f"{thing.__module__}:{thing.__qualname__}"


def _digest_of_function(function: FunctionType) -> str:
    cells = [describe(cell.cell_contents) for cell in function.__closure__ or ()]
    defaults = [describe(function.__defaults__), describe(function.__kwdefaults__)]
    text = json.dumps([_code(function.__code__), cells, defaults], sort_keys=True)
    return text if '"opaque":' in text else hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _code(code: CodeType) -> list[Any]:
    constants = [_code(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return [code.co_code.hex(), constants, list(code.co_names), list(code.co_varnames)]


def _opaque(part: Any) -> str:
    if isinstance(part, Mapping):
        found = [part["opaque"]] if "opaque" in part else [_opaque(item) for item in part.values()]
        return ", ".join(name for name in found if name)
    return ", ".join(filter(None, map(_opaque, part))) if isinstance(part, list) else ""
