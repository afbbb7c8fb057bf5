"""Messages relative to one point among them, at a scale at which a computer can tell the near ones apart."""

from __future__ import annotations

from typing import NamedTuple

from sims.aggregators.whole_range import box, moved
from sims.backend import ORDINARY, Array, constant, device, max_across, namespace, surely
from sims.exponents import INFINITE, NOTHING, difference, lengths, shift

FAR = {64: 300, 32: 80}  # binary exponents beyond which a direction is known in all digits, in float64 and float32
NEAR = {64: -960, 32: -100}  # and below which a distance, or the difference of two, may have no inverse
NOWHERE = {64: -1074, 32: -149}  # and those of no number: whoever is so near to the anchor is there
# a scale that is smaller by NEAR − NOWHERE leaves what is beyond FAR a precision's digits away from the majority


class Scale(NamedTuple):
    """The exponent of a scale (..., 1), and which runs (..., 1) do without."""

    exponent: Array
    plain: Array


class Anchored(NamedTuple):
    """Messages `near` an anchor (..., d), at a scale (see `near_to`), and their median v there.

    Where that is a message or lies between two (`is_message`, (..., 1)) it has a share (..., n) of each.
    """

    near: Array
    anchor: Array
    scale: Scale | None
    v: Array
    share: Array
    is_message: Array


def anchor_of(rows: Array, alive: Array, upper: bool = False) -> Array:
    """The lower (or upper) median of each coordinate of the rows that are alive: no far message moves it."""
    xp = namespace(rows)
    worst = xp.asarray(float("inf"), dtype=rows.dtype, device=device(rows))
    ordered = xp.sort(xp.where(alive[..., None], rows, worst), axis=-2, stable=False)
    count = xp.sum(xp.astype(alive, xp.int32), axis=-1)
    middle = xp.where(count > 0, (count - (0 if upper else 1)) // 2, xp.zeros_like(count))[..., None, None]
    index = xp.broadcast_to(middle, (*rows.shape[:-2], 1, rows.shape[-1]))
    anchor = xp.take_along_axis(ordered, index, axis=-2)[..., 0, :]
    return xp.where((count > 0)[..., None], anchor, xp.zeros_like(anchor))


def near_to(rows: Array, alive: Array, anchor: Array) -> tuple[Array, Scale | None]:
    """The rows less the anchor, 0 for the dead, and their scale: see `_scale` and `relative`.

    None where all runs can do without, which is nearly always.
    """
    xp = namespace(rows)
    near = relative(rows, alive, anchor, None)
    if not rows.shape[-1]:
        return near, None
    least, most, _ = ORDINARY[xp.finfo(rows.dtype).bits]
    size = max_across(xp.abs(near))
    plain = xp.all((size == 0) | ((size >= least**0.5) & (size <= most)), axis=-1)  # False where they overflow
    if surely(plain):
        return near, None
    plain = plain[..., None]
    exponent = _scale(rows, alive, anchor)
    scale = Scale(xp.where(plain, xp.zeros_like(exponent), exponent), plain)
    return relative(rows, alive, anchor, scale), scale


def _scale(rows: Array, alive: Array, anchor: Array) -> Array:
    """The exponent of the distance within which a majority lies, (..., 1), or of the least one that is not 0.

    A smaller one where the nearest would come to lie below `NEAR`, if it is not below `NOWHERE`.
    """
    xp, bits = namespace(rows), namespace(rows).finfo(rows.dtype).bits
    away = lengths(*difference(rows, anchor[..., None, :]))
    exponents = xp.where(alive & (away.length > 0), away.exponent, xp.full_like(away.exponent, NOTHING))
    exponents = xp.where(alive, exponents, xp.full_like(exponents, INFINITE))
    count = xp.sum(xp.astype(alive, xp.int32), axis=-1, keepdims=True)
    ordered = xp.sort(exponents, axis=-1, stable=False)
    majority = xp.take_along_axis(ordered, xp.where(count > 0, count // 2, count), axis=-1)
    others = xp.where(exponents > NOTHING, exponents, xp.full_like(exponents, INFINITE))
    scale = xp.where(majority > NOTHING, majority, xp.min(others, axis=-1, keepdims=True))
    scale = xp.where(scale >= INFINITE, xp.zeros_like(scale), scale)
    apart = others - scale
    nearest = xp.min(xp.where(apart >= NOWHERE[bits], apart, xp.zeros_like(apart)), axis=-1, keepdims=True)
    return scale - xp.clip(NEAR[bits] - nearest, 0, NEAR[bits] - NOWHERE[bits])


def relative(rows: Array, alive: Array, anchor: Array, scale: Scale | None) -> Array:
    """The rows less the anchor, and 0 for the dead; at the scale, and none farther away than 2^`FAR`.

    From there a message has the direction that it has from farther away, in all digits. One nearer than 2^`NEAR` is at
    the anchor, and has the derivatives of a difference all the same.
    """
    xp, bits = namespace(rows), namespace(rows).finfo(rows.dtype).bits
    plain = xp.where(alive[..., None], rows - anchor[..., None, :], xp.zeros_like(rows))
    if scale is None:
        return plain
    away = lengths(*difference(rows, anchor[..., None, :]))
    exponents = away.exponent - scale.exponent
    here = (away.length == 0) | (exponents < NEAR[bits])
    exponents = xp.where(here, exponents, xp.clip(exponents, NEAR[bits], FAR[bits]))
    near = shift(away.direction, exponents[..., None])
    near = near - xp.where(here[..., None], constant(near), xp.zeros_like(near))
    near = xp.where(alive[..., None], near, xp.zeros_like(near))
    return xp.where(scale.plain[..., None], plain, near)


def absolute(rows: Array, alive: Array, found: Anchored) -> Array:
    """The median of the rows themselves."""
    plain = found.v + found.anchor
    if found.scale is None:
        return plain
    limits = box(rows, alive, found.anchor)
    xp = namespace(rows)
    return xp.where(found.scale.plain, plain, moved(found.anchor, found.v, found.scale.exponent, limits))
