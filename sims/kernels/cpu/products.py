"""Scalar products of all pairs of centred float32 messages, in float32 where that is exact enough to choose by.

A Gram matrix costs half of what differences do, but the squared distance G_ii + G_jj − 2 G_ij loses digits where the
messages are long against their distance: so they are centred first, at the median of three of them in each coordinate,
and what is lost is bounded, pair by pair, see `distance_bounds`. Krum's choice is told where it is certain.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.helpers import strips_of_chunk, team
from sims.kernels.cpu.lanes import LINE, WIDE, Lanes, intrinsic
from sims.kernels.cpu.team import each
from sims.kernels.cpu.tiles import ADDED, PAIRS_A_MICROSECOND, PRODUCTS, STRIP, Following, Strip, add_pairs, shapes_of
from sims.kernels.dispatch import whole_groups

UNIT, FAINTEST = 2.0**-24, 2.0**-149  # the rounding of a float32, relatively and where it is next to zero


@intrinsic
def _centre(typing, rows, target, count, number):
    """The middle of the first, the middle and the last row, `count` groups from an address on, to another address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, target, count = arguments[:3]
        lanes = Lanes(builder, context.get_value_type(number), number.bitwidth, WIDE)
        with cgutils.for_range(builder, count) as loop:
            at = builder.mul(loop.index, loop.index.type(WIDE * 4))
            values = [lanes.load(builder.add(builder.extract_value(rows, k), at)) for k in range(3)]
            lanes.order(values, (1,))
            lanes.store(values[1], builder.add(target, at))
        return context.get_dummy_value()

    return types.void(rows, types.intp, types.intp, number), generate


@intrinsic
def _subtract(typing, row, centre, target, count, number):
    """A row less the centre, `count` groups from an address on, to another address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        row, centre, target, count = arguments[:4]
        lanes = Lanes(builder, context.get_value_type(number), number.bitwidth, WIDE)
        with cgutils.for_range(builder, count) as loop:
            at = builder.mul(loop.index, loop.index.type(WIDE * 4))
            away = lanes.subtract(lanes.load(builder.add(row, at)), lanes.load(builder.add(centre, at)))
            lanes.store(away, builder.add(target, at))
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp, types.intp, number), generate


@compiled
def _strips(rows, first, last, out, shapes, zero):
    """Add the products over the coordinates [first, last) to the upper triangle of out."""
    n = rows.size
    b, centre = np.full((n, STRIP), zero), np.full(STRIP, zero)
    for start in range(first, last, STRIP):
        width, offset = min(STRIP, last - start), 4 * start
        three = (rows[0] + offset, rows[n // 2] + offset, rows[n - 1] + offset)
        _centre(three, centre.ctypes.data, width // WIDE, zero)
        for i in range(n):
            place = b.ctypes.data + 4 * STRIP * i
            _subtract(rows[i] + offset, centre.ctypes.data, place, width // WIDE, zero)
            b[i, width:] = zero
        following = Following(rows, offset + 4 * STRIP, 4 * STRIP // LINE)
        add_pairs(Strip(b.ctypes.data, 4 * STRIP), Strip(out.ctypes.data, 8 * n), following, shapes, PRODUCTS, zero)


@compiled
def _chunks(begin, end, rows, d, size, sums, kinds):
    """The chunks begin, …, end − 1 of so many coordinates each."""
    for c in range(begin, end):
        _strips(rows, c * size, min(d, (c + 1) * size), sums[c], *kinds)


@compiled
def _share(rows, d, size, sums, kinds, parts, boxes):
    each(_chunks, (rows, d, size, sums, kinds), len(sums), 1, parts, boxes)


def centred_products(messages: np.ndarray) -> np.ndarray:
    """The Gram matrix (n, n) of the float32 messages (n, d) of one run, less a common centre of no consequence."""
    n = len(messages)
    total, kinds = np.zeros((n, n)), (shapes_of(n), messages.dtype.type(0))
    for _, _, piece in whole_groups(messages, WIDE):  # products with zeros are zero
        rows, d = piece.ctypes.data + piece.strides[0] * np.arange(n), piece.shape[1]
        size = STRIP * strips_of_chunk(d, STRIP)
        sums = np.zeros((-(-d // size), n, n))
        _share(rows, d, size, sums, kinds, *team(n * n * d / PAIRS_A_MICROSECOND))
        with np.errstate(all="ignore"):
            total += np.sum(sums, axis=0)
    upper = np.triu(total)
    return upper + np.triu(total, 1).T


def distance_bounds(messages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bounds (n, n) of the squared distances between float32 messages (n, d); may not be finite.

    Let y_i be the centred messages, rounded by at most u |y_i| in each coordinate (u = 2^−24; the difference of two
    float32 numbers does not vanish), a_i = ‖y_i‖ and m the number of roundings on the way of a product into its sum
    over a strip. Then the computed G_ij is within m u a_i a_j of y_i·y_j, since Σ_strips Σ_k |y_ik y_jk| ≤ a_i a_j
    (Cauchy and Schwarz; Higham 2002, Accuracy and Stability of Numerical Algorithms, 3.1), so that G_ii + G_jj − 2 G_ij
    is within m u (a_i + a_j)² of ‖y_i − y_j‖², which is within 2 u (a_i + a_j)² of the squared distance. A product that
    is next to zero may lose 2^−150, a difference nothing. All that to first order; the hundredth more covers the rest.
    """
    with np.errstate(all="ignore"):
        gram = centred_products(messages)
        squares = np.diagonal(gram)
        found = squares[:, None] + squares - 2 * gram
        lengths = np.sqrt(squares)
        error = 1.01 * (ADDED + 3) * UNIT * (lengths[:, None] + lengths) ** 2 + 4 * messages.shape[1] * FAINTEST
        return found - error, found + error


def index_of_nearest(messages: np.ndarray, neighbours: int) -> int | None:
    """Which message of (n, d) has the least sum over its `neighbours` nearest others; None if float64 has to decide.

    The sum of the smallest of some numbers does not fall if the numbers rise: bounds of the distances give bounds of
    the sums. A message is chosen if its sum is certainly the smallest, or if only those of equal messages may be.
    """
    if messages.dtype != np.float32:
        return None
    lowest, highest = (_sums(bound, neighbours) for bound in distance_bounds(messages))
    if not np.all(np.isfinite(lowest) & np.isfinite(highest)):
        return None
    chosen = int(np.argmin(highest))
    rivals = np.flatnonzero(lowest <= highest[chosen])
    same = (np.array_equal(messages[i], messages[chosen]) for i in rivals if i != chosen)
    return chosen if all(same) else None


def _sums(distances: np.ndarray, neighbours: int) -> np.ndarray:
    """Every message's sum over its nearest others, (n,); NaN if any of its distances is."""
    others = distances.copy()
    np.fill_diagonal(others, -np.inf)  # itself comes first and is left out
    sums = np.sum(np.sort(others, axis=1)[:, 1 : neighbours + 1], axis=1)
    return np.where(np.any(np.isnan(distances), axis=1), np.nan, sums)
