"""Two records: which ratio has become worse, beyond the noise that both measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import mannwhitneyu

from benchmarks.cells import cells
from benchmarks.once import parameters
from benchmarks.peers import LIBRARIES
from benchmarks.ratio import PUBLIC, Tracked
from benchmarks.tracked import MS_A_JOB, SECONDS, tracked

FALSE_ALARM = 0.01  # probability that any ratio at all is called worse where none has changed
TIE = 1e-9  # relative: less than the last digit of a record

Key = tuple[str, str]


@dataclass(frozen=True)
class Comparison:
    """What got worse and what better, as (before, now); which ratios could not be told, and how many were compared."""

    worse: list[tuple[Tracked, Tracked]]
    better: list[tuple[Tracked, Tracked]]
    untold: list[str]
    compared: int


def compare(before: Mapping[str, Any], now: Mapping[str, Any]) -> Comparison:
    """A ratio changed if its ranks among the processes of both records say so: the exact test of Mann and Whitney.

    The ratios of the grid's cells are one family, all others, its means over sizes among them, are another. Each family
    has half of `FALSE_ALARM` (all of it, if there is no other), and each of its m ratios one m-th of that: where
    nothing has changed, one is called worse with probability ≤ `FALSE_ALARM` in all. So a small change of one rule at
    all sizes is seen in its mean, and a large one at a single size in its cell, which needs more processes. Equal
    values count as if they spoke against a change.

    That holds for processes that are independent and alike in both records, and says nothing of causes: another
    machine, another compiler or a busy neighbour all through one of the records change ratios too. Only the tables that
    both records have are looked at. Raises `ValueError` if they have no ratio in common, or too few processes to tell
    any apart.
    """
    before, now = _common(before, now), _common(now, before)
    old, new = tracked(before), tracked(now)
    shared = [key for key in new if key in old and comparable(before, now, old[key], new[key])]
    if not shared:
        raise ValueError("the two records have no ratio in common")
    single = {(cell.subject, cell.against) for made in cells(now) for cell in (made.public, made.reads) if cell}
    families = [
        family
        for family in ([key for key in shared if key not in single], [key for key in shared if key in single])
        if family
    ]
    worse, better, untold = [], [], []
    for family in families:
        allowed = FALSE_ALARM / len(families) / len(family)
        for key in family:
            was, is_ = old[key], new[key]
            if 1 / math.comb(len(was.values) + len(is_.values), len(was.values)) > allowed:
                untold.append(f"{key[0]} against {key[1]}")
            elif chance_of_rise(was.values, is_.values) <= allowed:
                (worse if is_.smaller else better).append((was, is_))
            elif chance_of_rise(is_.values, was.values) <= allowed:
                (better if is_.smaller else worse).append((was, is_))
    if len(untold) == len(shared):
        count = min(map(len, families))
        needed = _processes(FALSE_ALARM / len(families) / count)
        fewest = min(len(t[key].values) for t in (old, new) for key in shared)
        raise ValueError(f"telling {count} ratios apart needs {needed} processes in each record, got {fewest}")
    return Comparison(worse, better, untold, len(shared))


def chance_of_rise(was: Sequence[float], now: Sequence[float]) -> float:
    """The probability that values of one law would lie as high in `now` among all as these do, or higher.

    Of the number of pairs in which the value of `now` is greater, exactly (Mann and Whitney 1947).

    >>> chance_of_rise([1.0, 2.0], [3.0, 4.0]) * 6, chance_of_rise([1.0, 1.0], [1.0, 1.0])
    (1.0, 1.0)
    """
    lowered = np.asarray(now, dtype=float) * (1 - TIE)
    return float(mannwhitneyu(lowered, was, alternative="greater", method="exact").pvalue)


def _processes(allowed: float) -> int:
    """How many each record needs for a probability so small."""
    return next(k for k in range(1, 1000) if 1 / math.comb(2 * k, k) <= allowed)


def _common(record: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """A record without the tables, and in the grid without the rules and kinds of messages, that another lacks."""
    found = {}
    for table, whose in record["tables"].items():
        theirs = other["tables"].get(table)
        if theirs is None:
            continue
        absent = {who for who in whose if "/ours" in who and who not in theirs}
        rules = {who.split("/")[0] for who in absent if who.endswith("/ours")}
        in_grid = parameters(table)[0] == "grid"
        found[table] = {
            w: t for w, t in whose.items() if not in_grid or (w not in absent and w.split("/")[0] not in rules)
        }
    return {**record, "tables": found}


def comparable(before: Mapping[str, Any], now: Mapping[str, Any], old: Tracked, new: Tracked) -> bool:
    """Whether a ratio is taken against the same thing: our own yardstick, or the same version of the same peer.

    Times by themselves are of their day, and never compared.
    """
    if new.against in (SECONDS, MS_A_JOB):
        return False
    if new.against == PUBLIC and not new.peer:  # a mean over sizes, with a peer for each
        return all(before["versions"].get(name) == now["versions"].get(name) for name in LIBRARIES)
    if not new.peer:
        return True
    names = [name for name in LIBRARIES if name in new.peer.split("/")[1].split()]  # ByzFL's on arrays is NumPy's, too
    same = all(before["versions"].get(name) == now["versions"].get(name) for name in names)
    return old.peer == new.peer and same
