"""Cells of Figure 4 with the paper's own network, for a few epochs, beside the authors' logs at the same epoch."""

from __future__ import annotations

import dataclasses
from typing import Any

from matplotlib.figure import Figure

from figures.experiments.curves import BETAS, draw_rounds, found, legend, not_run, over_rounds, results
from figures.style import INK, RULES, WIDTH, headline, panel, styled
from theory.experiments.released_curves import CURVES, PER_EPOCH

PANELS = (("NoAttack", "Mean"), ("ALittleIsEnough", "CoordinateMedian"), ("ALittleIsEnough", "CenteredClipping"))
SHOWN = 10  # epochs
ALT = (
    "Three panels: no attack, and ALIE against the median and against clipping. In each our points lie on or beside "
    "the authors' dashed lines, those with momentum β = 0.9 about twenty points above those without."
)


def CAPTION(data: dict[str, Any]) -> str:  # noqa: N802, a name that every figure has
    """The text below the figure."""
    return (
        f"Test accuracy after each epoch. {results('figure_4_resnet20', data).setting}. Points are our runs, dashed "
        "lines the authors' released logs of two seeds, whose first ten of 100 epochs are shown. Left: the mean, "
        "nobody attacks; then “A little is enough” (ALIE) against the median and centered clipping."
    )


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of the table of all runs; ValueError if it is something else."""
    table = results("figure_4_resnet20", data)
    figure = Figure((WIDTH, 3.4))
    headline(
        figure,
        "On the paper's own network our runs go where the authors' logs went",
        f"{table.setting}\nTest accuracy in % after each epoch; dashed: the authors' logs, two seeds",
    )
    betas = sorted({beta for _, _, beta in CURVES})
    entries: list[tuple[str, dict[str, Any]]] = [(f"β = {b:g}", {"color": BETAS[b], "marker": "o"}) for b in betas]
    entries.append(("released logs", {"color": INK, "linewidth": 0.8, "linestyle": (0, (3, 1.5))}))
    legend(figure, 0.5, 3.4 - 0.8, entries, (0, 0.9, 1.85))
    for i, (attack, rule) in enumerate(PANELS):
        name = RULES[rule].short
        axes = panel(
            figure, 0.5 + 2.0 * i, 0.45, 1.7, 1.7, f"{name}, {'no attack' if attack == 'NoAttack' else 'ALIE'}"
        )
        axes.set(xlim=(0, SHOWN), ylim=(0, 100), xlabel="epoch", xticks=range(0, SHOWN + 1, 2))
        cells = {beta: found(table, {"attack": attack, "rule": rule, "optimizer.beta": beta}) for beta in betas}
        if not any(cells.values()):
            not_run(axes)
            continue
        for beta, cell in cells.items():
            for curve in CURVES[attack, rule, beta]:
                axes.plot(range(1, SHOWN + 1), curve[:SHOWN], color=BETAS[beta], linewidth=0.8, linestyle=(0, (3, 1.5)))
            if rounds := cell and over_rounds(cell, "test_accuracy"):
                epochs = dataclasses.replace(rounds, t=rounds.t / PER_EPOCH[attack])
                draw_rounds(axes, epochs, color=BETAS[beta], marker="o", markersize=2.6)
    return figure
