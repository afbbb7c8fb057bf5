"""Clipping and Weiszfeld steps of one run over the whole range of float64, as in `sims.aggregators.whole_range`.

For the runs that vectors of eight cannot play: a message is a direction with an exponent beside it, so that no distance
overflows and no weight vanishes.
"""

from __future__ import annotations

import math

import numpy as np

from sims.kernels.cpu.compiled import compiled

NOTHING = -(2**14)  # the exponent of what does not count


@compiled
def _exponent(value):
    return math.frexp(value)[1] - 1 if value != 0 else NOTHING


@compiled
def _direction(row, centre, out):
    """Write (row − centre)/2^e to out (d,), its largest entry in [1, 2); its length, and e (dead or 0: `NOTHING`)."""
    top = NOTHING
    for j in range(row.size):
        if not abs(row[j]) < np.inf:
            return 0.0, NOTHING
        out[j] = row[j] - centre[j]
        if abs(out[j]) < np.inf:
            top = max(top, _exponent(out[j]))
        else:
            top = max(top, _exponent(row[j] / 4 - centre[j] / 4) + 2)
    square = 0.0
    for j in range(row.size):
        if abs(out[j]) < np.inf:
            out[j] = math.ldexp(out[j], -top)
        else:
            out[j] = math.ldexp(row[j] / 4 - centre[j] / 4, 2 - top)
        square += out[j] * out[j]
    return math.sqrt(square), top


@compiled
def _moved(v, step, unit, rows, j):
    """v + step·2^unit, not outside of v and the rows that count."""
    found = v + math.ldexp(step, unit)
    if not abs(found) < np.inf:
        found = (v / 4 + math.ldexp(step, unit - 2)) * 4
    low = high = v
    for i in range(rows.shape[0]):
        if abs(rows[i, j]) < np.inf:
            low, high = min(low, rows[i, j]), max(high, rows[i, j])
    return min(max(found, low), high)


@compiled
def _sum(directions, factors, exponents, unit, j):
    total = 0.0
    for i in range(factors.size):
        if exponents[i] > NOTHING:
            total += math.ldexp(directions[i, j] * factors[i], exponents[i] - unit)
    return total


@compiled
def clipped(rows, start, radii):
    """Centered clipping of messages (n, d) from the centre `start` (d,) with τ (steps,): (d,), NaN from NaN or ∞."""
    n, d = rows.shape
    if not np.all(np.isfinite(start)):
        return np.full(d, np.nan)
    v, away, factors, exponents = start.copy(), np.empty((n, d)), np.empty(n), np.empty(n, np.int64)
    for tau in radii:
        radius, tops = (math.ldexp(tau, -_exponent(tau)), _exponent(tau)) if 0 < tau < np.inf else (0.0, NOTHING)
        unit = NOTHING
        for i in range(n):
            length, exponents[i] = _direction(rows[i], v, away[i])
            factors[i] = 1.0
            if exponents[i] == NOTHING or tau == np.inf:
                pass
            elif tau == 0:
                exponents[i] = NOTHING
            elif math.ldexp(length, exponents[i] - tops) > radius:
                factors[i], exponents[i] = radius / length, tops
            unit = max(unit, exponents[i])
        if unit > NOTHING:
            for j in range(d):
                v[j] = _moved(v[j], _sum(away, factors, exponents, unit, j) / n, unit, rows, j)
    return v


@compiled
def weiszfeld_from_zero(rows, smoothings):
    """Weiszfeld steps of messages (n, d) from the origin, with ν (steps,): (d,), NaN if nobody is alive.

    At ν = ∞ all weights are the same.
    """
    n, d = rows.shape
    z, origin, away, messages = np.zeros(d), np.zeros(d), np.empty(d), np.empty((n, d))
    weights, below, exponents = np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64)
    for nu in smoothings:
        bounded = nu < np.inf
        least, its_exponent = (math.ldexp(nu, -_exponent(nu)), _exponent(nu)) if bounded else (1.0, 0)
        unit = highest = NOTHING
        for i in range(n):
            weights[i] = 0.0
            exponents[i] = below[i] = NOTHING
            living = True
            for j in range(d):
                living = living and abs(rows[i, j]) < np.inf
            if not living:
                continue
            length, top = _direction(rows[i], z, away)
            divisor, its_top = least, its_exponent
            if bounded and top > NOTHING and math.ldexp(length, top - its_exponent) > least:
                divisor, its_top = length, top
            weights[i], below[i] = 1.0 / divisor, -its_top
            highest = max(highest, -its_top)
            _, own = _direction(rows[i], origin, messages[i])
            if own > NOTHING:
                exponents[i] = own - its_top
                unit = max(unit, exponents[i])
        whole = 0.0
        for i in range(n):
            if below[i] > NOTHING:
                whole += math.ldexp(weights[i], below[i] - highest)
        for j in range(d):
            total = _sum(messages, weights, exponents, unit, j)
            z[j] = _box_of(total / whole, unit - highest, rows, j) if unit > NOTHING else 0.0 / whole
    return z


@compiled
def _box_of(mantissa, exponent, rows, j):
    """mantissa·2^exponent, not outside of the rows that count."""
    low, high = np.inf, -np.inf
    for i in range(rows.shape[0]):
        if abs(rows[i, j]) < np.inf:
            low, high = min(low, rows[i, j]), max(high, rows[i, j])
    return min(max(math.ldexp(mantissa, exponent), low), high)
