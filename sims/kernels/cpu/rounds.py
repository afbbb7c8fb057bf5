"""Whole rounds of momentum SGD under attack on a quadratic, compiled: `LANES` runs side by side in vector registers.

All arrays have the runs as their last axis, as those of `sims.kernels.cpu.round_rules`.
"""

from __future__ import annotations

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.round_rules import clip, krum, mean, order_statistics, weiszfeld
from sims.kernels.cpu.vectors import everywhere, load, root, store
from sims.kernels.in_rounds import Answer, Step


@compiled
def _speak(drawn, slopes, scale, offsets, optimizer, r, momenta, raw, sent):
    """Every worker's message from the normals `drawn` (n d, LANES), and the gradients of the last workers in `raw`."""
    n, d, _ = sent.shape
    _, fresh, old, with_momentum = optimizer
    g, wide, new, kept = n - raw.shape[0], load(scale, 0), load(fresh, r), load(old, r)
    for i in range(n):
        for j in range(d):
            e = i * d + j
            message = load(slopes, j) + wide * load(drawn, e) + everywhere(offsets[i, j])
            if i >= g:
                store(message, raw, e - g * d)
            if with_momentum:
                message = new * message + kept * load(momenta, e)
                store(message, momenta, e)
            store(message, sent, e)


@compiled
def _attack(attack, strength, ddof, honest, raw, sent):
    """Replace the rows of the Byzantine workers by what they send, `honest` the mean of the others, (d, LANES)."""
    n, d, _ = sent.shape
    g, much = n - raw.shape[0], load(strength, 0)
    for j in range(d):
        middle = load(honest, j)
        edge = everywhere(0.0)
        if attack == Answer.EDGE:
            for i in range(g):
                away = load(sent, i * d + j) - middle
                edge = edge + away * away
            edge = middle + much * root(edge / everywhere(float(g - ddof)))
        for i in range(g, n):
            e = i * d + j
            if attack == Answer.MINUS_GRADIENT:
                store(-load(raw, e - g * d), sent, e)
            elif attack == Answer.MINUS_MESSAGE:
                store(-load(sent, e), sent, e)
            elif attack == Answer.MINUS_MEAN:
                store(-much * middle, sent, e)
            else:
                store(edge, sent, e)


@compiled
def _move(x, x_star, eigenvalues, eta, r, out, honest, record):
    """The server's step, and what is recorded of it: excess, squared gradient, distance and error, (4, LANES)."""
    excess = slopes = distances = errors = everywhere(0.0)
    for j in range(x.shape[0]):
        moved = load(x, j) - load(eta, r) * load(out, j)
        store(moved, x, j)
        away = moved - everywhere(x_star[j])
        slope = everywhere(eigenvalues[j]) * away
        error = load(out, j) - load(honest, j)
        excess = excess + slope * away
        slopes = slopes + slope * slope
        distances = distances + away * away
        errors = errors + error * error
    store(everywhere(0.5) * excess, record, 0)
    store(slopes, record, 1)
    store(distances, record, 2)
    store(errors, record, 3)


@compiled
def play(drawn, world, optimizer, rule, attack, state, room, records):
    """Play a round for each of `drawn` (rounds, n d, LANES); the others are tuples, see `sims.engine.program`."""
    eigenvalues, x_star, scale, offsets = world
    eta = optimizer[0]
    step, f, parameters, network = rule
    answer, strength, ddof, g = attack
    x, momenta, centre = state
    sent, raw, work, norms, alive, slopes, honest, out, spare = room
    n, d, _ = sent.shape
    for t in range(drawn.shape[0]):
        r = min(t, eta.shape[0] - 1)  # schedules that are constant have one row
        for j in range(d):
            slope = everywhere(eigenvalues[j]) * (load(x, j) - everywhere(x_star[j]))
            store(slope, slopes, j)
        _speak(drawn[t], slopes, scale, offsets, optimizer, r, momenta, raw, sent)
        mean(sent, g, honest)
        if answer != Answer.HONEST:
            _attack(answer, strength, ddof, honest, raw, sent)
        if step == Step.MEAN:
            mean(sent, n, out)
        elif step == Step.MEDIAN:
            order_statistics(sent, work, network, -1, out)
        elif step == Step.TRIMMED_MEAN:
            order_statistics(sent, work, network, f, out)
        elif step == Step.CLIPPING:
            clip(sent, centre, parameters, norms, alive, spare)
            out[:] = centre
        elif step == Step.WEISZFELD:
            weiszfeld(sent, out, parameters, norms, alive, spare)
        else:
            krum(sent, work, network, n - f - 2, norms, alive, spare, out)
        _move(x, x_star, eigenvalues, eta, r, out, honest, records[t])
