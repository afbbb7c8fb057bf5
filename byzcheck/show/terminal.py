"""What a terminal shows: tables of results, and a statement as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import theory
from byzcheck.record import Json
from byzcheck.show.words import LOOKS, compared, is_ours, points_of, three
from sims.checks.evidence import Evidence
from theory.claim import Claim, Control, Statement


def verdict_text(verdict: str | None) -> Text:
    """A verdict with its symbol and colour; a dash where there is none."""
    symbol, style = LOOKS.get(verdict or "", ("—", "dim"))
    return Text(f"{symbol} {verdict}" if verdict else symbol, style=style, no_wrap=True)


def plain_table(wide: bool = True) -> Table:
    """A table with one line under its head and nothing else."""
    return Table(
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=(0, int(wide), 0, 0)
    )


def statements_table(records: Iterable[Json], width: int = 100) -> Table:
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


def points_table(records: Sequence[Json]) -> Table:
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


def summary(run: Json, seconds: float) -> Text:
    """The last lines: whose the forms are, what the run depended on and how far it can be trusted."""
    with_versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    return Text(
        "printed: the paper's own words · corrected: ours in their place · ours: not in the paper\n"
        f"budget {run['budget']} · seed {run['seed']} · backend {run['backend']} · "
        f"false alarm ≤ {three(run['false_alarm'])} · {seconds:.1f} s\n{with_versions}",
        style="dim",
    )


def list_table(statements: Sequence[Statement], recorded: Mapping[str, Json]) -> Table:
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


def page(statement: Statement, record: Mapping[str, Any] | None, source: str) -> Group:
    """The statement's texts, verdicts, claims, evidence, controls and open points.

    `record` is `byzcheck.record.statement_record` of it, or what is recorded of it, or None; `source` says which.
    """
    r, ours = record or {}, "Ours, not in the paper" if statement.ours else "Corrected"
    parts: list[RenderableType] = [
        Text.assemble((statement.label, "bold"), "  ", statement.title),
        Text(theory.file_of(statement.stem), style="dim"),
        *(_side("As printed", statement.printed, r.get("printed")) if statement.printed else ()),
        *(_side(ours, statement.corrected, r.get("corrected")) if statement.corrected else ()),
        Text(),
        Text.assemble(("Claims", "bold"), (f"   {source}", "dim")),
    ]
    for claim in statement.claims:
        parts += _claim(claim, r, statement.ours)
    points = sorted({claim.point for claim in statement.claims if claim.point is not None})
    if points:
        parts += [Text(), Text("Open points", style="bold")]
    for number in points:
        settled = Text("\n").join(_named(c, r) for c in statement.claims if c.point == number)
        parts.append(_hanging(2, f"{number}", settled))
    parts += [
        Text(),
        Text("Reproduce", style="bold"),
        _hanging(2, "", Text(f"byzcheck verify --only {statement.stem}")),
    ]
    return Group(*parts)


def _hanging(indent: int, mark: str | Text, content: Text) -> RenderableType:
    """`content` to the right of `mark`, its further lines below its first."""
    if not mark:
        return Padding(content, (0, 0, 0, indent), expand=False)
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column()
    grid.add_row(mark, content)
    return Padding(grid, (0, 0, 0, indent), expand=False)


def _named(claim: Claim, r: Mapping[str, Any]) -> Text:
    return Text.assemble(verdict_text(r.get("claims", {}).get(claim.name)), "  ", claim.name)


def _side(heading: str, text: str, verdict: str | None) -> list[RenderableType]:
    return [Text(), Text.assemble((heading, "bold"), "   ", verdict_text(verdict)), _hanging(2, "", Text(text))]


def _claim(claim: Claim, r: Mapping[str, Any], ours: bool) -> list[RenderableType]:
    names = {"point": f"point {claim.point}", "corrected": "ours" if ours else "corrected"}
    about = ", ".join(names.get(side, side) for side in claim.about)
    parts: list[RenderableType] = [
        Text(),
        _hanging(2, "", Text.assemble(_named(claim, r), (f"  ({about})", "dim"))),
        _hanging(4, "", Text(claim.text)),
    ]
    parts += [_hanging(4, "·", _evidence(e)) for e in r.get("evidence", ()) if e["claim"] == claim.name]
    came = {c["name"]: c for c in r.get("controls", ()) if c["claim"] == claim.name}
    return parts + [_hanging(4, Text("control", "dim"), _control(c, came.get(c.name))) for c in claim.controls]


def _evidence(e: Mapping[str, Any]) -> Text:
    measured, sign, claimed = compared(e)
    error = f" ± {three(e['error'], 2)}" if e["error"] else ""
    line = Text.assemble(f"{e['what']}: ", (f"{measured}{error} {sign} {claimed}", "bold"), f"   {e['kind']}")
    return line.append(f"; covers all: {e['covers']}") if e["covers"] else line


def _control(control: Control, came: Mapping[str, Any] | None) -> Text:
    must = "be refuted" if control.expect == "refuted" else "survive"
    if came is None:
        seen, style = f" (must {must})", "dim"
    elif came["caught"]:
        seen, style = f" → {came['verdict']}, as it must", "dim"
    else:
        seen, style = f" → {came['verdict']}, NOT CAUGHT, it must {must}", "bold red"
    return Text.assemble(control.name, (seen, style), ": ", control.because)
