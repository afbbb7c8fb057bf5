"""Results of a statement are computed once in a run of several processes, and are the same for all of them."""

from __future__ import annotations

from dataclasses import replace

import perform
import pytest

from byzcheck.run import Outcome, Task
from sims.checks.evidence import Evidence

STEM = "remark_5_rate"


def made(task: Task) -> Outcome:
    return Outcome(task, (Evidence("a number", 0.1, "<=", 1, "exact"),), 2, 0.5)


@pytest.fixture
def done(monkeypatch, tmp_path):
    """The tasks that were performed, by processes that share a folder and have nothing else."""
    tasks: list[Task] = []
    monkeypatch.setattr(perform, "SHARED", [tmp_path])
    monkeypatch.setattr(perform, "perform", lambda task, options: (tasks.append(task), made(task))[1])
    yield tasks
    perform.results.cache_clear()


def another_process():
    perform.results.cache_clear()
    return perform.results(STEM)


def test_another_process_finds_what_one_computed(done):
    first = another_process()
    assert done == [outcome.task for outcome in first.outcomes]
    assert another_process() == first
    assert len(done) == len(first.outcomes)


def test_of_a_run_of_one_process_nothing_is_kept(done, monkeypatch, tmp_path):
    monkeypatch.setattr(perform, "SHARED", [])
    first = another_process()
    assert another_process() == replace(first)
    assert len(done) == 2 * len(first.outcomes)
    assert list(tmp_path.iterdir()) == []


def test_what_another_process_has_half_written_is_not_read(done, tmp_path):
    (tmp_path / f"{STEM}.12345").write_bytes(b"half")
    assert another_process().outcomes
    assert (tmp_path / f"{STEM}.pickle").exists()
