"""Sweeps: planning and running many jobs, opening folders of results, and a batch beside cells played one by one.

On one thread, as each worker of a sweep has. Times are seconds in all, but for what is measured a job or a cell at a
time: those are seconds per job. What is played one by one, and the loops around a peer, are measured on some of the
cells. The experiments of the first three tables are as small as can be, so that what a sweep adds is what is seen.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.peers import peers_of
from benchmarks.plan import ADDED, BATCH, ONE_BY_ONE, SweepSizes
from benchmarks.simulation import BETA, LOOPS, RADIUS, RATE
from sims.engine import Record, simulate
from sims.kernels.cpu import threads
from sims.optimizers import RobustSGD
from sims.sweep.batch import Batch
from sims.sweep.cell import Cell
from sims.sweep.file import Sweep, read
from sims.sweep.plan import Plan, plan
from sims.sweep.play import play_batch
from sims.sweep.rows import rows
from sims.sweep.run import run as run_batches
from sims.sweep.schedulers import scheduler
from sims.sweep.store import Results
from sims.sweep.table import summary

TINY = """
n = 3
f = 1
steps = 9
every = 1
seed = { range = [0, SEEDS] }

[problem]
name = "Quadratic.between"
mu = 1.0
L = 1.0
dim = 1
sigma_sq = 1.0

[rule]
name = "CenteredClipping"
tau = { linear = [1.0, 2.0, TAUS] }

[optimizer]
name = "SGD"
learning_rate = { linear = [0.1, 0.2, RATES] }
"""
REAL = f"""
n = 25
f = 5
steps = 300
x0 = 1.0
seed = {{ range = [0, SEEDS] }}

[problem]
name = "Quadratic.between"
mu = 0.1
L = 1.0
dim = 10
sigma_sq = 1.0

[attack]
name = "BitFlipping"
on = "messages"

[rule]
name = "CenteredClipping"
tau = {{ log = [0.1, 10.0, TAUS] }}

[optimizer]
name = "WorkerMomentum"
learning_rate = {RATE}
beta = {{ linear = [0.0, {BETA}, BETAS] }}
"""
LEAST = 1e-9  # seconds: what noise leaves of a difference is no less


def measured(sizes: SweepSizes) -> dict[str, dict[str, float]]:
    """All tables of sweeps."""
    found: dict[str, dict[str, float]] = {}
    threads.limit(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            for taus, rates, seeds in sizes.tiny:
                at, file = f"cells={taus * rates} seeds={seeds}", _tiny(place, taus, rates, seeds)
                found |= {f"sweep-{kind} {at}": times for kind, times in _lifetime(file, place / "results").items()}
            found[f"sweep-folder files={sizes.files}"] = {"open": _opened(place, sizes.files)}
            found |= _batch(place, sizes)
    finally:
        threads.limit(None)
    return found


def seconds(call: Any, *arguments: Any) -> float:
    """The time of one call."""
    start = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - start


def planned(file: Path, results: Path) -> tuple[Sweep, Plan]:
    """What `byzcheck sweep plan` works out, from the file on."""
    sweep, store = read(file), Results(results)
    return sweep, plan(sweep.cells, store.scan(), store.failures())


def table(file: Path, results: Path) -> Any:
    """What `byzcheck sweep table` works out, from the file on: the rows of all jobs, and their means over the seeds."""
    sweep, store = read(file), Results(results)
    keys = [key for cell in sweep.cells for key, _ in cell.keys(cell.seeds)]
    columns = ["key", "t", "excess", "seed", *(path for path in sweep.axes if path != "seed")]
    return summary(store.rows(store.scan(), keys, columns), sweep.axes)


def run(file: Path, results: Path) -> None:
    """What `byzcheck sweep run` does, in this process."""
    _, found = planned(file, results)
    outcome = run_batches(found.batches(), str(results), scheduler("local", 0), _Silent())
    if outcome.failed or len(outcome.kept) != found.jobs:
        raise RuntimeError(f"{len(outcome.kept)} jobs were kept of {found.jobs}")


class _Silent:
    def kept(self, batch: Any, keys: Any) -> None: ...

    def failed(self, key: Any, report: Any) -> None: ...

    def died(self, batches: Any) -> None: ...


def _tiny(place: Path, taus: int, rates: int, seeds: int) -> Path:
    return _file(place, TINY, TAUS=taus, RATES=rates, SEEDS=seeds)


def _file(place: Path, text: str, **sizes: int) -> Path:
    """A sweep of these sizes."""
    for name, size in sizes.items():
        text = text.replace(name, str(size))
    file = place / "sweep.toml"
    file.write_text(text, encoding="utf-8")
    return file


def _lifetime(file: Path, results: Path) -> dict[str, dict[str, float]]:
    """A sweep planned, run, planned again when all is done, and read as a table; and its jobs played, no more."""
    planning = {"plan, nothing done": seconds(planned, file, results)}
    _, found = planned(file, results)
    whole = seconds(run, file, results)
    played = sum(seconds(play_batch, batch) for batch in found.batches())
    running = {ADDED: max(whole - played, LEAST) / found.jobs, "the jobs alone": played / found.jobs}
    planning["plan, all done"] = seconds(planned, file, results)
    read = {"table": seconds(table, file, results)}
    shutil.rmtree(results)
    return {"plan": planning, "run": running, "table": read}


def _opened(place: Path, files: int) -> float:
    """The time to look at so many files of four jobs each: copies of one, under names that results have."""
    results = place / "files"
    run(_tiny(place, 2, 2, 1), results)
    [made] = results.glob("*.parquet")
    content = made.read_bytes()
    for k in range(files - 1):
        (results / f"{k:032x}.parquet").write_bytes(content)
    found: list[Any] = []
    took = seconds(lambda: found.append(Results(results).scan()))
    if len(found[0].files) != files:
        raise RuntimeError(f"{len(found[0].files)} files were found of {files}")
    shutil.rmtree(results)
    return took


def _batch(place: Path, sizes: SweepSizes) -> dict[str, dict[str, float]]:
    """A batch with all measures as rows, some of its jobs through `simulate`, and loops around ByzFL's rule."""
    taus, betas, seeds = sizes.real
    file = _file(place, REAL, TAUS=taus, BETAS=betas, SEEDS=seeds)
    _, found = planned(file, place / "none")
    [batch] = found.batches()
    rows(play_batch(Batch(batch.cells[:2], batch.seeds[:1])))  # loads the program, and digests the code for keys
    cell, jobs, some = batch.cells[0], batch.jobs, batch.jobs[:: max(1, found.jobs // sizes.some)]
    n, f, d, steps = cell.n, cell.f, cell.problem.dim, cell.steps
    times = {BATCH: seconds(lambda: rows(play_batch(batch))) / len(jobs)}
    times[ONE_BY_ONE] = sum(seconds(alone, cell, seed) for cell, seed in some) / len(some)
    for peer in peers_of("CenteredClipping", f, RADIUS):
        for name, loop in LOOPS.items() if peer.name.startswith("byzfl") else ():
            times[f"CenteredClipping/{name} {peer.name}"] = sum(
                seconds(loop, peer, n, f, d, steps) for _ in some
            ) / len(some)
    return {f"sweep-batch n={n} f={f} d={d} T={steps} cells={len(jobs)}": times}


def alone(cell: Cell, seed: int) -> Record:
    """A job by itself, as one writes it by hand."""
    given = {name: getattr(cell, name) for name in ("n", "f", "steps", "every", "x0", "shuffle", "backend")}
    return simulate(cell.problem, RobustSGD(cell.rule, cell.optimizer), attack=cell.attack, seed=seed, runs=1, **given)
