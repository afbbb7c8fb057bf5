"""`byzcheck sweep run`."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byzcheck.commands.arguments import cores
from byzcheck.commands.aside import aside
from byzcheck.commands.errors import one_sentence
from byzcheck.commands.sweep.arguments import RESULTS, Asked, Changes, Data, File, Where, counted, lasting, read
from byzcheck.commands.sweep.progress import headline, planned, settings, share, tell

if TYPE_CHECKING:
    from sims.sweep.batch import Batch
    from sims.sweep.file import Sweep


@one_sentence
def run(
    file: File,
    where: Where = RESULTS,
    changes: Changes = None,
    data: Data = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; by default one a core; 1 is this one.")] = None,
    scheduler: Annotated[str, typer.Option(metavar="NAME", help="local, dask, or tcp://host:port.")] = "local",
    batch: Annotated[
        int | None, typer.Option(min=1, help="The most jobs in one array program and file; at most 1,024 by default.")
    ] = None,
) -> None:
    """Run the jobs that are missing; stop it with Ctrl-C, and go on with the same command."""
    from sims.sweep.run import run as run_batches
    from sims.sweep.schedulers import scheduler as scheduler_called

    sweep, asked = read(file, changes, data), Asked(file, tuple(changes or ()), data, where)
    found, _, _ = planned(sweep, where)
    headline(sweep, found)
    if not found.left:
        typer.echo(f"Next: {asked.command('sweep table')} · {asked.command('sweep plot')}")
        return
    # in a process of its own by default, even if it is only one: a job that kills it does not end the run
    chosen = scheduler_called(scheduler, 0 if jobs == 1 and scheduler == "local" else jobs or cores())
    with aside():
        batches, began = found.batches(batch or share(found, chosen.workers)), time.perf_counter()
    typer.echo(f"{counted(len(batches), 'batch')} in {chosen.words}, results in {where}", err=True)
    with aside(), asked_to_stop(), watching(sweep, batches) as watcher:
        outcome = run_batches(batches, absolute(where), chosen, watcher)
    seconds = time.perf_counter() - began
    typer.echo(f"{counted(len(outcome.kept), 'job')} kept in {lasting(seconds)}", err=True)
    if outcome.failed:
        typer.echo(f"{counted(len(outcome.failed), 'job')} failed:", err=True)
        for key, report in watcher.failures.items():
            typer.echo(f"  {key}: {report.get('error')} ({settings(report, sweep)})", err=True)
        typer.echo(f"Tracebacks: {asked.command('sweep status', '--tracebacks')}", err=True)
    if outcome.stopped:
        typer.echo(f"Stopped. What is kept stays; to go on: {asked.command('sweep run')}", err=True)
        raise typer.Exit(130)
    if outcome.failed:
        raise typer.Exit(1)
    typer.echo(f"Next: {asked.command('sweep table')} · {asked.command('sweep plot')}")


@contextmanager
def asked_to_stop() -> Iterator[None]:
    """A request to end (SIGTERM: of a scheduler of a cluster, say) is heard as Ctrl-C is."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def absolute(where: str) -> str:
    """The folder as a worker with another working directory finds it."""
    return where if "://" in where else str(Path(where).absolute())  # not the empty one, which `Results` refuses


class Watching:
    """Tells a person what a run does: a bar on a terminal, elsewhere a line now and then; failures at once."""

    def __init__(self, sweep: Sweep, batches: Sequence[Batch], bar: Any) -> None:
        self.sweep, self.bar = sweep, bar
        self.failures: dict[str, Mapping[str, Any]] = {}
        self.jobs = sum(len(batch.jobs) for batch in batches)
        self.numbers, self.played = sum(batch.numbers for batch in batches), 0
        self.done, self.began, self.told = 0, time.perf_counter(), time.perf_counter()
        self.shown = bar.add_task("", total=self.numbers, jobs="") if bar else None

    def kept(self, batch: Batch, keys: Sequence[str]) -> None:
        """Move on."""
        self.done += len(keys)
        self.played += batch.numbers
        failed = f", {len(self.failures)} failed" if self.failures else ""
        words = f"{self.done:,} of {self.jobs:,} jobs{failed}"
        if self.bar is not None and self.shown is not None:
            self.bar.update(self.shown, completed=self.played, jobs=words)
        elif (now := time.perf_counter()) - self.told > 10 and self.played < self.numbers:
            left = (now - self.began) * (self.numbers / self.played - 1)
            known = self.played > self.numbers / 20  # the first batches take long: workers begin, code is compiled
            typer.echo(words + (f", about {lasting(left)} left" if known else ""), err=True)
            self.told = now

    def failed(self, key: str, report: Mapping[str, Any]) -> None:
        """Say so at once."""
        self.failures[key] = report
        tell(self.bar, f"failed: {report.get('error')} ({settings(report, self.sweep)})")

    def died(self, batches: int) -> None:
        """Say what becomes of its work."""
        tell(self.bar, f"a worker died; {counted(batches, 'batch')} again")


@contextmanager
def watching(sweep: Sweep, batches: Sequence[Batch]) -> Iterator[Watching]:
    """A display on standard error while batches are run."""
    from byzcheck.commands.console import job_bar

    with job_bar() as bar:
        yield Watching(sweep, batches, bar)
