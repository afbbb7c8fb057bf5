"""Parts of somebody's own that do whatever they like to what they are handed or gave away, for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sims.owned import copied
from sims.trees import arrays_in

METHODS = (  # of all interfaces: whatever the engine or another part calls with arrays or takes them from
    *("init", "combine", "reduce", "mix", "send"),
    *("points", "messages", "update", "aggregate"),
    *("start", "draw", "oracle", "measure", "begin", "gradients", "measure_in", "__call__"),
)


def overwrite(tree: Any) -> None:
    """Every number of a tree is another one, in place; an array that cannot be written to is an error."""
    for array in arrays_in(tree):
        if "int" in str(array.dtype):
            array[...] = 1
        elif "float" in str(array.dtype):
            array[...] = 1e3  # a number and no NaN, which might be left out somewhere


class Vandal:
    """What the vandals have done, by method."""

    def __init__(self) -> None:
        self.harmed: set[str] = set()
        self.given_away: list[Any] = []


def changed(cls: type, around: Callable[[str, Callable[..., Any], tuple[Any, ...]], Any]) -> type:
    """A subclass of which every method of an interface is called through `around(name, method, arguments)`."""

    def through(name: str) -> Callable[..., Any]:
        def method(self: Any, *arguments: Any, **settings: Any) -> Any:
            def plain(*given: Any) -> Any:
                return getattr(super(made, self), name)(*given, **settings)

            return around(name, plain, arguments)

        return method

    own = {name: through(name) for name in METHODS if _defined(cls, name)}
    made = type(cls.__name__, (cls,), {**own, "__module__": __name__})
    return made


def _defined(cls: type, name: str) -> bool:
    """Whether a class has a method that may be written anew: no final one, and no abstract one."""
    method = getattr(cls, name, None)
    final = getattr(method, "__final__", False)
    return callable(method) and not final and not getattr(method, "__isabstractmethod__", False)


def polite(cls: type) -> type:
    """A subclass that does the same, and nothing else."""
    return changed(cls, lambda name, method, arguments: method(*arguments))


def vandal(cls: type) -> tuple[type, Vandal]:
    """A subclass that overwrites all it was given, and at the next call all that it returned."""
    done = Vandal()

    def around(name: str, method: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        for tree in done.given_away:
            overwrite(tree)
        found = copied(method(*arguments))  # it may be the argument itself
        overwrite(arguments)
        done.given_away[:] = [*done.given_away[-3:], found]
        if any(np.prod(array.shape) for array in arrays_in(arguments)):
            done.harmed.add(name)
        return found

    return changed(cls, around), done
