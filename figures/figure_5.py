"""Figure 5: from equal to unequal classes, without an attacker."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures.experiments.classes import by_class, draw_classes, entries
from figures.experiments.curves import found, not_run, results
from figures.style import SOFT, WIDTH, headline, label_ends, panel, styled
from theory.experiments.learned import portion


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of the table of all runs; ValueError if it is something else."""
    table = results("figure_5", data)
    gammas = [float(gamma) for gamma in table.values("problem.gamma")]
    rules = entries(table)
    down = -(-len(rules) // 3)
    height = 3.15 + 0.98 * down
    figure = Figure((WIDTH, height))
    headline(
        figure,
        "From equal to unequal classes, without an attacker",
        f"{table.setting}; bands: all seeds\n"
        "Dashed: the share of classes 1 and 2. Below: accuracy on each class after the last round, dark is 100 %",
    )
    axes = panel(figure, 0.5, height - 2.55, 3.8, 1.7, "test accuracy, %")
    ends = []
    for one in rules:
        cells = {gamma: found(table, {**one.where, "problem.gamma": gamma}) for gamma in gammas}
        values = {gamma: list(cell.last("test_accuracy").values()) for gamma, cell in cells.items() if cell}
        if not values:
            continue
        look, x = one.look, list(values)
        mean = [100 * float(np.mean(values[gamma])) for gamma in x]
        low, high = ([100 * pick(values[gamma]) for gamma in x] for pick in (min, max))
        axes.fill_between(x, low, high, color=look.colour, alpha=0.18, linewidth=0)
        axes.plot(x, mean, color=look.colour, linestyle=look.line, marker=look.marker, linewidth=1.2)
        ends.append((one.words, x[-1], mean[-1], look.ink))
    dense = np.linspace(gammas[0], gammas[-1], 60)
    axes.plot(dense, [100 * portion(gamma) for gamma in dense], color=SOFT, linewidth=0.8, linestyle=(0, (3, 2)))
    axes.set(ylim=(0, 100), xlabel="γ, each class over the one before", xticks=gammas)
    axes.set_xticklabels([f"{gamma:g}" for gamma in gammas])
    if ends:
        label_ends(axes, [*ends, ("classes 1 and 2", gammas[-1], 100 * portion(gammas[-1]), SOFT)], size=7.5)
    else:
        not_run(axes)
    for i, one in enumerate(rules):
        row, column = divmod(i, 3)
        below = panel(figure, 0.5 + 1.97 * column, 0.3 + 0.98 * (down - 1 - row), 1.7, 0.6, one.words, pad=3)
        rows = [by_class(found(table, {**one.where, "problem.gamma": gamma})) for gamma in gammas]
        draw_classes(below, rows, [f"{gamma:g}" for gamma in gammas], numbers=False)
        below.tick_params(labelsize=6.5)
        if i + 3 < len(rules):
            below.set_xticklabels([])
        if not column:
            below.set_ylabel("γ", rotation=0, va="center", labelpad=6)
    return figure
