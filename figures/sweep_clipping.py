"""The radius and the steps of centered clipping under every attack, with and without momentum."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.palette import HEX
from figures.style import FAINT, INK, SOFT, WIDTH, headline, log_ticks, panel, styled
from figures.sweep.recorded import curve, settings_of
from figures.sweep.words import axis

ATTACKS = {
    "BitFlipping": "bit flipping",
    "InnerProductManipulation": "inner product",
    "ALittleIsEnough": "a little is enough",
    "LabelFlipping": "label flipping",
    "Relocation": "something far away",
}
PAPERS = (0.1, 10, 1000)  # the radii of the paper's Figure 6
COLOURS = {0: HEX["rule-krum"], 0.9: HEX["rule-coordinate-median"]}  # by β
STEPS: dict[int, Any] = {1: "-", 3: (0, (4, 1.5)), 5: (0, (1, 1))}
TOP = 20.0


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of this sweep's table; ValueError if a part is missing."""
    figure = Figure((WIDTH, 4.75))
    headline(
        figure,
        "Clipping is insensitive to its radius under bit flipping, not in general",
        "f(x) − f* after 1,500 rounds, 5 of 25 workers attack; 10 seeds, bands: 95 % intervals of Student's t",
    )
    for i, (attack, words) in enumerate(ATTACKS.items()):
        row, column = divmod(i, 3)
        axes = panel(figure, 0.6 + 1.95 * column, 2.62 - 2.17 * row, 1.6, 1.42, words)
        log_ticks(axes, (1e-3, 0.01, 0.1, 1, 10))
        log_ticks(axes, (0.01, 0.1, 1, 10, 100, 1000), "x")
        axes.set(xlim=(0.007, 1400), ylim=(2e-4, TOP))
        if column:
            axes.set_yticklabels([])
        if row or column == 2:
            axes.set_xlabel(axis("rule.tau"))
        else:
            axes.set_xticklabels([])
        for tau in PAPERS:
            axes.axvline(tau, color=FAINT, linewidth=0.8, zorder=0)
        _curves(axes, data, attack)
        if attack == "Relocation":
            axes.text(100, 1, "as τ², to\n1.3·10⁵", ha="center", va="center", fontsize=7.5, color=SOFT)
    _explain(figure)
    return figure


def _curves(axes: Axes, data: dict[str, Any], attack: str) -> None:
    for beta in settings_of(data, "optimizer.beta"):
        for steps in settings_of(data, "rule.steps"):
            where = {"attack": attack, "optimizer.beta": beta, "rule.steps": steps}
            found, colour = curve(data, "rule.tau", where), COLOURS[beta]
            axes.fill_between(found.x, found.low, found.high, color=colour, alpha=0.12, linewidth=0)
            axes.plot(found.x, found.mean, color=colour, linestyle=STEPS[steps], linewidth=1.3)


def _explain(figure: Figure) -> None:
    """What the lines are, where a sixth panel would be."""
    x, top, line = 4.62, 1.75, 0.19
    for i, (beta, colour) in enumerate(COLOURS.items()):
        words = "without momentum" if not beta else f"momentum β = {beta:g}"
        _sample(figure, x, top - i * line, words, color=colour)
    for i, (steps, dashes) in enumerate(STEPS.items()):
        words = f"{steps} step{'s' * (steps > 1)} of clipping"
        _sample(figure, x, top - (i + 2) * line, words, color=INK, linestyle=dashes)
    _sample(figure, x, top - 5 * line, "the paper's three τ", color=FAINT)


def _sample(figure: Figure, x: float, y: float, words: str, **look: Any) -> None:
    w, h = figure.get_figwidth(), figure.get_figheight()
    figure.add_artist(Line2D([x / w, (x + 0.28) / w], [y / h, y / h], linewidth=1.3, **look))
    figure.text((x + 0.35) / w, y / h, words, va="center")
