"""A benchmark that is ended leaves no process behind, however it is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import PATIENCE, until

ROOT = Path(__file__).parents[1]
MEASURING = """
import os, sys, time
from benchmarks import record
from byzcheck.__main__ import _end
import signal


def measure(path):
    with open(path, "w") as file:
        file.write(str(os.getpid()))
    time.sleep(3600)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    record._run(measure, (sys.argv[1],), True)
"""


def is_there(number: int) -> bool:
    """Whether a process runs, and is not only waited for."""
    try:
        return Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_what_measures_ends_with_what_waits_for_it(tmp_path, name):
    (tmp_path / "measuring.py").write_text(MEASURING, encoding="utf-8")
    told = tmp_path / "number"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(tmp_path / "measuring.py"), str(told)]
    waiting = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    until(lambda: told.exists() and told.read_text(encoding="utf-8"), waiting)
    measuring = int(told.read_text(encoding="utf-8"))
    assert is_there(measuring)
    try:
        waiting.send_signal(getattr(signal, name))
        waiting.wait(timeout=PATIENCE)
        until(lambda: not is_there(measuring))
    finally:
        waiting.kill()
        with contextlib.suppress(ProcessLookupError):
            os.kill(measuring, signal.SIGKILL)
