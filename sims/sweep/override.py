"""Values that somebody sets from outside in what a sweep's file says, before anything is made of it."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sims import by_name
from sims.sweep.frame import KEYS, PLOT
from sims.sweep.lines import Path
from sims.sweep.parts import KINDS

OTHERS = {"f": "delta", "delta": "f"}  # who gives one takes the other away
Places = dict[Path, str]  # where something was set → by which text


def overridden(data: Mapping[str, Any], texts: Sequence[str]) -> tuple[dict[str, Any], Places]:
    """The data of a file with the values that texts such as "steps=100" set, and where each of them stands now.

    A path is a key of the file (`steps`), a setting of a part (`rule.tau`: of each of the file's rules that take it),
    of a part by its name (`rule.Krum.f`), or of the plot (`plot.x`). A value is written as in the file; what is no TOML
    is a Python literal or a text. It is set wherever the key stands, blocks included, so that nothing of the file
    goes before it. Raises `ValueError` with the nearest name for a path that there is not, and for one given twice.

    >>> overridden({"n": 5, "rule": ["Mean", "Krum"]}, ["n=7", "rule.f=1"])[0]
    {'n': 7, 'rule': ['Mean', {'name': 'Krum', 'f': 1}]}
    """
    if not texts:
        return dict(data), {}
    changed, places, seen = copy.deepcopy(dict(data)), Places(), set[str]()
    for text in texts:
        path, equals, written = (part.strip() for part in text.partition("="))
        if not (path and equals and written):
            raise ValueError(f"what is set is written path=value, got {text!r}")
        if path in seen:
            raise ValueError(f"{path} is set twice")
        seen.add(path)
        for place in list(_set(changed, path.split("."), value(written))):
            places[place] = f"--set {text}"
    return changed, places


def value(text: str) -> Any:
    """What a text means: a value of TOML, else a Python literal, else the text itself.

    >>> value("{ range = [0, 3] }"), value("true"), value("(1, 2)"), value("Krum")
    ({'range': [0, 3]}, True, [1, 2], 'Krum')
    """
    try:
        found = tomllib.loads(f"value = {text}")
        if len(found) == 1:
            return found["value"]
    except tomllib.TOMLDecodeError:
        pass
    [found] = by_name.parse_settings([f"value={text}"]).values()
    return list(found) if isinstance(found, tuple) else found


def _set(data: dict[str, Any], names: Sequence[str], value: Any) -> Iterator[Path]:
    """Put a value where a path says; the places where it stands then."""
    key, rest = names[0], names[1:]
    if key == "plot" and len(rest) == 1:
        if rest[0] not in PLOT:
            raise ValueError(f"nothing is called plot.{rest[0]}{by_name.nearest(rest[0], PLOT)}")
        data.setdefault("plot", {})[rest[0]] = value
        yield ("plot", rest[0])
    elif key in KINDS and rest:
        yield from _set_in_parts(data, key, rest, value)
    elif key in (*KEYS, "title") and not rest:
        yield from _set_key(data, key, value)
    else:
        known = ("title", *KEYS, *_paths(data))
        written = ".".join(names)
        raise ValueError(f"nothing is called {written}{by_name.nearest(written, known)} (known: {', '.join(known)})")


def _set_key(data: dict[str, Any], key: str, value: Any) -> Iterator[Path]:
    other = OTHERS.get(key, key)
    for where, table in _tables(data):
        if not where or key in table or other in table:
            if other != key:
                table.pop(other, None)
            table[key] = value
            yield (*where, key)


def _set_in_parts(data: dict[str, Any], kind: str, names: Sequence[str], value: Any) -> Iterator[Path]:
    *named, setting = names
    wanted, found = ".".join(named), False
    for where, table in _tables(data):
        if kind not in table:
            continue
        many = isinstance(table[kind], list)
        chosen: list[Any] = []
        for entry in table[kind] if many else [table[kind]]:
            every = _names(entry)
            taking = [name for name in every if wanted in ("", name) and setting in ("name", *_takes(kind, name))]
            if not taking:
                chosen.append(entry)
                continue
            whole, found = {"name": entry} if isinstance(entry, str) else entry, True
            for one in [entry["name"]] if taking == every and isinstance(entry, dict) else every:
                changes = taking == every or one in taking
                chosen.append(whole | {"name": one} | ({setting: value} if changes else {}))
                if changes:
                    yield (*where, kind, *([len(chosen) - 1] if many or len(every) > 1 else []), setting)
        table[kind] = chosen if many or len(chosen) > 1 else chosen[0]
    if not found:
        known, written = _paths(data, kind), ".".join((kind, *names))
        listed = ", ".join(known) or "none"
        raise ValueError(f"no {kind} of the file has {written}{by_name.nearest(written, known)} (known: {listed})")


def _tables(data: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The file and its blocks, as far as they are tables."""
    yield (), data
    blocks = data.get("block", [])
    for i, block in enumerate(blocks if isinstance(blocks, list) else []):
        if isinstance(block, dict):
            yield ("block", i), block


def _names(entry: Any) -> list[str]:
    """The names of a part, or of the parts that share its settings; none of what is no part."""
    found = entry.get("name") if isinstance(entry, dict) else entry
    return [name for name in (found if isinstance(found, list) else [found]) if isinstance(name, str)]


def _takes(kind: str, name: str) -> Sequence[str]:
    """The settings of a part; none of one that there is not, which the reader of the file tells."""
    try:
        return list(by_name.takes(kind, name))
    except ValueError:
        return []


def _paths(data: dict[str, Any], *kinds: str) -> list[str]:
    """The paths of all settings of the parts that are in the data."""
    found: dict[str, None] = {}
    for _, table in _tables(data):
        for kind in kinds or KINDS:
            written = table.get(kind, [])
            for entry in written if isinstance(written, list) else [written]:
                settings = (setting for name in _names(entry) for setting in _takes(kind, name))
                found |= dict.fromkeys(f"{kind}.{setting}" for setting in settings)
    return list(found)
