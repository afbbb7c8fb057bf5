"""How results look: tables and pages for a terminal (rich), tables for paper_checks.md (Markdown)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from sims.checks.evidence import Evidence
from theory.record import Record, number
from theory.statement import Statement

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


def verdict_text(verdict: str | None) -> Text:
    """A verdict with its symbol and colour; a dash where there is none."""
    symbol, style = LOOKS.get(verdict or "", ("—", "dim"))
    return Text(f"{symbol} {verdict}" if verdict else symbol, style=style, no_wrap=True)


def plain_table(wide: bool = True) -> Table:
    """A table with one line under its head and nothing else."""
    return Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=(0, int(wide), 0, 0)
    )


def is_ours(record: Record) -> bool:
    """Whether a record is of a statement that the paper has not: nothing is said of a printed form."""
    return record["printed"] is None and record["corrected"] is not None


def statements_table(records: Iterable[Record], width: int = 100) -> Table:
    """Two rows per statement, as printed and as corrected, or one that is ours: verdict, measured beside claimed."""
    table = plain_table(wide=width >= 96)
    table.add_column("statement", overflow="fold", ratio=1)
    table.add_column("form", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("measured", justify="right", no_wrap=True)
    for heading in ("", "claimed", "evidence"):
        table.add_column(heading, no_wrap=True)
    for heading in ("controls" if width >= 96 else "ctrl", "s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for r in records:
        caught, every = sum(control["caught"] for control in r["controls"]), len(r["controls"])
        controls = Text(f"{caught}/{every}", style="" if caught == every else "bold red")
        seconds = f"{r['seconds']:.{int(r['seconds'] < 10)}f}"
        forms = [form for form in ("printed", "corrected") if r[form] is not None] or ["printed"]
        for form in forms:
            telling = r["headlines"][form]
            first, ours = form == forms[0], form == "corrected" and is_ours(r)
            named = Text(r["label"], style="bold") if first else Text(r["title"], style="dim")
            table.add_row(
                Text.assemble(named, "\n", (r["title"], "dim")) if ours else named,
                "ours" if ours else form,
                verdict_text(r[form]),
                *(compared(telling) if telling else ("—", "", "—")),
                telling["kind"] if telling else "—",
                controls if first else "",
                seconds if first else "",
            )
    return table


def points_of(records: Iterable[Record]) -> list[tuple[int, str, str, str]]:
    """The open points (number, claim, verdict, stem), in order of their numbers."""
    rows = [(p["number"], p["text"], p["verdict"], r["stem"]) for r in records for p in r["points"]]
    return sorted(rows, key=lambda row: row[0])


def points_table(records: Sequence[Record]) -> Table:
    """A row per claim about an open point: number, claim, verdict, statement."""
    table = plain_table()
    table.add_column("point", justify="right")
    table.add_column("claim", ratio=1)
    table.add_column("verdict", no_wrap=True)
    table.add_column("where")
    labels, last = {r["stem"]: r["label"] for r in records}, None
    for point, text, verdict, stem in points_of(records):
        table.add_row("" if point == last else str(point), Text(text), verdict_text(verdict), Text(labels[stem]))
        last = point
    return table


def missed(records: Iterable[Record]) -> list[str]:
    """The controls that did not come out as they must, a sentence each."""
    return [
        f"{r['label']}, claim {c['claim']}: control “{c['name']}” is {c['verdict']} where it must be "
        f"{'refuted' if c['expect'] == 'refuted' else 'upheld'}: {c['because']}"
        for r in records
        for c in r["controls"]
        if not c["caught"]
    ]


def summary(run: Record, seconds: float) -> Text:
    """The last lines: whose the forms are, what the run depended on and how far it can be trusted."""
    with_versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    return Text(
        "printed: the paper's own words · corrected: ours in their place · ours: not in the paper\n"
        f"budget {run['budget']} · seed {run['seed']} · backend {run['backend']} · "
        f"false alarm ≤ {three(run['false_alarm'])} · {seconds:.1f} s\n{with_versions}",
        style="dim",
    )


def list_table(statements: Sequence[Statement], recorded: Mapping[str, Record]) -> Table:
    """A row per statement: label, title, stem and recorded verdicts."""
    table = plain_table()
    table.leading = 1
    table.add_column("statement", ratio=1)
    table.add_column("as printed", no_wrap=True)
    table.add_column("corrected", no_wrap=True)
    for s in statements:
        name = Text.assemble((s.label, "bold"), "  ", s.title, "\n", (s.stem, "dim"))
        verdicts = [verdict_text(recorded.get(s.stem, {}).get(side)) for side in ("printed", "corrected")]
        table.add_row(name, Text("ours", style="dim") if s.ours else verdicts[0], verdicts[1])
    return table


def evidence_table(evidence: Iterable[Evidence]) -> Table:
    """A row per piece of evidence."""
    table = plain_table()
    table.add_column("what", ratio=1)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("claimed", no_wrap=True)
    table.add_column("evidence", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for e in evidence:
        numbers = compared({"measured": e.measured, "relation": e.relation, "claimed": e.claimed, "error": e.error})
        table.add_row(Text(e.what), *numbers, e.kind, verdict_text(e.verdict))
    return table
