"""What the modules of a package define: whoever writes a rule of ours into a file need tell nobody."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any, TypeVar

Kind = TypeVar("Kind")


def defined(package: ModuleType, base: type[Kind], first: Iterable[str] = ()) -> tuple[type[Kind], ...]:
    """The public concrete subclasses of `base` that the modules of `package` define, but for the module of `base`.

    Those called as in `first` in that order, which recorded results depend on; then the others by name. A `ValueError`
    if one of `first` is not there.

    >>> import sims.observers as package
    >>> [found.__name__ for found in defined(package, package.Observer, ("Push", "Kept"))][:3]
    ['Push', 'Kept', 'ClassDistances']
    """
    known: dict[str, Any] = {}
    for module in _modules(package):
        if module.__name__ != base.__module__:
            for name, one in _own_classes(module):
                if issubclass(one, base) and not inspect.isabstract(one):
                    known[name] = one
    if missing := [name for name in first if name not in known]:
        raise ValueError(f"{package.__name__} defines no {', '.join(missing)}")
    return (*(known.pop(name) for name in first), *(known[name] for name in sorted(known)))


def class_in(package: str, name: str) -> type:
    """The public class called `name` that a module of the package defines; an `AttributeError` if there is none.

    For `__getattr__` of a package, so that a new file is imported from it like those that it lists.
    """
    for module in _modules(sys.modules[package]) if not name.startswith("_") else ():
        for own, one in _own_classes(module):
            if own == name:
                return one
    raise AttributeError(f"module {package!r} has no attribute {name!r}")


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        yield importlib.import_module(info.name)


def _own_classes(module: ModuleType) -> Iterator[tuple[str, type]]:
    for name, one in vars(module).items():
        if inspect.isclass(one) and one.__module__ == module.__name__ and not name.startswith("_"):
            yield name, one
