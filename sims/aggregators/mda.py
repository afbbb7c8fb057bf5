"""Minimum diameter averaging."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sims.aggregators.distances import Either, Telling, chosen_by
from sims.aggregators.exactly import Vector, average, square
from sims.aggregators.shortest import mean_of
from sims.aggregators.subsets import by_value, candidates, few_enough, looked_up, members, portions
from sims.aggregators.told import ToldF
from sims.backend import Array, namespace

MOST = 2**18  # subsets that are compared


@dataclass(frozen=True)
class MDA(ToldF):
    """The average of the n − f messages of least diameter (minimum diameter averaging; El Mhamdi et al. 2020).

    argmin over the S of n − f messages of max_{i, j ∈ S} ‖x_i − x_j‖. Of several the one with the least sum of squared
    distances, which is n − f times its scatter: several of one diameter are nothing rare, for two messages decide it,
    and others between them are exchangeable. Of several still the lexicographically smallest. Distances are rounded, as
    in `Krum`, of messages of any length. Needs n ≥ 2f + 1 and at most 262144 subsets. Source: "Genuinely distributed
    Byzantine machine learning", PODC 2020, after Rousseeuw's estimators of minimum volume (1985).

    It bears f: some honest message is in, and the diameter is at most the honest one.

    >>> import numpy as np
    >>> MDA(f=1).aggregate(np.array([[0.0], [1.0], [2.0], [1e9]]))
    array([1.])
    """

    needs: ClassVar[str] = "n ≥ 2f + 1, at most 2¹⁸ subsets of n − f"

    def require(self, n: int) -> None:
        """Raise unless n ≥ 2f + 1 and the subsets are few enough."""
        few_enough("MDA", n, self.f, MOST)

    def exact(self, rows: Sequence[Vector]) -> list[Any]:
        """Subset by subset."""
        self.require(len(rows))

        def order(subset: Sequence[Vector]) -> Any:
            squares = [square(a, b) for a, b in itertools.combinations(subset, 2)]
            return max(squares, default=0), sum(squares), subset

        return average(min(itertools.combinations(sorted(map(tuple, rows)), len(rows) - self.f), key=order))

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        f, (n, d) = self.f, x.shape[-2:]
        table = candidates(n, n - f, d)
        return mean_of(x, chosen_by(x, f, functools.partial(_tightest, table=table, n=n))[0])


def _tightest(distances: Either, table: np.ndarray, n: int) -> tuple[Array, list[Telling]]:
    """The subset of least diameter, (..., m), by value; its diameter and sum of squared distances."""
    m = table.shape[-1]
    order, flat = by_value(distances, m - 1)
    xp = namespace(flat)
    first, second = np.triu_indices(m, 1)
    if not len(first):
        return order[..., :1], [(flat[..., :0], None)]
    found: list[Array] = []
    for start, some in portions(table, flat, len(first)):
        pairs = looked_up(flat, some[:, first].astype(np.int64) * n + some[:, second])
        diameters, sums = xp.max(pairs, axis=-1), xp.sum(pairs, axis=-1)
        least = xp.min(diameters, axis=-1, keepdims=True)
        sums = xp.where(diameters == least, sums, xp.full_like(sums, float("inf")))
        place = xp.argmin(sums, axis=-1, keepdims=True)
        here = [least, xp.take_along_axis(sums, place, axis=-1), place + start]
        if found:
            better = (here[0] < found[0]) | ((here[0] == found[0]) & (here[1] < found[1]))
            here = [xp.where(better, new, old) for new, old in zip(here, found, strict=True)]
        found = here
    diameter, total, chosen = found
    return members(order, table, chosen), [(xp.concat([diameter, total], axis=-1), None)]
