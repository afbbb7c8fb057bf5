"""Heat maps of two axes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from figures.style import INK, SOFT, WIDTH
from figures.sweep.choose import Chosen, Place, Row
from figures.sweep.layout import Around, at_bottom, at_left, lay_out
from figures.sweep.scale import Scale, scale
from figures.sweep.words import axis, measure, number, symbol, value, width
from sims.sweep.table import Summary

COLOURS = colormaps["YlGnBu_r"]
DIVERGED = "#f3d9d6"
SMALL = 6.5  # points of the numbers in cells


def draw_heat(
    summary: Summary,
    chosen: Chosen,
    panels: Mapping[Place, Mapping[Place, list[Row]]],
    titles: Sequence[str],
    words: tuple[str, str],
    how: Mapping[str, Any],
) -> Figure:
    """A panel for each of `panels`: `x` across, `y` up, all cells of one size, one scale of colours for all."""
    assert chosen.x is not None
    assert chosen.y is not None
    x, y = ([v for v in summary.axes[path] if v is not None] for path in (chosen.x, chosen.y))
    grids = [_grid(lines[()], (chosen.y, y), (chosen.x, x)) for lines in panels.values()]
    absent = [[p for p in (chosen.x, chosen.y) if all(r[p] is None for r in lines[()])] for lines in panels.values()]
    titles = [
        ", ".join(filter(None, [t, *(f"no {symbol(p)}" for p in a)])) for t, a in zip(titles, absent, strict=True)
    ]
    levels = scale([mean for grid in grids for mean in grid.ravel() if not math.isnan(mean)], how.get("logy"), "mean")
    colours = ScalarMappable((LogNorm if levels.log else Normalize)(levels.low, levels.high), COLOURS)
    up, across = _texts(chosen.y, y), _texts(chosen.x, x)
    bar = 0.34 + max(width(number(tick), 7.5) for tick in levels.ticks(6))
    around = Around(0.46 + max(width(text, 7.5) for text in up), 0.15, edge=bar + 0.08)
    height = {1: 2.6, 2: 2.2, 3: 1.7}.get(len(panels), 1.35)
    figure, places = lay_out(words, titles, around, height)
    for i, (axes, grid) in enumerate(zip(places, grids, strict=True)):
        _cells(axes, grid, colours, levels)
        _ticks(axes, "x", across, at_bottom(i, len(places)))
        _ticks(axes, "y", up, at_left(i, len(places)))
        if at_bottom(i, len(places)):
            axes.set_xlabel(axis(chosen.x))
        if at_left(i, len(places)):
            axes.set_ylabel(axis(chosen.y))
    _bar(figure, places, colours, levels, bar, measure(summary.value))
    return figure


def _grid(rows: Sequence[Row], up: tuple[str, list[Any]], across: tuple[str, list[Any]]) -> np.ndarray:
    """The means, a row for each value of `up`; NaN where there is none. Without its setting it fills a line."""
    grid = np.full((len(up[1]), len(across[1])), math.nan)
    for row in rows:
        place = tuple(slice(None) if row[p] is None else values.index(row[p]) for p, values in (up, across))
        grid[place] = math.nan if row["mean"] is None else row["mean"]
    return grid


def _cells(axes: Axes, grid: np.ndarray, colours: ScalarMappable, levels: Scale) -> None:
    rows, columns = grid.shape
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(-0.5, rows - 0.5))
    figure = axes.get_figure(root=True)
    assert figure is not None
    box = axes.get_window_extent()
    wide, high = box.width / columns / figure.dpi, box.height / rows / figure.dpi
    texts = {(i, j): _short(mean) for (i, j), mean in np.ndenumerate(grid)}
    written = high > 0.13 and max(width(text, SMALL) for text in texts.values()) < 0.9 * wide
    for (i, j), mean in np.ndenumerate(grid):
        if math.isnan(mean):
            continue
        inside = min(max(mean, levels.low), levels.high)
        face = DIVERGED if math.isinf(mean) else to_hex(colours.to_rgba(np.array([inside]))[0])
        hatch = "////" if math.isinf(mean) and not written else None
        axes.add_patch(
            Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=face, edgecolor="white", linewidth=0.5, hatch=hatch)
        )
        if written:
            dark = np.dot(to_rgb(face), (0.3, 0.59, 0.11)) < 0.5
            ink = "white" if dark else INK
            axes.text(j, i, texts[i, j], ha="center", va="center", fontsize=SMALL, color=ink)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)


def _texts(path: str, settings: Sequence[Any]) -> list[str]:
    """The values in words: numbers in three digits, and in more where another value is so near that three mislead."""
    numbers = sorted(v for v in settings if isinstance(v, float) and math.isfinite(v))
    gaps = [b - a for a, b in itertools.pairwise(numbers)]
    near = {v: min(sides) for v, *sides in zip(numbers, [math.inf, *gaps], [*gaps, math.inf], strict=True)}
    return [value(path, _rounded(v, near[v] / 20) if v in near else v) for v in settings]


def _rounded(number: float, error: float) -> float:
    """A number in as few digits, at least three, as change it by no more than `error`."""
    short = (float(f"{number:.{digits}g}") for digits in range(3, 18))
    return next(one for one in short if abs(one - number) <= error)


def _short(mean: float) -> str:
    return "" if math.isnan(mean) else number(float(f"{mean:.2g}"))


def _ticks(axes: Axes, which: str, texts: Sequence[str], labels: bool) -> None:
    """The values beside the cells; every second, third, … if they would touch."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    box = axes.get_window_extent()
    room = (box.width if which == "x" else box.height) / figure.dpi / len(texts)
    needed = max(width(text, 7.5) for text in texts) + 0.08 if which == "x" else 0.13
    stride = max(1, math.ceil(needed / room))
    own = axes.xaxis if which == "x" else axes.yaxis
    own.set_major_locator(FixedLocator(list(range(0, len(texts), stride))))
    own.set_minor_locator(NullLocator())
    own.set_major_formatter(FixedFormatter([text if labels else "" for text in texts[::stride]]))


def _bar(
    figure: Figure, places: Sequence[Axes], colours: ScalarMappable, levels: Scale, room: float, name: str
) -> None:
    """The scale of colours at the right, as high as all panels."""
    boxes = [axes.get_position() for axes in places]
    bottom, top = min(box.y0 for box in boxes), max(box.y1 for box in boxes)
    axes = figure.add_axes(((WIDTH - room - 0.1) / WIDTH, bottom, 0.1 / WIDTH, top - bottom))
    bar = figure.colorbar(colours, cax=axes)
    inside = [tick for tick in levels.ticks(6) if levels.low <= tick <= levels.high]
    bar.set_ticks(inside, labels=[number(tick) for tick in inside])
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
    axes.tick_params(length=2, color=SOFT)
    axes.set_title(name, loc="right", fontsize=8, pad=5)
