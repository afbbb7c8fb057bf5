"""`byzcheck warm`: what it compiles, what it says, and that the program alone says that code is compiled."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from invoke import call, refused

from byzcheck import __main__ as program
from byzcheck import warm
from sims.by_name.register import examples
from sims.kernels import pays
from sims.kernels.cpu import note


@pytest.fixture
def named(monkeypatch):
    """Two pieces in the place of all, and the list of those that were compiled."""
    done: list[str] = []
    monkeypatch.setattr(warm, "pieces", lambda *given: [(name, lambda name=name: done.append(name)) for name in "ab"])
    return done


def test_every_rule_is_used_on_messages_that_are_compiled_for(monkeypatch):
    seen = []
    for kind in {type(rule) for rule in examples(25, 5).values()}:
        monkeypatch.setattr(kind, "__call__", lambda self, x, state, rng: seen.append((self, x)))
    names = [name for name, use in warm.pieces(25, 5, "rules") if use() is None]
    assert names == [f"{rule}, {dtype}" for dtype in ("float32", "float64") for rule in examples(25, 5)]
    assert all(pays(x) and x.shape[-2] == 25 for _, x in seen)
    assert {x.dtype for _, x in seen} == {np.dtype("float32"), np.dtype("float64")}


def test_rounds_are_played_by_every_part_that_has_compiled_ones(monkeypatch):
    played = []
    monkeypatch.setattr(warm, "play", played.append)
    names = {name for name, play in warm.pieces(25, 5, "rounds") if play() is None}
    for part in ("Quadratic", "TrimmedMean", "Krum", "CenteredClipping", "SGD", "WorkerMomentum", "BitFlipping"):
        assert f"rounds with {part}" in names
    assert "rounds with LabelFlipping" not in names  # which needs labels
    assert all(warm.compiled(e) and e.runs == 1 for e in played)
    assert not [name for name, _ in warm.pieces(3, 1, "rounds") if "Krum" in name]  # it is not defined for three


def test_what_it_says(named, monkeypatch, tmp_path):
    monkeypatch.setattr(warm, "kept", lambda: warm.Kept(tmp_path, 2, 3_000_000, True))
    first, second = call("warm", columns=500).stdout.splitlines()
    assert named == ["a", "b"]
    assert first.startswith("2 rules and rounds ready, after ")
    assert second == f"kept in {tmp_path}: 2 files, 3.0 MB"
    monkeypatch.setattr(warm, "kept", lambda: warm.Kept(None, 0, 0, False))
    assert "nothing could be kept" in call("warm").stdout


def test_where_it_is_kept():
    found = warm.kept()
    assert found.folder is not None
    assert found.lasting
    assert found.files == len(list(found.folder.rglob("*.nbc")))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--only", "all"), "--only must be one of rules, rounds, got 'all'"),
        (("-n", 1), "warm needs n ≥ 2, got n = 1"),
        (("-n", 10, "-f", 5), "warm needs n ≤ 256 and f < n/2, got n = 10, f = 5"),
        (("-n", 257), "warm needs n ≤ 256 and f < n/2, got n = 257, f = 5"),
    ],
)
def test_refusals(arguments, sentence):
    assert refused("warm", *arguments) == sentence


def test_where_numba_is_told_not_to_compile_it_says_so():
    command = [sys.executable, "-m", "byzcheck", "warm"]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(command, cwd=Path(__file__).parents[1], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "byzcheck: nothing is compiled where NUMBA_DISABLE_JIT is set\n"


def test_the_program_and_its_workers_say_that_code_is_compiled(monkeypatch):
    monkeypatch.delenv(note.SAYS, raising=False)
    monkeypatch.setattr(program, "_run", lambda: 0)
    monkeypatch.setattr(program.signal, "signal", lambda *given: None)
    with pytest.raises(SystemExit):
        program.main()
    assert os.environ.pop(note.SAYS) == "1"
