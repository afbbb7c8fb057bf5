"""How verdicts and numbers are written, wherever they are shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from byzcheck.record import Json, number

LOOKS = {  # verdict → symbol that tells it without colour, style
    "holds": ("●", "green"),
    "supported": ("◐", "cyan"),
    "refuted": ("✗", "bold red"),
    "undecided": ("?", "yellow"),
}
SIGNS = {"<=": "≤", ">=": "≥", "=": "="}


def three(value: Any, digits: int = 3) -> str:
    """A number in three significant digits, as a person writes it.

    >>> [three(v) for v in (1360, 0.104166, 1.25e-7, "inf", None)]
    ['1360', '0.104', '1.25e-7', '∞', '—']
    """
    if value is None:
        return "—"
    real = float(number(float(value) if isinstance(value, str) else value))
    if not math.isfinite(real):
        return {"inf": "∞", "-inf": "-∞"}.get(str(real), "NaN")
    short = float(f"{real:.{digits}g}")
    if short == 0 or 1e-3 <= abs(short) < 1e6:
        return f"{short:.{max(digits, 6)}g}"
    mantissa, exponent = f"{short:.{digits - 1}e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def compared(record: Mapping[str, Any]) -> tuple[str, str, str]:
    """(measured, sign, claimed): three digits, more where numbers that differ beyond their error would read the same.

    >>> compared({"measured": 0.50001, "relation": "=", "claimed": 0.5})
    ('0.50001', '=', '0.5')
    """
    measured, claimed = record["measured"], record["claimed"]
    apart = not abs(float(number(measured)) - float(number(claimed))) <= float(number(record.get("error", 0)))
    for digits in (3, 4, 5, 6, 9, 12, 17):
        texts = three(measured, digits), three(claimed, digits)
        if texts[0] != texts[1] or not apart:
            break
    return texts[0], SIGNS.get(record["relation"], "—"), texts[1]


def is_ours(record: Json) -> bool:
    """Whether a record is of a statement that the paper has not: nothing is said of a printed form."""
    return record["printed"] is None and record["corrected"] is not None


def points_of(records: Iterable[Json]) -> list[tuple[int, str, str, str]]:
    """The open points (number, claim, verdict, stem), in order of their numbers."""
    rows = [(p["number"], p["text"], p["verdict"], r["stem"]) for r in records for p in r["points"]]
    return sorted(rows, key=lambda row: row[0])


def missed(records: Iterable[Json]) -> list[str]:
    """The controls that did not come out as they must, a sentence each."""
    return [
        f"{r['label']}, claim {c['claim']}: control “{c['name']}” is {c['verdict']} where it must be "
        f"{'refuted' if c['expect'] == 'refuted' else 'upheld'}: {c['because']}"
        for r in records
        for c in r["controls"]
        if not c["caught"]
    ]
