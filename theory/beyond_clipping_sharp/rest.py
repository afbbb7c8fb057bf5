"""Where clipping with one radius comes to rest on the line, in rationals, and the bound that holds of it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from fractions import Fraction


def resting_place(good: Mapping[Fraction, int], push: int, tau: Fraction) -> Fraction:
    """The largest v at which clipping rests: `good` has places and how many are there, `push` bad ones lie beyond.

    The pull Σ_i clip_τ(x_i − v) + push·τ falls with v and is linear between the places x ± τ. Raises `ValueError`
    where it has no zero.

    >>> resting_place({Fraction(0): 3}, 1, Fraction(1))
    Fraction(1, 3)
    """

    def pull(v: Fraction) -> Fraction:
        return sum((count * min(max(x - v, -tau), tau) for x, count in good.items()), Fraction(0)) + push * tau

    places = sorted({x + side * tau for x, count in good.items() if count for side in (-1, 1)}, reverse=True)
    for high, low in itertools.pairwise(places):
        at_high, at_low = pull(high), pull(low)
        if at_high == 0:
            return high
        if at_high < 0 <= at_low:
            return low + (high - low) * at_low / (at_low - at_high)
    raise ValueError(f"{push} bad messages move {sum(good.values())} good ones without end")


def mean_and_variance(rows: Sequence[Fraction]) -> tuple[Fraction, Fraction]:
    """x̄ and V = avg (x_i − x̄)²."""
    mean = sum(rows, Fraction(0)) / len(rows)
    return mean, sum(((x - mean) ** 2 for x in rows), Fraction(0)) / len(rows)


def bound(beta: Fraction, tau: Fraction, variance: Fraction) -> Fraction:
    """βτ + V/(4(1 − β)τ)."""
    return beta * tau + variance / (4 * (1 - beta) * tau)
