"""The report's panels: fields for the reader's own n, f, δ, T, …, and the numbers that follow from them.

The page shows the numbers of the first values as text, computed here; where JavaScript runs, `report.js` lets them
follow the fields.
"""

from __future__ import annotations

import functools
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import jinja2
from markupsafe import Markup

from byzcheck.report.closed_forms import Between, Number
from byzcheck.report.panels import PANELS, SENTENCES
from byzcheck.report.templates import template
from byzcheck.typeset.prose import inline_html


def shown(value: Number) -> str:
    """A number in four significant digits, halves away from zero as JavaScript has it; a sentence in words.

    >>> [shown(value) for value in (0.104166, 1360.0, 2e-9, 1.0625, [1.0, 2.0], Between(1.0, 2.0), "few")]
    ['0.1042', '1360', '2·10⁻⁹', '1.063', '1, 2', '1 … 2', 'needs n ≥ 2F + 3']
    """
    if isinstance(value, str):
        return SENTENCES[value]
    if isinstance(value, Between):
        return f"{shown(value.low)} … {shown(value.high)}"
    if isinstance(value, list):
        parts = [shown(one) for one in value]
        return ", ".join(parts if len(parts) <= 4 else [*parts[:3], "…", parts[-1]])
    if value == 0:
        return "0"
    exact = Decimal(value)
    short = exact.quantize(Decimal(1).scaleb(exact.adjusted() - 3), ROUND_HALF_UP)
    if Decimal("1e-3") <= abs(short) < 10**6:
        return f"{short:f}".rstrip("0").rstrip(".").replace("-", "−") if "." in f"{short:f}" else f"{short:f}"
    digits = f"{short.scaleb(-short.adjusted()):f}".rstrip("0").rstrip(".").replace("-", "−")
    return f"{digits}·10{str(short.adjusted()).translate(str.maketrans('0123456789-', '⁰¹²³⁴⁵⁶⁷⁸⁹⁻'))}"


@functools.cache
def _template() -> jinja2.Template:
    filters = {"inline": lambda text: Markup(inline_html(text)), "number": lambda value: f"{value:.15g}"}
    return template("sliders.html", filters)


def panel(stem: str, level: int = 3) -> Markup | None:
    """The HTML of a statement's panel, headed <h3> or what `level` says; None for a statement that has none."""
    if stem not in PANELS:
        return None
    made = PANELS[stem]
    found: Any = made.numbers()
    numbers = {name: shown(found[name]) for name in made.rows}
    page = _template().render(stem=stem, panel=made, numbers=numbers, sentences=SENTENCES, level=level)
    return Markup(page.strip())
