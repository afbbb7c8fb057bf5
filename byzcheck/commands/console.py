"""Where things are printed: results on stdout, progress on stderr."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def console(stderr: bool = False) -> Console:
    """A console of the terminal's width; 100 columns where there is no terminal and COLUMNS does not say otherwise.

    At least 72: in fewer a table would leave out its widest column, and a terminal can break lines itself.
    """
    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=False)
    asked = os.environ.get("COLUMNS", "")
    if not made.is_terminal and not (asked.isascii() and asked.isdecimal() and int(asked)):
        made.width = 100
    made.width = max(made.width, LEAST)
    return made


LEAST = 72  # columns


class _Waiting:
    """How many tasks each statement still waits for, in the paper's order."""

    def __init__(self, tasks: Mapping[str, int]) -> None:
        self.left = Counter(tasks)
        self.total = len(tasks)

    def done(self, label: str) -> bool:
        """One task less; whether it was the statement's last."""
        self.left[label] -= 1
        return self.left[label] == 0

    @property
    def current(self) -> str:
        return next((label for label, left in self.left.items() if left > 0), "done")

    @property
    def finished(self) -> int:
        return sum(left == 0 for left in self.left.values())


@contextmanager
def progress(tasks: Mapping[str, int]) -> Iterator[Callable[[str], None]]:
    """A display on stderr while tasks are done; call what it yields with the label of the statement that had one done.

    On a terminal a moving bar with the statement being checked, elsewhere a line per finished statement.
    """
    err, waiting, start, every = console(stderr=True), _Waiting(tasks), time.perf_counter(), sum(tasks.values())
    if err.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("checks"))
        times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
        with Progress(*columns, *times, console=err, transient=True) as bar:
            shown = bar.add_task(waiting.current, total=sum(tasks.values()))

            def advance(label: str) -> None:
                waiting.done(label)
                bar.update(shown, advance=1, description=waiting.current)

            yield advance
    else:

        def line(label: str) -> None:
            if waiting.done(label):
                seconds = time.perf_counter() - start
                checks = f"{tasks[label]} check{'s' if tasks[label] > 1 else ''}"
                left = seconds * sum(waiting.left.values()) / max(1, every - sum(waiting.left.values()))
                then = f", about {left:.0f} s left" if left >= 1 else ""
                err.print(f"{waiting.finished}/{waiting.total}  {label}: {checks}, after {seconds:.1f} s{then}")

        yield line


@contextmanager
def job_bar(width: int = 40) -> Iterator[Progress | None]:
    """A moving bar on stderr whose tasks say in words how many `jobs` are done; None where there is no terminal."""
    err = console(stderr=True)
    if not err.is_terminal:
        yield None
        return
    columns = (BarColumn(width), TextColumn("{task.fields[jobs]}"), TimeElapsedColumn(), TextColumn("left"))
    with Progress(*columns, TimeRemainingColumn(), console=err, transient=True) as bar:
        yield bar


@contextmanager
def doing(what: str) -> Iterator[Callable[[str], None]]:
    """A moving word on stderr of which part is being done, where there is a terminal; call what it yields with it."""
    err = console(stderr=True)
    if not err.is_terminal:
        yield lambda part: None
        return
    with err.status(what) as status:
        yield lambda part: status.update(f"{what}: {part}")
