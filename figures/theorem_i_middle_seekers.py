"""Theorem I: where SGD ends up without attackers, and how the bias grows with the number of workers."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from figures.style import INK, RULES, WIDTH, Look, headline, label_ends, panel, pick, styled

CLIPPING = RULES["CenteredClipping"]
SHOWN: dict[str, tuple[str, Look, bool]] = {  # name in the data → (words, look, filled)
    **{name: (look.name, look, True) for name, look in RULES.items() if name != "CenteredClipping"},
    "CC τ = 10": ("centered clipping, τ = 10", CLIPPING, True),
    "CC τ = 0.1": ("centered clipping, τ = 0.1", CLIPPING, False),
}
PROBLEMS = {
    "bernoulli": ("ξ ~ Bernoulli(¼)", (-0.012, 0.275), [0, 0.1, 0.2]),
    "pareto": ("ξ with density 3x⁻⁴ on [1, ∞)", (1.19, 1.54), [1.2, 1.3, 1.4, 1.5]),
}
LINES = {"TrimmedMean": "trimmed mean,\nb = ⌊n/5⌋", "Krum": "Krum, f = 0", "CoordinateMedian": "median"}


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Theorem I from its recorded data; ValueError if a rule or a problem is missing."""
    figure = Figure((WIDTH, 5.2))
    n, f = pick(data, "n"), pick(data, "f")
    headline(
        figure,
        "With no attacker at all, middle-seekers miss the optimum",
        f"Where SGD on ½E(x − ξ)² ends up, n = {n}, rules set for f = {f}, nobody lies; bands: 90 % of the runs",
    )
    ends = {kind: {name: pick(data, "problems", kind, "ends", name) for name in SHOWN} for kind in PROBLEMS}
    optimum = pick(data, "problems", "bernoulli", "optimum")
    order = sorted(SHOWN, key=lambda name: round(abs(ends["bernoulli"][name]["mean"] - optimum), 4), reverse=True)
    for i, (kind, (title, limits, ticks)) in enumerate(PROBLEMS.items()):
        axes = panel(figure, 1.72 + 2.33 * i, 2.4, 2.1, 1.9, title, pad=14)
        axes.set(xlim=limits, ylim=(-0.6, len(order) - 0.4), xticks=ticks, xlabel="end point x")
        axes.set_yticks(range(len(order)), [SHOWN[name][0] for name in order] if i == 0 else [""] * len(order))
        axes.tick_params(axis="y", length=0)
        best = pick(data, "problems", kind, "optimum")
        axes.axvline(best, color=INK, linewidth=1)
        axes.annotate(
            "optimum", (best, 1), (3, 3), ("data", "axes fraction"), "offset points", ha="center", va="bottom"
        )
        for y, name in enumerate(order):
            _, look, filled = SHOWN[name]
            end = ends[kind][name]
            axes.plot([best, end["mean"]], [y, y], color=look.colour, linewidth=0.7, linestyle=(0, (1, 1.5)))
            axes.plot(
                [end["low"], end["high"]], [y, y], color=look.colour, linewidth=7, alpha=0.35, solid_capstyle="butt"
            )
            axes.plot(
                end["mean"],
                y,
                color=look.colour,
                marker=look.marker,
                markersize=4.5,
                markerfacecolor=look.colour if filled else "white",
            )

    axes = panel(figure, 0.5, 0.45, 4.6, 1.3, "More workers make it worse: the limit of SGD on ξ ~ Bernoulli(¼)")
    sizes = pick(data, "bias_by_n", "n")
    axes.set(xlim=(0, sizes[-1] + 0.5), ylim=(-0.012, 0.285), xlabel="number of workers n", ylabel="limit of x")
    axes.set(yticks=[0, 0.1, 0.2], xticks=[1, 10, 20, 30, 40])
    axes.axhline(optimum, color=INK, linewidth=1)
    labels = [("optimum", sizes[-1], optimum, INK)]
    for name, words in LINES.items():
        look, row = RULES[name], pick(data, "bias_by_n", name)
        axes.plot(sizes, row, color=look.colour, marker=look.marker, markersize=3, linewidth=0.8, linestyle=look.line)
        labels.append((words, sizes[-1], row[-1], look.ink))
    label_ends(axes, labels)
    return figure
