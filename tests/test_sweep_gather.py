"""The rows of a sweep: each job's settings as its own file calls them, and no two cells taken for one."""

from __future__ import annotations

import pytest

from sims.sweep import Results, read
from sims.sweep.batch import batches
from sims.sweep.gather import chosen_jobs, gathered
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
