"""The command line: what it refuses, in one sentence, leaving every file as it was."""

from __future__ import annotations

import os
import sys

import pytest
import tiny_statements as tiny
from invoke import everything, make_checkout, refused, verify

from byzcheck.commands import errors
from byzcheck.files import write_all

BOTH = ("definition_x_die", "theorem_y_coin")


@pytest.fixture
def paper(monkeypatch):
    """Put tiny statements in the place of the paper's."""
    tiny.in_place_of_the_paper(monkeypatch, *BOTH)
    return tiny.install


@pytest.fixture
def checkout(monkeypatch, tmp_path):
    """An empty checkout around the tiny statements."""
    return make_checkout(monkeypatch, tmp_path, *BOTH)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("verify", "--only", "theorem_z"), "unknown statement 'theorem_z'; did you mean theorem_y_coin?"),
        (("verify", "--only", ","), "--only names no statement"),
        (("show", "nothing at all"), "unknown statement 'nothing at all'"),
        (("verify", "--budget", "huge"), "budget must be one of quick, default, full, got 'huge'"),
        (("verify", "--jobs", "0"), "jobs must be ≥ 1, got 0"),
        (("verify", "--seed", "-1"), "seed must be ≥ 0, got -1"),
        (("verify", "--backend", "abacus"), "backend must be one of numpy, cupy, got 'abacus'"),
        (("verify", "--write", "--check"), "--write and --check exclude each other"),
        (("verify", "--write", "--seed", "1"), "--write needs the default budget, seed 0 and backend numpy"),
        (("verify", "--write", "--only", "theorem_y"), "no verdicts are recorded"),
        (("verify", "--check"), "no verdicts are recorded"),
        (("verify", "--json", "nowhere/run.json"), "cannot write into"),
        (("verify", "--json", "theory"), "theory is a folder, not a file"),
        (("figures", "theorem_y"), "theorem_y_coin has no figure"),
    ],
)
def test_refusals(checkout, monkeypatch, arguments, sentence):
    monkeypatch.chdir(checkout)
    before = everything(checkout)
    assert sentence in refused(*arguments)
    assert everything(checkout) == before


def test_cupy_without_cupy(paper, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert "backend cupy needs CuPy" in refused("verify", "--backend", "cupy")


@pytest.mark.parametrize("command", [("verify",), ("list",), ("show", "theorem_n_nowhere")])
def test_a_statement_that_does_not_import(paper, command):
    paper("definition_x_die", "theorem_n_nowhere")
    assert "theory/theorem_n_nowhere.py does not import: ModuleNotFoundError" in refused(*command)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda root: (root / "pyproject.toml").unlink(), "--write needs a checkout of the repository"),
        (lambda root: (root / "paper_checks.md").unlink(), "--write needs paper_checks.md"),
        (lambda root: (root / "paper_checks.md").write_text("bare"), "needs the markers <!-- statements: begin -->"),
        (lambda root: (root / "figures" / "data").rmdir(), "cannot write into"),
    ],
)
def test_write_where_it_cannot(checkout, spoil, sentence):
    spoil(checkout)
    before = everything(checkout)
    assert sentence in refused("verify", "--write")
    assert everything(checkout) == before


def test_a_spoilt_record(checkout):
    (checkout / "theory/recorded.json").write_text("{", encoding="utf-8")
    assert "theory/recorded.json is not JSON" in refused("verify", "--check")


def test_a_full_disk_leaves_every_file_as_it_was(tmp_path, monkeypatch):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("old", encoding="utf-8")
    second.write_text("old", encoding="utf-8")
    synced = iter((None, OSError(28, "No space left on device", "b")))

    def fsync(number):
        if error := next(synced):
            raise error

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left"):
        write_all({first: "new", second: "new"})
    assert everything(tmp_path) == {"a": "old", "b": "old"}


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ValueError("first\nsecond"), 2, "byzcheck: first second\n"),
        (OSError(28, "No space left on device", "x.json"), 2, "byzcheck: x.json: No space left on device\n"),
        (MemoryError(), 2, "byzcheck: not enough memory\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_are_one_sentence(paper, monkeypatch, error, code, words):
    def fails(*args, **kwargs):
        raise error

    monkeypatch.setattr("byzcheck.run.perform", fails)
    assert verify(code=code).stderr == words


def test_a_dead_worker_is_one_sentence(capsys):
    from concurrent.futures.process import BrokenProcessPool

    def fails():
        raise BrokenProcessPool("abruptly")

    with pytest.raises(errors.typer.Exit):
        errors.one_sentence(fails)()
    assert capsys.readouterr().err.startswith("byzcheck: a worker process ended abruptly")


def test_a_defect_keeps_its_traceback():
    def fails():
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        errors.one_sentence(fails)()
