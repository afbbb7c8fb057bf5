"""Where the panels of a sweep's figure lie, its words above, and its legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.style import INK, WIDTH, Look, headline, panel
from figures.sweep.words import fitted, width, wrapped

GRID = {1: 1, 2: 2, 3: 3, 4: 2, 5: 3, 6: 3}  # panels → columns
SAMPLE = 0.34  # inches of a line in the legend, with the space before its name


@dataclass(frozen=True)
class Around:
    """Inches that a panel needs for words: left of the first column, right of each, and below each row."""

    left: float
    right: float = 0.15
    below: float = 0.3
    last: float = 0.2  # more below the last row, for the axis' label
    edge: float = 0.0  # at the right edge of the figure


def lay_out(
    words: tuple[str, str], titles: Sequence[str], around: Around, height: float, legend: Sequence[Look] = ()
) -> tuple[Figure, list[Axes]]:
    """A figure with a panel of this height for each title, from left to right and down."""
    title = wrapped(words[0], WIDTH - 0.16, 10.5, bold=True)
    below = wrapped(words[1], WIDTH - 0.16, 8)
    lines = _legend_lines(legend)
    columns = GRID[len(titles)]
    rows = -(-len(titles) // columns)
    inner = (WIDTH - around.left - around.edge - columns * around.right) / columns
    names = [[fitted(line, inner, 8.5) for line in wrapped(text, inner, 8.5)] for text in titles]
    above = 0.08 + 0.14 * max(len(name) for name in names) if any(titles) else 0.06
    top = 0.34 + 0.17 * (len(title) - 1) + 0.14 * len(below) + 0.18 * len(lines) + (0.04 if lines else 0)
    total = top + rows * (above + height + around.below) + around.last
    figure = Figure((WIDTH, total))
    headline(figure, "\n".join(title), "\n".join(below))
    _draw_legend(figure, lines, top)
    found = []
    for i, name in enumerate(names):
        row, column = divmod(i, columns)
        left = around.left + column * (inner + around.right)
        bottom = total - top - (row + 1) * (above + height) - row * around.below
        found.append(panel(figure, left, bottom, inner, height, "\n".join(name)))
    return figure, found


def at_left(i: int, count: int) -> bool:
    """Whether a panel is in the first column."""
    return i % GRID[count] == 0


def at_bottom(i: int, count: int) -> bool:
    """Whether nothing is below a panel."""
    return i + GRID[count] >= count


def _legend_lines(legend: Sequence[Look]) -> list[list[tuple[Look, float]]]:
    """Entries with their place from the left, in as many lines as they need."""
    lines: list[list[tuple[Look, float]]] = []
    x = WIDTH
    for look in legend:
        needed = SAMPLE + width(look.name, 8) + 0.2
        if x + needed > WIDTH:
            lines.append([])
            x = 0.08
        lines[-1].append((look, x))
        x += needed
    return lines


def _draw_legend(figure: Figure, lines: Sequence[Sequence[tuple[Look, float]]], top: float) -> None:
    height = figure.get_figheight()
    for i, line in enumerate(lines):
        y = 1 - (top - 0.18 * (len(lines) - i) + 0.05) / height
        for look, x in line:
            ends = [x / WIDTH, (x + SAMPLE - 0.08) / WIDTH]
            figure.add_artist(Line2D(ends, [y, y], color=look.colour, linestyle=look.line, linewidth=1.4))
            middle = [sum(ends) / 2]
            figure.add_artist(Line2D(middle, [y], color=look.colour, marker=look.marker, linestyle="none"))
            figure.text((x + SAMPLE) / WIDTH, y, look.name, va="center", color=look.ink or INK)
