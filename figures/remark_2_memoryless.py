"""Remark 2: momentum on the workers escapes Theorem II's bound, momentum on the server does not."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.experiments.curves import BETAS
from figures.labels import End, label_ends
from figures.style import RULES, WARNING, WIDTH, headline, log_ticks, panel, pick, styled

CAPTION = (
    "The error under Theorem II's attack, mean of its two problems, over the error of whoever cannot tell them "
    "apart; n = {n}, f = {f}. A line is the mean of {runs} runs for the median; its band holds every run of the "
    "median, the trimmed mean and centered clipping. The red line is the lower bound for rules that forget who sent "
    "what."
)
ALT = (
    "With momentum on the workers the error falls far below the bound: to a tenth at β = 0.9, to less than a "
    "hundredth at β = 0.99. With momentum on the server it stops at the bound for every β."
)
MOMENTA = {f"{beta:g}": colour for beta, colour in BETAS.items()}
INKS = {"0": RULES["Krum"].ink}  # of words, where the colour of the line is too light
RULES_SHOWN = ("CoordinateMedian", "TrimmedMean", "CenteredClipping")
RANGE = (0.0018, 8)


def errors(axes: Axes, data: dict[str, Any], kind: str) -> list[End]:
    """The curves of one kind of momentum above the region out of reach; what to write at their ends."""
    t, bound = pick(data, "t"), pick(data, "bound")
    log_ticks(axes, (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3))
    log_ticks(axes, (10, 30, 100, 300, 1000), "x")
    axes.set(xlim=(10, t[-1]), ylim=RANGE, xlabel="round t")
    axes.fill_between(t, RANGE[0] / 2, bound, color=WARNING, alpha=0.07, linewidth=0)
    axes.plot(t, bound, color=WARNING, linewidth=3.2, alpha=0.45, solid_capstyle="butt")
    ends = []
    for beta, colour in MOMENTA.items():
        least, largest = (
            reduce([pick(data, "curves", kind, name, beta, what) for name in RULES_SHOWN], axis=0)
            for what, reduce in (("least", np.min), ("largest", np.max))
        )
        axes.fill_between(t, least, largest, color=colour, alpha=0.25, linewidth=0)
        mean = pick(data, "curves", kind, RULES_SHOWN[0], beta, "mean")
        axes.plot(t, mean, color=colour, linewidth=1.4)
        ends.append((f"β = {beta}", t[-1], mean[-1], INKS.get(beta, colour)))
    return ends


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Remark 2 from its recorded data; ValueError if a curve is missing."""
    figure = Figure((WIDTH, 3.6))
    n, f, runs = (pick(data, key) for key in ("n", "f", "runs"))
    headline(
        figure,
        "Worker momentum escapes the bound, server momentum does not",
        f"Theorem II's attack, n = {n}, f = {f}; the median, {runs} runs; bands: trimmed mean and clipping, too",
    )
    worker = panel(figure, 0.62, 0.45, 1.9, 2.4, "Each worker keeps its momentum")
    label_ends(worker, errors(worker, data, "worker"))
    worker.set_ylabel("error, 1: cannot tell the problems apart")
    worker.text(11.5, 0.009, "out of reach\nfor rules that\nforget who\nsent what", color=WARNING, va="center")
    server = panel(figure, 3.5, 0.45, 1.9, 2.4, "The server keeps the momentum")
    label_ends(
        server,
        [*errors(server, data, "server"), ("lower bound", pick(data, "t")[-1], pick(data, "bound")[-1], WARNING)],
    )
    return figure
