"""Small sweeps, `byzcheck sweep` in processes of its own, and what is left of them, for tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from waiting import PATIENCE, until

from sims.sweep import Results, read

HERE = Path(__file__).parent
LINUX = pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="processes are looked up in /proc")
SWEEP = """
n = 5
f = 1
steps = 3
seed = {seed}
x0 = 1.0
[problem]
name = "Quadratic.between"
mu = 0.5
L = 1.0
dim = 2
sigma_sq = 1.0
[attack]
name = "BitFlipping"
[optimizer]
name = "SGD"
learning_rate = 0.1
"""


def sweep(folder: Path, rules: list[str], seed: str = "0") -> Path:
    """A file with a sweep of these rules, each a name and its settings as a line of TOML."""
    path = folder / "sweep.toml"
    path.write_text(SWEEP.format(seed=seed) + "".join(f"[[rule]]\n{rule}\n" for rule in rules), encoding="utf-8")
    return path


def own(name: str, **settings: Any) -> str:
    """One of `rules_that_fail`, with its settings."""
    lines = [f'name = "rules_that_fail:{name}"', *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
    return "\n".join(lines)


def environment(**more: str) -> dict[str, str]:
    """For a process that is to find this checkout and the tests' modules."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path]), "COLUMNS": "100", **more}


def start(*arguments: object, program: tuple[str, ...] = ("-m", "byzcheck", "sweep"), **options: Any) -> Any:
    """`byzcheck sweep` in a session of its own, heard through pipes."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what is ignored is ignored by children too
    try:
        return subprocess.Popen(
            [sys.executable, *program, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=environment(**options),
            start_new_session=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def running(*arguments: object, **options: Any) -> Iterator[Any]:
    """The same, of which nothing is left when the test fails."""
    process = start(*arguments, **options)
    try:
        yield process
    finally:
        for number in session(process.pid):
            os.kill(number, signal.SIGKILL)
        process.communicate()


def done(process: Any, code: int) -> tuple[str, str]:
    """What a process said, which ended with this exit code and left no process behind."""
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, out + err
    until(lambda: not session(process.pid))
    return out, err


def session(leader: int) -> list[int]:
    """The processes of a session that live."""
    return [number for number, (state, _, of) in processes().items() if of == leader and state not in "ZX"]


def workers(runner: int) -> list[int]:
    """The processes that a run began to play in."""
    return [
        number for number, (_, parent, _) in processes().items() if parent == runner and b"spawn_main" in line(number)
    ]


def processes() -> dict[int, tuple[str, int, int]]:
    """State, parent and session of every process."""
    found = {}
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = (
                Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            )
        except OSError:
            continue
        found[int(number)] = (fields[0], int(fields[1]), int(fields[3]))
    return found


def line(number: int) -> bytes:
    """How a process was called."""
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes()
    except OSError:
        return b""


def kept(where: Path) -> dict[str, tuple[int, int, int]]:
    """The result files: which file on the disk each is, and when it was written."""
    found = list(where.glob("*.parquet"))
    return {path.name: (stat.st_ino, stat.st_mtime_ns, stat.st_size) for path in found for stat in [path.stat()]}


def listing(where: Path) -> dict[str, tuple[int, int, int, int]]:
    """All that lies in a folder, to see whether anything was written."""
    found = [where, *where.rglob("*")]
    return {str(p): (s.st_ino, s.st_mtime_ns, s.st_ctime_ns, s.st_size) for p in found for s in [p.lstat()]}


def temporary(where: Path) -> list[str]:
    """Files that somebody began to write."""
    return [path.name for path in where.rglob("*.tmp")]


def table(where: Path) -> str:
    """All results as a text that is equal for equal results, bit for bit; none of the files may be broken."""
    results = Results(where)
    scan = results.scan()
    assert scan.broken == ()
    rows = results.rows(scan)
    return json.dumps(sorted(rows.to_pylist(), key=lambda row: (row["key"], row["t"])), sort_keys=True)


def keys(file: Path) -> set[str]:
    """Of all jobs of a sweep."""
    return {cell.key(seed) for cell in read(file).cells for seed in cell.seeds}


def kill(number: int) -> None:
    """As the system does it when memory is short."""
    os.kill(number, signal.SIGKILL)
