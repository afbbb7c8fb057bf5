"""`byzcheck train`: the jobs of a sweep of neural networks, one after the other, with a look at each while it runs."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byzcheck.commands.aside import aside
from byzcheck.commands.errors import one_sentence
from byzcheck.commands.sweep.arguments import RESULTS, Asked, Changes, Chosen, Data, File, Where, counted, lasting, read
from byzcheck.commands.sweep.progress import headline, planned, settings, tell
from byzcheck.commands.sweep.results import usual
from byzcheck.commands.sweep.run import absolute, asked_to_stop

if TYPE_CHECKING:
    from sims.engine import Progress
    from sims.sweep.batch import Batch
    from sims.sweep.file import Sweep

NOW_AND_THEN = 10.0  # seconds between two lines where there is no terminal
LOSSES = ("train_loss", "test_loss", "excess")
SHOWN = ("train_loss", "test_accuracy")
BLINK = 0.1  # seconds between two changes of the line on a terminal


@one_sentence
def train(
    file: File,
    changes: Changes = None,
    data: Data = None,
    where: Where = RESULTS,
    chosen: Chosen = None,
    seeds: Annotated[str | None, typer.Option(metavar="LIST", help="These seeds, with commas between: 0,1,2.")] = None,
    byzfl: Annotated[bool, typer.Option("--byzfl", help="FILE is a configuration of ByzFL, which is a .json.")] = False,
) -> None:
    """Train what a sweep describes, one job after the other on all cores; Ctrl-C stops it, and it goes on exactly.

    FILE may be a preset: fig1, fig3, fig4, fig5, fig6 are the paper's experiments, successor those of the next one.
    Results, keys and files are those of `byzcheck sweep`, which also runs jobs side by side, makes tables and draws.
    """
    if byzfl and file.suffix != ".json":
        raise ValueError(f"a configuration of ByzFL is a file that ends in .json, got {file}")
    from sims.sweep.gather import chosen_cells
    from sims.sweep.run import Outcome, run
    from sims.sweep.schedulers import here

    changes = [*(changes or ()), *([f"seed=[{seeds}]"] if seeds is not None else ())]
    asked, again = Asked(file, tuple(changes), data, where), [word for one in chosen or () for word in ("--where", one)]
    sweep = read(file, changes, data)
    sweep = dataclasses.replace(sweep, cells=chosen_cells(sweep, chosen or ()))
    found, _, _ = planned(sweep, where)
    headline(sweep, found)
    outcome = Outcome()
    if found.left:
        with aside():
            batches = found.batches(1)
        with aside(), asked_to_stop(), training(sweep, batches) as watcher:
            outcome = run(batches, absolute(where), here(watch=watcher.watch, most=None), watcher, 0)
        if outcome.stopped:
            go_on = asked.command("train", *again)
            typer.echo(f"Stopped. What is kept stays, and the job in hand is half done; to go on: {go_on}", err=True)
            raise typer.Exit(130)
        if outcome.failed:
            tracebacks = asked.command("sweep status", "--tracebacks")
            typer.echo(f"{counted(len(outcome.failed), 'job')} failed. Tracebacks: {tracebacks}", err=True)
        if not outcome.kept and not found.done:
            raise typer.Exit(1)
    report(sweep, where)
    typer.echo(f"Next: {asked.command('sweep table', *again)} · {asked.command('sweep plot', *again)}")
    if outcome.failed:
        raise typer.Exit(1)


def report(sweep: Sweep, where: str) -> None:
    """Print what came of it: the accuracy, that on each class where classes are not equally many, and who diverged."""
    from byzcheck.commands.console import console
    from byzcheck.show.sweep import pivot_table
    from sims.sweep.gather import chosen_jobs, gathered
    from sims.sweep.outcome import by_class, diverged
    from sims.sweep.pivot import note, pivot
    from sims.sweep.table import measures, summary

    screen, jobs = console(), chosen_jobs(sweep, ())
    rows, missing = gathered(sweep, [where], jobs, None)
    value = usual(sweep)
    found = summary(rows, sweep.axes, value if value in measures(rows) else measures(rows)[0])
    told = note(found, sweep.axes, len(jobs) - missing, len(jobs))
    screen.print(pivot_table(pivot(found, note=told), screen.width))
    unequal = any(cell.settings.get("problem.gamma", 1.0) != 1.0 for cell in sweep.cells)
    if unequal and (classes := by_class(rows, sweep.axes, told)) is not None:
        screen.print("", pivot_table(classes, screen.width))
    gone = diverged(rows)
    for key, job in jobs.items():
        if key in gone:
            screen.print(f"diverged at t = {gone[key]:,}: {label(sweep, *job)}")


def label(sweep: Sweep, cell: Any, seed: int) -> str:
    """A job in a few words: of its settings those that vary."""
    from sims.sweep.parts import KINDS
    from sims.sweep.pivot import shown

    given = {**cell.settings, "seed": seed}
    varying = {"rule": None} | dict.fromkeys(path for path in sweep.axes if given.get(path) is not None)
    paths = sorted(varying, key=lambda path: (path not in KINDS, path == "seed"))
    words = (
        shown(given[path]) if path in KINDS else f"{path.rpartition('.')[2]} {shown(given[path])}" for path in paths
    )
    return ", ".join(words)


class Training:
    """Tells a person where it is: a line that changes on a terminal, elsewhere one now and then; ends and failures."""

    def __init__(self, sweep: Sweep, batches: Sequence[Batch], bar: Any) -> None:
        self.sweep, self.bar = sweep, bar
        self.jobs, self.ended = len(batches), 0
        self.numbers, self.played = float(sum(batch.numbers for batch in batches)), 0.0
        self.began = self.told = self.since = time.perf_counter()
        self.key, self.first, self.last, self.diverged = "", 0, "", -1
        self.shown = bar.add_task("", total=1.0, jobs="") if bar else None

    def watch(self, batch: Batch, progress: Progress) -> None:
        """A round was played."""
        now, [(key, _)] = time.perf_counter(), batch.keys
        if key != self.key:
            self.key, self.first, self.diverged, self.since = key, progress.t - 1, -1, now
            self.numbers -= batch.numbers * self.first / progress.steps  # done before, by another run
        values = {name: float(value.reshape(-1)[0]) for name, value in progress.measures.items()}
        lost = any(not math.isfinite(values.get(name, 0.0)) for name in LOSSES)
        if self.diverged < 0 and lost and progress.at:  # at the start a loss of rounds is NaN
            self.diverged = progress.at
        self.last = self._measured(values if progress.at else {n: v for n, v in values.items() if math.isfinite(v)})
        if now - self.told < (BLINK if self.bar else NOW_AND_THEN):
            return
        self.told = now
        played = self.played + batch.numbers * (progress.t - self.first) / progress.steps
        words = f"{self._place(batch)}: step {progress.t:,} of {progress.steps:,}, {self.last}"
        if self.bar is not None:  # which tells the time left itself, and has to fit into a line
            short = words.replace("train_loss", "loss").replace("test_accuracy", "accuracy")
            self.bar.update(self.shown, completed=played / self.numbers, jobs=short)
        else:
            left = lasting((now - self.began) * (self.numbers / played - 1))
            typer.echo(f"{words}, about {left} left", err=True)

    def kept(self, batch: Batch, keys: Sequence[str]) -> None:
        """A job is done."""
        seen, steps = batch.keys[0][0] == self.key, batch.cells[0].steps
        self.played += batch.numbers * (steps - self.first if seen else steps) / steps
        if keys:
            told = f"{self.last}, {lasting(time.perf_counter() - self.since)}" if seen else "done"
            tell(self.bar, f"{self._place(batch)}: {told}")
        self.ended += 1
        if self.bar is not None:
            self.bar.update(self.shown, completed=self.played / self.numbers, jobs=f"{self.ended}/{self.jobs}  done")

    def failed(self, key: str, report: Mapping[str, Any]) -> None:
        """Say so at once."""
        tell(self.bar, f"failed: {report.get('error')} ({settings(report, self.sweep)})")

    def died(self, batches: int) -> None:
        """Nobody can: jobs are played in this process."""

    def _place(self, batch: Batch) -> str:
        [(cell, seed)] = batch.jobs
        return f"{self.ended + 1}/{self.jobs}  {label(self.sweep, cell, seed)}"

    def _measured(self, values: Mapping[str, float]) -> str:
        named = [name for name in SHOWN if name in values] or list(values)[:2]
        told = [f"{name} {values[name]:.4g}" for name in named]
        return ", ".join(told + ([f"diverged at t = {self.diverged}"] if self.diverged >= 0 else []))


@contextmanager
def training(sweep: Sweep, batches: Sequence[Batch]) -> Iterator[Training]:
    """A display on standard error while jobs are played."""
    from byzcheck.commands.console import job_bar

    with job_bar(width=10) as bar:
        yield Training(sweep, batches, bar)
