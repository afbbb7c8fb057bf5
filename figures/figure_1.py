"""Figure 1: unequal classes and no attacker, and who is learned."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.figure import Figure

from figures.experiments.classes import by_class, draw_classes, entries
from figures.experiments.curves import found, not_run, results
from figures.style import INK, WIDTH, headline, panel, styled
from theory.experiments.learned import CLASSES, portion
from theory.experiments.results import Cell

ALT = (
    "A table with a row for each rule and a column for each class. The mean and clipping with τ = 100 learn seven "
    "classes and more, clipping with τ = 10 and the trimmed mean with b = 1 five, the median, RFA and Krum only the "
    "two frequent ones."
)


def CAPTION(data: dict[str, Any]) -> str:  # noqa: N802, a name that every figure has
    """The text below the figure."""
    table = results("figure_1", data)
    gamma = float(table.same.get("problem.gamma", 0.5))
    return (
        f"Test accuracy in % on each class after the last round, the mean over seeds, nobody attacks. {table.setting}. "
        f"Each class is {gamma:g} times as frequent as the one before; its share in % stands below it. On the right "
        "the accuracy on all images. What a rule is told, f, b or τ, stands beside it."
    )


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of the table of all runs; ValueError if it is something else."""
    table = results("figure_1", data)
    gamma = float(table.same.get("problem.gamma", 0.5))
    rules = entries(table)
    below = 0.24 * len(rules)
    height = below + 1.45
    figure = Figure((WIDTH, height))
    headline(
        figure,
        "The median, RFA and Krum learn two classes of ten",
        f"{table.setting}; nobody attacks\n"
        f"Test accuracy in % on each class after the last round; each is {gamma:g} of the one before",
    )
    axes = panel(figure, 1.6, 0.55, 3.9, below, "")
    cells = [found(table, one.where) for one in rules]
    rows = [by_class(cell) for cell in cells]
    if all(math.isnan(value) for row in rows for value in row):
        not_run(axes)
        return figure
    draw_classes(axes, rows, [one.words for one in rules], numbers=True)
    shares = [100 * portion(gamma, [k]) for k in range(CLASSES)]
    axes.set_xticklabels([f"{k + 1}\n{share:.{0 if share >= 1 else 1}f}" for k, share in enumerate(shares)])
    axes.set_xlabel("class, and its share in %")
    axes.text(CLASSES - 0.2, -0.85, "all", va="center")
    for i, cell in enumerate(cells):
        words = "not run" if cell is None else f"{100 * _mean(cell):.1f}"
        axes.text(CLASSES - 0.2, i, words, va="center", color=INK, fontweight="bold" if cell else "normal")
    return figure


def _mean(cell: Cell) -> float:
    values = list(cell.last("test_accuracy").values())
    return sum(values) / len(values)
