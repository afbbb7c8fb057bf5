"""What a worker does: plays a batch and keeps its results itself; only keys travel."""

from __future__ import annotations

import os
import platform
import time
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from threadpoolctl import threadpool_limits

from sims.engine import Progress
from sims.kernels.cpu import threads
from sims.sweep.batch import Batch, about
from sims.sweep.cell import make
from sims.sweep.parts import Parts
from sims.sweep.play import Watch, play_batch, resumable
from sims.sweep.rows import rows
from sims.sweep.store import Results

Json = dict[str, Any]
DATA = "BYZCHECK_DATA"  # the environment's name of the folder with data sets


def task(batch: Batch, code: Mapping[str, str], where: str) -> Json:
    """A batch as plain JSON: what to play, the code that it was planned with, and the folders for results and data."""
    return {
        "cells": [cell.plain for cell in batch.cells],
        "seeds": list(batch.seeds),
        "code": dict(code),
        "where": where,
        "data": os.path.abspath(data) if (data := os.environ.get(DATA)) else None,
    }


def do(given: Json, watch: Watch | None = None, most: int | None = 1) -> Json:
    """Play a `task`, unless it is done already; the keys of the jobs that are kept, and of those that failed.

    A batch in which something fails is played again in halves, so that the jobs that fail are found and all others are
    kept. Why a job failed is kept beside the results. `watch` is told of each round of a job that keeps a checkpoint;
    kernels and gradients use at most so many threads, None: one a core, on which no number depends. Raises `OSError`
    where nothing can be written, and `ValueError` if the code here is not what the jobs were planned with.
    """
    if given["data"] is not None:
        os.environ[DATA] = given["data"]  # of whoever planned it: this process may have been begun by another
    parts = Parts()
    batch = Batch(tuple(make(plain, parts) for plain in given["cells"]), tuple(given["seeds"]))
    code = batch.cells[0].code
    if code != given["code"]:
        changed = sorted(m for m in code | given["code"] if code.get(m) != given["code"].get(m))
        raise ValueError(f"the code changed while the sweep ran, or is another one on a worker: {', '.join(changed)}")
    results, outcome = Results(given["where"]), {"kept": [], "failed": []}
    known: dict[str, list[str]] = {}  # failures by configuration: with other code a job has another key
    for key, report in results.failures().items():
        known.setdefault(report.get("configuration", ""), []).append(key)
    threads.limit(most)
    try:
        with threadpool_limits(1):
            for part, failure in _played(batch, results, watch):
                for (cell, seed), (key, configuration) in zip(part.jobs, part.keys, strict=True):
                    outcome["kept" if failure is None else "failed"].append(key)
                    if failure is None:
                        for old in known.pop(configuration, ()):
                            results.forget_failure(old)
                        continue
                    settings = {**cell.settings, "seed": seed}
                    results.fail(key, {"configuration": configuration, "settings": settings, **failure})
    finally:
        threads.limit(None)
    return outcome


def _played(batch: Batch, results: Results, watch: Watch | None) -> Iterator[tuple[Batch, Json | None]]:
    """The batch, or halves of it that are kept, and single jobs with why they failed."""
    if results.hold([key for key, _ in batch.keys]):
        yield batch, None
        return
    began, failure, checkpoint, here = time.perf_counter(), None, None, [0, 0]
    if results.checkpoints is not None and resumable(batch):
        checkpoint = results.checkpoints.of(batch.keys[0][0])

    def seen(part: Batch, progress: Progress) -> None:
        here[:] = here[0] + 1, progress.steps
        if watch is not None:
            watch(part, progress)

    try:
        table = rows(play_batch(batch, checkpoint, seen))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a rule of somebody's may raise, be it SystemExit; it is kept
        table, failure = None, _report(error)
    if table is None:  # and over: what the halves raise has nothing to do with it
        for half in batch.halves():
            yield from _played(half, results, watch)
        if not batch.halves():
            yield batch, failure
        return
    seconds, (played, steps) = time.perf_counter() - began, here
    seconds *= steps / played if played else 1  # the rounds before a checkpoint, which another run played, took as long
    results.write(table, {**about(batch), "seconds": seconds})
    if checkpoint is not None:
        checkpoint.remove()
    yield batch, None


def _report(error: BaseException) -> Json:
    told = traceback.TracebackException.from_exception(error)  # also of errors that cannot be turned into text
    words = " ".join(str(told).split())
    return {
        "error": f"{type(error).__name__}: {words}" if words else type(error).__name__,
        "traceback": "".join(told.format()),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
    }
