"""Who is learned: accuracy class by class, as shaded cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from figures.palette import ON_DARK, ON_LIGHT
from figures.style import FAINT, RULES, Look
from theory.experiments.learned import CLASSES
from theory.experiments.results import Cell, NotRunError, Results

SHADES = LinearSegmentedColormap.from_list("learned", ["#f7f7f5", "#9cc3dd", "#0b4f7d"], N=41)

ORDER = ("Mean", "CenteredClipping", "TrimmedMean", "CoordinateMedian", "RFA", "Krum")
TOLD = {"Krum": ("rule.f", "f"), "TrimmedMean": ("rule.f", "b"), "CenteredClipping": ("rule.tau", "τ")}


@dataclass(frozen=True)
class Entry:
    """A rule as it was set: its settings in the table, its look, and words that say what it was told."""

    where: Mapping[str, Any]
    look: Look
    words: str


def entries(table: Results) -> list[Entry]:
    """The rules of a table, each as often as it was told something else; one of which there is no run is in it too."""
    found = []
    for rule in ORDER:
        path, symbol = TOLD.get(rule, ("", ""))
        name = RULES[rule].short
        told = {row[path]: None for row in table.rows if row["rule"] == rule} if path in table.axes else {}
        for value in sorted(told) or [None]:
            where = {"rule": rule} if value is None else {"rule": rule, path: value}
            found.append(Entry(where, RULES[rule], name if value is None else f"{name}, {symbol} = {value:g}"))
    return found


def by_class(cell: Cell | None) -> list[float]:
    """The accuracy on each class after the last round, the mean over the seeds, NaN where there is none."""
    if cell is None:
        return [math.nan] * CLASSES
    found = []
    for k in range(CLASSES):
        try:
            values = [v for v in cell.last(f"accuracy_{k}").values() if not math.isnan(v)]
        except NotRunError:
            values = []
        found.append(sum(values) / len(values) if values else math.nan)
    return found


def draw_classes(axes: Axes, rows: Sequence[Sequence[float]], labels: Sequence[str], numbers: bool) -> None:
    """A row for each label, a column for each class; with `numbers`, the accuracy in % in each cell.

    A cell without a number is crossed out.
    """
    values = np.array(rows, float)
    edges = [np.arange(size + 1) - 0.5 for size in reversed(values.shape)]
    axes.pcolormesh(*edges, values, cmap=SHADES, vmin=0, vmax=1)
    axes.invert_yaxis()
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks(range(CLASSES), [str(k + 1) for k in range(CLASSES)])
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(length=0)
    for k in range(1, CLASSES):
        axes.axvline(k - 0.5, color="white", linewidth=0.6)
    for i in range(1, len(labels)):
        axes.axhline(i - 0.5, color="white", linewidth=0.6)
    for i, k in np.ndindex(*values.shape):
        value = values[i, k]
        if math.isnan(value):
            axes.plot([k - 0.3, k + 0.3], [i - 0.3, i + 0.3], color=FAINT, linewidth=0.7)
        elif numbers:
            ink = ON_DARK if value > 0.6 else ON_LIGHT
            axes.text(k, i, f"{100 * value:.0f}", ha="center", va="center", fontsize=7, color=ink)
