"""`byzcheck audit`."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from byzcheck.errors import one_sentence


@one_sentence
def audit(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="Krum, CenteredClipping, … or your own as module:Name.")],
    n: Annotated[int, typer.Option("-n", metavar="N", help="Workers.")],
    f: Annotated[int, typer.Option("-f", metavar="F", help="Byzantine workers among them, at most.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the rule; repeat for more.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the evidence as JSON; - for stdout alone.")
    ] = None,
) -> None:
    """Measure what the paper asks of a rule, yours or ours; exit 1 if a row is refuted."""
    from byzcheck.console import console
    from byzcheck.files import check_writable, write_all
    from sims.by_name import parse_settings, rule_by_name
    from theory.record import SCHEMA, as_text, evidence_record, versions
    from theory.report import evidence_table

    if not 0 <= 2 * f < n:
        raise ValueError(f"an audit needs 0 ≤ f < n/2, got n = {n}, f = {f}")
    if json is not None and str(json) != "-":
        check_writable(json)
    sys.path.append(os.getcwd())  # a rule of one's own is usually a file in the current folder
    made = rule_by_name(rule, f, parse_settings(settings or []))
    made.require(n)
    title, evidence = importlib.import_module("theory.audit").audit(made, n, f)
    found = {"schema": SCHEMA, "versions": versions(), "rule": rule, "n": n, "f": f, "title": title}
    text = as_text(found | {"evidence": [evidence_record(e) for e in evidence]})
    if str(json) == "-":
        sys.stdout.write(text)
    elif json is not None:
        write_all({json: text})
    out = console(stderr=str(json) == "-")
    out.print(title, style="bold")
    out.print(evidence_table(evidence))
    raise typer.Exit(1 if any(e.verdict == "refuted" for e in evidence) else 0)
