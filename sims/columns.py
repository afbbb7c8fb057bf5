"""What rules do coordinate by coordinate, on arrays of any library: the reference of the kernels by column.

Finite rows give finite results, up to the largest number of their dtype and down to its smallest: what overflows on the
way is computed once more in smaller numbers. A mean is within 2 min(n, 256) units of rounding of the right one,
relatively to the mean magnitude of what is averaged, in float64 within 2n; a middle within one unit. float16 and
bfloat16 are computed in float32, and float32 numbers of more than `MANY` rows are added up in float64 (on a device
without float64 in float32, as many units off as there are rows).
"""

from __future__ import annotations

import numpy as np

from sims.backend import Array, all_finite, constant, device, farther, in_rows, namespace, sort_rows, widest

MANY = 256  # rows up to which sums of float32 numbers are left in float32: 256·2^−24 is 1.5e-5


def mean(x: Array) -> Array:
    """(1/n) Σ_i x_i, (..., n, d) → (..., d); what is not finite shows in the coordinate that it is in."""
    return _averaged(x, None)


def mean_around(x: Array, centre: Array) -> Array:
    """The same as c + (1/n) Σ_i (x_i − c), so that what all share with the centre c (..., d) costs no digits."""
    return _averaged(x, centre)


def _averaged(x: Array, centre: Array | None) -> Array:
    xp = namespace(x)
    if bits(x) == 16:  # a difference of two, or a sum of many, need not be one of these numbers
        wide = None if centre is None else xp.astype(centre, xp.float32)
        return xp.astype(_averaged(xp.astype(x, xp.float32), wide), x.dtype)
    y = _once(x, centre)
    if all_finite(y):
        return y
    unit = 2.0 ** (x.shape[-2].bit_length() + 1)  # more than 2n: no sum of differences of numbers/unit overflows
    again = _once(x * (1 / unit), None if centre is None else centre * (1 / unit))
    # where rounding could lead beyond the largest number; the bounds have no derivatives, of a NaN it would be one
    known = constant(x) * (1 / unit)
    lowest, highest, nothing = xp.min(known, axis=-2), xp.max(known, axis=-2), xp.zeros_like(again)
    beyond = xp.where(again > highest, again - highest, xp.where(again < lowest, again - lowest, nothing))
    return xp.where(xp.isfinite(y), y, (again - constant(beyond)) * unit)


def bits(x: Array) -> int:
    """How many a number takes."""
    return 8 * x.dtype.itemsize if type(x) is np.ndarray else namespace(x).finfo(x.dtype).bits


def _once(x: Array, centre: Array | None) -> Array:
    xp = namespace(x)
    away = in_rows(x if centre is None else x - centre[..., None, :])
    if x.shape[-2] > MANY and bits(x) == 32 and widest(x) == xp.float64:
        found = xp.astype(xp.sum(away, axis=-2, dtype=xp.float64) / x.shape[-2], x.dtype)
    else:
        found = xp.mean(away, axis=-2)
    return found if centre is None else centre + found


def midpoint(low: Array, high: Array) -> Array:
    """Halfway between low ≤ high; shapes broadcast."""
    xp = namespace(low)
    gap = high - low
    found = low + 0.5 * gap
    if all_finite(gap):
        return found
    return xp.where(xp.isfinite(gap), found, 0.5 * low + 0.5 * high)


def median(x: Array) -> Array:
    """The median of each coordinate, for even n the midpoint of the two in the middle: (..., n, d) → (..., d)."""
    return _middle(sort_rows(x))


def _middle(ordered: Array) -> Array:
    n = ordered.shape[-2]
    low = ordered[..., (n - 1) // 2, :]
    return low if n % 2 else midpoint(low, ordered[..., n // 2, :])


def trimmed_mean(x: Array, f: int) -> Array:
    """The mean of each coordinate without its f smallest and f largest values: (..., n, d) → (..., d).

    Summed around the middle value, so that a common offset costs no digits.
    """
    n = x.shape[-2]
    kept = sort_rows(x)[..., f : n - f, :]
    return mean_around(kept, kept[..., (n - 2 * f) // 2, :])


def mean_around_median(x: Array, keep: int) -> Array:
    """The average of the `keep` values of each coordinate nearest to its median: (..., n, d) → (..., d).

    With (a + b)/2 for the median, a ≤ b the middle values. A NaN is farther from it than any number.
    """
    n = x.shape[-2]
    ordered = namespace(x).sort(x, axis=-2, stable=False)
    return _mean_of_nearest(ordered, keep, ordered[..., (n - 1) // 2, :], ordered[..., n // 2, :], _middle(ordered))


def mean_around_trimmed_mean(x: Array, f: int) -> Array:
    """The average of the n − f values of each coordinate nearest to its `trimmed_mean`: (..., n, d) → (..., d).

    Nearest to the trimmed mean as it is rounded.
    """
    n = x.shape[-2]
    ordered = sort_rows(x)
    kept = ordered[..., f : n - f, :]
    centre = mean_around(kept, kept[..., (n - 2 * f) // 2, :])
    return _mean_of_nearest(ordered, n - f, centre, centre, centre)


def _mean_of_nearest(ordered: Array, keep: int, low: Array, high: Array, centre: Array) -> Array:
    """The average of the `keep` values nearest to (low + high)/2, which is the `centre` but for rounding.

    In ascending order v_0, …, v_{n−1} the nearest values are neighbours, and v_i is farther away than v_{keep+i} if and
    only if low − v_i > v_{keep+i} − high; and if v_i is, so are all before it, for v_i + v_{keep+i} ascends. Hence as
    many are left out at the lower end as there are such i.
    """
    xp, n = namespace(ordered), ordered.shape[-2]
    below, above = ordered[..., : n - keep, :], ordered[..., keep:, :]
    first = xp.sum(xp.astype(farther(low[..., None, :], below, above, high[..., None, :]), xp.int64), axis=-2)
    within = xp.arange(keep, dtype=xp.int64, device=device(ordered))
    kept = xp.take_along_axis(ordered, first[..., None, :] + within[:, None], axis=-2)
    return mean_around(kept, centre)
