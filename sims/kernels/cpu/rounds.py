"""Whole rounds of momentum SGD under attack on a quadratic, compiled: `LANES` runs side by side in vector registers.

What they are told is in `sims.kernels.cpu.tables`, the rules in `sims.kernels.cpu.round_rules`.
"""

from __future__ import annotations

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.round_rules import clip, krum, mean, order_statistics, weiszfeld
from sims.kernels.cpu.tables import Aggregation, Attacking, Movement, Room, State, World
from sims.kernels.cpu.vectors import everywhere, load, root, store
from sims.kernels.in_rounds import Answer, Step


@compiled
def _speak(drawn, r, world, movement, state, room):
    """Every worker's message from the normals `drawn` (n d, LANES), and the gradients of the last workers in `raw`."""
    n, d, _ = room.sent.shape
    g, wide, new, kept = n - room.raw.shape[0], load(world.scale, 0), load(movement.fresh, r), load(movement.old, r)
    for i in range(n):
        for j in range(d):
            e = i * d + j
            message = load(room.slope, j) + wide * load(drawn, e) + everywhere(world.offsets[i, j])
            if i >= g:
                store(message, room.raw, e - g * d)
            if movement.momentum:
                message = new * message + kept * load(state.momenta, e)
                store(message, state.momenta, e)
            store(message, room.sent, e)


@compiled
def _attack(attacking, room):
    """Replace the rows of the Byzantine workers by what they send."""
    sent, raw, answer = room.sent, room.raw, attacking.answer
    n, d, _ = sent.shape
    g, much = n - raw.shape[0], load(attacking.strength, 0)
    for j in range(d):
        middle = load(room.honest, j)
        edge = everywhere(0.0)
        if answer == Answer.EDGE:
            for i in range(g):
                away = load(sent, i * d + j) - middle
                edge = edge + away * away
            edge = middle + much * root(edge / everywhere(float(g - attacking.ddof)))
        for i in range(g, n):
            e = i * d + j
            if answer == Answer.MINUS_GRADIENT:
                store(-load(raw, e - g * d), sent, e)
            elif answer == Answer.MINUS_MESSAGE:
                store(-load(sent, e), sent, e)
            elif answer == Answer.MINUS_MEAN:
                store(-much * middle, sent, e)
            else:
                store(edge, sent, e)


@compiled
def _aggregate(rule, room, centre):
    """The rule's step from what was sent to `out`."""
    sent, out, f = room.sent, room.out, rule.f
    n = sent.shape[0]
    if rule.step == Step.MEAN:
        mean(sent, n, out)
    elif rule.step == Step.MEDIAN:
        order_statistics(sent, room.work, rule.network, -1, out)
    elif rule.step == Step.TRIMMED_MEAN:
        order_statistics(sent, room.work, rule.network, f, out)
    elif rule.step == Step.CLIPPING:
        clip(sent, centre, rule.parameters, room.norms, room.alive, room.spare)
        out[:] = centre
    elif rule.step == Step.WEISZFELD:
        weiszfeld(sent, out, rule.parameters, room.norms, room.alive, room.spare)
    else:
        krum(sent, room.work, rule.network, n - f - 2, room.norms, room.alive, out)


@compiled
def _move(r, world, movement, x, room, record):
    """The server's step, and what is recorded of it: excess, squared gradient, distance and error, (4, LANES)."""
    excess = slopes = distances = errors = everywhere(0.0)
    for j in range(x.shape[0]):
        moved = load(x, j) - load(movement.eta, r) * load(room.out, j)
        store(moved, x, j)
        away = moved - everywhere(world.x_star[j])
        slope = everywhere(world.eigenvalues[j]) * away
        error = load(room.out, j) - load(room.honest, j)
        excess = excess + slope * away
        slopes = slopes + slope * slope
        distances = distances + away * away
        errors = errors + error * error
    store(everywhere(0.5) * excess, record, 0)
    store(slopes, record, 1)
    store(distances, record, 2)
    store(errors, record, 3)


@compiled
def play(drawn, world, movement, rule, attacking, state, room, records):
    """Play a round for each of `drawn` (rounds, n d, LANES), and write what is recorded of it, (rounds, 4, LANES).

    The others are the tuples of `tables` as plain ones: numba takes ten times as long to see what a named one is.
    """
    world, movement, rule, attacking = World(*world), Movement(*movement), Aggregation(*rule), Attacking(*attacking)
    state, room = State(*state), Room(*room)
    for t in range(drawn.shape[0]):
        r = min(t, movement.eta.shape[0] - 1)  # schedules that are constant have one row
        for j in range(state.x.shape[0]):
            slope = everywhere(world.eigenvalues[j]) * (load(state.x, j) - everywhere(world.x_star[j]))
            store(slope, room.slope, j)
        _speak(drawn[t], r, world, movement, state, room)
        mean(room.sent, attacking.honest, room.honest)
        if attacking.answer != Answer.HONEST:
            _attack(attacking, room)
        _aggregate(rule, room, state.centre)
        _move(r, world, movement, state.x, room, records[t])
