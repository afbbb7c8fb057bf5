"""The attacks of whole rounds: what Byzantine workers send, eight runs at once; see `sims.kernels.in_rounds.Answer`."""

from __future__ import annotations

import math

import numpy as np

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.vectors import LANES, choose, equal, every, everywhere, less, load, root, store
from sims.kernels.in_rounds import Along, Answer

WIDEST = 1e150  # messages farther apart than that are for the reference


@compiled
def answer(attacking, drawn, t, room, state):
    """Replace the messages of the Byzantine workers in round t; `drawn` are normals of their own stream."""
    sent, raw, kind, p = room.sent, room.raw, attacking.answer, load(attacking.parameters, 0)
    n, d, _ = sent.shape
    g = attacking.honest
    if kind == Answer.FARTHEST or kind == Answer.ON_SPHERE:
        _away_from_mean(attacking, room, state)
        return
    if kind == Answer.TURNED:
        _turn(attacking, room, state)
    if kind == Answer.MOST_APART and t <= attacking.whole[0]:
        _choose(drawn, t, g, room, state)
    for j in range(d):
        middle = load(room.honest, j)
        common = -p * middle
        if kind == Answer.EDGE:
            squares = everywhere(0.0)
            for i in range(g):
                away = load(sent, i * d + j) - middle
                squares = squares + away * away
            common = middle + p * root(squares / everywhere(float(g - attacking.whole[0])))
        elif kind == Answer.CONSTANT:
            common = p
        elif kind == Answer.NEAR_CENTRE or kind == Answer.TURNED:
            along = load(room.spare, j) if kind == Answer.TURNED else load(attacking.direction, j)
            common = _mixed(attacking, 1, j, room, state) + p * along
        elif kind == Answer.MOST_APART:
            for k in range(LANES):
                room.spare[j, k] = sent[state.chosen[k], j, k]
            common = load(room.spare, j)
        elif kind == Answer.ONE_OF_THEM:
            common = load(sent, attacking.whole[0] * d + j)
        for i in range(g, n):
            e = i * d + j
            if kind == Answer.MINUS_GRADIENT:
                store(-load(raw, e), sent, e)
            elif kind == Answer.MINUS_MESSAGE:
                store(-load(sent, e), sent, e)
            elif kind == Answer.GRADIENT:
                store(load(raw, e), sent, e)
            elif kind == Answer.NORMAL:
                own = j if attacking.whole[0] else (i - g) * d + j
                store(p + load(attacking.parameters, 1) * load(drawn, own), sent, e)
            else:
                store(common, sent, e)


@compiled
def submit(attacking, t, raw, x):
    """Replace the gradients of the Byzantine workers in round t by what they submit."""
    n, d, _ = raw.shape
    g = attacking.honest
    f, nothing, one = n - g, everywhere(0.0), everywhere(1.0)
    for j in range(d):
        base, spikes = load(attacking.parameters, 1) * load(x, j), nothing
        for i in range(g):
            spikes = spikes + choose(equal(load(raw, i * d + j), base), nothing, one)
        for i in range(f):
            place = everywhere(float((i + 7 * t) % f))
            spike = base + load(attacking.parameters, 0)
            store(choose(less(place, spikes), spike, base), raw, (g + i) * d + j)


@compiled
def _mixed(attacking, parameter, j, room, state):
    """Coordinate j between the honest mean and the last aggregate, of which it has the share of that parameter."""
    share = load(attacking.parameters, parameter)
    return share * load(state.last, j) + (everywhere(1.0) - share) * load(room.honest, j)


@compiled
def _turn(attacking, room, state):
    """The unit vector at the attacker's angle from a point between mean and last aggregate, into `spare`."""
    d, forward, sideways, nothing = state.last.shape[0], room.slope, room.spare, everywhere(0.0)
    cosine, sine, one = load(attacking.parameters, 3), load(attacking.parameters, 4), everywhere(1.0)
    far = nothing
    for j in range(d):
        reference = _mixed(attacking, 2, j, room, state)
        store(reference, forward, j)
        far = _larger(reference, far)
    _unit(forward)
    entry, inner = everywhere(1.0 / math.sqrt(float(d))), nothing
    for j in range(d):
        inner = inner + entry * load(forward, j)
    squares, first = nothing, load(forward, 0)
    for j in range(d):
        away = entry - inner * load(forward, j)
        squares = squares + away * away
    apart = less(everywhere(1e-9), root(squares))
    for j in range(d):
        other = (one if j == 0 else nothing) - first * load(forward, j)
        store(choose(apart, entry - inner * load(forward, j), other), sideways, j)
    _unit(sideways)
    for j in range(d):
        turned = cosine * load(forward, j)
        if d > 1:
            turned = turned + sine * load(sideways, j)
        store(choose(less(nothing, far), turned, entry), sideways, j)


@compiled
def _choose(drawn, t, g, room, state):
    """The honest worker who is farthest along the direction in which messages differ most, as far as that is known."""
    sent, away, spread, along = room.sent, room.before, room.spare, state.along
    d = len(along)
    past, now = everywhere(float(t - 1)), everywhere(float(t))
    for j in range(d):
        mean = load(room.honest, j)
        store((past * load(state.seen, j) + mean) / now, state.seen, j)
        if t == 1:
            store(mean, state.seen, j)
            store(load(drawn, j), along, j)
        store(everywhere(0.0), spread, j)
    for i in range(g):
        inner = everywhere(0.0)
        for j in range(d):
            apart = load(sent, i * d + j) - load(state.seen, j)
            store(apart, away, i * d + j)
            inner = inner + apart * load(along, j)
        for j in range(d):
            store(load(spread, j) + inner * load(away, i * d + j), spread, j)
    _unit(spread)
    for j in range(d):
        store(past * load(along, j) + load(spread, j), along, j)
    _unit(along)
    for i in range(g):
        inner = everywhere(0.0)
        for j in range(d):
            inner = inner + load(sent, i * d + j) * load(along, j)
        store(inner, room.norms, i)
    for k in range(LANES):
        best = 0
        for i in range(1, g):
            if room.norms[i, k] > room.norms[best, k]:
                best = i
        state.chosen[k] = best


@compiled
def _larger(value, most):
    size = choose(less(value, everywhere(0.0)), -value, value)
    return choose(less(most, size), size, most)


@compiled
def _or_one(value):
    return choose(less(everywhere(0.0), value), value, everywhere(1.0))


@compiled
def _unit(vector):
    """A vector (d, LANES) at length 1, in place; 0 for 0."""
    d, largest, squares = vector.shape[0], everywhere(0.0), everywhere(0.0)
    for j in range(d):
        largest = _larger(load(vector, j), largest)
    for j in range(d):
        part = load(vector, j) / _or_one(largest)
        store(part, vector, j)
        squares = squares + part * part
    for j in range(d):
        store(load(vector, j) / _or_one(root(squares)), vector, j)


@compiled
def _away_from_mean(attacking, room, state):
    """The messages of `FARTHEST` and `ON_SPHERE`; lengths are in units of the largest coordinate of a deviation."""
    sent, away, along, nothing = room.sent, room.before, room.spare, everywhere(0.0)
    n, d, _ = sent.shape
    g, unit = attacking.honest, nothing
    for i in range(g):
        for j in range(d):
            apart = load(sent, i * d + j) - load(room.honest, j)
            store(apart, away, i * d + j)
            unit = _larger(apart, unit)
    if not every(less(unit, everywhere(WIDEST))):
        store(unit, room.norms, 0)
        for k in range(LANES):
            if not room.norms[0, k] < WIDEST:
                state.beyond[k] = 1.0
    for e in range(g * d):
        store(load(away, e) / _or_one(unit), away, e)
    _backward(attacking.whole[0], room.honest, away, g, along)
    gamma = _until_as_far(away, g, along) if attacking.answer == Answer.FARTHEST else nothing
    if attacking.answer == Answer.ON_SPHERE:
        gamma = _length(away, 0, d)
        for i in range(1, g):
            length = _length(away, i, d)
            if attacking.whole[1]:
                gamma = choose(less(length, gamma), length, gamma)
            else:
                gamma = choose(less(gamma, length), length, gamma)
    for j in range(d):
        for i in range(g, n):
            store(load(room.honest, j) + unit * gamma * load(along, j), sent, i * d + j)


@compiled
def _backward(direction, mean, away, g, out):
    """The unit vector (d, LANES) against the mean, of the kind `sims.kernels.in_rounds.Along`."""
    d, nothing, one = out.shape[0], everywhere(0.0), everywhere(1.0)
    for j in range(d):
        value = load(mean, j)
        if direction == Along.DEVIATION:
            value = nothing
            for i in range(g):
                value = value + load(away, i * d + j) * load(away, i * d + j)
            value = root(value)
        elif direction == Along.SIGN:
            value = choose(less(value, nothing), -one, choose(less(nothing, value), one, value))
        store(-value, out, j)
    _unit(out)


@compiled
def _length(away, i, d):
    squares = everywhere(0.0)
    for j in range(d):
        squares = squares + load(away, i * d + j) * load(away, i * d + j)
    return root(squares)


@compiled
def _until_as_far(away, g, along):
    """How far along a ray every deviation (g, d, LANES) is as near as the two farthest from each other are."""
    d, nothing, most = along.shape[0], everywhere(0.0), everywhere(0.0)
    for i in range(g):
        for h in range(i):
            squares = nothing
            for j in range(d):
                apart = load(away, i * d + j) - load(away, h * d + j)
                squares = squares + apart * apart
            most = choose(less(most, squares), squares, most)
    found = everywhere(np.inf)
    for i in range(g):
        inner = squares = nothing
        for j in range(d):
            inner = inner + load(along, j) * load(away, i * d + j)
            squares = squares + load(away, i * d + j) * load(away, i * d + j)
        rest = choose(less(squares, most), most - squares, nothing)
        high = root(inner * inner + rest)
        # of two forms of a root the one in which nothing cancels
        leaves = choose(less(nothing, inner), inner + high, rest / _or_one(high - inner))
        found = choose(less(leaves, found), leaves, found)
    return found
