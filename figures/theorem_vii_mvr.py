"""Theorem VII: the error against T with every start, beside momentum alone and the bound; and without smoothness."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from figures.labels import label_ends
from figures.palette import HEX
from figures.style import INK, WARNING, WIDTH, headline, panel, pick, power_ticks, styled

CAPTION = (
    "The average of ‖∇f‖² over T rounds, f(x) = ½x², nobody attacks. Left: variance reduction (MVR) from several "
    "first estimates and momentum alone (SGDm), enclosed without random numbers, with the slopes of log error "
    "against log T. Right: the mean of {waves[runs]} runs with noise that is a sine wave or a square wave of x. "
    "Dashed: the bounds."
)
ALT = (
    "With a batch of ∛T, idle rounds or decreasing α the error falls like T to the −2/3; with one sample at the "
    "start only like T to the −1/3. With square waves as noise it grows with T, far above the bound."
)
OURS, MOMENTUM = HEX["rule-coordinate-median"], HEX["rule-rfa"]
CURVES: dict[str, tuple[str, str, Any, str]] = {  # name → words, colour, line, marker
    "sample": ("one sample", WARNING, "-", "o"),
    "zero": ("from m₀ = 0", WARNING, (0, (2, 1.2)), ""),
    "momentum": ("SGDm", MOMENTUM, "-", "s"),
    "decreasing": ("decreasing αₜ", OURS, (0, (1, 1)), ""),
    "idle": ("idle rounds", OURS, (0, (4, 1.5)), ""),
    "batch": ("batch of ∛T", OURS, "-", "o"),
}


@styled
def draw(data: dict[str, Any]) -> Figure:
    """The figure of Theorem VII from its recorded data; ValueError if a curve is missing."""
    figure = Figure((WIDTH, 3.6))
    headline(
        figure,
        "Theorem VII needs a good start, and noise that changes smoothly",
        f"Average of ‖∇f‖² over T rounds, f = ½x². Left: no random numbers; right: {pick(data, 'waves', 'runs')} runs",
    )
    T, bound = pick(data, "T"), pick(data, "bound")
    starts = panel(figure, 0.55, 0.45, 2.05, 2.45, "MVR by its first estimate; slopes")
    starts.set(xlim=(T[0], T[-1]), ylim=(1e-10, 2e-3), xlabel="rounds T")
    power_ticks(starts, range(7, 13), "x")
    power_ticks(starts, range(-10, -2))
    starts.plot(T, bound, color=INK, linewidth=0.9, linestyle=(0, (6, 2)))
    ends = [("bound, batch of ∛T", T[-1], bound[-1], INK)]
    for name, (words, colour, line, marker) in CURVES.items():
        error = pick(data, "curves", name, "error")
        starts.plot(T, error, color=colour, linestyle=line, marker=marker, markersize=3)
        slope = f"{pick(data, 'curves', name)['slope']:.2f}".replace("-", "−")
        ends.append((f"{words}: {slope}", T[-1], error[-1], colour))
    label_ends(starts, ends)

    waves = panel(figure, 4.3, 0.45, 1.05, 2.45, "MVR, noise 2·wave(x + ξ)")
    sizes = pick(data, "waves", "T")
    waves.set(xlim=(sizes[0], sizes[-1]), ylim=(0.02, 8), xlabel="rounds T")
    power_ticks(waves, (4, 6, 8, 10), "x", 2)
    power_ticks(waves, (-1, 0))
    ends = []
    for wave, colour in (("sine", OURS), ("square", WARNING)):
        error, right = (pick(data, "waves", wave, key) for key in ("error", "bound"))
        waves.plot(sizes, right, color=colour, linewidth=0.9, linestyle=(0, (6, 2)))
        waves.plot(sizes, error, color=colour, marker="o", markersize=3)
        ends += [
            (f"{wave} wave", sizes[-1], error[-1], colour),
            (f"bound, {wave}", sizes[-1], right[-1], colour),
        ]
    label_ends(waves, ends)
    return figure
