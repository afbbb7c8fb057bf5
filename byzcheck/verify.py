"""`byzcheck verify`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byzcheck.errors import one_sentence

if TYPE_CHECKING:
    from theory.record import Record
    from theory.run import Options


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@one_sentence
def verify(
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STEM", help="Only this statement (repeat, or separate by commas): stem, its beginning, or label."
        ),
    ] = None,
    budget: Annotated[str, typer.Option(metavar="quick|default|full", help="How many samples to draw.")] = "default",
    seed: Annotated[int, typer.Option(help="Of every random stream.")] = 0,
    jobs: Annotated[int | None, typer.Option(help="Processes; by default one a core. Changes no number.")] = None,
    backend: Annotated[str, typer.Option(metavar="numpy|cupy", help="The array library.")] = "numpy",
    write: Annotated[
        bool, typer.Option("--write", help="Record the verdicts (default budget, seed 0, everything).")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 if a verdict contradicts the recorded one.")] = False,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write everything as JSON; - for stdout alone.")
    ] = None,
) -> None:
    """Check the statements of the paper, with all their controls."""
    from byzcheck.choose import stems_of
    from theory.run import Options, prepare

    stems, options = stems_of(only or []), Options(budget, seed, backend)
    jobs = cores() if jobs is None else jobs
    prepare(options, jobs)
    _check_outputs(stems, options, write, check, json)
    start = time.perf_counter()
    run, texts = _computed(stems, options, jobs, write)
    _write_out(run, texts, json)
    troubles = _troubles(run, stems, write, check)
    _print_out(run, time.perf_counter() - start, json)
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
    from byzcheck.files import check_writable
    from byzcheck.recorded import Checkout, read
    from theory.run import Options, loaded

    if write and check:
        raise ValueError("--write and --check exclude each other")
    if write and (options != Options() or stems != list(theory.PAPER)):
        raise ValueError("--write needs the default budget, seed 0, backend numpy and all statements")
    if write:
        Checkout().check([stem for stem in stems if loaded(stem).data is not None])
    if check:
        read()
    if json is not None and str(json) != "-":
        check_writable(json)


def _computed(stems: list[str], options: Options, jobs: int, write: bool) -> tuple[Record, dict[Path, str]]:
    """The record of the run, and the texts of the files that `--write` writes."""
    from byzcheck.console import progress
    from byzcheck.recorded import Checkout
    from theory.record import recorded, run_record
    from theory.run import all_figure_data, loaded, tasks, verify

    labels = {stem: loaded(stem).label for stem in stems}
    with progress({labels[stem]: len(tasks(loaded(stem))) for stem in stems}) as advance:
        results = verify(stems, options, jobs, lambda outcome: advance(labels[outcome.task.stem]))
    run = run_record(results, options)
    if not write:
        return run, {}
    data = all_figure_data(stems, options, jobs)
    return run, Checkout().texts(recorded(results, options), run["statements"], data)


def _write_out(run: Record, texts: dict[Path, str], json: Path | None) -> None:
    from byzcheck.files import write_all
    from theory.record import as_text

    if str(json) == "-":
        sys.stdout.write(as_text(run))
    elif json is not None:
        texts = texts | {json: as_text(run)}
    write_all(texts)


def _troubles(run: Record, stems: list[str], write: bool, check: bool) -> list[str]:
    """Why the command fails, a sentence each; empty if it does not."""
    import theory
    from byzcheck.recorded import read
    from theory.compare import contradictions
    from theory.report import missed

    found = [f"not caught: {sentence}" for sentence in missed(run["statements"])]
    if check:
        every = theory.PAPER if stems == list(theory.PAPER) else None
        found += [f"contradicts the record: {sentence}" for sentence in contradictions(run, read(), every)]
    if write:
        found += [
            f"undecided: {statement['label']}, claim {claim}"
            for statement in run["statements"]
            for claim, verdict in statement["claims"].items()
            if verdict == "undecided"
        ]
    return found


def _print_out(run: Record, seconds: float, json: Path | None) -> None:
    from byzcheck.console import console
    from theory import report

    out, records = console(stderr=str(json) == "-"), run["statements"]
    out.print(report.statements_table(records, out.width))
    out.print()
    if report.points_of(records):
        out.print(report.points_table(records))
        out.print()
    out.print(report.summary(run, seconds))
