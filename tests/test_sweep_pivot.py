"""Tables of sweeps that people read."""

from __future__ import annotations

import io
import math
import re

import pyarrow as pa
import pytest
from rich.console import Console
from sweep_rows import rows

from byzcheck.show.sweep import pivot_markdown, pivot_table
from sims.sweep.pivot import cell, pivot
from sims.sweep.table import summary

RULES = ("Krum", "CenteredClipping")
ATTACKS = ("NoAttack", "BitFlipping", "ALittleIsEnough")
AXES = {"rule": RULES, "rule.tau": (1.0, 10.0), "attack": ATTACKS, "seed": tuple(range(5))}


def value(settings):
    return math.inf if settings["attack"] == "BitFlipping" and settings["rule"] == "Krum" else 2.0


@pytest.fixture(scope="module")
def found():
    return summary(rows({path: values for path, values in AXES.items() if path != "seed"}, value), AXES)


def printed(shown, width):
    file = io.StringIO()
    Console(file=file, width=width).print(shown)
    return file.getvalue()


def test_the_last_axis_with_few_values_is_across(found):
    made = pivot(found)
    assert made.down == ("rule", "rule.tau")
    assert made.across == ATTACKS
    assert [left for left, _ in made.rows] == [("Krum", "—"), ("CenteredClipping", "1"), ("CenteredClipping", "10")]
    assert made.rows[0][1][1] == "∞ (5/5)"
    assert made.caption == (
        "excess at the end: mean ± half the 95 % interval of Student's t over 5 seeds; ∞ (k/m): k of m seeds diverged"
    )


def test_axes_that_are_named_are_where_they_are_wanted(found):
    made = pivot(found, columns=["rule", "rule.tau"])
    assert made.down == ("attack",)
    assert made.across == ("Krum\nrule.tau = —", "CenteredClipping\nrule.tau = 1", "CenteredClipping\nrule.tau = 10")
    assert pivot(found, rows=["rule", "rule.tau"]) == pivot(found)
    assert pivot(found, rows=[*AXES][:3], columns=[]).across == ("excess",)


def test_a_cell_has_one_result(found):
    with pytest.raises(
        ValueError, match=re.escape("put rule.tau into the rows or columns, choose one (--where rule.tau=")
    ):
        pivot(found, rows=["rule"], columns=["attack"])


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"rows": ["tau"]}, "'tau' does not vary: rows and columns are of rule, rule.tau, attack"),
        ({"rows": ["seed"]}, "the seed is averaged over"),
        ({"rows": ["rule"], "columns": ["rule"]}, "'rule' is given twice"),
    ],
)
def test_what_cannot_be_laid_out_is_said(found, asked, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        pivot(found, **asked)


@pytest.mark.parametrize(
    ("mean", "half", "text"),
    [
        (1.23456, 0.0512, "1.23 ± 0.05"),
        (1.23456, 0.0149, "1.235 ± 0.015"),
        (1.23456, 0.0996, "1.23 ± 0.10"),
        (123.4, 56, "123 ± 56"),
        (0.04, 1.2, "0.0 ± 1.2"),
        (2.5e9, 3e7, "(2.50 ± 0.03)e9"),
        (2.5e-9, 3e-3, "0.000 ± 0.003"),
        (1.5, 0.0, "1.5 ± 0"),
        (0.0, 0.0, "0 ± 0"),
        (12345.678, None, "12350"),
        (1.5e-8, None, "1.5e-8"),
        (-1.23456, 0.0512, "-1.23 ± 0.05"),
    ],
)
def test_digits_follow_the_interval(mean, half, text):
    ends = (None, None) if half is None else (mean - half, mean + half)
    assert cell({"mean": mean, "low": ends[0], "high": ends[1], "count": 5, "diverged": 0}) == text


def test_what_is_missing_is_a_dash():
    part = summary(rows({"rule": RULES, "attack": ATTACKS[:1]}), {"rule": RULES, "attack": ATTACKS})
    assert pivot(part).rows[0][1] != ("—",)
    assert cell({"mean": None, "low": None, "high": None, "count": 0, "diverged": 0}) == "—"


def test_columns_that_do_not_fit_stand_below(found):
    wide, narrow = printed(pivot_table(pivot(found), 100), 100), printed(pivot_table(pivot(found), 50), 50)
    assert (wide.count("rule.tau"), narrow.count("rule.tau")) == (1, 2)
    assert max(len(line.rstrip()) for line in narrow.splitlines()) <= 50
    for text in ("NoAttack", "ALittleIsEnough", "∞ (5/5)"):
        assert text in wide
        assert text in narrow
    assert wide.count("CenteredClipping") == 1  # what is as above is not repeated


def test_markdown_has_every_cell(found):
    made = pivot(found)
    head, rule, *lines = pivot_markdown(made).splitlines()
    assert head == "| rule | rule.tau | NoAttack | BitFlipping | ALittleIsEnough |"
    assert rule == "| --- | --- | --- | --- | --- |"
    assert lines[0].startswith("| Krum | — | ")
    assert lines[3:] == ["", made.caption]


def test_different_numbers_of_seeds_are_told():
    table = rows({"attack": ATTACKS})
    made = pivot(summary(table.slice(0, len(table) - 2), {"attack": ATTACKS}))
    assert "over 3 to 5 seeds" in made.caption
    one = pivot(summary(rows({"attack": ATTACKS}, seeds=[4]), {"attack": ATTACKS}))
    assert one.caption == "excess at the end: mean over 1 seed"


def of(*settings):
    """A summary of one result for each of these settings, the axes those that occur in them."""
    axes = {
        path: tuple(dict.fromkeys(one.get(path) for one in settings))
        for path in dict.fromkeys(path for one in settings for path in one)
    }
    table = pa.concat_tables(
        [rows({path: [one.get(path)] for path in axes}) for one in settings], promote_options="permissive"
    )
    return summary(table, axes)


def test_a_setting_that_the_rest_decides_has_no_place():
    tuned = [
        {
            "attack": attack,
            "rule": rule,
            "optimizer.beta": beta,
            "rule.tau": 100 * (1 - beta) if rule == RULES[1] else None,
        }
        for attack in ATTACKS
        for rule in RULES
        for beta in (0.0, 0.9)
    ]
    several = [one | {"n": 14, "f": 0} if one["attack"] == "NoAttack" else one | {"n": 25, "f": 5} for one in tuned]
    made = pivot(of(*several))
    assert (made.down, made.across) == (("attack", "rule"), ("optimizer.beta = 0", "optimizer.beta = 0.9"))
    assert "not shown, since the rest decides it: rule.tau, n, f" in made.caption
    assert "rule.tau" in pivot(of(*several), columns=["rule"]).down  # who says what is where, gets all of it


def test_a_setting_that_matters_stays():
    made = pivot(of(*({"rule": RULES[1], "n": n, "f": n // 5} for n in (5, 10))))
    assert (made.down, made.across) == (("n",), ("f = 1", "f = 2"))
    made = pivot(of(*({"rule": RULES[1], "rule.tau": tau} for tau in (1.0, 2.0)), {"rule": RULES[0]}))
    assert (made.down, made.across) == (("rule", "rule.tau"), ("excess",))
    made = pivot(of(*({"rule.tau": 10.0**k, "optimizer.beta": 0.1 * k} for k in range(3))))
    assert {*made.down, *(a.split(" ")[0] for a in made.across)} >= {"rule.tau", "optimizer.beta"}
