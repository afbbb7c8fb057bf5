"""A sweep on a real Dask scheduler, whose workers die; results do not depend on where they were made."""

import json
import os
import signal
from contextlib import ExitStack

import pytest
import sweeping
from invoke import call
from sweeping import LINUX, done, kept, own, running
from waiting import until

from sims.sweep import Results, schedulers

distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'byzcheck[dask]'")
pytestmark = LINUX
LOCAL = ("--host", "127.0.0.1", "--no-dashboard")
SCHEDULER = ("-m", "distributed.cli.dask_scheduler", *LOCAL, "--port", "0")
WORKER = ("-m", "distributed.cli.dask_worker", *LOCAL, "--nthreads", "1", "--no-nanny")


@pytest.fixture
def file(tmp_path):
    return sweeping.sweep(tmp_path, [own("Slow", tau=[0.5, 0.75, 1.0])], "{ range = [0, 160] }")


@pytest.fixture
def cluster(tmp_path):
    """A scheduler's address, its process, and those of two workers of one thread, all on loopback."""
    place = tmp_path / "scheduler.json"
    with ExitStack() as stack:
        scheduler = stack.enter_context(running("--scheduler-file", place, program=SCHEDULER))
        until(place.is_file, scheduler)
        more = ("--scheduler-file", place, "--local-directory", tmp_path)
        workers = [stack.enter_context(running(*more, program=WORKER)) for _ in range(2)]
        address = json.loads(place.read_text(encoding="utf-8"))["address"]
        with distributed.Client(address) as client:
            client.wait_for_workers(2)
        yield address, scheduler, workers


def test_a_worker_is_killed_in_mid_run_and_the_table_is_that_of_every_other_scheduler(tmp_path, file, cluster):
    (address, _, workers), far = cluster, tmp_path / "far"
    with running("run", file, "--results", far, "--scheduler", address, "--batch", 8) as runner:
        until(lambda: len(kept(far)) > 5, runner)
        os.killpg(workers[0].pid, signal.SIGKILL)
        seen = kept(far)
        _, err = done(runner, 0)
    assert f"60 batches in 2 Dask workers at {address}" in err
    assert "480 jobs kept" in err
    assert 5 < len(seen) < 50
    assert kept(far).items() > seen.items()
    assert sum(len(one.jobs) for one in Results(far).scan().files) == 480

    call("sweep", "run", file, "--results", tmp_path / "here", "--jobs", 1)
    with running("run", file, "--results", tmp_path / "processes", "--jobs", 2, "--batch", 32) as runner:
        done(runner, 0)
    expected = sweeping.table(tmp_path / "here")
    assert sweeping.table(far) == expected
    assert sweeping.table(tmp_path / "processes") == expected


def test_a_scheduler_that_goes_is_said_in_one_sentence(tmp_path, file, cluster):
    (address, scheduler, _), far = cluster, tmp_path / "far"
    with running("run", file, "--results", far, "--scheduler", address, "--batch", 8) as runner:
        until(lambda: len(kept(far)) > 5, runner)
        os.killpg(scheduler.pid, signal.SIGKILL)
        _, err = done(runner, 2)
    assert err.splitlines()[-1] == "byzcheck: the connection to the scheduler was lost; what is kept stays"
    assert Results(far).scan().broken == ()


def test_a_run_that_is_stopped_waits_for_nobody_and_takes_back_what_was_not_begun(tmp_path, cluster):
    (address, _, _), far, go = cluster, tmp_path / "far", tmp_path / "go"
    file = sweeping.sweep(tmp_path, [own("Waits", path=str(go))], "{ range = [0, 160] }")
    with distributed.Client(address) as client:
        with running("run", file, "--results", far, "--scheduler", address, "--batch", 8) as runner:
            until(lambda: sum(map(len, client.processing().values())) == 4, runner)
            os.kill(runner.pid, signal.SIGINT)
            _, err = done(runner, 130)
        assert "Stopped. What is kept stays" in err
        go.touch()
        until(lambda: not any(client.processing().values()))
    assert len(kept(far)) <= 2


def test_a_cluster_of_this_machine_that_is_stopped_leaves_nothing_and_goes_on(tmp_path, file):
    how = ("--scheduler", "dask", "--jobs", 2, "--batch", 8)
    with running("run", file, "--results", tmp_path / "dask", *how) as runner:
        until(lambda: len(kept(tmp_path / "dask")) > 5, runner)
        os.killpg(runner.pid, signal.SIGINT)
        _, err = done(runner, 130)
    assert "Stopped. What is kept stays" in err
    assert sweeping.temporary(tmp_path / "dask") == []
    seen = kept(tmp_path / "dask")
    for where in ("dask", "here"):
        call("sweep", "run", file, "--results", tmp_path / where, "--jobs", 1)
    assert kept(tmp_path / "dask").items() > seen.items()
    assert sweeping.table(tmp_path / "dask") == sweeping.table(tmp_path / "here")


def test_a_scheduler_that_is_not_there_is_said(tmp_path, file, monkeypatch):
    monkeypatch.setattr(schedulers, "ANSWER", 0.5)
    answer = call("sweep", "run", file, "--results", tmp_path / "far", "--scheduler", "tcp://127.0.0.1:9", code=2)
    assert answer.stderr.splitlines()[-1] == "byzcheck: no Dask scheduler answers at tcp://127.0.0.1:9"


def test_a_job_that_kills_every_worker_is_found(tmp_path):
    file = sweeping.sweep(tmp_path, [own("Leaves"), own("Plain", tau=[1.0, 2.0])])
    where, once = tmp_path / "results", {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    with running("run", file, "--results", where, "--scheduler", "dask", "--jobs", 1, **once) as runner:
        _, err = done(runner, 1)
    assert "1 job failed:" in err
    (report,) = Results(where).failures().values()
    assert report["settings"]["rule"] == "rules_that_fail:Leaves"
    assert len(Results(where).scan().keys) == 2
