"""What memory an experiment takes at the least, told before a machine runs out of it."""

from __future__ import annotations

import math
import os

from sims.engine.experiment import Experiment

MEASURES = 4  # numbers that a record has of each run and time: three of a problem, the error of the aggregate


def check_memory(e: Experiment, compiled: bool, there: int | None = None) -> None:
    """Raise a `ValueError` if an experiment cannot fit into the memory of this machine, or into `there` bytes.

    Counted are the record, and, where the rounds are not compiled, the messages and samples of one round: less than
    what will be needed, so that nothing is refused that could have run.
    """
    there = memory() if there is None else there
    record, at_once = needed(e, compiled)
    if there is not None and record + at_once > there:
        raise ValueError(
            f"an experiment of n = {e.n}, d = {e.problem.dim}, runs = {e.runs}, grid = {e.grid}, steps = {e.steps}, "
            f"every = {e.every} needs at least {_gib(record)} for its record and {_gib(at_once)} for a round, and "
            f"there is {_gib(there)} of memory here: take fewer runs or workers at once, or a larger every"
        )


def needed(e: Experiment, compiled: bool) -> tuple[int, int]:
    """The least bytes of the record, last iterates among it, and of what a round holds at once besides."""
    cells, d = math.prod(e.shape), e.problem.dim
    record = 8 * cells * (MEASURES * (e.steps // e.every + 1) + d)
    if compiled or e.backend == "cupy":  # what is on a device is not in this memory
        return record, 0
    size = 8 if e.problem.precision == "float64" else 4
    return record, size * cells * e.n * d + 8 * e.runs * e.n * math.prod(e.problem.sample_shape)


def memory() -> int | None:
    """The bytes of memory that this machine has; None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _gib(count: int) -> str:
    return f"{count / 2**30:,.1f} GiB"
