"""What is refused of a configuration of ByzFL, and what is remarked; values in the types that are meant."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sims.by_name import nearest


class ByzFLError(ValueError):
    """What a ByzFL file asks for and is not here: every key in a line of its own, FILE: key: a sentence."""


class RefusedError(ValueError):
    """A value that is refused: the key and a sentence."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(f"{key}: {sentence}")


@dataclass
class Report:
    """What is refused, and what a run here does otherwise than ByzFL, a line each, once."""

    faults: dict[str, None] = field(default_factory=dict)
    remarks: dict[str, None] = field(default_factory=dict)

    def refuse(self, key: str, sentence: str) -> None:
        """Note a fault."""
        self.faults[f"{key}: {sentence}"] = None

    def remark(self, key: str, sentence: str) -> None:
        """Note a difference."""
        self.remarks[f"{key}: {sentence}"] = None

    def each(self, key: str, values: list[Any], typed: Callable[[str, Any], Any]) -> list[Any]:
        """What `typed` makes of each value, equal ones once; those that it refuses are noted and left out."""
        found: list[Any] = []
        for value in values:
            try:
                found.append(typed(key, value))
            except RefusedError as refused:
                self.faults[str(refused)] = None
        return distinct(found)


def distinct(several: Iterable[Any]) -> list[Any]:
    """Equal ones once, in their order; a whole number is another than the real one."""
    return list({json.dumps(one, sort_keys=True): one for one in several}.values())


def whole(least: int) -> Callable[[str, Any], int]:
    """A whole number that is at least that."""

    def typed(key: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise RefusedError(key, f"a whole number ≥ {least} is wanted, got {json.dumps(value)}")
        return value

    return typed


def real(key: str, value: Any) -> float:
    """A number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RefusedError(key, f"a number is wanted, got {json.dumps(value)}")
    if not math.isfinite(value):
        raise RefusedError(key, f"a finite number is wanted, got {value}")
    return float(value)


def flag(key: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise RefusedError(key, f"true or false is wanted, got {json.dumps(value)}")
    return value


def named(key: str, value: Any, known: Mapping[str, Any], absent: Mapping[str, str]) -> str:
    """One of the names that are known; those that ByzFL has and are absent here are refused with the reason."""
    if not isinstance(value, str):
        raise RefusedError(key, f"a name is wanted, got {json.dumps(value)}")
    if value in absent:
        raise RefusedError(key, f"{value}: {absent[value]}")
    if value not in known:
        raise RefusedError(key, f"ByzFL has no {value}{nearest(value, [*known, *absent])}")
    return value


def settings(key: str, table: Any, known: Mapping[str, tuple[Any, Any]], f_is: str = "") -> dict[str, Any]:
    """The parameters of a table with name and parameters, known by name → (type, default), with the defaults."""
    if extra := [name for name in table if name not in ("name", "parameters")]:
        raise RefusedError(f"{key}.{extra[0]}", f"there is no such key{nearest(extra[0], ('name', 'parameters'))}")
    given = table.get("parameters", {})
    if not isinstance(given, dict):
        raise RefusedError(f"{key}.parameters", f"a table is wanted, got {json.dumps(given)}")
    for name in given:
        if name == "f" and f_is:
            raise RefusedError(f"{key}.parameters.f", f"ByzFL writes {f_is} over it: give that")
        if name not in known:
            raise RefusedError(
                f"{key}.parameters.{name}", f"{table['name']} has no such parameter{nearest(name, known)}"
            )
    return {
        name: typed(f"{key}.parameters.{name}", given.get(name, default)) for name, (typed, default) in known.items()
    }
