"""What `breakdown(n)` arbitrary messages cannot do."""

from __future__ import annotations

import math

import numpy as np

from sims.aggregators.rule import Rule, declared
from sims.backend import Array, namespace
from sims.checked import real
from sims.contracts.support import (
    aggregated,
    allowance,
    attacked,
    begun,
    contract,
    map_state,
    over_state,
    overwrite_rows,
    reach_of,
    require_close,
    require_same,
    started,
    values,
)
from sims.owned import asked, called


@contract("majority")
def check_majority(rule: Rule, x: Array) -> None:
    """When all but `breakdown(n)` messages (and a rule's state) are v, so is AGG, whatever the others are.

    It follows from boundedness for every rule that is translation and scale equivariant, and for no other: were the
    output not v, scaling everything around v would move it without bound.
    """
    _, f = declared(rule, x.shape[-2])
    v = x[..., 0, :]
    same = x * 0 + v[..., None, :]
    state = map_state(lambda s: s * 0 + over_state(v, s), begun(rule, same), same, rule)
    allowed = allowance(rule, same, state)
    for label, messages in attacked(same, f, rule):
        y = aggregated(rule, messages, state, label=label)
        require_close(f"majority ({label})", rule, y, v, allowed)


@contract("boundedness")
def check_boundedness(rule: Rule, x: Array, bound: float | None = None) -> None:
    """`breakdown(n)` arbitrary messages, of magnitudes up to 1e300, do not carry AGG away.

    A translation and scale equivariant rule must stay within 4n diameters of the other messages and of its state; any
    other within `bound`, by default what the rule declares (`Rule.bound`).
    """
    n = x.shape[-2]
    promises, f = declared(rule, n)
    state = started(rule, x)
    known = [values(x)[..., f:, :]]  # whom it may trust
    map_state(lambda s: known.append(_rows(values(s), x)) or s, state, x, rule)
    honest = np.concatenate(known, axis=-2)
    if not honest.shape[-2]:  # who bears as many as there are
        honest = np.zeros((*x.shape[:-2], 1, x.shape[-1]))
    forgiven = allowance(rule, x, state)
    if promises.translation and promises.scale:
        centre = np.mean(honest, axis=-2)
        across = np.max(np.ptp(honest, axis=-2), axis=-1, initial=0.0)
        allowed = 4 * n * across * max(x.shape[-1], 1) ** 0.5 + forgiven
    else:
        centre = 0.0
        allowed = (_bound(rule, n, reach_of(x, f, state, rule)) if bound is None else bound) + forgiven
    for label, messages in attacked(x, f, rule):
        y = values(aggregated(rule, messages, state, label=label))
        require_close(f"boundedness ({label})", rule, y, np.broadcast_to(centre, y.shape), allowed)


def _bound(rule: Rule, n: int, reach: float) -> float:
    """`rule.bound`, of which somebody's own may raise or be no number."""
    return real(called("rule", rule), "bound", asked("rule", rule.bound, n, reach), least=0, finite=False)


def _rows(part: np.ndarray, x: Array) -> np.ndarray:
    """The vectors of a part of a state, one or more for each run of x or for all of them, as rows (..., k, d)."""
    own = part.shape[: x.ndim - 2] == tuple(x.shape[:-2])
    k = math.prod(part.shape[x.ndim - 2 if own else 0 : -1])
    return np.broadcast_to(
        np.reshape(part, (*(x.shape[:-2] if own else ()), k, x.shape[-1])), (*x.shape[:-2], k, x.shape[-1])
    )


@contract("non-finite")
def check_non_finite(rule: Rule, x: Array) -> None:
    """`breakdown(n)` messages with NaN, +∞ or −∞ leave AGG finite and bounded, and a NaN counts as +∞."""
    _, f = declared(rule, x.shape[-2])
    state = started(rule, x)
    reach = _bound(rule, x.shape[-2], max(1.0, reach_of(x, f, state, rule)))  # of what is sent below some is 1
    nan, inf = float("nan"), float("inf")
    d = x.shape[-1]
    rows = {  # by what they are called
        "NaN": np.full(d, nan),
        "+∞": np.full(d, inf),
        "−∞": np.full(d, -inf),
        "mixed": np.resize([nan, 1.0, -inf, inf], d),
        "one NaN": np.where(np.arange(d) == 0, nan, 1.0),
        "a last NaN": np.where(np.arange(d) == d - 1, nan, 1.0),
    }
    for label, pattern in rows.items():
        for count in sorted({1, f}):
            y = values(aggregated(rule, overwrite_rows(x, pattern, count), state))
            require_close(f"non-finite ({count} rows {label})", rule, y, np.zeros_like(y), reach)
            worst = overwrite_rows(x, np.where(np.isnan(pattern), inf, pattern), count)
            again = values(aggregated(rule, worst, state, label="+∞ instead"))
            require_same(f"non-finite ({label}: NaN counts as +∞)", rule, again, y, shown=(-2, -1))
            if label in ("NaN", "mixed"):  # who compares with a NaN is misled by the last one, or by the first
                last = namespace(x).flip(overwrite_rows(x, pattern, count), axis=-2)
                y = values(aggregated(rule, last, state))
                require_close(f"non-finite (the last {count} rows {label})", rule, y, np.zeros_like(y), reach)
