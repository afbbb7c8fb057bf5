"""While code is compiled, a person is told so once, and how long it took the last time."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from waiting import until

from sims.kernels.cpu import note
from sims.kernels.cpu.note import Note
from sims.sweep.schedulers import scheduler


@pytest.fixture
def told(tmp_path, monkeypatch):
    """A note whose seconds are kept in a folder of its own, and a clock to set."""
    clock = [100.0]
    monkeypatch.setattr(note.time, "perf_counter", lambda: clock[0])
    monkeypatch.setenv(note.SAYS, "1")
    return Note(tmp_path / "seconds.txt"), clock


def compiles(one, clock, seconds, inner=0):
    one.on_start(None)
    for _ in range(inner):
        one.on_start(None)
        clock[0] += seconds / 2 / inner
        one.on_end(None)
    clock[0] += seconds / 2 if inner else seconds
    one.on_end(None)


def test_it_is_said_once_and_the_seconds_are_kept(told, capsys):
    one, clock = told
    compiles(one, clock, 4.0)
    clock[0] += 1000  # what runs in between is no compilation
    compiles(one, clock, 3.0, inner=5)
    assert capsys.readouterr().err == "byzcheck: compiling for this machine, once\n"
    assert one.kept.read_text(encoding="ascii") == "7.0\n"
    compiles(Note(one.kept), clock, 1.0)
    assert capsys.readouterr().err == "byzcheck: compiling for this machine, once (the last time it took 7 s)\n"


@pytest.mark.parametrize("content", ["", "soon", "\xff"])
def test_what_cannot_be_read_or_written_does_not_matter(told, capsys, content):
    one, clock = told
    one.kept.write_text(content, encoding="latin-1")
    compiles(one, clock, 1.0)
    assert capsys.readouterr().err == "byzcheck: compiling for this machine, once\n"
    nowhere = Note(one.kept / "file")
    compiles(nowhere, clock, 1.0)
    assert "compiling" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["", None])
def test_whoever_uses_the_library_is_told_nothing(told, capsys, monkeypatch, value):
    monkeypatch.setenv(note.SAYS, value) if value is not None else monkeypatch.delenv(note.SAYS)
    one, clock = told
    compiles(one, clock, 1.0)
    assert capsys.readouterr().err == ""


def test_a_real_compilation_says_so_and_a_cached_one_does_not(tmp_path):
    text = """
from sims.kernels.cpu import note
from sims.kernels.cpu.compiled import compiled

@compiled
def twice(x):
    return 2 * x

assert twice(2.0) == 4.0
"""
    (tmp_path / "doubling.py").write_text(text, encoding="utf-8")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), note.SAYS: "1"}
    said = []
    for _ in range(2):
        command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import doubling"]
        said.append(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr)
    assert re.fullmatch(r"byzcheck: compiling for this machine, once( \(the last time it took \d+ s\))?\n", said[0])
    assert said[1] == ""


def speaks(alone):
    """In a worker, once all have come: its number, and whether it would say that it compiles."""
    alone.mkdir()
    until(lambda: len(list(alone.parent.iterdir())) == 3)
    return os.getpid(), note.SAYS in os.environ


def test_of_several_workers_one_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv(note.SAYS, "1")
    with scheduler("local", 3).open() as workers:
        found = dict(workers.map(speaks, (tmp_path / str(k) for k in range(3))))
    assert sorted(found.values()) == [False, False, True]
