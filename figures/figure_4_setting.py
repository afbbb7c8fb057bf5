"""Why Figure 4 is run where it is: what ALIE takes, for three batches and three networks, with the spread of seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures.experiments.curves import found, legend, not_run, results
from figures.style import INK, RULES, SOFT, WIDTH, headline, log_ticks, panel, styled
from theory.experiments.results import NAMES, Results

FREE, ATTACK = {"attack": "NoAttack", "rule": "Mean"}, "ALittleIsEnough"
SHOWN = ("CoordinateMedian", "TrimmedMean", "CenteredClipping")
LINES: dict[float, Any] = {0.0: "-", 0.99: (0, (1, 1))}
CHOSEN = {"mlp": 1}  # network and batch of Figure 4
HEIGHT = 3.4
ALT = (
    "Three panels, one a network, of the accuracy lost against the batch of a worker. On 100 hidden units without "
    "momentum 5 to 60 points are lost at batches 1 and 4, on the linear classifier less than 5. With β = 0.99 "
    "nothing is lost."
)


def CAPTION(data: dict[str, Any]) -> str:  # noqa: N802, a name that every figure has
    """The text below the figure."""
    return (
        "Why Figure 4 is run where it is: the accuracy that “A little is enough” (ALIE) takes, for three networks and "
        f"three batches of a worker. {results('figure_4_setting', data).setting}. A point is the average over seeds of "
        "the mean's accuracy without attack less the rule's under attack, a bar holds all seeds; full lines without "
        "momentum, dotted with β = 0.99."
    )


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of the table of all runs; ValueError if it is something else."""
    table = results("figure_4_setting", data)
    figure = Figure((WIDTH, HEIGHT))
    headline(
        figure,
        "On 100 hidden units alone ALIE costs every rule, in every seed",
        f"{table.setting}; bars: all seeds\n"
        "Accuracy lost to ALIE, in points: the mean's without it, less the rule's under it",
    )
    entries: list[tuple[str, dict[str, Any]]] = [(RULES[rule].short, {"color": RULES[rule].colour}) for rule in SHOWN]
    entries += [(f"β = {beta:g}", {"color": INK, "linestyle": line}) for beta, line in LINES.items()]
    legend(figure, 0.5, HEIGHT - 0.8, entries, (0, 1.1, 2.5, 4.1, 4.9))
    models: list[str] = table.values("problem.model")
    batches = [int(b) for b in table.values("problem.batch")]
    for i, model in enumerate(models):
        axes = panel(figure, 0.5 + 2.0 * i, 0.45, 1.7, 1.6, NAMES.get(model) or model)
        curves = {
            (rule, beta): {b: gaps for b in batches if (gaps := _gaps(table, model, b, rule, beta))}
            for rule in SHOWN
            for beta in LINES
        }
        if not any(curves.values()):
            not_run(axes)
            continue
        for (rule, beta), gaps in curves.items():
            x = np.array(list(gaps)) * 1.08 ** (SHOWN.index(rule) - 1)
            colour, means = RULES[rule].colour, [float(np.mean(v)) for v in gaps.values()]
            axes.vlines(
                x, [min(v) for v in gaps.values()], [max(v) for v in gaps.values()], color=colour, linewidth=2.2
            )
            axes.plot(x, means, color=colour, linestyle=LINES[beta], marker="o", markersize=2.6)
        axes.axhline(0, color=SOFT, linewidth=0.8, zorder=0)
        log_ticks(axes, batches, "x")
        axes.set_xlim(batches[0] / 1.4, batches[-1] * 1.4)
        axes.set_xlabel("batch of a worker" + (f" ({CHOSEN[model]} is chosen)" if model in CHOSEN else ""))
    return figure


def _gaps(table: Results, model: str, batch: int, rule: str, beta: float) -> list[float]:
    """In points, seed by seed; empty where it was not run."""
    where = {"problem.model": model, "problem.batch": batch, "optimizer.beta": beta}
    free, attacked = found(table, {**where, **FREE}), found(table, {**where, "attack": ATTACK, "rule": rule})
    if free is None or attacked is None:
        return []
    best, got = free.last("test_accuracy"), attacked.last("test_accuracy")
    return [100 * (best[seed] - got[seed]) for seed in got if seed in best]
