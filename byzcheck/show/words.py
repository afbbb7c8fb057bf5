"""How verdicts and numbers are written, wherever they are shown."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from byzcheck.record import Json, number

LOOKS = {  # verdict → symbol that tells it without colour, style
    "proved": ("●", "green"),
    "holds": ("●", "green"),
    "supported": ("◐", "cyan"),
    "refuted": ("✗", "bold red"),
    "undecided": ("?", "yellow"),
}
OUTCOMES = {  # of an experiment → symbol, style
    "reproduced": ("●", "green"),
    "not reproduced": ("✗", "bold red"),
    "undecided": ("?", "yellow"),
    "not run": ("○", "dim"),
}
FAULTS = {  # severity of a printed fault → symbol, style
    "wording": ("△", "yellow"),
    "constant": ("△", "yellow"),
    "hypothesis": ("✗", "red"),
    "substance": ("✗", "bold red"),
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


def printed_words(record: Json) -> tuple[str, str]:
    """What is said of a statement as printed, and its style: a verdict, or how serious its fault is; parts that stand.

    A statement without a part that could fail is a definition.

    >>> parts = {"printed": {"stand": 3, "of": 4}}
    >>> printed_words({"printed": "refuted", "fault": {"severity": "wording"}, "parts": parts, "source": {}})
    ('△ wording, 3 of 4', 'yellow')
    """
    verdict, fault, parts = record["printed"], record["fault"], record["parts"]["printed"]
    if is_ours(record):
        return "ours", "dim"
    if verdict is None:
        return "a definition", "dim"  # it has no part that could fail
    if verdict == "refuted" and fault is not None:
        symbol, style = FAULTS[fault["severity"]]
        return f"{symbol} {fault['severity']}, {parts['stand']} of {parts['of']}", style
    symbol, style = LOOKS[verdict]
    return f"{symbol} {verdict}", style


def is_ours(record: Json) -> bool:
    """Whether a record is of a statement that the paper has not: nothing is said of a printed form."""
    return record["source"] is None and record["printed"] is None and record["corrected"] is not None


def caught(record: Json) -> tuple[int, int]:
    """How many controls came out as they must, of how many."""
    return sum(control["caught"] for control in record["controls"]), len(record["controls"])


def points_of(records: Iterable[Json]) -> list[tuple[int, str, str, str]]:
    """The open points (number, claim, verdict, stem), in order of their numbers."""
    rows = [
        (claim["point"], claim["text"], claim["verdict"], r["stem"])
        for r in records
        for claim in r["claims"].values()
        if claim["point"] is not None
    ]
    return sorted(rows, key=lambda row: row[0])


def tally(records: Sequence[Json]) -> list[str]:
    """What a run found, in three lines: the printed statements, the corrected ones, the controls."""
    printed = [r for r in records if r["printed"] is not None]
    definitions = sum(r["printed"] is None and not is_ours(r) for r in records)
    faulty = [r for r in printed if r["printed"] == "refuted"]
    kinds = Counter(r["fault"]["severity"] if r["fault"] else "unexplained" for r in faulty)
    faults = ", ".join(f"{kinds[kind]} {kind}" for kind in (*FAULTS, "unexplained") if kinds[kind])
    verdicts = Counter(r["corrected"] for r in records if r["corrected"] is not None)
    corrected = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in LOOKS if verdicts[verdict])
    hits, every = (sum(column) for column in zip(*map(caught, records), strict=True))
    return [
        f"printed    {len(printed) - len(faulty)} of {len(printed)} statements stand"
        + (f", {definitions} more only define" if definitions else "")
        + (f"; faults: {faults}" if faults else ""),
        f"corrected  {corrected or 'none'}",
        f"controls   {hits} of {every} came out as they must",
    ]


def missed(records: Iterable[Json]) -> list[str]:
    """The controls that did not come out as they must, a sentence each."""
    return [
        f"{r['label']}, claim {c['claim']}: control “{c['name']}” came out as {c['verdict']} and must be "
        f"{'refuted' if c['expect'] == 'refuted' else 'upheld'}: {c['because']}"
        for r in records
        for c in r["controls"]
        if not c["caught"]
    ]
