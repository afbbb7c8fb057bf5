"""A figure of a sweep from its summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from figures.style import style
from figures.sweep.choose import Chosen, Place, Row, choose
from figures.sweep.curves import draw_curves
from figures.sweep.heat import draw_heat
from figures.sweep.points import draw_points
from figures.sweep.words import axis, measure, plain, settings, symbol
from sims.sweep.table import Summary

DRAW = {"curves": draw_curves, "points": draw_points, "heat": draw_heat}
UNCERTAIN = {"curves": "band", "points": "bar"}


def draw(
    summary: Summary, how: Mapping[str, Any] | None = None, cells: Sequence[Mapping[str, Any]] | None = None
) -> Figure:
    """The figure of a summary; `how` may say what goes where, and the rest is chosen (`choose`).

    `how` may have x, lines, panels (of curves and points), rows, columns (of heat maps), kind, logx, logy, title, a
    note on what is not drawn, and y and t, by which the summary was made. `cells` has the settings of all jobs, for a
    sweep of which not all is done. A logarithmic axis is taken for positive values that span a factor 30; 0 and ∞ stand
    behind a break of the axis. Bands are the 95 % intervals of Student's t over seeds. Raises `ValueError` as `choose`
    does, and for a logarithmic axis of negative values.
    """
    how = {name: given for name, given in (how or {}).items() if given is not None}
    chosen = choose(summary, how, None if cells is None else [dict(cell) for cell in cells])
    rows = list(summary.rows())
    if all(row["mean"] is None for row in rows):
        raise ValueError(f"there is nothing to draw: {summary.value} was measured nowhere")
    panels: dict[Place, dict[Place, list[Row]]] = {}
    for row in rows:
        lines = panels.setdefault(tuple(row[path] for path in chosen.panels), {})
        lines.setdefault(tuple(row[path] for path in chosen.lines), []).append(row)
    titles = [settings(dict(zip(chosen.panels, place, strict=True))) or _without(chosen.panels) for place in panels]
    words = (
        plain(how["title"]) if "title" in how else _title(summary, chosen),
        _below(summary, chosen, rows, how.get("note", "")),
    )
    with style():
        return DRAW[chosen.kind](summary, chosen, panels, titles, words, how)


def _without(panels: Sequence[str]) -> str:
    """The title of a panel whose setting belongs nowhere in it; none if there is but one panel."""
    return f"without {symbol(panels[-1])}" if panels else ""


def _title(summary: Summary, chosen: Chosen) -> str:
    along = [path for path in (chosen.x, chosen.y) if path]
    names = " and ".join(axis(path).partition(",")[0] for path in along)
    return f"{measure(summary.value)} against {names}" if along else measure(summary.value)


def _below(summary: Summary, chosen: Chosen, rows: list[Row], note: str) -> str:
    """What is drawn: mean of how many seeds, at which time, what the bands are, what diverged."""
    counts = sorted({row["count"] for row in rows if row["count"]})
    seeds = f"{counts[0]} to {counts[-1]} seeds" if len(counts) > 1 else f"{counts[0]} seed{'s' * (counts[0] > 1)}"
    when = "" if summary.at == "all" else " after the last round" if summary.at == "last" else f" at t = {summary.at}"
    said = f"{measure(summary.value)}{when}: {'mean of ' if counts[-1] > 1 else ''}{seeds}"
    if chosen.kind in UNCERTAIN and any(row["low"] is not None for row in rows):
        said += f", {UNCERTAIN[chosen.kind]}: 95 % interval of Student's t"
    said += "; ∞: a run diverged" if any(row["diverged"] for row in rows) else ""
    return f"{said}. {plain(note[:1].upper() + note[1:])}" if note else said
