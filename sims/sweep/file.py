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
from sims.checked import told, words
from sims.sweep import frame, grid
from sims.sweep.alternatives import Report, alternatives
from sims.sweep.axes import MOST
from sims.sweep.cell import Cell, column, own_start
from sims.sweep.lines import Lines
from sims.sweep.override import Places, overridden
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


def read(path: str | Path, changes: Sequence[str] = ()) -> Sweep:
    """The sweep that a TOML file describes; nothing is run.

    `changes` such as "steps=100" or "rule.tau=[1, 10]" replace what the file says (`sims.sweep.override`), where a
    `ValueError` says if they cannot. Raises `SweepError` with every problem of the file at once, each with its line: no
    file, no text, no TOML, unknown keys and names with the nearest one, wrong types, contradictory axes, cells that
    cannot be, more than 10⁷ jobs.
    """
    path = path if isinstance(path, Path) else Path(words("read", "path", path))
    if isinstance(changes, str) or not isinstance(changes, Sequence):
        raise ValueError(f"read needs a list of changes, got changes = {told(changes)}")
    changes = [words("read", "changes", one) for one in changes]
    try:
        text, data = _parsed(path)
        return of(data, path, text, changes)
    except RecursionError:
        raise SweepError(f"{path}:1: lists and tables are nested too deeply") from None


def of(data: Mapping[str, Any], path: Path, text: str = "", changes: Sequence[str] = ()) -> Sweep:
    """The sweep that the data of a file describe, with changes; `text` tells the lines. `SweepError` as for `read`."""
    data, places = overridden(data, changes)
    found = frame.problems(data)
    blocks = _blocks(frame.without(data, found), found)
    if sum(block.count() for block in blocks) > MOST:
        found.append(((), f"a sweep has at most {MOST:,} jobs, and this one has more"))
    else:
        cells = grid.made(blocks)
        axes = _axes(blocks, cells)
        plot = data.get("plot", {})
        if not found:
            found = _misplaced(plot, axes)
            if gone := {where for where, _ in found if places and where not in places}:  # an axis that was set
                plot = {name: path for name, path in plot.items() if ("plot", name) not in gone}
                found = [(where, sentence) for where, sentence in found if where not in gone]
        if not found:
            title = data.get("title", path.stem)
            return Sweep(path.stem, title, path, plot, cells, axes)
    raise SweepError(_told(path, text, found, places))


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
    problems = [part.made for part in dict.fromkeys(cell.parts[0] for cell in cells)]
    for path, own in (("x0", own_start), ("backend", lambda problem: problem.backend)):
        if path in values and any(path not in block.axes for block in blocks):
            values[path].update(dict.fromkeys(map(own, problems)))
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


def _told(path: Path, text: str, found: Sequence[frame.Problem], places: Places) -> str:
    """A line for each problem, in the order of the file, with the place where it stands or the text that set it."""
    lines, told = Lines(text), set[tuple[int, str, str]]()
    for where, sentence in found:
        by = next((places[where[:k]] for k in range(len(where), 0, -1) if where[:k] in places), None)
        line = 0 if by else lines.of(where)
        told.add((line, by or f"{path}:{line}", sentence))
    shown = [f"{place}: {sentence}" for _, place, sentence in sorted(told)[:SHOWN]]
    return "\n".join(shown + ([f"{path}: and {len(told) - SHOWN} more"] if len(told) > SHOWN else []))
