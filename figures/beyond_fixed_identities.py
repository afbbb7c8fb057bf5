"""Fixed identities: what no algorithm gets below, and what averages with the trimmed mean reach."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from figures.labels import label_ends
from figures.style import RULES, SOFT, WARNING, WIDTH, headline, panel, pick, power_ticks, styled

CAPTION = (
    "f(x) − f* against the number of rounds T, n = {n}, f = {f}, the same Byzantine workers in all rounds. Red: what "
    "is forced on every algorithm, with the best rate of rare gradients at each T, by exact binomial tails. Grey: what "
    "Theorem II forces on those who forget who sent what. Green: what one step along the trimmed mean of averages is "
    "sure of, on every quadratic with L = μ and against every attacker."
)
ALT = (
    "Two parallel lines that fall like 1/T, the trimmed mean of averages twice as high as the bound for every "
    "algorithm. From the same point at T = 1 the bound for those who forget stays almost level."
)
BEST = RULES["TrimmedMean"]


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure from its recorded data; ValueError if a part is missing."""
    figure = Figure((WIDTH, 3.3))
    n, f = pick(data, "n"), pick(data, "f")
    headline(
        figure,
        "Memory helps by the factor T, and by no more",
        f"Byzantine workers fixed for ever, n = {n}, f = {f}, in units of σ²/μ",
    )
    axes = panel(figure, 0.55, 0.45, 3.5, 2.15, "f(x) − f*")
    t, every = pick(data, "t"), pick(data, "every")
    power_ticks(axes, range(-4, 1))
    power_ticks(axes, range(4), "x")
    axes.set(xlim=(1, t[-1]), ylim=(6e-5, 1), xlabel="rounds T")
    axes.fill_between(t, 1e-6, every, color=WARNING, alpha=0.07, linewidth=0)
    ends = []
    for key, words, colour, ink in (
        ("forgetting", "bound for who forgets", SOFT, SOFT),
        ("reached", "trimmed mean of averages", BEST.colour, BEST.ink),
        ("every", "bound for every algorithm", WARNING, WARNING),
    ):
        values = pick(data, key)
        axes.plot(t, values, color=colour, linewidth=1.6)
        ends.append((words, t[-1], values[-1], ink))
    axes.text(1.3, 2e-4, "out of reach for\nevery algorithm", color=WARNING)
    label_ends(axes, ends)
    return figure
