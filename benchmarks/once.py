"""What one process measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from benchmarks import batches, grid, memory, rules, simulation
from benchmarks.measure import Call, single, take_turns
from benchmarks.plan import Plan

Tables = dict[str, dict[str, float]]  # table, a kind and its parameters → contender → what was measured
AXES = ("n", "d", "runs", "T")


def once(
    plan: Plan,
    seed: int,
    left_out: frozenset[str] = frozenset(),
    in_grid: Mapping[str, list[str]] = MappingProxyType({}),
) -> Tables:
    """Every table of the plan; `left_out` are the peers that cannot be run, as "rule/who".

    In the grid only those are run that `in_grid` names for a table.

    Tables of rules and of the grid hold seconds per call, those of simulations seconds per worker-gradient, those of
    growth seconds, that of memory shares of the messages' size; those of sweeps seconds, of a run and of a batch per
    job.
    """
    found = take_turns(_of_rules(plan, left_out), plan.rounds, seed)
    if plan.grid is not None:
        grid.warm(plan.grid, in_grid)
        found |= take_turns(grid.tables(plan.grid, in_grid), plan.rounds, seed, grid.clock)
    brief, _ = _of_simulations(plan, most_runs=2)
    for table in brief.values():
        for call in table.values():
            call()  # compiles or loads the program
    calls, work = _of_simulations(plan)
    timed = take_turns({name: partial(_as_it_is, table) for name, table in calls.items()}, 1, seed + 1, single)
    found |= {name: simulation.per_gradient(timed[name], work[name]) for name in timed}
    found |= _of_memory(plan, seed, left_out)
    if plan.sweeps is None:
        return found
    from benchmarks import sweeps  # which needs all that files and folders of sweeps need, and a device has none of

    return found | sweeps.measured(plan.sweeps)


def parameters(table: str) -> tuple[str, dict[str, int]]:
    """The kind of a table and its parameters.

    >>> parameters("rules n=25 f=5 d=100")
    ('rules', {'n': 25, 'f': 5, 'd': 100})
    """
    kind, *pairs = table.split()
    return kind, {name: int(value) for name, value in (pair.split("=") for pair in pairs)}


def _as_it_is(table: Mapping[str, Call], rng: np.random.Generator) -> Mapping[str, Call]:
    return table


def _of_rules(
    plan: Plan, left_out: frozenset[str]
) -> Mapping[str, Callable[[np.random.Generator], Mapping[str, Call]]]:
    def grown(n: int, d: int, rng: np.random.Generator) -> dict[str, Call]:
        return rules.contenders(rng, n, n // 5, d, plan.grown, left_out, peers=False)

    found: dict[str, Any] = {
        f"rules n={n} f={f} d={d}": partial(_all_rules, n, f, d, plan, left_out) for n, f, d in plan.shapes
    }
    found |= {
        f"many runs={runs} n={n} f={f} d={d}": partial(batches.contenders, runs=runs, n=n, f=f, d=d)
        for runs, n, f, d in plan.batches
    }
    found |= {f"rules-by-n n={n} d={plan.grow_n_at}": partial(grown, n, plan.grow_n_at) for n in plan.grow_n}
    return found | {f"rules-by-d n={plan.workers[0]} d={d}": partial(grown, plan.workers[0], d) for d in plan.grow_d}


def _all_rules(
    n: int, f: int, d: int, plan: Plan, left_out: frozenset[str], rng: np.random.Generator
) -> dict[str, Call]:
    return rules.contenders(rng, n, f, d, plan.rules, left_out)


def _of_simulations(
    plan: Plan, most_runs: int | None = None
) -> tuple[dict[str, dict[str, Call]], dict[str, dict[str, int]]]:
    calls, work = {}, {}
    n, f = plan.workers
    for d, runs, steps, names in plan.simulations:
        table = f"simulation n={n} f={f} d={d} runs={runs} T={steps}"
        few = runs if most_runs is None else min(runs, most_runs)
        calls[table], work[table] = simulation.contenders(n, f, d, few, steps, names, plan.loop_steps)
    for axis, letter in enumerate(AXES):
        for factor in plan.factors:
            n, d, runs, steps = (size * factor if k == axis else size for k, size in enumerate(plan.base))
            table = f"simulation-by-{letter} n={n} d={d} runs={runs} T={steps}"
            few = runs if most_runs is None else min(runs, most_runs)
            calls[table], _ = simulation.contenders(n, n // 5, d, few, steps, plan.grown, 0, peers=False)
            del calls[table][simulation.DRAW]
            work[table] = dict.fromkeys(calls[table], 1)
    return calls, work


def _of_memory(plan: Plan, seed: int, left_out: frozenset[str]) -> Tables:
    if plan.memory is None or not memory.can_measure():
        return {}
    n, f, d = plan.memory
    calls = rules.contenders(np.random.Generator(np.random.Philox(seed)), n, f, d, plan.rules, left_out)
    del calls[rules.READ]
    return {f"memory n={n} f={f} d={d}": memory.shares(calls, 4 * n * d)}
