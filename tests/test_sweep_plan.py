"""What would run, and why: nothing after a changed comment, and after a changed formula what used it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from invoke import call, refused

from sims.sweep import read
from sims.sweep.plan import GUESS, plan
from sims.sweep.store import Results

ROOT = Path(__file__).parents[1]
SWEEP = """\
title = "Two rules"
n = 7
f = 1
steps = 5
seed = { range = [0, 3] }
problem = { name = "Rademacher", dim = 2 }
optimizer = { name = "SGD", learning_rate = [0.1, 0.2] }
attack = "BitFlipping"

[[rule]]
name = "my_rules:Halved"
strength = [0.5, 1.0]

[[rule]]
name = "CoordinateMedian"
"""
RULES = '''"""My rules."""

from dataclasses import dataclass

from my_helpers import scaled
from sims.aggregators import Mean
from sims.aggregators.rule import StatelessRule


@dataclass(frozen=True)
class Halved(StatelessRule):
    """A mean that is scaled."""

    strength: float = 1.0

    @property
    def promises(self):
        return Mean().promises

    def breakdown(self, n):
        return 0

    def reduce(self, x):
        """Scale it."""
        return scaled(x.mean(axis=-2), self.strength)  # a comment
'''
HELPERS = '"""Helpers."""\n\n\ndef scaled(x, by):\n    """Times."""\n    return by * x\n'


@pytest.fixture
def desk(tmp_path):
    """A folder with a sweep, a rule of one's own and its helper."""
    for name, text in {"s.toml": SWEEP, "my_rules.py": RULES, "my_helpers.py": HELPERS}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def sweep(desk: Path, *arguments: str, code: int = 0) -> str:
    """`byzcheck sweep` in a process of its own, with the desk's modules; what it says on both streams."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # rules are found beside the file, also by the workers
    command = [sys.executable, "-P", "-m", "byzcheck", "sweep", *arguments]
    done = subprocess.run(command, cwd=desk, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def change(desk: Path, name: str, old: str, new: str) -> None:
    text = (desk / name).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (desk / name).write_text(text.replace(old, new), encoding="utf-8")


def test_only_what_used_a_changed_formula_runs_again(desk):
    assert re.search(r"18 jobs: 0 done, 18 to run\n +18  new\n", sweep(desk, "plan", "s.toml"))
    assert "18 jobs kept" in sweep(desk, "run", "s.toml", "--jobs", "1")
    assert "18 jobs: all done" in sweep(desk, "plan", "s.toml")

    change(desk, "my_rules.py", "  # a comment", "  # another comment")
    change(desk, "my_rules.py", '"""Scale it."""', '"""In other words."""')
    change(desk, "my_helpers.py", "\n\n\ndef", "\n\n\n# new\n\n\ndef")
    change(desk, "s.toml", 'title = "Two rules"', '# a comment\ntitle = "Another title"')
    assert "18 jobs: all done" in sweep(desk, "plan", "s.toml")

    change(desk, "my_helpers.py", "by * x", "by * x * 1.0")
    planned = sweep(desk, "plan", "s.toml")
    assert "18 jobs: 6 done, 12 to run" in planned
    assert re.search(r"\n +12  changed code: my_helpers\n", planned)
    assert "12 jobs kept" in sweep(desk, "run", "s.toml", "--jobs", "1")
    assert "all done" in sweep(desk, "plan", "s.toml")

    change(desk, "my_helpers.py", "by * x * 1.0", "by * x")
    assert "all done" in sweep(desk, "plan", "s.toml")  # what was computed with the former formula is still there

    change(desk, "my_rules.py", "x.mean(axis=-2)", "x.sum(axis=-2) / x.shape[-2]")
    assert re.search(r"12  changed code: my_rules\n", sweep(desk, "plan", "s.toml"))


def test_a_larger_sweep_runs_what_is_new_alone(desk):
    sweep(desk, "run", "s.toml", "--jobs", "1")
    change(desk, "s.toml", "range = [0, 3]", "range = [0, 5]")
    change(desk, "s.toml", "[0.5, 1.0]", "[0.5, 1.0, 2.0]")
    planned = sweep(desk, "plan", "s.toml")
    assert "40 jobs: 18 done, 22 to run" in planned
    assert re.search(r"\n +22  new\n", planned)
    assert "22 jobs kept" in sweep(desk, "run", "s.toml", "--jobs", "1")


def test_the_time_is_that_of_jobs_of_the_same_shape(tmp_path):
    path, where = tmp_path / "s.toml", tmp_path / "results"
    path.write_text(SWEEP.replace("my_rules:Halved", "CenteredClipping").replace("strength", "tau"), encoding="utf-8")
    found = plan(read(path).cells, Results(where).scan(), {})
    assert (found.measured, found.left) == (False, 18)
    assert found.seconds == pytest.approx(18 * 5 * 7 * 2 / GUESS)
    call("sweep", "run", path, "--results", where, "--jobs", 1)
    scan = Results(where).scan()
    path.write_text(path.read_text(encoding="utf-8").replace("range = [0, 3]", "range = [10, 40]"), encoding="utf-8")
    found = plan(read(path).cells, scan, {})
    assert (found.measured, found.left) == (True, 180)
    assert found.seconds == pytest.approx(10 * sum(kept.seconds for kept in scan.files))


# Commands


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A sweep that ran, with its results."""
    folder = tmp_path_factory.mktemp("sweep")
    path, where = folder / "s.toml", folder / "results"
    text = (
        SWEEP.replace("my_rules:Halved", "CenteredClipping")
        .replace("strength", "tau")
        .replace("steps = 5", "steps = 6\nevery = 3")
    )
    path.write_text(text, encoding="utf-8")
    call("sweep", "run", path, "--results", where, "--jobs", 1)
    return path, where


def test_a_table_has_means_and_intervals(done):
    path, where = done
    shown = call("sweep", "table", path, "--results", where).stdout
    assert "CoordinateMedian" in shown
    assert "excess at the end: mean ± half the 95 % interval of Student's t over 3 seeds" in shown
    chosen = call("sweep", "table", path, "--results", where, "--where", "rule.tau=0.5", "--format", "csv").stdout
    assert len(chosen.splitlines()) == 3
    times = call("sweep", "table", path, "--results", where, "--at", "all", "--format", "csv").stdout
    assert len(times.splitlines()) == 1 + 6 * 3


@pytest.mark.parametrize("suffix", [".csv", ".md", ".json", ".parquet", ".txt"])
def test_a_table_goes_into_a_file_of_the_format_of_its_name(done, tmp_path, suffix):
    path, where = done
    out = tmp_path / f"table{suffix}"
    call("sweep", "table", path, "--results", where, "--out", out)
    text = out.read_bytes()
    assert {".csv": b"learning_rate", ".md": b"| --- |", ".json": b'"rows"', ".parquet": b"PAR1", ".txt": b"Student"}[
        suffix
    ] in text
    first = text
    call("sweep", "table", path, "--results", where, "--out", out)
    assert out.read_bytes() == first


def test_a_plot_is_drawn_as_the_file_says_or_as_chosen(done, tmp_path):
    path, where = done
    call("sweep", "plot", path, "--results", where, "--out", tmp_path / "p", "--where", "rule=CenteredClipping")
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / "p.svg").read_text(encoding="utf-8").startswith("<?xml")
    call(
        "sweep",
        "plot",
        path,
        "--results",
        where,
        "--out",
        tmp_path / "q.png",
        "--x",
        "t",
        "--at",
        "all",
        "--over",
        "optimizer.learning_rate",
    )
    assert (tmp_path / "q.svg").is_file()


def test_options_for_another_kind_of_picture_replace_the_places_of_the_file(done, tmp_path):
    path, where = done
    other = path.with_name("curves.toml")
    other.write_text(path.read_text(encoding="utf-8") + '[plot]\nx = "rule.tau"\nlines = "rule"\n', encoding="utf-8")
    places = ("--rows", "optimizer.learning_rate", "--columns", "rule.tau", "--where", "rule=CenteredClipping")
    call("sweep", "plot", other, "--results", where, "--out", tmp_path / "h", *places)
    assert (tmp_path / "h.png").is_file()


def test_what_a_table_leaves_out_is_told(done):
    path, where = done
    chosen = ("--where", "rule=CenteredClipping", "--where", "rule.tau=0.5")
    assert (
        "only rule = CenteredClipping, rule.tau = 0.5"
        in call("sweep", "table", path, "--results", where, *chosen).stdout
    )
    averaged = call("sweep", "table", path, "--results", where, "--over", "optimizer.learning_rate").stdout
    assert "averaged over optimizer.learning_rate" in averaged
    larger = path.with_name("larger.toml")
    larger.write_text(path.read_text(encoding="utf-8").replace("[0, 3]", "[0, 4]"), encoding="utf-8")
    assert "18 of 24 jobs" in call("sweep", "table", larger, "--results", where).stdout


def test_every_job_is_a_row_for_those_who_want_all(done):
    path, where = done
    text = call("sweep", "table", path, "--results", where, "--seeds").stdout
    head, *lines = text.splitlines()
    assert head.startswith('"rule","rule.tau","optimizer.learning_rate","seed","t","excess"')
    assert len(lines) == 18 * 3
    assert text == call("sweep", "table", path, "--results", where, "--seeds", "--format", "csv").stdout


def test_some_measures_and_times_of_every_job(done):
    path, where = done
    every = ("sweep", "table", path, "--results", where, "--seeds")
    head, *lines = call(*every, "--value", "sq_distances, excess", "--at", "last").stdout.splitlines()
    assert head.endswith('"seed","t","sq_distances","excess","key"')
    assert len(lines) == 18
    assert "'excesses' was not measured" in call(*every, "--value", "excesses", code=2).stderr
    assert "t = 7 was not recorded" in call(*every, "--at", "7", code=2).stderr


def test_every_job_as_json_says_what_is_the_same_in_all(done):
    path, where = done
    found = json.loads(call("sweep", "table", path, "--results", where, "--seeds", "--format", "json").stdout)
    names = [name for name, _ in found["axes"]]
    assert names == ["rule", "rule.tau", "optimizer.learning_rate"]
    assert len(found["runs"]) == 18
    assert all({*names, "seed", "t", "excess", "key"} <= run.keys() for run in found["runs"])
    assert all(len(run["t"]) == len(run["excess"]) == 3 for run in found["runs"])
    assert {"problem", "n", "steps"} <= found["same"].keys()
    assert not {*names, "excess", "key", "configuration"} & found["same"].keys()


def test_reading_changes_nothing_in_the_folder(done):
    path, where = done
    before = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in where.iterdir()}
    for command in ("plan", "status", "table"):
        call("sweep", command, path, "--results", where)
    call("sweep", "table", path, "--results", where, "--check")
    assert {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in where.iterdir()} == before


def test_repeats_are_compared_and_differences_told(done, tmp_path):
    path, where = done
    assert "No job was done more than once" in call("sweep", "table", path, "--results", where, "--check").stdout
    other = tmp_path / "other"
    call("sweep", "run", path, "--results", other, "--jobs", 1)
    both = ("--results", where, "--results", other)
    told = call("sweep", "table", path, *both, "--check").stdout
    assert "18 jobs done more than once" in told
    assert "all are equal, bit for bit" in told
    scan = Results(other).scan()
    kept = scan.files[0]
    rows = Results(other).rows_of(kept, {key for key, _ in kept.jobs})
    assert rows is not None
    place = rows.column_names.index("excess")
    values = rows["excess"].to_pylist()
    values[-1] = values[-1] * (1 + 2**-52) + 5e-324
    changed = rows.set_column(place, "excess", [values])
    about = {"jobs": list(kept.jobs), "code": kept.code, "shape": kept.shape, "numbers": kept.numbers, "seconds": 1.0}
    Results(other).write(changed, about)
    told = call("sweep", "table", path, *both, "--check", code=1).stdout
    assert "1 differ" in told
    assert "1 units in the last place: excess at t = 6" in told or "2 units in the last place" in told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("table", "--value", "loss"), "'loss' was not measured; measured were excess"),
        (("table", "--where", "rule"), "a choice is written path=value, got 'rule'"),
        (("table", "--where", "rule.tua=1"), "no job has a setting 'rule.tua'; did you mean rule.tau?"),
        (("table", "--where", "rule=Krum"), "no job of the sweep has rule=Krum"),
        (("table", "--at", "5"), "t = 5 was not recorded; recorded were 0, 3, 6"),
        (("table", "--at", "end"), "a time is last, all or the number of a round, got 'end'"),
        (("table", "--format", "xlsx"), "a table is written as one of text, markdown, csv, parquet, json, got 'xlsx'"),
        (("table", "--over", "n"), "'n' does not vary"),
        (("table", "--rows", "foo"), "'foo' does not vary"),
        (("plot", "--x", "foo"), "x is 'foo', which does not vary"),
        (("plot", "--kind", "pie"), "kind must be one of curves, points, heat, got 'pie'"),
        (("run", "--scheduler", "slurm"), "a scheduler is called local, dask, or tcp://host:port, got 'slurm'"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(done, tmp_path, monkeypatch, arguments, sentence):
    path, where = done
    monkeypatch.chdir(tmp_path)
    command, *options = arguments
    folder = where if command != "run" else tmp_path / "none"
    assert sentence in call("sweep", command, path, "--results", folder, *options, code=2).stderr


def test_before_anything_ran_the_next_command_is_named(done, tmp_path):
    path, _ = done
    assert refused("sweep", "table", path, "--results", tmp_path / "none") == (
        f"there are no results of these jobs with the present code: byzcheck sweep plan {path}"
    )


def test_problems_of_a_file_are_told_with_their_lines(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text(SWEEP.replace("n = 7", 'n = "7"').replace("CoordinateMedian", "Kurm"), encoding="utf-8")
    told = call("sweep", "plan", path, code=2).stderr.splitlines()
    assert told[0].startswith(f"{path}:2: n must be a whole number")
    assert "did you mean Krum?" in told[-1]


THREADS = '''"""A rule that looks at the threads it may use."""

import numpy as np
from threadpoolctl import threadpool_info

from sims.kernels.cpu import threads


def looking(x):
    used = [pool["num_threads"] for pool in threadpool_info()] + [threads.count()]
    if max(used) > 1:
        raise RuntimeError(f"threads: {used}")
    return x.mean(axis=0)
'''


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_worker_uses_one_thread(tmp_path, jobs):
    (tmp_path / "my_threads.py").write_text(THREADS, encoding="utf-8")
    text = SWEEP.split("[[rule]]")[0] + 'rule = "my_threads:looking"\n'
    head, tail = text.split("problem =")
    (tmp_path / "s.toml").write_text(head + "problem =" + tail, encoding="utf-8")
    assert "6 jobs kept" in sweep(tmp_path, "run", "s.toml", "--jobs", jobs, "--batch", "3")
