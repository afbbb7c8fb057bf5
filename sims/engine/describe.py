"""Any value of ours as plain JSON, and a key that two different configurations cannot share."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import sys
from abc import ABCMeta
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from sims.backend import to_numpy
from sims.engine.code import code_of, digest, function_tree
from sims.engine.streams import STREAMS_VERSION

CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def describe(value: Any) -> Any:
    """A value as JSON: dataclasses and rules with all their parameters, arrays with dtype, functions by their text.

    Equal parameters have one form: zero has no sign, and where a real is meant, in a field of the type `float` or one
    that `reals` names, 1 is 1.0. A function is described by its name, for its module's text is in keys, and by the data
    of its module that it reads; a lambda or a function within another by the digest of its syntax tree, its defaults
    and its closure, too. What cannot be described becomes {"opaque": type}, for which `key` refuses, as an instance of
    a class that does not stand under its name in its module.

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
        if all(isinstance(name, str) for name in value):
            return {name: _described(item, leaf) for name, item in value.items()}
        pairs = [[_described(name, _exact), _described(item, leaf)] for name, item in value.items()]
        return {"mapping": sorted(pairs, key=canonical)}
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        host = to_numpy(value)
        if leaf is _real:
            host = host.astype(np.float64)
        return {"array": _described(host.tolist(), leaf), "dtype": str(host.dtype)}
    if isinstance(value, FunctionType):
        return _function(value)
    if isinstance(value, type):
        return {"class": _name(value)} if _stands(value) else {"opaque": _nowhere(value)}
    if dataclasses.is_dataclass(value) or isinstance(type(value), ABCMeta):
        if not _stands(type(value)):
            return {"opaque": _nowhere(type(value))}
        return {"type": _name(type(value)), **_attributes(value)}
    return {"opaque": _name(type(value))}


def _attributes(value: Any) -> dict[str, Any]:
    """The fields of a dataclass, and whatever else an instance has: somebody's rule may be any class."""
    fields = {field.name: field.type for field in dataclasses.fields(value)} if dataclasses.is_dataclass(value) else {}
    others = sorted({*getattr(value, "__dict__", {}), *_slots(value)} - fields.keys())
    kept = [name for name in others if not isinstance(getattr(type(value), name, None), functools.cached_property)]
    reals = getattr(type(value), "reals", {})
    real = {name for name in (*fields, *kept) if name in reals or fields.get(name) in ("float", float)}
    return {name: _described(getattr(value, name), _real if name in real else _exact) for name in (*fields, *kept)}


def _slots(value: Any) -> Iterator[str]:
    """The attributes that an instance has in slots of its classes."""
    for cls in type(value).__mro__:
        slots = vars(cls).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            private = name.startswith("__") and not name.endswith("__")
            own = f"_{cls.__name__.lstrip('_')}{name}" if private else name
            if own not in ("__dict__", "__weakref__") and hasattr(value, own):
                yield own


def _stands(cls: type) -> bool:
    """Whether a class is what its module has under its name: one that a function makes may be any of many."""
    found: Any = sys.modules.get(cls.__module__)
    for name in cls.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is cls


def _nowhere(cls: type) -> str:
    return f"the class {_name(cls)}, which its module does not have under this name"


def _function(value: FunctionType) -> dict[str, Any]:
    """A function by its name; one that has none of its own in its module by its text as well."""
    read = {"reads": data} if (data := _data(value.__code__, value.__globals__)) else {}
    if "<" not in value.__qualname__ and getattr(sys.modules.get(value.__module__), value.__name__, None) is value:
        return {"function": _name(value), **read}
    tree = function_tree(value)
    if tree is None:
        return {"opaque": f"the function {_name(value)} without its source"}
    closure = [describe(cell.cell_contents) for cell in value.__closure__ or ()]
    defaults = [describe(value.__defaults__), describe(value.__kwdefaults__)]
    return {"function": _name(value), "text": digest(tree), "closure": closure, "defaults": defaults, **read}


def _data(code: CodeType, module: Mapping[str, Any]) -> dict[str, Any]:
    """The data that a function reads from its module, which a loop or a notebook may change."""
    found = {
        name: describe(value)
        for name in code.co_names
        if not callable(value := module.get(name, len)) and not isinstance(value, ModuleType)
    }
    for inner in code.co_consts:
        found |= _data(inner, module) if isinstance(inner, CodeType) else {}
    return found


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
