"""Numbers with an exponent beside them, m·2^e: for what does not fit into the range of a floating-point type.

A distance between the largest numbers overflows, the ratio of the smallest and the largest vanishes. Rules around a
centre compute with these where the ordinary way would lose something; powers of 2 cost no rounding.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sims.backend import Array, as_like, constant, device, namespace, root, sum_across

NOTHING = -(2**14)  # the exponent of zero: below all others, whatever is added to them
INFINITE = 2**14  # and that of infinity, above them


class Lengths(NamedTuple):
    """Vectors as `direction`·2^exponent, (..., d) and (...), with the largest entry of a direction in [1, 2).

    Their norms are `length`·2^exponent, (...) each. A vector of zeros has the exponent 0: like any other it moves by as
    much as what it is made of, which torch's derivatives are told by.
    """

    direction: Array
    length: Array
    exponent: Array


def exponent(x: Array) -> Array:
    """The e with 2^e ≤ |x| < 2^{e+1}, as int32; `NOTHING` for 0, `INFINITE` for ±∞. Denormal numbers are numbers."""
    xp = namespace(x)
    size = xp.abs(constant(x))
    nonzero, infinite = size > 0, xp.isinf(size)
    size = xp.where(nonzero & ~infinite, size, xp.ones_like(size))
    found = xp.astype(xp.floor(xp.log2(size)), xp.int32)
    mantissa = shift(size, -found)  # by which a logarithm that was rounded across a whole number is noticed
    found = found + xp.astype(mantissa >= 2, xp.int32) - xp.astype(mantissa < 1, xp.int32)
    found = xp.where(infinite, xp.full_like(found, INFINITE), found)
    return xp.where(nonzero, found, xp.full_like(found, NOTHING))


def shift(x: Array, exponents: Array) -> Array:
    """x·2^e, rounded as it leaves the normal numbers, if it does; 0 or infinite beyond all. The shapes broadcast."""
    xp = namespace(x)
    most = 1000 if xp.finfo(x.dtype).bits == 64 else 100
    powers = as_like(np.ldexp(1.0, np.arange(-most, most + 1)), x)
    for _ in range(3):  # the smallest number and the largest are three such steps apart
        part = xp.clip(exponents, -most, most)
        factors = xp.take(powers, xp.reshape(part + most, (-1,)) if part.ndim != 1 else part + most, axis=0)
        x = x * xp.reshape(factors, part.shape)
        exponents = exponents - part
    return x


def difference(a: Array, b: Array) -> tuple[Array, Array]:
    """a − b of finite numbers without overflow, as values and exponents: value·2^e."""
    xp = namespace(a, b)
    plain = a - b
    fits = xp.isfinite(plain)
    safe = xp.where(fits, plain, a / 4 - b / 4)
    return safe, xp.where(fits, xp.zeros_like(safe, dtype=xp.int32), xp.full_like(safe, 2, dtype=xp.int32))


def lengths(values: Array, exponents: Array | None = None) -> Lengths:
    """The vectors value·2^e, (..., d), d ≥ 1, and their norms."""
    xp = namespace(values)
    found = exponent(values)
    if exponents is None:
        exponents = xp.zeros_like(found)
    top = xp.max(found + exponents, axis=-1)
    top = xp.where(top > NOTHING // 2, top, xp.zeros_like(top))
    direction = shift(values, exponents - top[..., None])
    return Lengths(direction, root(sum_across(direction * direction)), top)


def largest_exponent(exponents: Array, where: Array) -> Array:
    """The largest along the last axis of those that count, kept as an axis; `NOTHING` if there is none."""
    xp = namespace(exponents)
    nothing = xp.asarray(NOTHING, dtype=exponents.dtype, device=device(exponents))
    return xp.maximum(xp.max(xp.where(where, exponents, nothing), axis=-1, keepdims=True), nothing)
