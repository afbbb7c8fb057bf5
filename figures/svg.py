"""A figure in few elements of SVG: words stay words, colours go by their names, what cannot be seen is left out.

matplotlib lays the figure out; its own writer of SVG names no colours, and writes several times as much.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.colors import to_hex
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

from figures.palette import NAMES
from figures.thin import thinned

NEAR = 0.05  # points: half of the last digit that is written
MARGIN = 20.0  # points beyond the page, so that no end of a line is seen
LETTERS = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C"}
LENGTHS = {Path.CURVE3: 2, Path.CURVE4: 3}
SHORT = 40  # letters of a shape that is written where it stands; a longer one is written once
HATCH = 72  # points: the side of a tile


class Writer(RendererBase):
    """What matplotlib draws on. It collects elements, and definitions whose ids begin with `name`.

    `size` is the font size of words that need not say theirs. `texts` has each text of the figure by its group, which
    matplotlib opens before it draws the lines of the text.
    """

    def __init__(self, width: float, height: float, name: str, size: float, texts: Mapping[str, Text]) -> None:
        super().__init__()
        self.width, self.height, self.name, self.size, self.texts = width, height, name, size, texts
        self._flip = Affine2D().scale(1, -1).translate(0, height)
        self._elements: list[str] = []
        self._definitions: dict[str, tuple[str, str]] = {}  # an element without its id → the id, the element with it
        self._open: tuple[str, list[str]] | None = None  # the look of a line that the next one may continue, and it
        self._text: Text | None = None

    def get_canvas_width_height(self) -> tuple[float, float]:
        """In points."""
        return self.width, self.height

    def open_group(self, s: str, gid: str | None = None) -> None:
        """Note whose lines come."""
        if s == "text":
            self._text = self.texts.get(gid or "")

    def written(self) -> str:
        """Everything, the definitions first."""
        self._close()
        definitions = "".join(element for _, element in self._definitions.values())
        return (f"<defs>{definitions}</defs>" if definitions else "") + "".join(self._elements)

    def draw_path(self, gc: GraphicsContextBase, path: Path, transform: Any, rgbFace: Any = None) -> None:
        """A line or an area."""
        page = (-MARGIN, -MARGIN, self.width + MARGIN, self.height + MARGIN)
        whole = rgbFace is not None or gc.get_hatch()
        clean = path.cleaned(
            transform + self._flip, remove_nans=True, clip=None if whole else page, simplify=False, curves=True
        )
        self._add(gc, np.asarray(clean.vertices), clean.codes, rgbFace)

    def draw_markers(
        self, gc: GraphicsContextBase, marker_path: Path, marker_trans: Any, path: Path, trans: Any, rgbFace: Any = None
    ) -> None:
        """One shape at several places; nothing where there is no place, as for a number that is missing."""
        places = (trans + self._flip).transform(path.vertices)
        places = places[np.isfinite(places).all(axis=-1)]
        if not len(places):
            return
        clean = marker_path.cleaned(marker_trans + Affine2D().scale(1, -1), simplify=False, curves=True)
        shape, codes = np.asarray(clean.vertices), clean.codes
        d = outline(shape, codes, 2)
        if len(d) <= SHORT or len(places) == 1:
            for place in places:
                self._add(gc, shape + place, codes, rgbFace)
            return
        paint = self._paint(gc, rgbFace)
        self._close()
        marker = self._defined("m", "path", f' d="{d}"/>')
        reach = np.abs(shape[np.asarray(codes) != Path.STOP]).max()
        clip = self._clip(gc, np.concatenate([places - reach, places + reach]))
        uses = "".join(f'<use href="#{marker}" x="{short(x)}" y="{short(y)}"/>' for x, y in places)
        self._elements.append(f"<g{paint}{clip}>{uses}</g>")

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: Any,
        angle: float,
        ismath: Any = False,
        mtext: Text | None = None,
    ) -> None:
        """A line of words, held where its text is aligned, since a page's letters are narrower.

        Raises ValueError for mathematics between dollars, which only matplotlib sets.
        """
        if ismath:
            raise ValueError(f"words of a figure within a page must have no $, got {s!r}")
        self._close()
        align = self._text.get_horizontalalignment() if self._text else "left"
        anchor, share = {"center": ("middle", 0.5), "right": ("end", 1.0)}.get(align, ("", 0.0))
        width = share * self.get_text_width_height_descent(s, prop, False)[0]
        turn = math.radians(angle)
        x, y = x + width * math.cos(turn), y - width * math.sin(turn)
        place = f' x="{short(x)}" y="{short(y)}"'
        if angle:
            place = f' transform="translate({short(x)} {short(y)})rotate({short(-angle)})"'
        look = f' text-anchor="{anchor}"' if anchor else ""
        size = prop.get_size_in_points()
        look += f' font-size="{size:g}"' if size != self.size else ""
        look += ' font-weight="bold"' if prop.get_weight() in ("bold", 700) else ""
        self._elements.append(f"<text{place}{look}{colour('fill', gc.get_rgb())}>{escape(s)}</text>")

    def _add(self, gc: GraphicsContextBase, vertices: np.ndarray, codes: Any, face: Any) -> None:
        """A path, which continues the one before if both are opaque lines of the same look."""
        paint, d = self._paint(gc, face if len(vertices) > 2 else None), outline(vertices, codes)
        if len(vertices) <= 2:  # which has no corner
            paint = re.sub(' stroke-linejoin="[a-z]+"', "", paint)
        if not paint or not d:
            return
        look = paint + self._clip(gc, vertices[np.asarray(codes) != Path.STOP])
        if self._open is None or self._open[0] != look or "fill" in look or "opacity" in look:
            self._close()
            self._open = (look, [])
        self._open[1].append(d)

    def _close(self) -> None:
        if self._open:
            self._elements.append(f'<path d="{"".join(self._open[1])}"{self._open[0]}/>')
        self._open = None

    def _defined(self, kind: str, tag: str, rest: str) -> str:
        """The id of a definition, which is written once."""
        key = f"<{tag}{rest}"
        if key not in self._definitions:
            made = f"{self.name}-{kind}{len(self._definitions)}"
            self._definitions[key] = (made, f'<{tag} id="{made}"{rest}')
        return self._definitions[key][0]

    def _paint(self, gc: GraphicsContextBase, face: Any) -> str:
        """Attributes of filling and stroke; empty if nothing would be seen."""
        forced = gc.get_alpha() if gc.get_forced_alpha() else None
        found = self._hatched(gc, face) if gc.get_hatch() else colour("fill", face, forced)
        line = colour("stroke", gc.get_rgb(), forced) if gc.get_linewidth() else ""
        if not line:
            return found
        found += f'{line} stroke-width="{short(gc.get_linewidth(), 2)}"'
        dashes = gc.get_dashes()[1]
        if dashes is not None:
            found += f' stroke-dasharray="{" ".join(short(dash, 2) for dash in np.ravel(dashes))}"'
        cap, join = gc.get_capstyle(), gc.get_joinstyle()
        found += {"projecting": ' stroke-linecap="square"', "round": ' stroke-linecap="round"'}.get(cap, "")
        return found + ("" if join == "round" else f' stroke-linejoin="{join}"')

    def _hatched(self, gc: GraphicsContextBase, face: Any) -> str:
        lines = gc.get_hatch_path().transformed(Affine2D().scale(HATCH, -HATCH).translate(0, HATCH))
        d = outline(np.asarray(lines.vertices), lines.codes)
        ground = colour("fill", face)
        tile = f'<rect width="{HATCH}" height="{HATCH}"{ground}/>' if ground else ""
        ink = colour("stroke", gc.get_hatch_color())
        tile += f'<path d="{d}"{ink} stroke-width="{short(gc.get_hatch_linewidth(), 2)}"/>'
        rest = f' width="{HATCH}" height="{HATCH}" patternUnits="userSpaceOnUse">{tile}</pattern>'
        return f' fill="url(#{self._defined("h", "pattern", rest)})"'

    def _clip(self, gc: GraphicsContextBase, points: np.ndarray) -> str:
        """An attribute that cuts off what leaves the axes; empty if nothing does."""
        if gc.get_clip_path()[0] is not None:
            raise ValueError("a figure within a page may be cut by rectangles only")
        box = gc.get_clip_rectangle()
        if box is None or not len(points):
            return ""
        half = gc.get_linewidth() / 2 - NEAR
        left, right, top, bottom = box.x0, box.x1, self.height - box.y1, self.height - box.y0
        (x0, y0), (x1, y1) = points.min(axis=0) - half, points.max(axis=0) + half
        if x0 >= left and x1 <= right and y0 >= top and y1 <= bottom:
            return ""
        size = f'width="{short(right - left)}" height="{short(bottom - top)}"'
        rest = f'><rect x="{short(left)}" y="{short(top)}" {size}/></clipPath>'
        return f' clip-path="url(#{self._defined("c", "clipPath", rest)})"'


def colour(what: str, rgba: Any, alpha: float | None = None) -> str:
    """An attribute that names a colour of the palette, or gives another as it is; empty if it is transparent.

    >>> colour("fill", (1.0, 1.0, 1.0)), colour("stroke", (0.0, 0.0, 0.0, 0.5))
    (' fill="var(--paper,#ffffff)"', ' stroke="var(--rule-mean,#000000)" stroke-opacity="0.5"')
    """
    if rgba is None:
        return ""
    alpha = (float(rgba[3]) if len(rgba) > 3 else 1.0) if alpha is None else alpha
    if not alpha:
        return ""
    value = to_hex(rgba)
    value = f"var(--{NAMES[value]},{value})" if value in NAMES else value
    return f' {what}="{value}"' + (f' {what}-opacity="{short(alpha, 2)}"' if alpha < 1 else "")


def short(number: float, digits: int = 1) -> str:
    """A number without digits that are not seen.

    >>> short(12.04), short(-0.01), short(0.256, 2)
    ('12', '0', '0.26')
    """
    written = f"{number:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if written in ("-0", "") else written


def outline(vertices: np.ndarray, codes: Any, digits: int = 1) -> str:
    """The d of a path: its polygons with no more corners than are seen, its curves as they are."""
    if codes is None:
        codes = [Path.MOVETO] + [Path.LINETO] * (len(vertices) - 1)
    found: list[str] = []
    i, last = 0, len(vertices)
    while i < last:
        code = codes[i]
        if code == Path.STOP:
            break
        if code == Path.CLOSEPOLY:
            found.append("z")
            i += 1
        elif code in LENGTHS:
            found.append(LETTERS[code] + _numbers(vertices[i : i + LENGTHS[code]], digits))
            i += LENGTHS[code]
        else:
            end = i + 1
            while end < last and codes[end] == Path.LINETO:
                end += 1
            line = thinned(vertices[i:end], 0.4 * 10.0**-digits)
            places = np.rint(np.asarray(line) * 10.0**digits)  # steps between these add up without error
            found.append(LETTERS[code] + _numbers(places[:1] / 10.0**digits, digits))
            steps = np.diff(places, axis=0) / 10.0**digits
            if len(steps := steps[np.any(steps != 0, axis=1)]):
                found.append("l" + _numbers(steps, digits))
            i = end
    return "".join(found)


def _numbers(points: np.ndarray, digits: int) -> str:
    """Coordinates with as few letters as can be told apart: a sign or a second point begins a number, too.

    >>> _numbers(np.array([[0.5, -0.25], [0.75, 3.0]]), 2)
    '.5-.25.75 3'
    """
    written = ""
    for number in np.ravel(points):
        text = short(number, digits).replace("0.", ".", 1) if abs(number) < 1 else short(number, digits)
        joined = text.startswith("-") or (text.startswith(".") and "." in re.split("[ -]", written)[-1])
        written += text if joined or not written else f" {text}"
    return written
