"""Points with intervals, for axes that are names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from figures.style import FAINT, SOFT
from figures.sweep.choose import Chosen, Place, Row
from figures.sweep.curves import bounds
from figures.sweep.layout import Around, at_bottom, at_left, lay_out
from figures.sweep.looks import looks
from figures.sweep.scale import scale, with_bands
from figures.sweep.words import measure, settings, width
from sims.sweep.table import Summary


def draw_points(
    summary: Summary,
    chosen: Chosen,
    panels: Mapping[Place, Mapping[Place, list[Row]]],
    titles: Sequence[str],
    words: tuple[str, str],
    how: Mapping[str, Any],
) -> Figure:
    """A row for each name, the measure from left to right; lines of the same row lie close together."""
    rows = [row for lines in panels.values() for line in lines.values() for row in line]
    values = summary.axes[chosen.x] if chosen.x else (None,)
    values = [value for value in values if not chosen.x or any(row[chosen.x] == value for row in rows)]
    names = [settings({chosen.x: value}) or "—" if chosen.x else "" for value in values]
    x = with_bands(scale([row["mean"] for row in rows], how.get("logx", how.get("logy")), summary.value), rows)
    styles = looks(chosen.lines, list(dict.fromkeys(place for lines in panels.values() for place in lines)))
    step = max(0.22, 0.085 * len(styles) + 0.1)
    around = Around(0.2 + max(width(name, 8) for name in names), 0.17, edge=0.05)
    legend = list(styles.values()) if chosen.lines else []
    figure, places = lay_out(words, titles, around, max(0.5, step * len(names)), legend)
    for i, (axes, lines) in enumerate(zip(places, panels.values(), strict=True)):
        x.put(axes, "x", 6, at_bottom(i, len(places)))
        axes.set(ylim=(len(names) - 0.5, -0.5), yticks=range(len(names)))
        axes.set_yticklabels(names if at_left(i, len(places)) else [""] * len(names), fontsize=8)
        axes.tick_params(axis="y", length=0)
        axes.set_axisbelow(True)
        for k in range(len(names)):
            if len(styles) == 1:
                axes.axhline(k, color=FAINT, linewidth=0.4, zorder=0)
            elif k % 2:
                axes.axhspan(k - 0.5, k + 0.5, color=FAINT, alpha=0.22, linewidth=0, zorder=0)
        if at_bottom(i, len(places)):
            axes.set_xlabel(measure(summary.value))
        for place, line in lines.items():
            shift = (list(styles).index(place) - (len(styles) - 1) / 2) * 0.085 / step
            for row in line:
                if row["mean"] is None:
                    continue
                at = values.index(row[chosen.x]) + shift if chosen.x else shift
                low, high = bounds([row], "low", x)[0], bounds([row], "high", x)[0]
                look = styles[place]
                axes.plot([low, high], [at, at], color=look.colour, linewidth=1.1, zorder=2)
                where = x.place([row["mean"]])
                axes.plot(where, [at], color=look.colour, marker=look.marker, zorder=3, clip_on=False)
        axes.spines["left"].set_color(SOFT)
    return figure
