"""The least error that any rule whatever can make between several cases, by enumeration (`floors.md`, step 8).

A rule sees an array of messages and returns a number; it may depend on who sent what, and be random. The posterior mean
is best on average over the cases, and in the worst case a rule errs by at least its average. Distributions are finite
and rational: every array is looked at.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

Row = tuple[int, ...]  # one message from each worker
World = Iterable[tuple[Row, Fraction, Fraction]]  # the array, what is to be found, and their probability


def least_error(worlds: Sequence[World]) -> Fraction:
    """min over all rules of the average over the cases of E(x̂ − μ)².

    >>> coin = [((0,), Fraction(0), Fraction(1))], [((0,), Fraction(1), Fraction(1))]  # nothing tells 0 from 1
    >>> least_error(coin), least_error(coin[:1])
    (Fraction(1, 4), Fraction(0, 1))
    """
    moments: dict[Row, list[Fraction]] = {}
    for world in worlds:
        for row, target, chance in world:
            at = moments.setdefault(row, [Fraction(0)] * 3)
            for power in range(3):
                at[power] += chance * target**power
    spread = (second - first**2 / mass for mass, first, second in moments.values() if mass)
    return sum(spread, Fraction(0)) / len(worlds)


def independent_messages(law: Mapping[int, Fraction], target: Fraction, n: int) -> World:
    """n messages, each drawn from `law`."""
    for row in itertools.product(law, repeat=n):
        chance = Fraction(1)
        for value in row:
            chance *= law[value]
        yield row, target, chance


def anywhere(n: int, f: int) -> Iterator[tuple[int, ...]]:
    """Any f of n workers are Byzantine, equally likely."""
    yield from itertools.combinations(range(n), f)


def known(n: int, f: int) -> Iterator[tuple[int, ...]]:
    """The Byzantine workers are the last ones, and everybody knows it."""
    yield tuple(range(n - f, n))


def mirrored_spikes(n: int, f: int, q: Fraction, sign: int, places: Sequence[tuple[int, ...]]) -> World:
    """Theorem III's world: honest messages `sign` with probability q, else 0, and min(K, f) Byzantine ones −sign.

    K is the number of honest spikes, `places` the equally likely sets of Byzantine workers, any min(K, f) of whom
    mirror. To be found: x̄ = sign·K/g.
    """
    g = n - f
    for bad in places:
        good = [i for i in range(n) if i not in bad]
        for bits in itertools.product((0, 1), repeat=g):
            count = sum(bits)
            chance = q**count * (1 - q) ** (g - count)
            mirrors = list(itertools.combinations(bad, min(count, f)))
            for chosen in mirrors:
                row = [0] * n
                for i, bit in zip(good, bits, strict=True):
                    row[i] = sign * bit
                for i in chosen:
                    row[i] = -sign
                yield tuple(row), Fraction(sign * count, g), chance / (len(places) * len(mirrors))
