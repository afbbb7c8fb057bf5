"""The exact constants: κ* of each rule at n = 25 against f, and what declaring too many attackers costs."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.labels import End, label_ends
from figures.palette import HEX
from figures.style import FAINT, INK, RULES, SOFT, WIDTH, headline, log_ticks, panel, pick, styled

CAPTION = (
    "κ*, the largest squared error over the variance of the honest messages, n = {n}, any dimension. Left: each rule "
    "told the true number f of attackers; dotted: published upper bounds for the geometric median and Krum. Right: f "
    "= {over[f]} attackers, while the rule is told F. All is exact but Multi-Krum (an upper bound) and the trimmed "
    "mean after mixing (a lower bound)."
)
ALT = (
    "The trimmed mean is lowest everywhere and touches the region that no rule reaches. With one attacker the "
    "medians and Krum lie more than twenty times above it. Declaring more attackers than there are costs most for "
    "it."
)
OTHERS = {"MDA": ("MDA", HEX["rule-rfa"]), "SMEA": ("SMEA, Phocas", SOFT)}


def _look(name: str) -> tuple[str, str, str]:
    """What a rule is called at its line's end, and its colours."""
    if name in OTHERS:
        words, colour = OTHERS[name]
        return words, colour, colour
    look = RULES[name]
    words = {"CoordinateMedian": "both medians", "MultiKrum": "Multi-Krum, ≤"}.get(name, look.name)
    return words, look.colour, look.ink


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure from its recorded data; ValueError if a part is missing."""
    figure = Figure((WIDTH, 3.7))
    headline(
        figure,
        "One attacker costs medians and Krum at least 23 times the least",
        f"κ*: the largest error² over the honest variance, n = {pick(data, 'n')}; dotted: published bounds",
    )
    _by_attackers(panel(figure, 0.45, 0.45, 2.2, 2.5, "κ*, each rule told f"), data)
    _by_declared(panel(figure, 4.15, 0.45, 1.0, 2.5, f"κ* at f = {pick(data, 'over', 'f')}"), data)
    return figure


def _by_attackers(axes: Axes, data: dict[str, Any]) -> None:
    fs, least = pick(data, "f"), pick(data, "least")
    log_ticks(axes, (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100))
    axes.set(xlim=(1, 11), ylim=(0.03, 130), xlabel="attackers f", xticks=[1, 3, 5, 7, 9, 11])
    ends: list[End] = []
    for name, row in pick(data, "rules").items():
        words, colour, ink = _look(name)
        known = [(x, y) for x, y in zip(fs, row, strict=True) if y is not None and not math.isnan(y)]
        axes.plot(*zip(*known, strict=True), color=colour, linewidth=1.6)
        ends.append((words, *known[-1], ink))
    for name, row in pick(data, "published").items():
        colour = _look("CoordinateMedian" if name == "GeometricMedian" else name)[1]
        axes.plot(fs, row, color=colour, linewidth=1, linestyle=(0, (1, 1.5)))
    axes.plot(fs, least, color=RULES["TrimmedMean"].colour, linewidth=2.2, zorder=4)
    axes.fill_between(fs, 0.001, least, color=FAINT, alpha=0.35, linewidth=0)
    axes.text(7.3, 0.1, "no rule here", color=INK, ha="center")
    label_ends(axes, [*ends, ("trimmed mean", fs[-1], least[-1], RULES["TrimmedMean"].ink)])


def _by_declared(axes: Axes, data: dict[str, Any]) -> None:
    told = pick(data, "over", "F")
    log_ticks(axes, (0.1, 0.2, 0.5, 1, 2, 5, 10))
    axes.set(xlim=(told[0], told[-1]), ylim=(0.07, 15), xlabel="declared F", xticks=[2, 5, 8, 11])
    ends: list[End] = []
    for name in ("TrimmedMean", "CoordinateMedian", "Krum", "NearestNeighbourMixing"):
        row = pick(data, "over", name)
        words, colour, ink = ("mixed TM, ≥", SOFT, SOFT) if name not in RULES else _look(name)
        axes.plot(told, row, color=colour, linewidth=2.2 if name == "TrimmedMean" else 1.6)
        ends.append((words, told[-1], row[-1], ink))
    label_ends(axes, ends)
