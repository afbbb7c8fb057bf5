"""The gradients of whole rounds: what the workers see of a problem, eight runs at once.

The steps are those of `sims.kernels.in_rounds.Slope` and `Noise`. Sines are within two units of the last place.
"""

from __future__ import annotations

import math

import numpy as np

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.vectors import LANES, both, choose, equal, every, everywhere, less, load, store
from sims.kernels.in_rounds import Noise, Slope

TURNS = 1.5 * 2.0**52  # added and taken away again, it rounds to a whole number
FARTHEST_TURN = 1e5  # of up to so many quarter turns each part of π/2 has an exact product
# π/2 in three parts, the first two of 33 bits (fdlibm, Sun Microsystems 1993, as are the polynomials)
PARTS = (1.57079632673412561417e00, 6.07710050630396597660e-11, 2.02226624879595063154e-21)
S1, S2, S3 = -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04
S4, S5, S6 = 2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10
C1, C2, C3 = 4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05
C4, C5, C6 = -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11


@compiled
def sine(angle, room, row):
    """The sine of eight numbers; a row of `room` is where those are computed that are far from 0, or no numbers."""
    one = everywhere(1.0)
    turns = angle * everywhere(2 / math.pi)
    near = both(less(turns, everywhere(FARTHEST_TURN)), less(everywhere(-FARTHEST_TURN), turns))
    turns = (turns + everywhere(TURNS)) - everywhere(TURNS)
    whole = (turns * everywhere(0.25) + everywhere(TURNS)) - everywhere(TURNS)
    quarter = turns - everywhere(4.0) * whole  # −2, …, 2
    rest = angle - turns * everywhere(PARTS[0])
    rest = (rest - turns * everywhere(PARTS[1])) - turns * everywhere(PARTS[2])
    z, squared = rest * rest, quarter * quarter
    s = everywhere(S5) + z * everywhere(S6)
    s = everywhere(S2) + z * (everywhere(S3) + z * (everywhere(S4) + z * s))
    s = rest + rest * z * (everywhere(S1) + z * s)
    c = everywhere(C5) + z * everywhere(C6)
    c = everywhere(C2) + z * (everywhere(C3) + z * (everywhere(C4) + z * c))
    c = (one - everywhere(0.5) * z) + z * z * (everywhere(C1) + z * c)
    odd = equal(squared, one)
    found = choose(odd, quarter, one - everywhere(0.5) * squared) * choose(odd, c, s)
    if not every(near):
        store(angle, room, row)
        for k in range(LANES):
            room[row, k] = np.sin(room[row, k])
        found = choose(near, found, load(room, row))
    return found


@compiled
def slopes(world, x, out, spare):
    """∇f(x) or, where the noise has another mean than 0, what is not noise of it, into out (d, LANES)."""
    for j in range(x.shape[0]):
        if world.slope == Slope.LINEAR:
            store(load(world.eigenvalues, j) * (load(x, j) - load(world.origin, j)), out, j)
        else:
            store(sine(load(x, j), spare, j), out, j)


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
        wide, nothing, one = load(world.numbers, 0), everywhere(0.0), everywhere(1.0)
        for i in range(n):
            for j in range(d):
                angle = load(x, j) + everywhere(2 * math.pi) * load(drawn, i * d + j)
                wave = sine(angle, spare, j)
                if world.noise == Noise.SQUARE:
                    wave = choose(less(wave, nothing), -one, choose(less(nothing, wave), one, wave))
                store(load(slope, j) + wide * wave, out, i * d + j)
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
        else:
            slope, half = sine(load(x, j), spare, j), sine(everywhere(0.5) * load(x, j), spare, j)
            excess = excess + everywhere(2.0) * half * half
        squares = squares + slope * slope
        distances = distances + away * away
    store(excess, record, 0)
    store(squares, record, 1)
    store(distances, record, 2)
