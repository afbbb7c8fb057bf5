"""What an aggregation costs: how its operations grow with n and d, by counting, and how its time grows, by the clock.

Counting runs the rule on arrays that count (`sims.checks.counting`), at the f that it declares; a rule that is not
written on the array API alone cannot be counted. Where the counts are a polynomial in n (or d), its degree is exact;
elsewhere the exponent is that between the smallest size and the largest. The clock's exponents are medians of the
slopes between any two of three sizes (Theil 1950, Sen 1968), each by its fastest call; small ones are mostly overhead.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from byzcheck.audit.ask import PURPOSE, as_messages, generator
from byzcheck.audit.line import Line
from sims.aggregators import Rule
from sims.backend import Array
from sims.checks.counting import Tally, count, degree
from sims.checks.draws import Draws
from sims.checks.evidence import Evidence
from sims.owned import told

STEPS, STEP = 6, 10  # values of n, from the one asked for
WIDTHS = (4, 5, 6, 7, 8, 9)  # values of d
MOST_OPERATIONS = 3 * 10**7  # counted in one go: no larger size is begun
MOST_NUMBERS = 2**22  # n·d of what is timed
SLOW = 0.02  # seconds for a call, after which no larger size is begun: a rule may hold all differences of its messages
CALLS = 9  # of which the fastest is taken
LONGEST = 80  # characters of what an error says
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def lines(
    rule: Rule, n: int, f: int, seed: int = 0, like: Array | None = None, clock: Callable[[], float] = time.perf_counter
) -> tuple[Line, ...]:
    """The exponents in n and d by counting and by the clock."""
    return counted(rule, n, seed), timed(rule, n, seed, like, clock)


def counted(rule: Rule, n: int, seed: int = 0) -> Line:
    """How many operations an aggregation takes, and how they grow."""
    try:
        first = count(rule, _messages(n, WIDTHS[0], seed))
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # whatever somebody's own code does with an array that it does not know
        why = told(error)
        why = why if len(why) <= LONGEST else f"{why[: LONGEST - 1]}…"
        says = f"operations cannot be counted: the rule is not written on the array API alone ({why})"
        return Line("operations", says, "counted")
    by_n = _counts(rule, [(m, WIDTHS[0]) for m in range(n, n + STEP * STEPS, STEP)], seed)
    by_d = _counts(rule, [(n, d) for d in WIDTHS], seed)
    parts = []
    for what in ("operations", "comparisons"):
        if not getattr(first, what):
            continue
        powers = [
            power(name, sizes, [getattr(tally, what) for tally in tallies])
            for name, (sizes, tallies) in (("n", by_n), ("d", by_d))
        ]
        parts.append(f"{what} grow as {'·'.join(p for p in powers if p) or 'a constant'}")
    says = f"{' and '.join(parts) or 'there are no operations'}: {first.total:,} at n = {n}, d = {WIDTHS[0]}"
    times = first.total / (n * WIDTHS[0])
    at = {"n": n, "d": WIDTHS[0]}
    evidence = Evidence(f"operations and comparisons for a number sent, n = {n}", times, ">=", 0, "exact", at=at)
    return Line("operations", says, "counted", f"{times:.3g} for each number that is sent", None, (evidence,))


def timed(rule: Rule, n: int, seed: int, like: Array | None, clock: Callable[[], float] = time.perf_counter) -> Line:
    """How long an aggregation takes, and how that grows."""
    widths = [4**k for k in range(3, 12) if n * 4**k <= MOST_NUMBERS]
    by_d = _times(rule, [(n, d) for d in widths or [1]], seed, like, clock)
    by_d = by_d[0][-3:], by_d[1][-3:]
    by_n = _times(rule, [(m, by_d[0][0]) for m in (n, 2 * n, 4 * n)], seed, like, clock)
    slopes = [
        f"{name}^{slope(sizes, times):.1f}" for name, (sizes, times) in (("n", by_n), ("d", by_d)) if len(sizes) > 1
    ]
    sizes, times = by_d
    says = f"an aggregation of n = {n}, d = {sizes[-1]} takes {1e3 * times[-1]:.3g} ms here"
    if slopes:
        says += f", and grows as {'·'.join(slopes)} up to there"
    return Line("time", says, "measured")


def power(name: str, sizes: Sequence[int], counts: Sequence[int]) -> str:
    """How counts grow with a size: a power of it, exact where they are a polynomial; nothing where they stay the same.

    n log n stands for n⌈log₂ n⌉, which is how sorts are counted.

    >>> power("n", [1, 2, 3, 4, 5], [1, 4, 9, 16, 25]), power("d", [4, 8], [8, 24]), power("d", [4, 8], [7, 7])
    ('n²', 'd^1.58', '')
    """
    seen = [(size, number) for size, number in zip(sizes, counts, strict=True) if number and size > 1]
    for k in (1, 2, 3):
        sorts = {Fraction(number, size**k * math.ceil(math.log2(size))) for size, number in seen}
        if len(seen) > 2 and len(sorts) == 1:
            return f"{name if k == 1 else name + str(k).translate(SUPERSCRIPTS)} log {name}"
    try:
        found = degree(counts)
    except ValueError:
        exponent = slope((seen[0][0], seen[-1][0]), (seen[0][1], seen[-1][1])) if len(seen) > 1 else 0.0
        return f"{name}^{exponent:.3g}" if exponent else ""
    return "" if not found else name if found == 1 else f"{name}{str(found).translate(SUPERSCRIPTS)}"


def slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The median of the slopes of log value over log size between any two sizes.

    >>> slope([1, 2, 4], [3.0, 12.0, 48.0])
    2.0
    """
    points = [(math.log2(size), math.log2(max(value, 1e-18))) for size, value in zip(sizes, values, strict=True)]
    found = [(v - u) / (b - a) for (a, u), (b, v) in itertools.combinations(points, 2)]
    return float(np.median(found))


def _counts(rule: Rule, sizes: Sequence[tuple[int, int]], seed: int) -> tuple[list[int], list[Tally]]:
    """The sizes (n or d, whichever varies) that were counted, and what they cost."""
    varies = 0 if len({n for n, _ in sizes}) > 1 else 1
    kept, tallies = [], []
    for size in sizes:
        try:
            tallies.append(count(rule, _messages(*size, seed)))
        except ValueError:  # the rule is not defined for so many workers
            break
        kept.append(size[varies])
        if tallies[-1].total > MOST_OPERATIONS:
            break
    return kept, tallies


def _times(
    rule: Rule, sizes: Sequence[tuple[int, int]], seed: int, like: Array | None, clock: Callable[[], float]
) -> tuple[list[int], list[float]]:
    varies = 0 if len({n for n, _ in sizes}) > 1 else 1
    kept, times = [], []
    for n, d in sizes:
        x = as_messages(_messages(n, d, seed), like)
        calls: list[float] = []
        try:
            rule.aggregate(x, None, Draws(PURPOSE, x))  # which compiles, and fills caches
            while len(calls) < CALLS and not (calls and calls[-1] > SLOW):
                start = clock()
                rule.aggregate(x, None, Draws(PURPOSE, x))
                calls.append(clock() - start)
        except ValueError:
            break  # the rule is not defined for so many workers
        kept.append((n, d)[varies])
        times.append(min(calls))
        if times[-1] > SLOW:
            break
    return kept, times


def _messages(n: int, d: int, seed: int) -> np.ndarray:
    """n distinct whole-numbered messages: the same count wherever an iteration stops by itself."""
    return generator(seed, n, d, 7).permutation(4 * n * d)[: n * d].reshape(n, d).astype(np.float64)
