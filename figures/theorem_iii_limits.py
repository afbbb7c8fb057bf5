"""Theorem III: the floors under every rule's c, the printed one, and how near the trimmed mean comes."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.palette import HEX
from figures.style import INK, RULES, SOFT, WARNING, WIDTH, headline, label_ends, log_ticks, panel, pick, styled

GREYS = {"11": SOFT, "25": SOFT, "101": SOFT, "401": SOFT}
LINES: dict[str, Any] = {"11": (0, (1, 1)), "25": (0, (3, 1.3)), "101": (0, (6, 1.5)), "401": (0, (6, 1.3, 1, 1.3))}


def frame(axes: Axes) -> None:
    """Scales and limits of both panels."""
    log_ticks(axes, (0.25, 0.5, 1, 2, 4))
    axes.set(xlim=(0, 0.46), ylim=(0.25, 6), xlabel="δ = f/n, the share of attackers", xticks=[0, 0.1, 0.2, 0.3, 0.4])


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Theorem III from its recorded data; ValueError if a curve is missing."""
    figure = Figure((WIDTH, 3.9))
    headline(
        figure,
        "The printed limit claims too much below δ = ¼ and too little above",
        "The least c that any rule needs, error² ≥ cδρ², with few workers and with many",
    )
    delta, population, printed = (pick(data, key) for key in ("delta", "population", "printed"))

    floors = panel(figure, 0.45, 0.45, 2.1, 2.7, "What no rule can beat")
    frame(floors)
    ends = [("n → ∞", delta[-1], population[-1], INK)]
    floors.plot(delta, population, color=INK, linewidth=2.2)
    for n, grey in GREYS.items():
        x, y = pick(data, "finite", n, "delta"), pick(data, "finite", n, "floor")
        floors.plot(x, y, color=grey, linestyle=LINES[n], linewidth=1.2)
        ends.append((f"n = {n}", x[-1], y[-1], grey))
    floors.axhline(printed, color=WARNING, linewidth=1.4, linestyle=(0, (7, 2)))
    floors.fill_between(
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
    floors.text(0.012, 1.08 * printed, words, color=WARNING, va="bottom", linespacing=1.3)
    floors.text(0.375, 2.5, "1/(2(1 − 2δ))", color=INK, ha="right")
    label_ends(floors, ends)

    rule = panel(figure, 3.5, 0.45, 1.75, 2.7, "The trimmed mean comes near")
    frame(rule)
    look = RULES["TrimmedMean"]
    rule.plot(delta, population, color=SOFT, linewidth=0.8)
    ends = [("floor, n → ∞", delta[-1], population[-1], SOFT)]
    for n, fill in (("25", "white"), ("101", look.colour)):
        x, floor = pick(data, "finite", n, "delta"), pick(data, "finite", n, "floor")
        rule.plot(x, floor, color=GREYS[n], linestyle=LINES[n], linewidth=1)
        ends.append((f"floor, n = {n}", x[-1], floor[-1], GREYS[n]))
        x, measured, bound = (pick(data, "trimmed_mean", n, key) for key in ("delta", "c", "bound"))
        rule.plot(x, bound, color=look.colour, linestyle=(0, (2, 1.2)), linewidth=1)
        rule.plot(x, measured, color=look.colour, marker=look.marker, markerfacecolor=fill, markersize=3.6, linewidth=1)
        ends.append((f"needs, n = {n}", x[-1], measured[-1], look.ink))
    x, bound = pick(data, "trimmed_mean", "25", "delta"), pick(data, "trimmed_mean", "25", "bound")
    label_ends(rule, [*ends, ("proved bounds", x[-1], bound[-1], look.ink)])
    return figure
