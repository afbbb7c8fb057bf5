"""What a terminal shows of one statement: a page that a person reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

import theory
from byzcheck.show.prose import to_terminal
from byzcheck.show.terminal import verdict_text
from byzcheck.show.words import compared, printed_words, three
from theory.claim import Claim, Control, Statement
from theory.proof import counted, proofs_of

ORIGIN = {
    "main": "main text",
    "garbled": "main text, symbols lost in the text that we have",
    "appendix": "appendix, not seen",
}


def page(statement: Statement, record: Mapping[str, Any] | None, source: str) -> Group:
    """The statement's texts, verdicts, claims, evidence, controls and open points.

    `record` is `byzcheck.record.statement_record` of it, or what is recorded of it, or None; `source` says which.
    """
    r, proofs = record or {}, proofs_of(statement.stem, statement.proofs)
    parts: list[RenderableType] = [
        Text.assemble((statement.label, "bold"), "  ", statement.title),
        Text(theory.file_of(statement.stem), style="dim"),
    ]
    if statement.for_you:
        parts += [Text(), Text("What this means for you", style="bold"), _hanging(2, "", Text(statement.for_you))]
    if statement.printed is not None:
        parts += _printed(statement, statement.printed, record)
    if statement.corrected is not None:
        heading = "Ours, not in the paper" if statement.ours else "Corrected"
        parts += [
            Text(),
            Text.assemble((heading, "bold"), "   ", verdict_text(r.get("corrected"))),
            to_terminal(statement.corrected),
        ]
        if statement.rests_on:
            parts.append(_hanging(2, "", Text(f"rests on: {statement.rests_on}", style="dim")))
        if links := counted(proofs):
            parts.append(_hanging(2, "", Text(f"links: {links}", style="dim")))
        for proof in proofs:
            parts.append(_hanging(2, "", Text(f"proof: {proof.title}, {proof.file}", style="dim")))
    parts += [Text(), Text.assemble(("Claims", "bold"), (f"   {source}", "dim"))]
    for claim in statement.claims:
        parts += _claim(claim, r)
    points = sorted({claim.point for claim in statement.claims if claim.point is not None})
    if points:
        parts += [Text(), Text("Open points", style="bold")]
    for number in points:
        settled = Text("\n").join(_named(c, r).append(f": {c.text}") for c in statement.claims if c.point == number)
        parts.append(_hanging(2, f"{number}", settled))
    parts += [
        Text(),
        Text("Reproduce", style="bold"),
        _hanging(2, "", Text(f"byzcheck verify --only {statement.stem}")),
    ]
    if proofs:
        parts.append(_hanging(2, "", Text(f'byzcheck show --proof "{statement.label}"')))
    return Group(*parts)


def proofs_page(statement: Statement) -> Group:
    """The statement's proofs, step by step."""
    parts: list[RenderableType] = [Text.assemble((statement.label, "bold"), "  ", statement.title)]
    for proof in proofs_of(statement.stem, statement.proofs):
        parts += [Text(), Text(proof.title, style="bold underline"), Text(proof.file, style="dim")]
        parts.append(Text(f"certifies: {', '.join(proof.certifies) or 'no claim'}", style="dim"))
        parts += [Text(), to_terminal(proof.text)]
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
    verdict = r.get("claims", {}).get(claim.name, {}).get("verdict")
    return Text.assemble(verdict_text(verdict), "  ", claim.name)


def _printed(statement: Statement, text: str, record: Mapping[str, Any] | None) -> list[RenderableType]:
    """The printed text with its verdict, its place in the paper, and what is wrong with it."""
    verdict = Text("—", style="dim") if record is None else Text(*printed_words(dict(record)))
    parts: list[RenderableType] = [Text(), Text.assemble(("As printed", "bold"), "   ", verdict)]
    parts.append(to_terminal(text))
    if statement.source is not None:
        where = f"{statement.source.section}, {ORIGIN[statement.source.kind]}"
        parts.append(_hanging(2, "", Text(f"{where}. {statement.source.note}".strip(), style="dim")))
    if statement.fault is not None:
        lacks = f" It lacks: {statement.fault.lacks}." if statement.fault.lacks else ""
        parts.append(_hanging(2, Text(statement.fault.severity, style="bold"), Text(statement.fault.because + lacks)))
    return parts


def _claim(claim: Claim, r: Mapping[str, Any]) -> list[RenderableType]:
    parts: list[RenderableType] = [
        Text(),
        _hanging(2, "", Text.assemble(_named(claim, r), (f"  ({claim.about})", "dim"))),
        _hanging(4, "", Text(claim.text)),
    ]
    parts += [_hanging(4, "·", _evidence(e)) for e in r.get("evidence", ()) if e["claim"] == claim.name]
    came = {c["name"]: c for c in r.get("controls", ()) if c["claim"] == claim.name}
    return parts + [_hanging(4, Text("control", "dim"), _control(c, came.get(c.name))) for c in claim.controls]


def _evidence(e: Mapping[str, Any]) -> Text:
    measured, sign, claimed = compared(e)
    error = f" ± {three(e['error'], 2)}" if e["error"] else ""
    line = Text.assemble(f"{e['what']}: ", (f"{measured}{error} {sign} {claimed}", "bold"), f"   {e['kind']}")
    return line.append(f"; to all cases by: {e['covers']}") if e["covers"] else line


def _control(control: Control, came: Mapping[str, Any] | None) -> Text:
    must = "be refuted" if control.expect == "refuted" else "survive"
    if came is None:
        seen, style = f" (must {must})", "dim"
    elif came["caught"]:
        seen, style = f" → {came['verdict']}, as it must", "dim"
    else:
        seen, style = f" → {came['verdict']}, WRONG, it must {must}", "bold red"
    return Text.assemble(control.name, (seen, style), ": ", control.because)
