"""The geometric median, to tolerance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sims.aggregators.anchored import Anchored, absolute, anchor_of, near_to, relative
from sims.aggregators.least_distance import (
    best_message,
    far_from_least,
    in_line,
    minimised,
    newton_step,
    searched,
    units_from,
    weighted_mean,
)
from sims.aggregators.rule import Promises, StatelessRule
from sims.backend import (
    Array,
    constant,
    device,
    finite_rows,
    lexicographic_ranks,
    namespace,
    row_norms,
    surely,
    take_rows,
)
from sims.checked import keep, real, whole
from sims.exponents import shift
from sims.kernels.dispatch import recorded


@dataclass(frozen=True)
class GeometricMedian(StatelessRule):
    """The point of least summed distance to the messages (GM; "RFA" in the paper's definitions).

    argmin_v Σ_i ‖v − x_i‖, norm not squared. Where the minimisers form a segment (an even number of points on a line,
    two in the middle), its midpoint. Each message is tested first (x_k is a minimiser if and only if ‖Σ_{x_i ≠ x_k}
    (x_i − x_k)/‖x_i − x_k‖‖ ≤ #{i : x_i = x_k}), then Newton's method runs, with a Weiszfeld step wherever that is
    shorter in objective, until the mean unit vector has norm ≤ `tol` (or 8ε, where that is more) or `max_steps` are
    done; where messages of many magnitudes keep it from getting there, steps of searched lengths follow, as many.
    Non-finite messages are left out.

    Computed in float64 (in float32 on a device that has no float64), over its whole range: the summed distance is at
    most n·ε of itself above the least, which beside far messages may be true of points that are not near the median.
    Where messages lie so near a line that this leaves the median open, the one that comes out is the same, bit for bit,
    in any order of the workers, mirrored for mirrored messages, and equivariant under what rounds nothing. torch's
    first derivatives are those of the implicit function theorem, and its `torch.func` transformations work, with all
    steps done.

    >>> import numpy as np
    >>> GeometricMedian().aggregate(np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [9.0, 1.0], [7.0, 7.0]]))
    array([0., 0.])
    """

    needs: ClassVar[str] = "n ≥ 1"
    bears: ClassVar[str] = "⌈n/2⌉ − 1"

    tol: float = 1e-12
    max_steps: int = 100

    def __post_init__(self) -> None:
        keep(self, real, "tol", above=0, below=1)  # no mean unit vector is longer than 1
        keep(self, whole, "max_steps", least=1)

    @property
    def promises(self) -> Promises:
        """All but the mean."""
        return Promises()

    def breakdown(self, n: int) -> int:
        """⌈n/2⌉ − 1: a majority of unit vectors outweighs the others."""
        return (n - 1) // 2

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        xp = namespace(x)
        moving, alive = finite_rows(x)
        rows = constant(moving)
        found = self._found(rows, alive)
        y = absolute(rows, alive, found)
        if x.shape[-1] > 1 and x.shape[-2] > 2:  # on a line itself all is decided by counting
            weights = xp.astype(alive, rows.dtype)
            straight = in_line(weights, *units_from(found.near, weights, found.v))
            if not surely(~straight):
                y = xp.where(straight[..., None], self._in_order(rows, alive), y)
        if recorded(x):
            near = relative(moving, alive, found.anchor, found.scale)
            others = alive & ~found.is_message
            way = xp.where(found.is_message, weighted_mean(near, found.share), _implicit(near, others, found.v))
            way = way if found.scale is None else shift(way, found.scale.exponent)
            y = y + (way - constant(way))
        nobody = ~xp.any(alive, axis=-1, keepdims=True)
        y = xp.where(nobody, xp.asarray(float("nan"), dtype=rows.dtype, device=device(x)), y)
        return xp.astype(y, x.dtype)

    def _found(self, rows: Array, alive: Array, upper: bool = False) -> Anchored:
        """The median, by messages relative to their coordinates' lower (or upper) medians, or to one of them.

        Where messages of many magnitudes let steps get nowhere, it may also be that the median lies close to some that
        are not told apart from so far away.
        """
        xp = namespace(rows)
        found, right = self._from(rows, alive, anchor_of(rows, alive, upper))
        if surely(right):
            return found
        norms = row_norms(found.near - found.v[..., None, :])
        nearest = xp.argmin(xp.where(alive, norms, xp.full_like(norms, float("inf"))), axis=-1, keepdims=True)
        return self._from(rows, alive, xp.where(right, found.anchor, take_rows(rows, nearest)[..., 0, :]))[0]

    def _from(self, rows: Array, alive: Array, anchor: Array) -> tuple[Anchored, Array]:
        """The same relative to an anchor, and whether steps of the usual lengths got there, (..., 1)."""
        xp = namespace(rows)
        weights, tol = xp.astype(alive, rows.dtype), max(self.tol, 8 * float(xp.finfo(rows.dtype).eps))
        near, scale = near_to(rows, alive, anchor)
        share, is_message, start = best_message(near, weights)
        v = minimised(near, weights, start, is_message, tol, self.max_steps)
        units, inverse = units_from(near, weights, v)
        pull = row_norms(xp.sum(units, axis=-2))[..., None]
        right = is_message | (pull <= tol * xp.sum(weights, axis=-1, keepdims=True))
        if not surely(right):
            right = right | ~far_from_least(weights, v, units, inverse)
            if not surely(right):
                v = xp.where(right, v, searched(near, weights, v, right, tol, self.max_steps))
        v = xp.where(is_message, weighted_mean(near, share), v)
        return Anchored(near, anchor, scale, v, share, is_message), right

    def _in_order(self, rows: Array, alive: Array) -> Array:
        """The median of the messages in the order of their values and in the opposite one, and of both the mean.

        The order of the workers makes no difference then, and reflected messages have the reflected median.
        """
        xp = namespace(rows)
        ranks = 2 * lexicographic_ranks(rows) + xp.astype(alive, xp.int32)
        order = xp.argsort(ranks, axis=-1, stable=True)
        found = []
        for upper in (False, True):
            index = xp.flip(order, axis=-1) if upper else order
            messages, who = take_rows(rows, index), xp.take_along_axis(alive, index, axis=-1)
            found.append(absolute(messages, who, self._found(messages, who, upper)))
        both = found[0] + found[1]  # halves of the smallest numbers are none, and the largest have no sum
        return xp.where(xp.isfinite(both), both / 2, found[0] / 2 + found[1] / 2)


def _implicit(rows: Array, counted: Array, v: Array) -> Array:
    """A function of the rows with the derivative of the median v where they are counted (..., n), by the implicit
    function theorem: H^{-1}·Σ (I − u_i u_iᵀ)(x_i − x_i)/r_i, of which torch takes only the first x_i for variables.

    v is where the pull Σ u_i is 0, whose derivatives are −H by v and (I − u_i u_iᵀ)/r_i by x_i. Written so, since what
    torch makes of u_i itself has 1/r_i² in it, which overflows long before 1/r_i.
    """
    xp = namespace(rows)
    known = constant(rows)
    units, inverse = units_from(known, xp.astype(counted, rows.dtype), v)
    by = rows - known
    across = by - units * xp.sum(units * by, axis=-1, keepdims=True)
    pull = xp.sum(across * inverse[..., None], axis=-2)
    stiffness, limits = xp.sum(inverse, axis=-1, keepdims=True), xp.finfo(rows.dtype)
    # beside the nearest a farther one adds nothing to H, and nothing that overflows either
    least = stiffness * (float(limits.smallest_normal) / float(limits.eps))
    return newton_step(units, xp.where(inverse > 0, xp.maximum(inverse, least), inverse), stiffness, pull)
