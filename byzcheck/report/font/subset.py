"""Cut the mathematics font of the report out of STIX Two Math: `python -m byzcheck.report.font.subset FONT`.

The glyphs kept are those of the characters that formulas of this field may use, with all that the MATH table needs to
stretch and to place them. The font is under the SIL Open Font License 1.1, which `OFL.txt` holds.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FONT = HERE / "stix-two-math.woff2"
RANGES = (  # of Unicode
    (0x20, 0x7E),  # ASCII
    (0xAC, 0xB1),  # ¬, ¯, ±
    (0xB7, 0xB7),  # ·
    (0xD7, 0xD7),  # ×
    (0x2C6, 0x2DC),  # accents
    (0x393, 0x3A9),  # Greek capitals
    (0x3B1, 0x3C9),  # Greek
    (0x3D1, 0x3F5),  # and its variants
    (0x2013, 0x2016),  # dashes, ‖
    (0x2026, 0x2026),  # …
    (0x2032, 0x2034),  # primes
    (0x2061, 0x2062),  # invisible operators
    (0x20D7, 0x20D7),
    (0x210E, 0x210E),  # the italic h
    (0x2113, 0x211D),  # ℓ, ℙ, ℝ
    (0x212C, 0x2131),  # ℬ
    (0x2190, 0x2194),  # arrows
    (0x21A6, 0x21A6),
    (0x21D0, 0x21D4),
    (0x2200, 0x22A5),  # operators
    (0x22C2, 0x22C5),
    (0x22EE, 0x22F1),
    (0x2308, 0x230B),  # ⌈⌉⌊⌋
    (0x23DE, 0x23DF),  # braces above and below
    (0x27E8, 0x27E9),  # ⟨⟩
    (0x27F9, 0x27FA),  # ⟹⟺
    (0x2A7D, 0x2A7E),
    (0x2AAF, 0x2AB0),  # ⪯⪰
    (0x1D434, 0x1D467),  # italic Latin
    (0x1D49C, 0x1D4B5),  # script capitals
    (0x1D538, 0x1D550),  # double-struck capitals
    (0x1D6E2, 0x1D71B),  # italic Greek
    (0x1D7CE, 0x1D7CF),  # bold 0 and 1
)


def subset(source: Path, target: Path = FONT) -> int:
    """Write the subset of a font file as WOFF2; its bytes."""
    from fontTools import subset as fonttools

    options = fonttools.Options(flavor="woff2", layout_features=[])
    options.hinting = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]  # copyright and licence stay
    font = fonttools.load_font(str(source), options)
    cutter = fonttools.Subsetter(options)
    cutter.populate(unicodes=[code for first, last in RANGES for code in range(first, last + 1)])
    cutter.subset(font)
    narrow(font)
    fonttools.save_font(font, str(target), options)
    return target.stat().st_size


def narrow(font: Any) -> None:
    """Make all radical signs as wide as the smallest.

    The width of a root in MathML Core is reckoned with the widest sign there is, whatever sign is drawn: in STIX Two a
    short root would be followed by a gap of four tenths of an em.
    """
    variants = font["MATH"].table.MathVariants
    smallest = font.getBestCmap()[ord("√")]
    signs = variants.VertGlyphConstruction[variants.VertGlyphCoverage.glyphs.index(smallest)]
    taller = [variant.VariantGlyph for variant in signs.MathGlyphVariantRecord]
    taller += [part.glyph for part in signs.GlyphAssembly.PartRecords]
    width = font["hmtx"][smallest][0]
    for name in set(taller) - {smallest}:
        advance, bearing = font["hmtx"][name]
        glyph = font["glyf"][name]
        glyph.coordinates.scale((width / advance, 1))
        glyph.coordinates.toInt()
        glyph.recalcBounds(font["glyf"])
        font["hmtx"][name] = (width, round(bearing * width / advance))


if __name__ == "__main__":
    print(subset(Path(sys.argv[1])))
