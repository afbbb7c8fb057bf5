"""Reading a sweep: what is wrong with a file is said all at once, with its line; what is right is kept."""

from __future__ import annotations

import pytest

from sims.sweep.axes import spaced
from sims.sweep.file import SweepError, read

GOOD = """\
n = 11
f = 2
steps = 6
seed = [0, 1]
[problem]
name = "Rademacher"
dim = 3
[optimizer]
name = "SGD"
learning_rate = 0.1
[rule]
name = "CenteredClipping"
tau = [1.0, 10.0]
"""


@pytest.fixture
def told(tmp_path):
    """What is said of a file with this text, FILE: left out."""

    def said(text: str | bytes) -> list[str]:
        path = tmp_path / "s.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        with pytest.raises(SweepError) as caught:
            read(path)
        return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]

    return said


NUMBER = "a number is written without quotes"
KEYS = "n, f, delta, steps, every, seed, x0, shuffle, backend, problem, optimizer, rule, attack, observe, zip"
PROBLEMS = (
    "Quadratic, Bernoulli, Rademacher, Pareto, Sinusoidal, Pendulum, Huber, SoftmaxRegression, "
    "HeterogeneousSoftmaxRegression, ImageClassification"
)
PLOT = "x, y, lines, panels, rows, columns, kind, title, logx, logy"
RULES = (
    "Mean, CoordinateMedian, GeometricMedian, RFA, Krum, MultiKrum, TrimmedMean, Bulyan, CenteredClipping, "
    "Bucketing, NearestNeighbourMixing, Clipping, ARC, CAF, CGE, MDA, Meamed, MoNNA, Phocas, SMEA"
)
ATTACK = '[attack]\nname = "ALittleIsEnough"\n'
WRONG = [  # what is replaced, by what, and what is said
    ("n = 11", 'n = "11"', [f'1: n must be a whole number, got the text "11": {NUMBER}']),
    ("n = 11", "n = 11.0", ["1: n must be a whole number, got 11.0"]),
    ("n = 11", "n = [\n11,\ntrue]", ["3: n must be a whole number, got true"]),
    ("n = 11", "n = 0", ["1: n must be ≥ 1, got 0"]),
    ("n = 11", "n = []", ["1: n has no values: the list is empty"]),
    ("n = 11", "n = [11, 12, 11]", ["1: n has 11 twice"]),
    ("n = 11", "n = 1" + 400 * "0", ["1: n must be ≥ 1 and not so large, got a number of many digits"]),
    ("n = 11", "n = {linear = [5, 6, 3]}", ["1: n must be a whole number, got 5.0"]),
    ("n = 11", "n = {lin = [5, 7, 3]}", ["1: n is spaced by one of log, linear, range, got lin"]),
    ("n = 11\n", "", ["1: a sweep needs n"]),
    ("f = 2\n", "", ["1: a sweep needs f (or delta)"]),
    ("f = 2", "f = -1", ["2: f must be ≥ 0, got -1"]),
    ("f = 2", "f = [2,\n 11]", ["3: a sweep needs 0 ≤ f < n, got f = 11, n = 11"]),
    ("f = 2", "delta = 0.3", ["2: delta·n must be a whole number f, got 0.3·11 = 3.3"]),
    ("f = 2", "delta = 1", ["2: a sweep needs 0 ≤ f < n, got f = 11, n = 11 from delta = 1"]),
    ("f = 2", "delta = -1", ["2: a sweep needs 0 ≤ f < n, got f = -11, n = 11 from delta = -1"]),
    ("f = 2", "delta = nan", ["2: delta must be a finite number, got nan"]),
    ("f = 2", "f = 2\ndelta = 0.2", ["3: delta is f/n: a sweep takes f or delta, not both"]),
    ("steps = 6", "steps = 6\nevery = 0", ["4: every must be ≥ 1, got 0"]),
    (
        "steps = 6",
        "step = 6",
        ["1: a sweep needs steps", f"3: unknown key 'step'; did you mean steps? (known: title, {KEYS}, block, plot)"],
    ),
    ("seed = [0, 1]", "seed = [0, -1]", ["4: seed must be ≥ 0, got -1"]),
    ("seed = [0, 1]", "seed = { range = [3, 3] }", ["4: seed has no values: range = [3, 3]"]),
    (
        "seed = [0, 1]",
        "seed = { range = [0, 1000000000] }",
        ["4: seed needs 1 to 10,000,000 values, got 1,000,000,000"],
    ),
    ("seed = [0, 1]", "x0 = [0.0, nan]", ["4: x0 must be a finite number, got nan"]),
    ("seed = [0, 1]", "x0 = [[0.0, 1.0]]", ["4: x0 needs as many numbers as Rademacher has, d = 3, got 2"]),
    ("seed = [0, 1]", "x0 = [0, -0.0]", ["4: x0 has 0.0 twice"]),
    ("seed = [0, 1]", "shuffle = 1", ["4: shuffle must be true or false, got 1"]),
    ("seed = [0, 1]", 'backend = "nunpy"', ["4: backend must be one of numpy, cupy, torch, got 'nunpy'"]),
    ("seed = [0, 1]", "title = 3", ["4: title must be a text, got 3"]),
    ("seed = [0, 1]", 'zip = ["n"]', ['4: zip must be a list, got the text "n"']),
    ("seed = [0, 1]", 'zip = [["rule.tau"]]', ["4: a zip needs at least two axes that go together"]),
    ("seed = [0, 1]", 'zip = [["rule.tau", "n"]]', ["4: zip: n is no axis (axes: rule.tau)"]),
    (
        "seed = [0, 1]",
        'zip = [["rule.tau",\n"seeds"]]\nseed = [0, 1]',
        ["5: zip: seeds is no axis; did you mean seed? (axes: seed, rule.tau)"],
    ),
    (
        "seed = [0, 1]",
        'seed = [0, 1, 2]\nzip = [["rule.tau", "seed"]]',
        ["5: zip needs axes of equal length: rule.tau has 2, seed has 3"],
    ),
    (
        "seed = [0, 1]",
        'seed = [0, 1]\nzip = [["rule.tau", "seed"], ["seed", "rule.tau"]]',
        ["5: zip: rule.tau is zipped twice", "5: zip: seed is zipped twice"],
    ),
    (
        "[problem]",
        "[problm]",
        [
            "1: a sweep needs problem",
            f"5: unknown key 'problm'; did you mean problem? (known: title, {KEYS}, block, plot)",
        ],
    ),
    ('name = "Rademacher"', "", ["5: problem needs a name"]),
    (
        'name = "Rademacher"',
        'name = "Radmacher"',
        [f"6: unknown problem 'Radmacher'; did you mean Rademacher? (known: {PROBLEMS}, or module:Name)"],
    ),
    ("dim = 3", "dim = 3.0", ["7: problem.dim must be a whole number, got 3.0"]),
    ("dim = 3", "dim = 0", ["7: Rademacher needs dim ≥ 1, got dim = 0"]),
    ("dim = 3", "dmi = 3", ["7: Rademacher has no setting 'dmi'; did you mean dim? (it takes dim)"]),
    (
        "dim = 3",
        "dim = 1979-05-27",
        ["7: problem.dim must be a number, a text, true or false, or a list of these, got 1979-05-27"],
    ),
    ("dim = 3", "dim = [[3]]", ["7: problem.dim must be a whole number, got a list"]),
    ("learning_rate = 0.1", "learning_rate = -1", ["10: SGD needs learning_rate ≥ 0, got learning_rate = -1.0"]),
    ("learning_rate = 0.1\n", "", ["8: SGD needs a value for learning_rate"]),
    ("tau = [1.0, 10.0]", "tau = [1.0,\n nan]", ["14: rule.tau must not be NaN"]),
    (
        "tau = [1.0, 10.0]",
        'tau = "10"',
        ['13: rule.tau must be a number, got the text "10": a number is written without quotes'],
    ),
    ("tau = [1.0, 10.0]", "tau = [1.0,\n -1.0]", ["14: CenteredClipping needs tau ≥ 0, got tau = -1.0"]),
    (
        "tau = [1.0, 10.0]",
        "tau = {log = [0, 1, 3]}",
        ["13: rule.tau needs log from and to positive numbers, got 0 and 1"],
    ),
    ("tau = [1.0, 10.0]", "tau = {log = [1, 2]}", ["13: rule.tau needs log = [from, to, count]"]),
    (
        "tau = [1.0, 10.0]",
        "tau = {log = [1, inf, 3]}",
        ["13: rule.tau needs log = [from, to, count] of finite numbers"],
    ),
    ("tau = [1.0, 10.0]", "tau = {log = [1, 2, 1]}", ["13: rule.tau needs 2 to 10,000,000 values, got 1"]),
    ("tau = [1.0, 10.0]", "tau = {log = [1, 1.000001, 4]}", ["13: rule.tau has 1.0 twice"]),
    ("tau = [1.0, 10.0]", "tau = 1\nsteps = 1.5", ["14: rule.steps must be a whole number, got 1.5"]),
    ("tau = [1.0, 10.0]", "tau = [[1.0, 2.0]]", ["13: CenteredClipping needs one tau per step, got 2 for steps = 1"]),
    (
        'name = "CenteredClipping"\ntau = [1.0, 10.0]',
        'name = "Krum"\nf = 5',
        ["11: Krum needs n ≥ 2f + 3, got n = 11, f = 5"],
    ),
    (
        'name = "CenteredClipping"\ntau = [1.0, 10.0]',
        'name = ["Krum",\n"Kurm"]',
        [f"12: unknown rule 'Kurm'; did you mean Krum? (known: {RULES}, or module:Name)"],
    ),
    (
        'name = "CenteredClipping"\ntau = [1.0, 10.0]',
        'name = "nowhere_at_all:X"',
        ["12: module nowhere_at_all does not import: ModuleNotFoundError: No module named 'nowhere_at_all'"],
    ),
    (
        "[rule]",
        '[attack]\nname = "LabelFlipping"\n[rule]',
        ["11: LabelFlipping needs a problem with labels, got Rademacher"],
    ),
    ("[rule]", '[attack]\nname = "BitFlipping"\non = true\n[rule]', ["13: attack.on must be a text, got true"]),
    (
        "[rule]",
        '[attack]\nname = "BitFlipping"\non = "message"\n[rule]',
        ["13: BitFlipping needs on in ('gradients', 'messages'), got on = 'message'"],
    ),
    (
        "[rule]",
        '[attack]\nname = "Relocation"\nradius = 1\ndirection = [[1.0, 0.0]]\n[rule]',
        ["11: Relocation needs a direction of d = 3 numbers, got 2"],
    ),
    (
        "[rule]",
        '[plot]\nlogx = "yes"\nz = "t"\n[rule]',
        ['12: plot.logx must be true or false, got the text "yes"', f"13: unknown key 'z' in [plot] (known: {PLOT})"],
    ),
    (
        "[rule]",
        "[[block]]\nn = 3\nf = 1\nrulee = 3\n[rule]",
        [f"14: unknown key 'rulee' in [block]; did you mean rule? (known: {KEYS})"],
    ),
    ("[rule]", "block = 3\n[rule]", ["11: SGD has no setting 'block'; it takes learning_rate"]),
]


@pytest.mark.parametrize(("old", "new", "said"), WRONG)
def test_what_is_wrong_is_said_with_its_line(told, old, new, said):
    assert GOOD.count(old) == 1
    assert told(GOOD.replace(old, new)) == said


def test_an_attack_that_is_undefined_is_refused_where_it_stands(told):
    text = GOOD.replace("n = 11\nf = 2", "n = [11,\n5]\nf = 3") + ATTACK
    assert told(text) == [
        "15: ALittleIsEnough's formula 'released' needs 0 < 2/2 < 1, got n = 5, f = 3: give z yourself"
    ]


def test_every_problem_is_said_at_once_in_the_order_of_lines(told):
    text = """\
title = 3
n = "25"
f = 25
steps = 600
dleta = 3
[problem]
name = "Quadratic.betwen"
[optimizer]
name = "WorkerMomentum"
learning_rate = 0.05
beta = [0.0, 1.9, 0.99]
[[rule]]
name = "CenteredClipping"
tua = 3
[[rule]]
name = "Kurm"
[[block]]
n = 5
f = 3
problem = "Rademacher"
attack = ["LabelFlipping", { name = "BitFlipping", on = 3 }]
x0 = [[1.0, 2.0]]
rule = [
  "Mean",
  "Krum"]
"""
    lines = [int(line.split(":")[0]) for line in told(text)]
    assert lines == [1, 2, 5, 7, 11, 14, 16, 21, 21, 22, 25]


def test_a_file_that_is_wrong_ten_thousand_times_is_told_of_a_hundred(told):
    taus = ", ".join(str(-1.0 - i) for i in range(10_000))
    said = told(GOOD.replace("[1.0, 10.0]", f"[{taus}]"))
    assert len(said) == 101
    assert said[-1].startswith(" and 900 more") or said[-1].startswith(" and 901 more")


# Files that are none


def test_no_toml_no_text_no_file(told, tmp_path):
    assert told("n = 1\nn = 2\n") == ["2: this is no TOML: Cannot overwrite a value (at line 2, column 6)"]
    assert told("n = 1\n\nx = [1,\n") == ["3: this is no TOML: Invalid value (at end of document)"]
    assert told(b'n = 1\ntitle = "\xff"\n') == ["2: a sweep is written in UTF-8, and this is not: invalid start byte"]
    assert told("x = " + "[" * 5000) == ["1: lists and tables are nested too deeply"]
    for path, sentence in (
        (tmp_path / "none.toml", "there is no such file"),
        (tmp_path, "this is a folder, and a sweep is described by a file"),
    ):
        with pytest.raises(SweepError) as caught:
            read(path)
        assert str(caught.value) == f"{path}: {sentence}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seed = [0, 1]", "seed = { range = [0, 9999999] }"),  # times two values of tau
        ("tau = [1.0, 10.0]", "tau = { linear = [1, 2, 100000] }\nsteps = { range = [1, 10001] }"),
        (
            "seed = [0, 1]",
            "x0 = { linear = [0, 1, 1000] }\nevery = { range = [1, 1001] }\nseed = { range = [0, 1000] }",
        ),
    ],
)
def test_more_than_ten_million_jobs_are_refused_before_there_is_a_cell(told, monkeypatch, old, new):
    monkeypatch.setattr("sims.sweep.grid.made", lambda blocks: pytest.fail("cells were made"))
    assert told(GOOD.replace(old, new)) == ["1: a sweep has at most 10,000,000 jobs, and this one has more"]


def test_as_many_alternatives_as_make_too_many_jobs_are_refused_unseen(told):
    lists = "".join(
        f"{kind} = {[name] * 100}\n" for kind, name in [("rule", "Mean"), ("attack", "NoAttack"), ("problem", "Pareto")]
    )
    optimizer = '{ name = "SGD", learning_rate = 0.1 }'
    text = f"n = 5\nf = 1\nsteps = 3\nseed = {{ range = [0, 100] }}\noptimizer = {optimizer}\n{lists}"
    assert told(text) == ["1: a sweep has at most 10,000,000 jobs, and this one has more"]


# Files that are right


@pytest.fixture
def written(tmp_path):
    def sweep(text: str):
        path = tmp_path / "clipping.toml"
        path.write_text(text, encoding="utf-8")
        return read(path)

    return sweep


def test_a_sweep_knows_its_name_title_plot_and_axes(written):
    sweep = written('title = "Radii"\n' + GOOD + '[plot]\nx = "rule.tau"\nlogx = true\n')
    assert (sweep.name, sweep.title, sweep.path.name) == ("clipping", "Radii", "clipping.toml")
    assert sweep.plot == {"x": "rule.tau", "logx": True}
    assert sweep.axes == {"seed": (0, 1), "rule.tau": (1.0, 10.0)}
    assert [cell.seeds for cell in sweep.cells] == [(0, 1), (0, 1)]
    assert written(GOOD).title == "clipping"


def test_carriage_returns_and_a_byte_order_mark_change_nothing(written, tmp_path):
    expected = {cell.text for cell in written(GOOD).cells}
    (tmp_path / "dos.toml").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert {cell.text for cell in read(tmp_path / "dos.toml").cells} == expected


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ({"log": [0.1, 1000, 9]}, (0.1, 0.316228, 1.0, 3.16228, 10.0, 31.6228, 100.0, 316.228, 1000.0)),
        ({"log": [1000, 1, 4]}, (1000, 100, 10, 1)),
        ({"linear": [0, 1, 11]}, tuple(i / 10 for i in range(11))),
        ({"linear": [0, 0.3, 4]}, (0.0, 0.1, 0.2, 0.3)),
        ({"linear": [0.1, 0.7, 4]}, (0.1, 0.3, 0.5, 0.7)),
        ({"linear": [10, 50, 5]}, (10, 20, 30, 40, 50)),
        ({"linear": [1.0, 0.0, 2]}, (1.0, 0.0)),
        ({"range": [0, 4]}, (0, 1, 2, 3)),
        ({"range": [5, 0, -2]}, (5, 3, 1)),
    ],
)
def test_spacings(table, values):
    assert [repr(value) for value in spaced(table)] == [repr(value) for value in values]
