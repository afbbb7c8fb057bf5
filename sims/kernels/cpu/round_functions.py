"""Sines and powers of eight numbers at once, for compiled rounds.

A sine is within four units of the last place, a power b^k within 8 + 4|k log b| of them: it multiplies the roundings of
its exponent.
"""

from __future__ import annotations

import math

import numpy as np

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.vectors import (
    LANES,
    both,
    choose,
    every,
    everywhere,
    exponent,
    flipped,
    less,
    load,
    scaled,
    significand,
    store,
)

WHOLE = 1.5 * 2.0**52  # added and taken away again, it rounds to a whole number
FARTHEST_TURN = 1e5  # of up to so many half turns each part of π has an exact product
# π in three parts, the first two of 33 bits (twice those of fdlibm, Sun Microsystems 1993)
PARTS = (2 * 1.57079632673412561417e00, 2 * 6.07710050630396597660e-11, 2 * 2.02226624879595063154e-21)
# (sin r − r)/r³ for |r| ≤ π/2, in powers of r² from the highest on (SLEEF, Shibata and Petrogalli 2020)
WAVE = (
    *(-7.97255955009037868891952e-18, 2.81009972710863200091251e-15, -7.64712219118158833288484e-13),
    *(1.60590430605664501629054e-10, -2.50521083763502045810755e-08, 2.75573192239198747630416e-06),
    *(-0.000198412698412696162806809, 0.00833333333333332974823815, -0.166666666666666657414808),
)
LOG_2 = (6.93147180369123816490e-01, 1.90821492927058770002e-10)  # in two parts, the first of 33 bits (fdlibm)
# log((1 + f)/(1 − f)) = 2f (1 + f² Σ f^{2k}/(2k + 3)): for |f| ≤ 3 − √8 what is left out is below a rounding
INVERSES = tuple(1 / (2 * k + 1) for k in range(1, 11))
FACTORIALS = tuple(1 / math.factorial(k) for k in range(2, 14))  # exp r = 1 + r + r² Σ r^k/(k + 2)!, |r| ≤ ½ log 2
FARTHEST_EXPONENT = 600.0  # of e, up to which no power overflows or vanishes


@compiled
def _sine_within(rest):
    """The sine of eight numbers of at most π/2."""
    z = rest * rest
    square = z * z  # terms in pairs, which do not wait for each other
    low = (everywhere(WAVE[7]) * z + everywhere(WAVE[8])) + (everywhere(WAVE[5]) * z + everywhere(WAVE[6])) * square
    high = (everywhere(WAVE[3]) * z + everywhere(WAVE[4])) + (everywhere(WAVE[1]) * z + everywhere(WAVE[2])) * square
    fourth = square * square
    found = low + (high + everywhere(WAVE[0]) * fourth) * fourth
    return rest + rest * z * found


@compiled
def sine(angle, room, row):
    """The sine of eight numbers; a row of `room` is where those are computed that are far from 0, or no numbers."""
    turns = angle * everywhere(1 / math.pi)
    near = within(turns, FARTHEST_TURN)
    whole = turns + everywhere(WHOLE)
    turns = whole - everywhere(WHOLE)
    rest = angle - turns * everywhere(PARTS[0])
    rest = (rest - turns * everywhere(PARTS[1])) - turns * everywhere(PARTS[2])
    found = flipped(_sine_within(rest), whole)
    if not every(near):
        store(angle, room, row)
        for k in range(LANES):
            room[row, k] = np.sin(room[row, k])
        found = choose(near, found, load(room, row))
    return found


@compiled
def sine_of_turns(turns):
    """sin(2πt) of eight numbers t within `FARTHEST_TURN`, as near as t's own rounding lets it be."""
    doubled = turns + turns
    whole = doubled + everywhere(WHOLE)
    return flipped(_sine_within(everywhere(math.pi) * (doubled - (whole - everywhere(WHOLE)))), whole)


@compiled
def within(value, most):
    """Whether −most < value < most, for each of eight numbers."""
    return both(less(value, everywhere(most)), less(everywhere(-most), value))


@compiled
def _series(z, a, b, c, d):
    """a + bz + cz² + dz³: terms in pairs, which do not wait for each other."""
    return (everywhere(a) + everywhere(b) * z) + (everywhere(c) + everywhere(d) * z) * (z * z)


@compiled
def _logarithm(value):
    """Of positive numbers that are not next to zero."""
    s, e = significand(value), exponent(value)
    large = less(everywhere(math.sqrt(2)), s)
    s, e = choose(large, everywhere(0.5) * s, s), choose(large, e + everywhere(1.0), e)
    f = (s - everywhere(1.0)) / (s + everywhere(1.0))
    z = f * f
    fourth = (z * z) * (z * z)
    last = everywhere(INVERSES[8]) + everywhere(INVERSES[9]) * z
    series = _series(z, *INVERSES[:4]) + (_series(z, *INVERSES[4:8]) + last * fourth) * fourth
    doubled = f + f
    return e * everywhere(LOG_2[0]) + (doubled + (doubled * z * series + e * everywhere(LOG_2[1])))


@compiled
def power(base, exponents, room, row):
    """base^k of eight positive numbers that are not next to zero, with the k in the first row of `exponents`.

    A row of `room` is where those are computed that are far from 1, or no numbers.
    """
    y = load(exponents, 0) * _logarithm(base)
    near = within(y, FARTHEST_EXPONENT)
    whole = y * everywhere(1 / math.log(2)) + everywhere(WHOLE)
    n = whole - everywhere(WHOLE)
    rest = (y - n * everywhere(LOG_2[0])) - n * everywhere(LOG_2[1])
    fourth = (rest * rest) * (rest * rest)
    series = _series(rest, *FACTORIALS[4:8]) + _series(rest, *FACTORIALS[8:]) * fourth
    series = _series(rest, *FACTORIALS[:4]) + series * fourth
    found = scaled(everywhere(1.0) + (rest + rest * rest * series), whole)
    if not every(near):
        store(base, room, row)
        for lane in range(LANES):
            room[row, lane] **= exponents[0, lane]
        found = choose(near, found, load(room, row))
    return found
