"""`byzcheck sweep table` and `plot`: what came of it so far; they write nothing into the folder of results."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byzcheck.commands.arguments import check_picture
from byzcheck.commands.errors import one_sentence
from byzcheck.commands.sweep.arguments import RESULTS, Changes, Chosen, Data, File, counted, read

if TYPE_CHECKING:
    from sims.sweep.file import Sweep
    from sims.sweep.gather import Jobs
    from sims.sweep.table import At

Folders = Annotated[
    list[str] | None,
    typer.Option("--results", metavar="DIR", help="A folder of results; several, one after the other. [results]"),
]
Over = Annotated[list[str] | None, typer.Option("--over", metavar="PATH", help="An axis to average over, too.")]


@one_sentence
def table(
    file: File,
    folders: Folders = None,
    changes: Changes = None,
    data: Data = None,
    value: Annotated[
        str | None, typer.Option(help="What was measured: excess, test_accuracy, …; with --seeds several, with commas.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="last, all, or the number of a round. [default: last; with --seeds all]")
    ] = None,
    chosen: Chosen = None,
    over: Over = None,
    rows: Annotated[str | None, typer.Option(metavar="PATHS", help="Axes of the rows, with commas between.")] = None,
    columns: Annotated[str | None, typer.Option(metavar="PATHS", help="Axes of the columns.")] = None,
    kind: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="text, markdown, csv, json or parquet.")
    ] = "text",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Into this file; the name tells the format.")] = None,
    seeds: Annotated[bool, typer.Option("--seeds", help="All measures of every job and time, not means.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Compare jobs that were done more than once.")] = False,
) -> None:
    """Show means over the seeds, with 95 % intervals; or compare what was done twice."""
    from byzcheck.files import check_writable
    from sims.sweep.table import summary
    from sims.sweep.texts import FORMATS

    if out is not None:
        check_writable(out)
        kind = {".md": "markdown", ".txt": "text"}.get(out.suffix, out.suffix[1:]) if kind == "text" else kind
    if kind not in (known := ("text", "markdown", *FORMATS)):
        raise ValueError(f"a table is written as one of {', '.join(known)}, got {kind!r}")
    sweep = read(file, changes, data)
    if check:
        _compare(sweep, folders or [RESULTS], chosen or [])
        return
    if seeds:
        from sims.sweep.texts import rows_as

        measured, _, _ = _rows(sweep, folders, chosen, None)
        kind = kind if kind in FORMATS else "csv"
        _write(rows_as(kind, measured, sweep.axes, _paths(value) or (), time(at or "all")), out)
        return
    value = value or usual(sweep)
    measured, done, jobs = _rows(sweep, folders, chosen, value)
    found = summary(measured, sweep.axes, value, time(at or "last"), ("seed", *(over or ())))
    if kind in FORMATS:
        _write(FORMATS[kind](found), out)
        return
    from sims.sweep.pivot import note, pivot

    laid = pivot(found, _paths(rows), _paths(columns), note(found, sweep.axes, done, len(jobs)))
    if kind == "markdown":
        from byzcheck.show.sweep import pivot_markdown

        _write(f"{pivot_markdown(laid)}\n".encode(), out)
        return
    from byzcheck.commands.console import console
    from byzcheck.show.sweep import pivot_table

    if out is not None:
        made = console()
        made.file = stream = io.StringIO()
        made.print(pivot_table(laid, made.width))
        _write(stream.getvalue().encode(), out)
        return
    screen = console()
    screen.print(pivot_table(laid, screen.width))


@one_sentence
def plot(
    file: File,
    folders: Folders = None,
    changes: Changes = None,
    data: Data = None,
    out: Annotated[
        Path | None, typer.Option(metavar="NAME", help="NAME.png and NAME.svg; by default that of the sweep, here.")
    ] = None,
    value: Annotated[str | None, typer.Option("--value", "-y", help="What was measured: excess, …")] = None,
    at: Annotated[str | None, typer.Option(help="last, all, or the number of a round.")] = None,
    x: Annotated[str | None, typer.Option("--x", "-x", help="The axis along the bottom, or t.")] = None,
    lines: Annotated[str | None, typer.Option(help="The axis with a line for each value.")] = None,
    panels: Annotated[str | None, typer.Option(help="The axis with a panel for each value.")] = None,
    rows: Annotated[str | None, typer.Option(help="Of a heat map, the axis that goes up.")] = None,
    columns: Annotated[str | None, typer.Option(help="Of a heat map, the axis along the bottom.")] = None,
    kind: Annotated[str | None, typer.Option(help="curves, points or heat.")] = None,
    logx: Annotated[bool | None, typer.Option(help="A logarithmic axis along the bottom.")] = None,
    logy: Annotated[bool | None, typer.Option(help="A logarithmic axis that goes up.")] = None,
    title: Annotated[str | None, typer.Option(help="The words above; by default the sweep's title.")] = None,
    chosen: Chosen = None,
    over: Over = None,
) -> None:
    """Draw what was measured, with 95 % intervals over the seeds; the file's [plot] says how, options say otherwise."""
    from sims.sweep.gather import cells_of
    from sims.sweep.pivot import note
    from sims.sweep.table import summary

    name = check_picture(Path(f"{file.stem}.png") if out is None else out, "a plot")
    sweep = read(file, changes, data)
    places = {"x": x, "lines": lines, "panels": panels, "rows": rows, "columns": columns}
    options = {**places, "y": value, "kind": kind, "logx": logx, "logy": logy, "title": title}
    another = any(given is not None for given in (rows, columns, kind))  # kind of picture than the file's, perhaps
    filed = {k: v for k, v in sweep.plot.items() if not (another and k in ("kind", "x", "lines", "rows", "columns"))}
    how: dict[str, Any] = {**filed, **{k: v for k, v in options.items() if v is not None}}
    if at is not None:
        how["t"] = time(at)
    measured = how.get("y", usual(sweep))
    found, done, jobs = _rows(sweep, folders, chosen, measured)
    from figures.picture import save
    from figures.sweep.choose import times
    from figures.sweep.draw import draw

    when = times(sweep.axes, found["t"].unique().to_pylist(), how)
    means = summary(found, sweep.axes, measured, when, ("seed", *(over or ())))
    told = note(means, sweep.axes, done, len(jobs))
    cells = cells_of(jobs, [path for path in means.axes if path != "t"])
    save(draw(means, {**how, "title": how.get("title", sweep.title), "note": told}, cells), name)
    typer.echo(f"{name}.png, .svg")


def time(text: str) -> At:
    """The time that an option names."""
    if text in ("last", "all"):
        return "last" if text == "last" else "all"
    if not text.isdecimal():
        raise ValueError(f"a time is last, all or the number of a round, got {text!r}")
    return int(text)


def usual(sweep: Sweep) -> str:
    """The measure that is meant if none is named: the excess, where there is one."""
    from sims.problems import Problem

    known = all(isinstance(cell.problem, Problem) for cell in sweep.cells)
    return "excess" if known else sweep.plot.get("y", "test_accuracy")


def _rows(
    sweep: Sweep, folders: Sequence[str] | None, chosen: Sequence[str] | None, value: str | None
) -> tuple[Any, int, Jobs]:
    """The results of those jobs of the sweep that are chosen, how many are done, and the jobs."""
    from sims.sweep.gather import chosen_jobs, gathered

    jobs = chosen_jobs(sweep, chosen or [])
    rows, missing = gathered(sweep, folders or [RESULTS], jobs, value)
    if missing:
        typer.echo(f"{counted(missing, 'job')} of {len(jobs):,} are missing and not in it", err=True)
    return rows, len(jobs) - missing, jobs


def _paths(text: str | None) -> list[str] | None:
    return None if text is None else [path.strip() for path in text.split(",") if path.strip()]


def _write(content: bytes, out: Path | None) -> None:
    from byzcheck.files import write_all

    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    else:
        write_all({out: content})


def _compare(sweep: Sweep, folders: Sequence[str], chosen: Sequence[str]) -> None:
    """Say how far the numbers of jobs that were done several times are apart; exit code 1 if they are."""
    from sims.sweep.gather import by_file, chosen_jobs
    from sims.sweep.repeats import compare

    found = compare(list(by_file(folders, chosen_jobs(sweep, chosen))))
    if not found.jobs:
        typer.echo("No job was done more than once: results of another machine are named with --results DIR")
        return
    differing = len(found.table)
    told = [f"{differing:,} differ"] if differing else []
    told += [f"{found.missing:,} more are in one place only"] if found.missing else []
    typer.echo(
        f"{counted(found.jobs, 'job')} done more than once, {counted(found.compared, 'number')} compared: "
        + (", ".join(told) or "all are equal, bit for bit")
    )
    for row in found.table.slice(0, 10).to_pylist():
        typer.echo(
            f"  {row['ulps']:.3g} units in the last place: {row['measure']} at t = {row['t']} of {row['key'][:8]}…, "
            f"{row['first_value']!r} and {row['second_value']!r}\n    {row['first']}\n    {row['second']}"
        )
    if differing > 10:
        typer.echo(f"  and {differing - 10:,} more")
    if differing or found.missing:
        raise typer.Exit(1)
