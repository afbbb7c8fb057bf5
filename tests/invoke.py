"""Calling the command line in tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_statements as tiny
from typer.testing import CliRunner, Result

from byzcheck import checkout
from byzcheck.__main__ import app

MARKED = (
    "# Checks\n<!-- statements: begin -->\n<!-- statements: end -->\n"
    "<!-- points: begin -->\n<!-- points: end -->\n<!-- experiments: begin -->\n<!-- experiments: end -->\nProse.\n"
)


def call(*arguments: object, code: int = 0, columns: int = 100) -> Result:
    """Call `byzcheck` and insist on its exit code."""
    result = CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": str(columns)})
    unexpected = None if isinstance(result.exception, SystemExit) else result.exception
    assert (result.exit_code, unexpected) == (code, None), result.output
    return result


def verify(*arguments: object, **options: int) -> Result:
    """`byzcheck verify` in this process."""
    return call("verify", "--jobs", 1, *arguments, **options)


def refused(*arguments: object) -> str:
    """The one sentence of a refusal."""
    result = call(*arguments, code=2)
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("byzcheck: ")
    return line.removeprefix("byzcheck: ")


def everything(folder: Path) -> dict[str, str]:
    """The text of every file below a folder."""
    return {str(p.relative_to(folder)): p.read_text(encoding="utf-8") for p in folder.rglob("*") if p.is_file()}


def make_checkout(monkeypatch: pytest.MonkeyPatch, root: Path, *stems: str) -> Path:
    """An empty checkout around tiny statements."""
    tiny.in_place_of_the_paper(monkeypatch, *stems)
    for folder in ("theory", "figures/data"):
        (root / folder).mkdir(parents=True)
    (root / "pyproject.toml").touch()
    (root / "paper_checks.md").write_text(MARKED, encoding="utf-8")
    monkeypatch.setattr(checkout, "PACKAGE", root / "theory")
    monkeypatch.setattr(checkout, "RECORDED", root / "theory" / "recorded.json")
    return root
