"""Running the missing jobs of a sweep, so that nothing finished is lost or done twice."""

from __future__ import annotations

import itertools
import random
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from sims.sweep.batch import Batch
from sims.sweep.schedulers import Scheduler
from sims.sweep.store import Results
from sims.sweep.work import do, task

AHEAD = 2  # batches that wait at a worker, so that none is idle, and few are lost when a run is stopped
DEATHS = 3  # of the worker that had it, after which a batch is given up


class Watcher(Protocol):
    """Who is told what happens."""

    def kept(self, batch: Batch, keys: Sequence[str]) -> None:
        """Results of these jobs are in the folder."""
        ...

    def failed(self, key: str, report: Mapping[str, Any]) -> None:
        """A job raised an error, or its worker died of it."""
        ...

    def died(self, batches: int) -> None:
        """A worker died, and these batches are tried again."""
        ...


@dataclass(eq=False)
class Outcome:
    """What a run did: jobs kept, jobs that failed, and whether it was stopped."""

    kept: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    stopped: bool = False


def run(
    batches: Sequence[Batch], where: str, scheduler: Scheduler, watcher: Watcher, first: int | None = None
) -> Outcome:
    """Play all batches and keep their results in the folder at `where`.

    A batch that cannot be played is taken apart until the failing jobs are found; all others are kept. A batch whose
    worker dies is tried again, alone if it may be the cause. Runs beside this one on the same folder begin elsewhere
    and leave out what they find done; this one begins with the batch `first` if there is a reason to. Ctrl-C ends it
    with `stopped`; what was kept stays. Raises `OSError` where results cannot be written.
    """
    results, outcome = Results(where), Outcome()
    results.sweep_leftovers()
    start = first if first is not None else random.SystemRandom().randrange(len(batches)) if batches else 0
    waiting = deque(itertools.chain(batches[start:], batches[:start]))
    suspects: deque[tuple[Batch, int]] = deque()
    try:
        while waiting or suspects:
            alone = not waiting
            with scheduler.open() as executor:
                if alone:
                    _one_by_one(suspects, executor, results, where, watcher, outcome)
                else:
                    lost = _all(waiting, executor, scheduler.workers, results, where, watcher, outcome)
                    suspects.extend((batch, 1) for batch in lost)
    except KeyboardInterrupt:
        outcome.stopped = True
    finally:
        results.sweep_leftovers()  # of workers that died, or were killed when this stopped
    return outcome


def _all(
    waiting: deque[Batch],
    executor: Executor,
    workers: int,
    results: Results,
    where: str,
    watcher: Watcher,
    outcome: Outcome,
) -> list[Batch]:
    """Play what waits, until a worker dies; the batches that were being played then."""
    flying: dict[Future[Any], Batch] = {}
    while waiting or flying:
        while waiting and len(flying) < AHEAD * workers:
            batch = waiting.popleft()
            try:
                flying[future := executor.submit(do, _task(batch, where))] = batch
                if future.done():  # played at once, here: whoever watches hears of it before the next begins
                    break
            except BrokenProcessPool:
                waiting.appendleft(batch)
                if not flying:
                    return []
                break
        ended, _ = wait(flying, return_when=FIRST_COMPLETED)
        lost = []
        for future in ended:
            batch = flying.pop(future)
            if died(future):
                lost.append(batch)
            else:
                _note(batch, future.result(), results, watcher, outcome)
        if lost:
            lost += flying.values()
            watcher.died(len(lost))
            return lost
    return []


def _one_by_one(
    suspects: deque[tuple[Batch, int]],
    executor: Executor,
    results: Results,
    where: str,
    watcher: Watcher,
    outcome: Outcome,
) -> None:
    """Play batches of which one may kill its worker, each alone, until one does."""
    while suspects:
        batch, deaths = suspects.popleft()
        future = executor.submit(do, _task(batch, where))
        if not died(future):
            _note(batch, future.result(), results, watcher, outcome)
            continue
        if deaths + 1 < DEATHS:
            suspects.appendleft((batch, deaths + 1))
        elif halves := batch.halves():
            suspects.extendleft((half, 1) for half in reversed(halves))
        else:
            [(cell, seed)] = batch.jobs
            report = {
                "error": f"its worker died {DEATHS} times: killed, or out of memory",
                "traceback": "",
                "when": datetime.now(UTC).isoformat(timespec="seconds"),
                "configuration": cell.configuration_key(seed),
                "settings": {**cell.settings, "seed": seed},
            }
            results.fail(cell.key(seed), report)
            outcome.failed.append(cell.key(seed))
            watcher.failed(cell.key(seed), report)
        watcher.died(len(suspects))
        return


def _task(batch: Batch, where: str) -> dict[str, Any]:
    return task(batch, batch.cells[0].code, where)


def died(future: Future[Any]) -> bool:
    """Whether a call ended with its worker instead of with a result or an error of its own.

    Raises `OSError` if it was forgotten, as all calls are when a scheduler goes.
    """
    try:
        error = future.exception()
    except CancelledError:
        raise OSError("the connection to the scheduler was lost; what is kept stays") from None
    return isinstance(error, BrokenProcessPool) or type(error).__name__ == "KilledWorker"  # the latter is Dask's


def _note(batch: Batch, done: Mapping[str, Any], results: Results, watcher: Watcher, outcome: Outcome) -> None:
    outcome.kept += done["kept"]
    outcome.failed += done["failed"]
    watcher.kept(batch, done["kept"])
    if done["failed"]:
        reports = results.failures()
        for key in done["failed"]:
            watcher.failed(key, reports.get(key, {"error": "unknown", "traceback": ""}))
