"""`byzcheck warm`."""

from __future__ import annotations

from typing import Annotated

import typer

from byzcheck.commands.errors import one_sentence


@one_sentence
def warm(
    n: Annotated[
        int, typer.Option("-n", metavar="N", help="Workers: rules are compiled for each number of them.")
    ] = 25,
    f: Annotated[int, typer.Option("-f", metavar="F", help="Byzantine workers among N.")] = 5,
    only: Annotated[str | None, typer.Option(metavar="rules|rounds", help="Only these.")] = None,
) -> None:
    """Compile ahead what rules and rounds need, and say where it is kept."""
    import time

    from byzcheck.commands.console import console, doing
    from byzcheck.show.warm import kept_text
    from byzcheck.warm import kept, pieces

    start, found = time.perf_counter(), list(pieces(n, f, only))
    with doing("compiling") as say:
        for k, (name, compile_it) in enumerate(found, 1):
            say(f"{k} of {len(found)}, {name}")
            compile_it()
    console().print(kept_text(kept(), len(found), time.perf_counter() - start))
