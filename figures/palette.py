"""The colours of the figures: each has a name, and a second value that can be seen on a dark page.

On paper and in a PNG the first value is drawn. A figure inside a page names its colours, so that the page chooses.
"""

from __future__ import annotations

from typing import NamedTuple

LIGHT, DARK = "#ffffff", "#16181c"  # the paper


class Ink(NamedTuple):
    """A colour by its name in a page: on white paper and on a dark page."""

    name: str
    light: str
    dark: str


INKS: tuple[Ink, ...] = (
    Ink("paper", LIGHT, DARK),
    Ink("ink", "#1a1a1a", "#e8e6e3"),
    Ink("soft", "#6b6b6b", "#a6a6a6"),
    Ink("faint", "#b8b8b8", "#565b63"),
    Ink("warning", "#a50026", "#ff8795"),  # what is claimed too much
    Ink("warning-pale", "#f6d5d5", "#4c222b"),
    Ink("rule-mean", "#000000", "#ffffff"),
    Ink("rule-coordinate-median", "#0072b2", "#5fb0ee"),
    Ink("rule-geometric-median", "#3a9bd4", "#9adcff"),
    Ink("rule-geometric-median-ink", "#2678a6", "#9adcfe"),
    Ink("rule-rfa", "#8c6d1f", "#cdb06a"),
    Ink("rule-krum", "#d55e00", "#ff8f45"),
    Ink("rule-krum-ink", "#b84f00", "#ff8f44"),
    Ink("rule-multi-krum", "#c26a9b", "#eba6cf"),
    Ink("rule-multi-krum-ink", "#a04e84", "#eba6ce"),
    Ink("rule-trimmed-mean", "#009e73", "#2fca9c"),
    Ink("rule-trimmed-mean-ink", "#007a59", "#2fca9b"),
    Ink("rule-bulyan", "#c48500", "#f0b73a"),
    Ink("rule-bulyan-ink", "#946500", "#f0b739"),
    Ink("rule-centered-clipping", "#5b2a86", "#bd9bee"),
    Ink("good", "#b9c6d3", "#4d5e70"),  # messages of good workers
    Ink("good-ink", "#54677a", "#9fb4c9"),
    Ink("band", "#d7e6ef", "#27404f"),
    Ink("heat-1", "#fbe3dc", "#33221f"),  # how many times too small
    Ink("heat-2", "#f4b9a7", "#5a2d26"),
    Ink("heat-3", "#e0826f", "#85372f"),
    Ink("heat-4", "#c04a43", "#b0463f"),
    Ink("ramp-1", "#440154", "#c886dc"),
    Ink("ramp-2", "#46307e", "#a596f0"),
    Ink("ramp-3", "#3b528b", "#86aef0"),
    Ink("ramp-4", "#2c728e", "#62b9e0"),
    Ink("ramp-5", "#1f7f7a", "#43c6c0"),
    Ink("ramp-6", "#2a8052", "#55cf93"),
    Ink("ramp-7", "#55801a", "#9fd35c"),
    Ink("ramp-8", "#857500", "#dcd052"),
)
ON_LIGHT, ON_DARK = "#1b1b1c", "#fefefe"  # words on a filled cell, which stays as it is on either page
HEX = {ink.name: ink.light for ink in INKS}
NAMES = {ink.light: ink.name for ink in INKS}


def ramp(count: int) -> list[str]:
    """So many colours for a setting that grows, from dark purple to olive.

    Raises ValueError unless 1 ≤ count ≤ 8.

    >>> ramp(2)
    ['#440154', '#857500']
    """
    if not 1 <= count <= 8:
        raise ValueError(f"a ramp has 1 ≤ count ≤ 8 colours, got count = {count}")
    return [HEX[f"ramp-{1 + round(7 * i / max(count - 1, 1))}"] for i in range(count)]


def palette(dark: bool) -> str:
    """What a page declares for the figures within it, as CSS: `--ink: #1a1a1a;` and so on.

    >>> palette(False)[:32]
    '--paper:#ffffff;--ink:#1a1a1a;--'
    """
    return "".join(f"--{ink.name}:{ink.dark if dark else ink.light};" for ink in INKS)
