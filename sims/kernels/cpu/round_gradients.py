"""The gradients of whole rounds: what the workers see of a problem, eight runs at once.

The steps are those of `sims.kernels.in_rounds.Slope` and `Noise`. Sines of noise are within a few units of x/2π + u, as
NumPy's are within some of x + 2πu.
"""

from __future__ import annotations

import math

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.round_functions import FARTHEST_TURN, power, sine, sine_of_turns, within
from sims.kernels.cpu.vectors import choose, every, everywhere, less, load, store
from sims.kernels.in_rounds import Noise, Slope


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
    """`gradients` where the noise is s·sin(x + 2πu), or its sign: by x/2π + u, whose whole turns are told at once."""
    n, d, _ = out.shape
    wide, nothing, one = load(world.numbers, 0), everywhere(0.0), everywhere(1.0)
    for j in range(d):
        own, turns = load(slope, j), load(x, j) * everywhere(0.5 / math.pi)
        near = within(turns, FARTHEST_TURN)
        all_near = every(near)
        for i in range(n):
            u = load(drawn, i * d + j)
            wave = sine_of_turns(turns + u)
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
                left = everywhere(1.0) - load(drawn, i * d + j)
                store(load(slope, j) - power(left, world.numbers, spare, j), out, i * d + j)
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
