"""Remark 2: momentum on the workers escapes Theorem II's bound, momentum on the server does not."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.palette import HEX
from figures.style import INK, RULES, WARNING, WIDTH, headline, label_ends, log_ticks, panel, pick, styled

BETAS = {"0": HEX["depth-1"], "0.9": HEX["depth-2"], "0.99": HEX["depth-3"]}  # β → light to dark
LINES: dict[str, Any] = {"CoordinateMedian": "-", "TrimmedMean": (0, (4, 1.5)), "CenteredClipping": (0, (1, 1.2))}
RANGE = (0.0018, 8)


def errors(axes: Axes, data: dict[str, Any], kind: str) -> list[tuple[str, float, float, str]]:
    """The curves of one kind of momentum above the region out of reach; what to write at their ends."""
    t, bound = pick(data, "t"), pick(data, "bound")
    log_ticks(axes, (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3))
    log_ticks(axes, (10, 30, 100, 300, 1000), "x")
    axes.set(xlim=(10, t[-1]), ylim=RANGE, xlabel="round t")
    axes.fill_between(t, RANGE[0] / 2, bound, color=WARNING, alpha=0.07, linewidth=0)
    axes.plot(t, bound, color=WARNING, linewidth=3.2, alpha=0.45, solid_capstyle="butt")
    ends = []
    for beta, colour in BETAS.items():
        for name, line in LINES.items():
            mean, least, largest = (
                pick(data, "curves", kind, name, beta, what) for what in ("mean", "least", "largest")
            )
            axes.fill_between(t, least, largest, color=colour, alpha=0.16, linewidth=0)
            axes.plot(t, mean, color=colour, linestyle=line, linewidth=1.4)
        middle = sorted(pick(data, "curves", kind, name, beta, "mean")[-1] for name in LINES)[1]
        ends.append((f"β = {beta}", t[-1], middle, colour))
    return ends


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Remark 2 from its recorded data; ValueError if a curve is missing."""
    figure = Figure((WIDTH, 3.7))
    headline(
        figure,
        "Worker momentum escapes the bound, server momentum does not",
        "Error under Theorem II's attack, average of both worlds; 1: that of whoever cannot tell them apart",
    )
    worker = panel(figure, 0.5, 0.45, 2.0, 2.45, "Each worker keeps its momentum")
    label_ends(worker, errors(worker, data, "worker"))
    worker.text(
        11.5, 0.009, "out of reach\nfor whoever\nforgets who\nsent what", color=WARNING, fontsize=7.5, va="center"
    )
    server = panel(figure, 3.5, 0.45, 2.0, 2.45, "The server keeps the momentum")
    ends = errors(server, data, "server")
    label_ends(server, [*ends, ("lower bound", pick(data, "t")[-1], pick(data, "bound")[-1], WARNING)])
    for (name, line), height in zip(LINES.items(), (0.13, 0.065, 0.0325), strict=True):
        server.plot([12, 24], [height, height], color=INK, linestyle=line, linewidth=1.4)
        server.text(29, height, RULES[name].name, fontsize=7.5, va="center")
    n, f, runs = (pick(data, key) for key in ("n", "f", "runs"))
    server.text(12, 0.008, f"mean of {runs} runs, their\nrange shaded; n = {n}, f = {f}", fontsize=7.5, va="center")
    return figure
