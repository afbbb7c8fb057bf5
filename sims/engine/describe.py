"""Any value of ours as plain JSON, and a key that two different configurations cannot share."""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import math
import os
import typing
from abc import ABCMeta
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from sims.backend import to_numpy
from sims.engine.callables import Code, name_of, stands
from sims.engine.code import code_of, digest, kind_of
from sims.engine.library_values import of_library
from sims.engine.loaded import changed
from sims.engine.streams import STREAMS_VERSION

RESERVED = {  # names that descriptions use: a mapping that has one is described by pairs
    *("type", "function", "class", "module", "nowhere", "library", "again", "method", "of", "wrapper", "partial"),
    *("compiled", "options", "cached", "classes", "attributes", "reads", "text", "bytecode", "closure", "defaults"),
    *("empty", "array", "dtype", "shape", "kind", "masked", "float", "list", "set", "mapping", "value", "opaque"),
}
MISREAD = {"function", "class", "module", "float", "opaque", "attributes"}  # of RESERVED, what is looked for within
CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def describe(value: Any) -> Any:
    """A value as JSON: dataclasses and rules with all their parameters, arrays with dtype, functions and classes.

    Equal parameters of ours have one form: zero has no sign, and where a real is meant, in a field of the type `float`
    or one that `reals` names, 1 is 1.0. What one's own code may tell apart is apart: a list and a tuple, 0.0 and −0.0,
    the order of a mapping. A function or class is described by its name, for its module's text is in keys, and by the
    data that it has and reads: of its module, its class, its closure, and of the functions that it calls. One that its
    module does not have under its name (a lambda, one within a function, one that was edited or replaced) by its code,
    too. What cannot be described becomes {"opaque": what}, for which `key` refuses.

    >>> from sims.aggregators import CenteredClipping
    >>> describe(CenteredClipping(tau=1))
    {'type': 'sims.aggregators.centered_clipping:CenteredClipping', 'tau': 1.0, 'steps': 1}
    """
    try:
        return _described(value, EQUAL)
    except RecursionError:
        return {"opaque": f"a value of the type {name_of(type(value))} that contains itself or is nested too deeply"}


def canonical(value: Any) -> str:
    """The one text of plain JSON: keys in order, no spaces, ASCII.

    >>> canonical({"b": 1.0, "a": "ρ"})
    '{"a":"\\\\u03c1","b":1.0}'
    """
    return CANONICAL.encode(value)


def key(configuration: Mapping[str, Any], code: Mapping[str, str] | None = None) -> str:
    """The key of an experiment with this configuration: the `digest` of it, of the streams and of the code it uses.

    `code` is that of `code_as_loaded` unless given. Raises `ValueError` if a part could not be described or is NaN,
    or if code has no source.
    """
    if opaque := list(undescribed(configuration)):
        raise ValueError(f"a key needs parameters that can be described, got {', '.join(opaque)}")
    if code is None:
        code = code_as_loaded(modules_of(configuration), configuration.get("backend", "numpy"))
    parts = {"code": dict(code), "configuration": dict(configuration), "streams": STREAMS_VERSION}
    return digest(canonical(parts))


def code_as_loaded(modules: Iterable[str], backend: str = "numpy") -> dict[str, str]:
    """The digests of `sims.engine.code.code_of`, and of what was replaced since in modules of ours that are loaded.

    What was replaced in one's own modules is in the descriptions of what reads it.

    Raises `ValueError` as `code_of` does, and for a replacement that cannot be described.
    """
    found = code_of(sorted(set(modules)), backend)
    for module in [name for name in found if kind_of(name) == "ours"]:
        if others := {name: describe(value) for name, value in changed(module)}:
            if opaque := list(undescribed(list(others.values()))):
                raise ValueError(f"a key needs code that can be described, got {', '.join(opaque)} in {module}")
            found[module] = digest(canonical([found[module], sorted(others.items())]))
    return found


def modules_of(description: Any) -> Iterator[str]:
    """The modules of all types and functions in a description."""
    if isinstance(description, Mapping):
        for name, part in description.items():
            if name == "module" and isinstance(part, str):
                yield part
            elif name in ("type", "function", "class") and isinstance(part, str) and ":" in part:
                yield part.partition(":")[0]
            else:
                yield from modules_of(part)
    elif isinstance(description, list):
        for part in description:
            yield from modules_of(part)


@dataclasses.dataclass(frozen=True)
class _Look:
    """How values are looked at: whether reals are meant, whether one's own code may see how a value was written."""

    real: bool = False
    exact: bool = False


EQUAL, REAL, EXACT = _Look(), _Look(real=True), _Look(exact=True)


def _described(value: Any, look: _Look, code: Code | None = None) -> Any:
    kind = type(value)
    if value is None or kind is str:
        return value
    if kind in (bool, int, float):
        return _number(value, look)
    if isinstance(value, np.generic):
        item = value.item()
        plain = repr(item) if isinstance(item, np.generic) else _described(item, look, code)  # Python has no longdouble
        return {"array": plain, "dtype": str(value.dtype)} if look.exact else plain
    if kind in (tuple, list, range):
        items = [_described(item, look, code) for item in value]
        return {"list": items} if look.exact and kind is list else items
    if isinstance(value, Mapping) and (kind is dict or kind_of(kind.__module__) == "library"):
        if isinstance(value, os._Environ):
            return {"opaque": "the environment of this process"}
        return _mapping(value, look, code)
    if kind in (set, frozenset):
        return {"set": sorted((_described(item, look, code) for item in value), key=canonical)}
    if _is_array(value):
        return _array(value, look, code)
    code = code or Code(_inside)
    if kind_of(kind.__module__) == "library" and (found := of_library(value, code, _inside)) is not None:
        return found
    if (found := code.describe(value)) is not None:
        return found
    return _instance(value, look, code)


def _inside(value: Any, code: Code) -> Any:
    """What one's own code reads."""
    return _described(value, EXACT, code)


def _number(number: Any, look: _Look) -> Any:
    if look.real and not isinstance(number, bool):
        number = float(number)
    if isinstance(number, float):
        if not math.isfinite(number) or (look.exact and number == 0 and math.copysign(1.0, number) < 0):
            return {"float": str(number)}  # JSON has no infinity
        number = number + 0.0  # no −0
    return number


def _mapping(value: Mapping[Any, Any], look: _Look, code: Code | None) -> Any:
    """A mapping by its names, in an order if they may be gone through in it; by pairs where JSON could misread it."""
    if isinstance(value, defaultdict):
        inner = {"mapping": _mapping(dict(value), look, code)}
        return inner if value.default_factory is None else inner | {"of": _described(value.default_factory, look, code)}
    names = list(value)
    texts = all(type(name) is str for name in names)
    if texts and not RESERVED & set(names) and (not look.exact or names == sorted(names)):
        return {name: _described(item, look, code) for name, item in value.items()}
    bare = EXACT if look.exact else EQUAL
    pairs = [[_described(name, bare, code), _described(item, look, code)] for name, item in value.items()]
    return {"mapping": pairs if look.exact else sorted(pairs, key=canonical)}


def _is_array(value: Any) -> bool:
    """Whether a value is an array of a library, and not something of one's own that has a shape, too."""
    if isinstance(value, np.ndarray | type):
        return not isinstance(value, type)
    return hasattr(value, "shape") and hasattr(value, "dtype") and kind_of(type(value).__module__) == "library"


def _array(value: Any, look: _Look, code: Code | None) -> Any:
    if isinstance(value, np.ma.MaskedArray):
        return {"masked": [_array(part, look, code) for part in (value.data, np.ma.getmaskarray(value))]}
    host, kind = to_numpy(value), type(value)
    if look.real:
        host = host.astype(np.float64)
    bare = _Look(exact=look.exact) if host.dtype != object else look
    found = {"array": _described(host.tolist(), dataclasses.replace(bare, exact=False), code), "dtype": str(host.dtype)}
    found |= {} if host.size else {"shape": list(host.shape)}
    if kind_of(kind.__module__) == "own":  # a class of arrays may compute as it likes, and hold what it likes
        return {
            "type": name_of(kind),
            **(code or Code(_inside)).members(kind),
            "value": found,
            **_attributes(value, True, code),
        }
    return found | ({"kind": name_of(kind)} if look.exact and kind is not np.ndarray else {})


CONTENTS = {int: int.__int__, float: float.__float__, str: str.__str__, tuple: tuple.__iter__, list: list.__iter__}


def _instance(value: Any, look: _Look, code: Code | None) -> Any:
    """A value of a class: its type, what no module says of its class, and its attributes."""
    kind, own = type(value), kind_of(type(value).__module__) == "own"
    inner: dict[str, Any] = {}
    builtin = next((one for one in (*CONTENTS, dict) if isinstance(value, one)), None)
    if builtin is not None:
        plain = dict(dict.items(value)) if builtin is dict else builtin(CONTENTS[builtin](value))
        if not own:
            return _described(plain, look, code)
        inner = {"value": _described(plain, EXACT, code)}
    elif isinstance(value, enum.Enum):
        inner = {"value": value.name}
    elif not _is_plain(kind):
        return {"opaque": name_of(kind)}
    if not own and not stands(kind):
        return {"opaque": f"the class {name_of(kind)}, which its module does not have under this name"}
    found = {"type": name_of(kind), **(code or Code(_inside)).members(kind), **inner}
    attributes = {} if isinstance(value, enum.Enum) else _attributes(value, own, code)
    if found.keys() & attributes.keys() or (own and MISREAD & attributes.keys()):
        return {**found, "attributes": [list(pair) for pair in attributes.items()]}
    return found | attributes


def _is_plain(kind: type) -> bool:
    """Whether instances have all that they are in attributes: dataclasses, abstract classes, classes of one's own."""
    if any(not one.__flags__ & HEAP for one in kind.__mro__ if one is not object):
        return False  # it may have more, where Python does not see it
    if dataclasses.is_dataclass(kind) or isinstance(kind, ABCMeta):
        return True
    return all(kind_of(one.__module__) != "library" or one in (object, typing.Generic) for one in kind.__mro__)


HEAP = 1 << 9  # the flag of types that are made by a class statement


def _attributes(value: Any, exact: bool, code: Code | None) -> dict[str, Any]:
    """The fields of a dataclass, and whatever else an instance has: somebody's rule may be any class."""
    fields = {field.name: field.type for field in dataclasses.fields(value)} if dataclasses.is_dataclass(value) else {}
    others = sorted({*getattr(value, "__dict__", {}), *_slots(value)} - fields.keys())
    kept = [name for name in others if not isinstance(getattr(type(value), name, None), functools.cached_property)]
    reals = getattr(type(value), "reals", {})
    real = {name for name in (*fields, *kept) if name in reals or fields.get(name) in ("float", float)}
    look = EXACT if exact else EQUAL
    return {
        name: _described(getattr(value, name), REAL if name in real else look, code)
        for name in (*fields, *kept)
        if hasattr(value, name)
    }


def _slots(value: Any) -> Iterator[str]:
    """The attributes that an instance has in slots of its classes."""
    for cls in type(value).__mro__:
        slots = vars(cls).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            private = name.startswith("__") and not name.endswith("__")
            own = f"_{cls.__name__.lstrip('_')}{name}" if private else name
            if own not in ("__dict__", "__weakref__") and hasattr(value, own):
                yield own


def undescribed(part: Any) -> Iterator[str]:
    """The types of all opaque parts of a description, and "NaN": what no key can stand for."""
    if isinstance(part, Mapping):
        if isinstance(part.get("opaque"), str):
            yield part["opaque"]
        elif part.get("float") == "nan":
            yield "NaN"
        else:
            for item in part.values():
                yield from undescribed(item)
    elif isinstance(part, list):
        for item in part:
            yield from undescribed(item)
