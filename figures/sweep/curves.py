"""Curves with bands."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.labels import label_ends
from figures.style import WIDTH, Look
from figures.sweep.choose import Chosen, Place, Row
from figures.sweep.layout import Around, at_bottom, at_left, lay_out
from figures.sweep.looks import looks
from figures.sweep.scale import Scale, scale, with_bands
from figures.sweep.words import axis, measure, number, width
from sims.sweep.table import TIME, Summary

NARROWEST = 1.45  # inches of a panel with labels beside it; narrower ones have a legend above
DOTTED = (0, (1, 1.6))
MANY = 20  # points of a curve, from which on they have no marks


def draw_curves(
    summary: Summary,
    chosen: Chosen,
    panels: Mapping[Place, Mapping[Place, list[Row]]],
    titles: Sequence[str],
    words: tuple[str, str],
    how: Mapping[str, Any],
) -> Figure:
    """A panel for each of `panels`, with a curve for each of its lines; all panels have the same axes."""
    assert chosen.x is not None
    rows = [row for lines in panels.values() for line in lines.values() for row in line]
    given = [row[chosen.x] for row in rows if row[chosen.x] is not None]
    x = scale(given, how.get("logx", False if chosen.x == TIME else None), chosen.x)
    y = scale([row["mean"] for row in rows], how.get("logy"), summary.value)
    y = with_bands(y, rows)
    styles = looks(chosen.lines, list(dict.fromkeys(place for lines in panels.values() for place in lines)))
    left = 0.42 + max(width(number(tick), 7.5) for tick in y.ticks(6))
    beside = max((width(look.name, 8) for look in styles.values()), default=0.0)
    ends = bool(chosen.lines) and len(panels) <= 2 and (WIDTH - left) / len(panels) - beside - 0.3 >= NARROWEST
    around = Around(left, beside + 0.32 if ends else 0.17, edge=0.0 if ends else 0.02)
    height = {1: 2.6, 2: 2.4, 3: 2.0}.get(len(panels), 1.55)
    legend = list(styles.values()) if chosen.lines and not ends else []
    figure, places = lay_out(words, titles, around, height, legend)
    for i, (axes, lines) in enumerate(zip(places, panels.values(), strict=True)):
        x.put(axes, "x", 8, at_bottom(i, len(places)), sorted(set(given)))
        y.put(axes, "y", 6, at_left(i, len(places)))
        if at_bottom(i, len(places)):
            axes.set_xlabel(axis(chosen.x))
        if at_left(i, len(places)):
            axes.set_ylabel(measure(summary.value))
        found = [_curve(axes, line, chosen.x, (x, y), styles[place]) for place, line in lines.items()]
        if ends:
            label_ends(axes, [end for end in found if end is not None], below_top=True)
    return figure


def _curve(
    axes: Axes, line: Sequence[Row], path: str, scales: tuple[Scale, Scale], look: Look
) -> tuple[str, float, float, str] | None:
    """Draw one line; return where it ends."""
    measured = [row for row in line if row["mean"] is not None]
    if not measured:
        return None
    if measured[0][path] is None:
        return _level(axes, measured[0], scales, look)
    x, y = scales
    measured = sorted(measured, key=lambda row: row[path])
    given, mean = [row[path] for row in measured], [row["mean"] for row in measured]
    across, up = x.place(given), y.place(mean)
    apart = x.apart(given) | y.apart(mean)
    mark = look.marker if len(measured) <= MANY else ""
    axes.plot(across, np.where(apart, math.nan, up), color=look.colour, linestyle=look.line, zorder=3)
    for i in np.flatnonzero(apart[1:] | apart[:-1]):
        axes.plot(across[i : i + 2], up[i : i + 2], color=look.colour, linestyle=DOTTED, linewidth=1, zorder=2)
    axes.plot(across, up, color=look.colour, marker=mark, linestyle="none", zorder=3, clip_on=False)
    if len(measured) == 1:
        _bar(axes, across[0], measured[0], y, look)
    low, high = (bounds(measured, which, y) for which in ("low", "high"))
    axes.fill_between(across, low, high, where=(~apart).tolist(), color=look.colour, alpha=0.16, linewidth=0)
    for i in np.flatnonzero(apart & ~y.apart(mean)):
        _bar(axes, across[i], measured[i], y, look)
    return look.name, float(across[-1]), float(up[-1]), look.ink


def _level(axes: Axes, row: Row, scales: tuple[Scale, Scale], look: Look) -> tuple[str, float, float, str]:
    """A line across the panel: what does not have the setting is the same for all its values."""
    ends, y = scales[0].limits, scales[1]
    height = float(y.place([row["mean"]])[0])
    axes.plot(ends, [height, height], color=look.colour, linestyle=look.line, linewidth=1.2, zorder=2)
    low, high = (bounds([row], which, y) for which in ("low", "high"))
    axes.fill_between(ends, [low[0]] * 2, [high[0]] * 2, color=look.colour, alpha=0.12, linewidth=0)
    return look.name, ends[1], height, look.ink


def bounds(rows: Sequence[Row], which: str, y: Scale) -> np.ndarray:
    """Ends of intervals, inside the panel; NaN where there is none."""
    values = np.array([math.nan if row[which] is None else row[which] for row in rows])
    return np.clip(values, *y.limits)


def _bar(axes: Axes, at: float, row: Row, y: Scale, look: Look) -> None:
    low, high = bounds([row], "low", y)[0], bounds([row], "high", y)[0]
    axes.plot([at, at], [low, high], color=look.colour, linewidth=1, zorder=2)
