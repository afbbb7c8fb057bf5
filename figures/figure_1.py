"""Figure 1: unequal classes and no attacker, over the rounds, and who is learned."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from figures.experiments.classes import by_class, draw_classes, entries
from figures.experiments.curves import draw_rounds, found, last_round, not_run, over_rounds, results
from figures.style import SOFT, WIDTH, headline, label_ends, panel, styled
from theory.experiments.learned import CLASSES, portion


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of the table of all runs; ValueError if it is something else."""
    table = results("figure_1", data)
    gamma = float(table.same.get("problem.gamma", 0.5))
    rules = entries(table)
    below = 0.24 * len(rules)
    height = below + 4.15
    figure = Figure((WIDTH, height))
    headline(
        figure,
        "Unequal classes and no attacker: who is learned",
        f"{table.setting}; each class is {gamma:g} of the one before\n"
        "Bands: all seeds. Below: accuracy on each class after the last round, %",
    )
    left = panel(figure, 0.5, height - 3.0, 3.6, 1.9, "test accuracy, %")
    ends = []
    for one in rules:
        rounds = (cell := found(table, one.where)) and over_rounds(cell, "test_accuracy")
        if rounds:
            draw_rounds(left, rounds, color=one.look.colour, linestyle=one.look.line)
            ends.append((one.words, rounds.t[-1], 100 * rounds.mean[-1], one.look.ink))
    left.set(xlim=(0, last_round(table)), ylim=(0, 100), xlabel="round")
    share = 100 * portion(gamma)
    left.axhline(share, color=SOFT, linewidth=0.8, linestyle=(0, (3, 2)), zorder=0)
    ends.append(("classes 1 and 2", left.get_xlim()[1], share, SOFT))
    if len(ends) == 1:
        not_run(left)
    else:
        label_ends(left, ends, size=7)
    right = panel(figure, 1.6, 0.55, 4.2, below, "accuracy by class, %")
    draw_classes(
        right, [by_class(found(table, one.where)) for one in rules], [one.words for one in rules], numbers=True
    )
    shares = [100 * portion(gamma, [k]) for k in range(CLASSES)]
    right.set_xticklabels([f"{k + 1}\n{share:.{0 if share >= 1 else 1}f}" for k, share in enumerate(shares)])
    right.set_xlabel("class, and its share in %")
    return figure
