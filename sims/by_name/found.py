"""What a name stands for: a class, a constructor, something of one's own, one built around another."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Sequence
from typing import Any

from sims.by_name.elsewhere import elsewhere
from sims.by_name.nearest import nearest
from sims.by_name.own import of_module
from sims.by_name.register import EXTRA, LATE, REGISTER
from sims.by_name.signatures import constructs, parameters


def chain_of(kind: str, text: str) -> list[Any]:
    """What `text` names, each that is built around another before that other; `ValueError` if one is unknown."""
    found, names = [], text
    while names.endswith(")") and "(" in names:
        outer, _, names = names[:-1].partition("(")
        found.append(_found(kind, outer))
        if kind not in parameters(found[-1]):
            raise ValueError(f"{outer} is not built around another {kind}, as {text} has it")
    return [*found, _found(kind, names)]


def settings_of(kind: str, chain: Sequence[Any]) -> dict[str, inspect.Parameter]:
    """All settings that some of a chain take, those of the outermost first; what it is built around is none."""
    found: dict[str, inspect.Parameter] = {}
    for k, one in enumerate(chain):
        own = {name: p for name, p in parameters(one).items() if name != kind or k == len(chain) - 1}
        found |= {name: p for name, p in own.items() if name not in found}
    return found


def class_in(found: Any) -> type | None:
    """The class that is found, itself or by a constructor; None for what is not one."""
    return found if inspect.isclass(found) else found.__self__ if constructs(found) else None


def _found(kind: str, text: str) -> Any:
    """A registered class of a kind or a constructor of it, or what stands under that name in a module."""
    module_name, colon, name = text.partition(":")
    if not colon:
        class_name, dot, constructor = text.partition(".")
        known = {registered.__name__: registered for registered in REGISTER[kind]} | LATE.get(kind, {})
        if class_name in known:
            of = known[class_name]
            of = _late(class_name, of) if isinstance(of, str) else of
            return _constructor(of, constructor) if dot else of
        hint = elsewhere(kind, text) or nearest(text, known, cutoff=0.4)
        raise ValueError(f"unknown {kind} {text!r}{hint} (known: {', '.join(known)}, or module:Name)")
    if not (module_name and name):
        raise ValueError(f"{'an' if kind[0] in 'ao' else 'a'} {kind} of one's own is written module:Name, got {text!r}")
    return of_module(module_name, name)


def _late(name: str, place: str) -> type:
    """The class at a place of ours; a `ValueError` says which library it needs and how to get it."""
    module, _, own = place.partition(":")
    try:
        return getattr(importlib.import_module(module), own)
    except ModuleNotFoundError as error:
        if (error.name or "sims").partition(".")[0] == "sims":
            raise
        raise ValueError(f"{name} needs {error.name}, which is not installed: {EXTRA}") from error


def _constructor(of: type, name: str) -> Any:
    """The class method of that name by which instances are made; `example`, for want of settings, is none."""
    public = [one for one in dir(of) if not one.startswith("_") and one != "example"]
    known = [one for one in public if isinstance(inspect.getattr_static(of, one), classmethod)]
    if name not in known:
        listed = ", ".join(f"{of.__name__}.{one}" for one in known) or "none"
        raise ValueError(f"{of.__name__} has no constructor {name!r}{nearest(name, known)} (it has {listed})")
    return getattr(of, name)
