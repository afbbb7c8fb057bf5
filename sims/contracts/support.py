"""How the contracts build their inputs and compare their outputs."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from array_api_compat import is_array_api_obj

from sims.aggregators.pre_aggregation import PreAggregation
from sims.aggregators.rule import FunctionRule, Rule, State, declared
from sims.backend import Array, as_like, device, namespace, to_numpy
from sims.checked import real
from sims.checks.draws import Draws
from sims.contracts.violation import Violation, calls, noted, traced
from sims.owned import PartError, as_always, asked, called, pair, received, told
from sims.trees import arrays_in, map_tree

PURPOSE = "contracts"  # of the streams of random numbers
DRAWN = 1000  # outcomes of a rule that draws, on either side
LAW_ALPHA = 1e-9  # the probability with which one coordinate of two samples of one law is called different
Check = TypeVar("Check", bound=Callable[..., None])


def contract(name: str) -> Callable[[Check], Check]:
    """A check under its name: a part that raises breaks it, and the caller's floating-point errors are not at stake."""

    def decorate(check: Check) -> Check:
        @functools.wraps(check)
        def run(part: Any, *arguments: Any, **settings: Any) -> None:
            try:
                with as_always(), traced():
                    check(part, *arguments, **settings)
            except PartError as error:
                raise violated(name, part, str(error)) from error

        return run  # pyright: ignore[reportReturnType] (the same signature)

    return decorate


def outcome(rule: Rule, x: Array, state: State = None, first: int = 0, label: str = "messages") -> tuple[Array, bool]:
    """AGG(x, state), drawn from the streams from `first` on, and whether the rule drew from them."""
    rng = Draws(PURPOSE, x, first)
    try:
        y = rule.aggregate(x, state, rng)
    except PartError:
        noted(label, x, state, None)
        raise
    noted(label, x, state, y)
    return y, rng.used


def aggregated(rule: Rule, x: Array, state: State = None, first: int = 0, label: str = "messages") -> Array:
    """AGG(x, state), drawn from the streams from `first` on."""
    return outcome(rule, x, state, first, label)[0]


def combined(rule: Rule, x: Array, state: State) -> Any:
    """What the rule's own code, or a plain function, returns for these very arrays.

    Raises `PartError` if it raises, or returns something else than aggregates.
    """
    xp, who = namespace(x), called("rule", rule.function if isinstance(rule, FunctionRule) else rule)
    try:
        with np.errstate(all="ignore"):  # as in a call
            if not isinstance(rule, FunctionRule):
                found = rule.combine(x, state, Draws(PURPOSE, x))
            else:
                runs = xp.reshape(x, (math.prod(x.shape[:-2]), *x.shape[-2:]))
                found = [rule.function(runs[k, ...]) for k in range(runs.shape[0])]
    except MemoryError:  # which is nobody's fault
        raise
    except Exception as error:
        raise PartError(f"{who} raised {told(error)}") from error
    if not isinstance(rule, FunctionRule):
        y, _ = pair(who, found, "the aggregate and the new state")
        return received(who, y, x, (*x.shape[:-2], x.shape[-1]), exact=True)
    for y in found:
        if not is_array_api_obj(y) or namespace(y) is not xp or getattr(y, "shape", None) != (x.shape[-1],):
            raise PartError(f"{who} must return an array of {xp.__name__} of shape ({x.shape[-1]},)")
    return found


def begun(rule: Rule, x: Array) -> State:
    """The rule's initial state."""
    return asked("rule", rule.init, x)


def violated(contract: str, part: Any, what: str, shown: tuple[int, ...] = ()) -> Violation:
    """The error that names contract, part and what went wrong, and shows those of the calls made.

    `shown` are their places, 0 the first and −1 the last.
    """
    return Violation(contract, part, what, calls(*shown))


def values(x: Array) -> np.ndarray:
    """`x` on the host, in the precision that it has, or a wider one where NumPy does not have it (bfloat16)."""
    if str(getattr(x, "dtype", "")).endswith("bfloat16"):
        x = namespace(x).astype(x, namespace(x).float32)
    return np.asarray(to_numpy(x))


def require_close(
    contract: str, rule: Rule, got: Array, expected: Array, allowed: Any, shown: tuple[int, ...] = (-1,)
) -> None:
    """Raise unless |got − expected| ≤ `allowed`, of each run; equal infinities are equal, a NaN never is."""
    a, b = values(got).astype(np.longdouble), values(expected).astype(np.longdouble)
    if a.shape != b.shape:
        raise violated(contract, rule, f"shape {a.shape} where {b.shape} is right", shown)
    with np.errstate(all="ignore"):
        deviation = np.where(a == b, 0.0, np.abs(a - b))
    deviation = np.where(np.isnan(deviation), np.inf, deviation)
    most = np.broadcast_to(np.asarray(allowed)[..., None] if np.ndim(allowed) else allowed, deviation.shape)
    if not (deviation <= most).all():
        with np.errstate(all="ignore"):
            beyond = np.where(deviation <= most, -np.inf, deviation - most)
        worst = np.unravel_index(np.argmax(beyond), beyond.shape)
        what = f"the largest deviation is {float(deviation[worst]):.6g}, allowed {float(most[worst]):.6g}"
        raise violated(contract, rule, what, shown)


def require_same(contract: str, rule: Rule, got: Array, expected: Array, shown: tuple[int, ...] = (-1,)) -> None:
    """Raise unless both are the same, bit for bit; NaN equals NaN."""
    a, b = values(got), values(expected)
    if a.dtype != b.dtype or not np.array_equal(a, b, equal_nan=True):
        with np.errstate(all="ignore"):
            largest = np.max(np.abs(a - b), initial=0.0) if a.shape == b.shape else np.inf
        raise violated(contract, rule, f"outputs differ, the largest deviation is {float(largest):.6g}", shown)


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
    slack = 2 * float(np.max(allowance(rule, run, started(rule, run))))
    for sample in samples[1:]:
        for j in range(x.shape[-1]):
            a, b = np.sort(samples[0][:, j]), np.sort(sample[:, j])
            far = max(_excess(a, b, slack), _excess(b, a, slack))
            if not far <= most:
                what = f"in another order its law differs by {far:.3g}, allowed {most:.3g}"
                raise violated(name, rule, what, (0, -1))


def _excess(a: np.ndarray, b: np.ndarray, slack: float) -> float:
    """max_t F_a(t) − F_b(t + slack) of two sorted samples."""
    return float(np.max(np.searchsorted(a, a, "right") / len(a) - np.searchsorted(b, a + slack, "right") / len(b)))


def allowance(rule: Rule, x: Array, state: State = ()) -> np.ndarray:
    """The rounding that is forgiven in each run: (64·n·ε + 100·tol)·(largest magnitude of messages and state).

    ε is that of the messages, or of what a plain function answers in where that is coarser (`precision`); `tol` what
    the rule declares (`tolerance`). Magnitudes that are not finite do not count.
    """
    runs = x.shape[:-2]
    scale = _largest(values(x), 2)
    parts: list[Array] = []
    map_state(lambda s: parts.append(s) or s, state, x, rule)
    for part in parts:
        own = _largest(values(part), 1)
        while own.ndim > len(runs):  # vectors of their own for each worker
            own = np.max(own, axis=-1, initial=0.0)
        scale = np.maximum(scale, own)
    return (64 * x.shape[-2] * precision(rule, x) + 100 * tolerance(rule, x)) * np.broadcast_to(scale, runs)


def _largest(x: np.ndarray, axes: int) -> np.ndarray:
    """The largest finite magnitude over the last axes."""
    size = np.abs(x.astype(np.longdouble))
    return np.max(np.where(np.isfinite(size), size, 0.0), axis=tuple(range(-axes, 0)), initial=0.0)


def precision(rule: Rule, x: Array) -> float:
    """ε of the messages' type, or of the type in which a plain function answers them, if that is coarser.

    >>> from sims.aggregators import as_rule
    >>> precision(as_rule(lambda x: x.astype("float32").mean(axis=0)), np.zeros((3, 1))) * 2**23
    1.0
    """
    return float(limits(rule, x).eps)


def limits(rule: Rule, x: Array) -> Any:
    """`finfo` of the messages' type, or of the type in which a plain function answers them, if that is coarser."""
    xp = namespace(x)
    own = xp.finfo(x.dtype)
    if not isinstance(rule, FunctionRule):
        return own
    try:
        answer = rule.function(xp.ones((x.shape[-2], max(x.shape[-1], 1)), dtype=x.dtype, device=device(x)))
        other = xp.finfo(answer.dtype)
    except Exception:  # what it raises is told where it is called for its answer
        return own
    return other if other.eps > own.eps else own


def tolerance(rule: Rule, x: Array) -> float:
    """The relative error that a rule declares, as `tol`: 0 for want of one, of a plain function 2⁻²⁶ or 8ε.

    A plain function may be an iteration, which stops at some such distance (√ε of float64, where its numbers have as
    many digits); who writes one and wants it to be held to more sets its attribute `tol`.

    >>> from sims.aggregators import Mean
    >>> tolerance(Mean(), np.zeros((3, 1)))
    0.0
    """
    own = getattr(rule.function, "tol", None) if isinstance(rule, FunctionRule) else getattr(rule, "tol", 0.0)
    if own is None:
        return max(2.0**-26, 8 * precision(rule, x))
    if isinstance(rule, PreAggregation):
        return max(own, tolerance(rule.rule, x))
    return real("the rule", "tol", own, least=0)


def exponents_of(x: Array) -> tuple[int, ...]:
    """Powers of 2 by which messages of this dtype are scaled, up to a third of its range, so that squares stay in it.

    About 1e±103 in float64, 1e±12 in float32 and bfloat16, 1e±1.5 in float16.
    """
    most = math.frexp(float(namespace(x).finfo(x.dtype).max))[1] // 3
    return (-most, -1, 3, most)


def reach_of(x: Array, f: int, state: State, rule: Rule) -> float:
    """The length of the longest of the messages (..., n, d) but the first f, and of the state's vectors."""
    vectors = [values(x)[..., f:, :]]
    map_state(lambda s: vectors.append(values(s)) or s, state, x, rule)
    return max(float(np.max(np.linalg.norm(v.astype(np.longdouble), axis=-1), initial=0.0)) for v in vectors)


def map_state(change: Callable[[Array], Array], state: State, x: Array, rule: Rule) -> State:
    """`state` with `change` applied to each of its vectors: arrays whose last axis has the length of a message.

    Not those whose last axis has it by chance, a radius in one coordinate or a weight for each of d workers: of longer
    messages they are as long.
    """
    by_chance, place = _lengths(rule, state, x), -1

    def changed(part: Array) -> Array:
        nonlocal place
        place += 1
        is_vector = part.shape and part.shape[-1] == x.shape[-1] and part.dtype == x.dtype
        return change(part) if is_vector and place not in by_chance else part

    return map_tree(changed, state)


def _lengths(rule: Rule, state: State, x: Array) -> set[int]:
    """The places among the arrays of a state of those whose last axis is as long for messages of one coordinate more.

    None where the state that a rule begins with has not the form of this one.
    """
    if not any(True for _ in arrays_in(state)) or not x.shape[-1]:
        return set()
    try:
        wider = list(arrays_in(rule.init(namespace(x).concat([x, x[..., :1]], axis=-1))))
    except Exception:  # what it raises is told where it is asked about these messages
        return set()
    own = [tuple(part.shape) for part in arrays_in(state)]
    same = {k for k, (a, b) in enumerate(zip(own, wider, strict=False)) if a and a[-1:] == tuple(b.shape)[-1:]}
    return same if len(own) == len(wider) else set()


def started(rule: Rule, x: Array) -> State:
    """The rule's initial state, its vectors moved off the origin."""
    drawn = as_like(np.random.Generator(np.random.Philox(11)).uniform(-0.5, 0.5, x.shape[-1]), x)
    return map_state(lambda s: s + drawn, begun(rule, x), x, rule)


ORDERS = 6  # other orders that messages are tried in


def shuffled(x: Array, seed: int) -> Array:
    """The workers of `x` in another order: reversed, the first two exchanged, the last one first, then at random."""
    xp = namespace(x)
    n = x.shape[-2]
    order = np.arange(n)
    if seed == 0:
        order = order[::-1]
    elif seed == 1:
        order[:2] = order[:2][::-1]
    elif seed == 2:
        order = np.roll(order, 1)
    else:
        order = np.random.Generator(np.random.Philox(seed)).permutation(n)
    return xp.take(x, as_index(order, x), axis=-2)


def as_index(order: np.ndarray, x: Array) -> Array:
    """Whole numbers as an index into `x`."""
    xp = namespace(x)
    return xp.asarray(order.tolist(), dtype=xp.int64, device=device(x))


def over_state(v: Array, part: Array) -> Array:
    """A vector for each run, (..., d), against a part of a state that has such vectors or more of them: (..., k, d)."""
    while v.ndim > 1 and v.ndim < part.ndim:
        v = v[..., None, :]
    return v


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


def attacked(x: Array, f: int, rule: Rule) -> Iterator[tuple[str, Array]]:
    """(label, messages) with the first f messages arbitrary: far away together, far apart, one by one, and near.

    Of a rule that does not promise that all workers are alike also the last f, with the others in the opposite order.
    """
    for label, messages in _attacked(x, f):
        yield label, messages
        if not declared(rule, x.shape[-2])[0].permutation:
            yield f"the last {label}", namespace(x).flip(messages, axis=-2)


def _attacked(x: Array, f: int) -> Iterator[tuple[str, Array]]:
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
