"""Threads that share a compiled call: each part is done once, by whoever is free; nobody waits for those who sleep."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from waiting import PATIENCE, until

from sims.kernels.cpu import helpers, openmp, team, threads
from sims.kernels.cpu.compiled import compiled
from sims.kernels.cpu.team import each

LONG = 1e6  # µs: helpers are woken for it


@pytest.fixture(autouse=True)
def three_helpers(monkeypatch):
    """However many cores there are, and of ours even where torch has threads."""
    monkeypatch.setattr(openmp, "_left", True)
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    threads.limit(None)
    yield
    threads.limit(None)
    until(lambda: not helpers._boxes[:, team.STATE].any())  # all sleep again


@compiled
def _count(first, last, calls, edges):
    for k in range(first, last):
        calls[k] += 1
    if last > first:
        edges[first] = last


@compiled
def counted(calls, edges, unit, parts, boxes):
    each(_count, (calls, edges), calls.size, unit, parts, boxes)


@pytest.mark.parametrize("several", [0, 1, 3])
def test_each_index_is_worked_on_once_in_parts_cut_at_units(several):
    for size in (0, 1, 7, 63, 64, 65, 1000):
        for unit in (1, 8, 64):
            for parts in (1, 2, 3, 16, 2000):
                calls, edges = np.zeros(size, np.int64), np.zeros(size + 1, np.int64)
                _, boxes = helpers.team(LONG)
                counted(calls, edges, unit, parts, boxes[:several])
                assert np.all(calls == 1)
                starts = np.flatnonzero(edges)
                assert len(starts) <= parts
                assert all(k % unit == 0 for k in starts)
                assert all(edges[k] - k >= unit for k in starts) or size < unit


@compiled
def _meet(first, last, seen):
    """Wait until somebody does the other part at the same time."""
    here, there = seen.ctypes.data + 8 * first, seen.ctypes.data + 8 * (1 - first)
    team._write(here, 1)
    for _ in range(2**20):
        if team._read(there):
            return
        team._offer()
    team._write(here, -1)


@compiled
def met(seen, parts, boxes):
    each(_meet, (seen,), 2, 1, parts, boxes)


def test_two_threads_work_at_the_same_time():
    def together():
        seen = np.zeros(2, np.int64)
        met(seen, 2, helpers.team(LONG)[1][:1])
        return seen.tolist() == [1, 1]

    until(together)  # a helper may fall asleep at the moment at which it is asked


@compiled
def _fail(first, last, wrong):
    if first == wrong:
        raise ValueError("a part")


@compiled
def failing(wrong, parts, boxes):
    each(_fail, (wrong,), 40, 1, parts, boxes)


def test_an_error_in_a_part_is_not_lost():
    for wrong in range(40):
        _, boxes = helpers.team(LONG)
        with pytest.raises(MemoryError):
            failing(wrong, 40, boxes)
    failing(-1, 40, boxes)


def test_many_threads_of_python_may_share_the_same_helpers(monkeypatch):
    monkeypatch.setattr(helpers, "_team", [])  # which all of them find missing at once
    wrong = []

    def work():
        for _ in range(300):
            calls, edges = np.zeros(500, np.int64), np.zeros(501, np.int64)
            counted(calls, edges, 1, 16, helpers.team(LONG)[1])
            wrong.extend(np.flatnonzero(calls != 1))

    several = [threading.Thread(target=work) for _ in range(5)]
    for thread in several:
        thread.start()
    for thread in several:
        thread.join(PATIENCE)
    assert wrong == []
    assert len(helpers._team) == 3


def test_helpers_are_woken_for_long_work_and_where_calls_follow_each_other(monkeypatch):
    def woken():
        return helpers._boxes[0, team.STATE] != team.ASLEEP

    assert helpers.team(helpers.SHORTEST / 2)[0] == 1
    helpers.team(helpers.SHORTEST)
    assert not woken()
    helpers.team(helpers.WORTH_WAKING + 1)
    assert woken()
    until(lambda: not woken())
    monkeypatch.setattr(helpers, "SOON", float(PATIENCE))
    helpers.team(helpers.SHORTEST)
    assert woken()


def test_who_has_nothing_to_do_sleeps():
    helpers.team(LONG)
    until(lambda: not helpers._boxes[:, team.STATE].any())
    before = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - before < 0.1


def test_of_one_thread_there_is_nobody_else():
    threads.limit(1)
    helpers.team(LONG)
    assert helpers.team(LONG)[1].shape == (0, team.WORDS)


@pytest.fixture
def three_of_openmp(monkeypatch):
    """As many threads of torch's, if it has OpenMP's."""
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(openmp, "_left", False)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    if not openmp.threads():
        pytest.skip("torch has no threads of OpenMP here")
    yield torch
    torch.set_num_threads(before)


def test_where_torch_has_threads_they_are_the_helpers(three_of_openmp):
    parts, boxes = helpers.team(LONG)
    assert boxes[:, [team.STATE, team.JOB]].tolist() == [[team.OPENMP, 3]]
    for size in (1, 65, 1000):
        calls, edges = np.zeros(size, np.int64), np.zeros(size + 1, np.int64)
        counted(calls, edges, 8, parts, boxes)
        assert np.all(calls == 1)
    seen = np.zeros(2, np.int64)
    met(seen, 2, boxes)
    assert seen.tolist() == [1, 1]
    with pytest.raises(MemoryError):
        failing(17, 40, boxes)
    three_of_openmp.set_num_threads(1)
    assert helpers.team(LONG)[1].shape == (3, team.WORDS)


def test_a_forked_child_leaves_them_alone(three_of_openmp):
    helpers._forget()
    assert helpers.team(LONG)[1].shape == (3, team.WORDS)


FORK = """
import os, threading, warnings
import numpy as np
from sims.aggregators import Mean
from sims.kernels.cpu import threads

warnings.simplefilter("ignore")  # of Python, that there are threads
threads.count = lambda: 4
x = np.ones((20, 100_000), np.float32)
for _ in range(30):
    Mean().aggregate(x)
child = os.fork()
for _ in range(30):
    assert np.all(Mean().aggregate(x) == 1)
if child == 0:
    os._exit(sum(thread.name == "helper" for thread in threading.enumerate()))  # those of the parent are not among them
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_forked_child_has_helpers_of_its_own():
    subprocess.run([sys.executable, "-c", FORK], check=True, timeout=PATIENCE)
