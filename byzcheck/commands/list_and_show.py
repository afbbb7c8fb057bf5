"""`byzcheck list` and `byzcheck show`: the statements to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from byzcheck.commands.errors import one_sentence

if TYPE_CHECKING:
    from byzcheck.record import Json
    from theory.claim import Statement


@one_sentence
def list_statements() -> None:
    """List the statements with their recorded verdicts."""
    import theory
    from byzcheck.checkout import recorded_statements
    from byzcheck.commands.console import console
    from byzcheck.show.terminal import list_table

    console().print(list_table([theory.load(stem) for stem in theory.PAPER], recorded_statements()))


@one_sentence
def show(
    stem: Annotated[
        str, typer.Argument(metavar="STEM", help="The statement: its stem, a unique beginning, or its label.")
    ],
    run: Annotated[bool, typer.Option("--run", help="Check it now instead of showing what is recorded.")] = False,
    jobs: Annotated[int | None, typer.Option(help="Processes for --run; by default one a core.")] = None,
) -> None:
    """Show a statement as a person reads it."""
    import theory
    from byzcheck.checkout import recorded_statements
    from byzcheck.commands.console import console
    from byzcheck.show.terminal import page

    statement = theory.load(stem)
    if run:
        record, source = _fresh(statement, jobs), "checked now, default budget, seed 0"
    else:
        record = recorded_statements().get(statement.stem)
        source = "as recorded, each with its telling evidence" if record else "not recorded; --run checks them now"
    console().print(page(statement, record, source))


def _fresh(statement: Statement, jobs: int | None) -> Json:
    from byzcheck.commands.console import progress
    from byzcheck.commands.verify import cores
    from byzcheck.record import statement_record
    from byzcheck.run import check_statements, tasks

    label, jobs = statement.label, cores() if jobs is None else jobs
    with progress({label: len(tasks(statement))}) as advance:
        (result,) = check_statements([statement.stem], jobs=jobs, progress=lambda outcome: advance(label))
    return statement_record(result)
