"""Figure 6: the radius and the steps of clipping under two attacks, and what is clipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.experiments.curves import HOLLOW, MARK, found, legend, not_run, results
from figures.palette import HEX
from figures.style import WIDTH, headline, log_ticks, panel, styled
from theory.experiments import released
from theory.experiments.results import Cell, NotRunError, Results

ATTACKS = {"BitFlipping": "bit flipping", "LabelFlipping": "label flipping"}
STEPS: dict[int, tuple[str, Any]] = {
    1: (HEX["rule-centered-clipping"], "-"),
    3: (HEX["rule-coordinate-median"], (0, (4, 1.5))),
    5: (HEX["rule-krum"], (0, (1, 1))),
}
RADII = (0.1, 10.0, 1000.0)
ALT = (
    "Accuracy against the radius, for bit and label flipping: 75 to 80 % at τ = 0.1, and 89 % at 10 and 1000, the "
    "same for 1, 3 and 5 steps. Below: at τ = 0.1 nearly all honest messages are clipped, at 10 a third, at 1000 "
    "none."
)


def CAPTION(data: dict[str, Any]) -> str:  # noqa: N802, a name that every figure has
    """The text below the figure."""
    return (
        "Above: test accuracy after the last round against the radius τ of centered clipping, without momentum, for "
        f"three numbers of steps. {results('figure_6', data).setting}. Points: means over seeds, bars: all seeds; "
        "diamonds: the authors' released logs after 100 epochs of CIFAR-10. Below: the share of messages that are "
        "clipped, honest (lines) and Byzantine (crosses)."
    )


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of the table of all runs; ValueError if it is something else."""
    table = results("figure_6", data)
    figure = Figure((WIDTH, 3.9))
    headline(
        figure,
        "Only the smallest radius matters, the number of steps does not",
        f"{table.setting}; bars: all seeds\nDiamonds: the authors' logs after 100 epochs of CIFAR-10",
    )
    entries: list[tuple[str, dict[str, Any]]] = [
        (f"{steps} step{'s' * (steps > 1)}", {"color": colour, "linestyle": line})
        for steps, (colour, line) in STEPS.items()
    ]
    legend(figure, 0.5, 3.9 - 0.8, entries, (0, 0.9, 1.9))
    tops: list[Axes] = []
    for i, (attack, words) in enumerate(ATTACKS.items()):
        top = panel(figure, 0.55 + 2.95 * i, 1.78, 2.6, 1.0, f"{words}: test accuracy, %")
        below = panel(figure, 0.55 + 2.95 * i, 0.42, 2.6, 0.8, "clipped, %: honest (lines), attackers (×)")
        for axes in (top, below):
            log_ticks(axes, RADII, "x")
            axes.set_xlim(0.04, 2500)
        for k, (colour, _) in enumerate(STEPS.values()):
            for tau, by_steps in released.RADII[attack].items():
                top.plot(_beside(tau, k), released.mean(by_steps[k]), MARK, color=colour, **HOLLOW)
        below.set_xlabel("radius τ")
        below.set_ylim(-4, 104)
        if not _curves(top, table, attack, lambda cell: cell.last("test_accuracy")):
            not_run(top)
        else:
            tops.append(top)
        drawn = _curves(below, table, attack, lambda cell: cell.over_time("clipped"))
        if not (_curves(below, table, attack, lambda cell: cell.over_time("clipped_byzantine"), marks=True) or drawn):
            not_run(below, "not observed")
    lowest = min((top.get_ylim()[0] for top in tops), default=80.0)  # before any limit is set
    for top in tops:
        top.set_ylim(10 * ((min(lowest, 80.0) - 5) // 10), 100)
    return figure


def _beside(tau: float, k: int) -> float:
    """Where the k-th number of steps stands, beside the others."""
    return tau * 1.18 ** (k - 1)


def _curves(
    axes: Axes, table: Results, attack: str, measure: Callable[[Cell], dict[int, float]], marks: bool = False
) -> bool:
    """A curve for each number of steps along the radius, slightly apart; whether there is one."""
    drawn = False
    for k, (steps, (colour, line)) in enumerate(STEPS.items()):
        values = {}
        for tau in RADII:
            cell = found(table, {"attack": attack, "rule.tau": tau, "rule.steps": steps})
            try:
                values |= {tau: [100 * v for v in measure(cell).values()]} if cell else {}
            except NotRunError:
                return False
        if not values:
            continue
        drawn = True
        x = np.array([_beside(tau, k) for tau in values])
        if marks:
            axes.plot(x, [np.mean(v) for v in values.values()], "x", color=colour, markersize=4)
            continue
        axes.vlines(
            x, [min(v) for v in values.values()], [max(v) for v in values.values()], color=colour, linewidth=2.4
        )
        axes.plot(x, [np.mean(v) for v in values.values()], color=colour, linestyle=line, marker="o", markersize=2.6)
    return drawn
