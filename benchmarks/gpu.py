"""The rules and the simulation on a CUDA device, beside one copy of the messages there: `byzcheck bench --gpu`.

Rounds take the place of processes: a device has its memory to itself. What is behind a rule on CuPy arrays, kernels or
the array-API path, is the rule's own matter.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from benchmarks import rules, simulation
from benchmarks.measure import Call, take_turns
from benchmarks.once import Tables
from benchmarks.plan import COPY, RESNET_20, SIMULATED, Plan
from benchmarks.record import BenchRecord, of_tables
from sims.backend import get_namespace

ON_DEVICE = Plan(
    processes=15,
    rounds=1,
    shapes=((25, 5, RESNET_20), (25, 5, 11_173_962), (100, 20, 1_000_000)),  # the second is ResNet-18's size
    simulations=((10, 65536, 100, SIMULATED), (100, 8192, 100, SIMULATED)),
)


@dataclass(frozen=True)
class Device:
    """An array library, how to wait for its device, its name for `simulate`, and what the device is called."""

    library: Any
    wait: Callable[[], Any]
    backend: str
    name: str


def cuda() -> Device:
    """The CUDA device; a `ValueError` that says what is missing."""
    get_namespace("cupy")  # raises
    cupy = importlib.import_module("cupy")
    name = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)["name"].decode()
    return Device(cupy, lambda: cupy.cuda.Device().synchronize(), "cupy", name)


def measured(
    device: Device, plan: Plan = ON_DEVICE, progress: Callable[[int], None] = lambda done: None
) -> BenchRecord:
    """The record of a plan on the device."""
    found: list[Tables] = []
    clock = partial(seconds_of, wait=device.wait)
    for seed in range(plan.processes):
        found.append(once(device, plan, seed, clock))
        progress(seed + 1)
    return of_tables("gpu", found) | {"device": device.name}


def once(device: Device, plan: Plan, seed: int, clock: Callable[[Call], float]) -> Tables:
    """Every table of the plan, once."""
    tables: dict[str, Callable[[np.random.Generator], Mapping[str, Call]]] = {
        f"device n={n} f={f} d={d}": partial(_contenders, device, plan.rules, n, f, d) for n, f, d in plan.shapes
    }
    found = take_turns(tables, plan.rounds, seed, clock)
    n, f = plan.workers
    for d, runs, steps, names in plan.simulations:
        table = f"device-simulation n={n} f={f} d={d} runs={runs} T={steps}"
        calls = {f"{rule}/ours": partial(simulation.ours, rule, n, f, d, runs, steps, device.backend) for rule in names}
        times = take_turns({table: lambda rng, calls=calls: calls}, 1, seed, clock)[table]
        found[table] = simulation.per_gradient(times, dict.fromkeys(times, n * runs * steps))
    return found


def seconds_of(call: Call, wait: Callable[[], Any], shortest: float = 0.02) -> float:
    """The time of one hot call, many of them sent to the device one after the other before it is waited for."""
    call()
    wait()
    calls = 1
    while True:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        wait()
        taken = time.perf_counter() - start
        if taken >= shortest:
            return taken / calls
        calls *= max(2, int(shortest / max(taken, 1e-6)))


def _contenders(
    device: Device, names: tuple[str, ...], n: int, f: int, d: int, rng: np.random.Generator
) -> dict[str, Call]:
    x = device.library.asarray(rules.messages(rng, n, f, d))
    calls: dict[str, Call] = {COPY: partial(device.library.copyto, device.library.empty_like(x), x)}
    for rule in (r for r in names if rules.defined(r, n, f)):
        calls[f"{rule}/ours"] = partial(rules.RULES[rule](f, rules.radius(d)).aggregate, x)
    return calls


def quick(plan: Plan = ON_DEVICE) -> Plan:
    """The first shape and simulation alone."""
    return replace(plan, shapes=plan.shapes[:1], simulations=plan.simulations[:1])
