"""Two records: which ratio has become worse, beyond the noise that both measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.tracked import MS_A_JOB, SECONDS, Tracked, tracked

FALSE_ALARM = 0.01  # probability that any ratio at all is called worse where none has changed


@dataclass(frozen=True)
class Comparison:
    """What got worse and what better, as (before, now); which ratios could not be told, and how many were compared."""

    worse: list[tuple[Tracked, Tracked]]
    better: list[tuple[Tracked, Tracked]]
    untold: list[str]
    compared: int
    tail: float


def compare(before: Mapping[str, Any], now: Mapping[str, Any]) -> Comparison:
    """A ratio changed if the intervals of its median in the two records have no point in common.

    Each interval misses its median on the side that matters with probability ≤ `FALSE_ALARM`/(2m), m the number of
    ratios: where no median has changed, one is called worse with probability ≤ `FALSE_ALARM` in all. That holds for
    processes that are independent and alike within a record, and says nothing of causes: another machine, another
    compiler or a busy neighbour all through one of the records change ratios too. Raises `ValueError` if the records
    have no ratio in common, or too few processes to tell any apart.
    """
    old, new = tracked(before), tracked(now)
    shared = [key for key in new if key in old and comparable(before, now, old[key], new[key])]
    if not shared:
        raise ValueError("the two records have no ratio in common")
    tail = FALSE_ALARM / (2 * len(shared))
    worse, better, untold = [], [], []
    for key in shared:
        (old_low, old_high), (new_low, new_high) = old[key].interval(tail), new[key].interval(tail)
        if math.inf in (old_high, new_high):
            untold.append(f"{key[0]} against {key[1]}")
        elif old_high < new_low or new_high < old_low:
            rises = old_high < new_low
            (worse if rises == new[key].smaller else better).append((old[key], new[key]))
    if len(untold) == len(shared):
        fewest = min(len(t[key].values) for t in (old, new) for key in shared)
        needed = math.ceil(-math.log2(tail))
        raise ValueError(f"telling {len(shared)} ratios apart needs {needed} processes in each record, got {fewest}")
    return Comparison(worse, better, untold, len(shared), tail)


def comparable(before: Mapping[str, Any], now: Mapping[str, Any], old: Tracked, new: Tracked) -> bool:
    """Whether a ratio is taken against the same thing: our own yardstick, or the same version of the same peer.

    Times by themselves are of their day, and never compared.
    """
    if new.against in (SECONDS, MS_A_JOB):
        return False
    if not new.peer:
        return True
    library = next((name for name in before["versions"] if name in new.peer.split("/")[1].split()), "")
    return old.peer == new.peer and before["versions"].get(library) == now["versions"].get(library)
