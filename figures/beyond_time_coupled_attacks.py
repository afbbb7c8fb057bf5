"""Time-coupled attacks on centered clipping: what momentum does against them."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from figures.labels import label_ends
from figures.style import RULES, SOFT, WARNING, WIDTH, headline, panel, pick, power_ticks, styled

CAPTION = (
    "The squared gradient that attackers cause against α = 1 − β, Theorem IV's radius, worker momentum, f(x) = ½x², "
    "σ = 1, n = {n}, f = {f}. Curves: the displacement by the worst sequence of attacks and by one direction, exact "
    "while no honest message is clipped, without noise. Points: medians of {runs} runs of {rounds} rounds, with "
    "noise, which is all that is left below 0.003. Triangles: attackers who send the last aggregate v, and a little "
    "more."
)
ALT = (
    "Against one direction heavier momentum helps without end; against the worst sequence only down to α = 0.05, "
    "from where its curve rises again. Sending the last aggregate stays several times above the paper's attacks."
)
OURS, KNOWN = RULES["CenteredClipping"].colour, RULES["CoordinateMedian"].colour


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure from its recorded data; ValueError if a part is missing."""
    figure = Figure((WIDTH, 3.6))
    n, f = pick(data, "n"), pick(data, "f")
    headline(
        figure,
        "Heavier momentum stops a steady push, not every sequence of attacks",
        f"Centered clipping, worker momentum, f = ½x², n = {n}, f = {f}; curves: exact, no noise; points: runs",
    )
    axes = panel(figure, 0.55, 0.45, 3.6, 2.45, "squared gradient")
    fine, coarse, step = pick(data, "fine"), pick(data, "coarse"), pick(data, "step")
    power_ticks(axes, range(-4, 1))
    power_ticks(axes, range(-3, 1), "x")
    axes.set(xlim=(1.0, 1e-3), ylim=(1e-4, 3), xlabel="α = 1 − β, heavier momentum →")
    ends = []
    for key, words, colour in (("worst", "worst sequence", WARNING), ("push", "one direction", OURS)):
        values = pick(data, key)
        axes.plot(fine, values, color=colour, linewidth=1.6)
        ends.append((words, fine[-1], values[-1], colour))
    for key, words, colour, mark in (
        ("measured_with", "runs: last aggregate", WARNING, "^"),
        ("measured_push", "runs: one direction", OURS, "o"),
        ("papers", "runs: IPM, ALIE, BF", KNOWN, "s"),
    ):
        values = pick(data, key)
        axes.plot(coarse, values, color=colour, marker=mark, linestyle="none", markersize=3.6, clip_on=False)
        ends.append((words, coarse[-1], values[-1], colour))
    axes.axvline(8 * step, ymax=0.82, color=SOFT, linewidth=0.8, linestyle=(0, (1, 1)))
    axes.text(8 * step, 1.2, "α = 8Lη, Theorem VI", ha="center", va="bottom", fontsize=7.5, color=SOFT)
    label_ends(axes, ends)
    return figure
