"""Time-coupled attacks on centered clipping: what momentum does against them, and what they leave of the rate."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.style import INK, RULES, SOFT, WARNING, WIDTH, headline, label_ends, panel, pick, power_ticks, styled

OURS = RULES["CenteredClipping"].colour
KNOWN = RULES["CoordinateMedian"].colour
HALF = RULES["Krum"].ink


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure from its recorded data; ValueError if a part is missing."""
    figure = Figure((WIDTH, 3.6))
    n, f = pick(data, "n"), pick(data, "f")
    headline(
        figure,
        "Heavier momentum tames every push but those in step with it",
        f"Centered clipping, worker momentum, f(x) = ½x², σ = 1, n = {n}, of which {f} Byzantine; points: runs",
    )
    _by_momentum(panel(figure, 0.55, 0.45, 1.95, 2.45, "Gradient² at one step, Theorem IV's τ"), data)
    _by_rounds(panel(figure, 3.95, 0.45, 1.45, 2.45, "Average gradient², α = 8η"), data)
    return figure


def _by_momentum(axes: Axes, data: dict[str, Any]) -> None:
    part = ("momentum",)
    fine, coarse = pick(data, *part, "fine"), pick(data, *part, "coarse")
    step = pick(data, *part, "step")
    power_ticks(axes, range(-4, 1))
    power_ticks(axes, range(-3, 1), "x")
    axes.set(xlim=(1.0, 1e-3), ylim=(1e-4, 3), xlabel="α = 1 − β, heavier momentum →")
    lines = (
        ("worst", "worst sequence", WARNING, "-"),
        ("push", "one direction", OURS, "-"),
    )
    ends = []
    for key, words, colour, line in lines:
        values = pick(data, *part, key)
        axes.plot(fine, values, color=colour, linestyle=line, linewidth=1.6)
        ends.append((words, fine[-1], values[-1], colour))
    marks = (
        ("measured_with", "in step with v", WARNING, "^"),
        ("measured_push", "", OURS, "o"),
        ("papers", "IPM, ALIE, BF", KNOWN, "s"),
    )
    for key, words, colour, mark in marks:
        values = pick(data, *part, key)
        axes.plot(coarse, values, color=colour, marker=mark, linestyle="none", markersize=3.2, clip_on=False)
        if words:
            ends.append((words, coarse[-1], values[-1], colour))
    axes.axvline(8 * step, ymax=0.82, color=SOFT, linewidth=0.8, linestyle=(0, (1, 1)))
    axes.text(8 * step, 1.2, "α = 8Lη", ha="center", va="bottom", fontsize=7.5, color=SOFT)
    label_ends(axes, ends)


def _by_rounds(axes: Axes, data: dict[str, Any]) -> None:
    rounds = pick(data, "rate", "T")
    power_ticks(axes, range(-6, 1))
    power_ticks(axes, (3, 5, 7, 9), "x")
    axes.set(xlim=(rounds[0], rounds[-1]), ylim=(1e-6, 2), xlabel="rounds T")
    ends = []
    for key, words, colour, line in (
        ("floor", "one τ: floor", WARNING, "-"),
        ("quarter", "τ² ~ √α: −¼", HALF, (0, (4, 1.3))),
        ("kept", "τ² ~ α: −½", OURS, "-"),
        ("none", "no attack", INK, (0, (1, 1))),
    ):
        values = pick(data, "rate", key)
        axes.plot(rounds, values, color=colour, linestyle=line, linewidth=1.6)
        ends.append((words, rounds[-1], values[-1], colour))
    label_ends(axes, ends)
