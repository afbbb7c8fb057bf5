"""`byzcheck list` and `byzcheck show`: the statements to read."""

from __future__ import annotations

from typing import Annotated

import typer

from byzcheck.errors import one_sentence


@one_sentence
def list_statements() -> None:
    """List the statements with their recorded verdicts."""
    import theory
    from byzcheck import recorded
    from byzcheck.console import console
    from theory.report import list_table
    from theory.run import loaded

    console().print(list_table([loaded(stem) for stem in theory.PAPER], recorded.statements()))


@one_sentence
def show(
    stem: Annotated[
        str, typer.Argument(metavar="STEM", help="The statement: its stem, a unique beginning, or its label.")
    ],
    run: Annotated[bool, typer.Option("--run", help="Check it now instead of showing what is recorded.")] = False,
    jobs: Annotated[int | None, typer.Option(help="Processes for --run; by default one a core.")] = None,
) -> None:
    """Show a statement as a person reads it."""
    from byzcheck import recorded
    from byzcheck.choose import stem_of
    from byzcheck.console import console
    from theory.page import page
    from theory.run import loaded

    statement = loaded(stem_of(stem))
    if run:
        record, source = _fresh(statement.stem, jobs), "checked now, default budget, seed 0"
    else:
        record = recorded.statements().get(statement.stem)
        source = "as recorded, each with its telling evidence" if record else "not recorded; --run checks them now"
    console().print(page(statement, record, source))


def _fresh(stem: str, jobs: int | None) -> dict:
    from byzcheck.console import progress
    from byzcheck.verify import cores
    from theory.record import statement_record
    from theory.run import loaded, tasks, verify

    label = loaded(stem).label
    with progress({label: len(tasks(loaded(stem)))}) as advance:
        (result,) = verify([stem], jobs=cores() if jobs is None else jobs, progress=lambda outcome: advance(label))
    return statement_record(result)
