"""What is kept of compiled code: found again, never taken for something else, and never a reason to fail."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sims import backend
from sims.kernels.cpu import compiled, random
from sims.kernels.cpu.compiled import _Files

ROOT = Path(__file__).parents[1]


@pytest.fixture
def files(tmp_path):
    return _Files(str(tmp_path), "function-7.py311", "stamp")


def test_what_is_kept_is_found_again(files, tmp_path):
    assert files.load("a") is None
    files.save("a", ("code", 1))
    files.save("b", ("code", 2))
    assert files.load("a") == ("code", 1)
    assert files.load("b") == ("code", 2)
    files.save("a", ("code", 3))
    assert files.load("a") == ("code", 3)
    assert len(list(tmp_path.iterdir())) == 2


def test_two_processes_that_keep_something_at_once_do_not_share_a_file(files, tmp_path):
    """Numba's own numbers would: both look, both find number 1 free, both take it."""
    other = _Files(str(tmp_path), "function-7.py311", "stamp")
    assert files._path("a") != other._path("b")
    files.save("a", "code of a")
    other.save("b", "code of b")
    assert (other.load("a"), files.load("b")) == ("code of a", "code of b")


def test_a_file_for_another_signature_is_missing(files):
    files.save("a", "code of a")
    os.rename(files._path("a"), files._path("b"))
    assert files.load("b") is None


def test_a_file_that_is_cut_off_or_changed_is_missing(files):
    files.save("a", "code of a")
    path = Path(files._path("a"))
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert files.load("a") is None, size
        path.write_bytes(whole[:size] + bytes([whole[size] ^ 1]) + whole[size + 1 :])
        assert files.load("a") is None, size
    path.write_bytes(whole)
    assert files.load("a") == "code of a"


def test_a_file_of_other_sources_is_missing(files, tmp_path):
    files.save("a", "code of a")
    assert _Files(str(tmp_path), "function-7.py311", "another stamp").load("a") is None


@pytest.mark.parametrize("changed", ["kernels/entry.py", "kernels/cpu/a.py", "kernels/cuda/deep/b.py", "backend.py"])
def test_the_stamp_changes_with_any_file_of_the_kernels(tmp_path, monkeypatch, changed):
    paths = [tmp_path / name for name in ("kernels/cpu/compiled.py", "kernels/entry.py", "backend.py", changed)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("A = 1\n")
    (tmp_path / "other.py").write_text("")
    monkeypatch.setattr(compiled, "__file__", str(paths[0]))
    monkeypatch.setattr(backend, "__file__", str(paths[2]))

    def stamp():
        compiled._stamp.cache_clear()
        return compiled._stamp()

    before = stamp()
    (tmp_path / "other.py").write_text("A = 2\n")
    assert stamp() == before
    (tmp_path / changed).write_text("A = 2\n")
    assert stamp() != before
    monkeypatch.undo()
    assert random._draw._cache._cache_file._source_stamp == stamp()


def test_where_nothing_can_be_kept_nothing_is(tmp_path):
    files = _Files(str(tmp_path / "there is no such folder"), "function-7.py311", "stamp")
    files.save("a", "code of a")
    assert files.load("a") is None


def ask(program, **environment):
    run = [sys.executable, "-c", program]
    return subprocess.Popen(run, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, text=True)


MEDIANS = (
    "import numpy as np; from sims.aggregators import CoordinateMedian\n"
    "for n in {sizes}:\n"
    "    x = np.arange(n * 2**17.0).reshape(n, -1) % 1009\n"
    "    print(n, np.array_equal(CoordinateMedian().aggregate(x), np.median(x, axis=0)))\n"
)


def test_processes_that_compile_at_the_same_time(tmp_path):
    """Each for a number of workers of its own and for one of both; then a third finds all that they kept."""
    cache = {"NUMBA_CACHE_DIR": str(tmp_path)}
    pair = [ask(MEDIANS.format(sizes=sizes), **cache) for sizes in ((2, 3), (3, 4))]
    for process in pair:
        assert "False" not in process.communicate()[0]
        assert process.returncode == 0
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc") if "_run" in path.name}
    assert len(kept) == 3
    third = ask(MEDIANS.format(sizes=(2, 3, 4)), **cache)
    assert third.communicate()[0].split() == ["2", "True", "3", "True", "4", "True"]
    assert kept == {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc") if "_run" in path.name}


UNCOMPILED = """
import numpy as np
from sims import kernels
from sims.aggregators import CenteredClipping
from sims.by_name.register import REGISTER
from sims.engine import Streams, simulate
from sims.optimizers import SGD, RobustSGD
from sims.problems import Quadratic
x = np.random.default_rng(0).normal(size=(11, 2**14))
print(kernels.pays(x), kernels.enabled())
rules = [rule for kind in REGISTER["rule"] if (rule := kind.example(11, 2)) is not None]
for rule in rules:
    y, _ = rule(x, None, Streams(0, "rule").runs(0, 1))
    print(y.shape == (2**14,) and bool(np.isfinite(y).all()))
problem = Quadratic.between(0.1, 1.0, 10, sigma_sq=1.0)
e = simulate(problem, RobustSGD(CenteredClipping(1.0), SGD(0.1)), n=25, f=5, steps=300, runs=1, seed=0)
print(bool(np.isfinite(e.excess).all()))
"""


def test_where_numba_is_told_not_to_compile_the_reference_plays():
    printed = ask(UNCOMPILED, NUMBA_DISABLE_JIT="1").communicate()[0].split()
    assert printed[:2] == ["False", "False"]
    assert len(printed) > 10
    assert set(printed[2:]) == {"True"}


def test_a_full_disk_leaves_no_half_of_a_file(files, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_dump", lambda data: b"0" * 100)
    monkeypatch.setattr(files, "_open_for_write", full)
    files.save("a", "code of a")
    assert files.load("a") is None


NOWHERE = (  # neither the installation nor the home can be written to
    "from numba.core import caching as c; c.CacheImpl._locator_classes = [c.UserProvidedCacheLocator]\n"
    + MEDIANS.format(sizes=(3,))
    + "from sims.kernels.cpu.compiled import kept_in; print(*kept_in())\n"
)


def test_without_another_place_the_cache_is_among_temporary_files(tmp_path):
    own = tmp_path / f"byzcheck-{os.getuid()}"
    pair = [ask(NOWHERE, NUMBA_CACHE_DIR="", TMPDIR=str(tmp_path)) for _ in range(2)]
    for process in pair:
        right, folder, lasting = process.communicate()[0].split()[1:]
        assert (right, Path(folder).parent, lasting) == ("True", own, "False")
    assert stat.S_IMODE(own.stat().st_mode) == 0o700
    kept = {path: path.stat().st_mtime_ns for path in own.rglob("*.nbc")}
    assert kept
    assert ask(NOWHERE, NUMBA_CACHE_DIR="", TMPDIR=str(tmp_path)).communicate()[0].split()[1] == "True"
    assert kept == {path: path.stat().st_mtime_ns for path in own.rglob("*.nbc")}


def test_without_any_place_for_a_cache_rules_are_compiled_all_the_same(tmp_path):
    own_one_is_open = tmp_path / f"byzcheck-{os.getuid()}"
    own_one_is_open.mkdir()
    own_one_is_open.chmod(0o777)
    process = ask(NOWHERE, NUMBA_CACHE_DIR="", TMPDIR=str(tmp_path))
    assert process.communicate()[0].split() == ["3", "True", "None", "False"]
    assert list(own_one_is_open.iterdir()) == []


@pytest.mark.parametrize("trouble", ["nothing", "open to others", "a link", "a file", "somebody else's"])
def test_code_is_kept_only_where_nobody_else_can_write(tmp_path, monkeypatch, trouble):
    monkeypatch.setattr(compiled.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = tmp_path / f"byzcheck-{os.getuid()}"
    if trouble == "open to others":
        folder.mkdir()
        folder.chmod(0o750)
    if trouble == "a link":
        (tmp_path / "there").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "there")
    if trouble == "a file":
        folder.touch(mode=0o600)
    if trouble == "somebody else's":
        folder.mkdir(mode=0o700)
        uid = os.getuid()
        monkeypatch.setattr(compiled.os, "getuid", lambda: uid + 1)
        folder.rename(tmp_path / f"byzcheck-{uid + 1}")
    assert compiled.own_folder() == (folder if trouble == "nothing" else None)
