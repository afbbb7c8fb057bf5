"""Theorem VI: the error of momentum against T with its bounds, and where the printed bound fails."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from figures.labels import label_ends
from figures.palette import HEX, ON_DARK
from figures.style import INK, SOFT, WARNING, WIDTH, headline, panel, pick, power, power_ticks, styled

OURS = HEX["rule-coordinate-median"]
FACTORS = (1, 10, 100, 1000, 10**4)


def CAPTION(data: dict[str, Any]) -> str:  # noqa: N802, a name that every figure has
    """The text below the figure."""
    start = power(round(float(np.log10(pick(data, "f0")))))
    return (
        "SGD with worker momentum and the mean on a quadratic, nobody attacks, L = σ²/n = 1; all is computed exactly. "
        f"Left, F₀ = f(x₀) − f* = {start}: the average of E‖∇f‖² over T rounds from the printed α₁ = 1 and from "
        "m₀ = 0, beside the printed bound and ours (dashed). Shaded: where the printed bound is too small. "
        "Right: by how many times it is too small from α₁ = 1, against T and F₀."
    )


ALT = (
    "From α₁ = 1 the error lies above the printed bound from T = 10⁴ on, ten times at T = 10⁹; from m₀ = 0 it lies "
    "far below. The smaller F₀, the more the printed bound is too small: up to 10,000 times and more."
)


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Theorem VI from its recorded data; ValueError if a part is missing."""
    figure = Figure((WIDTH, 3.6))
    headline(
        figure,
        "With α₁ = 1 the momentum bound fails; from m₀ = 0 it holds",
        "Average of E‖∇f‖² over T rounds on a quadratic with the mean, no attackers, computed exactly",
    )
    f0 = pick(data, "f0")
    rounds = pick(data, "curves", "T")
    start = power(round(float(np.log10(f0))))
    error = panel(figure, 0.55, 0.45, 2.05, 2.45, f"Average gradient², F₀ = {start}")
    power_ticks(error, range(-7, 0))
    power_ticks(error, (3, 5, 7, 9), "x")
    error.set(xlim=(1e3, rounds[-1]), ylim=(1e-7, 0.1), xlabel="rounds T")
    lines = (
        ("one", "α₁ = 1: exact", WARNING, "-", 1.8),
        ("printed", "printed bound", INK, (0, (7, 2)), 1.4),
        ("ours", "our bound, our η", OURS, (0, (4, 1.3)), 1.3),
        ("zero", "m₀ = 0: exact", SOFT, "-", 1.5),
        ("best", "m₀ = 0, our η: exact", OURS, "-", 1.5),
    )
    ends = []
    for key, words, colour, line, width in lines:
        values = pick(data, "curves", key)
        error.plot(rounds, values, color=colour, linestyle=line, linewidth=width)
        ends.append((words, rounds[-1], values[-1], colour))
    one, printed = np.array(pick(data, "curves", "one")), np.array(pick(data, "curves", "printed"))
    error.fill_between(rounds, printed, one, where=(one > printed).tolist(), color=WARNING, alpha=0.15, linewidth=0)
    label_ends(error, ends)

    region = panel(figure, 4.45, 0.45, 1.68, 2.45, "Times too small, α₁ = 1")
    times, starts = pick(data, "region", "T"), pick(data, "region", "f0")
    values = np.array(pick(data, "region", "ratio"))
    power_ticks(region, (-9, -7, -5, -3, -1))
    power_ticks(region, (3, 5, 7, 9), "x")
    region.set(xlabel="rounds T", ylabel="F₀ = f(x₀) − f*")
    region.contourf(
        times, starts, values, levels=[*FACTORS, 10**6], colors=[*(HEX[f"heat-{k}"] for k in (1, 2, 3, 4)), WARNING]
    )
    region.contour(times, starts, values, levels=[1], colors=[WARNING], linewidths=1.4)
    critical = pick(data, "region", "critical")
    region.axhline(critical, color=INK, linewidth=0.9, linestyle=(0, (1, 1)))
    region.text(1.3e3, critical * 1.25, "F₀ = 5/4542", va="bottom", fontsize=7.5)
    region.text(1.5e3, 1e-6, "printed\nholds", va="center", fontsize=7.5, color=SOFT)
    for words, y, colour in (("> 1", 3e-4, INK), ("> 10", 3e-5, INK), ("> 100", 3e-6, INK), ("> 1000", 3e-7, ON_DARK)):
        region.text(7e8, y, words, ha="right", va="center", fontsize=7.5, color=colour)
    return figure
