"""`byzcheck audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byzcheck.commands.arguments import check_json, find_own, write_json
from byzcheck.commands.aside import aside
from byzcheck.commands.errors import one_sentence


@one_sentence
def audit(
    rule: Annotated[
        str, typer.Argument(metavar="RULE", help="Krum, CenteredClipping, … or your own: module:Name, file.py:Name.")
    ],
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
    from byzcheck.card import card_of
    from byzcheck.commands.console import console
    from byzcheck.record import card_record
    from byzcheck.show.terminal import evidence_table
    from sims.by_name import parse_settings, rule_by_name
    from sims.owned import told

    if not 0 <= 2 * f < n:
        raise ValueError(f"an audit needs 0 ≤ f < n/2, got n = {n}, f = {f}")
    check_json(json)
    find_own()
    with aside():
        made = rule_by_name(rule, f, parse_settings(settings or []))
        made.require(n)
        try:
            card = card_of(made, n, f)
        except (ValueError, MemoryError, OSError):
            raise
        except Exception as error:
            if ":" not in rule:
                raise
            raise ValueError(f"{rule} cannot be audited: {told(error)}") from error
    if json is not None:
        write_json(card_record(card, rule), json)
    out = console(stderr=str(json) == "-")
    out.print(card.title, style="bold")
    out.print(evidence_table(card.evidence))
    raise typer.Exit(1 if any(e.verdict == "refuted" for e in card.evidence) else 0)
