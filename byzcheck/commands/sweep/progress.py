"""`byzcheck sweep plan` and `status`: what is done and what is not; they write nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byzcheck.commands.arguments import cores
from byzcheck.commands.aside import aside
from byzcheck.commands.errors import one_sentence
from byzcheck.commands.sweep.arguments import RESULTS, Asked, Changes, Data, File, Where, counted, lasting, read

if TYPE_CHECKING:
    from sims.sweep.file import Sweep
    from sims.sweep.plan import Plan
    from sims.sweep.store import Scan


@one_sentence
def plan(
    file: File,
    where: Where = RESULTS,
    changes: Changes = None,
    data: Data = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes to plan for; by default one a core.")] = None,
) -> None:
    """Say how many jobs there are, how many are done, why the others would run, how long and by which code."""
    sweep, asked = read(file, changes, data), Asked(file, tuple(changes or ()), data, where)
    found, _, scan = planned(sweep, where)
    headline(sweep, found)
    processes = jobs or cores()
    for why, number in sorted(found.reasons.items(), key=lambda reason: -reason[1]):
        typer.echo(f"{number:>9,}  {why}")
    half_done(found, where)
    if found.left:
        source = "as such jobs took before" if found.measured else "a guess: there are no results of such jobs yet"
        from sims.sweep.batch import ways as ways_of

        with aside():
            batches = found.batches(share(found, processes))
        used = min(processes, len(batches))
        typer.echo(
            f"\n{counted(len(batches), 'batch')}, about {lasting(found.seconds / used)} "
            f"in {counted(used, 'process') if used > 1 else 'one process'} ({source})"
        )
        with aside():
            ways = ways_of(batches)
        for way, number in ways:
            typer.echo(f"{number:>9,}  {way}".replace("\n", "\n" + " " * 11))
        typer.echo(f"Next: {asked.command('sweep run')}")
    broken(scan)


@one_sentence
def status(
    file: File,
    where: Where = RESULTS,
    changes: Changes = None,
    data: Data = None,
    tracebacks: Annotated[bool, typer.Option("--tracebacks", help="Of jobs that failed, the whole traceback.")] = False,
) -> None:
    """Say what is done, what failed and why, and which files are broken; also while a run goes on."""
    sweep, asked = read(file, changes, data), Asked(file, tuple(changes or ()), data, where)
    found, failures, scan = planned(sweep, where)
    headline(sweep, found)
    for key, report in failures.items():
        typer.echo(f"\nfailed {key}: {report.get('error', 'unknown')}")
        typer.echo(f"  {settings(report, sweep)}")
        if tracebacks and report.get("traceback"):
            typer.echo(report["traceback"])
    if failures and not tracebacks:
        typer.echo(f"\nTracebacks: {asked.command('sweep status', '--tracebacks')}")
    half_done(found, where)
    broken(scan)
    if found.left:
        typer.echo(f"Next: {asked.command('sweep run')}")


def planned(sweep: Sweep, where: str) -> tuple[Plan, dict[str, dict[str, Any]], Scan]:
    """What of a sweep is missing in a folder, the failures of its missing jobs, and what the folder holds."""
    from sims.sweep.plan import plan as planned
    from sims.sweep.store import Results

    results = Results(where)
    scan, failures = results.scan(), results.failures()
    with aside():
        found = planned(sweep.cells, scan, failures)
    missing = {cell.key(seed) for cell, seeds in found.missing for seed in seeds} if failures else set()
    return found, {key: report for key, report in failures.items() if key in missing}, scan


def share(found: Plan, workers: int) -> int:
    """The most jobs in a batch, so that every worker has two batches of a sweep that is large enough to be divided.

    It depends on the whole sweep and not on what is left of it, as the batches do.
    """
    from sims.sweep.batch import MOST_JOBS

    return max(16, min(MOST_JOBS, -(-found.jobs // (2 * workers))))


def headline(sweep: Sweep, found: Plan) -> None:
    """The sweep's title, its axes, and how many of its jobs are done."""
    typer.echo(sweep.title)
    axes = [f"{name} ({len(values)})" for name, values in sweep.axes.items()]
    typer.echo(f"  {' · '.join(axes) or 'no axes'}")
    left = "all done" if not found.left else f"{found.done:,} done, {found.left:,} to run"
    typer.echo(f"{counted(found.jobs, 'job')}: {left}")


def half_done(found: Plan, where: str) -> None:
    """How many of the missing jobs have a checkpoint from which they go on."""
    from sims.sweep.store import Results

    checkpoints = Results(where).checkpoints
    begun = checkpoints.begun() if checkpoints is not None else {}
    if not begun:
        return
    missing = [key for cell, seeds in found.missing for key, _ in cell.keys(seeds) if key in begun]
    here = sum(begun[key] for key in missing)
    for number, of in ((here, ""), (len(missing) - here, " on another machine, and would begin anew here")):
        if number:
            typer.echo(f"{number:>9,}  half done{of}")


def broken(scan: Scan) -> None:
    """The files that are taken for missing."""
    for name, why in scan.broken:
        typer.echo(f"broken, taken for missing: {name} ({why})")


def settings(report: Mapping[str, Any], sweep: Sweep) -> str:
    """Of a job's settings those that vary in the sweep, and the seed."""
    given = report.get("settings", {})
    paths = [*(path for path in sweep.axes if path != "seed"), "seed"]
    return ", ".join(f"{path} = {given[path]}" for path in paths if path in given)


def tell(bar: Any, words: str) -> None:
    """Print a line on standard error, above the `job_bar` where there is one."""
    if bar is not None:
        bar.console.print(words, markup=False, highlight=False)
    else:
        typer.echo(words, err=True)
