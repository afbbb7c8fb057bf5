"""What the paper says of its experiments: verdicts on results that are made up, so that it is known what must come."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path

import fake_results as fake
import numpy as np
import pytest
from invoke import call, refused
from scipy import stats

from byzcheck.show.markdown import experiments_markdown
from theory import experiments
from theory.experiments import released, results
from theory.experiments.comparison import Comparison
from theory.experiments.results import Cell, NotRunError, Results, Tables
from theory.experiments.sentence import Control, Part, Seen, Sentence, _decided, each

ROOT = Path(__file__).parents[1]
NAMES = [sentence.name for sentence in experiments.sentences()]
BY_NAME = {sentence.name: sentence for sentence in experiments.sentences()}
ON_MOMENTA = "order_depends_on_what_flippers_send"  # needs runs that the others do not


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """The paper's world as files, and the same where flippers send momenta too."""
    home = tmp_path_factory.mktemp("papers")
    every = fake.every()
    fake.write(home / "as", **every)
    fake.write(home / "momenta", **{**every, "figure_4": fake.with_momenta(every["figure_4"])})
    return home


def found(name, home):
    return BY_NAME[name].found(Tables(home))


@pytest.mark.parametrize("name", NAMES)
def test_in_the_papers_world_it_is_reproduced_and_a_planted_falsehood_is_not(papers, name):
    one = found(name, papers / ("momenta" if name == ON_MOMENTA else "as"))
    assert one.verdict == "reproduced", one.because
    assert len(one.checked) == len(one.sentence.controls) + len(one.sentence.baselines)
    assert all(check.passed for check in one.checked)
    assert "3 seeds" in one.setting or "2 seeds" in one.setting


@pytest.mark.parametrize("name", NAMES)
def test_without_results_it_is_not_run(tmp_path, name):
    one = found(name, tmp_path)
    assert one.verdict == "not run"
    assert one.because.startswith("there is no figures/data/")
    assert one.record()["comparisons"] == []


@pytest.mark.parametrize("name", NAMES)
def test_with_one_seed_nothing_is_decided(papers, tmp_path, name):
    tables = json.loads(json.dumps(fake.every()))
    tables["figure_4"] = fake.with_momenta(tables["figure_4"]) if name == ON_MOMENTA else tables["figure_4"]
    for table in tables.values():
        table["rows"] = [row for row in table["rows"] if row["seed"] == 0]
    one = found(name, fake.write(tmp_path, **tables))
    assert one.verdict == "undecided"
    assert one.because.startswith(("one seed has no interval", "its control failed"))


def test_seeds_that_spread_decide_nothing(tmp_path):
    home = fake.write(tmp_path, figure_4=fake.figure_4(noise=0.15), figure_3=fake.figure_3(noise=0.15))
    for name in ("all_drop", "momentum_is_better", "clipping_outperforms_all"):
        one = found(name, home)
        assert one.verdict == "undecided"
        assert "open at 95 %" in one.because or "its control failed" in one.because


def test_what_is_open_is_named_and_not_what_holds_beside_it():
    """One comparison of a part is nearer to its bound and sure, the other farther and not."""
    sure = Comparison("sure", {0: 0.010, 1: 0.011, 2: 0.012}, ">=", 0.0)
    unsure = Comparison("unsure", {0: -0.3, 1: 0.4, 2: 0.5}, ">=", 0.0)
    assert sure.holds()
    assert not unsure.holds()
    assert sure.beyond < unsure.beyond
    verdict, because = _decided(Seen((Part("both", (sure, unsure)),)))
    assert verdict == "undecided"
    assert "open at 95 %, unsure: " in because


def test_a_missing_cell_is_not_run_and_says_which(tmp_path):
    table = fake.figure_4()
    table["rows"] = [row for row in table["rows"] if row["rule"] != "Krum" or row["attack"] != "LabelFlipping"]
    one = found("clipping_is_consistently_best", fake.write(tmp_path, figure_4=table))
    assert (one.verdict, one.because) == (
        "not run",
        "figure_4.json has no run with attack = LabelFlipping, rule = Krum, optimizer.beta = 0.0",
    )


def test_a_measure_that_was_not_observed_is_not_run(tmp_path):
    table = fake.figure_5()
    for row in table["rows"]:
        for k in range(10):
            del row[f"kept_{k}"]
    home = fake.write(tmp_path, figure_5=table)
    assert found("the_tail_is_discarded", home).because.startswith("kept_0 was not measured")
    assert found("only_75_percent", home).verdict == "reproduced"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "cannot be read"),
        ("[]", "does not have every run by itself: byzcheck sweep table sweeps/figure_5.toml --at all --seeds"),
        ('{"axes": [], "runs": [{"mean": 1}]}', "does not have every run by itself"),
        ('{"axes": [], "runs": []}', "does not have every run by itself"),
    ],
)
def test_a_file_that_is_something_else_is_not_run(tmp_path, content, words):
    (tmp_path / "figure_5.json").write_text(content, encoding="utf-8")
    one = found("only_75_percent", tmp_path)
    assert one.verdict == "not run"
    assert words in one.because


def test_if_the_mean_does_not_learn_either_nothing_follows(tmp_path):
    table = fake.figure_5()
    for row in table["rows"]:
        if row["rule"] == "Mean":
            row |= {f"accuracy_{k}": 0.0 for k in range(2, 10)}
    one = found("only_the_head_is_learnt", fake.write(tmp_path, figure_5=table))
    assert one.verdict == "undecided"
    assert one.because.startswith("its control failed, the mean learns the other eight classes")


def test_every_number_of_attackers_that_a_rule_was_told_counts(tmp_path):
    table = fake.figure_5()
    table["axes"].append(["rule.f", [3, 7, None]])
    rows = [row | {"rule.f": 3 if row["rule"] == "TrimmedMean" else None} for row in table["rows"]]
    median = {(row["problem.gamma"], row["seed"], row["t"]): row for row in rows if row["rule"] == "CoordinateMedian"}
    trimmed = [row for row in rows if row["rule"] == "TrimmedMean"]
    more = [
        median[row["problem.gamma"], row["seed"], row["t"]] | {"rule": "TrimmedMean", "rule.f": 7} for row in trimmed
    ]
    table["rows"] = rows + more  # at b = 7 of 16 it is nearly the median
    one = found("no_such_bound", fake.write(tmp_path, figure_5=table))
    assert one.verdict == "not reproduced"
    assert "2 of 3 hold, 1 surely not; farthest off, TrimmedMean, b = 7, accuracy: 7" in one.because


# Decisions


@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_the_interval_is_students(n, level):
    values = np.random.default_rng(n).normal(size=n)
    low, high = stats.t.interval(level, n - 1, values.mean(), values.std(ddof=1) / math.sqrt(n))
    one = Comparison("x", dict(enumerate(values)), ">=", 0.0)
    assert one.mean - one.half(level) == pytest.approx(low)
    assert one.mean + one.half(level) == pytest.approx(high)


def decided(*groups, needed=None, bound=0.0):
    parts = tuple(
        Part(f"{i}", (Comparison(f"{i}", dict(enumerate(values)), ">=", bound),)) for i, values in enumerate(groups)
    )
    return _decided(Seen(parts, needed))


YES, NO, OPEN = (1.0, 1.01, 0.99), (-1.0, -1.01, -0.99), (1.0, -1.0, 0.1)


@pytest.mark.parametrize(
    ("groups", "needed", "verdict"),
    [
        ((YES, YES), None, "reproduced"),
        ((YES, NO), None, "not reproduced"),
        ((YES, OPEN), None, "undecided"),
        ((NO, OPEN), None, "not reproduced"),
        ((YES, YES, NO), 2, "reproduced"),
        ((YES, NO, OPEN), 2, "undecided"),
        ((YES, NO, NO), 2, "not reproduced"),
        (((1.0,), (2.0,)), None, "undecided"),
        (((math.nan, 1.0),), None, "not run"),
        ((), None, "not run"),
    ],
)
def test_all_or_so_many_must_hold(groups, needed, verdict):
    assert decided(*groups, needed=needed)[0] == verdict


@pytest.mark.parametrize(("needed", "true"), [(None, 11), (10, 9), (1, 0)])
def test_a_false_sentence_is_seldom_reproduced(needed, true):
    """Of 12 parts so many are far on the right side, the others lie at the bound: one part too few holds."""
    rng, wrong, repeats = np.random.default_rng(0), 0, 400
    for _ in range(repeats):
        shift = np.where(np.arange(12) < true, 1000.0, -1e-9)[:, None]
        wrong += decided(*(shift + rng.normal(size=(12, 3))), needed=needed)[0] == "reproduced"
    assert stats.binomtest(wrong, repeats, 0.05, alternative="greater").pvalue > 1e-6


@pytest.mark.parametrize(("needed", "true"), [(None, 12), (10, 10), (1, 1)])
def test_a_true_sentence_is_seldom_not_reproduced(needed, true):
    rng, wrong, repeats = np.random.default_rng(1), 0, 400
    for _ in range(repeats):
        shift = np.where(np.arange(12) < true, 1e-9, -1000.0)[:, None]
        wrong += decided(*(shift + rng.normal(size=(12, 3))), needed=needed)[0] == "not reproduced"
    assert stats.binomtest(wrong, repeats, 0.05, alternative="greater").pvalue > 1e-6


def test_a_control_that_lets_a_falsehood_pass_leaves_it_undecided(papers):
    def look(tables):
        return each([Comparison("x", {0: 1.0, 1: 1.0}, ">=", 0.0)])

    blind = Sentence("a", "Section 1", "text", "rule", "figure_5", look, (Control("anything", lambda tables: tables),))
    one = blind.found(Tables(papers / "as"))
    assert one.verdict == "undecided"
    assert one.because.startswith("a false variant was not noticed, anything: reproduced")
    with pytest.raises(ValueError, match="sentence a has no control"):
        Sentence("a", "Section 1", "text", "rule", "figure_5", look, ())


# Tables


def test_cells_are_runs_by_seed_in_the_order_of_time():
    rows = tuple({"rule": r, "seed": s, "t": t, "a": t + s} for t in (2, 0, 1) for s in (1, 0) for r in ("X", "Y"))
    table = Results("figure", ("rule",), rows, {"n": 5})
    cell = table.cell({"rule": "X", "n": 5})
    assert isinstance(cell, Cell)
    assert cell.last("a") == {0: 2.0, 1: 3.0}
    assert cell.over_time("a") == {0: 1.5, 1: 2.5}
    assert cell.over_time("a", 0.5) == {0: 2.0, 1: 3.0}
    assert table.values("rule") == ["X", "Y"]
    for where, words in (({"n": 4}, "no run with n = 4"), ({"f": 1}, "has no f"), ({}, "several settings")):
        with pytest.raises(NotRunError, match=words):
            table.cell(where)
    with pytest.raises(NotRunError, match="b was not measured"):
        cell.last("b")


def test_planting_leaves_the_tables_as_they_are(papers):
    tables = Tables(papers / "as")
    before = copy.deepcopy(tables["figure_4"].rows)
    for sentence in experiments.sentences():
        for control in sentence.controls:
            try:
                control.plant(tables)
            except NotRunError:
                assert sentence.name == ON_MOMENTA
    assert tables["figure_4"].rows == before


# Where they are shown


def test_names_and_places():
    assert len(set(NAMES)) == len(NAMES)
    assert [one.name for one in experiments.named("sec. 7.1")] == [one.name for one in experiments.named("Section 7.1")]
    assert len(experiments.named("Section 7.1")) == 3
    assert len(experiments.named("section 7")) > 10
    assert [one.where for one in experiments.named("Fig. 6")] == ["Figure 6, Section 7.3", "Figure 6"]
    for text in ("Figure 60", "Theorem 7", "Krum", "7.1"):
        assert experiments.named(text) == []


def test_the_points_of_the_experiments_are_settled():
    assert {one.point for one in experiments.sentences()} >= {22, 23, 24}


def test_paper_checks_has_what_the_committed_tables_say():
    text = (ROOT / "paper_checks.md").read_text(encoding="utf-8")
    assert (
        f"<!-- experiments: begin -->\n{experiments_markdown(experiments.found())}\n<!-- experiments: end -->" in text
    )


LOGS = {
    "all_drop": "5 of 5 hold",
    "clipping_is_consistently_best": "12 of 12 hold",
    "clipping_outperforms_all": "8 of 12 hold; farthest off, LF, β = 0.99, CC − TM: −0.2 ± 1.0 ≥ 0",
    "very_close_to_no_attack": "5 of 6 hold; farthest off, ALIE, β = 0, CC − no attack: −18.3 ± 15.6 ≥ −5",
    "momentum_is_better": "4 of 5 hold; farthest off, Krum, final accuracy, β = 0.9 − β = 0: −13.2 ± 0.5 ≥ 0",
    "stable_across_hyperparameters": "18 of 18 hold",
    "momentum_is_faster": "",
    "only_75_percent": "",
}


@pytest.mark.parametrize("name", LOGS)
def test_what_the_released_logs_say(name):
    assert BY_NAME[name].by_the_logs(released.tables()) == LOGS[name]


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_the_logs_are_not_our_own_tables(name, papers, monkeypatch):
    before = BY_NAME[name].by_the_logs(released.tables())
    monkeypatch.setattr(results, "HOME", papers / "as")
    assert BY_NAME[name].by_the_logs(released.tables()) == before


def test_the_command_line_shows_them(papers, monkeypatch):
    monkeypatch.setattr(results, "HOME", papers / "as")
    text = " ".join(call("list").stdout.split())
    assert "31 sentences: 30 reproduced, 1 not run" in text
    assert "Failure of existing methods on imbalanced MNIST dataset." in text
    page = " ".join(call("show", "Section", "7.1").stdout.split())
    assert "● reproduced" in page
    assert "claimed For drastic decay γ = 0.5" in page
    assert "control median and mean exchanged → as it must" in page
    both = call("show", "Figure 1").stdout
    assert "Counterexample 2" in both
    assert "Only the head classes" in both
    rows = json.loads(call("show", "Section 7.3", "--json", "-").stdout)
    assert {row["verdict"] for row in rows} == {"reproduced"}
    assert rows[0]["comparisons"][0]["seeds"] == [0, 1, 2]
    assert "unknown statement" in refused("show", "Section 9")
