"""Who is learned, and whose gradients are kept, when classes have the shares 1, γ, …, γ⁹."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from theory.experiments.results import Cell, NotRunError

CLASSES = 10
HEAD, TAIL = range(2), range(2, CLASSES)  # classes 1 and 2 of the paper, and the other eight


def portion(gamma: float, classes: Iterable[int] = HEAD) -> float:
    """The share of these classes in the data.

    >>> round(portion(0.5), 4)
    0.7507
    """
    return sum(gamma**k for k in classes) / sum(gamma**k for k in range(CLASSES))


def accuracy(cell: Cell, classes: Iterable[int], gamma: float) -> dict[int, float]:
    """The accuracy after the last round on images of these classes together, by seed."""
    return _weighted(cell.last, "accuracy", classes, gamma)


def kept(cell: Cell, classes: Iterable[int], gamma: float) -> dict[int, float]:
    """How much of the gradients of these classes is kept over all rounds, in the mean by their shares, by seed."""
    return _weighted(cell.over_time, "kept", classes, gamma)


def _weighted(measured: Callable[[str], dict[int, float]], name: str, classes: Iterable[int], gamma: float):
    """The mean of `name_k` over classes by γ^k, those left out that a run has no number for: rare ones, of no image."""
    every = {k: measured(f"{name}_{k}") for k in classes}
    seeds = next(iter(every.values()))
    found = {}
    for seed in seeds:
        there = {k: values[seed] for k, values in every.items() if not math.isnan(values[seed])}
        if not there:
            raise NotRunError(f"{name} has no number for any of the classes")
        found[seed] = sum(gamma**k * value for k, value in there.items()) / sum(gamma**k for k in there)
    return found
