"""Whether the rules that are checked are the published ones, and what the paper's printed formulas do instead."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from sims.aggregators import (
    RFA,
    Bulyan,
    CenteredClipping,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    MultiKrum,
    Rule,
    TrimmedMean,
)
from sims.backend import to_numpy
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from theory.claim import Context, Control, claim

VALUES = (-3, 0, 1, 5)
LINES = (  # values, the direction along which they are laid out, its length: on the axis, and in the plane, where a
    (VALUES, (1,), 1),  # wrong norm shows. Every rule maps points of such a line to what it makes of their distances.
    ((-1, 0, 2), (3, 4), 5),
)
RULES: tuple[tuple[Rule, int], ...] = (  # with the n that they are compared at; Bulyan needs n ≥ 7
    (Mean(), 5),
    (CoordinateMedian(), 5),
    (CoordinateMedian(), 6),
    (TrimmedMean(1), 6),
    (GeometricMedian(), 5),
    (GeometricMedian(), 6),
    (RFA(), 5),
    (Krum(0), 6),
    (Krum(1), 6),
    (Krum(2), 7),
    (MultiKrum(1), 6),
    (MultiKrum(2, m=3), 7),
    (Bulyan(1), 7),
    (Bulyan(1), 9),
    (CenteredClipping(1.5), 5),
    (CenteredClipping((4.0, 1.0), steps=2), 6),
)


def label(rule: Rule) -> str:
    """A rule's name with its integer parameters, as "Krum(f=1)"."""
    shown = [f"{k}={v}" for k, v in vars(rule).items() if isinstance(v, int) and k in ("f", "m", "steps")]
    return f"{type(rule).__name__}({', '.join(shown)})"


def multisets(n: int, values: Sequence[int] = VALUES) -> list[tuple[int, ...]]:
    """All multisets of n values, each once."""
    return list(itertools.combinations_with_replacement(values, n))


DEFINITION_CONTROLS = tuple(
    Control(name, because, {"implementation": wrong, "definition": right, "n": n})
    for name, because, wrong, right, n in (
        ("Krum with n − f − 1 neighbours", "ByzFL's count is another rule", Krum(2, "byzfl"), Krum(2), 7),
        ("Krum with d⁴", "the released code squares the squared distance", Krum(0, "released"), Krum(0), 6),
        ("one less trimmed", "TM(1) is not TM(2)", TrimmedMean(1), TrimmedMean(2), 6),
        ("four Weiszfeld steps", "RFA is run with three", RFA(steps=4), RFA(), 5),
        ("a larger radius", "τ = 1.6 is not τ = 1.5", CenteredClipping(1.6), CenteredClipping(1.5), 5),
        ("the mean for Bulyan", "only at f = 0", Mean(), Bulyan(1), 7),
    )
)


@claim("Every rule that is checked computes its published definition.", controls=DEFINITION_CONTROLS)
def as_published(
    ctx: Context, *, implementation: Rule | None = None, definition: Rule | None = None, n: int = 6
) -> Iterable[Evidence]:
    """The largest difference between implementation and definition over all multisets of n values, along two lines.

    Claimed: rounding.
    """
    pairs = [(rule, rule, n) for rule, n in RULES]
    if implementation is not None:
        pairs = [(implementation, definition or implementation, n)]
    for rule, exact, size in pairs:
        worst: Fraction | float = Fraction(0)
        count = 0
        for values, direction, length in LINES:
            rows = multisets(size, values)
            wanted = [exact_aggregate(exact, [[Fraction(length * v)] for v in row])[0] / length for row in rows]
            x = np.array(rows, dtype=np.float64)[..., None] * np.array(direction)
            for messages in (x, x[:, ::-1]):  # in either order, so that ties broken by index show
                output = to_numpy(rule.aggregate(ctx.asarray(messages)))
                if not np.all(np.isfinite(output)):
                    worst = math.inf
                    continue
                found = [[Fraction(float(value)) for value in y] for y in output]
                pairs_of = zip(found, wanted, strict=True)
                worst = max(worst, *(abs(v - c * w) for y, w in pairs_of for v, c in zip(y, direction, strict=True)))
            count += len(rows)
        yield Evidence(
            f"largest difference of {label(rule)} from its definition, all {count} multisets of n = {size} values",
            worst,
            "=",
            0,
            "exact",
            error=1e-12,  # values up to 10, a few roundings of 1e-15 each
            scale=1.0,
            at={"n": size, "rule": label(rule)},
        )


@claim(
    "The trimmed mean as printed in Section 3, with lower index δn, returns v when all messages are v.",
    point=5,
    controls=(Control("lower index δn + 1", "then as many terms as the divisor", {"lower": 1}, expect="survives"),),
)
def trimmed_mean_printed_index(ctx: Context, *, lower: int = 0) -> Iterable[Evidence]:
    """Σ_{i=f+lower}^{n−f} 1/(n − 2f), what TM returns when all messages are 1.

    Claimed to be 1. As printed, lower = 0.
    """
    for n, f in ((3, 1), (5, 1), (25, 5)):
        terms = len(range(f + lower, n - f + 1))
        yield Evidence(
            f"TM of {n} ones, f = {f}",
            Fraction(terms, n - 2 * f),
            "=",
            Fraction(1),
            "exact",
            covers="the sum from i = δn to n − δn has n − 2δn + 1 terms",
            at={"n": n, "f": f},
        )


def printed_krum(row: Sequence[int], f: int, with_itself: bool) -> int:
    """argmin over i of min over S, |S| = n − f − 2, of Σ_{j∈S} (x_i − x_j)².

    S may contain i itself or not; ties: the smallest.
    """
    size = len(row) - f - 2

    def score(i: int) -> int:
        others = sorted((row[i] - x) ** 2 for j, x in enumerate(row) if with_itself or j != i)
        return sum(others[:size])

    return min(range(len(row)), key=lambda i: (score(i), row[i]))


@claim(
    "Krum with the S printed in Section 3, which may contain i itself, picks the message that Krum over n − f − 2 "
    "others picks.",
    point=6,
    controls=(Control("S without i", "then it is the same rule", {"with_itself": False}, expect="survives"),),
)
def krum_printed_set(ctx: Context, *, with_itself: bool = True) -> Iterable[Evidence]:
    """The share of all multisets of n integers on which the printed S picks what Krum's exact definition picks."""
    for n, f in ((3, 0), (5, 0), (5, 1), (7, 2)):
        rows = multisets(n, range(6))
        krum = [exact_aggregate(Krum(f), [[Fraction(v)] for v in row])[0] for row in rows]
        same = sum(row[printed_krum(row, f, with_itself)] == y for row, y in zip(rows, krum, strict=True))
        yield Evidence(
            f"share of equal picks over {len(rows)} multisets of {{0, …, 5}}, n = {n}, f = {f}",
            Fraction(same, len(rows)),
            "=",
            Fraction(1),
            "exact",
            at={"n": n, "f": f},
        )
