"""NumPy's standard normals of Philox streams, number for number, in compiled code, more than twice as fast.

`Generator.standard_normal` turns 64-bit words into normals by the ziggurat of Marsaglia and Tsang (2000): 8 bits of a
word choose one of 256 layers of equal area under the density, one the sign, 52 a point of the layer; 99.3 % of the
points lie under the density for certain, the others take more words. The words are those of Philox 4×64-10 (Salmon et
al. 2011), whose counter begins at 1: four words for each count, and as they depend on nothing but the count and the
key, eight counts are computed side by side. NumPy does not promise its stream for ever: `agrees` compares.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.lanes import intrinsic, spread
from sims.kernels.cpu.vectors import LANES

SIDE = 8  # counts that are computed side by side
WORDS = 4 * SIDE * 4  # that a stream holds ready
MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
WEYL = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B))  # the golden ratio and √3 − 1
ROUNDS = 10
COMPARED = 2**14  # normals: some 200 of them took more than one word
_ONE, _BYTE = np.uint64(1), np.uint64(8)
_LAYER, _POINT = np.uint64(0xFF), np.uint64(2**52 - 1)
_HALF, _UNIT = np.uint64(11), 2.0**-53
try:  # numba has NumPy's tables for its own generators; no one promises that they stay where they are
    from numba.np.random import _constants as tables
except ImportError:
    tables: Any = None
EDGE, EDGE_INVERSE = (
    (tables.ziggurat_nor_r, tables.ziggurat_nor_inv_r) if tables else (math.nan, math.nan)
)  # the tail's
# by layer: the width of a unit of the point, the first point that is not certain, the density
WIDTHS, CERTAIN, DENSITIES = (tables.wi_double, tables.ki_double, tables.fi_double) if tables else 3 * (np.empty(0),)


class _Words:
    """Philox on the words `SIDE` counts at a time."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder
        self.type = ir.VectorType(ir.IntType(64), SIDE)
        self.low, self.half = self.constant(2**32 - 1), self.constant(32)

    def constant(self, value: int) -> Any:
        return ir.Constant(self.type, [value] * SIDE)

    def product(self, multiplier: int, words: Any) -> tuple[Any, Any]:
        """The high and the low word of 128-bit products, from products of 32-bit halves, which processors have."""
        b = self.builder
        below, above = self.constant(multiplier % 2**32), self.constant(multiplier >> 32)
        low, high = b.and_(words, self.low), b.lshr(words, self.half)
        least = b.mul(below, low)
        middle = b.add(b.mul(above, low), b.lshr(least, self.half))
        other = b.add(b.mul(below, high), b.and_(middle, self.low))
        most = b.add(b.add(b.mul(above, high), b.lshr(middle, self.half)), b.lshr(other, self.half))
        return most, b.or_(b.shl(other, self.half), b.and_(least, self.low))

    def encrypted(self, count: Any, keys: list[tuple[Any, Any]]) -> Any:
        """The 4·SIDE words of the counts count, …, count + SIDE − 1, in the order of the stream."""
        b, zero = self.builder, self.constant(0)
        c0 = b.add(spread(b, count, SIDE), ir.Constant(self.type, list(range(SIDE))))
        c1 = c2 = c3 = zero
        for first, second in keys:
            p, q = self.product(MULTIPLIERS[0], c0), self.product(MULTIPLIERS[1], c2)
            c0, c1, c2, c3 = b.xor(b.xor(q[0], c1), first), q[1], b.xor(b.xor(p[0], c3), second), p[1]
        pairs = self._order([k for i in range(SIDE) for k in (i, SIDE + i)])
        fours = self._order([k for i in range(0, 2 * SIDE, 2) for k in (i, i + 1, 2 * SIDE + i, 2 * SIDE + i + 1)])
        return b.shuffle_vector(b.shuffle_vector(c0, c1, pairs), b.shuffle_vector(c2, c3, pairs), fours)

    def _order(self, indices: list[int]) -> Any:
        return ir.Constant(ir.VectorType(ir.IntType(32), len(indices)), indices)


@intrinsic
def _encrypt(typing, place, count, keys):
    """The words of `SIDE` counts to the address `place`; at the address `keys` are the keys of all rounds."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place, count, keys = arguments
        words, word = _Words(builder), ir.IntType(64)
        pointer = builder.inttoptr(keys, word.as_pointer())
        each = [spread(builder, builder.load(builder.gep(pointer, [word(k)])), SIDE) for k in range(2 * ROUNDS)]
        found = words.encrypted(count, list(zip(each[::2], each[1::2], strict=True)))
        builder.store(found, builder.inttoptr(place, found.type.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.void(types.intp, types.uint64, types.intp), generate


@intrinsic
def _signed(typing, size, sign):
    """−size where the lowest bit of the word `sign` is set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(64)
        bits = builder.xor(builder.bitcast(arguments[0], word), builder.shl(arguments[1], word(63)))
        return builder.bitcast(bits, ir.DoubleType())

    return types.float64(types.float64, types.uint64), generate


@compiled
def _refill(words, at, count, keys, k):
    """The next `WORDS` words of stream k."""
    for first in range(0, WORDS, 4 * SIDE):
        _encrypt(words.ctypes.data + 8 * (k * WORDS + first), count[k], keys.ctypes.data + 16 * ROUNDS * k)
        count[k] += np.uint64(SIDE)
    at[k] = 0


@compiled
def _uniform(words, at, count, keys, k):
    """A multiple of 2^−53 in [0, 1) from the next word of stream k."""
    if at[k] == WORDS:
        _refill(words, at, count, keys, k)
    word = words[k, at[k]]
    at[k] += 1
    return np.int64(word >> _HALF) * _UNIT


@compiled
def _accepted(layer, point, x, words, at, count, keys, k, densities):
    """The normal of a point that is not certain, from more words; NaN if another point has to be taken."""
    if layer == 0:
        while True:
            beyond = -EDGE_INVERSE * math.log1p(-_uniform(words, at, count, keys, k))
            height = -math.log1p(-_uniform(words, at, count, keys, k))
            if height + height > beyond * beyond:
                return -(EDGE + beyond) if (point >> _BYTE) & _ONE else EDGE + beyond
    low, high = densities[layer], densities[layer - _ONE]
    under = (high - low) * _uniform(words, at, count, keys, k) + low < math.exp(-0.5 * x * x)
    return x if under else math.nan


@compiled
def _draw(out, words, at, count, keys, widths, certain, densities):
    """Fill out (steps, numbers, LANES) with the normals of some streams: out[…, k], in order, with those of stream k.

    A stream's state is `words` (streams, WORDS), of which those from `at` (streams,) on are still to be used, and the
    next `count` (streams,); `keys` are (streams, 2 `ROUNDS`). What lies beyond the streams in out stays as it is.
    """
    steps, size, _ = out.shape
    for t in range(steps):  # what is written stays in the cache from one stream to the next
        for k in range(len(keys)):
            p, e = at[k], 0
            while e < size:
                if p == WORDS:
                    _refill(words, at, count, keys, k)
                    p = 0
                word = words[k, p]
                p += 1
                layer = word & _LAYER
                word >>= _BYTE
                point = (word >> _ONE) & _POINT
                x = _signed(np.int64(point) * widths[layer], word & _ONE)
                if point >= certain[layer]:
                    at[k] = p
                    x = _accepted(layer, point, x, words, at, count, keys, k, densities)
                    p = at[k]
                    if x != x:
                        continue
                out[t, e, k] = x
                e += 1
            at[k] = p


@compiled
def _draw_uniforms(out, words, at, count, keys):
    """The same with uniform numbers: the multiples of 2^−53 in [0, 1), of a word each."""
    steps, size, _ = out.shape
    for t in range(steps):
        for k in range(len(keys)):
            p, e = at[k], 0
            while e < size:
                if p == WORDS:
                    _refill(words, at, count, keys, k)
                    p = 0
                some = min(size - e, WORDS - p)
                for s in range(some):
                    out[t, e + s, k] = np.int64(words[k, p + s] >> _HALF) * _UNIT
                p, e = p + some, e + some
            at[k] = p


class Normals:
    """The normals of up to `LANES` streams, each from its beginning.

    `keys` (streams, 2) are what Philox takes. Whether they are drawn here or by NumPy is decided by `agrees`.
    """

    def __init__(self, keys: np.ndarray, *, by_us: bool | None = None) -> None:
        own, by_us = len(keys), agrees(type(self)) if by_us is None else by_us
        self._generators = [] if by_us else [np.random.Generator(np.random.Philox(key=key)) for key in keys]
        # a key for each round: multiples of the Weyl constants are added to the first, modulo 2^64
        added = np.arange(ROUNDS, dtype=np.uint64)[:, None] * np.array(WEYL)
        self._keys = np.reshape(keys[:, None, :].astype(np.uint64) + added, (own, 2 * ROUNDS))
        self._words, self._at = np.empty((own, WORDS), dtype=np.uint64), np.full(own, WORDS)
        self._count = np.ones(own, dtype=np.uint64)

    def fill(self, out: np.ndarray) -> None:
        """The next numbers of all streams to out (steps, numbers, LANES): those of stream k, in order, to out[…, k]."""
        if not self._generators:
            self._draw(out)
        for k, generator in enumerate(self._generators):
            out[:, :, k] = self._by_numpy(generator, out.shape[:-1])

    def _draw(self, out: np.ndarray) -> None:
        _draw(out, self._words, self._at, self._count, self._keys, WIDTHS, CERTAIN, DENSITIES)

    def _by_numpy(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return generator.standard_normal(shape)


class Uniforms(Normals):
    """The numbers uniform on [0, 1) of up to `LANES` streams, each from its beginning."""

    def _draw(self, out: np.ndarray) -> None:
        _draw_uniforms(out, self._words, self._at, self._count, self._keys)

    def _by_numpy(self, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return generator.random(shape)


@functools.cache
def agrees(kind: type[Normals] = Normals) -> bool:
    """Whether the installed NumPy draws what is drawn here, as far as `COMPARED` numbers tell; if not, it has to."""
    if tables is None:
        return False
    drawn = np.empty((2, COMPARED // LANES, 1, LANES))
    keys = np.array([[2**63 + k, k] for k in range(LANES)], dtype=np.uint64)
    for by_us in (False, True):
        kind(keys, by_us=by_us).fill(drawn[int(by_us)])
    return np.array_equal(drawn[0], drawn[1])
