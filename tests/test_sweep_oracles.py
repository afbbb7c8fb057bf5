"""Sweeps of what is no `Problem`: a start and a backend of its own, a memory, observers; the keys of experiments."""

from __future__ import annotations

import json

import pytest
import sweeping
from invoke import call

from sims.engine import Experiment, key, play
from sims.sweep import Results, SweepError, read
from sims.sweep.batch import ALONE, Batch, batches, experiment
from sims.sweep.cell import make
from sims.sweep.play import resumable

FILE = """
n = 5
f = 1
steps = 6
every = 2
seed = [0, 1]
{line}
problem = "{problem}"
rule = ["Mean", "Krum"]
attack = "BitFlipping"
optimizer = {{ name = "SGD", learning_rate = 0.1 }}
"""


@pytest.fixture
def sweep(tmp_path):
    def made(line: str = "", problem: str = "oracles_that_remember:Drifting"):
        path = tmp_path / "sweep.toml"
        path.write_text(FILE.format(line=line, problem=problem), encoding="utf-8")
        return read(path)

    return made


def test_a_start_of_its_own_is_taken_unless_there_is_another(sweep):
    assert {cell.x0 for cell in sweep().cells} == {None}
    assert {cell.x0 for cell in sweep("x0 = 1.0").cells} == {1.0}
    assert {cell.x0 for cell in sweep(problem="Rademacher").cells} == {0.0}
    both = sweep("x0 = [1.0, 2.0]")
    assert both.axes["x0"] == (1.0, 2.0)


def test_blocks_with_and_without_a_start_differ_in_it(tmp_path):
    path = tmp_path / "sweep.toml"
    text = FILE.format(line="", problem="oracles_that_remember:Drifting")
    path.write_text(text + "[[block]]\nx0 = 1.0\n[[block]]\nn = 7\n", encoding="utf-8")
    found = read(path)
    assert found.axes["x0"] == (1.0, None)
    assert {(cell.n, cell.x0) for cell in found.cells} == {(5, 1.0), (7, None)}


@pytest.mark.parametrize("line", ["", 'observe = ["oracles_that_remember:Pushed"]', "x0 = 2.0"])
def test_keys_and_numbers_are_those_of_the_experiment(sweep, line):
    for cell in sweep(line).cells:
        for seed in cell.seeds:
            e = experiment(Batch((cell,), (seed,)))
            assert isinstance(e, Experiment)
            assert e.key() == cell.key(seed)
            assert json.loads(cell.text) | {"seed": seed} == e.configuration
            assert make(json.loads(json.dumps(cell.plain))).key(seed) == cell.key(seed)
            assert (play(e).observed != {}) == line.startswith("observe")


def test_an_observer_is_in_keys_and_what_it_notes_in_results(sweep, tmp_path):
    plain, seen = sweep(), sweep('observe = ["oracles_that_remember:Pushed"]')
    assert not {c.key(0) for c in plain.cells} & {c.key(0) for c in seen.cells}
    assert key({**json.loads(seen.cells[0].text), "seed": 0}) == seen.cells[0].key(0)
    for jobs, where in ((1, tmp_path / "one"), (2, tmp_path / "two")):
        call("sweep", "run", seen.path, "--results", where, "--jobs", jobs)
    assert sweeping.table(tmp_path / "one") == sweeping.table(tmp_path / "two")
    rows = Results(tmp_path / "one").rows(Results(tmp_path / "one").scan()).to_pylist()
    assert {row["rounds"] for row in rows if row["t"] == 4} == {3.5}
    table = call("sweep", "table", seen.path, "--results", tmp_path / "one", "--value", "gap").stdout
    assert "gap at the end: mean" in table


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('observe = ["oracles_that_remember:Pusht"]', "7: module oracles_that_remember has no Pusht"),
        ('observe = ["sims.aggregators:Mean"]', "7: sims.aggregators:Mean is no sims Observer but of type Mean"),
        ('observe = "oracles_that_remember:Pushed"', "7: observe must be a list, got the text "),
        ("observe = []", "7: observe has no values: the list is empty"),
        (
            'observe = [{ name = "oracles_that_remember:Pushed", of = 3 }]',
            "7: oracles_that_remember:Pushed has no setting 'of'",
        ),
    ],
)
def test_what_observes_nothing_is_refused_with_its_line(sweep, line, said):
    with pytest.raises(SweepError) as caught:
        sweep(line)
    assert f"sweep.toml:{said}" in str(caught.value)


def test_data_that_are_not_there_are_told_once_where_the_problem_stands(sweep):
    with pytest.raises(SweepError) as caught:
        sweep(problem="learners:Missing")
    assert str(caught.value).endswith("sweep.toml:8: its data are not there: look elsewhere")


def test_a_job_with_a_memory_or_many_coordinates_is_a_batch_of_its_own(sweep, tmp_path):
    found = batches([(cell, cell.seeds) for cell in sweep().cells])
    assert [len(batch.jobs) for batch in found] == [1] * 4
    assert all(map(resumable, found))
    for dim, size in ((ALONE + 1, 1), (10, 2)):
        large = sweep(f'title = "{dim}"', "Rademacher")
        cells = read(large.path, [f"problem.dim={dim}", "rule=Mean"]).cells
        [first, *_] = batches([(cell, cell.seeds) for cell in cells])
        assert len(first.jobs) == size
        assert not resumable(first)
