"""Running checks: every claim and every control is one task, done in any order by any number of processes."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import active_children, get_context, parent_process
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

import theory
from sims.backend import get_namespace
from sims.checks.evidence import Evidence, Verdict, claim_verdict, headline, side_verdict
from sims.interrupts import STOPS, undisturbed
from sims.kernels import reference
from sims.kernels.cpu import threads
from sims.owned import as_always
from theory.claim import BUDGETS, FALSE_ALARM, SHARE, Claim, Context, Side, Statement

Item = TypeVar("Item")
Done = TypeVar("Done")


class CheckError(RuntimeError):
    """A check raised instead of returning evidence: a defect of the check or of what it calls."""


CHECKED_ON = ("numpy", "cupy")  # checks are in float64, which not every library has on every device


@dataclass(frozen=True)
class Options:
    """What a run depends on. The same options give the same numbers, whatever the number of jobs."""

    budget: str = "default"
    seed: int = 0
    backend: str = "numpy"

    def __post_init__(self) -> None:
        if self.budget not in BUDGETS:
            raise ValueError(f"budget must be one of {', '.join(BUDGETS)}, got {self.budget!r}")
        if self.seed < 0:
            raise ValueError(f"seed must be ≥ 0, got {self.seed}")


@dataclass(frozen=True)
class Task:
    """One evaluation of one check: the claim itself, or one of its controls (`control` is its index)."""

    stem: str
    claim: str
    control: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a task."""

    task: Task
    evidence: tuple[Evidence, ...]
    intervals: int
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """The verdict on the claim (or on the control's false variant)."""
        return claim_verdict(self.evidence)


@dataclass(frozen=True)
class Result:
    """A statement with the outcomes of all its tasks."""

    statement: Statement
    outcomes: tuple[Outcome, ...]

    def of(self, claim: Claim) -> Outcome:
        """The claim's own outcome."""
        return next(o for o in self.outcomes if o.task.claim == claim.name and o.task.control is None)

    def controls_of(self, claim: Claim) -> list[tuple[Any, Outcome]]:
        """Each control with its outcome."""
        found = {o.task.control: o for o in self.outcomes if o.task.claim == claim.name}
        return [(control, found[i]) for i, control in enumerate(claim.controls)]

    def caught(self, claim: Claim) -> bool:
        """Whether every control of the claim came out as it must."""
        return all(control.caught(outcome.verdict) for control, outcome in self.controls_of(claim))

    def verdict(self, claim: Claim) -> Verdict:
        """The claim's verdict; undecided if one of its controls was not caught."""
        return self.of(claim).verdict if self.caught(claim) else "undecided"

    def side(self, side: Side) -> str | None:
        """The verdict of the statement as "printed" or as "corrected", by its parts; None where it has none.

        A corrected statement whose parts all hold is "proved".
        """
        found = side_verdict(self.verdict(claim) for claim in self.statement.parts(side))
        return "proved" if side == "corrected" and found == "holds" else found

    def stand(self, side: Side) -> tuple[int, int]:
        """How many parts of a side are not refuted or undecided, and how many there are."""
        verdicts = [self.verdict(claim) for claim in self.statement.parts(side)]
        return sum(verdict in ("holds", "supported") for verdict in verdicts), len(verdicts)

    def headline(self, side: Side) -> Evidence | None:
        """The evidence that speaks for the statement as "printed" or as "corrected"."""
        return headline([e for claim in self.statement.parts(side) for e in self.of(claim).evidence])

    @property
    def seconds(self) -> float:
        """Processor time of all its tasks, one after the other."""
        return sum(o.seconds for o in self.outcomes)


def tasks(statement: Statement) -> list[Task]:
    """All tasks of a statement."""
    return [
        Task(statement.stem, claim.name, control)
        for claim in statement.claims
        for control in (None, *range(len(claim.controls)))
    ]


def perform(task: Task, options: Options) -> Outcome:
    """Do one task, with linear algebra on one thread so that the numbers do not depend on the machine's cores."""
    claim = next(c for c in theory.load(task.stem).claims if c.name == task.claim)
    control = None if task.control is None else claim.controls[task.control]
    replace = {} if control is None else control.replace
    context = Context(task.stem, task.claim, options.budget, options.seed, options.backend)
    start = time.perf_counter()
    try:
        with _one_thread(), as_always(), _nothing_compiled(options.backend):
            found = claim.check(context, **replace)
            evidence = tuple(found if control is None or control.expect != "refuted" else _up_to_refuted(found))
    except Exception as error:
        variant = "" if control is None else f", control {control.name!r}"
        raise CheckError(
            f"{theory.file_of(task.stem)}, claim {task.claim!r}{variant}: {type(error).__name__}: {error}"
        ) from error
    return Outcome(task, evidence, context.intervals, time.perf_counter() - start)


def _perform_all(some: Sequence[Task], options: Options) -> list[Outcome]:
    """Do a claim and its controls, one after the other in one process: they share what the check keeps."""
    return [perform(task, options) for task in some]


def _up_to_refuted(evidence: Iterable[Evidence]) -> Iterator[Evidence]:
    """The evidence up to the first contradiction, which decides a control that must be refuted; the rest costs time."""
    for e in evidence:
        yield e
        if e.verdict == "refuted":
            return


def _nothing_compiled(backend: str) -> contextlib.AbstractContextManager[None]:
    """Within it the reference computes on the host: the first run would compile for longer than all runs gain by it."""
    return reference() if backend == "numpy" else contextlib.nullcontext()


def _one_thread() -> Any:
    """Linear algebra on one thread within it; the libraries are searched anew only if something was imported since."""
    return _libraries(len(sys.modules)).limit(limits=1)


@functools.lru_cache(maxsize=1)
def _libraries(modules: int) -> ThreadpoolController:
    return ThreadpoolController()


def figure_data(stem: str, options: Options) -> tuple[str, dict[str, Any]]:
    """What the statement's figure draws, with the stem before it; empty if the statement offers nothing to draw."""
    data = theory.load(stem).data
    with _one_thread(), as_always():
        return stem, {} if data is None else data(
            Context(stem, "figure", options.budget, options.seed, options.backend)
        )


def _start_worker() -> None:
    """In a worker: one thread, Ctrl-C is the parent's affair, and the end comes with the parent's, however it ended."""
    threads.limit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)  # which waited while it began
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


def _each(
    function: Callable[[Item, Options], Done], items: Sequence[Item], options: Options, jobs: int
) -> Generator[Done]:
    """`function(item, options)` of every item, in the order in which they are done."""
    if jobs == 1 or len(items) < 2:
        for item in items:
            yield function(item, options)
        return
    bystanders = set(active_children())
    with ProcessPoolExecutor(min(jobs, len(items)), get_context("forkserver"), initializer=_start_worker) as pool:
        try:
            with undisturbed():  # a worker that is half begun would be waited for
                futures = [pool.submit(function, item, options) for item in items]
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            for worker in set(active_children()) - bystanders:
                worker.terminate()  # what waits for them fails at once, and leaving the pool joins its thread
            raise


def prepare(options: Options, jobs: int) -> None:
    """Raise a `ValueError` if such a run cannot start here."""
    if jobs < 1:
        raise ValueError(f"jobs must be ≥ 1, got {jobs}")
    if options.backend not in CHECKED_ON:
        raise ValueError(f"backend must be one of {', '.join(CHECKED_ON)}, got {options.backend!r}")
    get_namespace(options.backend)  # whether it can run here


def check_statements(
    stems: Sequence[str],
    options: Options = Options(),
    jobs: int = 1,
    progress: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Result]:
    """Check the statements and all their controls; results in the order of `stems`."""
    prepare(options, jobs)
    statements = [theory.load(stem) for stem in stems]
    todo = [task for statement in statements for task in tasks(statement)]
    claims = [tuple(same) for _, same in itertools.groupby(todo, lambda task: (task.stem, task.claim))]
    done: dict[Task, Outcome] = {}
    with closing(_each(_perform_all, claims, options, jobs)) as together:
        for outcome in itertools.chain.from_iterable(together):
            done[outcome.task] = outcome
            progress(outcome)
    return [Result(s, tuple(done[task] for task in tasks(s))) for s in statements]


def all_figure_data(
    stems: Sequence[str],
    options: Options = Options(),
    jobs: int = 1,
) -> dict[str, dict[str, Any]]:
    """The data of every figure, by stem, in the order of `stems`."""
    prepare(options, jobs)
    drawn = [stem for stem in stems if theory.load(stem).data is not None]
    with closing(_each(figure_data, drawn, options, jobs)) as pairs:
        found = dict(pairs)
    return {stem: found[stem] for stem in drawn}


def false_alarm(results: Sequence[Result]) -> float:
    """The run's probability of at least one wrong "refuted", by the union bound; a `ValueError` beyond the budget."""
    bound = SHARE * sum(o.intervals for r in results for o in r.outcomes)
    if bound > FALSE_ALARM:
        raise ValueError(f"the run's false-alarm probability must be ≤ {FALSE_ALARM:g}, got {bound:g}")
    return bound
