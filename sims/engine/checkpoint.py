"""Checkpoints: where an experiment is, in a file that is whole or not there, from which it goes on exactly."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sims.backend import Namespace, to_numpy
from sims.engine.describe import key
from sims.engine.round import States

EVERY = 60.0  # seconds between checkpoints unless the caller says otherwise: as many as a kill costs
MANIFEST = "manifest"


@dataclass(frozen=True)
class Kept:
    """What a checkpoint has: states after a round, the chunk of samples that it is in, notes, places in streams."""

    states: States
    first: int
    size: int
    notes: Mapping[str, Any]
    positions: Mapping[str, Any]


@dataclass(eq=False)
class Checkpoint:
    """The file of an experiment's checkpoint, and how many seconds lie between two of them.

    A file that was left by another experiment or by other code, or that is not whole, counts as none. States of
    algorithm, attack, problem and rule are held if they are trees (`sims.trees`) of arrays, numbers and texts in
    tuples, named tuples, lists, deques, dictionaries and dataclasses; saving raises a `ValueError` for anything else,
    and an `OSError` where nothing can be written. Reading runs no code that the file names: dataclasses and named
    tuples are taken from modules that are imported already.
    """

    path: Path
    seconds: float = EVERY
    _last: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        """Whether it is time for the next."""
        return time.monotonic() - self._last >= self.seconds

    def save(
        self,
        configuration: Mapping[str, Any],
        states: States,
        first: int,
        size: int,
        notes: Mapping[str, Any],
        found: Mapping[str, Any],
    ) -> None:
        """Write the file anew."""
        arrays: list[np.ndarray] = []
        plain = _flat({"states": states, "first": first, "size": size, "notes": notes, "positions": found}, arrays)
        manifest = json.dumps({"key": key(configuration), "tree": plain})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.beside()
        try:
            with temporary.open("wb") as file:
                entries = {str(place): array for place, array in enumerate(arrays)}
                np.savez(file, allow_pickle=False, **{MANIFEST: np.array(manifest)}, **entries)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)
        self._last = time.monotonic()

    def beside(self) -> Path:
        """Where a file is written before it takes the place of an older one."""
        return self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")

    def load(self, configuration: Mapping[str, Any], xp: Namespace) -> Kept | None:
        """What the file has, its arrays in the library `xp`; None if there is none of this experiment."""
        try:
            with self.path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                manifest = json.loads(str(file[MANIFEST]))
                if manifest["key"] != key(configuration):
                    return None
                return Kept(**_grown(manifest["tree"], file, xp))
        except Exception:  # a damaged file may raise nearly anything, as it does for the flags of a zip entry
            return None

    def remove(self) -> None:
        """Take the file away."""
        self.path.unlink(missing_ok=True)


def positions(streams: Mapping[str, Any], purposes: Iterable[str]) -> dict[str, Any]:
    """Where streams of these purposes are; None for one that has not been drawn from."""
    return {purpose: streams[purpose].position() for purpose in purposes}


def rewind(streams: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Put the streams where they were."""
    for purpose, position in found.items():
        streams[purpose].rewind(position)


def _flat(value: Any, arrays: list[np.ndarray]) -> Any:
    """A tree as JSON in which arrays are numbers of places in `arrays`."""
    if isinstance(value, np.generic) or type(value) is np.ndarray:  # np.float64 is a float, too, but promotes otherwise
        arrays.append(np.asarray(value))
        return {"kind": "scalar" if isinstance(value, np.generic) else "numpy", "at": len(arrays) - 1}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        arrays.append(np.array(to_numpy(value)))
        return {"kind": "array", "at": len(arrays) - 1, "device": str(getattr(value, "device", ""))}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {one.name: _flat(getattr(value, one.name), arrays) for one in dataclasses.fields(value)}
        return {"kind": "dataclass", "name": _name(type(value)), "parts": parts}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {"kind": "named", "name": _name(type(value)), "parts": [_flat(item, arrays) for item in value]}
    node: Any = value
    kind = type(node)  # no subclass: it may be more than its parts
    if kind in (tuple, list):
        return {"kind": kind.__name__, "parts": [_flat(item, arrays) for item in node]}
    if kind is deque:
        return {"kind": "deque", "most": node.maxlen, "parts": [_flat(item, arrays) for item in node]}
    if kind is dict:
        return {"kind": "dict", "parts": [[_flat(name, arrays), _flat(item, arrays)] for name, item in node.items()]}
    raise ValueError(f"a checkpoint cannot hold a state of the type {_name(type(value))}: make it a tree of arrays")


def _grown(plain: Any, file: Mapping[str, np.ndarray], xp: Namespace) -> Any:
    """The tree of which `plain` is the JSON."""
    if not isinstance(plain, dict):
        return plain
    kind = plain["kind"]
    if kind in ("numpy", "scalar", "array"):
        array = file[str(plain["at"])]
        if kind == "array":
            return xp.asarray(array, device=plain["device"] or None)
        return array[()] if kind == "scalar" else array
    if kind == "dict":
        return {_grown(name, file, xp): _grown(item, file, xp) for name, item in plain["parts"]}
    if kind == "dataclass":
        made = _class(plain["name"])
        if not dataclasses.is_dataclass(made):
            raise ValueError(f"{plain['name']} is no dataclass")
        new: Any = object.__new__(made)
        for name, part in plain["parts"].items():
            object.__setattr__(new, name, _grown(part, file, xp))
        return new
    parts = [_grown(item, file, xp) for item in plain["parts"]]
    if kind == "named":
        made = _class(plain["name"])
        if not issubclass(made, tuple):
            raise ValueError(f"{plain['name']} is no named tuple")
        return made(*parts)
    if kind == "deque":
        return deque(parts, plain["most"])
    return tuple(parts) if kind == "tuple" else parts


def _name(of: type) -> str:
    return f"{of.__module__}:{of.__qualname__}"


def _class(name: str) -> type:
    """A class of a module that is imported already."""
    module, _, path = name.partition(":")
    found: Any = sys.modules[module]
    for part in path.split("."):
        found = getattr(found, part)
    if not isinstance(found, type):
        raise ValueError(f"{name} is no class")
    return found
