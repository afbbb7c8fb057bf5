"""The largest ratio of a rule on the line over all honest multisets of small integers, in rationals."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from sims.aggregators import Rule
from sims.checks.exact_rules import exact_aggregate
from theory.beyond_exact_constants.krum import error_ratio

Row = Sequence[Fraction]
Exact = Callable[[Sequence[Row], int], Sequence[Fraction]]
FAR = Fraction(100)


def by_definition(rule: Rule) -> Exact:
    """A rule's exact definition, which knows its f itself."""
    return lambda rows, f: exact_aggregate(rule, rows)


def worst(
    rule: Exact, n: int, f: int, honest: Iterable[int], byzantine: Sequence[Fraction | int], ordered: bool = False
) -> Fraction:
    """max ‖AGG − x̄‖²/v over honest multisets (sequences, if `ordered`) and multisets of f Byzantine values."""
    found, values = Fraction(0), tuple(honest)
    chosen = (
        itertools.product(values, repeat=n - f) if ordered else itertools.combinations_with_replacement(values, n - f)
    )
    for group in chosen:
        rows = [[Fraction(value)] for value in group]
        if len(set(group)) == 1:
            continue
        for others in itertools.combinations_with_replacement(byzantine, f):
            found = max(found, error_ratio(rule([*rows, *([Fraction(value)] for value in others)], f), rows))
    return found
