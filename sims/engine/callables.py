"""Functions and classes as plain JSON: what they do, where no module's text says it, and all data that they read."""

from __future__ import annotations

import builtins
import dataclasses
import enum
import functools
import sys
from abc import ABC
from collections.abc import Callable, Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Generic, Protocol

from sims.engine.bytecode import alone_in_file, names_in, several_in_file, written
from sims.engine.code import file_of, kind_of

LIBRARIES = ("builtins", "numpy", "scipy.special", "torch")  # where functions are that do not say where they are
GENERATED = {"__init__", "__repr__", "__eq__", "__hash__", "__lt__", "__le__", "__gt__", "__ge__", "__replace__"}
OF_NAMED_TUPLES = {"_make", "_replace", "_asdict", "_field_defaults", "__new__", "__getnewargs__", *GENERATED}
UNSAID = {  # of a class: what its module says, or what says nothing
    *(
        "__module__",
        "__qualname__",
        "__doc__",
        "__dict__",
        "__weakref__",
        "__annotations__",
        "__annotate__",
        "__slots__",
    ),
    *(
        "__abstractmethods__",
        "__slotnames__",  # which pickling adds
        "_abc_impl",
        "__parameters__",
        "__orig_bases__",
        "__firstlineno__",
        "__static_attributes__",
    ),
    *("__dataclass_fields__", "__dataclass_params__", "__match_args__", "__annotate_func__", "__annotations_cache__"),
    *("_is_protocol", "__protocol_attrs__", "__non_callable_proto_members__", "_is_runtime_protocol"),
}

WRAPPERS = {  # what a class keeps a method in → where it is
    staticmethod: ("__func__",),
    classmethod: ("__func__",),
    property: ("fget", "fset", "fdel"),
    functools.cached_property: ("func",),
}
SAID = object()  # of what is in the text of the module


class Code:
    """Functions and classes, each described once: one that is met again, as by a function that calls itself, by number.

    What is ours, or an installed library's, is its name: `sims.engine.loaded` compares ours with their text. Of all
    else the description has what is not in the text of its module: the closure, the defaults, the data of the module
    that is read, by functions that are called as well; and the code itself where the module has not this one under its
    name. `describe` describes data, with this to describe what is met there.
    """

    def __init__(self, describe: Callable[[Any, Code], Any]) -> None:
        self._describe = describe
        self._met: dict[Any, tuple[int, Any]] = {}  # the object too, so that no other one gets its place in memory

    def describe(self, value: Any) -> dict[str, Any] | None:
        """A function, class, method or the like; None for anything else."""
        if isinstance(value, FunctionType):
            return self.once(value, "itself", lambda: self._function(value))
        if isinstance(value, type):
            return self.once(value, "itself", lambda: self._class(value))
        if isinstance(value, ModuleType):
            return self._module(value, frozenset(name for name in vars(value) if not name.startswith("__")))
        if isinstance(value, MethodType):
            return {"method": self.describe(value.__func__), "of": self._describe(value.__self__, self)}
        if _is_wrapper(value):
            return {"wrapper": type(value).__name__, "of": [self._describe(one, self) for one in _wrapped(value)]}
        if type(value) in (functools.partial, functools.partialmethod):
            parts = [self._describe(part, self) for part in (value.func, value.args, value.keywords)]
            return {"partial": parts, **self._attributes(value)}
        library = kind_of(type(value).__module__) == "library"
        if library and isinstance(inner := getattr(value, "py_func", None), FunctionType):  # what numba compiles
            return {"compiled": self.describe(inner), "options": self._describe(_options(value), self)}
        if isinstance(value, functools._lru_cache_wrapper):
            return {"cached": self._describe(value.__wrapped__, self)}
        if callable(value) and (name := _in_library(value)) is not None:
            return {"library": name}
        return None

    def members(self, cls: type) -> dict[str, Any]:
        """What a class and those it inherits from have that no module's text says; nothing for ours."""
        own_metaclasses = [one for one in type.mro(type(cls)) if kind_of(one.__module__) == "own"]
        line = [one for one in (*cls.__mro__, *own_metaclasses) if one not in (object, ABC, Generic, Protocol)]
        if all(kind_of(one.__module__) != "own" for one in line):
            return {}
        owns = [(one, self.once(one, "members", functools.partial(self._members, one))) for one in line]
        return {"classes": [[name_of(one), own] if own else [name_of(one)] for one, own in owns]}

    def once(self, value: Any, what: Any, describe: Callable[[], Any]) -> Any:
        """`describe()` the first time; later on its number, for the same `what` of the same thing."""
        if (id(value), what) in self._met:
            return {"again": self._met[id(value), what][0]}
        self._met[id(value), what] = (len(self._met), value)
        return describe()

    def _function(self, value: FunctionType) -> dict[str, Any]:
        registry = vars(value).get("registry")
        if value.__code__.co_filename == functools.__file__ and isinstance(registry, Mapping):
            by_type = [[self._describe(cls, self), self._describe(one, self)] for cls, one in registry.items()]
            return {"function": name_of(value), "of": by_type}  # `singledispatch`, without what it remembers
        kind, named = kind_of(value.__module__), stands(value)
        if kind != "own" and named:
            return {"function" if kind == "ours" else "library": name_of(value)}
        said = named and value.__code__.co_qualname == value.__qualname__ and alone_in_file(value.__code__)
        return {"function": name_of(value), **self._beside(value, said)}

    def _beside(self, value: FunctionType, said: bool) -> dict[str, Any]:
        """What is not in a function's name, if its module's text says what it does; otherwise that, too."""
        closure = [self._cell(cell, names_in(value.__code__).attributes) for cell in value.__closure__ or ()]
        defaults = [self._describe(value.__defaults__, self), self._describe(value.__kwdefaults__, self)]
        found: dict[str, Any] = {} if said else written(value)
        found |= {} if said and not closure else {"closure": closure}
        found |= {} if said and defaults == [None, None] else {"defaults": defaults}
        reads = self._reads(value)
        return found | ({"reads": reads} if reads else {}) | self._attributes(value)

    def _cell(self, cell: Any, attributes: frozenset[str]) -> Any:
        try:
            held = cell.cell_contents
        except ValueError:
            return {"empty": True}
        return self._module(held, attributes) if isinstance(held, ModuleType) else self._describe(held, self)

    def _attributes(self, value: Any) -> dict[str, Any]:
        own = {name: one for name, one in vars(value).items() if name not in ("__wrapped__", "__isabstractmethod__")}
        return {"attributes": self._describe(own, self)} if own else {}

    def _reads(self, value: FunctionType) -> list[Any]:
        """What a function finds under the names of its module that it reads; libraries by their names."""
        names, module = names_in(value.__code__), value.__globals__
        found: list[Any] = []
        if kind_of(module.get("__name__")) == "library":  # its decorator made it
            return found
        for name in sorted(names.globals & module.keys()):
            one = module[name]
            if isinstance(one, ModuleType):
                found.append([name, self._module(one, names.attributes)])
            elif one is not getattr(builtins, name, module):
                found.append([name, self._describe(one, self)])
        parts = str(module.get("__package__") or "").split(".")
        packages = ["", *(".".join(parts[:k]) + "." for k in range(1, len(parts) + 1))]  # whatever it is relative to
        for name in sorted(f"{package}{name}" for package in packages for name in names.imported):
            if isinstance(one := sys.modules.get(name), ModuleType):
                found.append([name, self._module(one, names.attributes | names.imported)])
        return found

    def _module(self, module: ModuleType, attributes: frozenset[str]) -> dict[str, Any]:
        """A module, and of what is nobody's library the attributes that may be read."""
        name = module.__name__
        if kind_of(name) == "library":
            return {"library": name}
        found = {"module": name} if file_of(name) is not None else {"nowhere": name}
        if kind_of(name) == "own":
            return found | self.once(module, attributes, lambda: self._attributes_of(module, attributes))
        return found

    def _attributes_of(self, module: ModuleType, attributes: frozenset[str]) -> dict[str, Any]:
        found = []
        for name in sorted(attributes & vars(module).keys()):
            one = vars(module)[name]
            inner = self._module(one, attributes) if isinstance(one, ModuleType) else self._describe(one, self)
            found.append([name, inner])
        return {"reads": found} if found else {}

    def _class(self, value: type) -> dict[str, Any]:
        kind = kind_of(value.__module__)
        if kind != "own" and not stands(value):
            return {"opaque": f"the class {name_of(value)}, which its module does not have under this name"}
        if kind == "library":
            return {"library": name_of(value)}
        return {"class": name_of(value), **self.members(value)}

    def _members(self, cls: type) -> list[Any]:
        """What a class itself has that its module's text does not say, by name; of what that says the name alone."""
        if kind_of(cls.__module__) != "own":
            return []
        # an instance has its own value of each, but not of a ClassVar or an InitVar
        fields = {one.name for one in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else ()
        path = file_of(cls.__module__)
        named = stands(cls) and path is not None and not several_in_file(path, cls.__qualname__)
        found = []
        for name, value in sorted(vars(cls).items()):
            if name in UNSAID or name in fields or _is_generated(cls, name, value):
                continue
            said = self._member(cls, name, value, named)
            found.append(name if said is SAID else [name, said])
        return found

    def _member(self, cls: type, name: str, value: Any, named: bool) -> Any:
        """One of a class's attributes; nothing for a slot, and for a method that the text of its module has there."""
        if isinstance(value, FunctionType):
            code = value.__code__
            said = named and code.co_qualname == f"{cls.__qualname__}.{name}" and alone_in_file(code)
            return self.once(value, said, lambda: self._beside(value, said)) or SAID
        if _is_wrapper(value):
            inner = [SAID if one is None else self._member(cls, name, one, named) for one in _wrapped(value)]
            if named and all(one is SAID for one in inner):
                return SAID
            return {"wrapper": type(value).__name__, "of": [None if one is SAID else one for one in inner]}
        if type(value).__name__ in ("member_descriptor", "getset_descriptor"):
            return SAID
        if isinstance(value, enum.Enum) and isinstance(value, cls):
            return self._describe(value.value, self)
        return self._describe(value, self)


def name_of(thing: Any) -> str:
    """`module:name`, or `module.name` where the module has no source file, so that its text is in no key."""
    module = getattr(thing, "__module__", None)
    colon = ":" if module and (kind_of(module) != "own" or file_of(module) is not None) else "."
    return f"{module}{colon}{thing.__qualname__}"


def stands(thing: Any) -> bool:
    """Whether a class or function is what its module has under its name: what a function makes may be any of many."""
    found: Any = sys.modules.get(getattr(thing, "__module__", None) or "")
    for name in thing.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is thing


def _is_wrapper(value: Any) -> bool:
    """Whether it is one of `WRAPPERS`; one of a class of one's own may do and hold anything."""
    return isinstance(value, tuple(WRAPPERS)) and kind_of(type(value).__module__) != "own"


def _wrapped(value: Any) -> list[Any]:
    names = next(names for kind, names in WRAPPERS.items() if isinstance(value, kind))
    return [getattr(value, name) for name in names]


def _is_generated(cls: type, name: str, value: Any) -> bool:
    """Whether an attribute is what a dataclass makes of its fields, an enumeration or a named tuple of its members."""
    if issubclass(cls, tuple) and "_fields" in vars(cls) and (name in OF_NAMED_TUPLES or name in vars(cls)["_fields"]):
        return True
    if issubclass(cls, enum.Enum) and name.startswith("_") and name.endswith("_"):
        return True
    code = getattr(getattr(value, "__wrapped__", value), "__code__", None)
    made = name in GENERATED or (name in ("__setattr__", "__delattr__") and dataclasses.is_dataclass(cls))
    return (
        made
        and "__dataclass_fields__" in vars(cls)
        and (value is None or getattr(code, "co_filename", "") == "<string>")
    )


def _options(compiled: Any) -> Mapping[str, Any]:
    return getattr(compiled, "targetoptions", {})


def _in_library(value: Any) -> str | None:
    """Where an installed library has a function that it does not define in Python."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", "")
    if isinstance(value, BuiltinFunctionType):
        name = value.__name__
    for module in _candidates(value):
        if kind_of(module) == "library" and getattr(sys.modules.get(module), name, None) is value:
            return f"{module}:{name}"
    return None


def _candidates(value: Any) -> Iterator[str]:
    module = getattr(value, "__module__", None)
    yield from ([module] if isinstance(module, str) else [])
    yield from LIBRARIES
