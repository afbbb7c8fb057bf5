"""Terminals that are narrow, speak ASCII, are full or gone, and signals that end a run."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from invoke import call, refused
from rich.console import Console
from waiting import PATIENCE

from byzcheck.__main__ import Ended
from byzcheck.commands import console

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("columns", ["0", "1", "40", "", "many", "-5", "٣"])
def test_no_column_is_left_out_however_narrow_the_terminal(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    assert console.console().width >= console.LEAST
    text = call("list", columns=columns).stdout  # pyright: ignore[reportArgumentType]
    assert "Theorem I " in text
    assert "theorem_i_middle_seekers" in text


def run(*arguments: str, **options):
    command = [sys.executable, "-m", "byzcheck", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("environment", {})}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, **options)


def test_json_is_utf_8_whatever_the_terminal_speaks():
    process = run("list", "--json", "-", stdout=subprocess.PIPE, environment={"PYTHONIOENCODING": "ascii"})
    titles = [row["title"] for row in json.loads(process.communicate()[0].decode("utf-8"))]
    assert process.returncode == 0
    assert "δ-robust optimization" in titles


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("arguments", ["list", "list --json -", "list --json /dev/full", "--version", "--help"])
def test_a_full_disk_is_one_sentence(arguments):
    with open("/dev/full", "wb") as full:
        process = run(*arguments.split(), stdout=full)
        said = process.communicate()[1].decode()
    assert process.returncode == 2
    assert said.count("\n") == 1
    assert said.startswith("byzcheck: ")
    assert "No space left on device" in said


def test_a_reader_who_leaves_is_no_error():
    process = run("list", stdout=subprocess.PIPE)
    process.stdout.close()
    assert process.communicate()[1] == b""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGINT"])
def test_a_signal_ends_a_run_as_ctrl_c_does(name):
    """No traceback, no leaked semaphores that Python would report, and the exit code that shells give."""
    number = getattr(signal, name)
    before = signal.signal(number, signal.default_int_handler)  # what is ignored, as behind nohup, stays so in children
    options = ("--jobs", "2", "--only", "algorithm_1_clipping,theorem_i_middle_seekers")  # the second one goes on
    process = run("verify", *options, stdout=subprocess.PIPE, start_new_session=True)
    signal.signal(number, before)
    first = process.stderr.readline()
    assert b"checks" in first
    process.send_signal(number)
    out, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number
    assert out == b""
    assert [line for line in said.decode().splitlines() if "check" not in line] == []


def test_a_moving_bar_gives_the_cursor_back(monkeypatch):
    """What ends a run by a signal is an exception, so that whatever was begun is undone."""
    printed = io.StringIO()
    monkeypatch.setattr(console, "console", lambda stderr=False: Console(file=printed, force_terminal=True))

    def ended():
        with console.progress({"Theorem I": 2}) as advance:
            advance("Theorem I")
            raise Ended(signal.SIGTERM)

    with pytest.raises(Ended):
        ended()
    assert printed.getvalue().count("\x1b[?25l") == printed.getvalue().count("\x1b[?25h") == 1


def test_a_mistyped_label_suggests_the_nearest():
    assert "did you mean theorem_i_middle_seekers?" in refused("show", "Theorm I")
