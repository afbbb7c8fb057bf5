"""Figure 3: a little is enough, without momentum, over the rounds, and how far it pushes."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from figures.experiments.curves import draw_rounds, found, mark_log, not_run, over_rounds, results
from figures.style import RULES, SOFT, WIDTH, headline, label_ends, panel, styled
from theory.experiments import released

ATTACK = "ALittleIsEnough"


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of the table of all runs; ValueError if it is something else."""
    table = results("figure_3", data)
    figure = Figure((WIDTH, 3.2))
    headline(
        figure,
        "A little is enough, without momentum",
        f"{table.setting}; bands: all seeds\nDiamonds: the authors' logs after 100 epochs of CIFAR-10",
    )
    left = panel(figure, 0.5, 0.45, 1.85, 1.95, "test accuracy, %")
    right = panel(figure, 4.2, 0.45, 1.85, 1.95, "push by the attack, % of step")
    ends, pushed = [], False
    for rule in released.RULES:
        cell, look = found(table, {"attack": ATTACK, "rule": rule}), RULES[rule]
        if cell is None:
            continue
        if rounds := over_rounds(cell, "test_accuracy"):
            draw_rounds(left, rounds, color=look.colour, linestyle=look.line)
            ends.append((look.name, rounds.t[-1], 100 * rounds.mean[-1], look.ink))
        if share := over_rounds(cell, "push", over="step"):
            pushed = True
            draw_rounds(right, share, color=look.colour, linestyle=look.line)
    free = found(table, {"attack": "NoAttack", "rule": "Mean"})
    if best := free and over_rounds(free, "test_accuracy"):
        draw_rounds(left, best, color=SOFT, linestyle=(0, (3, 2)))
        ends.append(("mean, no attack", best.t[-1], 100 * best.mean[-1], SOFT))
    for axes in (left, right):
        axes.set_xlabel("round")
        axes.set_xlim(0, max(row["t"] for row in table.rows))
    left.set_ylim(0, 100)
    for rule in released.RULES:
        mark_log(left, released.FINAL[ATTACK][rule][0], RULES[rule].colour)
    mark_log(left, released.NO_ATTACK[0], SOFT)
    if ends:
        label_ends(left, ends, gap=0.25, size=7.5)
    else:
        not_run(left)
    if pushed:
        right.set_ylim(min(0, right.get_ylim()[0]), max(0, right.get_ylim()[1]))
    else:
        not_run(right, "not observed")
    return figure
