"""Reading a sweep from its file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sims.by_name import nearest
from sims.by_name import takes as takes_of
from sims.sweep import frame, grid
from sims.sweep.alternatives import Report, alternatives
from sims.sweep.axes import MOST
from sims.sweep.cell import Cell, column
from sims.sweep.lines import Lines
from sims.sweep.parts import KINDS, Parts

SHOWN = 100  # problems of a file: whoever has more sees the same ones again and again
NO_AXES = ("title", "block", "plot")


class SweepError(ValueError):
    """What is wrong with a sweep's file: every problem in a line of its own, FILE:LINE: and a sentence."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """What a file describes: its cells, each once, and what varies, by paths like "rule.tau"."""

    name: str
    title: str
    path: Path
    plot: Mapping[str, Any]
    cells: tuple[Cell, ...]
    axes: Mapping[str, tuple[Any, ...]]


def read(path: str | Path) -> Sweep:
    """The sweep that a TOML file describes; nothing is run.

    Raises `SweepError` with every problem of the file at once, each with its line: no file, no text, no TOML, unknown
    keys and names with the nearest one, wrong types, contradictory axes, cells that cannot be, more than 10⁷ jobs.
    """
    try:
        return _read(Path(path))
    except RecursionError:
        raise SweepError(f"{path}:1: lists and tables are nested too deeply") from None


def _read(path: Path) -> Sweep:
    text, data = _parsed(path)
    found = frame.problems(data)
    blocks = _blocks(frame.without(data, found), found)
    if sum(block.count() for block in blocks) > MOST:
        found.append(((), f"a sweep has at most {MOST:,} jobs, and this one has more"))
    else:
        cells = grid.made(blocks)
        axes = _axes(blocks, cells)
        found += _misplaced(data.get("plot", {}), axes) if not found else []
        if not found:
            title = data.get("title", path.stem)
            return Sweep(path.stem, title, path, data.get("plot", {}), cells, axes)
    raise SweepError(_told(path, text, found))


def _parsed(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise SweepError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise SweepError(f"{path}: this is a folder, and a sweep is described by a file") from None
    except OSError as error:
        raise SweepError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SweepError(f"{path}:{line}: a sweep is written in UTF-8, and this is not: {error.reason}") from None
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line = int(place[1]) if place else text.rstrip().count("\n") + 1
        raise SweepError(f"{path}:{line}: this is no TOML: {error}") from None


def _blocks(data: Mapping[str, Any], found: list[frame.Problem]) -> list[grid.Block]:
    """The blocks with what they take over from the file; without any, the file itself is one.

    `data` lacks what has been `found` to be wrong; more is added to that.
    """
    seen, parts = set(found), Parts()

    def report(where: Any, sentence: str) -> None:
        if (where, sentence) not in seen and len(seen) <= 10 * SHOWN:
            seen.add((where, sentence))
            found.append((where, sentence))

    if (several := data.get("block", [])) is frame.BROKEN:
        return []
    blocks = [(("block", i), block) for i, block in enumerate(several)]
    tables = [(where, _one_of_both(where, table, report)) for where, table in [((), data), *blocks]]
    (_, defaults), *owns = [(where, {key: ((*where, key), value) for key, value in t.items()}) for where, t in tables]
    defaults = {key: value for key, value in defaults.items() if key not in NO_AXES}
    made = []
    for where, own in owns or [((), {})]:
        replaced = {*own, *(("f", "delta") if "f" in own or "delta" in own else ())}
        inherited = {key: value for key, value in defaults.items() if key not in replaced}
        made.append(grid.Block(where, inherited | own, report, parts))
    for kind in [kind for kind in KINDS if kind in defaults and defaults[kind][1] is not frame.BROKEN]:
        alternatives(kind, *defaults[kind], report)  # also what no block takes over
    return made


def _one_of_both(where: Any, table: Mapping[str, Any], report: Report) -> Mapping[str, Any]:
    """The table with f alone, if it has both f and delta, which is reported."""
    if not {"f", "delta"} <= table.keys():
        return table
    report((*where, "delta"), "delta is f/n: a sweep takes f or delta, not both")
    return {key: value for key, value in table.items() if key != "delta"}


def _axes(blocks: Sequence[grid.Block], cells: Sequence[Cell]) -> dict[str, tuple[Any, ...]]:
    """All that is written as a list or differs between blocks, each value once, in the order of the file.

    What is written in one place and left to its default in another differs too.
    """
    values: dict[str, dict[Any, None]] = {}
    listed: set[str] = set()
    for block in blocks:
        listed |= set(block.listed())
        for path, one in block.axes.items():
            values.setdefault(path, {}).update(dict.fromkeys(map(column, one.values)))
        for kind in KINDS:
            for alternative in block.alternatives[kind]:
                values.setdefault(kind, {})[alternative.name] = None
                for path, one in alternative.axes.items():
                    values.setdefault(path, {}).update(dict.fromkeys(map(column, one.values)))
    for part in dict.fromkeys(part for cell in cells for part in cell.parts):
        for path, value in part.settings.items():
            if path in values:
                values[path].setdefault(column(value))
    if "every" in values:
        values["every"].update(dict.fromkeys(cell.every for cell in cells))
    if {"f", "delta"} <= values.keys():  # each of one block, so that neither differs
        values["f"].update(dict.fromkeys(cell.f for cell in cells))
    listed |= _left_out(cells, values)
    return {path: tuple(found) for path, found in values.items() if path in listed or len(found) > 1}


def _left_out(cells: Sequence[Cell], written: Iterable[str]) -> set[str]:
    """What some part takes and was not given, and whose default is no value that a table shows."""
    names = {kind: [path for path in written if path.startswith(f"{kind}.")] for kind in KINDS}
    found: set[str] = set()
    for part in dict.fromkeys(part for cell in cells for part in cell.parts):
        if left := [path for path in names[part.kind] if path not in found]:
            takes, settings = takes_of(part.kind, part.name), part.settings
            found.update(p for p in left if p.partition(".")[2] in takes and p not in settings)
    return found


def _misplaced(plot: Mapping[str, Any], axes: Mapping[str, Any]) -> list[frame.Problem]:
    """What [plot] puts somewhere though it is no axis."""
    known = [*axes, "t"]
    return [
        (("plot", place), f"plot.{place} is no axis of this sweep, got {path!r}{nearest(path, known)}")
        for place in ("x", "lines", "panels", "rows", "columns")
        if (path := plot.get(place)) is not None and path not in known
    ]


def _told(path: Path, text: str, found: Sequence[frame.Problem]) -> str:
    lines = Lines(text)
    told = dict.fromkeys(sorted((lines.of(where), sentence) for where, sentence in found))
    shown = [f"{path}:{line}: {sentence}" for line, sentence in list(told)[:SHOWN]]
    return "\n".join(shown + ([f"{path}: and {len(told) - SHOWN} more"] if len(told) > SHOWN else []))
