"""Files that are spoilt or cannot be written: one sentence, and what was there stays."""

from __future__ import annotations

import json
import os
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import sweeping
from invoke import call, everything, make_checkout, refused

from byzcheck import checkout as recorded
from figures.picture import save

BOTH = ("definition_x_die", "theorem_y_coin")


@pytest.fixture
def checkout(monkeypatch, tmp_path):
    """An empty checkout around tiny statements."""
    return make_checkout(monkeypatch, tmp_path, *BOTH)


SPOILT = ["{}", "[]", "null", "[" * 100_000, '{"statements": [], "schema": 2}', "\xff", ""]


@pytest.mark.parametrize("text", SPOILT, ids=range(len(SPOILT)))
@pytest.mark.parametrize("command", [("list",), ("show", "theorem_y_coin"), ("verify", "--check")])
def test_a_spoilt_record_is_one_sentence(checkout, command, text):
    recorded.RECORDED.write_bytes(text.encode("latin-1"))
    assert "theory/recorded.json" in refused(*command)


def spoilt_within(record):
    """A record with one thing taken out of it or replaced by something of another type, again and again."""
    for stem, statement in record["statements"].items():
        for name in recorded.PARTS:
            yield {**record, "statements": {stem: {one: part for one, part in statement.items() if one != name}}}
            yield {**record, "statements": {stem: {**statement, name: 7}}}
        for name in ("claims", "controls", "evidence", "parts"):
            empty = [{}] if isinstance(statement[name], list) else {"x": {}}
            yield {**record, "statements": {stem: {**statement, name: empty}}}
        yield {**record, "statements": {stem: None}}


def test_a_record_that_lacks_something_is_one_sentence(checkout):
    call("verify", "--jobs", 1, "--write")
    record = json.loads(recorded.RECORDED.read_text(encoding="utf-8"))
    call("list")
    tried = 0
    for spoilt in spoilt_within(record):
        recorded.RECORDED.write_text(json.dumps(spoilt), encoding="utf-8")
        assert "that can be read" in refused("list")
        tried += 1
    assert tried > 25


def test_a_figure_that_cannot_be_written_leaves_the_old_ones(tmp_path, monkeypatch):
    figure = plt.figure()
    for kind in ("png", "svg"):
        (tmp_path / f"a.{kind}").write_text("old", encoding="utf-8")
    write = Path.write_bytes

    def full(path, data):
        if ".svg" in path.name:
            write(path, data[:10])
            raise OSError(28, "No space left on device", str(path))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        save(figure, tmp_path / "a")
    plt.close(figure)
    found = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert found == {"a.png": "old", "a.svg": "old"}


def test_figures_are_not_drawn_into_a_folder_without_a_name():
    assert refused("figures", "--out", "") == "--out needs the name of a folder, got an empty text"


@pytest.fixture
def swept(tmp_path, monkeypatch):
    """A folder with a sweep whose results are there."""
    monkeypatch.chdir(tmp_path)
    sweeping.sweep(tmp_path, ['name = "Mean"'], seed="[0, 1]")
    call("sweep", "run", "sweep.toml", "--jobs", 1)
    return tmp_path


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv", "a.json", "a.parquet", "a.csv --seeds"])
def test_a_table_that_cannot_be_written_leaves_the_old_one(swept, monkeypatch, name):
    name, *options = name.split()
    call("sweep", "table", "sweep.toml", "--out", name, *options)
    assert (swept / name).stat().st_size > 9
    (swept / name).write_text("old", encoding="utf-8")
    before = sorted(os.listdir(swept))

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in refused("sweep", "table", "sweep.toml", "--out", name, *options)
    assert (swept / name).read_text(encoding="utf-8") == "old"
    assert sorted(os.listdir(swept)) == before


@pytest.mark.parametrize("command", ["sweep run", "sweep plan", "sweep status", "sweep table", "sweep plot", "train"])
def test_results_lie_in_no_folder_without_a_name(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    sweeping.sweep(tmp_path, ['name = "Mean"'])
    before = everything(tmp_path)
    said = "needs a text where of at least 1 character, got where = ''"
    assert said in refused(*command.split(), "sweep.toml", "--results", "")
    assert everything(tmp_path) == before
