"""Whether every word of a figure can be read."""

from __future__ import annotations

import itertools
import os

from matplotlib.text import Text

from figures import style


def words(figure, monkeypatch):
    """(text, its box in pixels) of every text that is really drawn, and the canvas."""
    found, original = [], Text.draw

    def draw(self, renderer, *args, **kwargs):
        if self.get_visible() and self.get_text().strip():
            found.append((self.get_text(), Text.get_window_extent(self, renderer)))
        original(self, renderer, *args, **kwargs)

    with monkeypatch.context() as patch, style.style():
        patch.setattr(Text, "draw", draw)
        figure.savefig(os.devnull, format="png", dpi=figure.dpi)
    return found, figure.bbox


def unreadable(figure, monkeypatch):
    """A sentence for each text that leaves the canvas, lies on another one or is crossed by a plotted line."""
    texts, canvas = words(figure, monkeypatch)
    found = [
        f"{text!r} leaves the canvas"
        for text, box in texts
        if box.x0 < canvas.x0 or box.y0 < canvas.y0 or box.x1 > canvas.x1 or box.y1 > canvas.y1
    ]
    found += [f"{a!r} lies on {b!r}" for (a, s), (b, t) in itertools.combinations(texts, 2) if s.overlaps(t)]
    for axes in figure.axes:
        for line in axes.lines:
            path = line.get_path().transformed(line.get_transform())
            inner = axes.get_window_extent()
            found += [
                f"{text!r} is crossed by a line"
                for text, box in texts
                if inner.overlaps(box) and path.intersects_bbox(box, filled=False)
            ]
    return found
