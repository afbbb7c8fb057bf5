"""Smallest maximum eigenvalue averaging."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.aggregators.distances import Either, Telling, chosen_by
from sims.aggregators.exactly import Vector, average, on_a_line, square
from sims.aggregators.rule import Promises, StatelessRule
from sims.aggregators.shortest import mean_of
from sims.aggregators.subsets import by_value, few_enough, looked_up, members, portions
from sims.backend import Array, namespace
from sims.checked import keep, whole

MOST = 2**16  # subsets that are compared


@dataclass(frozen=True)
class SMEA(StatelessRule):
    """The average of the n − f messages whose covariance has the least largest eigenvalue (Allouah et al. 2023).

    argmin over the S of n − f messages of λ_max(Σ_{i ∈ S} (x_i − x̄_S)(x_i − x̄_S)ᵀ), which is that of the matrix of
    inner products of the x_i − x̄_S, made of the distances alone. Eigenvalues that differ by less than their rounding,
    8(n − f)²·ε, count as equal, and are decided for the lexicographically smallest subset. Messages may be of any
    length. Needs n ≥ 2f + 1 and at most 65536 subsets. Source: "On the privacy-robustness-utility trilemma in
    distributed learning", ICML 2023, arXiv 2302.04787.

    >>> import numpy as np
    >>> SMEA(f=1).aggregate(np.array([[0.0], [1.0], [2.0], [1e9]]))
    array([1.])
    """

    f: int

    def __post_init__(self) -> None:
        keep(self, whole, "f", least=0)

    @property
    def promises(self) -> Promises:
        """All; the mean at f = 0."""
        return Promises(mean=self.f == 0)

    def require(self, n: int) -> None:
        """Raise unless n ≥ 2f + 1 and the subsets are few enough."""
        few_enough("SMEA", n, self.f, MOST)

    def breakdown(self, n: int) -> int:
        """The declared f: some honest message is in, and the largest eigenvalue is at most that of honest ones."""
        return self.f

    def exact(self, rows: Sequence[Vector]) -> list[Any]:
        """Subset by subset; d = 1, where the eigenvalue is the sum of squares around the mean."""
        self.require(len(rows))
        on_a_line("SMEA", rows)

        def order(subset: Sequence[Vector]) -> Any:
            mean = average(subset)
            return sum(square(row, mean) for row in subset), subset

        return average(min(itertools.combinations(sorted(map(tuple, rows)), len(rows) - self.f), key=order))

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        f, n = self.f, x.shape[-2]
        return mean_of(x, chosen_by(x, f, functools.partial(_flattest, n=n, m=n - f))[0])


def _flattest(distances: Either, n: int, m: int) -> tuple[Array, list[Telling]]:
    """The subset of the least largest eigenvalue, (..., m), by value; and that eigenvalue."""
    order, flat = by_value(distances, m - 1)
    xp = namespace(flat)
    if m == 1:
        return order[..., :1], [(flat[..., :0], None)]
    largest = xp.concat(
        [
            largest_eigenvalues(looked_up(flat, table[:, :, None].astype(np.int64) * n + table[:, None, :]))
            for _, table in portions(flat, n, m, m * m)
        ],
        axis=-1,
    )
    least = xp.min(largest, axis=-1, keepdims=True)
    equal = largest <= least * (1 + 8 * m * m * xp.finfo(largest.dtype).eps)
    chosen = xp.argmax(xp.astype(equal, xp.int32), axis=-1, keepdims=True)
    return members(order, chosen, n, m), [(least, None)]


def largest_eigenvalues(squares: Array) -> Array:
    """The largest eigenvalue of the scatter matrix of messages by their squared distances, (..., m, m) → (...).

    The inner products of the differences from the mean are −½(D_ij − r_i − r_j + g), r the means of the rows of D and g
    their mean: each is off by 2mε of the largest distance, which is at most four times the eigenvalue, and the
    eigenvalue by m times as much. Infinite where a distance is.
    """
    xp = namespace(squares)
    far = xp.isinf(squares)
    squares = xp.where(far | (squares < 0), xp.zeros_like(squares), squares)
    rows = xp.mean(squares, axis=-1)
    total = xp.mean(rows, axis=-1)[..., None, None]
    products = -0.5 * (squares - rows[..., :, None] - rows[..., None, :] + total)
    found = xp.linalg.eigvalsh(products)[..., -1]
    infinite = xp.full_like(found, float("inf"))
    return xp.where(xp.any(xp.any(far, axis=-1), axis=-1), infinite, found)
