"""Definition C: the c, and beside it the κ, that a rule is seen to need at n = 25, against δ = f/n."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.labels import End, label_ends
from figures.style import FAINT, INK, RULES, SOFT, WIDTH, headline, log_ticks, panel, pick, styled

CAPTION = (
    "What Definition C asks of a rule, c in E(AGG − x̄)² ≤ cδρ², and the stricter κ in (AGG − x̄)² ≤ κ·variance, "
    "against the share δ of attackers; one dimension, n = {n}, thin: n = {larger_n[n]}. Values are lower bounds "
    "found by search, for clipping from the worst centre. Black lines bound every rule from below. RFA with its "
    "three steps is not drawn: no c is enough for it."
)
ALT = (
    "As δ falls the medians' and Krum's c rises to 9, for 101 workers to 43. The trimmed mean stays between ½ and 3, "
    "just above the lower bound for all rules; clipping stays near 4."
)
SHOWN = ("CoordinateMedian", "Krum", "CenteredClipping", "TrimmedMean")
SIZES = {"CoordinateMedian": 5.2, "Krum": 3.6, "CenteredClipping": 5.5, "TrimmedMean": 3.6}


def curves(axes: Axes, data: dict[str, Any], constant: str) -> list[End]:
    """Draw c or κ of every rule that has it; return where the lines end. The two medians are one where they agree."""
    n = pick(data, "n")
    delta, rows = [f / n for f in pick(data, "f")], {name: pick(data, "rules", name, constant) for name in SHOWN}
    same = pick(data, "rules", "GeometricMedian", constant) == rows["CoordinateMedian"]
    ends = []
    for name, row in rows.items():
        look = RULES[name]
        known = [(x, y) for x, y in zip(delta, row, strict=True) if not math.isnan(y)]
        if not known:
            continue
        axes.plot(
            *zip(*known, strict=True),
            color=look.colour,
            marker=look.marker,
            linestyle=look.line,
            linewidth=2.2 if name == "TrimmedMean" else 1.2,
            markersize=SIZES[name],
            zorder=4 if name == "TrimmedMean" else 3,
        )
        text = "both medians" if same and name == "CoordinateMedian" else look.name
        ends.append((text, *known[-1], look.ink))
    return ends


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Definition C from its recorded data; ValueError if a rule or a bound is missing."""
    figure = Figure((WIDTH, 3.7))
    n, fs = pick(data, "n"), pick(data, "f")
    delta = [f / n for f in fs]
    headline(
        figure,
        "Against few attackers the medians and Krum are far from the best rule",
        f"What Definition C asks of each rule, lower bounds found by search; one dimension, n = {n}; RFA has no c",
    )
    c = panel(figure, 0.45, 0.45, 2.3, 2.5, "c :  E(AGG − x̄)² ≤ cδρ²")
    log_ticks(c, (0.25, 0.5, 1, 2, 4, 8, 16, 32))
    c.set(xlim=(0, 0.46), ylim=(0.25, 50), xlabel="δ = f/n, the share of attackers", xticks=[0, 0.1, 0.2, 0.3, 0.4])
    ends = curves(c, data, "c")
    larger, median = pick(data, "larger_n"), RULES["CoordinateMedian"]
    c.plot(pick(larger, "delta"), pick(larger, "CoordinateMedian"), color=median.colour, linewidth=0.8)
    c.text(0.035, 30, f"medians, n = {pick(larger, 'n')}", color=median.ink)
    bound = pick(data, "finite_floor")
    c.plot(delta, bound, color=INK, linewidth=1.6, zorder=5)
    c.fill_between(delta, 0.01, bound, color=FAINT, alpha=0.35, linewidth=0)
    c.text(0.255, 0.275, "no memoryless rule", color=INK, ha="center")
    label_ends(c, [*ends, ("lower bound", delta[-1], bound[-1], INK)])

    kappa = panel(figure, 4.15, 0.45, 1.08, 2.5, "κ :  (AGG − x̄)² ≤ κ·var")
    log_ticks(kappa, (0.04, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16))
    kappa.set(xlim=(0, 0.46), ylim=(0.03, 25), xlabel="δ = f/n", xticks=[0, 0.2, 0.4])
    ends = curves(kappa, data, "kappa")
    least = pick(data, "kappa_floor")
    kappa.plot(delta, least, color=INK, linewidth=0.9, zorder=5)
    kappa.fill_between(delta, 0.001, least, color=FAINT, alpha=0.35, linewidth=0)
    label_ends(kappa, [*ends, ("least, f/(n − 2f)", delta[-1], least[-1], SOFT)])
    return figure
