"""Figures of sweeps: what goes where, that nothing is dropped, and every word readable."""

from __future__ import annotations

import hashlib
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.patches import Rectangle
from readable import unreadable, words
from sweep_rows import rows, shuffled

from figures import style
from figures.picture import save
from figures.style import RULES
from figures.sweep import draw, times
from figures.sweep.choose import MOST_LINES, Chosen, choose
from figures.sweep.scale import scale
from sims.sweep.table import summary

NINE = tuple(RULES)
TAUS = tuple(float(f"{tau:.6g}") for tau in np.geomspace(0.1, 1000, 9))
BETAS = (0.0, 0.5, 0.9, 0.99)
OWN = "my_own_long_module.attacks:TheWorstAttackThatAnybodyEverThoughtOf"
ATTACKS = ("NoAttack", "BitFlipping", "InnerProductManipulation", "ALittleIsEnough", "Relocation", OWN)
CLIPPING = ("CenteredClipping", "Krum", "CoordinateMedian")
TIMES = tuple(range(0, 601, 50))
LONG = "A title of $so many$ words that it takes two lines, as those do who have a good deal to say about their sweep"


def value(settings):
    """Of four orders of magnitude; the mean diverges under bit flipping, and the largest radius too."""
    size = 0.01 * 3.0 ** NINE.index(rule) if (rule := settings.get("rule", "Krum")) in NINE else 5.0
    tau = settings.get("rule.tau")
    if settings.get("attack") == "BitFlipping" and (rule == "Mean" or tau == 1000.0):
        return math.inf
    size *= 1 if tau is None else 1 + np.log10(min(tau, 1e4) or 0.01) ** 2
    return float(size * (1.02 - settings.get("optimizer.beta", 0)) * (0.02 + np.exp(-settings["t"] / 100)))


def found(axes, recorded=(600,), how=None, seeds=range(5), **fixed):
    table = rows(axes, value, recorded, seeds, **fixed)
    swept = {**axes, "seed": tuple(seeds)}
    return summary(table, swept, at=times(swept, recorded, how or {}))


SHOWN = {
    "nine rules, time": ({"rule": NINE}, TIMES, {}),
    "six panels, time": ({"rule": NINE, "attack": ATTACKS}, TIMES, {"title": LONG}),
    "one line": ({"rule.tau": TAUS}, (600,), {}),
    "0 and ∞": ({"rule.tau": (0.0, *TAUS, math.inf), "attack": ATTACKS[:2]}, (600,), {}),
    "lines of numbers": (
        {"rule.tau": TAUS, "optimizer.beta": BETAS},
        (600,),
        {"lines": "optimizer.beta", "title": LONG},
    ),
    "twelve lines": ({"rule.tau": TAUS, "n": tuple(range(9, 21))}, (600,), {"x": "rule.tau", "lines": "n"}),
    "levels": ({"rule": CLIPPING, "rule.tau": TAUS, "attack": ATTACKS[:2]}, (600,), {}),
    "settings of a rule": ({"rule": CLIPPING, "rule.tau": (1.0, 10.0), "optimizer.beta": BETAS}, (600,), {}),
    "four panels": ({"rule": NINE[:4], "optimizer.beta": BETAS, "attack": ATTACKS[:4]}, (600,), {}),
    "three panels": ({"rule": NINE[:4], "optimizer.beta": BETAS, "attack": ATTACKS[3:]}, (600,), {}),
    "long names": ({"rule": ("a:" + 60 * "X", "Krum"), "optimizer.beta": BETAS, "attack": ATTACKS[-2:]}, (600,), {}),
    "points": ({"rule": NINE}, (600,), {}),
    "points with lines": ({"rule": NINE, "attack": ATTACKS}, (600,), {}),
    "points in panels": ({"rule": NINE, "attack": ATTACKS[:3], "backend": ("numpy", "torch")}, (600,), {}),
    "one point": ({}, (600,), {}),
    "heat": ({"rule.tau": TAUS, "optimizer.beta": BETAS}, (600,), {}),
    "heat, six panels": ({"rule.tau": TAUS, "optimizer.beta": BETAS, "attack": ATTACKS}, (600,), {}),
    "heat, levels": ({"rule": CLIPPING, "rule.tau": TAUS, "optimizer.beta": BETAS}, (600,), {}),
}


@pytest.mark.parametrize("name", SHOWN)
def test_every_word_can_be_read(name, monkeypatch):
    axes, recorded, how = SHOWN[name]
    figure = draw(found(axes, recorded, how), how)
    assert figure.get_figwidth() == style.WIDTH
    assert unreadable(figure, monkeypatch) == []
    texts = [text for text, _ in words(figure, monkeypatch)[0]]
    assert any("mean of 5 seeds" in text for text in texts)


CHOICES = [
    ({"rule": NINE}, TIMES, {}, Chosen("curves", "t", None, ("rule",), ())),
    ({"rule": NINE, "attack": ATTACKS}, TIMES, {}, Chosen("curves", "t", None, ("rule",), ("attack",))),
    ({"attack": ATTACKS, "n": (9, 11), "rule": NINE}, TIMES, {}, Chosen("curves", "n", None, ("rule",), ("attack",))),
    ({"n": (9, 11), "optimizer.beta": BETAS}, (600,), {}, Chosen("curves", "optimizer.beta", None, ("n",), ())),
    ({"rule.tau": TAUS, "optimizer.beta": BETAS}, (600,), {}, Chosen("heat", "rule.tau", "optimizer.beta", (), ())),
    (
        {"rule.tau": TAUS, "optimizer.beta": BETAS},
        (600,),
        {"rows": "rule.tau"},
        Chosen("heat", "optimizer.beta", "rule.tau", (), ()),
    ),
    (
        {"rule": CLIPPING, "rule.tau": TAUS, "optimizer.beta": BETAS},
        (600,),
        {},
        Chosen("heat", "rule.tau", "optimizer.beta", (), ("rule",)),
    ),
    (
        {"rule": CLIPPING, "rule.tau": (1.0, 2.0), "optimizer.beta": BETAS},
        (600,),
        {},
        Chosen("curves", "optimizer.beta", None, ("rule", "rule.tau"), ()),
    ),
    ({"rule": NINE, "attack": ATTACKS}, (600,), {}, Chosen("points", "rule", None, ("attack",), ())),
    ({"rule": NINE, "attack": ATTACKS}, (600,), {"x": "attack"}, Chosen("points", "attack", None, ("rule",), ())),
    ({}, (600,), {}, Chosen("points", None, None, (), ())),
]


@pytest.mark.parametrize(("axes", "recorded", "how", "chosen"), CHOICES)
def test_axes_find_their_places(axes, recorded, how, chosen):
    assert choose(found(axes, recorded, how), how) == chosen


def test_axes_that_go_together_need_one_place():
    table = rows({"n": (5, 9, 13)}, value)
    zipped = table.append_column("f", table["n"].cast("int64"))
    both = summary(zipped, {"n": (5, 9, 13), "f": (5, 9, 13)})
    assert choose(both, {}) == Chosen("curves", "n", None, (), ())


REFUSED = [
    (
        {"rule": NINE, "attack": ATTACKS, "n": (9, 11), "f": (1, 2)},
        {},
        "more varies than a figure can show: f (2 values)",
    ),
    ({"rule": NINE, "attack": ATTACKS, "n": (9, 11), "f": (1, 2)}, {}, "(--where f=1) or average over it (--over f)"),
    (
        {"n": (9, 11), "seed2": tuple(range(20))},
        {"x": "n", "lines": "seed2"},
        f"at most {MOST_LINES} lines, and seed2 has 20",
    ),
    ({"rule": NINE, "n": (9, 11)}, {"panels": "rule"}, "at most 6 panels, and rule has 9 values"),
    ({"n": (9, 11)}, {"x": "tau"}, "x is 'tau', which does not vary; it is one of n"),
    ({"n": (9, 11)}, {"x": "n", "lines": "n"}, "x and lines are both 'n'"),
    ({"n": (9, 11)}, {"kind": "pie"}, "kind must be one of curves, points, heat, got 'pie'"),
    ({"n": (9, 11)}, {"colour": "red"}, "a plot has no setting 'colour'"),
    ({"n": (9, 11)}, {"y": "sq_distances"}, "y is 'sq_distances', and the table is of 'excess'"),
    ({"n": (9, 11)}, {"kind": "heat"}, "a heat map needs two axes that vary"),
    ({"n": (9, 11)}, {"kind": "heat", "lines": "n"}, "lines are of curves"),
    ({"n": (9, 11)}, {"rows": "n", "lines": "n"}, "rows and columns are of a heat map"),
    ({"rule": NINE}, {"kind": "curves"}, "curves need an axis of numbers"),
    ({"rule": NINE}, {"kind": "curves", "x": "rule"}, "curves need an axis of numbers"),
    ({"f": (-1, 1)}, {"logx": True}, "a logarithmic axis needs positive values, got f = -1"),
]


@pytest.mark.parametrize(("axes", "how", "sentence"), REFUSED)
def test_what_cannot_be_drawn_is_said(axes, how, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        draw(found(axes), how)


def test_zero_and_infinity_have_places_of_their_own():
    made = scale([0.0, 0.1, 100.0, math.inf], None, "tau")
    assert (made.log, made.zero, made.infinite) == (True, True, True)
    places = made.place([0.0, 0.1, 100.0, math.inf])
    assert np.all(np.diff(places) > 0)
    assert made.limits[0] < places[0]
    assert places[-1] < made.limits[1]
    assert made.ticks(6)[0] == 0.0
    assert made.ticks(6)[-1] == math.inf
    assert made.apart([0.0, 0.1, math.inf]).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("values", "log", "drawn"),
    [
        ([1.0, 29.9], None, False),
        ([1.0, 30.0], None, True),
        ([-1.0, 1.0, 300.0], None, False),
        ([1.0, 30.0], False, False),
        ([1.0, 2.0], True, True),
        ([0.0, 2.0], None, False),
        ([], None, False),
        ([7.0], None, False),
        ([math.inf], None, False),
    ],
)
def test_a_scale_is_logarithmic_where_that_helps(values, log, drawn):
    made = scale(values, log, "tau")
    assert made.log is drawn
    assert all(made.limits[0] < place < made.limits[1] for place in made.place(values))


def points(axes, colour):
    """All marked points of a colour, in their order."""
    marked = [line for line in axes.lines if line.get_color() == colour and line.get_marker() not in ("None", "", None)]
    return [(float(x), float(y)) for line in marked for x, y in zip(*line.get_data(), strict=True)]


def test_every_point_is_drawn_diverged_ones_at_the_top():
    axes = {"rule.tau": (0.0, *TAUS), "attack": ("BitFlipping", "NoAttack")}
    made = found(axes)
    figure = draw(made)
    [panel] = figure.axes
    drawn = [points(panel, colour) for colour in ("#0072B2", "#D55E00")]
    assert [len(line) for line in drawn] == [10, 10]
    top = max(y for line in drawn for _, y in line)
    assert [y == top for _, y in drawn[0]] == [False] * 9 + [True]
    assert max(y for _, y in drawn[1]) < top
    for line, attack in zip(drawn, axes["attack"], strict=True):
        means = [row["mean"] for row in made.rows() if row["attack"] == attack and math.isfinite(row["mean"])]
        assert [y for _, y in line if y < top] == means
    labels = [label.get_text() for label in panel.get_yticklabels()]
    assert labels[-1] == "∞"


def test_a_rule_without_the_setting_is_a_level():
    made = found({"rule": CLIPPING[:2], "rule.tau": TAUS})
    [panel] = draw(made).axes
    level = next(row["mean"] for row in made.rows() if row["rule"] == "Krum")
    [line] = [line for line in panel.lines if line.get_color() == RULES["Krum"].colour]
    assert line.get_xdata().tolist() == list(panel.get_xlim())
    assert set(line.get_ydata().tolist()) == {level}


def test_a_rule_without_the_setting_fills_its_heat_map(monkeypatch):
    made = found({"rule": CLIPPING[:2], "rule.tau": TAUS, "optimizer.beta": BETAS})
    figure = draw(made)
    clipping, krum, _ = figure.axes
    colours = [
        {patch.get_facecolor() for patch in panel.patches if isinstance(patch, Rectangle)} for panel in (clipping, krum)
    ]
    assert [len(panel.patches) for panel in (clipping, krum)] == [36, 36]
    assert len(colours[1]) == len(BETAS)
    assert len(colours[0]) > 20
    assert any(text == "Krum, no τ" for text, _ in words(figure, monkeypatch)[0])


def test_bands_are_the_intervals():
    made = found({"n": (9, 11, 13)})
    [panel] = draw(made).axes
    band = panel.collections[0].get_paths()[0].vertices
    ends = {float(y) for _, y in band}
    assert {row[which] for row in made.rows() for which in ("low", "high")} <= ends


def test_one_seed_has_no_band(monkeypatch):
    figure = draw(found({"n": (9, 11, 13)}, seeds=[3]))
    texts = [text for text, _ in words(figure, monkeypatch)[0]]
    assert "f(x) − f* after the last round: 1 seed" in texts
    assert [path for one in figure.axes[0].collections for path in one.get_paths()] == []


def test_nothing_to_draw_is_said():
    table = rows({"n": (9, 11)})
    empty = table.set_column(table.column_names.index("excess"), "excess", [[None] * len(table)])
    empty = empty.set_column(table.column_names.index("excess"), "excess", empty["excess"].cast("double"))
    with pytest.raises(ValueError, match="there is nothing to draw: excess was measured nowhere"):
        draw(summary(empty, {"n": (9, 11)}))


def test_holes_and_all_diverged_runs_are_drawn():
    axes = {"rule": ("Mean", "Krum"), "rule.tau": TAUS, "attack": ("BitFlipping",), "optimizer.beta": BETAS}
    swept = {"rule": ("Mean", "Krum"), "optimizer.beta": BETAS, "attack": ("BitFlipping",)}
    assert draw(found(swept)).axes[0].get_yticklabels()[-1].get_text() == "∞"
    alone = summary(rows({"optimizer.beta": BETAS, "rule": ("Mean",), "attack": ("BitFlipping",)}, value), swept)
    draw(alone)
    table = rows({path: axes[path] for path in ("rule.tau", "optimizer.beta")}, value)
    holes = table.filter([i % 7 > 1 for i in range(len(table))])
    draw(summary(holes.slice(15), axes))


MAKE = """
import pathlib, sys
from test_sweep_figure import SHOWN, draw, found
from figures.picture import save
for name in ("levels", "heat, levels", "points with lines"):
    axes, recorded, how = SHOWN[name]
    save(draw(found(axes, recorded, how), how), pathlib.Path(sys.argv[1]) / name)
assert "matplotlib.pyplot" not in sys.modules
"""


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_two_processes_draw_the_same_bytes(tmp_path):
    home = Path(style.__file__).parents[1]
    for number in ("1", "2"):
        (tmp_path / number).mkdir()
        path = os.pathsep.join([str(home), str(home / "tests")])
        environment = os.environ | {"PYTHONHASHSEED": number, "PYTHONPATH": path}
        subprocess.run([sys.executable, "-c", MAKE, tmp_path / number], check=True, env=environment)
    assert digests(tmp_path / "1") == digests(tmp_path / "2")
    assert len(digests(tmp_path / "1")) == 6


def test_the_order_of_rows_changes_no_byte(tmp_path):
    axes, _, _ = SHOWN["levels"]
    table = rows(axes, value)
    for i, part in enumerate((table, shuffled(table))):
        (tmp_path / str(i)).mkdir()
        save(draw(summary(part, axes)), tmp_path / str(i) / "figure")
    assert digests(tmp_path / "0") == digests(tmp_path / "1")


def test_drawing_leaves_the_settings_alone():
    before = dict(matplotlib.rcParams)
    draw(found({"n": (9, 11)}))
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("betas", [BETAS, BETAS[:1]])
def test_an_average_over_rules_draws_nothing_over_something_else(betas):
    """Krum has no radius: without the rules, what it has would lie across all that clipping has."""
    axes = {"rule": CLIPPING, "rule.tau": TAUS, "optimizer.beta": betas}
    made = summary(rows(axes, lambda one: 1.0), axes, over=("seed", "rule"))
    with pytest.raises(ValueError, match=r"has rule\.tau only in part"):
        draw(made)


def test_values_that_are_near_each_other_are_told_apart_beside_a_heat_map():
    betas = (0.9, 0.99, 0.999, 0.9999)
    made = found({"rule.tau": TAUS, "optimizer.beta": betas})
    panel = draw(made, {"columns": "optimizer.beta"}).axes[0]
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["0.9", "0.99", "0.999", "0.9999"]


def test_what_is_about_to_diverge_is_drawn_beside_what_converges():
    means = {0.1: 1e-10, 1.0: 1e300, 10.0: math.inf}
    table = rows({"rule.tau": tuple(means)}, lambda one: means[one["rule.tau"]], seeds=[0])
    [panel] = draw(summary(table, {"rule.tau": tuple(means)})).axes
    low, high = panel.get_ylim()
    assert low < 1e-10
    assert 1e300 < high < math.inf


def test_every_panel_has_a_title():
    made = found({"rule": CLIPPING[:2], "rule.tau": (1.0, 2.0), "n": (9, 11)})
    titles = [panel.get_title(loc="left") for panel in draw(made, {"panels": "rule.tau"}).axes]
    assert titles == ["τ = 1", "τ = 2", "without τ"]


def test_the_start_and_the_end_alone_are_no_curve():
    axes = {"rule": CLIPPING, "seed": range(3)}
    assert [times(axes, recorded, {}) for recorded in ((0,), (0, 600), (0, 300, 600))] == ["last", "last", "all"]
    assert times(axes, (0, 600), {"x": "t"}) == "all"
