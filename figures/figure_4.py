"""Figure 4: four attacks, five rules, momentum of the workers, over the rounds."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.experiments.curves import (
    ATTACKS,
    BETAS,
    MARK,
    draw_rounds,
    found,
    last_round,
    legend,
    mark_log,
    not_run,
    over_rounds,
    results,
)
from figures.style import INK, RULES, SOFT, WIDTH, headline, panel, styled
from theory.experiments import released
from theory.experiments.results import Results

HEIGHT, STEP, SIZE = 5.1, (1.1, 0.94), (0.92, 0.7)  # inches
FREE = 0.9  # the β of the runs without attack that are drawn
ALT = (
    "Twenty small panels, a row for each attack, a column for each rule. Without momentum the median, RFA, the "
    "trimmed mean and Krum fail under the inner product attack. With β = 0.99 most come near the runs without "
    "attack, with 0.9 too under the other three attacks. Clipping is near them in every panel."
)


def CAPTION(data: dict[str, Any]) -> str:  # noqa: N802, a name that every figure has
    """The text below the figure."""
    return (
        f"Test accuracy over the rounds. {results('figure_4', data).setting}. A row for each attack, a column for each "
        "rule, a colour for each momentum β of the workers. Lines are means over seeds, bands hold all seeds; dashed: "
        f"the mean without attack, β = {FREE:g}. Diamonds beside a panel: the authors' released logs after 100 epochs "
        "of CIFAR-10."
    )


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of the table of all runs; ValueError if it is something else."""
    table = results("figure_4", data)
    figure = Figure((WIDTH, HEIGHT))
    headline(
        figure,
        "Momentum makes every rule better, on average over the four attacks",
        f"{table.setting}\n"
        "Test accuracy in % over the rounds; bands: all seeds. Beside: the authors' logs after 100 epochs of CIFAR-10",
    )
    entries: list[tuple[str, dict[str, Any]]] = [(f"β = {b:g}", {"color": c}) for b, c in BETAS.items()]
    entries.append((f"no attack, β = {FREE:g}", {"color": SOFT, "linestyle": (0, (3, 2)), "linewidth": 0.9}))
    entries.append(
        (
            "released logs",
            {
                "color": INK,
                "linestyle": "none",
                "marker": MARK,
                "markersize": 3.4,
                "markerfacecolor": "none",
                "markevery": [1],
            },
        )
    )
    legend(figure, 0.3, HEIGHT - 0.8, entries, (0, 0.9, 1.85, 2.85, 4.55))
    last = last_round(table)
    for i, (attack, words) in enumerate(ATTACKS.items()):
        for j, rule in enumerate(released.RULES):
            bottom = HEIGHT - 1.17 - SIZE[1] - i * STEP[1]
            axes = panel(figure, 0.72 + STEP[0] * j, bottom, *SIZE, "" if i else RULES[rule].short)
            axes.set(xlim=(0, last), ylim=(0, 100), xticks=[0, last], yticks=[0, 50, 100])
            axes.set_xticklabels(["0", f"{last:,} rounds"] if i == len(ATTACKS) - 1 and not j else ["", ""])
            if j:
                axes.set_yticklabels([])
            else:
                axes.set_ylabel(_on_two_lines(words))
            if not _panel(axes, table, attack, rule):
                not_run(axes)
                if not j:
                    axes.set_ylabel(_on_two_lines(words))
            for beta, percent in zip(released.BETAS, released.FINAL[attack][rule], strict=True):
                mark_log(axes, percent, BETAS[beta])
    return figure


def _on_two_lines(words: str) -> str:
    """Words broken at the space that is nearest to their middle."""
    spaces = [i for i, letter in enumerate(words) if letter == " "]
    middle = min(spaces, key=lambda i: abs(2 * i - len(words)))
    return f"{words[:middle]}\n{words[middle + 1 :]}"


def _panel(axes: Axes, table: Results, attack: str, rule: str) -> bool:
    """Draw what there is, and say which β is missing; whether there is something."""
    raw = {"attack.on": "gradients"} if "attack.on" in table.axes and attack.endswith("Flipping") else {}
    missing = []
    for beta, colour in BETAS.items():
        where = {"attack": attack, "rule": rule, "optimizer.beta": beta, **raw}
        if rounds := (cell := found(table, where)) and over_rounds(cell, "test_accuracy"):
            draw_rounds(axes, rounds, color=colour)
        else:
            missing.append(f"{beta:g}")
    if len(missing) == len(BETAS):
        return False
    free = found(table, {"attack": "NoAttack", "rule": "Mean", "optimizer.beta": FREE})
    if best := free and over_rounds(free, "test_accuracy"):
        axes.plot(best.t, 100 * best.mean, color=SOFT, linestyle=(0, (3, 2)), linewidth=0.9, zorder=1)
    if missing:
        axes.set_xlabel(f"not run: β = {', '.join(missing)}", fontsize=7, color=SOFT, labelpad=1)
    return True
