"""Figure 3: a little is enough, without momentum, over the rounds."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from figures.experiments.curves import draw_rounds, found, mark_log, not_run, over_rounds, results
from figures.labels import label_ends
from figures.style import RULES, SOFT, WIDTH, headline, panel, styled
from theory.experiments import released

ATTACK = "ALittleIsEnough"
ALT = (
    "Accuracy over 600 rounds. Without attack it reaches 91 %. Under ALIE RFA ends at 85 %, the median at 82, "
    "clipping at 80, the trimmed mean at 75 and Krum at 68 %. The authors' logs, on another network, end between 25 "
    "and 83 %."
)


def CAPTION(data: dict[str, Any]) -> str:  # noqa: N802, a name that every figure has
    """The text below the figure."""
    return (
        "Test accuracy over the rounds under the attack “A little is enough” (ALIE), without momentum. "
        f"{results('figure_3', data).setting}. Lines are means over seeds, bands hold all seeds; dashed: the mean "
        "without attack. Diamonds beside the panel: the authors' released logs after 100 epochs of CIFAR-10."
    )


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of the table of all runs; ValueError if it is something else."""
    table = results("figure_3", data)
    figure = Figure((WIDTH, 3.6))
    headline(
        figure,
        "Without momentum “A little is enough” takes accuracy from every rule",
        f"{table.setting}; bands: all seeds\nDiamonds: the authors' logs after 100 epochs of CIFAR-10",
    )
    axes = panel(figure, 0.5, 0.45, 3.9, 2.3, "test accuracy, %")
    ends = []
    for rule in released.RULES:
        cell, look = found(table, {"attack": ATTACK, "rule": rule}), RULES[rule]
        if rounds := cell and over_rounds(cell, "test_accuracy"):
            draw_rounds(axes, rounds, color=look.colour, linestyle=look.line)
            ends.append((look.name, rounds.t[-1], 100 * rounds.mean[-1], look.ink))
    free = found(table, {"attack": "NoAttack", "rule": "Mean"})
    if best := free and over_rounds(free, "test_accuracy"):
        draw_rounds(axes, best, color=SOFT, linestyle=(0, (3, 2)))
        ends.append(("mean, no attack", best.t[-1], 100 * best.mean[-1], SOFT))
    axes.set(xlabel="round", xlim=(0, max(row["t"] for row in table.rows)), ylim=(0, 100))
    for rule in released.RULES:
        mark_log(axes, released.FINAL[ATTACK][rule][0], RULES[rule].colour, 1.025)
    mark_log(axes, released.NO_ATTACK[0], SOFT, 1.025)
    if ends:
        label_ends(axes, ends, gap=0.28)
    else:
        not_run(axes)
    return figure
