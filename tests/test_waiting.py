"""No test gives up sooner than all the others do: what takes a second takes a minute where much else runs."""

import ast
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parent.glob("*.py"))


def limits(source):
    """Numbers that a call is given as a `timeout`."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    given = (keyword for node in calls for keyword in node.keywords if keyword.arg == "timeout")
    return [keyword.value.lineno for keyword in given if isinstance(keyword.value, ast.Constant)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_waits_end_by_the_one_patience(path):
    assert limits(path.read_text(encoding="utf-8")) == []


def test_a_number_is_found():
    assert limits("from waiting import PATIENCE\nprocess.wait(timeout=PATIENCE)\nprocess.wait(timeout=60)") == [3]
