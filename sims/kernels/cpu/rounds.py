"""Whole rounds of robust SGD under attack, compiled: `LANES` runs side by side in vector registers.

What they are told is in `sims.kernels.cpu.tables`. The problems are in `sims.kernels.cpu.round_gradients`, the rules
in `round_rules`, the attacks in `round_attacks`.
"""

from __future__ import annotations

from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.round_attacks import answer, submit
from sims.kernels.cpu.round_choices import mean_of_nearest, mix, multi_krum
from sims.kernels.cpu.round_gradients import gradients, measured
from sims.kernels.cpu.round_points import softmax_gradients
from sims.kernels.cpu.round_rules import clip, krum, mean, order_statistics, weiszfeld
from sims.kernels.cpu.round_windows import mean_around
from sims.kernels.cpu.tables import Aggregation, Attacking, Movement, Room, State, World
from sims.kernels.cpu.vectors import everywhere, load, store
from sims.kernels.in_rounds import Answer, Memory, Mix, Noise, Step


@compiled
def _speak(r, movement, state, room):
    """Every worker's message, from the gradients in `raw` and, where memories are corrected, those in `before`."""
    new, kept = load(movement.fresh, r), load(movement.old, r)
    remembers = movement.memory == Memory.WORKERS or movement.memory == Memory.CORRECTED
    for e in range(room.sent.shape[0] * room.sent.shape[1]):
        message = load(room.raw, e)
        if remembers:
            memory = load(state.momenta, e)
            if movement.corrects[r]:
                memory = memory - load(room.before, e)
            message = new * message + kept * memory
            store(message, state.momenta, e)
        store(message, room.sent, e)


@compiled
def _aggregate(rule, room, order, centre, beyond):
    """The rule's step from what was sent to `out`; the order of workers in buckets is that of the numbers `order`."""
    sent, out, f = room.sent, room.out, rule.f
    n = sent.shape[0]
    if rule.mix != Mix.NOTHING:
        n = mix(rule, sent, order, room, beyond)
        sent = room.raw
    sent, norms, alive, kept = sent[:n], room.norms[:n], room.alive[:n], room.kept[:n]
    if rule.step == Step.MEAN:
        mean(sent, n, out)
    elif rule.step == Step.MEDIAN or rule.step == Step.TRIMMED_MEAN:
        order_statistics(sent, room.work, rule.network, -1 if rule.step == Step.MEDIAN else f, out)
    elif rule.step == Step.CLIPPING:
        clip(sent, centre, rule.parameters, norms, alive, room.spare)
        out[:] = centre
    elif rule.step == Step.WEISZFELD:
        weiszfeld(sent, out, rule.parameters, norms, alive, room.spare)
    elif rule.step == Step.KRUM:
        krum(sent, room.work, rule.network, rule.neighbours, norms, alive, out)
    elif rule.step == Step.MULTI_KRUM:
        places = norms, alive, kept, room.faint
        multi_krum(sent, room.work, rule.network, rule.neighbours, rule.whole, *places, out, beyond)
    elif rule.step == Step.SHORTEST or rule.step == Step.NEAREST_TO_ONE:
        about, row = (room.origin, 0) if rule.step == Step.SHORTEST else (sent, rule.whole)
        mean_of_nearest(sent, about, row, n - f, norms, alive, kept, out, beyond)
    else:
        about_trimmed_mean = rule.step == Step.AROUND_TRIMMED_MEAN
        mean_around(sent, room.work, rule.network, f, about_trimmed_mean, out, beyond)


@compiled
def _move(r, movement, state, room, record):
    """The server's step, and the squared error of the aggregate."""
    errors, x = everywhere(0.0), state.x
    for j in range(x.shape[0]):
        here, along = load(x, j), load(room.out, j)
        error = along - load(room.honest, j)
        errors = errors + error * error
        store(along, state.last, j)
        store(here, state.past, j)
        if movement.decays:
            along = along + load(movement.decay, r) * here
        if movement.memory == Memory.SERVER:
            along = load(movement.fresh, r) * along + load(movement.old, r) * load(state.velocity, j)
            store(along, state.velocity, j)
        if not movement.rests[r]:
            store(here - load(movement.eta, r) * along, x, j)
    store(errors, record, 3)


@compiled
def play(drawn, aside, orders, first, world, movement, rule, attacking, state, room, records):
    """Play a round for each of `drawn` (rounds, …, LANES), and write what is recorded of it, (rounds, 4, LANES).

    Where the problem measures iterates itself, these are in rows of their own, (rounds, 4 + d, LANES). They are the
    rounds first + 1, …; `aside` are the normals that the attack draws, `orders` the uniform numbers of a rule that
    does, (rounds, …, LANES) each. The others are the tuples of `tables` as plain ones: numba takes ten times as long to
    see what a named one is.
    """
    world, movement, rule, attacking = World(*world), Movement(*movement), Aggregation(*rule), Attacking(*attacking)
    state, room = State(*state), Room(*room)
    for t in range(drawn.shape[0]):
        r = min(t, movement.eta.shape[0] - 1)  # schedules that are constant have one row
        if world.noise == Noise.POINTS:
            softmax_gradients(drawn[t], world, state.x, room.raw, room.spare, room.out, room.faint)
            if movement.corrects[r]:
                softmax_gradients(drawn[t], world, state.past, room.before, room.spare, room.out, room.faint)
        else:
            gradients(drawn[t], world, state.x, room.slope, room.raw, room.spare)
            if movement.corrects[r]:
                gradients(drawn[t], world, state.past, room.slope, room.before, room.spare)
        if attacking.enters_gradients:
            submit(attacking, first + t + 1, room.raw, state.x)
        _speak(r, movement, state, room)
        mean(room.sent, attacking.honest, room.honest)
        if attacking.answer != Answer.HONEST and not attacking.enters_gradients:
            answer(attacking, aside[t], first + t + 1, room, state)
        _aggregate(rule, room, orders[t], state.centre, state.beyond)
        _move(r, movement, state, room, records[t])
        if world.noise == Noise.POINTS:
            records[t, 4:] = state.x
        else:
            measured(world, state.x, room.spare, records[t])
