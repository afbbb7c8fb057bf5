"""Theorem IV: the error of centered clipping after l steps from a fixed centre, beside the bounds."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from figures.style import RULES, WARNING, WIDTH, headline, label_ends, log_ticks, panel, pick, power_ticks, styled

OURS = RULES["CenteredClipping"].colour


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Theorem IV from its recorded data; ValueError if a part is missing."""
    figure = Figure((WIDTH, 3.7))
    n, f, away = pick(data, "n"), pick(data, "f"), pick(data, "away")
    place = pick(data, "steps")
    last = place[-1]
    printed, ours = (pick(data, "curves", name, "bound")[-1] for name in ("printed", "ours"))
    headline(
        figure,
        f"From a fixed centre the printed {printed:.0f}δρ² holds, and {ours:.0f}δρ² is enough",
        f"Centered clipping after l steps, n = {n}, f = {f}, from B = {away:g}ρ; full: proved, dotted: reached",
    )
    steps = panel(figure, 0.7, 0.45, 3.5, 2.55, "mean squared error, in units of δρ²")
    power_ticks(steps, range(1, 6))
    log_ticks(steps, (1, 3, 10, 30, 100, 300), "x")
    steps.set(xlim=(1, last), ylim=(5, 3e5), xlabel="clipping steps l")
    ends = []
    for name, colour, whose in (("printed", WARNING, "as printed"), ("ours", OURS, "our radii")):
        bound, reached = (pick(data, "curves", name, key) for key in ("bound", "reached"))
        steps.plot(place, bound, color=colour, linewidth=1.7)
        steps.plot(place, reached, color=colour, linewidth=1.4, linestyle=(0, (1, 1.2)))
        ends += [(f"bound, {whose}", last, bound[-1], colour), (f"reached, {whose}", last, reached[-1], colour)]
    label_ends(steps, ends)
    return figure
