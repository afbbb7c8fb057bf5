"""The table of planted faults fits the code, and planting notices what survives."""

from __future__ import annotations

import subprocess

import mutants
import pytest

FAULTS = {fault.name: fault for fault in mutants.read()}


def test_there_are_many():
    assert len(FAULTS) >= 100
    assert len({fault.file for fault in FAULTS.values()}) >= 70


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_can_still_be_planted(name):
    fault = FAULTS[name]
    assert (mutants.ROOT / fault.file).read_text(encoding="utf-8").count(fault.text) == 1
    for test in fault.tests:
        path, _, function = test.partition("::")
        assert (mutants.ROOT / path).is_file()
        assert not function or f"def {function.partition('[')[0]}(" in (mutants.ROOT / path).read_text(encoding="utf-8")


TINY = {
    "sums.py": "def double(x):\n    return 2 * x\n\n\ndef half(x):\n    return x / 2\n",
    "test_sums.py": "from sums import double\n\n\ndef test_double():\n    assert double(3) == 6\n",
}
TABLE = """
[wrong]
file = "sums.py"
text = "2 * x"
instead = "3 * x"
why = "three is not two"
tests = ["test_sums.py"]

[unnoticed]
file = "sums.py"
text = "x / 2"
instead = "x / 3"
why = "nobody looks"
tests = ["test_sums.py"]

[broken]
file = "sums.py"
text = "def double(x):"
instead = "def double(x:"
why = "it is no Python"
tests = ["test_sums.py"]
"""


@pytest.fixture
def project(tmp_path):
    for name, text in TINY.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "faults.toml").write_text(TABLE, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "sums.py", "test_sums.py"], cwd=tmp_path, check=True)
    return tmp_path


def plant(project, *names):
    return mutants.main([*names, "--jobs", "1"], project, project / "faults.toml")


def test_what_tests_notice_is_caught_and_the_checkout_is_left_alone(project, capsys):
    assert plant(project, "wrong") == 0
    assert "1 of 1 faults were caught" in capsys.readouterr().out
    assert {name: (project / name).read_text(encoding="utf-8") for name in TINY} == TINY


def test_what_survives_and_what_cannot_be_judged_is_a_failure(project, capsys):
    assert plant(project) == 1
    told = capsys.readouterr().out
    assert "SURVIVED  unnoticed: nobody looks" in told
    assert "UNCLEAR   broken: it is no Python" in told
    assert "1 of 3 faults were caught" in told


def test_tests_that_fail_anyway_judge_nothing(project, capsys):
    (project / "test_sums.py").write_text(TINY["test_sums.py"].replace("6", "7"), encoding="utf-8")
    assert plant(project, "wrong") == 1
    assert "without a fault the tests fail" in capsys.readouterr().out


def test_a_text_that_is_gone_is_said(project):
    fault = mutants.Fault("gone", "sums.py", "4 * x", "5 * x", "it is not there", ("test_sums.py",))
    with pytest.raises(ValueError, match=r"gone: the text to be replaced is in sums\.py 0 times"):
        fault.plant(project)
