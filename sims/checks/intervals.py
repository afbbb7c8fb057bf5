"""Proofs over boxes by interval arithmetic: branch and bound with the balls of python-flint (Johansson 2017).

A function of a few real variables is evaluated on a box of exact rationals in ball arithmetic, which returns a ball
that contains every value taken there, rounding included. Boxes whose ball lies too high are halved until the largest
value is enclosed tightly enough. A ball [0, x] may dip below 0 by a rounding and make its root NaN: write the function
in u = √δ instead of δ. A NaN proves nothing; its box is halved like any other.
"""

from __future__ import annotations

import functools
import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from flint import arb, ctx, fmpq

from sims import checked
from sims.checks.evidence import Evidence

Side = tuple[Fraction, Fraction]
Box = tuple[Side, ...]
Bound = Fraction | float  # a rational, or an infinity
PRECISION = 64  # bits


@dataclass(frozen=True)
class Enclosure:
    """low ≤ the largest value on the box ≤ high, with the point that takes at least `low` and the number of boxes."""

    low: Bound
    high: Bound
    at: tuple[Fraction, ...]
    boxes: int

    def verdict(self, limit: Fraction) -> Literal["proved", "refuted", "undecided"]:
        """Whether the function is ≤ limit on the whole box."""
        if self.high <= limit:
            return "proved"
        return "refuted" if self.low > limit else "undecided"

    @property
    def middle(self) -> float:
        """The middle of [low, high]; infinite if no bound was found on one side."""
        return float((self.low + self.high) / 2) if math.isfinite(self.high - self.low) else math.inf

    @property
    def error(self) -> float:
        """A radius around `middle` that covers [low, high]."""
        if not math.isfinite(self.middle):
            return math.inf
        middle = Fraction(self.middle)
        radius = max(self.high - middle, middle - self.low)
        return math.nextafter(float(radius), math.inf) if radius else 0.0


def ball(side: Side) -> arb:
    """A ball that contains the interval."""
    low, high = (arb(fmpq(end.numerator, end.denominator)) for end in side)
    return low.union(high)


def rational(value: arb) -> Fraction:
    """The exact value of a ball without radius."""
    mantissa, exponent = map(int, value.man_exp())
    return Fraction(mantissa << exponent) if exponent >= 0 else Fraction(mantissa, 1 << -exponent)


def exact(value: Fraction | int | str) -> arb:
    """The smallest ball around a rational, as "6.45", at the present precision."""
    fraction = Fraction(value)
    return arb(fmpq(fraction.numerator, fraction.denominator))


def larger(*values: arb) -> arb:
    """The largest of several values, as a ball."""
    return functools.reduce(lambda a, b: a.max(b), values)


def enclose_maximum(
    function: Callable[..., arb],
    box: Sequence[Side],
    relative: float = 1e-3,
    limit: Fraction | None = None,
    most: int = 20_000,
) -> Enclosure:
    """Enclose the largest value of `function` (one ball per variable → a ball) over the box, to `relative` accuracy.

    Stops earlier once a value above `limit` is found, and after about `most` boxes in any case. Deterministic. Raises
    `ValueError` for a side with low > high.

    >>> found = enclose_maximum(lambda x: x * (1 - x), [(Fraction(0), Fraction(1))])
    >>> found.low <= Fraction(1, 4) <= found.high, found.verdict(Fraction(26, 100))
    (True, 'proved')
    """
    relative = checked.real("enclose_maximum", "relative", relative, above=0, below=1)
    most = checked.whole("enclose_maximum", "most", most, least=1)
    if any(low > high for low, high in box):
        raise ValueError(f"every side of a box needs low ≤ high, got {[(str(low), str(high)) for low, high in box]}")
    whole = tuple((Fraction(low), Fraction(high)) for low, high in box)
    precision, ctx.prec = ctx.prec, PRECISION
    try:
        queue = [(-upper(function, whole), 0, whole)]  # the highest bound first, the older of equals
        at = middle_of(whole)
        low = lower(function, at)
        boxes = 1
        while boxes < most:
            high = -queue[0][0]
            if limit is not None and low > limit:
                break
            if (
                math.isfinite(high)
                and math.isfinite(low)
                and high - low <= Fraction(relative) * max(abs(low), abs(high))
            ):
                break
            part = heapq.heappop(queue)[2]
            halves = halve(part, whole)
            if not halves:  # a single point that could not be evaluated
                heapq.heappush(queue, (-math.inf, boxes, part))
                break
            for half in halves:
                heapq.heappush(queue, (-upper(function, half), boxes, half))
                boxes += 1
                middle = middle_of(half)
                value = lower(function, middle)
                if value > low:
                    low, at = value, middle
        return Enclosure(low, -queue[0][0], at, boxes)
    finally:
        ctx.prec = precision


def enclosed(what: str, found: Enclosure, limit: Fraction, covers: str) -> Evidence:
    """The enclosed maximum beside the claimed limit; the value at a point where that alone refutes the claim.

    An interval that straddles the limit proves nothing, however narrow it is.
    """
    if found.verdict(limit) == "refuted":
        value = float(found.low)
        return Evidence(what, value, "<=", limit, "proved", math.ulp(value), covers)
    return Evidence(what, found.middle, "<=", limit, "proved", found.error, covers, resolution=0.0)


def upper(function: Callable[..., arb], part: Box) -> Bound:
    """A bound above all values on the box; ∞ where the ball has none."""
    value = function(*map(ball, part))
    return rational(value.upper()) if value.is_finite() else math.inf


def lower(function: Callable[..., arb], point: tuple[Fraction, ...]) -> Bound:
    """A bound below the value at a point; −∞ where the ball has none."""
    value = function(*map(exact, point))
    return rational(value.lower()) if value.is_finite() else -math.inf


def middle_of(part: Box) -> tuple[Fraction, ...]:
    """The middle of a box."""
    return tuple((low + high) / 2 for low, high in part)


def halve(part: Box, whole: Box) -> list[Box]:
    """The two halves across the side that is longest relative to the whole box; nothing for a point."""
    lengths = [(high - low) / ((w - v) or 1) for (low, high), (v, w) in zip(part, whole, strict=True)]
    i = lengths.index(max(lengths))
    if not lengths[i]:
        return []
    low, high = part[i]
    middle = (low + high) / 2
    return [(*part[:i], side, *part[i + 1 :]) for side in ((low, middle), (middle, high))]
