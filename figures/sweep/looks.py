"""How the lines of a sweep's figure look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.colors import to_hex, to_rgb

from figures.style import RULES, Look
from figures.sweep.choose import Place, is_numeric
from figures.sweep.words import settings, symbol

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#A04E84", "#946500", "#2A7FAE", "#1A1A1A", "#5B2A86", "#8C2D04")
MARKERS = ("o", "^", "D", "v", "s", "P", "X", "h", "*")
LINES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1.2, 1, 1.2)))


def looks(paths: Sequence[str], places: Sequence[Place]) -> dict[Place, Look]:
    """A look for each line: that of its rule, a scale of colours for numbers, or one colour after the other."""
    if not paths:
        return {(): Look("", COLOURS[0], "o")}
    if paths[0] == "rule":
        return _of_rules(paths, places)
    names = {place: _name(paths, place) for place in places}
    if len(paths) == 1 and is_numeric(place[0] for place in places):
        ramp = matplotlib.colormaps["viridis"]
        shares = [0.78 * i / max(1, len(places) - 1) for i in range(len(places))]
        return {
            place: Look(names[place], to_hex(ramp(share)), MARKERS[i % len(MARKERS)])
            for i, (place, share) in enumerate(zip(places, shares, strict=True))
        }
    return {
        place: Look(names[place], COLOURS[i % 9], MARKERS[i % 9], LINES[(i + i // 9) % len(LINES)])
        for i, place in enumerate(places)
    }


def _of_rules(paths: Sequence[str], places: Sequence[Place]) -> dict[Place, Look]:
    """The looks of `style.RULES`; a rule with several settings has them in paler and paler colours."""
    found: dict[Place, Look] = {}
    others = [name for name in dict.fromkeys(place[0] for place in places) if name not in RULES]
    for place in places:
        same = [other for other in places if other[0] == place[0]]
        i, own = others.index(place[0]) if place[0] in others else 0, RULES.get(place[0])
        own = own or Look("", COLOURS[-1 - i % 9], MARKERS[-1 - i % 9], LINES[1 + i % 3])
        paler = 0.6 * same.index(place) / max(1, len(same) - 1)
        marker = own.marker if len(same) == 1 else MARKERS[same.index(place) % len(MARKERS)]
        ink = _paler(own.ink, 0.5 * paler)
        found[place] = Look(_name(paths, place), _paler(own.colour, paler), marker, own.line, ink)
    return found


def _name(paths: Sequence[str], place: Place) -> str:
    return settings(dict(zip(paths, place, strict=True))) or f"without {symbol(paths[-1])}"


def _paler(colour: str, share: float) -> str:
    if not share:
        return colour
    red, green, blue = (1 - (1 - part) * (1 - share) for part in to_rgb(colour))
    return to_hex((red, green, blue))
