"""The gradients of whole rounds: what the workers see of a problem, eight runs at once.

The steps are those of `sims.kernels.in_rounds.Slope` and `Noise`. Sines of iterates are within four units of the last
place, those of noise within a few units of x/2π + u, as NumPy's are within some of x + 2πu.
"""

from __future__ import annotations

import math

import numpy as np

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.vectors import LANES, both, choose, every, everywhere, flipped, less, load, store
from sims.kernels.in_rounds import Noise, Slope

TURNS = 1.5 * 2.0**52  # added and taken away again, it rounds to a whole number
FARTHEST_TURN = 1e5  # of up to so many half turns each part of π has an exact product
# π in three parts, the first two of 33 bits (twice those of fdlibm, Sun Microsystems 1993)
PARTS = (2 * 1.57079632673412561417e00, 2 * 6.07710050630396597660e-11, 2 * 2.02226624879595063154e-21)
# (sin r − r)/r³ for |r| ≤ π/2, in powers of r² from the highest on (SLEEF, Shibata and Petrogalli 2020)
WAVE = (
    *(-7.97255955009037868891952e-18, 2.81009972710863200091251e-15, -7.64712219118158833288484e-13),
    *(1.60590430605664501629054e-10, -2.50521083763502045810755e-08, 2.75573192239198747630416e-06),
    *(-0.000198412698412696162806809, 0.00833333333333332974823815, -0.166666666666666657414808),
)


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
    near = both(less(turns, everywhere(FARTHEST_TURN)), less(everywhere(-FARTHEST_TURN), turns))
    whole = turns + everywhere(TURNS)
    turns = whole - everywhere(TURNS)
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
def _sine_of_turns(turns):
    """sin(2πt) of eight numbers t that are not far from 0, as near as t's own rounding lets it be."""
    doubled = turns + turns
    whole = doubled + everywhere(TURNS)
    return flipped(_sine_within(everywhere(math.pi) * (doubled - (whole - everywhere(TURNS)))), whole)


@compiled
def _within_one(value):
    one = everywhere(1.0)
    return choose(less(value, -one), -one, choose(less(one, value), one, value))


@compiled
def slopes(world, x, out, spare):
    """∇f(x) or, where the noise has another mean than 0, what is not noise of it, into out (d, LANES)."""
    for j in range(x.shape[0]):
        if world.slope == Slope.LINEAR:
            store(load(world.eigenvalues, j) * (load(x, j) - load(world.origin, j)), out, j)
        elif world.slope == Slope.SINE:
            store(sine(load(x, j), spare, j), out, j)
        else:
            store(_within_one(load(x, j)), out, j)


@compiled
def _waves(drawn, world, x, slope, out, spare):
    """The same where the noise is s·sin(x + 2πu), or its sign: by x/2π + u, whose whole turns are told at once."""
    n, d, _ = out.shape
    wide, nothing, one = load(world.numbers, 0), everywhere(0.0), everywhere(1.0)
    for j in range(d):
        own, turns = load(slope, j), load(x, j) * everywhere(0.5 / math.pi)
        near = both(less(turns, everywhere(FARTHEST_TURN)), less(everywhere(-FARTHEST_TURN), turns))
        all_near = every(near)
        for i in range(n):
            u = load(drawn, i * d + j)
            wave = _sine_of_turns(turns + u)
            if not all_near:  # of each run by itself
                wave = choose(near, wave, sine(load(x, j) + everywhere(2 * math.pi) * u, spare, j))
            if world.noise == Noise.SQUARE:
                wave = choose(less(wave, nothing), -one, choose(less(nothing, wave), one, wave))
            store(own + wide * wave, out, i * d + j)


@compiled
def gradients(drawn, world, x, slope, out, spare):
    """Every worker's gradient at x from the numbers `drawn` (n d, LANES), into out (n, d, LANES)."""
    n, d, _ = out.shape
    slopes(world, x, slope, spare)
    if world.noise == Noise.NORMAL:
        wide = load(world.numbers, 0)
        for i in range(n):
            for j in range(d):
                store(load(slope, j) + wide * load(drawn, i * d + j), out, i * d + j)
    elif world.noise == Noise.TWO_VALUES:
        p, one, other = load(world.numbers, 0), load(world.numbers, 1), load(world.numbers, 2)
        for i in range(n):
            for j in range(d):
                value = choose(less(load(drawn, i * d + j), p), one, other)
                store(load(slope, j) + value, out, i * d + j)
    elif world.noise == Noise.POWER:
        for i in range(n):
            for j in range(d):
                for k in range(LANES):
                    out[i, j, k] = slope[j, k] - (1.0 - drawn[i * d + j, k]) ** world.numbers[0, k]
    else:
        _waves(drawn, world, x, slope, out, spare)
    if not world.alike:
        spread = load(world.spread, 0)
        for i in range(n):
            for j in range(d):
                store(load(out, i * d + j) + spread * everywhere(world.offsets[i, j]), out, i * d + j)


@compiled
def measured(world, x, spare, record):
    """f(x) − f*, ‖∇f(x)‖² and ‖x − x*‖² into the first rows of a record (…, LANES)."""
    excess = squares = distances = everywhere(0.0)
    for j in range(x.shape[0]):
        away = load(x, j) - load(world.x_star, j)
        if world.slope == Slope.LINEAR:
            slope = load(world.eigenvalues, j) * away
            excess = excess + everywhere(0.5) * slope * away
        elif world.slope == Slope.CLIPPED:
            slope = _within_one(load(x, j))
            excess = excess + slope * (load(x, j) - everywhere(0.5) * slope)
        else:
            slope, half = sine(load(x, j), spare, j), sine(everywhere(0.5) * load(x, j), spare, j)
            excess = excess + everywhere(2.0) * half * half
        squares = squares + slope * slope
        distances = distances + away * away
    store(excess, record, 0)
    store(squares, record, 1)
    store(distances, record, 2)
