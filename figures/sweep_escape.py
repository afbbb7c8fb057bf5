"""How much memory escapes Theorem II, for each fraction of attackers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.palette import ramp
from figures.style import RULES, WIDTH, headline, log_ticks, panel, styled
from figures.sweep.recorded import Curve, curve, settings_of
from theory.beyond_time_coupled_attacks.far_away import clipping_rests, median_rests, trimmed_mean_rests

N = 200
RESTS: dict[str, Callable[[float, float], float]] = {  # a/s by f/g and β
    "TrimmedMean": lambda share, _: trimmed_mean_rests(share),
    "CoordinateMedian": lambda share, _: median_rests(share),
    "CenteredClipping": lambda share, beta: clipping_rests(math.sqrt(1 + beta), 1, share),  # τ = √(1 − β)
}


def spikes(f: int) -> float:
    """q = δ/(2(1 − δ)), how often an honest worker sends a spike."""
    return f / (2 * (N - f))


def over_the_bound(found: Curve, f: int) -> Curve:
    """The error as a share of q/(2(1 − q)), that of not knowing the world, against 1/(1 − β)."""
    bound = spikes(f) / (2 * (1 - spikes(f)))
    return Curve(1 / (1 - found.x), found.mean / bound, found.low / bound, found.high / bound)


def at_rest(rule: str, f: int, beta: float) -> float:
    """The same share, once the spikes have become normal noise in the momenta and the attackers lie beyond it."""
    q = spikes(f)
    gradient_sq = (1 - beta) / (1 + beta) * RESTS[rule](f / (N - f), beta) ** 2
    return gradient_sq / 2 / (q / (2 * (1 - q)))


CAPTION = (
    "The error of worker momentum under Theorem II's attack, over the error of not knowing which of the two problems "
    "it is, against the length 1/(1 − β) of the memory; n = 200, a colour for each share δ of attackers. Points are "
    "means of {seeds} seeds, bars 95 % intervals of Student's t. Thin lines, for δ ≥ 0.2: where a rule comes to rest "
    "if the momenta's noise is normal."
)
ALT = (
    "Three panels, for the trimmed mean, the median and clipping. All errors fall from 1 like 1 − β, below a "
    "hundredth at 1/(1 − β) = 200; the median's only from memories on that hold one rare gradient of a worker."
)


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of this sweep's table; ValueError if a part is missing."""
    counts = settings_of(data, "f")
    colours = dict(zip(counts, ramp(len(counts)), strict=True))
    figure = Figure((WIDTH, 3.5))
    headline(
        figure,
        "Momentum escapes Theorem II: the error falls like 1 − β",
        "Theorem II's attack: error over that of not knowing which problem it is; n = 200, 10 seeds\n"
        "Bars: 95 % intervals of Student's t; thin, for δ ≥ 0.2: computed for normal noise",
    )
    for i, rule in enumerate(RESTS):
        words = "τ = √(1 − β)" if rule == "CenteredClipping" else ""
        title = ", ".join(filter(None, (RULES[rule].short, words)))
        axes = panel(figure, 0.55 + 1.72 * i, 0.45, 1.52, 2.2, title)
        log_ticks(axes, (1e-3, 0.01, 0.1, 1))
        log_ticks(axes, (1, 10, 100), "x")
        axes.set(xlim=(0.85, 240), ylim=(5e-4, 1.5), xlabel="1/(1 − β), rounds")
        if i:
            axes.set_yticklabels([])
        for f in counts:
            found = curve(data, "optimizer.beta", {"rule": rule, "f": f})
            _line(axes, rule, f, found, colours[f])
    for i, f in enumerate(reversed(counts)):
        y = 0.45 + 2.1 - 0.2 * i
        figure.text((0.55 + 1.72 * 3 - 0.12) / WIDTH, y / 3.5, f"δ = {f / N:g}", color=colours[f], va="center")
    return figure


def _line(axes: Axes, rule: str, f: int, found: Curve, colour: str) -> None:
    shares = over_the_bound(found, f)
    dense = np.geomspace(10, 200, 8)
    if f >= N / 5:  # with fewer attackers the noise of x, which `at_rest` leaves out, is as large
        axes.plot(dense, [at_rest(rule, f, 1 - 1 / memory) for memory in dense], color=colour, linewidth=0.6)
    axes.vlines(shares.x, np.maximum(shares.low, 1e-5), shares.high, color=colour, linewidth=1)
    axes.plot(shares.x, shares.mean, color=colour, marker="o", markersize=2.6, linewidth=1.1)
