"""Cells and keys: what is crossed, zipped and conditional, and that a key stands for what is run and nothing else."""

from __future__ import annotations

import json
import math
from itertools import product
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sims.aggregators import Krum, Mean
from sims.aggregators.rule import Promises, StatelessRule
from sims.engine import Experiment, key
from sims.engine.code import code_of
from sims.engine.describe import canonical, modules_of
from sims.optimizers import RobustSGD
from sims.sweep.cell import make
from sims.sweep.file import SweepError, read

HEAD = """\
n = 11
f = 2
steps = 6
problem = "Rademacher"
optimizer = { name = "SGD", learning_rate = 0.1 }
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The sweep that a text describes."""
    path = tmp_path_factory.mktemp("sweeps") / "s.toml"

    def sweep(text: str):
        path.write_text(text, encoding="utf-8")
        return read(path)

    return sweep


def dumped(value: Any) -> str:
    """A value as TOML, in one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{dumped(str(key))} = {dumped(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(dumped(one) for one in value) + "]"
    return repr(value)


def as_toml(data: dict[str, Any]) -> str:
    return "".join(f"{key} = {dumped(value)}\n" for key, value in data.items())


def keys(sweep) -> set[str]:
    return {cell.key(seed) for cell in sweep.cells for seed in cell.seeds}


def columns(sweep, *names) -> list[tuple]:
    return [tuple(cell.settings.get(name) for name in names) for cell in sweep.cells]


# What goes with what


def test_lists_are_crossed_and_a_rules_axes_are_its_own(written):
    sweep = written(HEAD + 'every = [2, 3]\nrule = [{ name = "CenteredClipping", tau = [1.0, 2.0] }, "Krum", "Mean"]\n')
    found = columns(sweep, "rule", "rule.tau", "every")
    rules = [("CenteredClipping", 1.0), ("CenteredClipping", 2.0), ("Krum", None), ("Mean", None)]
    assert sorted(found, key=repr) == sorted(((*rule, every) for rule, every in product(rules, (2, 3))), key=repr)
    assert sweep.axes == {"every": (2, 3), "rule": ("CenteredClipping", "Krum", "Mean"), "rule.tau": (1.0, 2.0)}


def test_a_name_may_be_a_list(written):
    sweep = written(HEAD + 'rule = { name = ["Krum", "MultiKrum"], variant = ["paper", "byzfl"] }\n')
    assert set(columns(sweep, "rule", "rule.variant")) == set(product(("Krum", "MultiKrum"), ("paper", "byzfl")))


def test_zipped_axes_go_together(written):
    text = HEAD.replace("n = 11", "n = [11, 12]\nevery = [1, 2]\nseed = [5, 6]")
    sweep = written('zip = [["n", "every", "seed"]]\nrule = ["Mean", "Krum"]\n' + text)
    found = [(cell.n, cell.every, cell.seeds) for cell in sweep.cells]
    assert sorted(found) == 2 * [(11, 1, (5,))] + 2 * [(12, 2, (6,))]


def test_a_zip_with_an_axis_of_one_rule_leaves_the_others_their_axis(written):
    text = HEAD.replace("learning_rate = 0.1", "learning_rate = [0.1, 0.2]")
    rules = 'rule = ["Mean", { name = "CenteredClipping", tau = [1.0, 2.0] }]\n'
    rules += 'zip = [["optimizer.learning_rate", "rule.tau"]]\n'
    found = set(columns(written(rules + text), "rule", "rule.tau", "optimizer.learning_rate"))
    assert found == {
        ("Mean", None, 0.1),
        ("Mean", None, 0.2),
        ("CenteredClipping", 1.0, 0.1),
        ("CenteredClipping", 2.0, 0.2),
    }


def test_parts_can_be_zipped(written):
    text = HEAD.replace("f = 2", "f = [1, 2]") + 'rule = ["Mean", "Krum"]\nattack = ["NoAttack", "BitFlipping"]\n'
    sweep = written('zip = [["rule", "attack", "f"]]\n' + text)
    assert set(columns(sweep, "rule", "attack", "f")) == {("Mean", "NoAttack", 1), ("Krum", "BitFlipping", 2)}


def test_parameters_that_only_fit_together_may_be_zipped(written):
    rule = 'rule = { name = "CenteredClipping", tau = [[1.0], [2.0, 3.0]], steps = [1, 2] }\n'
    sweep = written('zip = [["rule.tau", "rule.steps"]]\n' + HEAD + rule)
    assert columns(sweep, "rule.tau", "rule.steps") == [("[1.0]", 1), ("[2.0, 3.0]", 2)]
    assert [cell.rule.tau for cell in sweep.cells] == [(1.0,), (2.0, 3.0)]
    with pytest.raises(SweepError, match="one tau per step"):
        written(HEAD + rule)


def test_blocks_replace_keys_and_equal_cells_are_one_with_all_seeds(written):
    blocks = '[[block]]\nseed = [0, 1]\n[[block]]\nseed = [1, 7]\n[[block]]\nrule = "Krum"\ndelta = 0.2\nn = 10\n'
    sweep = written(HEAD + 'rule = "Mean"\n' + blocks)
    assert [(cell.settings["rule"], cell.n, cell.f, cell.seeds) for cell in sweep.cells] == [
        ("Mean", 11, 2, (0, 1, 7)),
        ("Krum", 10, 2, (0,)),
    ]
    assert sweep.axes["rule"] == ("Mean", "Krum")
    assert sweep.axes["seed"] == (0, 1, 7)


def test_delta_is_f_over_n(written):
    by_delta = written(HEAD.replace("f = 2", "delta = 0.2").replace("n = 11", "n = [5, 25]") + 'rule = "Mean"\n')
    assert [(cell.n, cell.f, cell.settings["delta"]) for cell in by_delta.cells] == [(5, 1, 0.2), (25, 5, 0.2)]
    by_f = written(HEAD.replace("f = 2", "f = 5").replace("n = 11", "n = 25") + 'rule = "Mean"\n')
    assert keys(by_f) < keys(by_delta)


def test_rules_take_the_true_f_unless_another_is_declared(written):
    given, declared = written(HEAD + 'rule = ["Krum", { name = "Krum", f = 3 }]\n').cells
    assert (given.rule, declared.rule) == (Krum(2), Krum(3))
    assert (given.settings["rule.f"], declared.settings["rule.f"]) == (2, 3)


def test_every_is_steps_unless_given(written):
    assert [cell.every for cell in written(HEAD.replace("steps = 6", "steps = [6, 8]") + 'rule = "Mean"\n').cells] == [
        6,
        8,
    ]


def test_the_problem_of_a_constructor_and_a_rule_of_ones_own(written):
    text = HEAD.replace('"Rademacher"', '{ name = "Quadratic.between", mu = 1, L = 4, dim = 3, sigma_sq = 2.0 }')
    [cell] = written(text + f'x0 = [[1, 2, 3]]\nrule = {{ name = "{__name__}:Anything", value = 3 }}\n').cells
    assert np.allclose(cell.problem.eigenvalues, [1.0, 2.0, 4.0])
    assert cell.x0 == (1.0, 2.0, 3.0)
    assert (cell.rule.value, cell.settings["rule"], cell.settings["x0"]) == (
        3,
        f"{__name__}:Anything",
        "[1.0, 2.0, 3.0]",
    )


# The text of a cell


FULL = """\
n = 11
f = 2
steps = 6
every = 4
x0 = [[0.5, -1.0]]
shuffle = true
problem = { name = "Rademacher", dim = 2 }
optimizer = { name = "WorkerMomentum", learning_rate = 0.1, beta = 0.9 }
rule = { name = "CenteredClipping", tau = inf }
attack = { name = "Relocation", radius = 1.0, direction = [[1.0, 0.0]] }
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("x0 = [[0.5, -1.0]]", "x0 = [[0.5, 0.5]]"),
        ("x0 = [[0.5, -1.0]]", "x0 = 0.5"),
        ("x0 = [[0.5, -1.0]]", "x0 = -0.0"),
        ("tau = inf", "tau = 1"),
        ("tau = inf", "tau = [[1, 2.5]]\nsteps = 2"),
        ('rule = { name = "CenteredClipping", tau = inf }', 'rule = "Krum"'),
    ],
)
def test_text_and_key_are_those_of_the_experiment(written, old, new):
    if "steps = 2" in new:
        new = new.replace("\nsteps", ", steps")
    assert FULL.count(old) == 1 or not old
    [cell] = written(FULL.replace(old, new, 1)).cells
    experiment = Experiment(
        cell.problem,
        RobustSGD(cell.rule, cell.optimizer),
        n=cell.n,
        f=cell.f,
        steps=cell.steps,
        every=cell.every,
        runs=1,
        seed=3,
        attack=cell.attack,
        x0=cell.x0,
        shuffle=cell.shuffle,
        backend=cell.backend,
    )
    expected = {name: value for name, value in experiment.configuration.items() if name != "seed"}
    assert cell.text == canonical(expected)
    assert cell.key(3) == experiment.key()
    assert cell.code == code_of(modules_of(expected))
    other = key(experiment.configuration, {**cell.code, "sims.backend": "0"})
    assert other not in (cell.key(3), cell.configuration_key(3))


def test_keys_change_with_the_seed_and_the_configuration(written):
    [cell], [other] = written(FULL).cells, written(FULL.replace("every = 4", "every = 3")).cells
    found = {one.key(seed) for one in (cell, other) for seed in (0, 1)}
    found |= {one.configuration_key(seed) for one in (cell, other) for seed in (0, 1)}
    assert len(found) == 8
    assert all(len(key) == 32 and int(key, 16) >= 0 for key in found)


def test_a_cell_is_made_again_from_its_names_and_settings(written):
    [cell] = written(FULL).cells
    again = make(json.loads(json.dumps(cell.plain)))
    assert (again.text, again.settings, again.seeds) == (cell.text, cell.settings, ())


# Permutations


PARTS = {
    "rule": ["Mean", {"name": "CenteredClipping", "tau": [1.0, 2.5], "steps": [1, 2]}, {"name": "Krum"}, "TrimmedMean"],
    "attack": ["NoAttack", {"name": "BitFlipping", "on": ["gradients", "messages"]}, "ALittleIsEnough"],
    "problem": [{"name": "Rademacher", "dim": [1, 2]}, {"name": "Pareto", "shape": 4.5}],
    "optimizer": [
        {"name": "SGD", "learning_rate": [0.1, 0.2]},
        {"name": "WorkerMomentum", "learning_rate": 0.1, "beta": 0.9},
    ],
}
SCALARS = {
    "n": [11, 12, 13],
    "f": [1, 2],
    "steps": [3, 4],
    "every": [1, 2],
    "seed": [0, 1, 5],
    "x0": [0.0, 1.5],
    "shuffle": [False, True],
}


def some(values):
    return st.lists(st.sampled_from(range(len(values))), min_size=1, unique=True).map(
        lambda at: [values[i] for i in at]
    )


@st.composite
def tables(draw, needed=True):
    """The keys of a file or of a block, every value a list."""
    every = {**SCALARS, **PARTS}
    names = set(draw(st.lists(st.sampled_from(sorted(every)), max_size=3)))
    if needed:
        names |= {"n", "f", "steps", *PARTS} - {"attack"}
    found = {name: draw(some(every[name])) for name in sorted(names)}
    if needed and draw(st.booleans()):
        found["n"], found["f"] = [11, 12], [1, 2]
        found["zip"] = [["n", "f"]]
    elif not needed and {"n", "f"} & set(found):
        found["zip"] = []  # the lengths may have changed
    return found


@st.composite
def permuted(draw, value):
    """The same with its keys, lists and blocks in another order; zipped lists in one order, for they go together."""
    if isinstance(value, dict):
        items = draw(st.permutations(list(value.items())))
        fixed = {"name", *(name for group in value.get("zip", ()) for name in group)}
        turned = draw(st.booleans())
        found = {}
        for key, one in items:
            if key in fixed and isinstance(one, list):
                found[key] = one[::-1] if turned else one
            else:
                found[key] = draw(permuted(one))
        return found
    if isinstance(value, list):
        return [draw(permuted(one)) for one in draw(st.permutations(value))]
    return value


@st.composite
def pairs_of_files(draw):
    data = draw(tables())
    if draw(st.booleans()):
        data["block"] = draw(st.lists(tables(needed=False), min_size=1, max_size=3))
    return data, draw(permuted(data))


@settings(max_examples=60)
@given(pairs_of_files())
def test_permuting_keys_axes_blocks_and_lists_gives_the_same_keys(written, files):
    first, second = (written(as_toml(data)) for data in files)
    assert keys(first) == keys(second)
    assert len(keys(first)) == sum(len(cell.seeds) for cell in first.cells)
    assert {path: set(values) for path, values in first.axes.items()} == {
        path: set(values) for path, values in second.axes.items()
    }


def test_parts_by_headers_and_inline_are_the_same(written):
    inline = written(HEAD + 'rule = [{ name = "CenteredClipping", tau = [1.0, 2.0] }, "Krum"]\n')
    headed = written(HEAD + '[[rule]]\nname = "Krum"\n[plot]\n[[rule]]\ntau = [2.0, 1.0]\nname = "CenteredClipping"\n')
    assert keys(inline) == keys(headed)


# Values and keys


class Anything(StatelessRule):
    """A rule whose `value` may be anything, and whose `radius` is real."""

    reals: ClassVar = {"radius": 0}
    promises = Promises()

    def __init__(self, value: Any = None, radius: Any = 1.0, share: float = 0.5, count: int = 1, flag: bool = True):
        self.value, self.radius, self.share, self.count, self.flag = value, radius, share, count, flag

    def breakdown(self, n):
        return 0

    def reduce(self, x):
        return Mean().aggregate(x)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
NUMBERS = (
    st.floats(allow_nan=False) | st.integers(-(2**70), 2**70) | st.sampled_from([0, 1, 0.0, -0.0, 1.0, 2**53, 2.0**53])
)
SETTINGS = NUMBERS | TEXTS | st.booleans() | st.sampled_from(["1", "1.0", "true"])


def with_rule(**settings: Any) -> str:
    return HEAD + f"rule = {dumped({'name': f'{__name__}:Anything', **settings})}\n"


def same(a: Any, b: Any) -> bool:
    """Whether two settings are one: equal and of one type, tuples entry by entry."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@given(*[SETTINGS | st.lists(SETTINGS, min_size=1, max_size=2)] * 2)
def test_distinct_values_have_distinct_keys_and_equal_ones_one(written, a, b):
    [[first], [second]] = [written(with_rule(value=[one] if isinstance(one, list) else one)).cells for one in (a, b)]
    assert (first.key(0) == second.key(0)) == same(a, b)
    assert (first.configuration_key(0) == second.configuration_key(0)) == same(a, b)


@pytest.mark.parametrize("name", ["radius", "share"])
@given(a=NUMBERS, b=NUMBERS)
def test_where_a_real_is_meant_numbers_are_one_if_they_are_equal_as_reals(written, name, a, b):
    [first], [second] = (written(with_rule(**{name: one})).cells for one in (a, b))
    assert (first.key(0) == second.key(0)) == (float(a) == float(b))


@given(a=NUMBERS, b=NUMBERS)
def test_a_starting_point_is_real(written, a, b):
    assume(math.isfinite(a) and math.isfinite(b) and max(abs(a), abs(b)) < 1e308)
    [first], [second] = (written(HEAD + f'rule = "Mean"\nx0 = {dumped(one)}\n').cells for one in (a, b))
    assert (first.key(0) == second.key(0)) == (float(a) == float(b))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, value) for name in ("radius", "share") for value in (True, "1", [True])],
        *[("count", value) for value in (1.0, True, "1")],
        *[("flag", value) for value in (1, "true", 1.0)],
    ],
)
def test_a_value_of_another_type_is_refused(written, name, value):
    with pytest.raises(SweepError, match=rf"rule\.{name} must be "):
        written(with_rule(**{name: value}))


@pytest.mark.parametrize("name", ["value", "radius", "share"])
def test_nan_is_refused(written, name):
    for value in (math.nan, [1.0, math.nan], [[1.0, math.nan]]):
        with pytest.raises(SweepError, match=rf"rule\.{name} must not be NaN"):
            written(with_rule(**{name: value}))


@given(SETTINGS, st.sampled_from(["value", "radius", "share", "count"]), NUMBERS)
def test_a_cell_written_into_a_file_again_has_its_key(written, value, name, number):
    given = {
        "value": value,
        name: int(number) if name == "count" and math.isfinite(number) else 1 if name == "count" else number,
    }
    [cell] = written(with_rule(**given)).cells
    plain = json.loads(json.dumps(cell.plain))
    data = {key: {"name": one[0], **one[1]} if isinstance(one, list) else one for key, one in plain.items()}
    [again] = written(as_toml(data)).cells
    assert again.key(7) == cell.key(7) == make(plain).key(7)


def test_one_thing_under_two_names_is_refused(written):
    quadratic = '{ name = "Quadratic", eigenvalues = [[0.1, 1.0]], sigma_sq = 2.0 }'
    between = '{ name = "Quadratic.between", mu = 0.1, L = 1.0, dim = 2, sigma_sq = 2 }'
    text = HEAD.replace('"Rademacher"', f"[{quadratic}, {between}]")
    with pytest.raises(SweepError, match=r"4: Quadratic\.between is here what Quadratic is elsewhere"):
        written(text + 'rule = "Mean"\n')
    [cell] = written(HEAD + 'rule = ["Mean"]\n[[block]]\n[[block]]\nrule = { name = "Mean" }\n').cells
    assert cell.settings["rule"] == "Mean"
