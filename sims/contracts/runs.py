"""Runs that stand side by side know nothing of each other."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from sims.aggregators.rule import Rule
from sims.backend import Array, as_like, namespace
from sims.contracts.support import aggregated, allowance, contract, require_close, shuffled, started, values
from sims.owned import ours


@contract("leading axes")
def check_leading_axes(rule: Rule, x: Array) -> None:
    """A stack of runs gives what each gives alone: bit for bit on NumPy if the rule is of `sims`, else to rounding."""
    xp = namespace(x)
    if not (alone := math.prod(x.shape[:-2])):
        return
    flat = xp.reshape(x, (alone, *x.shape[-2:]))
    runs = [flat[k % alone, ...] for k in range(3)]
    runs = [runs[0], *(shuffled(runs[k % 3], k) * 0.5**k for k in range(1, 6))]
    for shape in ((6,), (2, 3)):
        stack = xp.reshape(xp.stack(runs), (*shape, *x.shape[-2:]))
        y = values(aggregated(rule, stack, started(rule, stack), label="a stack of runs"))
        y = np.reshape(y, (6, x.shape[-1]))
        for k, run in enumerate(runs):
            state = started(rule, run)
            # streams are those of the last leading axis
            expected = aggregated(rule, run, state, k % shape[-1], label=f"run {k + 1} alone")
            require_close("leading axes", rule, y[k], expected, _rounding(rule, run, state), shown=(-1 - k - 1, -1))


@contract("array parameter")
def check_array_parameter(
    rule: Rule, x: Array, name: str = "tau", grid: tuple[float, ...] = (0.0625, 0.5, 2.0)
) -> None:
    """An array in the field `name` gives what each of its values gives alone: bit for bit where `leading axes` is."""
    xp = namespace(x)
    if not (runs := math.prod(x.shape[:-2])):
        return
    run = xp.reshape(x, (runs, *x.shape[-2:]))[0, ...]

    def having(value: Any) -> Rule:
        return replace(rule, **{name: value})  # type: ignore[type-var]

    alone = [values(aggregated(having(value), run, first=k, label=f"{name} = {value}")) for k, value in enumerate(grid)]
    stacked = xp.stack([run] * len(grid))
    for array in (np.asarray(grid), as_like(np.asarray(grid), run)):
        y = aggregated(having(array), stacked, label=f"{name} = {grid}")
        allowed = _rounding(rule, run)
        shown = (*range(len(grid)), -1)
        require_close(f"array parameter {name}", rule, y, np.stack(alone), allowed, shown=shown)


def _rounding(rule: Rule, run: Array, state: Any = ()) -> Any:
    return 0.0 if isinstance(run, np.ndarray) and ours(rule) else allowance(rule, run, state)
