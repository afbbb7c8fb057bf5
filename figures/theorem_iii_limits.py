"""Theorem III: the least c that any rule needs, the printed one, and how near the trimmed mean comes."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.labels import label_ends
from figures.palette import HEX
from figures.style import INK, RULES, SOFT, WARNING, WIDTH, headline, log_ticks, panel, pick, styled

CAPTION = (
    "The least c with E‖error‖² ≤ cδρ² for any rule, against the share δ of attackers, computed exactly. Left: lower "
    "bounds for n workers and for n → ∞; dashed red: the paper's c = {printed:g}. Right: what the trimmed mean "
    "needs, found by search (diamonds), above the lower bounds for the same n."
)
ALT = (
    "The lower bound for many workers rises from ½ at δ = 0 through 1 at δ = ¼ to 5 at δ = 0.45, while the printed "
    "limit is constant at 1. The trimmed mean's constants lie just above the lower bounds."
)
SIZES: dict[str, Any] = {"25": (0, (2, 1.2)), "101": (0, (6, 1.5)), "401": (0, (6, 1.3, 1, 1.3))}  # n → its line


def frame(axes: Axes) -> None:
    """Scales and limits of both panels."""
    log_ticks(axes, (0.25, 0.5, 1, 2, 4))
    axes.set(xlim=(0, 0.46), ylim=(0.25, 6), xlabel="δ = f/n, the share of attackers", xticks=[0, 0.1, 0.2, 0.3, 0.4])


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Theorem III from its recorded data; ValueError if a curve is missing."""
    figure = Figure((WIDTH, 3.6))
    headline(
        figure,
        "The printed limit claims too much below δ = ¼ and too little above",
        "The least c that any rule needs, error² ≥ cδρ², with few workers and with many",
    )
    delta, population, printed = (pick(data, key) for key in ("delta", "population", "printed"))

    bounds = panel(figure, 0.45, 0.45, 2.1, 2.45, "What no rule can beat")
    frame(bounds)
    ends = [("n → ∞", delta[-1], population[-1], INK)]
    bounds.plot(delta, population, color=INK, linewidth=2.2)
    for n, line in SIZES.items():
        x, y = pick(data, "finite", n, "delta"), pick(data, "finite", n, "floor")
        bounds.plot(x, y, color=SOFT, linestyle=line, linewidth=1.1)
        ends.append((f"n = {n}", x[-1], y[-1], SOFT))
    bounds.axhline(printed, color=WARNING, linewidth=1.4, linestyle=(0, (7, 2)))
    bounds.fill_between(
        delta,
        population,
        printed,
        where=[p <= printed for p in population],
        facecolor=HEX["warning-pale"],
        edgecolor=WARNING,
        hatch="///",
        linewidth=0,
    )
    words = f"printed: c = {printed:g},\nclaims too much"
    bounds.text(0.012, 1.08 * printed, words, color=WARNING, va="bottom", linespacing=1.3)
    bounds.text(0.375, 2.5, "1/(2(1 − 2δ))", color=INK, ha="right")
    label_ends(bounds, ends)

    rule = panel(figure, 3.6, 0.45, 1.55, 2.45, "The trimmed mean comes near")
    frame(rule)
    look, ends = RULES["TrimmedMean"], []
    for n, fill in (("25", "white"), ("101", look.colour)):
        x, bound = pick(data, "finite", n, "delta"), pick(data, "finite", n, "floor")
        rule.plot(x, bound, color=SOFT, linestyle=SIZES[n], linewidth=1)
        ends.append((f"bound, n = {n}", x[-1], bound[-1], SOFT))
        x, measured = (pick(data, "trimmed_mean", n, key) for key in ("delta", "c"))
        rule.plot(x, measured, color=look.colour, marker=look.marker, markerfacecolor=fill, markersize=3.6, linewidth=1)
        ends.append((f"needs, n = {n}", x[-1], measured[-1], look.ink))
    label_ends(rule, ends)
    return figure
