"""Corollary V: the constant c of centered clipping against δ, printed, proved and measured."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from figures.style import INK, RULES, SOFT, WARNING, WIDTH, headline, label_ends, log_ticks, panel, pick, styled

LOOK = RULES["CenteredClipping"]


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Corollary V from its recorded data; ValueError if a curve is missing."""
    figure = Figure((WIDTH, 4.1))
    headline(
        figure,
        "One step from a good centre: c = 3.4 for all δ < ½, printed 1360",
        "The constant c of centered clipping from a fixed centre, E‖v − x̄‖² ≤ cδρ²: printed, proved and needed",
    )
    axes = panel(figure, 0.6, 0.45, 3.75, 3.05, "")
    log_ticks(axes, (0.5, 1, 3, 10, 30, 100, 300, 1000, 3000))
    axes.set(
        xlim=(0, 0.5),
        ylim=(0.28, 6000),
        xlabel="δ = f/n, the share of attackers",
        ylabel="c",
        xticks=[0, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5],
    )
    small, wide, printed = pick(data, "small_delta"), pick(data, "delta"), pick(data, "printed")
    axes.plot([0, 0.15], [printed] * 2, color=WARNING, linewidth=1.6, linestyle=(0, (7, 2)))
    axes.text(0.003, 1.15 * printed, "printed, for both parts", color=WARNING, va="bottom")

    many = [c if c < 6000 else float("nan") for c in pick(data, "every_many")]
    axes.plot(wide, many, color=SOFT, linewidth=1.3)
    axes.text(0.27, 900, "many steps, any δ < ½", color=SOFT, ha="left", va="top")
    for name, words, height in (
        ("paper_many", "many steps, reconstructed radius", 230),
        ("fast_many", "many steps, our radii", 83),
    ):
        c = pick(data, name)
        axes.plot(small, c, color=INK, linewidth=1.3, linestyle="-" if name == "paper_many" else (0, (4, 1.3)))
        axes.text(0.157, height, words, color=INK, va="center")

    ends = []
    for name, words in (
        ("single_paper", "one step: reconstructed radius"),
        ("single", "one step, proved: best radius"),
    ):
        c = pick(data, name)
        axes.plot(wide, c, color=LOOK.colour, linewidth=1.6, linestyle="-" if name == "single" else (0, (4, 1.3)))
        ends.append((words, wide[-1], c[-1], LOOK.colour))
    for n, fill in (("25", "white"), ("51", LOOK.colour)):
        x, c, floor = (pick(data, "measured", n, key) for key in ("delta", "c", "floor"))
        axes.plot(x, c, color=LOOK.colour, marker="o", markerfacecolor=fill, markersize=3.6, linewidth=0.7)
        axes.plot(x, floor, color=INK, linewidth=0.8, linestyle=(0, (1, 1)))
        ends += [
            (f"one step, needed: n = {n}", x[-1], c[-1], LOOK.colour),
            (f"floor of all rules, n = {n}", x[-1], floor[-1], INK),
        ]
    label_ends(axes, ends)
    return figure
