"""Counterexample 3, the paper's Fig. 2: the tail that middle-seekers ignore, and what they return instead."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures.palette import HEX
from figures.style import INK, RULES, SOFT, WARNING, WIDTH, headline, log_ticks, panel, pick, styled

CAPTION = (
    "Honest messages have the density p(x) = 3x⁻⁴ on [1, ∞), nobody attacks, and the optimum is their mean, "
    "{mean:g}. Left: the density; the hatched half of the mass makes up most of the mean. Right: the expected median "
    "of n messages, and Krum's limit as n → ∞ when it is told that a share f/n is Byzantine. All is computed "
    "exactly."
)
ALT = (
    "A density that falls steeply from x = 1, with the median at 1.26 and the mean at 1.5. The expected median falls "
    "from 1.5 to 1.26 as n grows; Krum's limit falls from 1.5 at f/n = 0 to 1.1 at ½."
)
MEDIAN, KRUM = RULES["CoordinateMedian"], RULES["Krum"]


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Counterexample 3 from its recorded data; ValueError if a curve is missing."""
    figure = Figure((WIDTH, 3.6))
    mean, median, share = (pick(data, key) for key in ("mean", "population_median", "tail_share_of_mean"))
    headline(
        figure,
        "Middle-seekers ignore the tail, and the tail holds most of the mean",
        "Honest messages with density p(x) = 3x⁻⁴ on [1, ∞); no attackers; the optimum is the mean",
    )
    density = panel(figure, 0.45, 0.45, 2.85, 2.45, "The distribution")
    x = np.linspace(1, 4, 601)
    density.set(xlim=(0.9, 4), ylim=(0, 3.3), xlabel="x", ylabel="density p(x)")
    density.set(xticks=[1, 2, 3, 4], yticks=[0, 1, 2, 3])
    density.plot([1, 1, *x[1:]], [0, 3, *(3 / x[1:] ** 4)], color=INK, linewidth=1.6)
    tail = x[x >= median]
    density.fill_between(tail, 3 / tail**4, facecolor=HEX["warning-pale"], edgecolor=WARNING, hatch="///", linewidth=0)
    marks = ((median, f"median, {median:.2f}", MEDIAN.ink, 2.6), (mean, f"mean, {mean:g}: the optimum", INK, 1.9))
    for place, words, colour, height in marks:
        density.plot([place, place], [0, height], color=colour, linewidth=1.4)
        density.text(place + 0.05, height, words, color=colour, va="top", fontweight="bold")
    density.annotate(
        f"the upper half of the mass,\n{100 * share:.0f} % of the mean: the median\ndoes not see how far out it lies",
        (1.85, 0.15),
        (1.95, 1.22),
        color=WARNING,
        va="top",
        linespacing=1.3,
        arrowprops={"arrowstyle": "-", "color": WARNING, "linewidth": 0.5, "relpos": (0, 0), "shrinkB": 0},
    )

    small = panel(figure, 4.25, 2.05, 1.9, 0.85, "The median of n messages")
    sizes, expected = pick(data, "median", "n"), pick(data, "median", "expected")
    log_ticks(small, (1, 10, 100, 1000), "x")
    small.set(xlim=(0.8, 1300), ylim=(1.17, 1.56), xlabel="n", ylabel="expected", yticks=[1.3, 1.4, 1.5])
    small.axhline(mean, color=INK, linewidth=1)
    small.axhline(median, color=SOFT, linewidth=0.8, linestyle=(0, (3, 2)))
    small.plot(sizes, expected, color=MEDIAN.colour, marker=MEDIAN.marker, markersize=3.5)
    small.text(1200, mean - 0.02, "mean", ha="right", va="top")
    small.text(1200, median - 0.025, "the distribution's median", color=SOFT, ha="right", va="top")

    small = panel(figure, 4.25, 0.45, 1.9, 0.85, "Krum, told a share f/n")
    small.set(xlim=(-0.015, 0.5), ylim=(1.08, 1.56), xlabel="f/n", ylabel="limit, n → ∞")
    small.set(yticks=[1.1, 1.3, 1.5], xticks=[0, 0.2, 0.4])
    small.axhline(mean, color=INK, linewidth=1)
    phi, limit = pick(data, "krum", "phi"), pick(data, "krum", "limit")
    small.plot(phi, limit, color=KRUM.colour, marker=KRUM.marker, markevery=10, markersize=4)
    small.text(0.49, mean - 0.03, "mean", ha="right", va="top")
    return figure
