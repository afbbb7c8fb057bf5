"""A rule is a function of what it is given, and of nothing else, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sims.aggregators.rule import Rule
from sims.backend import Array, device, namespace
from sims.checks.draws import Draws
from sims.contracts.global_random import moved_by
from sims.contracts.support import (
    PURPOSE,
    aggregated,
    allowance,
    combined,
    contract,
    map_state,
    require_close,
    require_same,
    shuffled,
    started,
    values,
    violated,
)
from sims.contracts.violation import noted
from sims.owned import PartError


@contract("kind")
def check_kind(rule: Rule, x: Array) -> None:
    """Shape (..., d), and dtype, device and array library of the input, for the output and for a state of vectors.

    A state may also have several vectors for each run, (..., k, d).
    """
    y, state = rule(x, None, Draws(PURPOSE, x))
    noted("messages", x, (), y)
    vectors: list[Array] = [y]
    map_state(lambda s: vectors.append(s) or s, state, x, rule)
    for vector in vectors:
        shape = tuple(vector.shape)
        one, several = shape == (*x.shape[:-2], x.shape[-1]), vector is not y and shape[:-2] == tuple(x.shape[:-2])
        if not (one or several):
            what = f"messages of shape {tuple(x.shape)} gave shape {tuple(vector.shape)}"
        elif vector.dtype != x.dtype:
            what = f"messages of dtype {x.dtype} gave {vector.dtype}"
        elif namespace(vector) is not namespace(x):
            what = f"messages of {namespace(x).__name__} gave {namespace(vector).__name__}"
        elif device(vector) != device(x):
            what = f"messages on {device(x)} gave {device(vector)}"
        else:
            continue
        raise violated("kind", rule, what, (-1,))


@contract("inputs untouched")
def check_inputs_untouched(rule: Rule, x: Array) -> None:
    """Neither the messages nor the state are written to; read-only NumPy arrays are accepted.

    The rule's own code is called, or the plain function, and with the arrays themselves: calls of a rule of somebody's
    own have copies. Whether it bears messages that are not finite is no question here.
    """
    xp = namespace(x)
    before, state = xp.asarray(x, copy=True), started(rule, x)
    parts: list[Array] = []
    map_state(lambda s: parts.append(xp.asarray(s, copy=True)) or s, state, x, rule)
    answers = _answers(rule, x, state)
    if isinstance(x, np.ndarray) and answers:
        locked = x.copy()
        locked.flags.writeable = False
        try:
            combined(rule, locked, state)
        except PartError as error:
            raise violated("inputs untouched", rule, f"read-only messages: {error}") from error
    x = xp.asarray(x, copy=True)  # ours to lose
    if answers:
        combined(rule, x, state)
    noted("messages", before, (), x)
    if not np.array_equal(values(x), values(before), equal_nan=True):
        raise violated("inputs untouched", rule, "it writes into its messages (below: before, and after)", (-1,))
    after: list[Array] = []
    map_state(lambda s: after.append(s) or s, state, x, rule)
    for old, new in zip(parts, after, strict=True):
        require_same("inputs untouched (state)", rule, new, old)


def _answers(rule: Rule, x: Array, state: Any) -> bool:
    """Whether it takes a copy of messages that are not finite, as it has to take all others."""
    if np.isfinite(values(x)).all():
        return True
    try:
        combined(rule, namespace(x).asarray(x, copy=True), map_state(lambda s: s * 1, state, x, rule))
    except PartError:
        return False
    return True


@contract("layout")
def check_layout(rule: Rule, x: Array) -> None:
    """The same numbers give the same aggregate however they lie in memory: in rows or columns, reversed, with gaps.

    The rule's own code is called, or the plain function: calls of a rule of somebody's own have copies. Libraries that
    hide where numbers lie have nothing to be asked.
    """
    state = started(rule, x)
    expected = _stacked(combined(rule, x, state), x)
    noted("messages", x, state, expected)
    for label, same in _laid_out(x):
        y = _stacked(combined(rule, same, state), x)
        noted(label, same, state, y)
        require_close("layout", rule, y, expected, allowance(rule, x, state), shown=(0, -1))


def _stacked(found: Any, x: Array) -> Array:
    """(..., d): what a rule returned, or a function for each run."""
    xp = namespace(x)
    if not isinstance(found, list):
        return found
    shape = (*x.shape[:-2], x.shape[-1])
    return xp.reshape(xp.stack(found), shape) if found else xp.zeros(shape, dtype=x.dtype, device=device(x))


def _laid_out(x: Array) -> Iterator[tuple[str, Array]]:
    if isinstance(x, np.ndarray):
        yield "in columns", np.asfortranarray(x)
        yield "reversed", np.ascontiguousarray(x[..., ::-1, ::-1])[..., ::-1, ::-1]
        yield "with gaps", np.repeat(x, 2, axis=-1)[..., ::2]
    elif hasattr(x, "untyped_storage"):  # of torch, where nothing can be reversed
        yield "in columns", x.transpose(-1, -2).contiguous().transpose(-1, -2)
        yield "with gaps", x.repeat_interleave(2, dim=-1)[..., ::2]


@contract("no hidden state")
def check_no_hidden_state(rule: Rule, x: Array) -> None:
    """The same call gives the same output, bit for bit, whatever was aggregated in between."""
    state = started(rule, x)
    first = values(aggregated(rule, x, state)).copy()
    for k in (1, 2):
        other = shuffled(x, k) * -3.0
        aggregated(rule, other, started(rule, other), label="in between")
    again = aggregated(rule, x, state, label="the same again")
    require_same("no hidden state", rule, again, first, shown=(0, -1))


@contract("global random numbers")
def check_global_random_numbers(rule: Rule, x: Array) -> None:
    """Neither NumPy's, Python's nor torch's global generator is drawn from or seeded; a rule has its `rng`."""
    state = started(rule, x)
    outputs = []
    for seed in (1, 2):
        y, moved = moved_by(lambda: values(aggregated(rule, x, state)).copy(), seed)
        outputs.append(y)
        if moved:
            what = f"a call moves {' and '.join(moved)} global generator"
            raise violated("global random numbers", rule, what, (-1,))
    require_same("global random numbers", rule, outputs[1], outputs[0], shown=(0, -1))
