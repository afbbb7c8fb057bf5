"""The rows of a run, one for each recorded time, as one with lists: what is the same in all is said once."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any


def folded(rows: Iterable[Mapping[str, Any]], over_time: Collection[str]) -> Iterator[dict[str, Any]]:
    """Rows that follow each other and differ in `over_time` alone as one, with a list for each of these; NaN is null.

    >>> list(folded([{"seed": 0, "t": 0, "loss": 2.0}, {"seed": 0, "t": 9, "loss": 1.0}], ("t", "loss")))
    [{'seed': 0, 't': [0, 9], 'loss': [2.0, 1.0]}]
    """
    for fixed, group in itertools.groupby(rows, lambda row: [(k, v) for k, v in row.items() if k not in over_time]):
        run = list(group)
        yield dict(fixed) | {k: [None if row[k] != row[k] else row[k] for row in run] for k in run[0] if k in over_time}


def unfolded(runs: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows of which `folded` made these.

    >>> list(unfolded([{"seed": 0, "t": [0, 9], "loss": [2.0, 1.0]}]))
    [{'seed': 0, 't': 0, 'loss': 2.0}, {'seed': 0, 't': 9, 'loss': 1.0}]
    """
    for run in runs:
        over_time = [name for name, value in run.items() if isinstance(value, list)]
        for values in zip(*(run[name] for name in over_time), strict=True):
            yield {**run, **dict(zip(over_time, values, strict=True))}
