"""`byzcheck list` and `byzcheck show`: the statements to read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byzcheck.commands.arguments import check_json, cores, stems, write_json
from byzcheck.commands.errors import one_sentence

if TYPE_CHECKING:
    from byzcheck.record import Json
    from theory.claim import Statement
    from theory.experiments.sentence import Sentence


@one_sentence
def list_statements(
    rules: Annotated[bool, typer.Option("--rules", help="The aggregation rules instead, and what each needs.")] = False,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="As JSON into a file; - for stdout.")] = None,
) -> None:
    """List the statements with their recorded verdicts, and what the paper says of its experiments."""
    if rules:
        _list_rules(json)
        return
    import theory
    from byzcheck.checkout import recorded_statements
    from byzcheck.commands.console import console
    from byzcheck.show.terminal import list_table

    check_json(json)
    statements, recorded = [theory.load(stem) for stem in theory.PAPER], recorded_statements()
    if json is None:
        from byzcheck.show.experiments import experiments_list
        from theory import experiments

        out = console()
        out.print(list_table(statements, recorded))
        out.print()
        out.print(experiments_list(experiments.found()))
        return
    keys = ("printed", "corrected", "parts", "fault")
    rows = [
        {"stem": s.stem, "label": s.label, "title": s.title, "file": theory.file_of(s.stem)}
        | {key: recorded.get(s.stem, {}).get(key) for key in keys}
        for s in statements
    ]
    write_json(rows, json)


def _list_rules(json: Path | None) -> None:
    from byzcheck.commands.console import console
    from byzcheck.show.terminal import rules_table
    from sims.by_name import RULES, takes

    check_json(json)
    rows = [
        {
            "rule": f"{rule.__name__}({', '.join(takes('rule', rule.__name__))})",
            "what": (rule.__doc__ or "").strip().partition("\n")[0],
            "needs": rule.needs.replace("`", ""),
            "bears": rule.bears.replace("`", ""),
        }
        for rule in RULES
    ]
    if json is None:
        console().print(rules_table(rows))
    else:
        write_json(rows, json)


@one_sentence
def show(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="STATEMENT",
            help="As people write it: “Theorem IV”, “thm 4”, “Figure 2”, “Section 7.1”; or a word, “Krum”.",
            autocompletion=stems,
        ),
    ],
    run: Annotated[bool, typer.Option("--run", help="Check it now instead of showing what is recorded.")] = False,
    proof: Annotated[bool, typer.Option("--proof", help="Its proofs, step by step.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes for --run; by default one a core.")] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="As JSON into a file; - for stdout.")] = None,
) -> None:
    """Show a statement, or what the paper says of an experiment, as a person reads it."""
    import theory
    from byzcheck.checkout import recorded_statements
    from byzcheck.commands.console import console
    from byzcheck.show.page import page
    from byzcheck.show.terminal import list_table
    from theory import experiments

    check_json(json)
    statement = " ".join(words)
    of_experiments = experiments.named(statement)
    try:
        found = theory.load(statement)
    except ValueError as error:
        if of_experiments:
            _show_experiments(of_experiments, json)
            return
        where = theory.mentions(statement) if "unknown statement" in str(error) else []
        if not where:
            raise
        out = console()
        out.print(f"{statement} is not a statement; it is in these:\n")
        out.print(list_table([theory.load(stem) for stem in where], recorded_statements()))
        return
    if proof:
        _show_proofs(found)
        return
    if run:
        record, source = _fresh(found, jobs), "checked now, default budget, seed 0"
    else:
        record = recorded_statements().get(found.stem)
        source = "as recorded, each with its decisive evidence" if record else "not recorded; --run checks them now"
    if json is None:
        console().print(page(found, record, source))
        if of_experiments:
            console().print()
            _show_experiments(of_experiments, None)
    elif record is None:
        raise ValueError(f"{found.label} is not recorded: --run checks it now")
    else:
        write_json(record, json)


def _show_proofs(statement: Statement) -> None:
    from byzcheck.commands.console import console
    from byzcheck.show.page import proofs_page

    if not statement.proofs:
        raise ValueError(f"{statement.label} has no proof of its own: `byzcheck show` says what it rests on")
    console().print(proofs_page(statement))


def _show_experiments(sentences: Sequence[Sentence], json: Path | None) -> None:
    from byzcheck.commands.console import console
    from byzcheck.show.experiments import experiments_page
    from theory.experiments import released
    from theory.experiments.results import committed

    tables = committed()
    found = [sentence.found(tables) for sentence in sentences]
    if json is None:
        console().print(experiments_page(found))
    else:
        logs = released.tables()
        write_json([one.record() | {"released_logs": one.sentence.by_the_logs(logs)} for one in found], json)


def _fresh(statement: Statement, jobs: int | None) -> Json:
    from byzcheck.commands.console import progress
    from byzcheck.record import statement_record
    from byzcheck.run import check_statements, tasks

    label, jobs = statement.label, cores() if jobs is None else jobs
    with progress({label: len(tasks(statement))}) as advance:
        (result,) = check_statements([statement.stem], jobs=jobs, progress=lambda outcome: advance(label))
    return statement_record(result)
