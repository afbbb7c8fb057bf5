"""`byzcheck figures`."""

from __future__ import annotations

import sys
import types

import pytest
import tiny_statements as tiny
from invoke import call, refused


@pytest.fixture
def drawing(monkeypatch, tmp_path):
    """A figures package with a figure of one of the tiny statements."""
    tiny.in_place_of_the_paper(monkeypatch, "definition_x_die", "theorem_y_coin")
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    (home / "definition_x_die.py").touch()
    (home / "data" / "definition_x_die.json").write_text('{"sides": [1]}', encoding="utf-8")
    script, style = types.ModuleType("figures.definition_x_die"), types.ModuleType("figures.style")
    script.draw = lambda data: f"drawn from {data}"  # type: ignore[attr-defined]
    style.save = lambda figure, path: path.with_suffix(".svg").write_text(figure)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "figures.definition_x_die", script)
    monkeypatch.setitem(sys.modules, "figures.style", style)
    monkeypatch.setattr("byzcheck.commands.figures.folder", lambda: home)
    return home


def test_figures(drawing, tmp_path):
    out = tmp_path / "out"
    for arguments in ((), ("Definition X",)):
        assert "definition_x_die" in call("figures", *arguments, "--out", out).stdout
        assert (out / "definition_x_die.svg").read_text(encoding="utf-8") == "drawn from {'sides': [1]}"


def test_figures_refuse(drawing, tmp_path):
    out = tmp_path / "out"
    assert "theorem_y_coin has no figure (there is one of definition_x_die)" in refused(
        "figures", "Theorem Y", "--out", out
    )
    (drawing / "data" / "definition_x_die.json").write_text("{", encoding="utf-8")
    assert "is not JSON" in refused("figures", "--out", out)
    (drawing / "data" / "definition_x_die.json").unlink()
    assert "definition_x_die.json is missing" in refused("figures", "--out", out)
    assert not out.exists()


def test_figures_of_sweeps(drawing, tmp_path, monkeypatch):
    out = tmp_path / "out"
    (drawing / "sweep_odds.py").touch()
    assert "sweep_odds.json is missing from figures/data: byzcheck sweep table" in refused("figures", "--out", out)
    (drawing / "data" / "sweep_odds.json").write_text("[]", encoding="utf-8")
    script = types.ModuleType("figures.sweep_odds")
    script.draw = lambda data: f"odds from {data}"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "figures.sweep_odds", script)
    assert "definition_x_die" not in call("figures", "sweep_odds", "--out", out).stdout
    assert (out / "sweep_odds.svg").read_text(encoding="utf-8") == "odds from []"
    call("figures", "--out", out)
    assert {path.stem for path in out.iterdir()} == {"definition_x_die", "sweep_odds"}
    assert "sweep_evens has no figure (there is one of definition_x_die, sweep_odds)" in refused(
        "figures", "sweep_evens", "--out", out
    )


def test_an_experiment_that_was_not_run_is_listed_and_not_drawn(drawing, tmp_path, monkeypatch):
    out = tmp_path / "out"
    (drawing / "figure_9.py").touch()
    told = call("figures", "--out", out).stdout
    assert "figure_9: not run, there is no figures/data/figure_9.json" in told
    assert {path.stem for path in out.iterdir()} == {"definition_x_die"}
    assert "figure_9.json is missing from figures/data: byzcheck sweep table" in refused("figures", "figure_9")
    (drawing / "data" / "figure_9.json").write_text("[]", encoding="utf-8")
    script = types.ModuleType("figures.figure_9")
    script.draw = lambda data: f"nine from {data}"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "figures.figure_9", script)
    assert "not run" not in call("figures", "figure_9", "--out", out).stdout
    assert (out / "figure_9.svg").read_text(encoding="utf-8") == "nine from []"
