"""Theorem I: where SGD ends up without attackers, and how the bias grows with the number of workers."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from figures.labels import label_ends
from figures.palette import HEX
from figures.style import INK, RULES, WARNING, WIDTH, headline, panel, pick, styled

CAPTION = (
    "Where SGD ends up on f(x) = ½E(x − ξ)², ξ ~ Bernoulli(¼), with n workers of whom none attacks. Left: n = {n}, "
    "rules told f = {f}; the mean of {runs} runs of {steps} rounds, and a band with 90 % of the runs. Right: the "
    "limit, computed exactly, against the number of workers; the trimmed mean drops ⌊n/5⌋ values on each side, Krum "
    "is told f = 0."
)
ALT = (
    "The mean and clipping with τ = 10 end at the optimum ¼. All other rules end far to the left of it, the median, "
    "Krum and Bulyan at 0. With more workers the median's and Krum's limits fall from ¼ to 0."
)
MISSES, REACHES = WARNING, HEX["rule-coordinate-median"]
SHOWN = {  # name in the data → words
    **{name: look.name for name, look in RULES.items() if name != "CenteredClipping"},
    "CC τ = 10": "centered clipping, τ = 10",
    "CC τ = 0.1": "centered clipping, τ = 0.1",
}
LINES = {"TrimmedMean": "trimmed mean", "Krum": "Krum", "CoordinateMedian": "median"}


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Theorem I from its recorded data; ValueError if a rule is missing."""
    figure = Figure((WIDTH, 3.6))
    headline(
        figure,
        "With no attacker at all, middle-seekers miss the optimum",
        f"Where SGD on ½E(x − ξ)², ξ ~ Bernoulli(¼), ends up; left: n = {pick(data, 'n')}, {pick(data, 'runs')} runs",
    )
    optimum = pick(data, "optimum")
    ends = {name: pick(data, "ends", name) for name in SHOWN}
    order = sorted(SHOWN, key=lambda name: round(abs(ends[name]["mean"] - optimum), 4), reverse=True)
    axes = panel(figure, 1.72, 0.45, 1.6, 2.3, f"End point x, told f = {pick(data, 'f')}", pad=17)
    axes.set(xlim=(-0.012, 0.275), ylim=(-0.6, len(order) - 0.4), xticks=[0, 0.1, 0.2], xlabel="end point x")
    axes.set_yticks(range(len(order)), [SHOWN[name] for name in order])
    axes.tick_params(axis="y", length=0)
    axes.axvline(optimum, color=INK, linewidth=1)
    axes.annotate("optimum", (optimum, 1), (3, 3), ("data", "axes fraction"), "offset points", ha="center", va="bottom")
    for y, name in enumerate(order):
        end = ends[name]
        colour = REACHES if end["low"] <= optimum <= end["high"] else MISSES
        axes.plot([optimum, end["mean"]], [y, y], color=colour, linewidth=0.7, linestyle=(0, (1, 1.5)))
        axes.plot([end["low"], end["high"]], [y, y], color=colour, linewidth=7, alpha=0.3, solid_capstyle="butt")
        axes.plot(end["mean"], y, color=colour, marker="o", markersize=4.5)

    axes = panel(figure, 3.85, 0.45, 1.5, 2.3, "More workers make it worse", pad=17)
    sizes = pick(data, "bias_by_n", "n")
    axes.set(xlim=(0, sizes[-1] + 0.5), ylim=(-0.012, 0.285), xlabel="workers n", ylabel="limit of x")
    axes.set(yticks=[0, 0.1, 0.2], xticks=[1, 10, 20, 30, 40])
    axes.axhline(optimum, color=INK, linewidth=1)
    labels = [("optimum", sizes[-1], optimum, INK)]
    for name, words in LINES.items():
        look, row = RULES[name], pick(data, "bias_by_n", name)
        axes.plot(sizes, row, color=look.colour, marker=look.marker, markersize=2.2, linewidth=0.8, linestyle=look.line)
        labels.append((words, sizes[-1], row[-1], look.ink))
    label_ends(axes, labels)
    return figure
