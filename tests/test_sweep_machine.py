"""What numbers depend on besides the program: the processor, the libraries, and the commit."""

import importlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sims
from sims.sweep.machine import commit, this_machine

module = importlib.import_module("sims.sweep.machine")


@pytest.fixture
def fresh():
    yield this_machine.cache_clear()
    this_machine.cache_clear()


@pytest.fixture
def checkout(tmp_path):
    commit.cache_clear()

    def git(*words):
        plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        who = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
        answer = subprocess.run(["git", "-C", tmp_path, *who, *words], env=plain, capture_output=True, check=True)
        return answer.stdout.decode().strip()

    git("init", "--quiet")
    (tmp_path / "a.py").write_text("a = 1\n", encoding="utf-8")
    git("add", "a.py")
    git("commit", "--quiet", "-m", "first")
    return git


def test_it_is_json_and_names_processor_libraries_and_their_versions():
    found = json.loads(json.dumps(this_machine()))
    assert found["versions"]["numpy"] == np.__version__
    assert found["versions"]["python"] == platform.python_version()
    assert {"byzcheck", "numba", "scipy"} < found["versions"].keys()
    assert found["processor"]
    assert len(found["blas"]) == 1
    assert len(found["fingerprint"]) == 32


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="says what every x86-64 has")
def test_the_instruction_sets_are_those_that_numpy_uses_here():
    assert this_machine()["features"]
    off = this_machine()["features"][-1]
    if off in np.show_config(mode="dicts")["SIMD Extensions"]["baseline"]:
        pytest.skip("NumPy found nothing beyond what it was built for")
    ask = (
        "from sims.sweep.machine import this_machine; print(this_machine()['fingerprint'], *this_machine()['features'])"
    )
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": off, "PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=True)
    fingerprint, *features = answer.stdout.split()
    assert off not in features
    assert fingerprint != this_machine()["fingerprint"]


def test_the_fingerprint_does_not_depend_on_the_host_or_on_what_was_imported_before():
    ask = "import scipy.linalg, platform; platform.node = lambda: 'other'; "
    ask += "from sims.sweep.machine import this_machine as m; print(m()['host'], m()['fingerprint'])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    answer = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["other", this_machine()["fingerprint"]]


@pytest.mark.parametrize("part", ["processor", "features", "blas"])
def test_another_part_is_another_fingerprint(fresh, monkeypatch, part):
    before = this_machine()["fingerprint"]
    this_machine.cache_clear()
    monkeypatch.setattr(module, part, lambda: "another")
    assert this_machine()["fingerprint"] != before


def test_a_processor_whose_model_nobody_tells_has_the_name_of_its_architecture(monkeypatch):
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "processor : 0\n")
    assert module.processor() == (platform.processor() or platform.machine())


def test_the_commit_is_that_of_the_checkout_with_a_mark_if_files_differ(checkout, tmp_path, monkeypatch):
    first = checkout("rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))  # as in a hook
    assert commit(tmp_path) == first
    commit.cache_clear()
    (tmp_path / "b.py").write_text("b = 1\n", encoding="utf-8")
    assert commit(tmp_path) == f"{first}+changes"


def test_reading_the_commit_writes_nothing(checkout, tmp_path):
    index = tmp_path / ".git" / "index"
    os.utime(tmp_path / "a.py", (1, 1))  # git would write down that it looked
    before = index.read_bytes()
    assert commit(tmp_path) == checkout("rev-parse", "HEAD")
    assert index.read_bytes() == before


def test_a_folder_inside_a_checkout_is_none(checkout, tmp_path):
    inner = tmp_path / "site-packages"
    inner.mkdir()
    assert commit(inner) is None


def test_without_git_there_is_no_commit(checkout, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit(tmp_path) is None


def test_ours_is_that_of_the_folder_that_sims_is_in():
    assert Path(sims.__file__).resolve().parents[1] == module.ROOT
