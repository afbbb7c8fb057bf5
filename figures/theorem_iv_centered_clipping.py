"""Theorem IV: how much of the one-step bound is used, and the error of v_l beside the bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures.style import INK, RULES, WARNING, WIDTH, headline, label_ends, log_ticks, panel, pick, styled

OURS = RULES["CenteredClipping"].colour
LEVELS = (0.15, 0.2, 0.25, 0.3)
CENTRES = (0.5, 1, 2)  # B/ρ at the ticks


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Theorem IV from its recorded data; ValueError if a part is missing."""
    figure = Figure((WIDTH, 3.9))
    n, f, away = pick(data, "n"), pick(data, "f"), pick(data, "away")
    headline(
        figure,
        "Theorem IV holds from a fixed centre, with room to spare",
        "Left: how much of the one-step bound is used at most. Right: l steps with two choices of the radii, δ = 0.15",
    )

    used = panel(figure, 0.62, 0.45, 1.85, 2.75, "One step: U/(6.45δB² + 22.1δρ²)")
    delta, share = np.array(pick(data, "delta")), np.array(pick(data, "share"))
    values = np.array(pick(data, "used")).T
    used.contourf(delta, share, values, levels=np.linspace(0.1, 0.35, 11), cmap="Purples", vmin=0.05, vmax=0.6)
    lines = used.contour(delta, share, values, levels=LEVELS, colors=INK, linewidths=0.6)
    used.clabel(lines, fmt=lambda value: f"{value:.0%}".replace("%", " %"), fontsize=7)
    ticks = [0.0, *(b * b / (1 + b * b) for b in CENTRES), 1.0]
    used.set_yticks(ticks, ["0", *(f"{b:g}ρ" for b in CENTRES), "∞"])
    used.set(
        xlabel="δ = f/n, the share of attackers",
        ylabel="B, distance of the centre",
        xticks=[0.01, 0.05, 0.1, 0.15],
        xlim=(delta[0], 0.15),
    )

    steps = panel(figure, 3.2, 0.45, 1.65, 2.75, f"Many steps: n = {n}, f = {f}, B = {away:g}ρ")
    log_ticks(steps, (10, 100, 1000, 10**4, 10**5))
    log_ticks(steps, (1, 3, 10, 30, 100, 300), "x")
    place = pick(data, "steps")
    last = place[-1]
    steps.set(xlim=(1, last), ylim=(5, 3e5), xlabel="steps l", ylabel="mean squared error/(δρ²)")
    ends = []
    for name, colour, words, radii in (
        ("printed", WARNING, "printed bound", "paper's radii"),
        ("ours", OURS, "our bound", "our radii"),
    ):
        bound, reached = (pick(data, "curves", name, key) for key in ("bound", "reached"))
        steps.plot(place, bound, color=colour, linewidth=1.7)
        steps.plot(place, reached, color=colour, linewidth=1.2, linestyle=(0, (2, 1.2)))
        steps.fill_between(place, reached, bound, color=colour, alpha=0.07, linewidth=0)
        ends += [(words, last, bound[-1], colour), (f"reached, {radii}", last, reached[-1], colour)]
    label_ends(steps, ends)
    return figure
