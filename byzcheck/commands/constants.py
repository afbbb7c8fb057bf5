"""`byzcheck constants`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byzcheck.commands.arguments import check_json, find_own, write_json
from byzcheck.commands.aside import aside
from byzcheck.commands.errors import one_sentence


@one_sentence
def constants(
    n: Annotated[int, typer.Option("-n", metavar="N", help="Workers.")],
    f: Annotated[int, typer.Option("-f", metavar="F", help="Byzantine workers among them.")],
    rules: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RULE]...", help="Krum, ARC(Krum), … or your own: module:Name; by default all."),
    ] = None,
    declared: Annotated[
        int | None, typer.Option("-F", metavar="DECLARED", help="What the rules are told, f or more; by default f.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the rules; repeat for more.")
    ] = None,
    budget: Annotated[
        int, typer.Option(metavar="RUNS", help="How many messages of one run a search tries for each rule.")
    ] = 12000,
    seed: Annotated[int, typer.Option(help="Of the search.")] = 0,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="As JSON into a file; - for stdout.")] = None,
) -> None:
    """How far the worst messages move each rule: κ and c, proved, certified or searched, beside the least possible."""
    from byzcheck.commands.console import console
    from byzcheck.show.constants import constants_lines, constants_record, constants_table
    from sims.by_name import examples, parse_settings, rule_by_name
    from theory.beyond_exact_constants.known import constants_of

    told = f if declared is None else declared
    if not (n >= 3 and 0 <= 2 * f < n):
        raise ValueError(f"the constants are defined for n ≥ 3 and 0 ≤ f < n/2, got n = {n}, f = {f}")
    if not (f <= told and 2 * told < n):
        raise ValueError(f"a rule is told f ≤ F < n/2, got n = {n}, f = {f}, F = {told}")
    if settings and not rules:
        raise ValueError("--set needs a rule to set")
    check_json(json)
    find_own()
    with aside():
        made = [rule_by_name(rule, told, parse_settings(settings or [])) for rule in rules or ()]
        found = [constants_of(rule, n, f, seed=seed, budget=budget) for rule in (made or examples(n, told).values())]
    if json is not None:
        write_json(constants_record(found), json)
    if str(json) != "-":
        out = console()
        for line in constants_lines(n, f, told):
            out.print(line)
        out.print()
        out.print(constants_table(found))
