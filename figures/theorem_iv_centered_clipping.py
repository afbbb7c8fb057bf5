"""Theorem IV: the error of centered clipping after l steps from a fixed centre, beside the bounds."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from figures.labels import label_ends
from figures.style import RULES, WARNING, WIDTH, headline, log_ticks, panel, pick, power_ticks, styled

CAPTION = (
    "The mean squared error of centered clipping after l steps, in units of δρ², n = {n}, f = {f}, from a fixed "
    "centre at the distance B = {away:g}ρ. Full lines are bounds: the printed one, and ours with our radii. Dotted "
    "lines are the errors under the worst attack on workers that send 0 or 1, computed exactly."
)
ALT = (
    "Both bounds fall and become constant: the printed one at 1360 after 150 steps, ours at 90 after 15 steps. The "
    "errors that are reached end ten times lower, at 95 and 9."
)
OURS = RULES["CenteredClipping"].colour


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Theorem IV from its recorded data; ValueError if a part is missing."""
    figure = Figure((WIDTH, 3.6))
    n, f, away = pick(data, "n"), pick(data, "f"), pick(data, "away")
    place = pick(data, "steps")
    last = place[-1]
    printed, ours = (pick(data, "curves", name, "bound")[-1] for name in ("printed", "ours"))
    headline(
        figure,
        f"From a fixed centre the printed {printed:.0f}δρ² holds, and {ours:.0f}δρ² is enough",
        f"Centered clipping after l steps, n = {n}, f = {f}, from B = {away:g}ρ; full: bounds, dotted: worst attack",
    )
    steps = panel(figure, 0.7, 0.45, 3.6, 2.45, "mean squared error, in units of δρ²")
    power_ticks(steps, range(1, 6))
    log_ticks(steps, (1, 3, 10, 30, 100, 300), "x")
    steps.set(xlim=(1, last), ylim=(5, 3e5), xlabel="clipping steps l")
    ends = []
    for name, colour, whose in (("printed", WARNING, "printed bound"), ("ours", OURS, "our bound")):
        bound, reached = (pick(data, "curves", name, key) for key in ("bound", "reached"))
        steps.plot(place, bound, color=colour, linewidth=1.7)
        steps.plot(place, reached, color=colour, linewidth=1.4, linestyle=(0, (1, 1.2)))
        ends += [(whose, last, bound[-1], colour), (f"{whose}: reached", last, reached[-1], colour)]
    label_ends(steps, ends)
    return figure
