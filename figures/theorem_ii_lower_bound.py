"""Theorem II: two worlds with the same messages, and the error that this forces on rules without worker momentum."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.palette import HEX
from figures.style import INK, RULES, SOFT, WARNING, WIDTH, headline, label_ends, log_ticks, panel, pick, styled

GOOD = HEX["good"]
WORLDS = {"plus": ("World +: the optimum is +a/μ", 2.32), "minus": ("World −: the optimum is −a/μ", 0.74)}


def messages(axes: Axes, good: list[int], bad: list[int]) -> None:
    """How many workers send −H, 0 and +H: good ones below, Byzantine ones on top, the sum as an outline."""
    places = [0, 1, 2]
    totals = [g + b for g, b in zip(good, bad, strict=True)]
    axes.bar(places, good, 0.62, color=GOOD)
    axes.bar(
        places, bad, 0.62, bottom=good, facecolor=HEX["warning-pale"], edgecolor=WARNING, hatch="////", linewidth=0
    )
    axes.bar(places, totals, 0.62, fill=False, edgecolor=INK, linewidth=1.2)
    for place, total in zip(places, totals, strict=True):
        axes.text(place, total + 2, str(total), ha="center", va="bottom", fontweight="bold")
    axes.set(xlim=(-0.45, 2.45), ylim=(0, 94), xticks=places, yticks=[])
    axes.set_xticklabels(["μx − H", "μx", "μx + H"])
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="x", length=0)


def errors(axes: Axes, data: dict[str, Any]) -> None:
    """The curves: dotted without momentum, full with worker momentum, and the bound above a region out of reach."""
    t, bound = pick(data, "t"), pick(data, "bound")
    log_ticks(axes, (0.003, 0.01, 0.03, 0.1, 0.3))
    log_ticks(axes, (1, 10, 100, 1000), "x")
    axes.set(xlim=(1, t[-1]), ylim=(0.0022, 0.5), xlabel="round t")
    axes.fill_between(t, 1e-4, bound, color=WARNING, alpha=0.07, linewidth=0)
    axes.plot(t, bound, color=WARNING, linewidth=3.2, alpha=0.45, solid_capstyle="butt")
    ends = []
    for name, row in pick(data, "errors", "worker").items():
        look = RULES[name]
        axes.plot(t, row, color=look.colour, linestyle=look.line, linewidth=1.4)
        if name != "Mean":
            ends.append((look.name, t[-1], row[-1], look.ink))
    for i, (name, row) in enumerate(pick(data, "errors", "none").items()):
        axes.plot(t, row, color=RULES[name].colour, linestyle=(2 * i, (2, 6)), linewidth=1.8)
    axes.text(
        1.25, 0.0145, "out of reach\nfor whoever\nforgets who\nsent what", color=WARNING, fontsize=7.5, va="center"
    )
    here = "without worker momentum\nall four stop here,\nthe mean even with it"
    axes.text(26, 0.36, here, fontsize=7.5, va="top")
    axes.annotate("", (160, 0.076), (160, 0.165), arrowprops={"arrowstyle": "->", "color": SOFT, "linewidth": 0.8})
    axes.text(31, 0.0135, "with worker momentum", fontsize=7.5, va="center")
    label_ends(axes, [*ends, ("lower bound", t[-1], bound[-1], WARNING)])


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Theorem II from its recorded data; ValueError if a curve is missing."""
    figure = Figure((WIDTH, 4.3))
    headline(
        figure,
        "Whoever forgets who sent what cannot tell two worlds apart",
        "Minimise ½μx² ∓ ax. For every rare message of a good worker a Byzantine one sends its mirror image",
    )
    n, f = pick(data, "round", "n"), pick(data, "round", "f")
    for world, (title, bottom) in WORLDS.items():
        axes = panel(figure, 0.15, bottom, 2.2, 1.2, title)
        messages(axes, *(pick(data, "round", world, key) for key in ("good", "bad")))
        if world == "plus":
            axes.text(1.4, 80, f"{f} Byzantine", color=WARNING, va="center")
            axes.text(1.4, 62, f"{n - f} good", color=HEX["good-ink"], va="center")
    figure.text(0.15 / WIDTH, 0.2 / 4.3, f"One round: the same {n} messages in both worlds")
    size = f"n = {pick(data, 'n')}, f = {pick(data, 'f')}"
    errors(panel(figure, 3.05, 0.5, 2.1, 3.02, f"f(x) − f*, average of both worlds; {size}"), data)
    return figure
