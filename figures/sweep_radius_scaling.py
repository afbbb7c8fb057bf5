"""How the clipping radius goes with momentum: the error under messages from far away, and which radii are good."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from figures.labels import label_ends
from figures.palette import HEX, ramp
from figures.style import INK, SOFT, WARNING, WIDTH, headline, log_ticks, panel, styled
from figures.sweep.recorded import Curve, curve, settings_of
from theory.beyond_time_coupled_attacks.far_away import clipping_rests

N, F, DIM = 25, 5, 10
CURVATURES = np.geomspace(0.1, 1.0, DIM)
LEFT, RIGHT = 0.0027, 5.0  # radii that are drawn
GOOD = 2.0  # a radius is good if its error is at most this many times the least


class Good(NamedTuple):
    """Between which radii the error is at most GOOD times the least; the largest with what the intervals leave open."""

    smallest: float
    largest: float
    largest_low: float
    largest_high: float


def good(radii: Curve) -> Good:
    """The good radii of one β, around the best, interpolated in logarithms.

    `smallest` is 0 if all smaller radii are good. `largest_low` takes every error for the upper end of its interval and
    the least for the lower end of its own; `largest_high` the other way round.
    """
    best = int(np.argmin(radii.mean))

    def up(errors: np.ndarray, least: float) -> float:
        return _crossing(radii.x[best:], errors[best:], GOOD * least)

    down = _crossing(radii.x[best::-1], radii.mean[best::-1], GOOD * radii.mean[best])
    return Good(
        0.0 if math.isnan(down) else down,
        up(radii.mean, radii.mean[best]),
        up(radii.high, radii.low[best]),
        up(radii.low, radii.high[best]),
    )


def _crossing(x: np.ndarray, y: np.ndarray, level: float) -> float:
    """Where y first exceeds the level, log-linearly; NaN if it does not."""
    above = np.flatnonzero(y > level)
    if not len(above):
        return math.nan
    i = int(above[0])
    if not i:
        return float(x[0])
    share = math.log(level / y[i - 1]) / math.log(y[i] / y[i - 1])
    return float(x[i - 1] * (x[i] / x[i - 1]) ** share)


def slope(x: Sequence[float], largest: Sequence[Good]) -> tuple[float, float, float]:
    """The least-squares slope of log(largest good radius) against log x, and its ends if each is where it likes."""
    at = np.log(x) - np.mean(np.log(x))
    weights = at / np.sum(at**2)
    middle, low, high = (
        np.log([getattr(each, name) for each in largest]) for name in ("largest", "largest_low", "largest_high")
    )
    ends = np.stack([weights * low, weights * high])
    return float(weights @ middle), float(ends.min(axis=0).sum()), float(ends.max(axis=0).sum())


def spread(beta: float) -> float:
    """√((1 − β)/(1 + β)): the spread of worker momenta over that of gradients."""
    return math.sqrt((1 - beta) / (1 + beta))


def balance(tau: float, beta: float) -> float:
    """f(x) − f* where one clipping step rests, the attackers far away along (1, …, 1)."""
    s = spread(beta) / math.sqrt(DIM)  # of one coordinate, σ = 1
    return excess(s * clipping_rests(tau / s, DIM, F / (N - F)))


def excess(gradient: float) -> float:
    """f(x) − f* where the gradient is along (1, …, 1) and so long."""
    return 0.5 * gradient**2 * float(np.mean(1 / CURVATURES))


CAPTION = (
    "Centered clipping with worker momentum on a quadratic in 10 dimensions, σ = 1; 5 of 25 workers send something "
    "far away. Left: f(x) − f* after 4,000 rounds against the radius τ; points are means of {seeds} seeds with 95 % "
    "intervals of Student's t, lines where the messages balance. Right: for each β the radii whose error is at most "
    "twice the least, their largest as a point, and three ways to scale τ."
)
ALT = (
    "Left: for each momentum the error is flat up to a radius and then grows as τ², the same for all. Right: the "
    "largest good radius falls with β along √((1 − β)/(1 + β)), between a constant and 1 − β."
)


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of this sweep's table; ValueError if a part is missing."""
    betas = settings_of(data, "optimizer.beta")
    curves = {beta: curve(data, "rule.tau", {"attack": "Relocation", "optimizer.beta": beta}) for beta in betas}
    colours = dict(zip(betas, ramp(len(betas)), strict=True))
    figure = Figure((WIDTH, 3.6))
    headline(
        figure,
        "The clipping radius must shrink with the spread of the momenta",
        "Centered clipping, 5 of 25 workers send something far away; 20 seeds, 95 % intervals of Student's t",
    )
    _errors(panel(figure, 0.55, 0.45, 1.95, 2.45, "f(x) − f* after 4,000 rounds, σ = 1"), curves, colours)
    _radii(panel(figure, 3.62, 0.45, 1.55, 2.45, "Good radii: at most twice the least error"), curves, colours)
    return figure


def _errors(axes: Axes, curves: dict[float, Curve], colours: dict[float, str]) -> None:
    """The error against τ for each β, with lines where the balance of messages puts it."""
    log_ticks(axes, (1e-3, 0.01, 0.1, 1, 10))
    log_ticks(axes, (0.01, 0.1, 1), "x")
    axes.set(xlim=(LEFT, RIGHT), ylim=(2e-4, 20), xlabel="τ, clipping radius")
    spreads = {beta: spread(beta) / math.sqrt(DIM) for beta in curves}
    ratios = np.geomspace(LEFT / max(spreads.values()), RIGHT / min(spreads.values()), 100)
    rests = [clipping_rests(ratio, DIM, F / (N - F)) for ratio in ratios]  # functions of τ/s alone
    for beta, found in curves.items():
        at_rest = [excess(spreads[beta] * rest) for rest in rests]
        axes.plot(spreads[beta] * ratios, at_rest, color=colours[beta], linewidth=0.8, zorder=1)
        shown = (found.x <= RIGHT) & (found.mean < 20)
        x, mean, low, high = (values[shown] for values in (found.x, found.mean, found.low, found.high))
        axes.vlines(x, low, high, color=colours[beta], linewidth=1)
        axes.plot(x, mean, color=colours[beta], marker="o", markersize=2.8, linestyle="none", zorder=3)
        axes.text(RIGHT * 1.1, balance(LEFT, beta), f"β = {beta:g}", color=colours[beta], va="center")
    axes.text(
        1.1, 1.5e-3, "lines: where\nthe messages\nbalance", fontsize=7.5, color=SOFT, ha="center", linespacing=1.3
    )
    axes.text(0.0045, 3.5, "not yet there:\ntoo slow", fontsize=7.5, color=SOFT, linespacing=1.3)


def _radii(axes: Axes, curves: dict[float, Curve], colours: dict[float, str]) -> None:
    """The good radii of each β, beside the three answers."""
    log_ticks(axes, (0.01, 0.1, 1))
    axes.set(xscale="log", xlim=(1.5, 0.0035), ylim=(LEFT, 3), xlabel="β, momentum", ylabel="τ, clipping radius")
    labelled = [beta for beta in curves if beta in (0, 0.5, 0.9, 0.99)]
    axes.xaxis.set_major_locator(FixedLocator([1 - beta for beta in labelled]))
    axes.xaxis.set_major_formatter(FixedFormatter([f"{beta:g}".removeprefix("0") or "0" for beta in labelled]))
    axes.xaxis.set_minor_locator(NullLocator())
    found = {beta: good(each) for beta, each in curves.items()}
    for beta, each in found.items():
        axes.plot(
            [1 - beta] * 2,
            [max(each.smallest, LEFT), each.largest],
            color=HEX["band"],
            linewidth=5,
            solid_capstyle="butt",
        )
        axes.plot([1 - beta] * 2, [each.largest_low, each.largest_high], color=colours[beta], linewidth=1.2)
        axes.plot([1 - beta], [each.largest], color=colours[beta], marker="o", zorder=3)
    start, dense = found[0].largest, 1 - np.geomspace(1, 0.005, 80)
    answers = (
        ("constant", [start for _ in dense], WARNING, (0, (6, 2))),
        ("√((1 − β)/(1 + β))", [start * spread(beta) for beta in dense], INK, "-"),
        ("1 − β", [start * (1 - beta) for beta in dense], WARNING, (0, (1.5, 1.2))),
    )
    for _, values, colour, line in answers:
        axes.plot(1 - dense, values, color=colour, linestyle=line, linewidth=1.2, zorder=2)
    label_ends(axes, [(words, 0.005, values[-1], colour) for words, values, colour, _ in answers])
