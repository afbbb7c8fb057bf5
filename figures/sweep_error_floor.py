"""The error that is left without memory, over Theorem III's floor, for each rule and fraction of attackers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from figures.labels import label_ends
from figures.style import FAINT, INK, RULES, SOFT, WIDTH, headline, panel, styled
from figures.sweep.recorded import number, settings_of
from theory.theorem_ii_lower_bound.tails import best_forced_error

N, T = 50, 1000


class Worst(NamedTuple):
    """The largest mean over the attacks and the rarities of spikes, with its interval."""

    mean: float
    low: float
    high: float
    attack: str
    q: float


def worst(data: dict[str, Any], rule: str, f: int) -> Worst:
    """What a rule is left with in its worst setting, in units of Theorem III's floor; ValueError without rows."""
    found = [row for row in data["rows"] if row["rule"] == rule and row["f"] == f]
    if not found:
        raise ValueError(f"the figure's data have no row with rule = {rule}, f = {f}: byzcheck sweep table")
    row = max(found, key=lambda row: number(row["mean"]))
    mean, low, high = (number(row[name]) / floor(f) for name in ("mean", "low", "high"))
    return Worst(mean, low, high, row["attack"], row["problem.q"])


def floor(f: int) -> float:
    """½·δ/(1 − 2δ), Theorem III's floor for the mean, as f(x) − f* at μ = σ = 1: half its square."""
    delta = f / N
    return 0.5 * delta / (1 - 2 * delta)


def forced(f: int) -> float:
    """What Theorem II, repaired, forces with N workers and T rounds, over the floor."""
    return float(best_forced_error(N, f, T)[1].mid()) / floor(f)


CAPTION = (
    "The error that SGD is left with, f(x) − f* after 1,000 rounds, over Theorem III's lower bound ½δ/(1 − 2δ)·σ²/μ, "
    "against the share δ of attackers, n = 50. For each rule the worst of two attacks (mirrored rare gradients, "
    "messages from far away) and three rarities. Points are means of {seeds} seeds, bars 95 % intervals of Student's "
    "t. Grey: what Theorem II forces on any rule with n = 50."
)
ALT = (
    "The median, RFA and Krum lie at the lower bound up to δ = 0.24, clipping a tenth below. The trimmed mean rises "
    "from 0.4 to 0.75 of it, Multi-Krum to 0.65. No rule is below a third."
)


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of this sweep's table; ValueError if a part is missing."""
    counts, rules = settings_of(data, "f"), [rule for rule in settings_of(data, "rule") if rule != "Mean"]
    figure = Figure((WIDTH, 3.6))
    headline(
        figure,
        "Without memory every rule is left with the order of Theorem III's bound",
        "Error in the worst of two attacks and three problems over ½δ/(1 − 2δ)·σ²/μ; n = 50, 20 seeds, 95 % intervals",
    )
    axes = panel(figure, 0.6, 0.45, 4.15, 2.6, "")
    share = [f / N for f in counts]
    axes.set(xlim=(0, 0.37), ylim=(0, 1.7), xlabel="δ = f/n, the share of attackers", ylabel="error over the bound")
    axes.axhline(1, color=INK, linewidth=0.9, linestyle=(0, (6, 2)))
    axes.text(0.005, 1.03, "Theorem III's lower bound, n → ∞", va="bottom")
    bound = [forced(f) for f in counts]
    axes.fill_between(share, 0, bound, color=FAINT, alpha=0.45, linewidth=0)
    axes.text(0.27, 0.1, "forced on any rule: Theorem II,\nn = 50, T = 1,000", ha="center", va="center", color=SOFT)
    ends = []
    for rule in rules:
        look, found = RULES[rule], [worst(data, rule, f) for f in counts]
        mean, low, high = (np.array([getattr(each, name) for each in found]) for name in ("mean", "low", "high"))
        axes.vlines(share, low, high, color=look.colour, linewidth=1)
        axes.plot(share, mean, color=look.colour, marker=look.marker, linestyle=look.line, linewidth=1.2)
        ends.append((look.name, share[-1], float(mean[-1]), look.ink))
    label_ends(axes, ends)
    axes.text(0.005, 1.6, "mean: without bound (2·10¹⁰ and more)", color=RULES["Mean"].ink, va="center")
    return figure
