"""The rules of whole rounds that average the values of a coordinate which are nearest to its middle.

Which values these are is decided without rounding, as in `sims.columns`.
"""

from __future__ import annotations

import numpy as np

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.round_choices import unknown
from sims.kernels.cpu.round_rules import sort
from sims.kernels.cpu.vectors import both, choose, equal, every, everywhere, less, load, store


@compiled
def _rest(a, b, found):
    """What rounding took from a − b."""
    shift = found - a
    return (a - (found - shift)) - (b + shift)


@compiled
def mean_around(rows, work, network, f, about_trimmed_mean, out, beyond):
    """The mean of the n − f values of a coordinate nearest to its median, or to its trimmed mean, into (d, LANES)."""
    n, d, _ = rows.shape
    keep, worst, nothing, one = n - f, everywhere(np.inf), everywhere(0.0), everywhere(1.0)
    half, many = everywhere(0.5), everywhere(float(keep))
    for e in range(n * d):
        value = load(rows, e)
        store(choose(less(value, worst), value, worst), work, e)  # NaN too
    sort(work, d, network)
    for j in range(d):
        low, high = load(work, (n - 1) // 2 * d + j), load(work, n // 2 * d + j)
        centre = low
        if n % 2 == 0:
            centre = low + half * (high - low)
        if about_trimmed_mean:
            middle, total = load(work, (f + (n - 2 * f) // 2) * d + j), nothing
            for i in range(f, n - f):
                total = total + (load(work, i * d + j) - middle)
            centre = middle + total / everywhere(float(n - 2 * f))
            low, high = centre, centre
        first = nothing  # as many are left out at the lower end as are farther away than those at the other
        for i in range(f):
            below, above = load(work, i * d + j), load(work, (keep + i) * d + j)
            left, right = low - below, above - high
            rounded = both(equal(left, right), less(_rest(above, high, right), _rest(low, below, left)))
            first = first + choose(less(right, left), one, choose(rounded, one, nothing))
        total = nothing
        for i in range(n):
            place = everywhere(float(i))
            within = both(less(first, place + half), less(place, first + many))
            total = total + choose(within, load(work, i * d + j) - centre, nothing)
        store(centre + total / many, out, j)
        if not every(equal(total - total, nothing)):
            unknown(out, j, beyond)
