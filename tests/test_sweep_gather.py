"""The rows of a sweep: each job's settings as its own file calls them, and no two cells taken for one."""

from __future__ import annotations

import shutil

import pytest

from figures.sweep.choose import choose
from sims.sweep import Results, read
from sims.sweep.batch import batches
from sims.sweep.gather import cells_of, chosen_jobs, gathered
from sims.sweep.pivot import note
from sims.sweep.table import summary
from sims.sweep.work import do, task

FRAME = """
n = 5
f = 1
steps = 3
x0 = 1.0
{top}
[optimizer]
name = "SGD"
learning_rate = 0.1
{rest}
"""
CLIPPING = '[[block]]\nseed = {seed}\n[block.rule]\nname = "CenteredClipping"\ntau = 1.0\n{more}\n'


def played(folder, top, rest):
    """The sweep, its jobs done in a folder of results."""
    path = folder / "sweep.toml"
    path.write_text(FRAME.format(top=top, rest=rest), encoding="utf-8")
    sweep = read(path)
    for batch in batches([(cell, cell.seeds) for cell in sweep.cells]):
        assert not do(task(batch, batch.cells[0].code, str(folder / "results")))["failed"]
    return sweep


def table(folder, sweep):
    rows, missing = gathered(sweep, [str(folder / "results")], chosen_jobs(sweep, []), "excess")
    assert missing == 0
    return summary(rows, sweep.axes)


@pytest.mark.parametrize("seed", [0, 7])
def test_a_default_is_another_value_than_what_is_written_elsewhere(tmp_path, seed):
    rest = CLIPPING.format(seed=seed, more="steps = 3") + CLIPPING.format(seed=0, more="")
    found = table(tmp_path, played(tmp_path, 'problem = "Rademacher"', rest))
    assert found.axes["rule.steps"] == (3, 1)
    assert found.table["count"].to_pylist() == [1, 1]


def test_results_of_another_sweep_have_the_settings_of_this_one(tmp_path):
    top, between = (
        'rule = "Mean"',
        '[problem]\nname = "Quadratic.between"\nmu = 0.1\nL = 1.0\ndim = 2\nsigma_sq = 1.0\n',
    )
    played(tmp_path, top, between)
    own = '[problem]\nname = "Quadratic"\neigenvalues = [[0.1, 1.0], [0.2, 1.0]]\nsigma_sq = 1.0\n'
    found = table(tmp_path, played(tmp_path, top, own))
    assert found.table["problem.eigenvalues"].to_pylist() == ["[0.1, 1.0]", "[0.2, 1.0]"]
    assert len(Results(tmp_path / "results").scan().files) == 2


@pytest.mark.parametrize("second", [0, 7])
def test_what_two_blocks_say_in_two_ways_is_an_axis(tmp_path, second):
    quadratic = 'problem = "Rademacher"\nrule = "MultiKrum"\n'
    frame = FRAME.replace("f = 1\n", "").replace("n = 5", "n = 10")
    text = frame.format(top=quadratic, rest=f"[[block]]\nf = 1\n[[block]]\ndelta = 0.3\nseed = {second}\n")
    path = tmp_path / "shares.toml"
    path.write_text(text, encoding="utf-8")
    assert read(path).axes["f"] == (1, 3)


@pytest.mark.parametrize("seed", [0, 7])
def test_a_default_that_is_no_number_is_another_value_too(tmp_path, seed):
    rest = f'[[block]]\nseed = {seed}\nrule = "MultiKrum"\n[[block]]\n[block.rule]\nname = "MultiKrum"\nm = 2\n'
    found = table(tmp_path, played(tmp_path, 'problem = "Rademacher"', rest))
    assert found.axes["rule.m"] == (2, None)
    assert found.table["count"].to_pylist() == [1, 1]


@pytest.mark.parametrize("seed", range(4))  # another one has another order of keys
def test_each_job_has_all_that_its_problem_measures(tmp_path, seed):
    quadratic = "eigenvalues = [[1.0, 0.5]]\nsigma_sq = 1.0\n"
    names = ("Quadratic", "rules_of_ones_own:Accurate")
    rest = "".join(f'[[problem]]\nname = "{name}"\n{quadratic}' for name in names)
    sweep = played(tmp_path, f'rule = "Mean"\nseed = {seed}', rest)
    jobs = chosen_jobs(sweep, [])
    rows, _ = gathered(sweep, [str(tmp_path / "results")], jobs, None)
    assert {"excess", "accuracy", "sq_distances"} <= set(rows.column_names)
    rows, _ = gathered(sweep, [str(tmp_path / "results")], jobs, "excess")
    assert summary(rows, sweep.axes).table["count"].to_pylist() == [1, 0]


def test_a_list_is_chosen_as_it_is_shown(tmp_path):
    own = "".join(f"[{ends}], " for ends in ("0.1, 1.0", "0.2, 1.0"))
    rest = f'[problem]\nname = "Quadratic"\neigenvalues = [{own}]\nsigma_sq = 1.0\n'
    path = tmp_path / "sweep.toml"
    path.write_text(FRAME.format(top='rule = "Mean"', rest=rest), encoding="utf-8")
    [(cell, _)] = chosen_jobs(read(path), ["problem.eigenvalues=[0.2, 1]"]).values()
    assert cell.settings["problem.eigenvalues"] == "[0.2, 1.0]"


def test_the_note_says_over_how_much_of_an_axis_is_averaged(tmp_path):
    sweep = played(tmp_path, 'problem = "Rademacher"\nrule = ["Mean", "RFA", "CoordinateMedian"]', "")
    notes = []
    for names in ([], ["Mean", "RFA"], ["Mean"]):
        jobs = chosen_jobs(sweep, [f"rule={name}" for name in names])
        rows, _ = gathered(sweep, [str(tmp_path / "results")], jobs, "excess")
        notes.append(note(summary(rows, sweep.axes, over=("seed", "rule")), sweep.axes, 1, 1))
    assert notes == ["averaged over rule", "averaged over rule (2 of 3 values)", "only rule = Mean"]


def test_a_figure_of_a_part_of_a_sweep_draws_no_line_through_two_settings(tmp_path):
    top = 'problem = "Rademacher"\nrule = "Mean"\nx0 = [1.0, 2.0, 3.0]\nn = [5, 7]\n'
    path = tmp_path / "sweep.toml"
    path.write_text(FRAME.replace("n = 5\n", "").replace("x0 = 1.0\n", "").format(top=top, rest=""), encoding="utf-8")
    sweep = read(path)
    done = [cell for cell in sweep.cells if (cell.x0 != 3.0) == (cell.n == 5)]
    for batch in batches([(cell, cell.seeds) for cell in done]):
        do(task(batch, batch.cells[0].code, str(tmp_path / "results")))
    jobs = chosen_jobs(sweep, [])
    rows, missing = gathered(sweep, [str(tmp_path / "results")], jobs, "excess")
    assert missing == 3
    found = summary(rows, sweep.axes)
    cells = cells_of(jobs, found.axes)
    assert choose(found, {"x": "x0"}).lines == ()  # of what is done alone, n goes with the start
    assert choose(found, {"x": "x0"}, cells).lines == ("n",)


def test_the_note_says_if_seeds_have_a_part_of_what_is_averaged(tmp_path):
    sweep = played(tmp_path, 'problem = "Rademacher"\nrule = ["Mean", "RFA"]\nseed = [0, 1, 2]', "")
    notes = []
    for left in ((), ("RFA", 2)):
        jobs = chosen_jobs(sweep, [])
        jobs = {key: (cell, seed) for key, (cell, seed) in jobs.items() if (cell.settings["rule"], seed) != left}
        rows, _ = gathered(sweep, [str(tmp_path / "results")], jobs, "excess")
        notes.append(note(summary(rows, sweep.axes, over=("seed", "rule")), sweep.axes, 6, 6))
    assert notes == ["averaged over rule", "averaged over rule, of which some seeds have a part"]


def test_a_job_in_two_folders_is_taken_from_the_first(tmp_path):
    sweep = played(tmp_path, 'problem = "Rademacher"\nrule = ["Mean", "Krum"]\nseed = { range = [0, 3] }', "")
    shutil.copytree(tmp_path / "results", tmp_path / "again")
    jobs = chosen_jobs(sweep, [])
    alone, none = gathered(sweep, [str(tmp_path / "results")], jobs, "excess")
    both, missing = gathered(sweep, [str(tmp_path / name) for name in ("results", "again")], jobs, "excess")
    assert none == missing == 0
    assert both.to_pylist() == alone.to_pylist()
