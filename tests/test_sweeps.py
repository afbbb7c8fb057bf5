"""The sweeps that ship can be read, and the README knows the first one; the presets of `train`."""

from __future__ import annotations

from pathlib import Path

import pytest

from byzcheck.commands.sweep.arguments import NAMES, shipped
from sims.by_name import register
from sims.sweep import read

ROOT = Path(__file__).parents[1]
SHIPPED = sorted((ROOT / "sweeps").glob("*.toml"))
NEURAL = [path for path in SHIPPED if "ImageClassification" in path.read_text(encoding="utf-8")]
FILES = [path for path in SHIPPED if path not in NEURAL]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_a_sweep_with_seeds(path):
    sweep = read(path)
    assert len(sweep.cells) > 20
    assert all(len(cell.seeds) >= 10 for cell in sweep.cells)
    assert sweep.title != path.stem


def test_the_readme_says_how_many_jobs_the_first_sweep_has():
    jobs = sum(len(cell.seeds) for cell in read(ROOT / "sweeps" / "first.toml").cells)
    assert f"sweep run sweeps/first.toml       # {jobs} jobs" in (ROOT / "README.md").read_text(encoding="utf-8")


# Presets, of networks: read without torch, by a class that has the settings which they name


@pytest.fixture
def images(monkeypatch):
    monkeypatch.setitem(register.LATE["problem"], "ImageClassification", "learners:Images")


def test_every_preset_is_a_file_that_ships():
    figures = {path for path in NEURAL if path.stem.removeprefix("figure_").isdigit()}
    assert {shipped(Path(name)) for name in NAMES} == figures
    assert shipped(Path("first")) == ROOT / "sweeps" / "first.toml"
    assert shipped(Path("sweeps/first.toml")) == Path("sweeps/first.toml")


@pytest.mark.parametrize("path", NEURAL, ids=lambda path: path.stem)
def test_a_preset_records_accuracy_over_time_and_says_so_in_its_title(path, images):
    sweep = read(path)
    assert sweep.title != path.stem
    assert sweep.plot["y"] == "test_accuracy"
    assert all(cell.steps % cell.every == 0 and cell.steps > cell.every for cell in sweep.cells)
    assert all(cell.x0 is None for cell in sweep.cells)


def rules(sweep, **settings):
    cells = [cell for cell in sweep.cells if all(cell.settings[name] == value for name, value in settings.items())]
    return {cell.settings["rule"]: cell.settings for cell in cells}


def test_figure_1_is_figure_5_at_one_half_with_sixteen_honest_workers_of_an_image_each(images):
    one, five = (read(shipped(Path(name))) for name in ("fig1", "fig5"))
    assert {(cell.n, cell.f, cell.settings["problem.batch"]) for cell in five.cells} == {(16, 0, 1)}
    half = {cell.text for cell in five.cells if cell.settings["problem.gamma"] == 0.5}
    assert {cell.text for cell in one.cells} == half
    assert {0.5, 1.0} < {cell.settings["problem.gamma"] for cell in five.cells}
    told = {(c.settings["rule"], c.settings.get("rule.f"), c.settings.get("rule.tau")) for c in one.cells}
    assert told == {
        ("Mean", None, None),
        ("CoordinateMedian", None, None),
        ("RFA", None, None),
        ("Krum", 4, None),
        *(("TrimmedMean", f, None) for f in (1, 4)),
        *(("CenteredClipping", None, tau) for tau in (1.0, 10.0, 100.0)),
    }
    seen = {cell.settings["rule"]: [observer.name for observer in cell.observers] for cell in one.cells}
    assert seen.pop("Mean") == ["Kept", "ClassDistances"]
    assert all(names == ["Kept", "Picked", "Clipped"] for names in seen.values())


RULES = ["CoordinateMedian", "RFA", "TrimmedMean", "Krum", "CenteredClipping", "Mean"]


def test_figure_4_has_every_attack_with_every_rule_and_momentum_and_what_there_is_to_be_reached(images):
    sweep = read(shipped(Path("fig4")))
    assert len(sweep.cells) == 4 * 6 * 3 + 3 + 2 * 5
    assert {cell.settings["optimizer.damped"] for cell in sweep.cells} == {True}
    attackers = {"BitFlipping": 5, "LabelFlipping": 5, "ALittleIsEnough": 5, "InnerProductManipulation": 11}
    for attack, f in attackers.items():
        for beta in (0.0, 0.9, 0.99):
            found = rules(sweep, **{"attack": attack, "n": 25, "f": f, "optimizer.beta": beta})
            assert list(found) == RULES
            if beta == 0.9 and attack in ("BitFlipping", "LabelFlipping"):
                momenta = rules(sweep, **{"attack": attack, "attack.on": "messages", "optimizer.beta": beta})
                assert list(momenta) == ["CoordinateMedian", "TrimmedMean", "RFA", "Krum", "CenteredClipping"]
                found = rules(sweep, **{"attack": attack, "attack.on": "gradients", "optimizer.beta": beta})
            assert found["TrimmedMean"]["rule.f"] == f
            assert found["Krum"]["rule.variant"] == "released"
            assert found["CenteredClipping"]["rule.tau"] == pytest.approx(100 * (1 - beta))
            given = next(iter(found.values()))
            assert given.get("attack.on", "gradients") == "gradients"
            assert given.get("attack.epsilon", 0.1) == 0.1
    assert list(rules(sweep, attack="NoAttack", f=0, n=14)) == ["Mean"]


def test_figure_3_is_a_column_of_figure_4_and_figure_6_crosses_radius_and_steps(images):
    column, whole, grid = (read(shipped(Path(name))) for name in ("fig3", "fig4", "fig6"))
    there = {
        cell.text
        for cell in whole.cells
        if cell.settings["attack"] in ("ALittleIsEnough", "NoAttack") and cell.settings["optimizer.beta"] == 0
    }
    assert {cell.text for cell in column.cells} == there
    crossed = [
        (cell.settings["attack"], cell.settings["rule.tau"], cell.settings["rule.steps"])
        for cell in grid.cells
        if cell.settings["rule"] == "CenteredClipping"
    ]
    assert len(crossed) == len(set(crossed)) == 2 * 3 * 3
    assert {cell.text for cell in grid.cells if cell.settings["rule"] == "Mean"} <= {cell.text for cell in whole.cells}


def test_the_successor_scales_the_radius_with_momentum_and_has_every_rule_with_and_without_buckets(images):
    sweep = read(shipped(Path("successor")))
    scaled = {(c.settings["optimizer.beta"], c.settings["rule.tau"]) for c in sweep.cells if "rule.tau" in c.settings}
    assert scaled == {(0.0, 10.0), (0.9, 100.0)}
    plain = {name for name in rules(sweep) if not name.startswith("Bucketing") and name != "Mean"}
    assert {name for name in rules(sweep) if name.startswith("Bucketing")} == {f"Bucketing({name})" for name in plain}
    assert len(sweep.cells) == 9 * 5 * 2
