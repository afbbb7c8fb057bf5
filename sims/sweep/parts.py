"""A problem, rule, attack or optimizer of a sweep: made from names and settings, and described, once."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, PydanticSchemaGenerationError, TypeAdapter, ValidationError

from sims import by_name
from sims.engine import Observer
from sims.engine.axis import check_shapes
from sims.engine.describe import canonical, describe, modules_of, undescribed
from sims.sweep.frame import shown

KINDS = ("problem", "rule", "attack", "optimizer")
WANTED = {"int": "a whole number", "float": "a number", "bool": "true or false", "string": "a text"}
Settings = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """A made thing, its name, the settings it was given, and the text and modules that stand for it in keys."""

    kind: str
    name: str
    given: Settings
    made: Any
    text: str
    modules: tuple[str, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by their paths ("rule.tau"), with those defaults and that f that were not given."""
        found = {f"{self.kind}.{name}": value for name, value in self.given}
        for name, parameter in by_name.takes(self.kind, self.name).items():
            value = _declared(self.made) if name == "f" else parameter.default
            if f"{self.kind}.{name}" not in found and isinstance(value, bool | int | float | str):
                found[f"{self.kind}.{name}"] = value
        return {self.kind: self.name, **found}


def _declared(made: Any) -> int | None:
    """The f of a rule, or of the rule that it is built around."""
    while made is not None and not hasattr(made, "f"):
        made = getattr(made, "rule", None)
    return None if made is None else made.f


class Parts:
    """Parts, each made once: two that are described by one text are one."""

    def __init__(self) -> None:
        self._made: dict[Any, Part | str] = {}
        self._texts: dict[tuple[str, str], Part] = {}

    def part(self, kind: str, name: str, given: Settings, f: int) -> Part:
        """What is called `name`, with settings of the types that `typed` gives, and f for rules that take one.

        Raises `ValueError` as `sims.by_name` does.
        """
        # by its representation: True, 1 and 1.0 are equal and have one hash
        place = (kind, name, repr(given), f if kind == "rule" else None)
        found = self._made.get(place)
        if found is None:
            try:
                found = self._unique(make(kind, name, given, f))
            except ValueError as error:
                found = str(error)
            self._made[place] = found
        if isinstance(found, str):
            raise ValueError(found)
        return found

    def _unique(self, part: Part) -> Part:
        return self._texts.setdefault((part.kind, part.text), part)


def make(kind: str, name: str, given: Settings, f: int) -> Part:
    """A part, made and described; `ValueError` as `sims.by_name` raises it, and for what no key can stand for."""
    if kind == "rule":
        made = by_name.rule_by_name(name, f, dict(given))
    else:
        made = getattr(by_name, f"{kind}_by_name")(name, dict(given))
    if kind == "observer" and not isinstance(made, Observer):
        raise ValueError(f"{name} is no sims Observer but of type {type(made).__name__}")
    check_shapes(made, (), None)
    described = describe(made)
    if opaque := list(undescribed(described)):
        what = "" if opaque[0].endswith(name) else f": {', '.join(opaque)}"
        raise ValueError(f"{name} cannot be described, which a key needs: make it a frozen dataclass{what}")
    return Part(kind, name, given, made, canonical(described), tuple(sorted(set(modules_of(described)))))


def typed(kind: str, name: str, setting: str, value: Any) -> Any:
    """A setting's value in the type that it is meant in: reals as floats, −0.0 as 0.0, lists as tuples.

    A real is what the class lists in `reals`, or whose annotation is `float`. Raises `ValueError`, which goes on from
    the setting's name, if the value has another type than the annotation, and for a text where a real is meant.
    """
    parameter = by_name.takes(kind, name).get(setting)
    annotation = parameter.annotation if parameter else inspect.Parameter.empty
    if annotation is float or setting in _reals(kind, name):
        return _real(value)
    value = _plain(value)
    adapter = _adapter(annotation)
    if adapter is None:
        return value
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        kinds = (one["type"].partition("_")[0] for one in error.errors(include_url=False))
        wanted = next((WANTED[one] for one in kinds if one in WANTED), None)
        if wanted is None:
            raise ValueError(f"cannot be given in a file: {annotation} is wanted") from error
        raise ValueError(f"must be {wanted}, got {shown(value)}") from error


@functools.lru_cache(maxsize=256)
def _reals(kind: str, name: str) -> set[str]:
    return by_name.reals(kind, name)


def _real(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_real(item) for item in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number, got {shown(value)}")
    return float(value) + 0.0  # −0.0 + 0.0 is 0.0


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    return value + 0.0 if isinstance(value, float) else value


@functools.lru_cache(maxsize=256)
def _adapter(annotation: Any) -> TypeAdapter[Any] | None:
    """What checks a value against an annotation; None where that says nothing."""
    if annotation in (Any, inspect.Parameter.empty) or isinstance(annotation, str):
        return None
    try:
        return TypeAdapter(annotation, config=ConfigDict(strict=True, arbitrary_types_allowed=True))
    except PydanticSchemaGenerationError:
        return None
