"""Any value of ours as plain JSON, and a key that two different configurations cannot share."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from abc import ABCMeta
from collections.abc import Mapping
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from sims.backend import to_numpy


def describe(value: Any) -> Any:
    """A value as JSON: dataclasses and rules with all their parameters, arrays with dtype, functions by their code.

    A plain function is described by its name and a digest of its code, constants, defaults and closure (not of the
    globals it reads). What cannot be described becomes {"opaque": type}, for which `key` refuses.

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
        closure = [describe(cell.cell_contents) for cell in value.__closure__ or ()]
        defaults = [describe(value.__defaults__), describe(value.__kwdefaults__)]
        code = hashlib.blake2b(json.dumps(_code(value.__code__)).encode(), digest_size=16).hexdigest()
        return {"function": _name(value), "code": code, "closure": closure, "defaults": defaults}
    if isinstance(value, type):
        return {"class": _name(value)}
    if dataclasses.is_dataclass(value):
        fields = {field.name: describe(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"type": _name(type(value)), **fields}
    if isinstance(type(value), ABCMeta):  # a rule, attack, problem, … that somebody wrote as a plain class
        return {"type": _name(type(value)), **{name: describe(item) for name, item in sorted(vars(value).items())}}
    return {"opaque": _name(type(value))}


def key(configuration: Mapping[str, Any]) -> str:
    """32 hexadecimal digits that stand for a configuration; `ValueError` if a part of it could not be described."""
    opaque = _opaque(configuration)
    if opaque:
        raise ValueError(f"a key needs parameters that can be described, got {', '.join(opaque)}")
    text = json.dumps(configuration, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _name(thing: Any) -> str:
    return f"{thing.__module__}:{thing.__qualname__}"


def _code(code: CodeType) -> list[Any]:
    return [code.co_code.hex(), [_constant(c) for c in code.co_consts], list(code.co_names), list(code.co_varnames)]


def _constant(constant: Any) -> Any:
    if isinstance(constant, CodeType):
        return _code(constant)
    if isinstance(constant, frozenset):
        return sorted(map(repr, constant))  # its own order changes from process to process
    return repr(constant)


def _opaque(part: Any) -> list[str]:
    """The types of all opaque parts."""
    if isinstance(part, Mapping):
        return [part["opaque"]] if "opaque" in part else [name for item in part.values() for name in _opaque(item)]
    return [name for item in part for name in _opaque(item)] if isinstance(part, list) else []
