"""How the contracts build their inputs and compare their outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from sims.aggregators.rule import Rule, State
from sims.backend import Array, as_like, namespace, to_numpy


def violated(contract: str, rule: Rule, what: str) -> AssertionError:
    """The error that names contract, rule and what went wrong."""
    return AssertionError(f"contract {contract!r} broken by {rule!r}: {what}")


def values(x: Array) -> np.ndarray:
    """`x` on the host, in the precision that it has."""
    return np.asarray(to_numpy(x))


def require_close(contract: str, rule: Rule, got: Array, expected: Array, allowed: float) -> None:
    """Raise unless |got − expected| ≤ `allowed` in every entry; equal infinities are equal, a NaN never is."""
    a, b = values(got).astype(np.longdouble), values(expected).astype(np.longdouble)
    if a.shape != b.shape:
        raise violated(contract, rule, f"shape {a.shape} where {b.shape} is right")
    with np.errstate(all="ignore"):
        deviation = np.where(a == b, 0.0, np.abs(a - b))
    largest = np.max(np.where(np.isnan(deviation), np.inf, deviation), initial=0.0)
    if not largest <= allowed:
        raise violated(contract, rule, f"the largest deviation is {float(largest):.6g}, allowed {allowed:.6g}")


def require_same(contract: str, rule: Rule, got: Array, expected: Array) -> None:
    """Raise unless both are the same, bit for bit; NaN equals NaN."""
    a, b = values(got), values(expected)
    if a.dtype != b.dtype or not np.array_equal(a, b, equal_nan=True):
        with np.errstate(all="ignore"):
            largest = np.max(np.abs(a - b), initial=0.0) if a.shape == b.shape else np.inf
        raise violated(contract, rule, f"outputs differ, the largest deviation is {float(largest):.6g}")


def allowance(rule: Rule, x: Array, state: State = ()) -> float:
    """The rounding that is forgiven: (64·n·ε + 100·tol)·(largest magnitude of messages and state)."""
    scale = [float(np.max(np.abs(values(x)), initial=0.0))]
    map_state(lambda s: scale.append(float(np.max(np.abs(values(s)), initial=0.0))) or s, state, x)
    epsilon = float(namespace(x).finfo(x.dtype).eps)
    return (64 * x.shape[-2] * epsilon + 100 * float(getattr(rule, "tol", 0.0))) * max(scale)


def reach_of(x: Array, f: int, state: State) -> float:
    """The length of the longest of the messages (..., n, d) but the first f, and of the state's vectors."""
    vectors = [values(x)[..., f:, :]]
    map_state(lambda s: vectors.append(values(s)) or s, state, x)
    return max(float(np.max(np.linalg.norm(v.astype(np.longdouble), axis=-1), initial=0.0)) for v in vectors)


def map_state(change: Callable[[Array], Array], state: State, x: Array) -> State:
    """`state` with `change` applied to each of its vectors: arrays whose last axis has the length of a message."""
    if isinstance(state, tuple | list):
        return type(state)(map_state(change, part, x) for part in state)
    if hasattr(state, "shape") and state.shape and state.shape[-1] == x.shape[-1] and state.dtype == x.dtype:
        return change(state)
    return state


def started(rule: Rule, x: Array) -> State:
    """The rule's initial state, its vectors moved off the origin."""
    drawn = as_like(np.random.Generator(np.random.Philox(11)).uniform(-0.5, 0.5, x.shape[-1]), x)
    return map_state(lambda s: s + drawn, rule.init(x), x)


def shuffled(x: Array, seed: int) -> Array:
    """The workers of `x` in another order; seed 0 reverses them."""
    xp = namespace(x)
    n = x.shape[-2]
    order = np.arange(n)[::-1] if seed == 0 else np.random.Generator(np.random.Philox(seed)).permutation(n)
    return xp.stack([x[..., int(i), :] for i in order], axis=-2)


def tied(x: Array) -> Iterator[Array]:
    """Messages of the shape of `x` full of ties: whole numbers, a ladder, a ladder with every rung twice."""
    n, d = x.shape[-2:]
    ladder = np.broadcast_to(np.arange(float(n))[:, None], (n, d))
    yield namespace(x).round(x)
    for rungs in (ladder, ladder // 2):
        yield x * 0 + as_like(rungs, x)


def overwrite_rows(x: Array, row: Any, count: int) -> Array:
    """`x` with its first `count` messages replaced by `row` (d,)."""
    xp = namespace(x)
    bad = as_like(np.broadcast_to(row, (count, x.shape[-1])), x)
    bad = xp.broadcast_to(bad, (*x.shape[:-2], count, x.shape[-1]))
    return xp.concat([bad, x[..., count:, :]], axis=-2)


def attacked(x: Array, f: int) -> Iterator[tuple[str, Array]]:
    """(label, messages) with the first f messages arbitrary: far away together, far apart, one by one, and near."""
    xp = namespace(x)
    d = x.shape[-1]
    powers = (0, 3, 10, 40, 75, 100, 149, 200, 300) if xp.finfo(x.dtype).bits == 64 else (0, 3, 10, 20, 30, 37)
    signs = np.random.Generator(np.random.Philox(13)).choice([-1.0, 1.0], (f, d))
    for power in powers:
        for label, direction in (("together", np.ones((f, d))), ("below", -np.ones((f, d))), ("apart", signs)):
            bad = xp.broadcast_to(as_like(direction * 10.0**power, x), (*x.shape[:-2], f, d))
            yield f"{f} messages at 1e{power} {label}", xp.concat([bad, x[..., f:, :]], axis=-2)
    ladder = np.ones((f, d)) * 10.0 ** np.linspace(0, powers[-1], f)[:, None]
    bad = xp.broadcast_to(as_like(ladder, x), (*x.shape[:-2], f, d))
    yield f"{f} messages from 1 to 1e{powers[-1]}", xp.concat([bad, x[..., f:, :]], axis=-2)
