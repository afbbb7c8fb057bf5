"""Theorem II: two problems with the same messages, and the error that this forces without worker momentum."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.labels import label_ends
from figures.palette import HEX
from figures.style import INK, RULES, SOFT, WARNING, WIDTH, headline, log_ticks, panel, pick, styled

CAPTION = (
    "Two problems, f(x) = ½μx² − ax and ½μx² + ax. Left: one round's {round[n]} messages, of which {round[f]} are "
    "Byzantine: the same numbers of each message on both. Right: f(x) − f*, the mean of both problems and of {runs} "
    "runs, n = {n}, f = {f}, worker momentum β = {beta:g}. The grey band holds the mean, the median, the trimmed "
    "mean and centered clipping without momentum. No rule whose step depends on the round's messages alone gets "
    "below the red line."
)
ALT = (
    "Two bar charts of messages, whose totals agree. Beside them the errors without worker momentum, which all stop "
    "at the lower bound, and with it, which fall to a tenth of the bound for three rules, not for the mean."
)
PROBLEMS = {"plus": ("Problem +: the optimum is +a/μ", 2.17), "minus": ("Problem −: the optimum is −a/μ", 0.68)}


def messages(axes: Axes, good: list[int], bad: list[int]) -> None:
    """How many workers send −H, 0 and +H: good ones below, Byzantine ones on top, the sum as an outline."""
    places = [0, 1, 2]
    totals = [g + b for g, b in zip(good, bad, strict=True)]
    axes.bar(places, good, 0.62, color=HEX["good"])
    axes.bar(
        places, bad, 0.62, bottom=good, facecolor=HEX["warning-pale"], edgecolor=WARNING, hatch="////", linewidth=0
    )
    axes.bar(places, totals, 0.62, fill=False, edgecolor=INK, linewidth=1.2)
    for place, total in zip(places, totals, strict=True):
        axes.text(place, total + 2, str(total), ha="center", va="bottom", fontweight="bold")
    axes.set(xlim=(-0.45, 2.45), ylim=(0, 98), xticks=places, yticks=[])
    axes.set_xticklabels(["μx − H", "μx", "μx + H"])
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="x", length=0)


def errors(axes: Axes, data: dict[str, Any]) -> None:
    """A grey band without momentum, a line a rule with worker momentum, and the bound above what is out of reach."""
    t, bound = pick(data, "t"), pick(data, "bound")
    log_ticks(axes, (0.003, 0.01, 0.03, 0.1, 0.3))
    log_ticks(axes, (1, 10, 100, 1000), "x")
    axes.set(xlim=(1, t[-1]), ylim=(0.0022, 0.5), xlabel="round t")
    axes.fill_between(t, 1e-4, bound, color=WARNING, alpha=0.07, linewidth=0)
    axes.plot(t, bound, color=WARNING, linewidth=3.2, alpha=0.45, solid_capstyle="butt")
    without = np.array(list(pick(data, "errors", "none").values()))
    axes.fill_between(t, without.min(axis=0), without.max(axis=0), color=SOFT, alpha=0.35, linewidth=0.8)
    ends = []
    for name, row in pick(data, "errors", "worker").items():
        look = RULES[name]
        axes.plot(t, row, color=look.colour, linestyle=look.line, linewidth=1.4)
        if name != "Mean":
            ends.append((look.name, t[-1], row[-1], look.ink))
    axes.text(1.25, 0.0145, "out of reach\nfor rules that\nforget who\nsent what", color=WARNING, va="center")
    axes.text(24, 0.4, "without worker\nmomentum: all four rules;\nwith it: the mean", fontsize=7.5, va="top")
    axes.annotate("", (160, 0.076), (160, 0.165), arrowprops={"arrowstyle": "->", "color": SOFT, "linewidth": 0.8})
    axes.text(31, 0.0135, "with worker momentum", fontsize=7.5, va="center")
    label_ends(axes, [*ends, ("lower bound", t[-1], bound[-1], WARNING)])


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Theorem II from its recorded data; ValueError if a curve is missing."""
    figure = Figure((WIDTH, 3.9))
    n, f = pick(data, "round", "n"), pick(data, "round", "f")
    headline(
        figure,
        "Whoever forgets who sent what cannot tell two problems apart",
        "Minimise ½μx² ∓ ax. For every rare message of a good worker a Byzantine one sends its mirror image",
    )
    for problem, (title, bottom) in PROBLEMS.items():
        axes = panel(figure, 0.15, bottom, 2.2, 1.05, title)
        messages(axes, *(pick(data, "round", problem, key) for key in ("good", "bad")))
        if problem == "plus":
            axes.text(1.4, 82, f"{f} Byzantine", color=WARNING, va="center")
            axes.text(1.4, 62, f"{n - f} good", color=HEX["good-ink"], va="center")
    figure.text(0.15 / WIDTH, 0.14 / 3.9, f"One round: the same {n} messages on both")
    size = f"n = {pick(data, 'n')}, f = {pick(data, 'f')}"
    errors(panel(figure, 3.05, 0.45, 2.1, 2.72, f"f(x) − f*, mean of both problems; {size}"), data)
    return figure
