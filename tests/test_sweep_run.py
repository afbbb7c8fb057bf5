"""Jobs that fail are told at once, kept with their traceback and tried again; all others are done."""

from __future__ import annotations

import contextlib
import json
import threading
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import pytest
import sweeping
from invoke import call
from sweeping import LINUX, done, own, running
from waiting import until

from sims.engine import play
from sims.owned import PartError
from sims.sweep import Results, read
from sims.sweep.batch import Batch, batches, experiment
from sims.sweep.run import run
from sims.sweep.schedulers import InProcess, Scheduler, scheduler
from sims.sweep.work import do, task


class Heard:
    """Remembers what it is told, in order."""

    def __init__(self):
        self.events = []

    def kept(self, batch, keys):
        self.events.append(("kept", len(keys)))

    def failed(self, key, report):
        self.events.append(("failed", report["error"]))

    def died(self, batches):
        self.events.append(("died", batches))


@pytest.fixture
def where(tmp_path):
    return tmp_path / "results"


def jobs(file):
    return {cell.key(seed): (cell, seed) for cell in read(file).cells for seed in cell.seeds}


def alone(file):
    """The jobs of a sweep that fail when each is played by itself, and how."""
    failing = {}
    for key, (cell, seed) in jobs(file).items():
        try:
            play(experiment(Batch((cell,), (seed,))))
        except BaseException as error:
            failing[key] = type(error)
    return failing


def beside(folder):
    """`byzcheck sweep` where modules of this folder are found."""
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); from byzcheck.__main__ import main; main()"
    return "-c", program, "sweep"


FAILING = ("Exits", "Unspeakable", "Hungry")


def test_exactly_the_jobs_that_fail_alone_fail_whatever_they_raise(tmp_path, where):
    rules = [own("Raises", tau=[1.0, 2.0, 3.0]), *map(own, FAILING), own("Talks")]
    file = sweeping.sweep(tmp_path, rules, "{ range = [0, 12] }")
    failing = alone(file)
    some = {key for key, kind in failing.items() if kind is PartError}
    assert 0 < len(some) < 12
    assert len(failing) == len(some) + 12 * len(FAILING)

    answer = call("sweep", "run", file, "--results", where, "--jobs", 1, code=1)
    reports = Results(where).failures()
    assert reports.keys() == failing.keys()
    assert Results(where).scan().keys.keys() == jobs(file).keys() - failing.keys()
    for key, report in reports.items():
        cell, seed = jobs(file)[key]
        assert report["error"].startswith(failing[key].__name__)
        assert report["settings"] == {**cell.settings, "seed": seed}
        assert report["traceback"].startswith("Traceback")
        assert "rules_that_fail.py" in report["traceback"]
    assert {report["error"] for key, report in reports.items() if key in some} == {
        "PartError: the rule Raises raised ArithmeticError: tau is 2 and the message is large"
    }

    lines = answer.stderr.splitlines()
    told = lines.index(f"{len(failing)} jobs failed:")
    assert sum(line.startswith("failed: ") for line in lines[:told]) == len(failing)
    assert {line[2:34] for line in lines[told + 1 : told + 1 + len(failing)]} == failing.keys()
    assert f"{len(jobs(file)) - len(failing)} jobs kept" in answer.stderr
    status = call("sweep", "status", file, "--results", where, "--tracebacks").stdout
    assert status.count("Traceback (most recent call last)") == len(failing) + len(some)  # and what was behind them


def test_a_failure_is_told_while_others_still_run(tmp_path, where):
    file = sweeping.sweep(tmp_path, [own("Raises", tau=[1.0, 2.0, 3.0]), own("Exits")], "{ range = [0, 12] }")
    heard = Heard()
    todo = batches([(cell, cell.seeds) for cell in read(file).cells], 4)
    outcome = run(todo, str(where), scheduler("local", 0), heard)
    kinds = [kind for kind, _ in heard.events]
    assert len(outcome.failed) == kinds.count("failed")
    assert kinds.index("failed") < len(kinds) - 1 - kinds[::-1].index("kept")
    assert sum(number for kind, number in heard.events if kind == "kept") == len(outcome.kept)
    assert {*outcome.kept, *outcome.failed} == jobs(file).keys()


def test_run_again_tries_exactly_what_is_missing_and_forgets_what_failed(tmp_path, where):
    needed = tmp_path / "needed"
    file = sweeping.sweep(tmp_path, [own("Plain"), own("WithoutFile", path=str(needed))], "[0, 1, 2]")
    call("sweep", "run", file, "--results", where, "--jobs", 1, code=1)
    before = sweeping.kept(where)
    plan = call("sweep", "plan", file, "--results", where).stdout
    assert "6 jobs: 3 done, 3 to run" in plan
    assert "3  failed before" in plan
    again = call("sweep", "run", file, "--results", where, "--jobs", 1, code=1)
    assert "0 jobs kept" in again.stderr
    assert "3 jobs failed" in again.stderr
    assert sweeping.kept(where) == before

    needed.touch()
    answer = call("sweep", "run", file, "--results", where, "--jobs", 1)
    assert "3 jobs kept" in answer.stderr
    assert Results(where).failures() == {}
    assert sweeping.kept(where).items() > before.items()
    assert call("sweep", "run", file, "--results", where).stdout.count("all done") == 1


def test_a_rule_that_was_mended_is_run_and_nothing_else(tmp_path, where):
    module = tmp_path / "mended.py"
    text = "def {}(x):\n    {}\n"
    file = sweeping.sweep(tmp_path, ['name = "first:mean"', 'name = "mended:mean"'], "[0, 1]")
    (tmp_path / "first.py").write_text(text.format("mean", "return x.mean(axis=0)"), encoding="utf-8")
    module.write_text(text.format("mean", "raise ZeroDivisionError('1/0')"), encoding="utf-8")

    def sweep(command, code):
        more = ["--jobs", 1] if command == "run" else []
        with running(command, file, "--results", where, *more, program=beside(tmp_path)) as process:
            return done(process, code)

    assert "ZeroDivisionError: 1/0 (" in sweep("run", 1)[1]
    before = sweeping.kept(where)
    module.write_text(text.format("mean", "return x.mean(axis=0)"), encoding="utf-8")
    assert "4 jobs: 2 done, 2 to run" in sweep("plan", 0)[0]
    assert "2 jobs kept" in sweep("run", 0)[1]
    assert sweeping.kept(where).items() > before.items()
    out, _ = sweep("status", 0)
    assert "all done" in out
    assert "failed" not in out
    assert Results(where).failures() == {}  # though with the mended rule the jobs have other keys


@LINUX
def test_a_job_that_kills_its_process_is_found_and_all_others_are_done(tmp_path, where):
    rules = [own("Killed"), own("Plain", tau=[1.0, 2.0]), own("LeavesThread"), own("Talks")]
    file = sweeping.sweep(tmp_path, rules)
    with running("run", file, "--results", where, "--jobs", 2) as process:
        _, err = done(process, 1)
    ((key, report),) = Results(where).failures().items()
    assert report["error"] == "its worker died 3 times: killed, or out of memory"
    assert report["settings"]["rule"] == "rules_that_fail:Killed"
    assert Results(where).scan().keys.keys() == jobs(file).keys() - {key}
    assert "a worker died; " in err
    assert "1 job failed:" in err
    assert "Traceback (most" not in err


@LINUX
def test_a_single_job_that_ends_its_process_does_not_end_the_run(tmp_path, where):
    file = sweeping.sweep(tmp_path, [own("Leaves")])
    with running("run", file, "--results", where) as process:
        _, err = done(process, 1)
    assert "1 job failed:" in err
    assert len(Results(where).failures()) == 1


@LINUX
def test_what_a_rule_leaves_running_in_a_worker_is_not_waited_for(tmp_path, where):
    file = sweeping.sweep(tmp_path, [own("LeavesThread"), own("Talks")])
    with running("run", file, "--results", where, "--jobs", 2) as process:
        done(process, 0)
    assert len(Results(where).scan().keys) == 2


class Mortal(InProcess):
    """A process that dies of some jobs, and of nothing more than what it was given at that time."""

    def __init__(self, deadly):
        self.deadly, self.dead = deadly, False

    def submit(self, fn, /, *args, **kwargs):
        if self.dead:
            raise BrokenProcessPool
        (given,) = args
        if any(
            (json.dumps(cell, sort_keys=True), seed) in self.deadly
            for cell in given["cells"]
            for seed in given["seeds"]
        ):
            self.dead = True
            future = Future()
            future.set_exception(BrokenProcessPool())
            return future
        return super().submit(fn, *args, **kwargs)


@pytest.mark.parametrize("chosen", [{0}, {35}, {3, 4, 17}, set(range(36))])
def test_jobs_that_kill_any_worker_are_told_from_those_beside_them(tmp_path, where, chosen):
    file = sweeping.sweep(tmp_path, [own("Plain", tau=[1.0, 2.0, 3.0])], "{ range = [0, 12] }")
    named = list(jobs(file).items())
    deadly = {(json.dumps(cell.plain, sort_keys=True), seed) for k in chosen for cell, seed in [named[k][1]]}
    heard = Heard()
    mortal = Scheduler(lambda: contextlib.nullcontext(Mortal(deadly)), 2, "mortals")
    outcome = run(batches([(cell, cell.seeds) for cell in read(file).cells], 9), str(where), mortal, heard)
    assert set(outcome.failed) == Results(where).failures().keys() == {named[k][0] for k in chosen}
    assert Results(where).scan().keys.keys() == jobs(file).keys() - set(outcome.failed)
    assert sorted(outcome.kept) == sorted(set(outcome.kept))


def test_the_same_jobs_played_at_the_same_time_are_one_file(tmp_path, where, monkeypatch):
    file = sweeping.sweep(tmp_path, [own("Plain", tau=[1.0, 2.0, 3.0])], "[0, 1]")
    (batch,) = batches([(cell, cell.seeds) for cell in read(file).cells])
    together, look = threading.Barrier(4), Results.hold
    monkeypatch.setattr(Results, "hold", lambda *given: (together.wait(), look(*given))[1])
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(do(task(batch, batch.cells[0].code, str(where)))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [set(answer["kept"]) for answer in answers] == [sweeping.keys(file)] * 4
    assert len(sweeping.kept(where)) == 1
    assert len(json.loads(sweeping.table(where))) == 6 * 2


@LINUX
def test_code_that_changes_while_a_run_goes_on_is_refused(tmp_path, where):
    """A worker begins with other code than the jobs were planned with."""
    rule = "import time\ndef mean(x):\n    time.sleep(0.01)\n    return x.mean(axis=0)\n"
    (tmp_path / "changing.py").write_text(rule, encoding="utf-8")
    file = sweeping.sweep(tmp_path, ['name = "changing:mean"'], "{ range = [0, 2000] }")
    with running("run", file, "--results", where, "--jobs", 2, "--batch", 4, program=beside(tmp_path)) as process:
        until(lambda: sweeping.kept(where), process)
        (tmp_path / "changing.py").write_text(rule.replace("0.01", "0.02"), encoding="utf-8")
        sweeping.kill(sweeping.workers(process.pid)[0])  # the next workers read it again
        _, err = done(process, 2)
    last = err.splitlines()[-1]
    assert last == "byzcheck: the code changed while the sweep ran, or is another one on a worker: changing"
    assert sweeping.temporary(where) == []
