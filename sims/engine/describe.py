"""Any value of ours as plain JSON, and a key that two different configurations cannot share."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
from abc import ABCMeta
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any

import numpy as np

from sims.backend import to_numpy
from sims.engine.code import code_of, function_tree
from sims.engine.streams import STREAMS_VERSION

CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def describe(value: Any) -> Any:
    """A value as JSON: dataclasses and rules with all their parameters, arrays with dtype, functions by their text.

    Equal parameters have one form: zero has no sign, and where a real is meant, in a field of the type `float` or one
    that `reals` names, 1 is 1.0. A function is described by its name, the digest of its syntax tree, its defaults and
    its closure. What cannot be described becomes {"opaque": type}, for which `key` refuses.

    >>> from sims.aggregators import CenteredClipping
    >>> describe(CenteredClipping(tau=1))
    {'type': 'sims.aggregators.centered_clipping:CenteredClipping', 'tau': 1.0, 'steps': 1}
    """
    return _described(value, _exact)


def canonical(value: Any) -> str:
    """The one text of plain JSON: keys in order, no spaces, ASCII.

    >>> canonical({"b": 1.0, "a": "ρ"})
    '{"a":"\\\\u03c1","b":1.0}'
    """
    return CANONICAL.encode(value)


def key(configuration: Mapping[str, Any], code: Mapping[str, str] | None = None) -> str:
    """The key of an experiment with this configuration: the `digest` of it, of the streams and of the code it uses.

    `code` is found in `sims.engine.code` unless given. Raises `ValueError` if a part could not be described or is NaN,
    or if code has no source.
    """
    if opaque := list(undescribed(configuration)):
        raise ValueError(f"a key needs parameters that can be described, got {', '.join(opaque)}")
    if code is None:
        code = code_of(sorted(set(modules_of(configuration))), configuration.get("backend", "numpy"))
    parts = {"code": dict(code), "configuration": dict(configuration), "streams": STREAMS_VERSION}
    return digest(canonical(parts))


def digest(text: str) -> str:
    """The first 32 hexadecimal digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def modules_of(description: Any) -> Iterator[str]:
    """The modules of all types and functions in a description."""
    if isinstance(description, Mapping):
        for name, part in description.items():
            if name in ("type", "function", "class") and isinstance(part, str) and ":" in part:
                yield part.partition(":")[0]
            else:
                yield from modules_of(part)
    elif isinstance(description, list):
        for part in description:
            yield from modules_of(part)


Leaf = Callable[[Any], Any]  # what becomes of a number


def _exact(number: Any) -> Any:
    if isinstance(number, float):
        number = number + 0.0  # no −0
        return number if math.isfinite(number) else {"float": str(number)}  # JSON has no infinity
    return number


def _real(number: Any) -> Any:
    return number if isinstance(number, bool) else _exact(float(number))


def _described(value: Any, leaf: Leaf) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return leaf(value)
    if isinstance(value, np.generic):
        return _described(value.item(), leaf)
    if isinstance(value, tuple | list | range):
        return [_described(item, leaf) for item in value]
    if isinstance(value, Mapping):
        return {str(name): _described(item, leaf) for name, item in value.items()}
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        host = to_numpy(value)
        if leaf is _real:
            host = host.astype(np.float64)
        return {"array": _described(host.tolist(), leaf), "dtype": str(host.dtype)}
    if isinstance(value, FunctionType):
        return _function(value)
    if isinstance(value, type):
        return {"class": _name(value)}
    if dataclasses.is_dataclass(value) or isinstance(type(value), ABCMeta):
        return {"type": _name(type(value)), **_attributes(value)}
    return {"opaque": _name(type(value))}


def _attributes(value: Any) -> dict[str, Any]:
    """The fields of a dataclass, and whatever else an instance has: somebody's rule may be any class."""
    fields = {field.name: field.type for field in dataclasses.fields(value)} if dataclasses.is_dataclass(value) else {}
    others = sorted(getattr(value, "__dict__", {}).keys() - fields.keys())
    kept = [name for name in others if not isinstance(getattr(type(value), name, None), functools.cached_property)]
    reals = getattr(type(value), "reals", {})
    real = {name for name in (*fields, *kept) if name in reals or fields.get(name) in ("float", float)}
    return {name: _described(getattr(value, name), _real if name in real else _exact) for name in (*fields, *kept)}


def _function(value: FunctionType) -> dict[str, Any]:
    tree = function_tree(value)
    if tree is None:
        return {"opaque": f"the function {_name(value)} without its source"}
    closure = [describe(cell.cell_contents) for cell in value.__closure__ or ()]
    defaults = [describe(value.__defaults__), describe(value.__kwdefaults__)]
    return {"function": _name(value), "text": digest(tree), "closure": closure, "defaults": defaults}


def _name(thing: Any) -> str:
    return f"{thing.__module__}:{thing.__qualname__}"


def undescribed(part: Any) -> Iterator[str]:
    """The types of all opaque parts of a description, and "NaN": what no key can stand for."""
    if isinstance(part, Mapping):
        if "opaque" in part:
            yield part["opaque"]
        elif part.get("float") == "nan":
            yield "NaN"
        else:
            for item in part.values():
                yield from undescribed(item)
    elif isinstance(part, list):
        for item in part:
            yield from undescribed(item)
