"""A figure as an element of a page: its letters are the page's, its colours the page's variables, its ids its own."""

from __future__ import annotations

import importlib
import re
from typing import Any
from xml.sax.saxutils import escape

from matplotlib.figure import Figure
from matplotlib.text import Text

from figures.about import alt, caption, first_sentence
from figures.palette import palette as palette
from figures.style import SETTINGS, style
from figures.svg import Writer


def inline_figure(stem: str, data: dict[str, Any]) -> str:
    """A figure from its recorded data as an element of a page, whose ids begin with `stem`.

    Read out are its caption's first sentence and its description. ValueError if the data lack something.
    """
    figure = importlib.import_module(f"figures.{stem}").draw(data)
    return inline_svg(figure, stem, first_sentence(caption(stem, data)), alt(stem, data))


def inline_svg(figure: Figure, name: str, title: str = "", description: str = "") -> str:
    """`<svg>…</svg>` for HTML, as wide as its place, transparent, the same bytes each time.

    Each id begins with `name`. What is read out is `title` (else the figure's headline) and `description`. Colours are
    variables of the page, which `palette` declares, with those of white paper where a page has none.

    Raises ValueError if name is not of letters, digits, _ and -, beginning with a letter, and for words with a $.
    """
    if not re.fullmatch(r"[A-Za-z][\w-]*", name, re.ASCII):
        raise ValueError(f"name must be letters, digits, _ and -, beginning with a letter, got {name!r}")
    dpi, patches = figure.get_dpi(), [figure.patch, *(axes.patch for axes in figure.axes)]
    seen, groups = [patch.get_visible() for patch in patches], {}
    try:
        with style():
            figure.set_dpi(72)  # a pixel is a point
            for patch in patches:
                patch.set_visible(False)
            figure.draw_without_rendering()  # which makes the words at ticks
            texts = {f"{i}": text for i, text in enumerate(figure.findobj(Text)) if isinstance(text, Text)}
            groups = {text: text.get_gid() for text in texts.values()}
            for gid, text in texts.items():
                text.set_gid(gid)
            width, height, size = *(72 * figure.get_size_inches()), SETTINGS["font.size"]
            writer = Writer(float(width), float(height), name, size, texts)
            figure.draw(writer)
    finally:
        figure.set_dpi(dpi)
        for patch, was in zip(patches, seen, strict=True):
            patch.set_visible(was)
        for text, group in groups.items():
            text.set_gid(group)  # pyright: ignore[reportArgumentType]
    said = f'<title id="{name}-title">{escape(title or str(figure.get_label()) or name)}</title>'
    named = f"{name}-title"
    if description:
        said, named = f'{said}<desc id="{name}-desc">{escape(description)}</desc>', f"{named} {name}-desc"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="100%" role="img" '
        f'aria-labelledby="{named}" fill="none" stroke-linejoin="round" font-family="inherit" font-size="{size:g}">'
        f"{said}{writer.written()}</svg>"
    )
