"""`byzcheck figures`."""

from __future__ import annotations

import json
import sys
import types

import pytest
import tiny_statements as tiny
from invoke import call, refused


def save(figure, path, kinds, size):
    for kind in kinds:
        path.with_name(f"{path.name}.{kind}").write_text(figure if size == "column" else f"{size}, {figure}")


@pytest.fixture
def drawing(monkeypatch, tmp_path):
    """A figures package with a figure of one of the tiny statements."""
    tiny.in_place_of_the_paper(monkeypatch, "definition_x_die", "theorem_y_coin")
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    (tmp_path / "sweeps").mkdir()
    (home / "definition_x_die.py").touch()
    (home / "data" / "definition_x_die.json").write_text('{"sides": [1]}', encoding="utf-8")
    script, picture = types.ModuleType("figures.definition_x_die"), types.ModuleType("figures.picture")
    script.draw = lambda data: f"drawn from {data}"  # type: ignore[attr-defined]
    picture.save = save  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "figures.definition_x_die", script)
    monkeypatch.setitem(sys.modules, "figures.picture", picture)
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


def test_formats_and_sizes(drawing, tmp_path):
    out = tmp_path / "out"
    for given, kinds in (
        ((), {"png", "svg"}),
        (("--format", "pdf"), {"pdf"}),
        (("--format", "PNG, pdf", "--format", "pdf"), {"png", "pdf"}),
    ):
        said = call("figures", *given, "--out", out / "c").stdout
        names = {path.name for path in (out / "c").iterdir()}
        assert names == {f"definition_x_die.{kind}" for kind in kinds}
        assert all(f".{kind}" in said for kind in kinds)
        for path in (out / "c").iterdir():
            path.unlink()
    call("figures", "--size", "slide", "--format", "svg", "--out", out)
    assert (out / "definition_x_die_slide.svg").read_text(encoding="utf-8") == "slide, drawn from {'sides': [1]}"
    assert refused("figures", "--format", "png,gif") == "--format must be one of png, svg, pdf, got 'gif'"
    assert refused("figures", "--size", "wall") == "--size must be one of column, slide, got 'wall'"


def test_data_are_computed_anew_and_kept_beside_the_pictures(drawing, tmp_path):
    out = tmp_path / "out"
    call("figures", "Definition X", "--recompute", "--out", out)
    kept = json.loads((out / "data" / "definition_x_die.json").read_text(encoding="utf-8"))
    assert kept == {"share": 0.166667, "sides": [1, 2, 3, 4, 5, 6]}
    assert (out / "definition_x_die.svg").read_text(encoding="utf-8") == f"drawn from {kept}"
    assert json.loads((drawing / "data" / "definition_x_die.json").read_text(encoding="utf-8")) == {"sides": [1]}
    (drawing / "data" / "definition_x_die.json").unlink()  # what is computed need not be recorded
    call("figures", "Definition X", "--recompute", "--out", out)
    with pytest.raises(AssertionError):
        call("figures", "Definition X", "--out", out)


def test_data_of_a_run_are_not_computed_here_but_said_how(drawing, tmp_path, monkeypatch):
    out = tmp_path / "out"
    (drawing / "sweep_odds.py").touch()
    (drawing / "data" / "sweep_odds.json").write_text("[]", encoding="utf-8")
    (tmp_path / "sweeps" / "odds.toml").write_text(
        "# What are the odds?\n#\n#     byzcheck sweep run sweeps/odds.toml\n"
        "#     byzcheck sweep table sweeps/odds.toml \\\n#         --format json\n"
        "#     byzcheck figures sweep_odds\nn = 1\n",
        encoding="utf-8",
    )
    how = (
        "the data of sweep_odds are those of a run: "
        "byzcheck sweep run sweeps/odds.toml; byzcheck sweep table sweeps/odds.toml --format json"
    )
    assert refused("figures", "sweep_odds", "--recompute", "--out", out) == f"--recompute: {how}"
    assert not out.exists()
    script = types.ModuleType("figures.sweep_odds")
    script.draw = lambda data: f"odds from {data}"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "figures.sweep_odds", script)
    said = call("figures", "--recompute", "--out", out, columns=400).stdout
    assert f"sweep_odds: drawn from recorded data; {how}" in said
    assert (out / "sweep_odds.svg").read_text(encoding="utf-8") == "odds from []"
    assert [path.name for path in (out / "data").iterdir()] == ["definition_x_die.json"]
