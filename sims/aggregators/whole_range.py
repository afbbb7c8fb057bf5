"""Clipping and Weiszfeld steps over the whole range of the number type, from the smallest number to the largest.

The ordinary way is enough for runs that are `ordinary`, which is nearly always, and costs a fraction of this one. Here
each message is a direction with an exponent beside it, so that neither a distance overflows nor a weight vanishes, and
the messages from nearby keep their digits beside those from far away. An aggregate is never outside of the box of the
messages and the centre, also after rounding. torch's derivatives have as many digits as the numbers: next to the
smallest of them few, at 1e-322 none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sims.backend import ORDINARY, Array, lead, namespace
from sims.exponents import Lengths, difference, exponent, largest_exponent, lengths, shift


def ordinary(norms: Array, parameters: Sequence[Any], most: float = float("inf")) -> Any:
    """The runs that need nothing of what is here, (...) or True, by the norms (..., n) and the parameters of all steps.

    Parameters are 0, or large enough beside the norms and at most `most`. A NaN in a norm comes of an overflow.
    """
    on_host = type(norms) is np.ndarray
    least, far, small = ORDINARY[64 if on_host else namespace(norms).finfo(norms.dtype).bits]
    top = norms.max(axis=-1) if on_host else namespace(norms).max(norms, axis=-1)
    found = True
    for parameter in parameters:
        p = parameter if isinstance(parameter, int | float) else lead(parameter, norms, 0)
        found = ((p == 0) | ((p >= small) & (p <= most))) & found
    if found is True and on_host and top.size and least <= top.min() and top.max() <= far:
        return True  # nearly always, and quickly seen
    return ((top == 0) | ((top >= least) & (top <= far))) & found


def clipped(rows: Array, alive: Array, start: Array, radii: Sequence[Any]) -> Array:
    """v ← v + (1/n) Σ_i (x_i − v) min(1, τ/‖x_i − v‖) for each τ, of finite rows (..., n, d) and centres (..., d).

    A centre that is not finite has no aggregate: NaN.
    """
    xp = namespace(rows)
    limits, v = box(rows, alive, start), start
    for tau in radii:
        away = lengths(*difference(rows, v[..., None, :]))
        mantissa, its_exponent, bounded, inside = _reach(away, tau)
        inside = inside & ((mantissa > 0) | ~bounded)  # a radius of 0 moves nothing, and has no derivative either
        length = xp.where(inside | (away.length == 0), xp.ones_like(away.length), away.length)
        factors = xp.where(inside, xp.ones_like(length), mantissa / length)
        exponents = xp.where(inside, away.exponent, xp.broadcast_to(its_exponent, away.exponent.shape))
        total, unit = _sum(away.direction, factors, exponents, alive)
        v = moved(v, total / rows.shape[-2], unit, limits)
    known = xp.all(xp.isfinite(start), axis=-1, keepdims=True)
    return xp.where(known, v, xp.full_like(v, float("nan")))


def weiszfeld(rows: Array, alive: Array, z: Array, nus: Sequence[Any]) -> Array:
    """z ← Σ w_i x_i / Σ w_i, w_i = 1/max(ν, ‖x_i − z‖), for each ν; NaN if nobody is alive, the mean where ν = ∞."""
    xp = namespace(rows)
    limits, messages = box(rows, alive, None), lengths(rows)
    for nu in nus:
        away = lengths(*difference(rows, z[..., None, :]))
        mantissa, its_exponent, _, near = _reach(away, nu)
        divisor = xp.where(near, xp.broadcast_to(mantissa, near.shape), away.length)
        weights = xp.where(alive, 1 / xp.where(divisor > 0, divisor, xp.ones_like(divisor)), xp.zeros_like(divisor))
        exponents = -xp.where(near, xp.broadcast_to(its_exponent, near.shape), away.exponent)
        unit = largest_exponent(exponents, alive)
        whole = xp.sum(shift(weights, exponents - unit), axis=-1, keepdims=True)
        total, its_unit = _sum(messages.direction, weights, messages.exponent + exponents, alive)
        z = moved(xp.zeros_like(z), total / whole, its_unit - unit, limits)
    return z


def _reach(away: Lengths, parameter: Any) -> tuple[Array, Array, Array, Array]:
    """A radius or ν as m and e of m·2^e, whether it is finite, and which lengths are within it: all, if it is not."""
    xp = namespace(away.length)
    value = lead(parameter, away.length, 1)
    bounded = xp.isfinite(value)
    value = xp.where(bounded, value, xp.ones_like(value))
    its_exponent = exponent(value)
    mantissa = shift(value, -its_exponent)
    return mantissa, its_exponent, bounded, (shift(away.length, away.exponent - its_exponent) <= mantissa) | ~bounded


def shortened(rows: Array, alive: Array, norms: Lengths, radius: tuple[Array, Array]) -> Array:
    """Rows (..., n, d) whose norms exceed the radius m·2^e (..., 1), m in [1, 2) or 0, shortened to it; the dead are 0.

    `norms` are those of the rows. A dead row is longer than any that is alive.
    """
    xp = namespace(rows)
    mantissa, its_exponent = radius
    inside = alive & (shift(norms.length, norms.exponent - its_exponent) <= mantissa)
    length = xp.where(norms.length > 0, norms.length, xp.ones_like(norms.length))
    short = shift(norms.direction * (mantissa / length)[..., None], its_exponent[..., None])
    return xp.where(inside[..., None], rows, xp.where(alive[..., None], short, xp.zeros_like(rows)))


def _sum(directions: Array, factors: Array, exponents: Array, alive: Array) -> tuple[Array, Array]:
    """Σ_i of direction·factor·2^exponent over the rows that are alive, as (..., d) and its exponent (..., 1).

    Rows of zeros have no say in the exponent, but derivatives.
    """
    xp = namespace(directions)
    some = alive & xp.any(directions != 0, axis=-1)
    unit = largest_exponent(exponents, some | (alive & ~xp.any(some, axis=-1, keepdims=True)))
    factors = xp.where(alive, factors, xp.zeros_like(factors))
    parts = shift(directions * factors[..., None], (exponents - unit)[..., None])
    return xp.sum(xp.where(alive[..., None], parts, xp.zeros_like(parts)), axis=-2), unit


def box(rows: Array, alive: Array, v: Array | None) -> tuple[Array, Array]:
    """The least and the largest value of each coordinate among the rows that are alive, and v."""
    xp = namespace(rows)
    infinite = xp.full_like(rows, float("inf"))
    low = xp.min(xp.where(alive[..., None], rows, infinite), axis=-2)
    high = xp.max(xp.where(alive[..., None], rows, -infinite), axis=-2)
    return (low, high) if v is None else (xp.minimum(low, v), xp.maximum(high, v))


def moved(v: Array, step: Array, unit: Array, limits: tuple[Array, Array]) -> Array:
    """v + step·2^unit, within the limits; by quarters where a sum overflows on its way. NaN stays."""
    xp = namespace(v)
    low, high = limits
    plain = v + shift(step, unit)
    v = xp.where(xp.isinf(plain), (v / 4 + shift(step, unit - 2)) * 4, plain)
    return xp.where(v < low, low, xp.where(v > high, high, v))
