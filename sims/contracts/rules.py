"""What every aggregation rule owes, as functions that raise: import them into the tests of a rule of your own.

Each `check_*(rule, x)` tests one contract on messages x of shape (..., n, d), in the array library of x, and raises an
`AssertionError` that names the contract, the rule and the largest deviation. `contracts_for(rule, n)` lists those that
the rule's declarations (`promises`, `breakdown(n)`) call for; `check_rule(rule, n, d)` runs them all on drawn messages.

Rounding is forgiven up to 64·n·ε·(largest magnitude in play), plus 100 times the rule's own `tol` where it has one;
inputs are built so that no contract asks for more (shifts and scalings are exact in floating point).

A rule that draws is handed streams, the same on both sides of a comparison; where these cannot help, because the
messages are in another order, the laws of both sides are compared. A state is any tree of arrays (`sims.trees`). Where
there are no runs there is nothing to be broken. A rule that raises, or returns something else than an aggregate and a
state, breaks the contract that is tested.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from sims.aggregators.rule import Rule, as_rule, declared
from sims.backend import Array, as_like, device, namespace
from sims.checked import whole
from sims.checks.draws import Draws
from sims.contracts.support import (
    PURPOSE,
    aggregated,
    allowance,
    attacked,
    begun,
    combined,
    contract,
    exponents_of,
    map_state,
    outcome,
    overwrite_rows,
    reach_of,
    require_close,
    require_same,
    require_same_law,
    shuffled,
    started,
    tied,
    values,
    violated,
)

Contract = Callable[[Rule, Array], None]
ARRAY_PARAMETERS = ("tau", "nu", "radius")  # fields that may hold an array over the leading axes


@contract("permutation")
def check_permutation(rule: Rule, x: Array) -> None:
    """AGG does not depend on who sent what; the law of AGG does not if the rule draws."""
    state = started(rule, x)
    y, drew = outcome(rule, x, state)
    if drew:
        require_same_law("permutation", rule, x)
        return
    for seed in range(4):
        require_close("permutation", rule, aggregated(rule, shuffled(x, seed), state), y, allowance(rule, x, state))


@contract("ties")
def check_ties(rule: Rule, x: Array, bitwise: bool = False) -> None:
    """Ties, duplicates and equal scores are broken by value, not by index; with `bitwise` to the last bit.

    Of a rule that draws it is again the law that must be the same.
    """
    for messages in tied(x):
        state = started(rule, messages)
        y, drew = outcome(rule, messages, state)
        if drew:
            require_same_law("ties", rule, messages)
            continue
        allowed = 0.0 if bitwise else allowance(rule, messages, state)
        for seed in range(4):
            require_close("ties", rule, aggregated(rule, shuffled(messages, seed), state), y, allowed)


@contract("translation")
def check_translation(rule: Rule, x: Array) -> None:
    """AGG(x + c, state + c) = AGG(x, state) + c, also for c far above the spread."""
    xp = namespace(x)
    reach = 1.0
    if values(x).any():
        reach = float(np.ptp(values(x)) + np.max(np.abs(values(x))))
    direction = as_like(np.random.Generator(np.random.Philox(7)).uniform(0.5, 1.0, x.shape[-1]), x)
    for ratio in (2.0, float(xp.finfo(x.dtype).eps) ** -0.5):
        c = direction * (ratio * reach)
        moved = x + c
        still = moved - c  # x, rounded so that the shift between the two is exact
        start = map_state(lambda s, c=c: (s + c) - c, started(rule, x), x)
        y = aggregated(rule, moved, map_state(lambda s, c=c: s + c, start, x))
        expected = aggregated(rule, still, start) + c
        require_close("translation", rule, y, expected, allowance(rule, moved, start))


@contract("scale")
def check_scale(rule: Rule, x: Array, exponents: tuple[int, ...] | None = None) -> None:
    """AGG(λx, λ·state) = λ·AGG(x, state) for λ = 2^k, k in `exponents`; by default to a third of the dtype's range.

    Further out lie squares that overflow or vanish: `exponents` that lead there are for a rule that says it bears them,
    as those of `sims` do.
    """
    state = started(rule, x)
    for k in exponents_of(x) if exponents is None else exponents:
        factor = 2.0**k
        scaled = x * factor
        still = scaled / factor  # x, rounded so that the scaling is exact
        start = map_state(lambda s, factor=factor: (s * factor) / factor, state, x)
        y = aggregated(rule, scaled, map_state(lambda s, factor=factor: s * factor, start, x))
        expected = aggregated(rule, still, start)
        require_close("scale", rule, y / factor, expected, allowance(rule, still, start))


@contract("oddness")
def check_oddness(rule: Rule, x: Array) -> None:
    """AGG(−x, −state) = −AGG(x, state), for x without ties."""
    state = started(rule, x)
    mirrored = aggregated(rule, -x, map_state(lambda s: -s, state, x))
    require_close("oddness", rule, mirrored, -aggregated(rule, x, state), allowance(rule, x, state))


@contract("agreement")
def check_agreement(rule: Rule, x: Array) -> None:
    """When all n messages (and a rule's centre, where it has one) are v, so is AGG."""
    v = x[..., 0, :]
    same = x * 0 + v[..., None, :]
    y = aggregated(rule, same, map_state(lambda s: s * 0 + v, begun(rule, same), same))
    require_close("agreement", rule, y, v, allowance(rule, same))


@contract("majority")
def check_majority(rule: Rule, x: Array) -> None:
    """When all but `breakdown(n)` messages are v, so is AGG, whatever the others are.

    It follows from boundedness for every rule that is translation and scale equivariant, and for no other: were the
    output not v, scaling everything around v would move it without bound.
    """
    _, f = declared(rule, x.shape[-2])
    v = x[..., 0, :]
    same = x * 0 + v[..., None, :]
    for label, messages in attacked(same, f):
        y = aggregated(rule, messages)
        require_close(f"majority ({label})", rule, y, v, allowance(rule, same))


@contract("boundedness")
def check_boundedness(rule: Rule, x: Array, bound: float | None = None) -> None:
    """`breakdown(n)` arbitrary messages, of magnitudes up to 1e300, do not carry AGG away.

    A translation and scale equivariant rule must stay within 4n diameters of the other messages; any other within
    `bound`, by default what the rule declares (`Rule.bound`).
    """
    n = x.shape[-2]
    promises, f = declared(rule, n)
    state = started(rule, x)
    honest = values(x)[..., f:, :]
    if promises.translation and promises.scale:
        centre = np.mean(honest, axis=-2)
        allowed = 4 * n * float(np.max(np.ptp(honest, axis=-2), initial=0.0)) * max(x.shape[-1], 1) ** 0.5
        allowed += allowance(rule, x, state)
    else:
        centre = 0.0
        allowed = rule.bound(n, reach_of(x, f, state)) if bound is None else bound
        allowed += allowance(rule, x, state)
    for label, messages in attacked(x, f):
        y = values(aggregated(rule, messages, state))
        require_close(f"boundedness ({label})", rule, y, np.broadcast_to(centre, y.shape), allowed)


@contract("non-finite")
def check_non_finite(rule: Rule, x: Array) -> None:
    """`breakdown(n)` messages with NaN, +∞ or −∞ leave AGG finite and bounded, and a NaN counts as +∞."""
    _, f = declared(rule, x.shape[-2])
    state = started(rule, x)
    reach = rule.bound(x.shape[-2], max(1.0, reach_of(x, f, state)))  # of what is sent below some is 1
    nan, inf = float("nan"), float("inf")
    for label, row in (("NaN", nan), ("+∞", inf), ("−∞", -inf), ("mixed", [nan, 1.0, -inf, inf]), ("one NaN", [nan])):
        for count in {1, f}:
            pattern = np.full(x.shape[-1], row) if isinstance(row, float) else np.ones(x.shape[-1])
            if isinstance(row, list):
                pattern[: len(row)] = row[: x.shape[-1]]
            y = values(aggregated(rule, overwrite_rows(x, pattern, count), state))
            require_close(f"non-finite ({count} rows {label})", rule, y, np.zeros_like(y), reach)
            worst = overwrite_rows(x, np.where(np.isnan(pattern), inf, pattern), count)
            require_same(f"non-finite ({label}: NaN counts as +∞)", rule, values(aggregated(rule, worst, state)), y)


@contract("mean")
def check_mean(rule: Rule, x: Array) -> None:
    """Where the rule declares itself the mean, it is (1/n) Σ_i x_i."""
    expected = np.mean(values(x).astype(np.longdouble), axis=-2)
    require_close("mean", rule, aggregated(rule, x), expected, allowance(rule, x))


@contract("propagation")
def check_propagation(rule: Rule, x: Array) -> None:
    """A mean hides no non-finite message: one NaN or infinity shows in the coordinate that it is in."""
    if not x.shape[-1]:
        return
    for bad in (float("nan"), float("inf"), -float("inf")):
        y = values(aggregated(rule, overwrite_rows(x, np.full(x.shape[-1], bad), 1)))
        if np.isfinite(y).any():
            raise violated("propagation", rule, f"a message of {bad} went in and {y[np.isfinite(y)][0]} came out")


@contract("kind")
def check_kind(rule: Rule, x: Array) -> None:
    """Shape (..., d), and dtype, device and array library of the input, for the output and for a state of vectors."""
    y, state = rule(x, None, Draws(PURPOSE, x))
    vectors: list[Array] = [y]
    map_state(lambda s: vectors.append(s) or s, state, x)
    for vector in vectors:
        if tuple(vector.shape) != (*x.shape[:-2], x.shape[-1]):
            raise violated("kind", rule, f"messages of shape {tuple(x.shape)} gave shape {tuple(vector.shape)}")
        if vector.dtype != x.dtype:
            raise violated("kind", rule, f"messages of dtype {x.dtype} gave {vector.dtype}")
        if namespace(vector) is not namespace(x):
            raise violated("kind", rule, f"messages of {namespace(x).__name__} gave {namespace(vector).__name__}")
        if device(vector) != device(x):
            raise violated("kind", rule, f"messages on {device(x)} gave {device(vector)}")


@contract("inputs untouched")
def check_inputs_untouched(rule: Rule, x: Array) -> None:
    """Neither the messages nor the state are written to; read-only NumPy arrays are accepted.

    `combine` itself is called, and with the arrays themselves: calls of a rule of somebody's own have copies.
    """
    xp = namespace(x)
    before, state = xp.asarray(x, copy=True), started(rule, x)
    parts: list[Array] = []
    map_state(lambda s: parts.append(xp.asarray(s, copy=True)) or s, state, x)
    if isinstance(x, np.ndarray):
        locked = x.copy()
        locked.flags.writeable = False
        try:
            combined(rule, locked, state)
        except ValueError as error:
            raise violated("inputs untouched", rule, f"read-only messages: {error}") from error
    x = xp.asarray(x, copy=True)  # ours to lose
    combined(rule, x, state)
    require_same("inputs untouched (messages)", rule, x, before)
    after: list[Array] = []
    map_state(lambda s: after.append(s) or s, state, x)
    for old, new in zip(parts, after, strict=True):
        require_same("inputs untouched (state)", rule, new, old)


@contract("leading axes")
def check_leading_axes(rule: Rule, x: Array) -> None:
    """A stack of runs gives what each run alone gives, bit for bit on NumPy."""
    xp = namespace(x)
    if not (alone := math.prod(x.shape[:-2])):
        return
    flat = xp.reshape(x, (alone, *x.shape[-2:]))
    runs = [flat[0, ...], *(shuffled(flat[0, ...], seed) * 0.5**seed for seed in range(1, 6))]
    for shape in ((6,), (2, 3)):
        stack = xp.reshape(xp.stack(runs), (*shape, *x.shape[-2:]))
        y = values(aggregated(rule, stack, started(rule, stack)))
        # streams are those of the last leading axis
        each = [values(aggregated(rule, run, started(rule, run), k % shape[-1])) for k, run in enumerate(runs)]
        expected = np.reshape(np.stack(each), y.shape)
        require_close("leading axes", rule, y, expected, 0.0 if isinstance(x, np.ndarray) else allowance(rule, x))


@contract("array parameter")
def check_array_parameter(
    rule: Rule, x: Array, name: str = "tau", grid: tuple[float, ...] = (0.0625, 0.5, 2.0)
) -> None:
    """An array in the field `name` gives what each of its values gives alone, bit for bit on NumPy."""
    xp = namespace(x)
    if not (runs := math.prod(x.shape[:-2])):
        return
    run = xp.reshape(x, (runs, *x.shape[-2:]))[0, ...]

    def having(value: Any) -> Rule:
        return replace(rule, **{name: value})  # type: ignore[type-var]

    alone = [values(aggregated(having(value), run, first=k)) for k, value in enumerate(grid)]
    stacked = xp.stack([run] * len(grid))
    for array in (np.asarray(grid), as_like(np.asarray(grid), run)):
        y = aggregated(having(array), stacked)
        allowed = 0.0 if isinstance(x, np.ndarray) else allowance(rule, run)
        require_close(f"array parameter {name}", rule, y, np.stack(alone), allowed)


@contract("no hidden state")
def check_no_hidden_state(rule: Rule, x: Array) -> None:
    """The same call gives the same output, bit for bit, whatever was aggregated in between."""
    state = started(rule, x)
    first = values(aggregated(rule, x, state)).copy()
    aggregated(rule, shuffled(x, 1) * -3.0, state)
    require_same("no hidden state", rule, aggregated(rule, x, state), first)


def contracts_for(rule: Rule, n: int, d: int = 2) -> Iterator[tuple[str, Contract]]:
    """(name, check) of every contract that `rule` owes for n workers and d coordinates; each check takes (rule, x)."""
    n, d = whole("contracts_for", "n", n, least=1), whole("contracts_for", "d", d, least=0)
    promises, f = declared(rule, n)
    if promises.permutation:
        yield "permutation", check_permutation
        yield "ties", check_ties
    yield "kind", check_kind
    yield "inputs untouched", check_inputs_untouched
    yield "leading axes", check_leading_axes
    yield "no hidden state", check_no_hidden_state
    if promises.agreement:
        yield "agreement", check_agreement
    if promises.translation:
        yield "translation", check_translation
    if promises.scale:
        yield "scale", check_scale
    if promises.odd and not rule.meets_ties(n, d):
        yield "oddness", check_oddness
    if promises.mean:
        yield "mean", check_mean
        yield "propagation", check_propagation
    if f > 0:
        yield "boundedness", check_boundedness
        yield "non-finite", check_non_finite
        if promises.translation and promises.scale:
            yield "majority", check_majority
    for name in ARRAY_PARAMETERS:
        if is_dataclass(rule) and name in {field.name for field in fields(rule)}:
            yield f"array parameter {name}", partial(check_array_parameter, name=name)


def check_rule(rule: Rule | Callable[[Array], Array], n: int, d: int, seed: int = 0, like: Array | None = None) -> None:
    """Run every contract of `rule` on normal messages (2, n, d), float64 NumPy or what the array `like` is.

    `rule` may be a plain function (n, d) → (d,), which owes what it owes as a `FunctionRule`.
    """
    rule, n, d = as_rule(rule), whole("check_rule", "n", n, least=1), whole("check_rule", "d", d, least=0)
    seed = whole("check_rule", "seed", seed, least=0)
    drawn = np.random.Generator(np.random.Philox(seed)).normal(size=(2, n, d))
    x = drawn if like is None else as_like(drawn, like)
    for _, check in contracts_for(rule, n, d):
        check(rule, x)
