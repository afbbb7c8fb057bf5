"""A statement as a person reads it, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from theory.report import compared, three, verdict_text
from theory.statement import Claim, Control, Statement


def page(statement: Statement, record: Mapping[str, Any] | None, source: str) -> Group:
    """The statement's texts, verdicts, claims, evidence, controls and open points.

    `record` is `theory.record.statement_record` of it, or what is recorded of it, or None; `source` says which.
    """
    r, ours = record or {}, "Ours, not in the paper" if statement.ours else "Corrected"
    parts: list[RenderableType] = [
        Text.assemble((statement.label, "bold"), "  ", statement.title),
        Text(f"theory/{statement.stem}.py", style="dim"),
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
