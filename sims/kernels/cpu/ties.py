"""The lexicographic order of few long messages, which decides ties by value."""

from __future__ import annotations

import functools

import numpy as np

FEW = 4  # coordinates that tell almost all messages apart


def lexicographic_ranks(messages: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """How many messages (n, d) are lexicographically smaller than each, (n,); one that is not alive counts as zero."""
    n, d = messages.shape
    rows = [messages[i] if alive[i] else np.zeros(d, messages.dtype) for i in range(n)]
    beginning = np.stack([row[:FEW] for row in rows])
    order = list(np.lexsort(beginning.T[::-1]))
    ranks = np.zeros(n, dtype=np.int64)
    first = 0
    while first < n:
        last = first + 1
        while last < n and np.array_equal(beginning[order[last]], beginning[order[first]]):
            last += 1
        _rank_equal_beginnings(rows, order[first:last], first, ranks)
        first = last
    return ranks


def _rank_equal_beginnings(rows: list[np.ndarray], members: list[int], smaller: int, ranks: np.ndarray) -> None:
    """Fill in the ranks of the messages `members`, when `smaller` others come before all of them."""
    members = sorted(members, key=functools.cmp_to_key(lambda i, j: _compare(rows[i], rows[j])))
    for position, i in enumerate(members):
        before = members[position - 1]
        tied = position > 0 and _compare(rows[before], rows[i]) == 0
        ranks[i] = ranks[before] if tied else smaller + position


def _compare(a: np.ndarray, b: np.ndarray) -> int:
    """−1, 0 or 1 as a is lexicographically smaller than b, equal, or larger."""
    differs = a != b
    at = int(np.argmax(differs))
    return 0 if not differs[at] else -1 if a[at] < b[at] else 1
