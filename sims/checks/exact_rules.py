"""The aggregation rules once more, in rational arithmetic: slow, literal, and independent of `sims.aggregators`.

Each function is written from the rule's published definition, with loops over workers and coordinates and nothing but
rational numbers (flint's, which compute ten times as fast as `fractions.Fraction`), so that the fast rules can be held
to it exactly. Where a definition has a root in it (RFA, clipping, plain distances in Krum, the geometric median)
the oracle exists for d = 1 only. `DEFINITIONS` is a table from a rule's type to its definition; a rule that is not in
it has its definition in its own file (`Rule.exact`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeVar

from flint import fmpq

from sims.aggregators import (
    ARC,
    RFA,
    Bucketing,
    Bulyan,
    CenteredClipping,
    Clipping,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    MultiKrum,
    NearestNeighbourMixing,
    Rule,
    TrimmedMean,
)

Vector = tuple[fmpq, ...]
Number = TypeVar("Number", Fraction, fmpq)


def exact_aggregate(
    rule: Any, rows: Sequence[Sequence[Fraction]], centre: Sequence[Fraction] | None = None
) -> tuple[Fraction, ...]:
    """What `rule` returns on the n messages `rows` of d coordinates, exactly.

    The rule's type picks the definition; its parameters are read as they are, a float as the rational that it stores.
    `centre` is the state of a rule that has one, as `CenteredClipping` (None: the origin).

    Raises `ValueError` for a rule without a definition, for the centre of a rule that has none, for rows of
    unequal length or none, for n that the rule is not defined for, and for d ≠ 1 where the definition has a root in it.

    >>> from sims.aggregators import CoordinateMedian
    >>> exact_aggregate(CoordinateMedian(), [[Fraction(1)], [Fraction(2)]])
    (Fraction(3, 2),)
    """
    messages = [tuple(as_fmpq(value) for value in row) for row in rows]
    if not messages or any(len(row) != len(messages[0]) for row in messages):
        raise ValueError(f"need n ≥ 1 rows of one length, got lengths {[len(row) for row in messages]}")
    output = defined(rule, messages, None if centre is None else tuple(map(as_fmpq, centre)))
    return tuple(Fraction(int(value.p), int(value.q)) for value in output)


def defined(rule: Any, rows: list[Vector], centre: Vector | None) -> Vector:
    """The rule by its definition, here or in its own file."""
    if type(rule) in DEFINITIONS:
        return DEFINITIONS[type(rule)](rule, rows, centre)
    if not isinstance(rule, Rule):
        raise ValueError(f"no exact definition of {type(rule).__name__}")
    return stateless(lambda rule, rows: tuple(rule.exact(rows)))(rule, rows, centre)


def mean(rule: Any, rows: list[Vector]) -> Vector:
    """(1/n) Σ_i x_i."""
    return average(rows)


def coordinate_median(rule: Any, rows: list[Vector]) -> Vector:
    """The median of each coordinate, the midpoint of the two middle values when n is even."""
    return tuple(median(column) for column in zip(*rows, strict=True))


def trimmed_mean(rule: Any, rows: list[Vector]) -> Vector:
    """The average of each coordinate without its f smallest and f largest values; n ≥ 2f + 1."""
    n, f = len(rows), rule.f
    at_least("TrimmedMean", n, 2 * f + 1, f)
    output = []
    for column in zip(*rows, strict=True):
        values = sorted(column)
        for _ in range(f):
            values.remove(min(values))
            values.remove(max(values))
        output.append(sum(values, fmpq(0)) / len(values))
    return tuple(output)


def krum(rule: Any, rows: list[Vector]) -> Vector:
    """The message of lowest score, the lexicographically smallest of several; n ≥ 2f + 3, for "byzfl" n ≥ 2f + 1."""
    at_least("Krum", len(rows), 2 * rule.f + (1 if rule.variant == "byzfl" else 3), rule.f)
    scores = krum_scores(rows, neighbour_count(rule, len(rows)), rule.variant)
    return by_score(rows, scores)[0]


def multi_krum(rule: Any, rows: list[Vector]) -> Vector:
    """The average of the m messages of lowest score (m = n − f unless given), m ≤ n − f; n as for `krum`."""
    n, f = len(rows), rule.f
    at_least("MultiKrum", n, 2 * f + (1 if rule.variant == "byzfl" else 3), f)
    m = n - f if rule.m is None else rule.m
    if m > n - f:
        raise ValueError(f"MultiKrum needs m ≤ n − f, got m = {m}, n = {n}, f = {f}")
    scores = krum_scores(rows, neighbour_count(rule, n), rule.variant)
    return average(by_score(rows, scores)[:m])


def bulyan(rule: Any, rows: list[Vector]) -> Vector:
    """θ = n − 2f picks of Krum without replacement, then the mean of the θ − 2f values nearest to each median.

    With m messages left Krum looks at max(m − f − 2, 1) nearest others, or at none when m = 1. Of two values equally
    near the median the smaller one is nearer; n ≥ 4f + 3.
    """
    n, f = len(rows), rule.f
    at_least("Bulyan", n, 4 * f + 3, f)
    remaining, selected = list(rows), []
    while len(selected) < n - 2 * f:
        count = 0 if len(remaining) == 1 else max(len(remaining) - f - 2, 1)
        chosen = by_score(remaining, krum_scores(remaining, count, "paper"))[0]
        remaining.remove(chosen)
        selected.append(chosen)
    output = []
    for column in zip(*selected, strict=True):
        middle = median(column)
        nearest = sorted(column, key=lambda value, middle=middle: (abs(value - middle), value))[: n - 4 * f]
        output.append(sum(nearest, fmpq(0)) / len(nearest))
    return tuple(output)


def centered_clipping(rule: Any, rows: list[Vector], centre: Vector | None) -> Vector:
    """v ← v + (1/n) Σ_i (x_i − v) min(1, τ_l/|x_i − v|), `steps` times from `centre`; d = 1."""
    one_dimension("CenteredClipping", rows)
    if centre is not None and len(centre) != 1:
        raise ValueError(f"the centre must have the length of a message, 1, got {len(centre)}")
    v = fmpq(0) if centre is None else centre[0]
    radii = list(rule.tau) if isinstance(rule.tau, Sequence) else [rule.tau] * rule.steps
    for tau in radii:
        radius = None if unbounded(tau) else as_fmpq(rational(tau))
        clipped = fmpq(0)
        for (value,) in rows:
            away = value - v
            if radius is None or abs(away) <= radius:
                clipped += away
            else:
                clipped += radius if away > 0 else -radius
        v += clipped / len(rows)
    return (v,)


def rfa(rule: Any, rows: list[Vector]) -> Vector:
    """z ← Σ w_i x_i / Σ w_i with w_i = 1/max(ν, |x_i − z|), `steps` times from the origin; d = 1."""
    one_dimension("RFA", rows)
    z, smoothing = fmpq(0), as_fmpq(rational(rule.nu))
    for _ in range(rule.steps):
        weights = [1 / max(smoothing, abs(value - z)) for (value,) in rows]
        z = sum((w * value for w, (value,) in zip(weights, rows, strict=True)), fmpq(0)) / sum(weights)
    return (z,)


def geometric_median(rule: Any, rows: list[Vector]) -> Vector:
    """The midpoint of the points of least summed distance; d = 1, where it is the median."""
    one_dimension("GeometricMedian", rows)
    values = sorted(value for (value,) in rows)
    cost = [sum((abs(value - other) for other in values), fmpq(0)) for value in values]
    best = [value for value, c in zip(values, cost, strict=True) if c == min(cost)]
    return ((best[0] + best[-1]) / 2,)  # the objective is piecewise linear: its minimisers end at messages


def bucketing(rule: Any, rows: list[Vector], centre: Vector | None) -> Vector:
    """The means of `size` neighbours in lexicographic order, as it is without random numbers, then the inner rule."""
    ordered = sorted(rows)
    buckets = [average(ordered[k : k + rule.size]) for k in range(0, len(rows), rule.size)]
    return inner(rule, buckets, centre)


def nearest_neighbour_mixing(rule: Any, rows: list[Vector], centre: Vector | None) -> Vector:
    """Each row's mean with its n − f − 1 nearest others, the lexicographically smaller of two; n ≥ 2f + 1."""
    n, f = len(rows), rule.f
    at_least("NearestNeighbourMixing", n, 2 * f + 1, f)
    mixed = []
    for i, row in enumerate(rows):
        others = rows[:i] + rows[i + 1 :]
        squares = [sum(((a - b) ** 2 for a, b in zip(row, other, strict=True)), fmpq(0)) for other in others]
        mixed.append(average([row, *by_score(others, squares)[: n - f - 1]]))
    return inner(rule, mixed, centre)


def clipping(rule: Any, rows: list[Vector], centre: Vector | None) -> Vector:
    """Each value within the radius of 0, then the inner rule; d = 1."""
    one_dimension("Clipping", rows)
    radius = None if unbounded(rule.radius) else as_fmpq(rational(rule.radius))
    return inner(rule, rows if radius is None else [shortened(row, radius) for row in rows], centre)


def arc(rule: Any, rows: list[Vector], centre: Vector | None) -> Vector:
    """The ⌊2f(n − f)/n⌋ longest rows as long as the longest of the others, then the inner rule; d = 1, n ≥ 2f + 1."""
    n, f = len(rows), rule.f
    one_dimension("ARC", rows)
    at_least("ARC", n, 2 * f + 1, f)
    radius = sorted(abs(value) for (value,) in rows)[n - 1 - math.floor(Fraction(2 * f * (n - f), n))]
    return inner(rule, [shortened(row, radius) for row in rows], centre)


def shortened(row: Vector, radius: fmpq) -> Vector:
    """A row of one value with that in [−radius, radius]."""
    return (max(-radius, min(radius, row[0])),)


def inner(rule: Any, rows: list[Vector], centre: Vector | None) -> Vector:
    """The rule that a rule is built around, by its own definition."""
    return defined(rule.rule, rows, centre)


def stateless(definition: Callable[[Any, list[Vector]], Vector]) -> Definition:
    """The definition of a rule that is a function of the messages alone: a centre is a `ValueError`."""

    def checked(rule: Any, rows: list[Vector], centre: Vector | None) -> Vector:
        if centre is not None:
            raise ValueError(f"{type(rule).__name__} has no centre")
        return definition(rule, rows)

    return checked


Definition = Callable[[Any, list[Vector], Vector | None], Vector]  # rule, messages, centre → output
DEFINITIONS: dict[type[Rule], Definition] = {
    Mean: stateless(mean),
    CoordinateMedian: stateless(coordinate_median),
    TrimmedMean: stateless(trimmed_mean),
    Krum: stateless(krum),
    MultiKrum: stateless(multi_krum),
    Bulyan: stateless(bulyan),
    CenteredClipping: centered_clipping,
    RFA: stateless(rfa),
    GeometricMedian: stateless(geometric_median),
    Bucketing: bucketing,
    NearestNeighbourMixing: nearest_neighbour_mixing,
    Clipping: clipping,
    ARC: arc,
}


def average(rows: Sequence[Vector]) -> Vector:
    """The mean of each coordinate."""
    return tuple(sum(column, fmpq(0)) / len(rows) for column in zip(*rows, strict=True))


def median(values: Sequence[Number]) -> Number:
    """The middle value, or the midpoint of the two."""
    ordered, n = sorted(values), len(values)
    return ordered[n // 2] if n % 2 else (ordered[n // 2 - 1] + ordered[n // 2]) / 2


def neighbour_count(rule: Any, n: int) -> int:
    """How many others enter a worker's Krum score: n − f − 2, for "byzfl" n − f − 1."""
    return n - rule.f - (1 if rule.variant == "byzfl" else 2)


def krum_scores(rows: Sequence[Vector], neighbours: int, variant: str) -> list[fmpq]:
    """Each row's sum over its nearest *others* of ‖·‖², of ‖·‖ for "byzantine_momentum", of ‖·‖⁴ for "released"."""
    if variant not in ("paper", "byzfl", "byzantine_momentum", "released"):
        raise ValueError(f"no exact definition of the Krum variant {variant!r}")
    if variant == "byzantine_momentum":
        one_dimension("Krum with plain distances", rows)
    distances: list[list[fmpq]] = [[] for _ in rows]  # to the others
    for i, row in enumerate(rows):
        for j, other in enumerate(rows[:i]):
            if variant == "byzantine_momentum":
                distance = abs(row[0] - other[0])
            else:
                away = [a - b for a, b in zip(row, other, strict=True)]
                square = sum((a * a for a in away), fmpq(0))
                distance = square * square if variant == "released" else square
            distances[i].append(distance)
            distances[j].append(distance)
    return [sum(sorted(others)[:neighbours], fmpq(0)) for others in distances]


def by_score(rows: Sequence[Vector], scores: Sequence[fmpq]) -> list[Vector]:
    """The rows in ascending order of score, equal scores in lexicographic order of the rows."""
    return [row for _, row in sorted(zip(scores, rows, strict=True))]


def rational(value: Any) -> Fraction:
    """A real parameter as the rational number that it is."""
    if type(value) is Fraction:
        return value
    if isinstance(value, Fraction | int):
        return Fraction(value)
    if getattr(value, "ndim", 0):
        raise ValueError("exact definitions take one number per parameter, not an array of them")
    return Fraction(float(value))


def as_fmpq(value: Any) -> fmpq:
    """A rational, or what `Fraction` takes for one, for flint."""
    fraction = value if type(value) is Fraction else Fraction(value)
    return fmpq(fraction.numerator, fraction.denominator)


def unbounded(value: Any) -> bool:
    """Whether a radius is +∞: nothing is clipped."""
    return isinstance(value, float) and math.isinf(value)


def one_dimension(name: str, rows: Sequence[Vector]) -> None:
    """Raise a `ValueError` unless d = 1."""
    if len(rows[0]) != 1:
        raise ValueError(f"{name} has an exact definition for d = 1 only, got d = {len(rows[0])}")


def at_least(name: str, n: int, needed: int, f: int) -> None:
    """Raise a `ValueError` unless n reaches what the rule needs for f."""
    if n < needed:
        raise ValueError(f"{name} is undefined for n = {n}, f = {f}: it needs n ≥ {needed}")
