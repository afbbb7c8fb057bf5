"""A figure for a slide: 16:9, its letters readable from the last row.

The whole is enlarged, letters and lines with it, and the panels give way: what is around them keeps its height.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from figures.labels import place_again
from figures.style import style

ENLARGED = 2  # 7 points become 14
SIZE = (20 / 3, 3.75)  # inches, of a page of 13⅓ × 7½ that is shown enlarged
LEAST = 0.3  # a panel is squeezed no further


def slide(figure: Figure) -> None:
    """Lay the figure out anew on a page of `SIZE`; what has been laid out so stays.

    Raises ValueError if its panels would be squeezed beyond `LEAST`.
    """
    width, height = figure.get_size_inches()
    if np.allclose((width, height), SIZE):
        return
    with style():
        figure.draw_without_rendering()
        fixed = merged([*_around_panels(figure), *_words(figure)], height)
        soft = height - sum(high - low for low, high in fixed)
        share = (SIZE[1] - (height - soft)) / soft
        if share < LEAST:
            raise ValueError(f"a slide needs panels of ≥ {LEAST:g} of their height, this figure would have {share:.2f}")
        aside = (SIZE[0] - width) / 2

        def moved(y: float) -> float:
            """Inches from below on the slide."""
            below = sum(min(max(y - low, 0.0), high - low) for low, high in fixed)
            return below + share * (y - below)

        places = [(axes, axes.get_position().bounds) for axes in figure.axes]
        figure.set_size_inches(SIZE)
        for axes, (x, y, w, h) in places:
            low, high = moved(y * height), moved((y + h) * height)
            axes.set_position(
                ((x * width + aside) / SIZE[0], low / SIZE[1], w * width / SIZE[0], (high - low) / SIZE[1])
            )
        for text in figure.texts:
            x, y = text.get_position()
            text.set_position(((x * width + aside) / SIZE[0], moved(y * height) / SIZE[1]))
        for line in figure.artists:
            if isinstance(line, Line2D):
                x, y = (np.asarray(values, float) for values in line.get_data())
                line.set_data((x * width + aside) / SIZE[0], [moved(each * height) / SIZE[1] for each in y])
        place_again(figure)


def merged(intervals: Iterable[tuple[float, float]], height: float) -> list[tuple[float, float]]:
    """Disjoint intervals with the same union within [0, height].

    >>> merged([(3, 4), (0, 1), (0.5, 2), (3.5, 9)], 5)
    [(0, 2), (3, 5)]
    """
    found: list[tuple[float, float]] = []
    for low, high in sorted((max(low, 0), min(high, height)) for low, high in intervals):
        if low >= high:
            continue
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


def _around_panels(figure: Figure) -> Iterable[tuple[float, float]]:
    """Where titles and the words of axes stand, in inches from below."""
    for axes in figure.axes:
        box = axes.get_window_extent()
        below = axes.xaxis.get_tightbbox()
        if below is not None:
            yield below.y0 / figure.dpi, box.y0 / figure.dpi
        for title in axes.get_children():
            if isinstance(title, Text) and title not in axes.texts and title.get_text():
                yield box.y1 / figure.dpi, title.get_window_extent().y1 / figure.dpi


def _words(figure: Figure) -> Iterable[tuple[float, float]]:
    """Where the figure's own words stand."""
    for text in figure.texts:
        if isinstance(text, Text) and text.get_text():
            box = text.get_window_extent()
            yield box.y0 / figure.dpi, box.y1 / figure.dpi
