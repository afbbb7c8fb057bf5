"""Sorting networks, pruned to the outputs that are wanted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Comparator(NamedTuple):
    """Put the smaller of two values at `low` and the larger at `high`; either may be left undone."""

    low: int
    high: int
    keep_low: bool = True
    keep_high: bool = True


def sorting_network(n: int) -> list[Comparator]:
    """Batcher's odd-even merge sort for n values in ascending order (Batcher 1968; Knuth, TAOCP 3, 5.2.2, algorithm M).

    It is the network of the next power of two, without the comparators that touch inputs beyond n: those would hold
    +∞, which no comparator moves.

    >>> [(c.low, c.high) for c in sorting_network(3)]
    [(0, 1), (0, 2), (1, 2)]
    """
    found = []
    merged = 1
    while merged < n:  # runs of `merged` values are sorted; merge them in pairs
        gap = merged
        while gap:
            start = gap % merged
            for block in range(start, n - gap, 2 * gap):
                found += [
                    Comparator(i, i + gap)
                    for i in range(block, min(block + gap, n - gap))
                    if i // (2 * merged) == (i + gap) // (2 * merged)
                ]
            gap //= 2
        merged *= 2
    return found


def selection_network(n: int, wanted: Iterable[int]) -> list[Comparator]:
    """The part of `sorting_network(n)` on which the order statistics at `wanted` (from 0) depend.

    >>> len(sorting_network(25)), len(selection_network(25, [12]))
    (140, 113)
    """
    needed, kept = set(wanted), []
    for low, high, _, _ in reversed(sorting_network(n)):
        if low in needed or high in needed:
            kept.append(Comparator(low, high, low in needed, high in needed))
            needed |= {low, high}
    return kept[::-1]
