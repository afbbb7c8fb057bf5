"""What a class, or a constructor of one, takes."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

COLLECTS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@functools.lru_cache(maxsize=256)
def signature(found: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters by name, their annotations evaluated where that goes."""
    try:
        return inspect.signature(found, eval_str=True).parameters
    except NameError:  # an annotation of somebody's own that is there for type checkers only
        return inspect.signature(found).parameters


@functools.lru_cache(maxsize=256)
def parameters(found: Any) -> Mapping[str, inspect.Parameter]:
    """All settings of a class or constructor, those included that a constructor passes on to its class."""
    if not constructs(found):
        return {}
    own = {name: p for name, p in signature(found).items() if p.kind not in COLLECTS}
    if inspect.isclass(found) or not collects(found):
        return own
    optional = {name: p for name, p in parameters(found.__self__).items() if p.default is not p.empty}
    return own | {name: p for name, p in optional.items() if name not in own}


def takes_anything(found: Any) -> bool:
    """Whether a class or constructor takes settings of any name; what a constructor passes on has the class's names."""
    return constructs(found) and collects(found) and (inspect.isclass(found) or collects(found.__self__))


def collects(found: Callable[..., Any]) -> bool:
    """Whether it takes parameters of any name."""
    return any(p.kind is p.VAR_KEYWORD for p in signature(found).values())


def constructs(found: Any) -> bool:
    """Whether it is a class, or a class method that makes an instance."""
    return inspect.isclass(found) or (inspect.ismethod(found) and inspect.isclass(found.__self__))


def required(parameters: Mapping[str, inspect.Parameter]) -> list[str]:
    """The parameters that must be given."""
    return [name for name, p in parameters.items() if p.default is p.empty and p.kind not in COLLECTS]
