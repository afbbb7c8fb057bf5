"""Corollary V: the constant c of centered clipping against δ, printed, proved and measured."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from figures.labels import label_ends
from figures.style import INK, RULES, SOFT, WARNING, WIDTH, headline, log_ticks, panel, pick, styled

CAPTION = (
    "The constant c in E‖v − x̄‖² ≤ cδρ² of centered clipping from a fixed centre, against the share δ of attackers. "
    "Dashed: the paper's c = {printed}, for one step and for many. Full: proved here, for many steps with our radii "
    "and for one step from within ρ. Circles: what one step needs with n = {measured[n]}, found by search."
)
ALT = (
    "Four curves on a logarithmic axis. The printed constant is at 1360, that of many steps is proved to be 71 to "
    "91, that of one step at most 3.4 for every δ below ½, and what one step needs is 1 to 2.5."
)
LOOK = RULES["CenteredClipping"]


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Corollary V from its recorded data; ValueError if a curve is missing."""
    figure = Figure((WIDTH, 3.6))
    headline(
        figure,
        "One step from a good centre: c = 3.4 for all δ < ½, printed 1360",
        "The constant c of centered clipping from a fixed centre, E‖v − x̄‖² ≤ cδρ²",
    )
    axes = panel(figure, 0.6, 0.45, 3.75, 2.6, "")
    log_ticks(axes, (1, 3, 10, 30, 100, 300, 1000))
    axes.set(xlim=(0, 0.5), ylim=(0.7, 2500), xlabel="δ = f/n, the share of attackers", ylabel="c")
    axes.set_xticks([0, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5], ["0", "0.1", "0.15", "0.2", "0.3", "0.4", "0.5"])
    small, wide, printed = pick(data, "small_delta"), pick(data, "delta"), pick(data, "printed")
    axes.axvline(small[-1], ymax=0.97, color=SOFT, linewidth=0.7, linestyle=(0, (1, 1.5)))
    axes.plot([0, small[-1]], [printed] * 2, color=WARNING, linewidth=1.6, linestyle=(0, (7, 2)))
    axes.text(small[-1] + 0.007, printed, "printed, for both parts, δ ≤ 0.15", color=WARNING, va="center")
    many = pick(data, "fast_many")
    axes.plot(small, many, color=INK, linewidth=1.6)
    axes.text(small[-1] + 0.007, many[-1], "many steps: proved, our radii", color=INK, va="center")
    one, measured = pick(data, "single"), pick(data, "measured")
    axes.plot(wide, one, color=LOOK.colour, linewidth=1.8)
    axes.plot(measured["delta"], measured["c"], color=LOOK.colour, marker="o", markersize=3.6, linewidth=0.7)
    label_ends(
        axes,
        [
            ("one step: proved", wide[-1], one[-1], LOOK.ink),
            (f"one step: needed, n = {measured['n']}", measured["delta"][-1], measured["c"][-1], LOOK.ink),
        ],
    )
    return figure
