"""What elements of a page's figures look like, said once: classes in the place of attributes, and short ids."""

from __future__ import annotations

import re
from collections import Counter

_STYLE = re.compile(r"</style>\s*$")
_FIGURE = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_ELEMENT = re.compile(r"<(path|text|g)( [^<>]*?)(/?>)")
_LOOK = re.compile(  # but what names a tile or a frame, which are their figure's
    r" (fill|fill-opacity|stroke|stroke-width|stroke-opacity|stroke-dasharray|stroke-linecap|stroke-linejoin"
    r'|text-anchor|font-size|font-weight)="((?!url)[\w.#%(), -]+)"'
)
_ID = re.compile(r'(?<=[#"])([A-Za-z]\w*-[mch]\d+)(?=[")])')

Look = tuple[str, tuple[tuple[str, str], ...]]  # an element's name, its attributes and their values


def said_once(parts: list[str]) -> list[str]:
    """The parts of a page, every second of which is an element that stays, with a class for each look of a figure.

    The classes are added to the first part that is a <style>. Where there is none nothing changes.
    """
    style = next((k for k in range(1, len(parts), 2) if parts[k].startswith("<style")), None)
    if style is None:
        return parts
    figures = [figure for part in parts[::2] for figure in _FIGURE.findall(part)]
    classes, ids = _classes(figures), _short_ids(figures)
    found = list(parts)
    for k in range(0, len(parts), 2):
        found[k] = _FIGURE.sub(lambda figure: _figure(figure[0], classes, ids), parts[k])
    rules = "".join(f".{name}{{{_rule(*look)}}}" for look, name in classes.items())
    found[style] = _STYLE.sub(lambda end: f"{rules}{end[0]}", parts[style])
    return found


def _look(element: re.Match[str]) -> Look:
    return element[1], tuple(_LOOK.findall(element[2]))


def _classes(figures: list[str]) -> dict[Look, str]:
    """A class for each look that several elements share."""
    found = Counter(_look(element) for figure in figures for element in _ELEMENT.finditer(figure))
    shared = [look for look, count in found.most_common() if count > 2 and look[1]]
    return {look: f"_{k}" for k, look in enumerate(shared)}


def _rule(tag: str, attributes: tuple[tuple[str, str], ...]) -> str:
    """A look as CSS, in which a size has a unit; words are of the page's ink unless they say otherwise."""
    found = dict(attributes)
    if tag == "text":
        found.setdefault("fill", "var(--ink)")
    return ";".join(f"{name}:{value}{'px' if name == 'font-size' else ''}" for name, value in found.items())


def _short_ids(figures: list[str]) -> dict[str, str]:
    """Short names for the ids of shapes, tiles and frames, which nothing outside a figure names."""
    found = dict.fromkeys(name for figure in figures for name in _ID.findall(figure))
    return {name: f"_{k}" for k, name in enumerate(found)}


def _figure(figure: str, classes: dict[Look, str], ids: dict[str, str]) -> str:
    def element(found: re.Match[str]) -> str:
        name = classes.get(_look(found))
        if name is None:
            return found[0]
        rest = _LOOK.sub("", found[2])
        return f'<{found[1]} class="{name}"{rest}{found[3]}'

    return _ID.sub(lambda found: ids[found[1]], _ELEMENT.sub(element, figure))
