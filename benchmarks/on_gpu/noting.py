"""A plugin of pytest that notes how each test went in a file, line by line, so that a run that is cut leaves them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def pytest_addoption(parser: Any) -> None:
    """Where it is noted."""
    parser.addoption("--notes", type=Path, help="a file in which the outcome of every test is noted at once")


def pytest_configure(config: Any) -> None:
    """Notes are taken by the process that says what came of the tests, and not by those that share them."""
    if config.option.notes is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Notes(config.option.notes))


class Notes:
    """What is noted, in a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Called after the setup, the call and the end of every test."""
        if report.when == "call" or report.outcome != "passed":
            self.note(report, report.duration)

    def pytest_collectreport(self, report: Any) -> None:
        """Called for every file: one that cannot be imported is a failure."""
        if report.failed:
            self.note(report, 0.0)

    def note(self, report: Any, seconds: float) -> None:
        """Add a line."""
        crash = getattr(report.longrepr, "reprcrash", None)
        said = crash.message if crash is not None else str(report.longrepr or "")
        if report.skipped and isinstance(report.longrepr, tuple):
            said = report.longrepr[2]
        elif crash is None:
            said = said.strip().rpartition("\n")[2]  # of a file that cannot be imported the end says why
        line = {"test": report.nodeid, "outcome": report.outcome, "seconds": seconds, "said": said}
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def parsed(text: str) -> dict[str, Any]:
    """What was noted: by function how many tests had which outcome and how long they took, and the first that failed.

    >>> parsed('{"test": "a.py::t[1]", "outcome": "passed", "seconds": 2.0, "said": ""}')["tests"]
    {'a.py::t': {'passed': 1, 'failed': 0, 'skipped': 0, 'seconds': 2.0}}
    """
    notes = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
    tests: dict[str, dict[str, float]] = {}
    for note in notes:
        name = note["test"].partition("[")[0]
        row = tests.setdefault(name, {"passed": 0, "failed": 0, "skipped": 0, "seconds": 0.0})
        row[note["outcome"]] += 1
        row["seconds"] = round(row["seconds"] + note["seconds"], 2)
    failed = [note for note in notes if note["outcome"] == "failed"]
    found: dict[str, Any] = {"tests": tests}
    if failed:
        said = next(iter(failed[0]["said"].splitlines()), "")
        found["wrong"] = f"{failed[0]['test']} failed: {said[:300]}"
    elif notes and not any(row["passed"] for row in tests.values()):
        found["wrong"] = f"no test ran: {notes[0]['said']}"
    return found
