"""Sums over pairs of rows, of products or of squared differences, on a strip of coordinates that stays in the cache.

Pairs are taken in tiles of a few rows by a few, whose sums stay in registers while they go along the strip. Every
pair's sum is added in the same order, whichever tile it is in: what is equal in two pairs gives equal sums.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.lanes import LINE, REGISTER, Lanes, intrinsic, prefetch

STRIP = 256  # coordinates of all rows that are in the cache at a time
TILE = 4 if REGISTER == LINE else 3  # rows whose pairs with as many others fit into 32 registers, or 16
DISTANCES, PRODUCTS = (), (0,)  # tuples, since their lengths are known to the compiler
ADDED = STRIP * 4 // REGISTER + REGISTER // 4  # float32 terms that are rounded one after the other in a strip, at most
PAIRS_A_MICROSECOND = 2**15  # ordered pairs of rows times coordinates that one thread works on


class Strip(NamedTuple):
    """Rows side by side in memory: the address of the first, and the bytes from one to the next."""

    place: int
    apart: int


class Following(NamedTuple):
    """What is asked for meanwhile: of every row, given by its address, the lines of the cache that lie `ahead`."""

    rows: np.ndarray
    ahead: int
    lines: int


@intrinsic
def _tile(typing, first, second, sums, apart, down, across, what, zero):
    """Add what pairs come to over a strip: of rows of two groups, or of one if there is but one, `down`.

    `first` and `second` are the addresses of the groups' first rows, whose numbers are like `zero`; as many rows belong
    to each as the tuples `down` and `across` are long. `sums` is the address of the float64 for the first pair, and
    `apart` the bytes between those of two rows. `what` is `PRODUCTS` or `DISTANCES`.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        one, other, sums, apart = arguments[:4]
        lanes = Lanes(builder, context.get_value_type(zero), zero.bitwidth, REGISTER * 8 // zero.bitwidth)
        size, within, products = zero.bitwidth // 8, not across.count, what.count == len(PRODUCTS)
        beside = down.count if within else across.count
        pairs = [
            (a, b) for a in range(down.count) for b in range(beside) if not within or a < b or (products and a == b)
        ]
        totals = {pair: cgutils.alloca_once_value(builder, lanes.constant(0.0)) for pair in pairs}
        with cgutils.for_range(builder, one.type(STRIP // lanes.lanes)) as loop:
            at = builder.mul(loop.index, loop.index.type(REGISTER))
            row = [lanes.load(builder.add(builder.add(one, at), at.type(size * STRIP * a))) for a in range(down.count)]
            column = (
                row
                if within
                else [lanes.load(builder.add(builder.add(other, at), at.type(size * STRIP * b))) for b in range(beside)]
            )
            for a, b in pairs:
                one_factor, other_factor = (row[a], column[b]) if products else 2 * (lanes.subtract(row[a], column[b]),)
                builder.store(lanes.multiply_add(one_factor, other_factor, builder.load(totals[a, b])), totals[a, b])
        for (a, b), total in totals.items():
            place = builder.add(builder.add(sums, builder.mul(apart, apart.type(a))), apart.type(8 * b))
            there = builder.inttoptr(place, ir.DoubleType().as_pointer())
            found = lanes.total(builder.load(total))
            found = found if size == 8 else builder.fpext(found, ir.DoubleType())
            builder.store(builder.fadd(builder.load(there), found), there)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp, types.intp, down, across, what, zero), generate


@intrinsic
def _ask(typing, address, lines):
    """Ask for some lines of the cache from an address on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address, lines = arguments
        with cgutils.for_range(builder, lines) as loop:
            prefetch(builder, builder.add(address, builder.mul(loop.index, loop.index.type(LINE))), address.type(0))
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generate


@compiled
def add_pairs(strip, sums, following, shapes, what, zero):
    """Add what all pairs i ≤ j of the rows of a `Strip` come to to the float64 in row i and column j of `sums`.

    `sums` are rows in memory too, of the same kind as the `strip`; `following` is the strip after it; `shapes` are
    those of the tiles, see `shapes_of`.
    """
    n, (tile, edge) = following.rows.size, shapes
    tall, last = len(tile), n - len(edge)
    for i in range(0, last, tall):
        for k in range(i, i + tall):
            _ask(following.rows[k] + following.ahead, following.lines)
        ours, row = strip.place + strip.apart * i, sums.place + sums.apart * i
        _tile(ours, ours, row + 8 * i, sums.apart, tile, (), what, zero)
        for j in range(i + tall, last, tall):
            _tile(ours, strip.place + strip.apart * j, row + 8 * j, sums.apart, tile, tile, what, zero)
        if len(edge):
            _tile(ours, strip.place + strip.apart * last, row + 8 * last, sums.apart, tile, edge, what, zero)
    for k in range(last, n):
        _ask(following.rows[k] + following.ahead, following.lines)
    if len(edge):
        ours = strip.place + strip.apart * last
        _tile(ours, ours, sums.place + (sums.apart + 8) * last, sums.apart, edge, (), what, zero)


def shapes_of(n: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of n rows, tuples as long as a tile has rows, and as there are rows left at the end."""
    return (0,) * min(n, TILE), (0,) * (n % TILE if n > TILE else 0)
