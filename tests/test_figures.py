"""The figures: drawn from recorded data, the same bytes each time, every word readable."""

from __future__ import annotations

import copy
import hashlib
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import fake_results
import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from readable import unreadable, words

from figures import style
from figures.experiments.curves import over_rounds
from figures.picture import save
from theory.experiments.results import Cell

HOME = Path(style.__file__).parent
EXPERIMENTS = sorted(path.stem for path in HOME.glob("figure_*.py"))
UNRUN = [stem for stem in EXPERIMENTS if not (HOME / "data" / f"{stem}.json").is_file()]  # only in tests
STEMS = sorted(path.stem for path in HOME.glob("*_*.py") if not path.stem.startswith("_") and path.stem not in UNRUN)


def recorded(stem):
    return json.loads((HOME / "data" / f"{stem}.json").read_text(encoding="utf-8"))


def drawn(stem, data=None):
    return importlib.import_module(f"figures.{stem}").draw(recorded(stem) if data is None else data)


def test_there_are_figures():
    assert len(STEMS) >= 4


@pytest.mark.parametrize("stem", STEMS)
def test_every_word_can_be_read(stem, monkeypatch):
    figure = drawn(stem)
    assert figure.get_figwidth() == style.WIDTH
    assert len(words(figure, monkeypatch)[0]) > 15
    assert unreadable(figure, monkeypatch) == []


def some_of(table, keep):
    """A made-up table without the runs that are not kept."""
    return {**table, "rows": [row for row in table["rows"] if keep(row)]}


MADE_UP = {
    "figure_1": {
        "all": fake_results.figure_1(),
        "told": fake_results.told(fake_results.figure_1(), 3),
        "twice": fake_results.told(fake_results.figure_1(), 1, 6),
        "some": some_of(fake_results.figure_1(), lambda row: row["rule"] not in ("Krum", "Mean")),
    },
    "figure_3": {
        "all": fake_results.figure_3(),
        "some": some_of(fake_results.figure_3(), lambda row: row["rule"] == "RFA"),
    },
    "figure_4": {
        "all": fake_results.figure_4(),
        "some": some_of(fake_results.figure_4(), lambda row: row["rule"] != "RFA" and row["optimizer.beta"] < 0.99),
        "momenta": fake_results.with_momenta(fake_results.figure_4()),
    },
    "figure_4_resnet20": {
        "all": fake_results.figure_4_resnet20(),
        "some": some_of(fake_results.figure_4_resnet20(), lambda row: row["attack"] == "NoAttack"),
    },
    "figure_4_setting": {
        "all": fake_results.figure_4_setting(),
        "some": some_of(fake_results.figure_4_setting(), lambda row: row["attack"] == "NoAttack"),
    },
    "figure_5": {
        "all": fake_results.figure_5(),
        "told": fake_results.told(fake_results.figure_5(), 3),
        "twice": fake_results.told(fake_results.figure_5(), 1, 6),
        "some": some_of(fake_results.figure_5(), lambda row: row["rule"] != "Krum" and row["problem.gamma"] < 0.7),
    },
    "figure_6": {
        "all": fake_results.figure_6(),
        "some": some_of(fake_results.figure_6(), lambda row: row["attack"] == "BitFlipping" and row["rule.steps"] < 5),
    },
}
DRAWN = [(stem, which) for stem, tables in MADE_UP.items() for which in tables]
EMPTY = {  # panels, or rows of a table, of which nothing was run
    ("figure_1", "some"): 2,
    ("figure_4", "some"): 4,
    ("figure_4_resnet20", "some"): 2,
    ("figure_4_setting", "some"): 1,
    ("figure_6", "some"): 2,
}


def test_every_experiment_is_drawn_from_made_up_runs():
    assert sorted(MADE_UP) == EXPERIMENTS


@pytest.mark.parametrize(("stem", "which"), DRAWN)
def test_figures_of_experiments_can_be_read_and_say_what_was_not_run(stem, which, monkeypatch):
    figure = drawn(stem, fake_results.as_file(MADE_UP[stem][which]))
    assert figure.get_figwidth() == style.WIDTH
    texts = [text for text, _ in words(figure, monkeypatch)[0]]
    assert sum(text in ("not run", "not observed") for text in texts) == EMPTY.get((stem, which), 0)
    assert any("seed" in text and "rounds" in text for text in texts)
    assert unreadable(figure, monkeypatch) == []


def test_a_table_of_means_is_no_table_of_runs():
    with pytest.raises(ValueError, match="does not have every run by itself: byzcheck sweep table"):
        drawn("figure_4", {"axes": [], "rows": [{"mean": 1.0}]})


def test_what_cannot_be_read_is_seen(monkeypatch):
    figure = Figure((4, 3))
    axes = figure.add_subplot()
    axes.set(xticks=[], yticks=[])
    axes.plot([0, 1], [0, 1])
    axes.text(0.1, 0.8, "first")
    assert unreadable(figure, monkeypatch) == []
    for x, y, text, fault in (
        (0.12, 0.81, "second", "'first' lies on 'second'"),
        (0.9, 0.3, "far too long for this place", "'far too long for this place' leaves the canvas"),
        (0.5, 0.49, "on the line", "'on the line' is crossed by a line"),
    ):
        added = axes.text(x, y, text)
        assert unreadable(figure, monkeypatch) == [fault]
        added.remove()


DRAW = """
import hashlib, importlib, json, pathlib, sys
from figures import picture, style
home, out = pathlib.Path(style.__file__).parent, pathlib.Path(sys.argv[1])
for stem in sys.argv[2:]:
    data = json.loads((home / "data" / f"{stem}.json").read_text(encoding="utf-8"))
    picture.save(importlib.import_module(f"figures.{stem}").draw(data), out / stem)
assert "matplotlib.pyplot" not in sys.modules
"""


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """All figures, drawn by this process."""
    folder = tmp_path_factory.mktemp("here")
    for stem in STEMS:
        save(drawn(stem), folder / stem)
    return folder


def test_two_processes_draw_the_same_bytes(here, tmp_path):
    (tmp_path / "matplotlibrc").write_text("font.size: 20\nlines.linewidth: 9\nsvg.fonttype: none\n", encoding="utf-8")
    (tmp_path / "out").mkdir()
    environment = os.environ | {
        "MATPLOTLIBRC": str(tmp_path),  # whatever the user's settings
        "PYTHONHASHSEED": "7",
        "SOURCE_DATE_EPOCH": "1",
        "PYTHONPATH": str(HOME.parent),
    }
    subprocess.run([sys.executable, "-c", DRAW, tmp_path / "out", *STEMS], check=True, env=environment, cwd=tmp_path)
    assert digests(tmp_path / "out") == digests(here)
    assert len(digests(here)) == 2 * len(STEMS)


@pytest.mark.parametrize("stem", STEMS)
def test_the_committed_pictures_are_drawn_from_the_recorded_data(stem, here):
    svg = (HOME / f"{stem}.svg").read_bytes()
    version = re.search(rb"Matplotlib v([\w.+]+)", svg)
    assert version is not None
    if version[1].decode() != matplotlib.__version__:
        pytest.skip(f"drawn with matplotlib {version[1].decode()}, here is {matplotlib.__version__}")
    assert svg == (here / f"{stem}.svg").read_bytes()
    # by pixels, since how a PNG is compressed depends on the build of its library; and to one of 255 levels, since
    # where colours blend a processor with other vector instructions rounds otherwise (seen: one pixel in one picture)
    committed, drawn_here = (imread(folder / f"{stem}.png").astype(np.float64) for folder in (HOME, here))
    assert committed.shape == drawn_here.shape
    assert np.max(np.abs(committed - drawn_here)) <= 1.01 / 255


@pytest.mark.parametrize("stem", STEMS)
def test_drawing_leaves_data_and_settings_alone(stem):
    settings, data = dict(matplotlib.rcParams), recorded(stem)
    before = copy.deepcopy(data)
    drawn(stem, data)
    assert data == before
    assert dict(matplotlib.rcParams) == settings


@pytest.mark.parametrize(
    ("stem", "keys"),
    [
        ("definition_c_robust_aggregator", ("rules", "Krum")),
        ("definition_c_robust_aggregator", ("rules", "TrimmedMean", "c")),
        ("definition_c_robust_aggregator", ("finite_floor",)),
        ("theorem_iii_limits", ("finite", "25")),
        ("theorem_iii_limits", ("trimmed_mean", "101", "c")),
        ("theorem_i_middle_seekers", ("ends", "RFA")),
        ("theorem_i_middle_seekers", ("bias_by_n", "Krum")),
        ("counterexample_3_heavy_tail", ("krum",)),
    ],
)
def test_missing_data_are_named(stem, keys):
    data = recorded(stem)
    place = data
    for key in keys[:-1]:
        place = place[key]
    del place[keys[-1]]
    with pytest.raises(ValueError, match=re.escape(f"the figure's data have no {' / '.join(keys)}: byzcheck verify")):
        drawn(stem, data)


def test_what_was_not_measured_is_no_number():
    found = style.pick({"rules": {"Krum": [1.5, None]}}, "rules", "Krum")
    assert found[0] == 1.5
    assert np.isnan(found[1])


def test_a_picture_does_not_say_when_it_was_drawn(tmp_path):
    save(Figure((1, 1)), tmp_path / "picture")
    said = (tmp_path / "picture.svg").read_text(encoding="utf-8")
    assert "<dc:format>" in said
    assert "date" not in said
    assert b"tEXt" not in (tmp_path / "picture.png").read_bytes()


def test_a_curve_has_the_times_that_all_seeds_have():
    runs = {
        0: [{"t": 0, "loss": 4.0, "size": 2.0}, {"t": 5, "loss": 2.0, "size": 2.0}, {"t": 9, "loss": 1.0, "size": 2.0}],
        1: [
            {"t": 0, "loss": 2.0, "size": 1.0},
            {"t": 5, "loss": None, "size": 1.0},
            {"t": 9, "loss": 3.0, "size": 1.0},
        ],
    }
    curve = over_rounds(Cell({}, runs), "loss")
    assert [list(one) for one in (curve.t, curve.mean, curve.low, curve.high)] == [[0, 9], [3, 2], [2, 1], [4, 3]]
    assert list(over_rounds(Cell({}, runs), "loss", over="size").mean) == [2.0, 1.75]
    assert over_rounds(Cell({}, runs), "accuracy") is None


def test_a_picture_that_cannot_be_drawn_leaves_the_files_as_they_were(tmp_path, monkeypatch):
    path = tmp_path / "picture"
    save(Figure((1, 1)), path)
    before = digests(tmp_path)
    broken = Figure((2, 2))
    original = Figure.savefig

    def savefig(self, target, **kwargs):
        if kwargs["format"] == "svg":
            raise RuntimeError("no SVG today")
        original(self, target, **kwargs)

    monkeypatch.setattr(Figure, "savefig", savefig)
    with pytest.raises(RuntimeError, match="no SVG"):
        save(broken, path)
    assert digests(tmp_path) == before
