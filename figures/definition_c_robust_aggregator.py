"""Definition C: the c, and beside it the κ, that each rule is seen to need at n = 25, against δ = f/n."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.style import FAINT, INK, RULES, SOFT, WIDTH, headline, label_ends, log_ticks, panel, pick, styled

SHOWN = ("GeometricMedian", "CoordinateMedian", "Krum", "MultiKrum", "Bulyan", "CenteredClipping", "TrimmedMean")
SIZES = {"GeometricMedian": 7.5, "CoordinateMedian": 4.5, "Krum": 3.2, "CenteredClipping": 5.5, "TrimmedMean": 3.6}


def curves(axes: Axes, data: dict[str, Any], constant: str) -> list[tuple[str, float, float, str]]:
    """Draw c or κ of every rule that has it; return where the lines end, the two medians as one where they agree."""
    n = pick(data, "n")
    delta, rows = [f / n for f in pick(data, "f")], {name: pick(data, "rules", name, constant) for name in SHOWN}
    same = rows["GeometricMedian"] == rows["CoordinateMedian"]
    ends = []
    for name, row in rows.items():
        look = RULES[name]
        known = [(x, y) for x, y in zip(delta, row, strict=True) if not math.isnan(y)]
        if not known:
            continue
        ring = {"markerfacecolor": "white", "markeredgewidth": 1} if name == "GeometricMedian" else {}
        axes.plot(
            *zip(*known, strict=True),
            color=look.colour,
            marker=look.marker,
            linestyle=look.line,
            linewidth=2.2 if name == "TrimmedMean" else 1.2,
            markersize=SIZES.get(name, 4.2),
            zorder=4 if name == "TrimmedMean" else 3,
            **ring,
        )
        if name != "Bulyan" and not (same and name == "GeometricMedian"):
            text = "both medians" if same and name == "CoordinateMedian" else look.name
            ends.append((text, *known[-1], look.ink))
    return ends


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Definition C from its recorded data; ValueError if a rule or a floor is missing."""
    figure = Figure((WIDTH, 4.1))
    n, fs = pick(data, "n"), pick(data, "f")
    delta = [f / n for f in fs]
    headline(
        figure,
        "Medians and Krum blow up as δ → 0; the trimmed mean hugs the floor",
        f"What Definition C is seen to ask of each rule in one dimension, n = {n}; clipping: worst centre",
    )
    c = panel(figure, 0.45, 0.45, 2.3, 2.85, "c :  E(AGG − x̄)² ≤ cδρ²")
    log_ticks(c, (0.25, 0.5, 1, 2, 4, 8, 16, 32))
    c.set(xlim=(0, 0.46), ylim=(0.25, 50), xlabel="δ = f/n, the share of attackers", xticks=[0, 0.1, 0.2, 0.3, 0.4])
    ends = curves(c, data, "c")
    larger = pick(data, "larger_n")
    c.plot(
        pick(larger, "delta"), pick(larger, "CoordinateMedian"), color=RULES["CoordinateMedian"].colour, linewidth=0.8
    )
    c.text(0.035, 30, f"median, n = {pick(larger, 'n')}", color=RULES["CoordinateMedian"].colour)
    c.annotate(
        "Bulyan",
        (0.16, pick(data, "rules", "Bulyan", "c")[3]),
        (0.16, 7.4),
        color=RULES["Bulyan"].ink,
        ha="center",
        arrowprops={"arrowstyle": "-", "color": RULES["Bulyan"].ink, "linewidth": 0.5, "shrinkB": 3},
    )
    c.plot(delta, pick(data, "finite_floor"), color=INK, linewidth=1.6, zorder=5)
    c.plot(delta, pick(data, "population_floor"), color=SOFT, linewidth=1, linestyle=(0, (3, 2)), zorder=2)
    c.fill_between(delta, 0.01, pick(data, "finite_floor"), color=FAINT, alpha=0.35, linewidth=0)
    c.text(0.25, 0.285, "no memoryless rule here", color=INK, ha="center")
    ends += [
        ("floor, n → ∞", delta[-1], pick(data, "population_floor")[-1], SOFT),
        (f"floor, n = {n}", delta[-1], pick(data, "finite_floor")[-1], INK),
    ]
    label_ends(c, ends)

    kappa = panel(figure, 4.15, 0.45, 1.08, 2.85, "κ :  (AGG − x̄)² ≤ κ·var")
    log_ticks(kappa, (0.04, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16))
    kappa.set(xlim=(0, 0.46), ylim=(0.03, 25), xlabel="δ = f/n", xticks=[0, 0.2, 0.4])
    ends = curves(kappa, data, "kappa")
    kappa.plot(delta, pick(data, "kappa_floor"), color=INK, linewidth=0.9, zorder=5)
    kappa.fill_between(delta, 0.001, pick(data, "kappa_floor"), color=FAINT, alpha=0.35, linewidth=0)
    label_ends(kappa, [*ends, ("floor, f/(n−2f)", delta[-1], pick(data, "kappa_floor")[-1], INK)])
    return figure
