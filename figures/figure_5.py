"""Figure 5: from unequal to equal classes, without an attacker."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures.experiments.classes import entries
from figures.experiments.curves import found, not_run, results
from figures.labels import label_ends
from figures.style import SOFT, WIDTH, headline, panel, styled
from theory.experiments.learned import portion

ALT = (
    "Accuracy against γ from ½ to 1. The mean and clipping with τ = 100 stay above 90 %. The median falls from 75 to "
    "46 %, Krum to 33 %, along the share of the two most frequent classes at first; RFA turns and rises to 83 %."
)


def CAPTION(data: dict[str, Any]) -> str:  # noqa: N802, a name that every figure has
    """The text below the figure."""
    return (
        "Test accuracy after the last round against γ, the frequency of each class over that of the one before; nobody "
        f"attacks. {results('figure_5', data).setting}. Points are means over seeds, bands hold all seeds; dashed: the "
        "share of classes 1 and 2, which is what a rule gets that learns only these. What a "
        "rule is told, f, b or τ, stands beside it."
    )


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of the table of all runs; ValueError if it is something else."""
    table = results("figure_5", data)
    gammas = [float(gamma) for gamma in table.values("problem.gamma")]
    figure = Figure((WIDTH, 3.7))
    headline(
        figure,
        "The median and Krum fail on equal classes, too",
        f"{table.setting}; nobody attacks; bands: all seeds\nDashed: the share of the two most frequent classes",
    )
    axes = panel(figure, 0.5, 0.45, 3.9, 2.4, "test accuracy, %")
    ends = []
    for one in entries(table):
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
    axes.set(ylim=(0, 100), xlabel="γ, each class over the one before; 1: equal classes", xticks=gammas)
    axes.set_xticklabels([f"{gamma:g}" for gamma in gammas])
    if ends:
        label_ends(axes, [*ends, ("classes 1 and 2", gammas[-1], 100 * portion(gammas[-1]), SOFT)])
    else:
        not_run(axes)
    return figure
