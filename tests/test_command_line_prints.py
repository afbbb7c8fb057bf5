"""What somebody's own code prints, and which streams it closes, leaves the answer of a command whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import sweeping

ROOT = Path(__file__).parents[1]
CODE = """
import os
import sys
import numpy as np

print("imported")


def says(x):
    print("hello")
    os.write(1, b"to the file\\n")
    os.system("echo from a process")
    return np.median(x, axis=0)


def closes(x):
    sys.stdout.close()
    return np.median(x, axis=0)


def closes_errors(x):
    sys.stderr.close()
    return np.median(x, axis=0)


def closes_the_first(x):
    sys.__stdout__.close()
    return np.median(x, axis=0)


def closes_the_file(x):
    try:
        os.close(1)
    except OSError:
        pass
    return np.median(x, axis=0)


def replaces(x):
    sys.stdout = None
    return np.median(x, axis=0)
"""
RULES = ("says", "closes", "closes_errors", "closes_the_first", "closes_the_file", "replaces")


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own_prints.py").write_text(CODE, encoding="utf-8")
    return tmp_path


def byzcheck(folder, *arguments, **options):
    command = [sys.executable, "-m", "byzcheck", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]), "COLUMNS": "100"}
    found = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace", **options
    )
    assert "Traceback" not in found.stderr
    return found


@pytest.mark.parametrize("rule", RULES)
def test_an_audit_as_json_is_json(own, rule):
    found = byzcheck(own, "audit", f"own_prints:{rule}", "-n", 5, "-f", 1, "--json", "-")
    assert found.returncode in (0, 1), found.stderr
    assert json.loads(found.stdout)["rule"] == f"own_prints:{rule}"
    assert "imported" in found.stderr
    if rule == "says":
        assert {"hello", "to the file", "from a process"} <= set(found.stderr.splitlines())


@pytest.mark.parametrize("rule", ["closes", "closes_the_first"])
def test_an_audit_to_read_is_whole(own, rule):
    found = byzcheck(own, "audit", f"own_prints:{rule}", "-n", 5, "-f", 1)
    assert found.returncode in (0, 1)
    assert found.stdout.startswith(f"{rule} at n = 5, f = 1")


def test_without_a_standard_error_an_answer_is_whole_too(own):
    asked = "constants own_prints:says -n 5 -f 1 --budget 200 --json -"
    command = f"{sys.executable} -m byzcheck {asked} 2>&-"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = subprocess.run(["sh", "-c", command], cwd=own, env=environment, stdout=subprocess.PIPE, text=True)
    assert [one["rule"] for one in json.loads(found.stdout)["rules"]] == ["says"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_sweep_of_a_rule_that_prints_has_a_table_of_its_own(tmp_path, jobs):
    """In this process and in others; the table alone is on standard output."""
    sweeping.sweep(tmp_path, [sweeping.own("Talks")], seed="[0, 1]")
    ran = byzcheck(tmp_path, "sweep", "run", "sweep.toml", "--jobs", jobs)
    assert ran.returncode == 0, ran.stderr
    assert "hello" not in ran.stdout
    shown = byzcheck(tmp_path, "sweep", "table", "sweep.toml", "--format", "json")
    assert json.loads(shown.stdout)
