"""The radius and the steps of centered clipping under every attack, with and without momentum."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.experiments.curves import legend
from figures.palette import HEX
from figures.style import FAINT, INK, SOFT, WIDTH, headline, log_ticks, panel, styled
from figures.sweep.recorded import curve, settings_of
from figures.sweep.words import axis

ATTACKS = {
    "BitFlipping": "bit flipping",
    "InnerProductManipulation": "inner product",
    "ALittleIsEnough": "a little is enough",
    "LabelFlipping": "label flipping",
    "Relocation": "far away",
}
PAPERS = (0.1, 10, 1000)  # the radii of the paper's Figure 6
COLOURS = {0: HEX["rule-krum"], 0.9: HEX["rule-coordinate-median"]}  # by β
STEPS: dict[int, Any] = {1: "-", 3: (0, (4, 1.5)), 5: (0, (1, 1))}
TOP = 20.0


CAPTION = (
    "The error f(x) − f* after 1,500 rounds against the clipping radius τ, for five attacks by 5 of 25 workers. The "
    "problem is a quadratic in 10 dimensions, for label flipping softmax regression. Lines are means of {seeds} "
    "seeds, bands 95 % intervals of Student's t; grey: the radii of the paper's Figure 6."
)
ALT = (
    "Five panels. Under bit flipping the curves are flat. Under the inner product attack and a little is enough the "
    "error falls with the radius; under label flipping and messages from far away it grows, in the last as τ². "
    "Momentum lowers most curves where the radius is small."
)


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of this sweep's table; ValueError if a part is missing."""
    figure = Figure((WIDTH, 3.5))
    headline(
        figure,
        "Clipping is insensitive to its radius under bit flipping, not in general",
        "f(x) − f* after 1,500 rounds, 5 of 25 workers attack; 10 seeds, bands: 95 % intervals of Student's t",
    )
    samples: list[tuple[str, dict[str, Any]]] = [
        ("no momentum" if not beta else f"momentum β = {beta:g}", {"color": colour}) for beta, colour in COLOURS.items()
    ]
    samples += [
        (f"{steps} step{'s' * (steps > 1)}", {"color": INK, "linestyle": line}) for steps, line in STEPS.items()
    ]
    samples.append(("paper", {"color": FAINT}))
    legend(figure, 0.2, 3.5 - 0.7, samples, (0, 1.3, 2.9, 3.65, 4.45, 5.3))
    for i, (attack, words) in enumerate(ATTACKS.items()):
        axes = panel(figure, 0.5 + 1.165 * i, 0.45, 1.05, 1.85, words)
        log_ticks(axes, (1e-3, 0.01, 0.1, 1, 10))
        log_ticks(axes, (0.01, 1, 100), "x")
        axes.set(xlim=(0.007, 1400), ylim=(2e-4, TOP))
        axes.set_xlabel(axis("rule.tau") if i == 2 else "τ")
        if i:
            axes.set_yticklabels([])
        for tau in PAPERS:
            axes.axvline(tau, color=FAINT, linewidth=0.8, zorder=0)
        _curves(axes, data, attack)
        if attack == "Relocation":
            axes.text(100, 0.002, "as τ²", ha="center", va="center", fontsize=7.5, color=SOFT)
    return figure


def _curves(axes: Axes, data: dict[str, Any], attack: str) -> None:
    for beta in settings_of(data, "optimizer.beta"):
        for steps in settings_of(data, "rule.steps"):
            where = {"attack": attack, "optimizer.beta": beta, "rule.steps": steps}
            found, colour = curve(data, "rule.tau", where), COLOURS[beta]
            axes.fill_between(found.x, found.low, found.high, color=colour, alpha=0.12, linewidth=0)
            axes.plot(found.x, found.mean, color=colour, linestyle=STEPS[steps], linewidth=1.3)
