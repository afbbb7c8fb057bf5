"""A figure as files: the same bytes each time, for a column of a paper or for a slide."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_pdf import Op, PdfFile, RendererPdf
from matplotlib.figure import Figure

from figures.slide import ENLARGED, slide
from figures.style import style

DPI = 160  # pixels an inch of a column; a slide has 1920 pixels
METADATA: dict[str, dict[str, Any]] = {  # no dates; the SVG still names the matplotlib that made it
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}
KINDS, SIZES = tuple(METADATA), ("column", "slide")


def save(figure: Figure, path: Path, kinds: Sequence[str] = ("png", "svg"), size: str = "column") -> list[Path]:
    """Write `path`.png and so on; the same figure gives the same bytes. The size "slide" changes the figure.

    Raises OSError if a file cannot be written; all pictures are written whole beside the files before they take their
    places.
    """
    if size == "slide":
        slide(figure)
    named = {kind: path.with_name(f"{path.name}.{kind}") for kind in kinds}
    pictures = {kind: picture(figure, kind, size) for kind in kinds}
    places = {kind: place.resolve() for kind, place in named.items()}
    beside = {kind: place.with_name(f".{place.name}.{os.getpid()}.tmp") for kind, place in places.items()}
    try:
        for kind, content in pictures.items():
            beside[kind].write_bytes(content)
        for kind, place in places.items():
            os.replace(beside[kind], place)
    finally:
        for temporary in beside.values():
            temporary.unlink(missing_ok=True)
    return list(named.values())


def picture(figure: Figure, kind: str, size: str = "column") -> bytes:
    """The bytes of one file; a slide that has been laid out is enlarged as a whole, letters and lines with it."""
    buffer, scale = io.BytesIO(), ENLARGED if size == "slide" else 1
    with style():
        if kind == "pdf" and scale != 1:
            return _enlarged(figure, scale)
        dpi = 1920 / figure.get_figwidth() if size == "slide" else DPI
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=METADATA[kind])
    found = buffer.getvalue()
    if kind == "svg" and scale != 1:
        for side in figure.get_size_inches():
            found = found.replace(f'="{72 * side:g}pt"'.encode(), f'="{72 * scale * side:g}pt"'.encode(), 1)
    return found


def _enlarged(figure: Figure, scale: float) -> bytes:
    """A page of PDF that is `scale` times as large, which matplotlib's own writer cannot do."""
    buffer, dpi = io.BytesIO(), figure.get_dpi()
    width, height = figure.get_size_inches()
    file = PdfFile(buffer, metadata=METADATA["pdf"])
    try:
        figure.set_dpi(72)
        file.newPage(scale * width, scale * height)
        file.output(scale, 0, 0, scale, 0, 0, Op.concat_matrix)
        pen = RendererPdf(file, 72, height, width)
        figure.draw(pen)
        pen.finalize()
        file.finalize()
    finally:
        figure.set_dpi(dpi)
        file.close()
    return buffer.getvalue()
