"""Smallest maximum eigenvalue averaging."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sims.aggregators.distances import Either, Telling, chosen_by
from sims.aggregators.exactly import Vector, average, on_a_line, square
from sims.aggregators.shortest import mean_of
from sims.aggregators.subsets import by_value, candidates, few_enough, looked_up, members, portions
from sims.aggregators.told import ToldF
from sims.backend import Array, namespace

MOST = 2**16  # subsets that are compared


@dataclass(frozen=True)
class SMEA(ToldF):
    """The average of the n − f messages whose covariance has the least largest eigenvalue (Allouah et al. 2023).

    argmin over the S of n − f messages of λ_max(Σ_{i ∈ S} (x_i − x̄_S)(x_i − x̄_S)ᵀ), which is that of the matrix of
    inner products of the x_i − x̄_S, made of the distances alone. Eigenvalues that differ by less than their rounding,
    8(n − f)²·ε, count as equal, and are decided for the lexicographically smallest subset. Messages may be of any
    length. Needs n ≥ 2f + 1 and at most 65536 subsets. Source: "On the privacy-robustness-utility trilemma in
    distributed learning", ICML 2023, arXiv 2302.04787.

    It bears f: some honest message is in, and the largest eigenvalue is at most that of honest ones.

    >>> import numpy as np
    >>> SMEA(f=1).aggregate(np.array([[0.0], [1.0], [2.0], [1e9]]))
    array([1.])
    """

    needs: ClassVar[str] = "n ≥ 2f + 1, at most 2¹⁶ subsets of n − f"

    def require(self, n: int) -> None:
        """Raise unless n ≥ 2f + 1 and the subsets are few enough."""
        few_enough("SMEA", n, self.f, MOST)

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
        f, (n, d) = self.f, x.shape[-2:]
        table = candidates(n, n - f, d)
        return mean_of(x, chosen_by(x, f, functools.partial(_flattest, table=table, n=n))[0])


def _flattest(distances: Either, table: np.ndarray, n: int) -> tuple[Array, list[Telling]]:
    """The subset of the least largest eigenvalue, (..., m), by value; and that eigenvalue."""
    m = table.shape[-1]
    order, flat = by_value(distances, m - 1)
    xp = namespace(flat)
    if m == 1:
        return order[..., :1], [(flat[..., :0], None)]
    slack, found = 8 * m * m * float(xp.finfo(flat.dtype).eps), []
    best = xp.full_like(flat[..., :1], float("inf"))
    for _, some in portions(table, flat, m * m):
        products, far = inner_products(looked_up(flat, some[:, :, None].astype(np.int64) * n + some[:, None, :]))
        found.append(_largest(products, far, best, slack))
        best = xp.minimum(best, xp.min(found[-1], axis=-1, keepdims=True))
    largest = xp.concat(found, axis=-1)
    least = xp.min(largest, axis=-1, keepdims=True)
    equal = largest <= least * (1 + slack)
    chosen = xp.argmax(xp.astype(equal, xp.int32), axis=-1, keepdims=True)
    return members(order, table, chosen), [(least, None)]


def inner_products(squares: Array) -> tuple[Array, Array]:
    """Those of messages' differences from their mean by squared distances, (..., m, m) each; whether one is infinite.

    −½(D_ij − r_i − r_j + g), r the means of the rows of D and g their mean. Each is off by 2mε of the largest distance
    at most, which is at most four times the largest eigenvalue, and the eigenvalue by m times as much.
    """
    xp = namespace(squares)
    infinite = xp.isinf(squares)
    far = xp.any(xp.any(infinite, axis=-1), axis=-1)
    squares = xp.where(infinite | (squares < 0), xp.zeros_like(squares), squares)
    rows = xp.mean(squares, axis=-1)
    total = xp.mean(rows, axis=-1)[..., None, None]
    return -0.5 * (squares - rows[..., :, None] - rows[..., None, :] + total), far


def _largest(products: Array, far: Array, best: Array, slack: float) -> Array:
    """The largest eigenvalues, (..., m, m) → (...); infinite where `far`, and on the host where surely above `best`."""
    xp = namespace(products)
    if type(products) is not np.ndarray:
        found = xp.linalg.eigvalsh(products)[..., -1]
        return xp.where(far, xp.full_like(found, float("inf")), found)
    bound = np.where(far, np.inf, _at_least(products))
    if bound.size:  # the most promising one first
        first = np.argmin(bound, axis=-1, keepdims=True)
        candidate = np.linalg.eigvalsh(np.take_along_axis(products, first[..., None, None], axis=-3))[..., -1]
        best = np.minimum(best, np.where(np.take_along_axis(far, first, axis=-1), np.inf, candidate))
    open_ = (bound <= best * (1 + 2 * slack)) & ~far
    found = np.full(far.shape, np.inf)
    found[open_] = np.linalg.eigvalsh(products[open_])[..., -1]
    return found


def _at_least(products: np.ndarray) -> np.ndarray:
    """What the largest eigenvalues are at least, to rounding: ‖Bv‖ for a unit vector v after three steps of powers."""
    longest = np.argmax(np.diagonal(products, axis1=-2, axis2=-1), axis=-1)
    v = np.take_along_axis(products, longest[..., None, None], axis=-1)
    norm = np.zeros(longest.shape)
    for _ in range(3):
        size = np.max(np.abs(v), axis=-2, keepdims=True)
        v = v / np.where(size > 0, size, 1.0)
        length = np.sqrt(np.sum(v * v, axis=-2, keepdims=True))
        v = products @ (v / np.where(length > 0, length, 1.0))
        size = np.max(np.abs(v), axis=-2)[..., 0]
        norm = size * np.sqrt(np.sum((v[..., 0] / np.where(size > 0, size, 1.0)[..., None]) ** 2, axis=-1))
    return norm
