"""What is set from outside replaces what a file says, wherever it stands there, and is named if it is wrong."""

from __future__ import annotations

import pytest

from sims.sweep import SweepError, read
from sims.sweep.override import overridden, value

FILE = """
n = 5
f = 1
steps = 3
problem = "Rademacher"
optimizer = { name = "SGD", learning_rate = 0.1 }

[[rule]]
name = ["Krum", "TrimmedMean", "Mean"]

[[rule]]
name = "CenteredClipping"
tau = 1.0

[[block]]
delta = 0.2
attack = "BitFlipping"

[[block]]
steps = 4
rule = "Mean"

[block.problem]
name = "Rademacher"
dim = 2
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "sweep.toml").write_text(FILE, encoding="utf-8")
    return tmp_path / "sweep.toml"


def settings(path, changes, *names):
    return [tuple(cell.settings.get(name) for name in names) for cell in read(path, changes).cells]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("3", 3),
        ("1e-3", 1e-3),
        (".5", 0.5),
        ("true", True),
        ("True", True),
        ("inf", float("inf")),
        ("Krum", "Krum"),
        ('"Krum"', "Krum"),
        ("my_rules:Own", "my_rules:Own"),
        ("[0, 0.9]", [0, 0.9]),
        ("(0, 0.9)", [0, 0.9]),
        ("{ log = [1, 100, 3] }", {"log": [1, 100, 3]}),
        ("1\nn = 2", "1\nn = 2"),
    ],
)
def test_a_value_is_toml_or_a_literal_or_a_text(text, meant):
    found = value(text)
    assert found == meant
    assert type(found) is type(meant)


def test_nothing_set_is_the_file(path):
    assert [cell.text for cell in read(path, ["title=another"]).cells] == [cell.text for cell in read(path).cells]


def test_a_key_is_replaced_in_blocks_too(path):
    assert set(settings(path, ["steps=7"], "steps")) == {(7,)}
    assert set(settings(path, ["n=[10, 15]"], "n", "f")) == {(10, 2), (15, 3), (10, 1), (15, 1)}


def test_f_takes_the_place_of_delta_and_delta_that_of_f(path):
    assert set(settings(path, ["f=0"], "f")) == {(0,)}
    assert set(settings(path, ["n=20", "delta=0.4"], "f")) == {(8,)}


def test_a_setting_is_that_of_every_part_which_takes_it(path):
    found = dict(settings(path, ["rule.f=0"], "rule", "rule.f"))
    assert found == {"Krum": 0, "TrimmedMean": 0, "Mean": None, "CenteredClipping": None}
    assert set(settings(path, ["problem.dim=[3, 4]"], "problem.dim")) == {(3,), (4,)}


def test_a_setting_of_a_part_by_its_name_is_of_that_alone(path):
    found = dict(settings(path, ["rule.Krum.f=0", "rule.CenteredClipping.tau=9"], "rule", "rule.f"))
    assert found == {"Krum": 0, "TrimmedMean": 1, "Mean": None, "CenteredClipping": None}
    assert (9.0,) in settings(path, ["rule.CenteredClipping.tau=9"], "rule.tau")


def test_a_part_is_replaced_by_its_name_alone(path):
    assert set(settings(path, ["rule=Mean"], "rule")) == {("Mean",)}
    assert set(settings(path, ["attack=ALittleIsEnough"], "attack")) == {("ALittleIsEnough",)}
    assert set(settings(path, ["optimizer.name=ServerMomentum", "optimizer.beta=0.5"], "optimizer")) == {
        ("ServerMomentum",)
    }


def test_the_data_of_the_file_stay_as_they_are():
    data = {"rule": [{"name": "Krum"}], "n": 3}
    changed, places = overridden(data, ["rule.f=2", "n=4"])
    assert data == {"rule": [{"name": "Krum"}], "n": 3}
    assert changed == {"rule": [{"name": "Krum", "f": 2}], "n": 4}
    assert places == {("rule", 0, "f"): "--set rule.f=2", ("n",): "--set n=4"}


def test_title_and_plot_can_be_set_too(path):
    sweep = read(path, ["title=Other words", "plot.x=rule", "plot.logy=true"])
    assert (sweep.title, sweep.plot) == ("Other words", {"x": "rule", "logy": True})


def test_what_the_file_plots_along_an_axis_that_is_one_value_now_is_left_to_be_chosen(path):
    path.write_text(FILE + '[plot]\nlines = "rule"\ny = "excess"\n', encoding="utf-8")
    assert read(path, ["steps=4"]).plot == {"lines": "rule", "y": "excess"}
    assert read(path, ["rule=Mean"]).plot == {"y": "excess"}
    with pytest.raises(SweepError, match=r"^--set plot.x=attack.on: plot.x is no axis of this sweep"):
        read(path, ["rule=Mean", "plot.x=attack.on"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("stepz=3", r"^nothing is called stepz; did you mean steps\? \(known: title, n, f, "),
        ("learning_rate=3", r"^nothing is called learning_rate; did you mean optimizer.learning_rate\?"),
        ("rule.taau=3", r"^no rule of the file has rule.taau; did you mean rule.tau\? \(known: rule.f, rule.variant, "),
        ("rule.Krumm.f=3", r"^no rule of the file has rule.Krumm.f; did you mean rule.f\?"),
        ("attack.z=3", r"^no attack of the file has attack.z; did you mean attack.on\? \(known: attack.on\)"),
        ("plot.z=3", r"^nothing is called plot.z"),
        ("block=3", r"^nothing is called block"),
        ("n.m=3", r"^nothing is called n.m"),
        ("steps", r"^what is set is written path=value, got 'steps'$"),
        ("steps=", r"^what is set is written path=value, got 'steps='$"),
        ("=3", r"^what is set is written path=value, got '=3'$"),
    ],
)
def test_a_path_that_there_is_not_is_refused_with_the_nearest(path, change, sentence):
    with pytest.raises(ValueError, match=sentence):
        read(path, [change])


def test_a_path_is_set_once(path):
    with pytest.raises(ValueError, match=r"^steps is set twice$"):
        read(path, ["steps=3", "steps=4"])
    with pytest.raises(ValueError, match=r"^f and delta are set, of which each says the other$"):
        read(path, ["f=1", "delta=0.2"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("steps=[3, 0]", "--set steps=[3, 0]: steps must be ≥ 1, got 0"),
        ("steps=three", '--set steps=three: steps must be a whole number, got the text "three"'),
        ("rule.tau=-1", "--set rule.tau=-1: CenteredClipping needs tau ≥ 0, got tau = -1.0"),
        ("observe=[3]", "--set observe=[3]: observe must be a text, got 3"),
    ],
)
def test_what_is_wrong_with_a_value_is_told_by_what_set_it(path, change, sentence):
    with pytest.raises(SweepError) as caught:
        read(path, [change])
    assert sentence in str(caught.value).splitlines()


def test_what_is_wrong_with_the_file_is_told_with_its_line_all_the_same(path):
    path.write_text(FILE.replace("tau = 1.0", "taau = 1.0"), encoding="utf-8")
    with pytest.raises(SweepError, match=r"sweep.toml:13: CenteredClipping has no setting 'taau'"):
        read(path, ["steps=3"])
