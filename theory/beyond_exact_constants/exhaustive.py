"""The largest ratio of a rule on the line over all honest multisets of small integers, in rationals."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from fractions import Fraction

from flint import fmpq

from sims.aggregators import Rule
from sims.checks.exact_rules import as_fmpq, defined
from theory.beyond_exact_constants.definitions import Exact
from theory.beyond_exact_constants.krum import error_ratio

FAR = Fraction(100)


def by_definition(rule: Rule) -> Exact:
    """A rule's exact definition, which knows its f itself."""
    return lambda rows, f: defined(rule, [tuple(row) for row in rows], None)


def worst(
    rule: Exact, n: int, f: int, honest: Iterable[int], byzantine: Sequence[Fraction | int], ordered: bool = False
) -> Fraction:
    """max ‖AGG − x̄‖²/v over honest multisets (sequences, if `ordered`) and multisets of f Byzantine values."""
    found, values, far = fmpq(0), tuple(honest), [(as_fmpq(value),) for value in byzantine]
    chosen = (
        itertools.product(values, repeat=n - f) if ordered else itertools.combinations_with_replacement(values, n - f)
    )
    for group in chosen:
        rows = [(fmpq(value),) for value in group]
        if len(set(group)) == 1:
            continue
        for others in itertools.combinations_with_replacement(far, f):
            found = max(found, error_ratio(rule([*rows, *others], f), rows))
    return Fraction(int(found.p), int(found.q))
