"""Curves over rounds with all seeds, the released logs beside them, and panels of what was not run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.palette import HEX
from figures.style import FAINT, SOFT
from theory.experiments.results import Cell, NotRunError, Results, of

BETAS: dict[float, str] = {
    0.0: HEX["rule-krum"],
    0.9: HEX["rule-coordinate-median"],
    0.99: HEX["rule-trimmed-mean-ink"],
}
ATTACKS = {
    "InnerProductManipulation": "inner product",
    "ALittleIsEnough": "a little is enough",
    "BitFlipping": "bit flipping",
    "LabelFlipping": "label flipping",
}
MARK = "D"  # of the released logs
HOLLOW: dict[str, Any] = {"markersize": 3.4, "markerfacecolor": "none", "markeredgewidth": 0.9}


def results(stem: str, data: Mapping[str, Any]) -> Results:
    """The table that a figure draws; ValueError if it is something else."""
    return of(stem, data)


def found(table: Results, where: Mapping[str, Any]) -> Cell | None:
    """The runs of one setting, None if there are none; of several the first."""
    try:
        return table.cells(where)[0]
    except NotRunError:
        return None


@dataclass(frozen=True, eq=False)
class Rounds:
    """Mean, least and greatest of all seeds at the times that all have."""

    t: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def over_rounds(cell: Cell, measure: str, over: str | None = None) -> Rounds | None:
    """A measure over the rounds, or its ratio to the measure `over`; None if it was not measured.

    Times at which it is not a number are left out.
    """
    needed = [measure, *([over] if over else [])]
    runs = [
        {
            row["t"]: float(row[measure]) / (float(row[over]) if over else 1.0)
            for row in rows
            if all(isinstance(row.get(name), int | float) for name in needed)
        }
        for rows in cell.runs.values()
    ]
    times = sorted(set.intersection(*map(set, runs)))
    if not times:
        return None
    values = np.array([[run[t] for t in times] for run in runs])
    return Rounds(np.array(times, float), values.mean(axis=0), values.min(axis=0), values.max(axis=0))


def draw_rounds(axes: Axes, rounds: Rounds, scale: float = 100.0, **look: Any) -> None:
    """The mean as a line, all seeds as a band."""
    axes.fill_between(rounds.t, scale * rounds.low, scale * rounds.high, color=look["color"], alpha=0.18, linewidth=0)
    axes.plot(rounds.t, scale * rounds.mean, **{"linewidth": 1.3, **look})


def mark_log(axes: Axes, percent: float, colour: str, where: float = 1.05) -> None:
    """A final accuracy of the released logs, right of the panel, whose width is 1."""
    axes.plot(
        [where], [percent], MARK, color=colour, clip_on=False, transform=axes.get_yaxis_transform(), **HOLLOW
    )  # fmt: skip


def not_run(axes: Axes, words: str = "not run") -> None:
    """Make it plain that nothing was run here, or not observed."""
    axes.patch.set_facecolor("none")
    for spine in axes.spines.values():
        spine.set(visible=True, color=FAINT, linestyle=(0, (2, 2)))
    axes.set(xticks=[], yticks=[], xlabel="", ylabel="")
    axes.text(0.5, 0.5, words, ha="center", va="center", color=SOFT, fontsize=7.5, transform=axes.transAxes)


def legend(
    figure: Figure, x: float, y: float, entries: Sequence[tuple[str, Mapping[str, Any]]], offsets: Sequence[float]
) -> None:
    """Samples of lines and marks with their words in one row, so far from (x, y), in inches from the lower left."""
    w, h = figure.get_figwidth(), figure.get_figheight()
    for (words, look), offset in zip(entries, offsets, strict=True):
        left = x + offset
        figure.add_artist(Line2D([left / w, (left + 0.22) / w], [y / h, y / h], **{"linewidth": 1.3, **look}))
        figure.text((left + 0.28) / w, y / h, words, va="center", fontsize=7.5)


def last_round(table: Results) -> int:
    """The last round."""
    return max(row["t"] for row in table.rows)
