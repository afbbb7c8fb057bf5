"""Times of contenders that take turns, and intervals that ask nothing of the distribution of their noise."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

SHORTEST = 2e-3  # seconds of work behind one time: shorter calls are repeated

Call = Callable[[], Any]


def seconds_of(call: Call, long: float = math.inf) -> float:
    """The time of one hot call: it runs once unmeasured, then as often as makes `SHORTEST` seconds.

    A first call of `long` seconds or more is itself the time: nothing that such a call warms takes as long.
    """
    start = time.perf_counter()
    call()
    first = time.perf_counter() - start
    if first >= long:
        return first
    calls = max(1, math.ceil(SHORTEST / max(first, 1e-9)))
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls


def single(call: Call) -> float:
    """The time of one call that is long enough to need no other."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def take_turns(
    tables: Mapping[str, Callable[[np.random.Generator], Mapping[str, Call]]],
    rounds: int,
    seed: int,
    clock: Callable[[Call], float] = seconds_of,
) -> dict[str, dict[str, float]]:
    """Every contender of every table once a round, in a random order: the median time of each, in seconds.

    A table prepares its contenders anew in every round, so that a lucky place in memory does not last; its contenders
    follow each other at once, so that their ratios share the machine's mood.
    """
    rng = np.random.Generator(np.random.Philox(seed))
    names = list(tables)
    times: dict[str, dict[str, list[float]]] = {name: {} for name in names}
    for _ in range(rounds):
        for k in rng.permutation(len(names)):
            contenders, found = tables[names[k]](rng), times[names[k]]
            order = list(contenders)
            for who in order:
                found.setdefault(who, [])
            for i in rng.permutation(len(order)):
                found[order[i]].append(clock(contenders[order[i]]))
    return {name: {who: float(np.median(t)) for who, t in found.items()} for name, found in times.items()}


def interval(values: Sequence[float], tail: float) -> tuple[float, float]:
    """An interval that misses the median of the law of `values` on each side with probability at most `tail`.

    Between the j-th smallest and the j-th largest of k independent values, for the largest j with P(Bin(k, ½) < j) ≤
    tail: the j-th smallest lies above the median only if fewer than j values lie at or below it (David and Nagaraja
    2003, Order Statistics, 7.1). Nothing is asked of the law. From −∞ to ∞ if the values are too few.

    >>> interval(range(1, 16), 0.025)
    (4.0, 12.0)
    >>> interval([1.0, 2.0], 0.025)
    (-inf, inf)
    """
    ordered, k = sorted(map(float, values)), len(values)
    j, below = 0, 0.0
    while j < k and (below := below + math.comb(k, j) * 0.5**k) <= tail:
        j += 1
    return (ordered[j - 1], ordered[k - j]) if j else (-math.inf, math.inf)


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Process by process."""
    return [a / b for a, b in zip(above, below, strict=True)]


def slopes(sizes: Sequence[float], times: Sequence[Sequence[float]]) -> list[float]:
    """The growth exponent in each process: the least-squares slope of log time over log size.

    `times` has a row for each size and a column for each process.

    >>> [round(s, 9) for s in slopes([1, 2, 4], [[3.0, 1.0], [6.0, 4.0], [12.0, 16.0]])]
    [1.0, 2.0]
    """
    x = np.log(np.asarray(sizes, dtype=float))
    x -= np.mean(x)
    return (x @ np.log(np.asarray(times, dtype=float)) / np.sum(x * x)).tolist()
