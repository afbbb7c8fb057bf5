"""Checkpoints of a sweep's jobs: beside the results, for one machine, gone with their need, never in the way."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import sweeping
from invoke import call

from sims.sweep import Results, checkpoints, read
from sims.sweep.batch import batches
from sims.sweep.play import play_batch
from sims.sweep.work import do, task

FILE = """
n = 4
f = 0
steps = 8
seed = 3
problem = "learners:Learner"
rule = "Mean"
optimizer = { name = "SGD", learning_rate = 0.1 }
"""


@pytest.fixture
def job(tmp_path):
    (tmp_path / "sweep.toml").write_text(FILE, encoding="utf-8")
    [cell] = read(tmp_path / "sweep.toml").cells
    [batch] = batches([(cell, cell.seeds)])
    return batch


@pytest.fixture
def where(tmp_path):
    return tmp_path / "results"


def half_done(job, where, rounds=5):
    """The file that is left of a job which is interrupted after some rounds."""
    seen = []

    def watch(batch, progress):
        seen.append(progress.t)
        if progress.t == rounds:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        do(task(job, job.cells[0].code, str(where)), watch=watch)
    [path] = (where / "_checkpoints").iterdir()
    return path


def finished(job, where):
    """The rounds that are played until the job is kept."""
    seen = []
    do(task(job, job.cells[0].code, str(where)), watch=lambda _, progress: seen.append(progress.t))
    assert list((where / "_checkpoints").iterdir() if (where / "_checkpoints").exists() else []) == []
    return seen


def test_a_job_goes_on_where_it_was_and_its_checkpoint_goes_when_it_is_kept(job, where, tmp_path):
    path = half_done(job, where)
    assert path.name.startswith(job.keys[0][0])
    assert Results(where).checkpoints.begun() == {job.keys[0][0]: True}
    assert finished(job, where) == [6, 7, 8]
    assert finished(job, tmp_path / "undisturbed") == list(range(1, 9))
    assert sweeping.table(where) == sweeping.table(tmp_path / "undisturbed")


def test_the_time_of_a_job_is_that_of_all_its_rounds(job, where, monkeypatch):
    half_done(job, where)
    clock = iter([0.0, 6.0])
    monkeypatch.setattr("sims.sweep.work.time", SimpleNamespace(perf_counter=lambda: next(clock)))
    finished(job, where)
    assert [kept.seconds for kept in Results(where).scan().files] == [6.0 * 8 / 3]


def test_another_machine_begins_anew_and_takes_both_away(job, where, monkeypatch, tmp_path):
    half_done(job, where)
    monkeypatch.setattr(checkpoints, "this_machine", lambda: {"fingerprint": "f" * 32})
    assert Results(where).checkpoints.begun() == {job.keys[0][0]: False}
    plan = call("sweep", "plan", tmp_path / "sweep.toml", "--results", where).stdout
    assert "1  half done on another machine, and would begin anew here" in plan
    call("sweep", "run", tmp_path / "sweep.toml", "--results", where, "--jobs", 1)
    assert list((where / "_checkpoints").iterdir()) == []


def test_a_checkpoint_of_a_job_that_is_done_is_swept_with_other_leftovers(job, where):
    path = half_done(job, where)
    content = path.read_bytes()
    finished(job, where)
    path.write_bytes(content)  # as if killed between keeping the one and removing the other
    other = path.with_name("0" * 32 + path.name[32:])
    other.write_bytes(content)
    Results(where).sweep_leftovers()
    assert list(path.parent.iterdir()) == [other]


def test_what_a_killed_process_began_to_write_is_swept(job, where, monkeypatch):
    path = half_done(job, where)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    mine = Results(where).checkpoints.of(job.keys[0][0]).beside()
    monkeypatch.setattr("os.getpid", lambda: gone.pid)
    left = Results(where).checkpoints.of(job.keys[0][0]).beside()
    for one in (mine, left):
        one.touch()
    Results(where).sweep_leftovers()
    assert set(path.parent.iterdir()) == {path, mine}


def test_where_none_can_be_written_the_job_is_played_all_the_same(job, where):
    where.mkdir()
    (where / "_checkpoints").touch()
    with pytest.raises(KeyboardInterrupt):
        do(task(job, job.cells[0].code, str(where)), watch=lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    (where / "_checkpoints").unlink()
    assert finished(job, where) == list(range(1, 9))


def test_a_watcher_changes_no_number(job):
    [(_, seen)], [(_, alone)] = play_batch(job, None, lambda *_: None), play_batch(job)
    assert seen.everywhere().keys() == alone.everywhere().keys()
    for name, values in alone.everywhere().items():
        np.testing.assert_array_equal(seen.everywhere()[name], values)
    np.testing.assert_array_equal(seen.x, alone.x)
