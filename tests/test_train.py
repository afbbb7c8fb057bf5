"""`byzcheck train`: what `sweep run` does, one job after the other, with a look at each and a table at the end."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace

import learners
import numpy as np
import pytest
import sweeping
from invoke import call, refused
from sweeping import LINUX, done, running
from waiting import until

from byzcheck.commands.train import Training, label
from sims.engine import Progress
from sims.sweep import Results, read
from sims.sweep.batch import batches

FILE = """
title = "Learners"
n = 5
f = 1
steps = {steps}
every = 5
seed = [0, 1]
[problem]
name = "learners:{name}"
gamma = [0.5, 1.0]
pause = {pause}
[optimizer]
name = "WorkerMomentum"
learning_rate = 0.1
beta = 0.9
[[rule]]
name = "Mean"
[[rule]]
name = "CenteredClipping"
tau = 10.0
[attack]
name = "BitFlipping"
"""
# a checkpoint after every round, so that whenever it is killed it has something to go on from
PROGRAM = "import sims.sweep.checkpoints as c; c.EVERY = 0.0; from byzcheck.__main__ import main; main()"


@pytest.fixture
def where(tmp_path):
    return tmp_path / "results"


def written(folder: Path, steps: int = 20, pause: float = 0.0, name: str = "Learner") -> Path:
    path = folder / "learners.toml"
    path.write_text(FILE.format(steps=steps, pause=pause, name=name), encoding="utf-8")
    return path


def test_it_keeps_what_a_sweep_keeps_and_shows_a_table(tmp_path, where):
    file = written(tmp_path)
    answer = call("train", file, "--results", where)
    call("sweep", "run", file, "--results", tmp_path / "beside", "--jobs", 2)
    assert sweeping.table(where) == sweeping.table(tmp_path / "beside")
    assert "8 jobs: all done" in call("sweep", "plan", file, "--results", where).stdout
    lines = answer.stdout.splitlines()
    assert [line.split() for line in lines if line.startswith("problem.gamma")] == [
        ["problem.gamma", "Mean", "CenteredClipping"],
        ["problem.gamma", "rule", "0", "1", "2"],
    ]
    assert answer.stdout.count("test_accuracy at the end") == answer.stdout.count("accuracy on each class") == 1
    assert lines[-1].startswith(f"Next: byzcheck sweep table {file} --results {where} · byzcheck sweep plot ")
    told = answer.stderr.splitlines()
    assert [line.split(": ")[0] for line in told[:3]] == [
        "1/8  Mean, gamma 0.5, seed 0",
        "2/8  Mean, gamma 0.5, seed 1",
        "3/8  Mean, gamma 1, seed 0",
    ]
    assert all(", test_accuracy 0." in line for line in told)


def test_what_is_done_is_not_done_again_and_the_table_is_shown_again(tmp_path, where, monkeypatch):
    file = written(tmp_path)
    first = call("train", file, "--results", where)
    seen = sweeping.kept(where)
    monkeypatch.setenv(learners.PLAYED, str(tmp_path / "played"))
    again = call("train", file, "--results", where)
    assert again.stdout.partition("all done\n")[2] == first.stdout.partition("to run\n")[2]
    assert sweeping.kept(where) == seen
    assert not (tmp_path / "played").exists()


def test_equal_classes_have_no_table_of_their_own(tmp_path, where):
    answer = call("train", written(tmp_path), "--results", where, "--set", "problem.gamma=1.0")
    assert "accuracy on each class" not in answer.stdout


def test_settings_seeds_and_a_choice_of_jobs_are_those_of_the_same_sweep_commands(tmp_path, where):
    file, setting = written(tmp_path), ("--set", "optimizer.beta=[0.0, 0.5]")
    answer = call("train", file, "--results", where, *setting, "--seeds", "7,9", "--where", "rule=Mean")
    assert "8 jobs: 0 done, 8 to run" in answer.stdout
    assert "--set 'optimizer.beta=[0.0, 0.5]' --set 'seed=[7,9]'" in answer.stdout.splitlines()[-1]
    same = call("sweep", "table", file, "--results", where, *setting, "--set", "seed=[7,9]", "--where", "rule=Mean")
    assert same.stdout.partition("\n\n")[0] in answer.stdout
    assert len(same.stdout.splitlines()) > 4
    plan = call("sweep", "plan", file, "--results", where, *setting, "--set", "seed=[7,9]")
    assert "16 jobs: 8 done, 8 to run" in plan.stdout
    assert "--set 'seed=[7,9]'" in plan.stdout.splitlines()[-1]


def test_a_loss_that_is_not_finite_is_recorded_and_said(tmp_path, where):
    answer = call("train", written(tmp_path), "--results", where, "--set", "optimizer.learning_rate=1e200")
    assert "diverged at t = 5: Mean, gamma 0.5, seed 0" in answer.stdout
    assert answer.stdout.count("diverged at t = 5") == 8
    assert answer.stderr.count("diverged at t = 5") == 8
    losses = Results(where).rows(Results(where).scan())["train_loss"].to_numpy()
    assert np.sum(~np.isfinite(losses)) == 8 * 4


def test_a_job_that_fails_is_told_and_the_others_are_kept(tmp_path, where):
    file = written(tmp_path)
    text = file.read_text(encoding="utf-8").replace('name = "Mean"', 'name = "rules_that_fail:Exits"')
    file.write_text(text, encoding="utf-8")
    answer = call("train", file, "--results", where, code=1)
    assert answer.stderr.count("failed: SystemExit: good-bye") == 4
    assert "4 jobs failed. Tracebacks: byzcheck sweep status" in answer.stderr
    assert "4 of 8 jobs" in answer.stdout


def test_nothing_but_failures_has_no_table(tmp_path, where):
    answer = call("train", written(tmp_path), "--results", where, "--set", "rule=rules_that_fail:Exits", code=1)
    assert "at the end" not in answer.stdout
    assert "4 jobs failed" in answer.stderr


def test_what_cannot_be_is_refused_in_one_sentence(tmp_path):
    file = written(tmp_path)
    assert refused("train", "fig2").startswith("fig2 is neither a file nor one of the sweeps that ship: fig1, fig3, ")
    assert refused("train", file, "--set", "problem.gama=1").startswith(
        "no problem of the file has problem.gama; did you mean problem.gamma? (known: "
    )
    assert refused("train", file, "--data", tmp_path / "nowhere") == f"there is no folder {tmp_path / 'nowhere'}"
    answer = call("train", file, "--set", "steps=0", "--data", "mnist", "--set", "rule=Krumm", code=2)
    assert "--set steps=0: steps must be ≥ 1, got 0" in answer.stderr.splitlines()
    assert "--set rule=Krumm: unknown rule 'Krumm'; did you mean Krum?" in answer.stderr


def test_the_name_of_a_data_set_is_a_setting_and_a_folder_is_where_they_lie(tmp_path, where, monkeypatch):
    monkeypatch.setenv("BYZCHECK_DATA", "nowhere")  # so that it is as before afterwards
    file, data = written(tmp_path, name="Far"), tmp_path / "data"
    data.mkdir()
    (data / "start.txt").write_text("40", encoding="utf-8")
    one = ("--set", "rule=Mean", "--set", "seed=0", "--set", "problem.gamma=1.0")
    call("sweep", "run", file, "--results", where, "--data", data, *one, "--jobs", 2)
    monkeypatch.delenv("BYZCHECK_DATA")
    call("train", file, "--results", tmp_path / "beside", "--data", data, *one)
    rows = Results(where).rows(Results(where).scan())
    assert min(rows["train_loss"].to_pylist()) > 100
    assert sweeping.table(where) == sweeping.table(tmp_path / "beside")
    call("train", written(tmp_path), "--results", where, "--data", "mnist-5k", *one)
    assert {row["problem.data"] for row in Results(where).rows(Results(where).scan()).to_pylist()} == {"", "mnist-5k"}


# Stopped and killed


@LINUX
@pytest.mark.parametrize("command", [("train",), ("sweep", "run", "--jobs", "1")])
def test_ctrl_c_says_how_to_go_on_and_nothing_is_lost(tmp_path, where, command):
    file, played = written(tmp_path, steps=100, pause=0.01), tmp_path / "played"
    one = ("--set", "rule=Mean", "--set", "seed=[0, 1]", "--set", "problem.gamma=0.5", "--results", where)
    name, *options = ("sweep run", *command[2:]) if command[0] == "sweep" else command
    call("train", file, *one[:-1], tmp_path / "undisturbed")
    with running(
        *name.split(), file, *one, *options, program=("-m", "byzcheck"), **{learners.PLAYED: played}
    ) as runner:
        until(lambda: played.exists() and played.stat().st_size >= 120, runner)
        os.kill(runner.pid, signal.SIGINT)
        _, err = done(runner, 130)
    assert err.splitlines()[-1].startswith("Stopped. What is kept stays")
    assert f"to go on: byzcheck {name} {file} --set rule=Mean --set 'seed=[0, 1]'" in err.splitlines()[-1]
    assert len(sweeping.kept(where)) == 1
    for asked in ("plan", "status"):
        assert "1  half done" in call("sweep", asked, file, *one).stdout
    before = played.stat().st_size
    assert before < 200
    with running("train", file, *one, program=("-m", "byzcheck"), **{learners.PLAYED: str(played)}) as runner:
        done(runner, 0)
    assert played.stat().st_size <= 201  # a round that was interrupted in its middle is played again
    assert sweeping.table(where) == sweeping.table(tmp_path / "undisturbed")
    assert list((where / "_checkpoints").iterdir()) == []


@LINUX
def test_killed_at_any_moment_it_goes_on_to_the_same_bits(tmp_path, where):
    file, played = written(tmp_path, steps=60, pause=0.005), tmp_path / "played"
    one = ("--set", "rule=Mean", "--set", "problem.gamma=0.5", "--results", where)
    call("train", file, *one[:-1], tmp_path / "undisturbed")
    for goal in (30, 90):
        with running("train", file, *one, program=("-c", PROGRAM), **{learners.PLAYED: str(played)}) as runner:
            until(lambda: played.exists() and played.stat().st_size >= goal, runner)  # noqa: B023
            os.kill(runner.pid, signal.SIGKILL)
            runner.wait()
    with running("train", file, *one, program=("-c", PROGRAM), **{learners.PLAYED: str(played)}) as runner:
        done(runner, 0)
    assert played.stat().st_size < 120 + 2 * 10
    assert sweeping.table(where) == sweeping.table(tmp_path / "undisturbed")
    assert sweeping.temporary(where) == []


# What is shown


class Bar:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.updates: list[dict] = []
        self.lines: list[str] = []
        self.console = SimpleNamespace(print=lambda words, **_: self.lines.append(words))

    def add_task(self, words, total, jobs):
        return 0

    def update(self, shown, **values):
        self.updates.append(values)


def progress(t: int, loss: float = 0.5) -> Progress:
    measures = {"train_loss": np.array([loss]), "test_accuracy": np.array([0.75])}
    return Progress(t, 20, t // 5 * 5, measures)


def test_a_terminal_has_the_job_the_step_the_measures_and_the_time_left(tmp_path, monkeypatch):
    sweep = read(written(tmp_path))
    parts = batches([(cell, cell.seeds) for cell in sweep.cells], 1)
    bar, clock = Bar(), iter(range(0, 1000, 10))
    monkeypatch.setattr("byzcheck.commands.train.time.perf_counter", lambda: float(next(clock)))
    training = Training(sweep, parts, bar)
    for t in (10, 11, 12):  # a job of which another run has played 9 rounds
        training.watch(parts[0], progress(t))
    assert bar.updates[-1]["completed"] == pytest.approx(3 / (8 * 20 - 9))
    words = "1/8  Mean, gamma 0.5, seed 0: step 12 of 20, loss 0.5, accuracy 0.75"
    assert bar.updates[-1]["jobs"] == words
    training.watch(parts[0], progress(15, np.nan))
    training.kept(parts[0], ["key"])
    training.kept(parts[1], ["another"])  # which somebody else has done
    assert bar.lines == [
        "1/8  Mean, gamma 0.5, seed 0: train_loss nan, test_accuracy 0.75, diverged at t = 15, 40 s",
        "2/8  Mean, gamma 0.5, seed 1: done",
    ]
    assert bar.updates[-1] == {"completed": pytest.approx(31 / 151), "jobs": "2/8  done"}
    training.watch(parts[2], progress(1, np.nan))  # before a loss is measured
    assert bar.updates[-1]["completed"] == pytest.approx((11 + 20 + 1) / (8 * 20 - 9))
    assert bar.updates[-1]["jobs"].startswith("3/8  Mean, gamma 1, seed 0: step 1 of 20, accuracy 0.75")


def test_elsewhere_a_line_is_said_now_and_then(tmp_path, monkeypatch, capsys):
    sweep = read(written(tmp_path))
    parts = batches([(cell, cell.seeds) for cell in sweep.cells], 1)
    clock = iter([0.0, 4.0, 9.0, 11.0, 13.0])
    monkeypatch.setattr("byzcheck.commands.train.time.perf_counter", lambda: next(clock))
    training = Training(sweep, parts, None)
    for t in (1, 2, 3, 4):
        training.watch(parts[0], progress(t))
    assert capsys.readouterr().err.splitlines() == [
        "1/8  Mean, gamma 0.5, seed 0: step 3 of 20, train_loss 0.5, test_accuracy 0.75, about 10 min left"
    ]


def test_a_job_is_called_by_what_varies(tmp_path):
    sweep = read(written(tmp_path), ["seed=3", "problem.gamma=0.5", "rule=Krum", "f=[1, 0]"])
    assert [label(sweep, cell, 3) for cell in sweep.cells] == ["Krum, f 1", "Krum, f 0"]
