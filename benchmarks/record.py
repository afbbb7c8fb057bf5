"""A benchmark's record: several processes one after the other, what they ran on, and reading and writing it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from typing import Any

import numpy as np

import benchmarks
import sims
from benchmarks import grid, peers, rules
from benchmarks.once import Tables, once, parameters
from benchmarks.plan import Plan
from sims.backend import installed
from sims.kernels.cpu import threads as kernel_threads

SCHEMA = 1
PARTS = {"date", "machine", "versions", "load", "missing", "differs", "fails", "tables"}
PACKAGES = ("byzcheck", "numpy", "numba", *(name for name in peers.LIBRARIES if name != "numpy"))
BenchRecord = dict[str, Any]


def measured(
    plan: Plan,
    name: str,
    progress: Callable[[int], None] = lambda done: None,
    apart: bool = True,
    begun: BenchRecord | None = None,
    keep: Callable[[BenchRecord], None] = lambda record: None,
) -> BenchRecord:
    """The record of a plan called `name`; `progress` is told how many processes have finished.

    The processes run one after the other, or, unless `apart`, all in this one (for tests: too small a noise). `keep`
    is given the record after each of them. One that was cut so is gone on with if it is `begun`: a `ValueError` if it
    is of another plan, another machine, other versions or other code.
    """
    if begun is None:
        load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0
        missing, differs, fails, in_grid = _run(_compare, (plan,), apart)
        head = {"load": load, "code": code(), "missing": missing, "differs": differs, "fails": fails}
        found: list[Tables] = []
    else:
        found, in_grid = _gone_on_with(begun, plan, name)
        head = {part: begun[part] for part in ("load", "code", "missing", "differs", "fails")}
    for seed in range(len(found), plan.processes):
        found.append(_run(once, (plan, 2 * seed, frozenset(head["fails"]), in_grid), apart))
        keep(of_tables(name, found) | head)
        progress(seed + 1)
    return of_tables(name, found) | head


def _gone_on_with(begun: BenchRecord, plan: Plan, name: str) -> tuple[list[Tables], dict[str, list[str]]]:
    """The tables of the processes that a record has, and the peers that it measured in the grid."""
    for part, here in (("plan", name), ("machine", machine()), ("versions", versions()), ("code", code())):
        if begun.get(part) != here:
            raise ValueError(f"the record that was begun has another {part}: {begun.get(part)}, and here it is {here}")
    counts = {len(values) for table in begun["tables"].values() for values in table.values()}
    wanted = {f"grid {at}" for at in grid.all_sizes(plan.grid)} if plan.grid is not None else set()
    tables = {table: whose for table, whose in begun["tables"].items() if parameters(table)[0] == "grid"}
    if len(counts) != 1 or set(tables) != wanted:
        raise ValueError("the record that was begun has other tables than the plan")
    found = [
        {table: {who: values[k] for who, values in whose.items()} for table, whose in begun["tables"].items()}
        for k in range(min(*counts, plan.processes))
    ]
    return found, {table: list(whose) for table, whose in tables.items()}


def of_tables(name: str, found: list[Tables]) -> BenchRecord:
    """The record of the tables that so many processes measured, called `name`."""
    return {
        "schema": SCHEMA,
        "plan": name,
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine(),
        "versions": versions(),
        "load": None,
        "missing": {},
        "differs": {},
        "fails": {},
        "tables": {
            table: {who: [_short(t[table][who]) for t in found] for who in contenders}
            for table, contenders in found[0].items()
        },
    }


def machine() -> dict[str, Any]:
    """What it runs on."""
    cpu = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), cpu)
    except OSError:
        pass
    vectors = np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", [])  # pyright: ignore
    names = {"AVX512": "AVX512", "X86_V4": "AVX512", "AVX2": "AVX2", "X86_V3": "AVX2", "ASIMD": "ASIMD"}
    widest = next((widest for name, widest in names.items() if any(name in str(v) for v in vectors)), "unknown")
    return {
        "cpu": cpu,
        "vectors": widest,
        "threads": kernel_threads.count(),
        "system": platform.system(),
        "l2_bytes": _second_level_caches(),
    }


def _second_level_caches() -> int:
    """The bytes of all of them together; 0 where the system does not say."""
    sizes = {}
    for cache in Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cache/index*"):
        try:
            level, size, whose = ((cache / name).read_text().strip() for name in ("level", "size", "shared_cpu_list"))
        except OSError:
            continue
        if level == "2" and size.endswith("K"):
            sizes[whose] = 1024 * int(size[:-1])
    return sum(sizes.values())


def versions() -> dict[str, str]:
    """Of everything that takes part."""
    return installed(PACKAGES)


def code() -> str:
    """A digest of what is measured and of what measures: every file of `sims` and of `benchmarks`."""
    digest = hashlib.sha256()
    for package in (sims, benchmarks):
        for path in sorted(Path(package.__path__[0]).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def as_text(record: BenchRecord) -> str:
    """The record as JSON, a line for each contender."""
    head = {name: value for name, value in record.items() if name != "tables"}
    tables = ",\n".join(
        f"  {json.dumps(name)}: {{\n"
        + ",\n".join(f"   {json.dumps(who)}: {json.dumps(values)}" for who, values in table.items())
        + "\n  }"
        for name, table in record["tables"].items()
    )
    text = json.dumps(head, indent=1, ensure_ascii=False)
    return text.removesuffix("\n}") + f',\n "tables": {{\n{tables}\n }}\n}}\n'


def load(path: Path) -> BenchRecord:
    """The record in a file; a `ValueError` if it holds none."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON ({error})") from error
    whole = isinstance(record, dict) and record.get("schema") == SCHEMA and set(record) >= PARTS
    if not whole or not isinstance(record["tables"], dict):
        raise ValueError(f"{path} is no record of byzcheck bench (schema {SCHEMA})")
    for table, contenders in record["tables"].items():
        try:
            parameters(table)
            good = all(float(value) >= 0 for values in contenders.values() for value in values)
        except (AttributeError, TypeError, ValueError):
            good = False
        if not good:
            raise ValueError(f"{path} is no record of byzcheck bench: table {table!r} cannot be read")
    return record


def _compare(plan: Plan) -> tuple[dict[str, str], dict[str, dict[str, str]], dict[str, str], dict[str, list[str]]]:
    """Which libraries are missing, what differs at each shape and what fails, as "rule/who" and what is wrong.

    Last, the peers that are measured in each table of the grid.
    """
    differs, fails = {}, {}
    for n, f, d in plan.shapes:
        rng = np.random.Generator(np.random.Philox(n + d))
        here, broken = rules.comparison(rng, n, f, d, plan.rules)
        differs[f"n={n} f={f} d={d}"] = here
        fails |= broken
    choice = grid.Choice() if plan.grid is None else grid.choose(plan.grid)
    return peers.missing(), differs | choice.differs, fails | choice.fails, choice.measured


def _run(function: Callable[..., Any], arguments: tuple[Any, ...], apart: bool) -> Any:
    if not apart:
        return function(*arguments)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        future = pool.submit(function, *arguments)
        try:
            return future.result()
        except BaseException:  # a signal, say: what is measured now is for nobody
            for worker in active_children():
                worker.terminate()
            raise


def _end_with_parent() -> None:
    """In a process that measures: its end comes with its parent's, however that ended."""
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


def _short(value: float) -> float:
    return float(f"{value:.4g}")
