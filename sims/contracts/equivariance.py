"""How the aggregate moves with the messages: shifts, scales, reflections, and where it is the mean."""

from __future__ import annotations

import numpy as np

from sims.aggregators.rule import Rule
from sims.backend import Array, as_like, namespace
from sims.contracts.support import (
    aggregated,
    allowance,
    begun,
    contract,
    exponents_of,
    map_state,
    over_state,
    overwrite_rows,
    require_close,
    started,
    values,
    violated,
)


@contract("translation")
def check_translation(rule: Rule, x: Array) -> None:
    """AGG(x + c, state + c) = AGG(x, state) + c, also for c far above the spread."""
    xp = namespace(x)
    host = values(x).astype(np.float64)
    reach = (
        np.max(np.abs(host), axis=(-2, -1), initial=0.0) + np.ptp(host.reshape(*host.shape[:-2], -1), axis=-1)
        if (host.size)
        else np.ones(host.shape[:-2])
    )
    reach = np.where(reach > 0, reach, 1.0)[..., None]
    direction = np.random.Generator(np.random.Philox(7)).uniform(0.5, 1.0, x.shape[-1])
    for ratio in (2.0, float(xp.finfo(x.dtype).eps) ** -0.5):
        c = as_like(direction * (ratio * reach), x)
        moved = x + c[..., None, :]
        still = moved - c[..., None, :]  # x, rounded so that the shift between the two is exact
        start = map_state(lambda s, c=c: (s + over_state(c, s)) - over_state(c, s), started(rule, x), x, rule)
        y = aggregated(rule, moved, map_state(lambda s, c=c: s + over_state(c, s), start, x, rule), label="moved")
        expected = aggregated(rule, still, start) + c
        require_close("translation", rule, y, expected, allowance(rule, moved, start), shown=(-1, -2))


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
        start = map_state(lambda s, factor=factor: (s * factor) / factor, state, x, rule)
        y = aggregated(
            rule, scaled, map_state(lambda s, factor=factor: s * factor, start, x, rule), label=f"times 2^{k}"
        )
        expected = aggregated(rule, still, start)
        require_close("scale", rule, y / factor, expected, allowance(rule, still, start), shown=(-1, -2))


@contract("oddness")
def check_oddness(rule: Rule, x: Array) -> None:
    """AGG(−x, −state) = −AGG(x, state), for x without ties."""
    state = started(rule, x)
    mirrored = aggregated(rule, -x, map_state(lambda s: -s, state, x, rule), label="mirrored")
    y = aggregated(rule, x, state)
    require_close("oddness", rule, mirrored, -y, allowance(rule, x, state), shown=(-1, -2))


@contract("agreement")
def check_agreement(rule: Rule, x: Array) -> None:
    """When all n messages (and a rule's centre, where it has one) are v, so is AGG."""
    v = x[..., 0, :]
    same = x * 0 + v[..., None, :]
    y = aggregated(rule, same, map_state(lambda s: s * 0 + over_state(v, s), begun(rule, same), same, rule))
    require_close("agreement", rule, y, v, allowance(rule, same))


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
            what = f"a message of {bad} went in and {y[np.isfinite(y)][0]} came out"
            raise violated("propagation", rule, what, (-1,))
