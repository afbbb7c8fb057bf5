"""The benchmarks on a device, as many rounds as there is time for: what was measured is kept after every table."""

from __future__ import annotations

import importlib
import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from benchmarks import gpu, neural
from benchmarks.measure import take_turns
from benchmarks.plan import Plan

Keep = Callable[[dict[str, Any]], None]
Tables = dict[str, dict[str, list[float]]]  # table → contender → seconds, one for each round
MOST = 15  # rounds
SETTINGS = tuple(
    replace(setting, wanted=15.0 if setting.n == 16 and setting.b == 1 else None) for setting in neural.SETTINGS[:4]
)


def of_rules(keep: Keep, seconds: float, device: gpu.Device | None = None, plan: Plan = gpu.ON_DEVICE) -> None:
    """The rules at every shape, and the simulations."""
    place = gpu.cuda() if device is None else device
    clock = partial(gpu.seconds_of, wait=place.wait)
    shapes = [replace(plan, shapes=(shape,), simulations=()) for shape in plan.shapes]
    parts = [*shapes, *(replace(plan, shapes=(), simulations=(one,)) for one in plan.simulations)]
    rounds_of(keep, seconds, [lambda seed, part=part: gpu.once(place, part, seed, clock) for part in parts])


def of_networks(
    keep: Keep, seconds: float, where: str = "cuda", settings: tuple[neural.Setting, ...] = SETTINGS
) -> None:
    """The gradients of all workers, in float32 and without TF32."""
    torch = importlib.import_module("torch")
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    wait = torch.cuda.synchronize if where == "cuda" else lambda: None

    def once(setting: neural.Setting, seed: int) -> dict[str, dict[str, float]]:
        made = {setting.name: lambda rng: neural.contenders(setting, torch.get_num_threads(), seed, where)}
        return take_turns(made, 1, seed, partial(gpu.seconds_of, wait=wait))

    rounds_of(keep, seconds, [partial(once, setting) for setting in settings])


def rounds_of(
    keep: Keep,
    seconds: float,
    parts: Iterable[Callable[[int], dict[str, dict[str, float]]]],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Every part in turns with a seed for each round, no more than `MOST`, until the time for another is up."""
    tables: Tables = {}
    start, longest, parts = clock(), 0.0, list(parts)
    for seed, part in itertools.product(range(MOST), parts):
        begun = clock()
        if begun - start + longest > seconds and tables:
            return
        for name, times in part(seed).items():
            for who, value in times.items():
                tables.setdefault(name, {}).setdefault(who, []).append(float(f"{value:.4g}"))
        keep({"tables": tables})
        if seed:  # compiling is done only once
            longest = max(longest, clock() - begun)
        print(f"round {seed + 1}: {', '.join(part_names(tables, seed))}", flush=True)


def part_names(tables: Tables, seed: int) -> list[str]:
    """The tables that have been measured in this round."""
    return [name for name, times in tables.items() if any(len(values) > seed for values in times.values())][-1:]
