"""Stages of a run: each a process with a limit, which leaves what it found in a file, also when it is cut."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

State = Literal["done", "failed", "cut", "left out"]
ROOT = Path(__file__).parents[2]
GRACE = 5.0  # seconds between being asked to end and being ended
TAIL = 40  # lines that are kept of what a stage prints


@dataclass(frozen=True)
class Stage:
    """What runs at most `limit` seconds: `command` makes its words from the file for what it finds and the seconds.

    `must_end`: whether it is wrong that it is cut, and not only a pity. `instead`: why it is left out. `grows`: whether
    it also has the time that earlier stages left.
    """

    name: str
    limit: float
    command: Callable[[Path, float], Sequence[str]]
    read: Callable[[str], dict[str, Any]] = json.loads
    must_end: bool = False
    grows: bool = False
    instead: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How a stage went: the seconds it took, what it found, one sentence, and the last lines that it printed."""

    stage: Stage
    state: State
    seconds: float = 0.0
    found: dict[str, Any] = field(default_factory=dict)
    said: str = ""
    tail: tuple[str, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether a run stops here."""
        return self.state == "failed" or (self.state == "cut" and self.stage.must_end)


def play(stage: Stage, folder: Path, seconds: float, say: Callable[[str], object] = print) -> Outcome:
    """Run a stage for at most so many seconds, and repeat what it prints."""
    if stage.instead is not None:
        return Outcome(stage, "left out", said=stage.instead)
    file, lines, start = folder / f"{stage.name.replace(' ', '-')}.json", deque[str](maxlen=TAIL), time.monotonic()
    try:
        process = subprocess.Popen(
            [sys.executable, *stage.command(file, seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd=ROOT,
            env=environment(),
            start_new_session=True,  # so that its own processes end with it
        )
    except OSError as error:
        return Outcome(stage, "failed", said=f"it could not be started: {error}")

    def repeat() -> None:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            say(f"  {line.rstrip()}")

    reader = threading.Thread(target=repeat, daemon=True)
    reader.start()
    cut = False
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        cut = True
    finally:
        end(process)
    reader.join(GRACE)
    if process.stdout is not None and not reader.is_alive():
        process.stdout.close()
    took, found = time.monotonic() - start, read(file, stage.read)
    if cut:
        return Outcome(stage, "cut", took, found, f"cut after {took:.0f} s", tuple(lines))
    if process.returncode or "wrong" in found:
        return Outcome(stage, "failed", took, found, found.get("wrong") or sentence(process, lines), tuple(lines))
    return Outcome(stage, "done", took, found)


def end(process: subprocess.Popen[str]) -> None:
    """End a process and all that it started, politely first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)


def sentence(process: subprocess.Popen[str], lines: Sequence[str]) -> str:
    """What a process that failed said last."""
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    return last if process.returncode >= 0 else f"ended by signal {-process.returncode}; its last words: {last}"


def read(file: Path, parse: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """What a stage left in its file, nothing if it left nothing."""
    return parse(file.read_text(encoding="utf-8")) if file.is_file() else {}


def write(file: Path, found: dict[str, Any]) -> None:
    """Replace what is in a stage's file, at one stroke."""
    beside = file.with_suffix(".part")
    beside.write_text(json.dumps(found), encoding="utf-8")
    beside.replace(file)


def environment() -> dict[str, str]:
    """This process's, with the checkout first among the places of modules."""
    places = [str(ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    plain = {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return {**os.environ, **plain, "PYTHONPATH": os.pathsep.join(places)}
