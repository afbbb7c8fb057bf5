"""`byzcheck advise`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from byzcheck.commands.arguments import check_json, write_json
from byzcheck.commands.errors import one_sentence


@one_sentence
def advise(
    n: Annotated[int, typer.Option("-n", metavar="N", help="Workers.")],
    f: Annotated[int, typer.Option("-f", metavar="F", help="The most Byzantine workers among them that you fear.")],
    bound: Annotated[
        str | None,
        typer.Option(
            metavar="T=…,sigma=…,L=…,F0=…",
            help="The problem: rounds, deviation of a worker's gradient, smoothness, f(x_0) − f*. "
            "[default: T=10000,sigma=1,L=1,F0=1]",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the runs.")] = 0,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Also as JSON; - for stdout alone.")] = None,
) -> None:
    """Say which rule, momentum and step to use, the bound that is then proved, and what runs reach."""
    from byzcheck.advice import UNIT, advise
    from byzcheck.commands.console import console
    from byzcheck.facts import Budget
    from byzcheck.record import advice_record
    from byzcheck.show.advice import advice_text

    check_json(json)
    found = advise(n, f, UNIT if bound is None else Budget.of(bound), seed)
    if json is not None:
        write_json(advice_record(found), json)
    console(stderr=str(json) == "-").print(advice_text(found))
