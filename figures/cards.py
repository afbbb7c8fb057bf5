"""The picture of an audit's cards: how far a rule is from the best possible, in each thing that is measured.

Drawn by `byzcheck audit … --figure FILE` from the cards' records, and no picture of a statement.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from figures.palette import HEX
from figures.style import INK, SOFT, WARNING, WIDTH, headline, panel, power_ticks, styled

ROWS = {  # a line of the card → what it is called here
    "lower bound, SGD": "error under Theorem II's\nattacker, SGD",
    "lower bound, worker momentum": "error under Theorem II's\nattacker, worker momentum",
    "κ": "κ needed",
    "c": "c needed",
}
COLOURS = tuple(
    HEX[f"rule-{name}"]
    for name in ("coordinate-median", "krum", "trimmed-mean", "multi-krum", "geometric-median", "bulyan")
)
MARKERS = "osD^vP"
FAR = 1e3  # times the best possible: what is farther, or infinite, is drawn at the edge


@styled
def draw(data: dict[str, Any]) -> Figure:
    """A row per measured thing, a marker per card of `data["cards"]`, on an axis of times the best possible."""
    cards: Sequence[dict[str, Any]] = data["cards"]
    rows = [about for about in ROWS if any(about in card["times"] for card in cards)]
    height = 0.5 * max(len(rows), 1)
    figure = Figure(figsize=(WIDTH, height + 1.15))
    names = {card["title"].partition(" at ")[0] for card in cards}
    below = "1: the best that a rule without memory can do; worker momentum is not bound by it"
    headline(figure, f"{', '.join(sorted(names))}: how far from the best possible", below)
    beside = 1.1 if len(cards) > 1 else 0.0  # for the legend
    axes = panel(figure, 1.75, 0.5, WIDTH - 2.05 - beside, height, "")  # inches
    power_ticks(axes, range(-3, 4), "x")
    axes.axvline(1, color=SOFT, linewidth=0.8)
    offsets = [0.0] if len(cards) == 1 else [0.5 * (k / (len(cards) - 1) - 0.5) for k in range(len(cards))]
    for k, card in enumerate(cards):
        places = [(float(card["times"][about]), i) for i, about in enumerate(rows) if about in card["times"]]
        near = [(min(max(value, 1e-3), FAR), -i - offsets[k]) for value, i in places if value <= FAR]
        far = [-i - offsets[k] for value, i in places if not value <= FAR]
        colour, marker = COLOURS[k % len(COLOURS)], MARKERS[k % len(MARKERS)]
        label = card["title"].partition(" at ")[2]
        axes.plot([x for x, _ in near], [y for _, y in near], marker, color=colour, label=label)
        axes.plot([FAR] * len(far), far, ">", color=WARNING, clip_on=False)
        for y in far:
            axes.annotate("none is enough", (FAR, y), (-6, 0), textcoords="offset points", ha="right", va="center")
    axes.set_xlim(1e-3 if any(min(card["times"].values(), default=1) < 0.1 for card in cards) else 0.1, FAR)
    axes.set_ylim(-len(rows) + 0.4, 0.6)
    axes.set_yticks([-i for i in range(len(rows))], [ROWS[about] for about in rows])
    axes.set_xlabel("times the best possible")
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    if len(cards) > 1:
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.04, 1.04), fontsize=7)
    return figure


def times_of(lines: Sequence[Any]) -> dict[str, float]:
    """Of each line that is drawn its number in units of the best possible, from its first piece of evidence."""
    found = {}
    for line in lines:
        if line.about in ROWS and line.evidence and 0 < float(line.evidence[0].claimed) < math.inf:
            found[line.about] = float(line.evidence[0].measured) / float(line.evidence[0].claimed)
    return found
