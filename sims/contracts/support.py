"""How the contracts build their inputs and compare their outputs."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

from sims.aggregators.rule import Rule, State
from sims.backend import Array, as_like, namespace, to_numpy
from sims.checks.draws import Draws
from sims.owned import PartError, as_always, asked
from sims.trees import map_tree

PURPOSE = "contracts"  # of the streams of random numbers
DRAWN = 1000  # outcomes of a rule that draws, on either side
LAW_ALPHA = 1e-9  # the probability with which one coordinate of two samples of one law is called different
Check = TypeVar("Check", bound=Callable[..., None])


def contract(name: str) -> Callable[[Check], Check]:
    """A check under its name: a rule that raises breaks it, and the caller's floating-point errors are not at stake."""

    def decorate(check: Check) -> Check:
        @functools.wraps(check)
        def run(rule: Rule, *arguments: Any, **settings: Any) -> None:
            try:
                with as_always():
                    check(rule, *arguments, **settings)
            except PartError as error:
                raise violated(name, rule, str(error)) from error

        return run  # pyright: ignore[reportReturnType] (the same signature)

    return decorate


def outcome(rule: Rule, x: Array, state: State = None, first: int = 0) -> tuple[Array, bool]:
    """AGG(x, state), drawn from the streams from `first` on, and whether the rule drew from them."""
    rng = Draws(PURPOSE, x, first)
    return rule.aggregate(x, state, rng), rng.used


def aggregated(rule: Rule, x: Array, state: State = None, first: int = 0) -> Array:
    """AGG(x, state), drawn from the streams from `first` on."""
    return outcome(rule, x, state, first)[0]


def combined(rule: Rule, x: Array, state: State) -> None:
    """The rule's own code on these very arrays."""
    with np.errstate(all="ignore"):  # as in a call
        rule.combine(x, state, Draws(PURPOSE, x))


def begun(rule: Rule, x: Array) -> State:
    """The rule's initial state."""
    return asked("rule", rule.init, x)


def violated(contract: str, rule: Rule, what: str) -> AssertionError:
    """The error that names contract, rule and what went wrong."""
    return AssertionError(f"contract {contract!r} broken by {rule!r}: {what}")


def values(x: Array) -> np.ndarray:
    """`x` on the host, in the precision that it has, or a wider one where NumPy does not have it (bfloat16)."""
    if str(getattr(x, "dtype", "")).endswith("bfloat16"):
        x = namespace(x).astype(x, namespace(x).float32)
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


def require_same_law(name: str, rule: Rule, x: Array) -> None:
    """Raise unless a rule that draws has the same law for the first run of `x` in any order of its workers.

    Two samples of the size m are compared coordinate by coordinate: the largest difference of their distribution
    functions exceeds √(2 ln(2/α)/m) for one law with probability α at most (Wei and Dudley 2012, Theorem 1, m ≥ 458).
    What rounding may move a value by is no difference.
    """
    if not (runs := math.prod(x.shape[:-2])):
        return
    xp = namespace(x)
    run = xp.reshape(x, (runs, *x.shape[-2:]))[0, ...]
    most = math.sqrt(2 * math.log(2 / LAW_ALPHA) / DRAWN)
    samples = []
    for k, messages in enumerate((run, *(shuffled(run, seed) for seed in range(4)))):
        stacked = xp.stack([messages] * DRAWN)
        samples.append(values(aggregated(rule, stacked, started(rule, stacked), k * DRAWN)).astype(np.float64))
    slack = 2 * allowance(rule, x, started(rule, x))
    for sample in samples[1:]:
        for j in range(x.shape[-1]):
            a, b = np.sort(samples[0][:, j]), np.sort(sample[:, j])
            far = max(_excess(a, b, slack), _excess(b, a, slack))
            if not far <= most:
                raise violated(name, rule, f"in another order its law differs by {far:.3g}, allowed {most:.3g}")


def _excess(a: np.ndarray, b: np.ndarray, slack: float) -> float:
    """max_t F_a(t) − F_b(t + slack) of two sorted samples."""
    return float(np.max(np.searchsorted(a, a, "right") / len(a) - np.searchsorted(b, a + slack, "right") / len(b)))


def allowance(rule: Rule, x: Array, state: State = ()) -> float:
    """The rounding that is forgiven: (64·n·ε + 100·tol)·(largest magnitude of messages and state)."""
    scale = [float(np.max(np.abs(values(x)), initial=0.0))]
    map_state(lambda s: scale.append(float(np.max(np.abs(values(s)), initial=0.0))) or s, state, x)
    epsilon = float(namespace(x).finfo(x.dtype).eps)
    return (64 * x.shape[-2] * epsilon + 100 * float(getattr(rule, "tol", 0.0))) * max(scale)


def exponents_of(x: Array) -> tuple[int, ...]:
    """Powers of 2 by which messages of this dtype are scaled, up to a third of its range, so that squares stay in it.

    About 1e±103 in float64, 1e±12 in float32 and bfloat16, 1e±1.5 in float16.
    """
    most = math.frexp(float(namespace(x).finfo(x.dtype).max))[1] // 3
    return (-most, -1, 3, most)


def reach_of(x: Array, f: int, state: State) -> float:
    """The length of the longest of the messages (..., n, d) but the first f, and of the state's vectors."""
    vectors = [values(x)[..., f:, :]]
    map_state(lambda s: vectors.append(values(s)) or s, state, x)
    return max(float(np.max(np.linalg.norm(v.astype(np.longdouble), axis=-1), initial=0.0)) for v in vectors)


def map_state(change: Callable[[Array], Array], state: State, x: Array) -> State:
    """`state` with `change` applied to each of its vectors: arrays whose last axis has the length of a message."""

    def changed(part: Array) -> Array:
        return change(part) if part.shape and part.shape[-1] == x.shape[-1] and part.dtype == x.dtype else part

    return map_tree(changed, state)


def started(rule: Rule, x: Array) -> State:
    """The rule's initial state, its vectors moved off the origin."""
    drawn = as_like(np.random.Generator(np.random.Philox(11)).uniform(-0.5, 0.5, x.shape[-1]), x)
    return map_state(lambda s: s + drawn, begun(rule, x), x)


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
    most = math.log10(float(xp.finfo(x.dtype).max))
    powers = [p for p in (0, 3, 4, 10, 20, 30, 37, 75, 100, 149, 200, 300) if p < most]
    signs = np.random.Generator(np.random.Philox(13)).choice([-1.0, 1.0], (f, d))
    for power in powers:
        for label, direction in (("together", np.ones((f, d))), ("below", -np.ones((f, d))), ("apart", signs)):
            bad = xp.broadcast_to(as_like(direction * 10.0**power, x), (*x.shape[:-2], f, d))
            yield f"{f} messages at 1e{power} {label}", xp.concat([bad, x[..., f:, :]], axis=-2)
    ladder = np.ones((f, d)) * 10.0 ** np.linspace(0, powers[-1], f)[:, None]
    bad = xp.broadcast_to(as_like(ladder, x), (*x.shape[:-2], f, d))
    yield f"{f} messages from 1 to 1e{powers[-1]}", xp.concat([bad, x[..., f:, :]], axis=-2)
