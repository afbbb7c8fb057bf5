"""`byzcheck verify`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byzcheck.commands.arguments import check_json, cores, say_json, stems
from byzcheck.commands.errors import one_sentence

if TYPE_CHECKING:
    from byzcheck.record import Json
    from byzcheck.run import Options


@one_sentence
def verify(
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STATEMENT",
            help="Only this statement, as in “Theorem IV” or “thm 4”; repeat, or separate by commas.",
            autocompletion=stems,
        ),
    ] = None,
    budget: Annotated[str, typer.Option(metavar="quick|default|full", help="How many samples to draw.")] = "default",
    seed: Annotated[int, typer.Option(help="Of every random stream.")] = 0,
    jobs: Annotated[int | None, typer.Option(help="Processes; by default one a core. Changes no number.")] = None,
    backend: Annotated[str, typer.Option(metavar="numpy|cupy", help="The array library.")] = "numpy",
    write: Annotated[bool, typer.Option("--write", help="Record the verdicts (default budget, seed 0).")] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 if a verdict contradicts the recorded one.")] = False,
    points: Annotated[bool, typer.Option("--points", help="Also show the open points.")] = False,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write everything as JSON; - for stdout alone.")
    ] = None,
) -> None:
    """Check the statements of the paper, with all their controls."""
    from byzcheck.run import Options, prepare
    from theory import stems_of

    wanted, options = stems_of(only or []), Options(budget, seed, backend)
    jobs = cores() if jobs is None else jobs
    prepare(options, jobs)
    _check_outputs(wanted, options, write, check, json)
    start = time.perf_counter()
    run, texts = _computed(wanted, options, jobs, write)
    _write_out(run, texts, json)
    troubles = _troubles(run, wanted, write, check)
    _print_out(run, time.perf_counter() - start, json, points, not only)
    for trouble in troubles:
        typer.secho(trouble, err=True, fg=typer.colors.RED)
    if write:
        typer.echo("recorded in theory/recorded.json, figures/data and paper_checks.md", err=True)
    if check and not troubles:
        typer.echo("nothing contradicts the recorded verdicts", err=True)
    raise typer.Exit(1 if troubles else 0)


def _check_outputs(stems: list[str], options: Options, write: bool, check: bool, json: Path | None) -> None:
    """Everything that can be known to go wrong with the output, before anything is computed."""
    import theory
    from byzcheck.checkout import Checkout, read_recorded
    from byzcheck.run import Options

    if write and check:
        raise ValueError("--write and --check exclude each other")
    if write and options != Options():
        raise ValueError("--write needs the default budget, seed 0 and backend numpy")
    if write and stems != list(theory.PAPER):
        read_recorded()  # what is not checked now is kept
    if write:
        Checkout().check([stem for stem in stems if theory.load(stem).data is not None])
    if check:
        read_recorded()
    check_json(json)


def _computed(stems: list[str], options: Options, jobs: int, write: bool) -> tuple[Json, dict[Path, str]]:
    """The record of the run, and the texts of the files that `--write` writes."""
    import theory
    from byzcheck.checkout import Checkout
    from byzcheck.commands.console import progress
    from byzcheck.record import kept_record, run_record
    from byzcheck.run import all_figure_data, check_statements, tasks

    labels = {stem: theory.load(stem).label for stem in stems}
    with progress({labels[stem]: len(tasks(theory.load(stem))) for stem in stems}) as advance:
        results = check_statements(stems, options, jobs, lambda outcome: advance(labels[outcome.task.stem]))
    run = run_record(results, options)
    if not write:
        return run, {}
    data = all_figure_data(stems, options, jobs)
    return run, Checkout().texts(kept_record(results, options), data)


def _write_out(run: Json, texts: dict[Path, str], json: Path | None) -> None:
    from byzcheck.files import write_all
    from byzcheck.record import as_text

    if str(json) == "-":
        say_json(as_text(run))
    elif json is not None:
        texts = texts | {json: as_text(run)}
    write_all(texts)


def _troubles(run: Json, stems: list[str], write: bool, check: bool) -> list[str]:
    """Why the command fails, a sentence each; empty if it does not."""
    import theory
    from byzcheck.checkout import read_recorded
    from byzcheck.record import contradictions
    from byzcheck.show.words import missed

    found = [f"a control failed: {sentence}" for sentence in missed(run["statements"])]
    if check:
        every = theory.PAPER if stems == list(theory.PAPER) else None
        found += [f"contradicts the record: {sentence}" for sentence in contradictions(run, read_recorded(), every)]
    if write:
        found += [
            f"undecided: {statement['label']}, claim {claim}"
            for statement in run["statements"]
            for claim, found in statement["claims"].items()
            if found["verdict"] == "undecided"
        ]
    return found


def _print_out(run: Json, seconds: float, json: Path | None, points: bool, whole: bool) -> None:
    from byzcheck.commands.console import console
    from byzcheck.show.experiments import experiments_table
    from byzcheck.show.terminal import points_table, statements_table, summary
    from theory import experiments

    out, records = console(stderr=str(json) == "-"), run["statements"]
    out.print(statements_table(records))
    out.print()
    if points:
        out.print(points_table(records))
        out.print()
    if whole:
        out.print(experiments_table(experiments.found()))
        out.print()
    out.print(summary(run, seconds))
