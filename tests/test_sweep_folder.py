"""A file is there whole or not at all: on full, failing and far disks, and however a process ends."""

import errno
import io
import os
import signal
import subprocess
import sys
import threading

import pytest
from waiting import PATIENCE

from sims.sweep import folder
from sims.sweep.folder import LocalFolder, RemoteFolder, open_folder

OLD, NEW = b"old" * 1000, b"new" * 1001
CALLS = ("mkdir", "open", "write", "fsync", "close", "replace")
FSSPEC = pytest.importorskip("fsspec")


def run(program, *arguments, before=()):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [*before, sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)


class Faults:
    """Counts the calls of the operating system, and lets one of them fail, after its effect or before."""

    def __init__(self, monkeypatch, at=None, error=errno.ENOSPC, after=False):
        self.counts = dict.fromkeys(CALLS, 0)
        self.at, self.error, self.after = at, error, after
        for name in CALLS:
            monkeypatch.setattr(os, name, self.counted(name, getattr(os, name)))

    def counted(self, name, call):
        def counted(*arguments, **options):
            self.counts[name] += 1
            failing = (name, self.counts[name]) == self.at
            if not failing or self.after or name == "close":  # a number is free again even if closing it fails
                answer = call(*arguments, **options)
                if not failing:
                    return answer
            raise OSError(self.error, os.strerror(self.error))

        return counted


def calls_of_a_write(path):
    with pytest.MonkeyPatch.context() as patched:
        faults = Faults(patched)
        LocalFolder(path).write("a", OLD)
    return [(name, k + 1) for name, count in faults.counts.items() for k in range(count)]


def test_every_call_that_can_fail_is_made(tmp_path):
    assert {name for name, _ in calls_of_a_write(tmp_path / "new" / "results")} == set(CALLS)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_a_call_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, error, after):
    results = LocalFolder(tmp_path / "results")
    results.write("a", OLD)
    calls = calls_of_a_write(tmp_path / "results")
    assert len(calls) == 8  # open, write, fsync, close; replace; open, fsync, close
    for at in calls:
        if at == ("open", 1) and after:
            continue  # opened, and nobody was told its number: no system does that
        results.write("a", OLD)
        with pytest.MonkeyPatch.context() as patched:
            Faults(patched, at, error, after)
            with pytest.raises(OSError, match=os.strerror(error)) as told:
                results.write("a", NEW)
        assert str(told.value) == f"cannot write into {results}: {os.strerror(error)}"
        assert told.value.errno == error
        assert results.names() == ["a"]
        there = at[1] == 2 or (at[0] == "replace" and after)  # the second of each kind is about the folder
        assert results.read("a") == (NEW if there else OLD)
        results.write("a", NEW)
        assert results.read("a") == NEW


@pytest.mark.parametrize("call", ["mkdir", "open", "fsync"])
def test_a_folder_that_cannot_be_made_is_said(tmp_path, monkeypatch, call):
    results = LocalFolder(tmp_path / "new" / "results")
    with monkeypatch.context() as patched:
        Faults(patched, (call, 1))
        with pytest.raises(OSError, match=f"cannot write into {results}: No space left on device"):
            results.write("a", NEW)
    results.write("a", NEW)
    assert results.read("a") == NEW


def test_what_is_written_in_pieces_is_whole(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda number, data: write(number, bytes(data[:7])))
    LocalFolder(tmp_path).write("a", NEW)
    assert LocalFolder(tmp_path).read("a") == NEW


def test_signals_do_not_disturb_a_write(tmp_path):
    noticed = []
    before = signal.signal(signal.SIGALRM, lambda *_: noticed.append(1))
    signal.setitimer(signal.ITIMER_REAL, 1e-3, 1e-3)
    try:
        content = os.urandom(1 << 22)
        while len(noticed) < 20:
            LocalFolder(tmp_path).write("a", content)
            assert LocalFolder(tmp_path).read("a") == content
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert LocalFolder(tmp_path).names() == ["a"]


def test_a_folder_that_cannot_be_synchronized_is_no_failure(tmp_path, monkeypatch):
    Faults(monkeypatch, ("fsync", 2), errno.EINVAL)
    LocalFolder(tmp_path).write("a", NEW)
    assert LocalFolder(tmp_path).names() == ["a"]


def test_the_bytes_are_on_the_disk_before_the_name_and_the_name_before_the_answer(tmp_path, monkeypatch):
    order = []
    for name in ("write", "fsync", "replace"):
        call = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, name=name, call=call: (order.append(name), call(*a))[1])
    LocalFolder(tmp_path).write("a", NEW)
    assert order == ["write", "fsync", "replace", "fsync"]


KILLED = """
import os, signal, sys
from pathlib import Path
from sims.sweep.folder import LocalFolder
call, count = sys.argv[2], int(sys.argv[3])
whole = getattr(os, call)
def last(*arguments):
    global count
    count -= 1
    if count == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(*arguments)
setattr(os, call, last)
LocalFolder(Path(sys.argv[1])).write("a", b"new" * 1001)
"""


@pytest.mark.parametrize(("call", "count"), [("write", 1), ("fsync", 1), ("replace", 1), ("fsync", 2)])
def test_a_killed_write_leaves_the_old_file_or_the_new_one_and_what_it_began_is_swept_away(tmp_path, call, count):
    results = LocalFolder(tmp_path)
    results.write("a", OLD)
    assert run(KILLED, tmp_path, call, count).returncode == -signal.SIGKILL
    assert results.read("a") == (NEW if count == 2 else OLD)
    assert len(results.names()) == (1 if count == 2 else 2)
    results.sweep_leftovers()
    assert results.names() == ["a"]


def test_what_somebody_else_is_writing_is_left_alone(tmp_path):
    random = "0" * 16
    dead = int(run("import os; print(os.getpid())").stdout)
    kept = [
        f".a.{folder.place()}.{os.getpid()}.{random}.tmp",
        f".a.{folder.place()}.1.{random}.tmp",  # it runs, and is somebody else's if we are not root
        f".a.elsewhere.{dead}.{random}.tmp",
        f"a.{folder.place()}.{dead}.{random}.tmp",
        ".a.tmp",
    ]
    for name in [*kept, f".a.{folder.place()}.{dead}.{random}.tmp"]:
        (tmp_path / name).touch()
    LocalFolder(tmp_path).sweep_leftovers()
    assert LocalFolder(tmp_path).names() == sorted(kept)


def test_ctrl_c_leaves_nothing_lying_about(tmp_path, monkeypatch):
    def interrupted(number):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        LocalFolder(tmp_path).write("a", NEW)
    assert LocalFolder(tmp_path).names() == []


def test_no_file_number_is_lost(tmp_path):
    results = LocalFolder(tmp_path)
    results.write("a", OLD)
    (tmp_path / "b").mkdir()
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    if before is None:
        pytest.skip("open files are counted in /proc")
    for at in calls_of_a_write(tmp_path):
        with pytest.MonkeyPatch.context() as patched:
            Faults(patched, at)
            with pytest.raises(OSError, match="No space"):
                results.write("a", NEW)
    with pytest.raises(OSError, match="no file"):
        results.read("b")
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("kind", ["file", "dangling link", "below a file"])
def test_a_folder_that_is_none_is_refused(tmp_path, kind):
    path = tmp_path / "a"
    if kind == "dangling link":
        path.symlink_to(tmp_path / "nowhere")
    else:
        path.write_bytes(b"")
    results = LocalFolder(path / "b" if kind == "below a file" else path)
    if kind != "dangling link":
        with pytest.raises(ValueError, match=f"kept in a folder, and {results} is none"):
            results.names()
    with pytest.raises(ValueError, match=f"kept in a folder, and {results} is none"):
        results.write("a", NEW)


def test_a_folder_that_may_not_be_listed_is_said(tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "listdir", refused)
    with pytest.raises(OSError, match=rf"^cannot read {tmp_path}: Permission denied$"):
        LocalFolder(tmp_path).names()


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a")
    with pytest.raises(OSError, match="no file, but something else"):
        LocalFolder(tmp_path).read("a")


@pytest.fixture(params=["path", "file", "memory", "fsspec+file", "mock"])
def anywhere(request, tmp_path):
    where = tmp_path / "new" / "results"
    uris = {"path": where, "file": where.as_uri(), "memory": f"memory://{tmp_path}", "mock": "mock:///new/results"}
    yield open_folder(uris.get(request.param, f"fsspec+{where.as_uri()}"))
    if request.param == "memory":
        FSSPEC.filesystem("memory").rm(str(tmp_path), recursive=True)


def test_every_folder_is_written_listed_and_read_alike(anywhere):
    assert anywhere.names() == []
    anywhere.remove("a")
    anywhere.write("a", OLD)
    anywhere.write("b", OLD)
    anywhere.write("a", NEW)
    anywhere.below("c").write("d", OLD)
    assert anywhere.names() == ["a", "b", "c"]
    assert anywhere.read("a") == NEW
    assert anywhere.below("c").names() == ["d"]
    anywhere.remove("a")
    assert anywhere.names() == ["b", "c"]
    with pytest.raises(OSError):  # noqa: PT011, each system has its own words
        anywhere.read("a")
    with pytest.raises(OSError):  # noqa: PT011
        anywhere.read("c")
    with pytest.raises(ValueError, match=r"kept in a folder, and .*/b is none"):
        anywhere.below("b").names()


def test_what_dead_processes_left_is_swept_away_everywhere(anywhere):
    dead = int(run("import os; print(os.getpid())").stdout)
    anywhere.write("a", NEW)
    anywhere.write(f".a.{folder.place()}.{dead}.{'0' * 16}.tmp", NEW)
    anywhere.sweep_leftovers()
    assert anywhere.names() == ["a"]


@pytest.mark.parametrize("call", ["create_dir", "open_output_stream", "write", "move"])
def test_a_far_folder_that_fails_keeps_the_old_file_and_says_so(call):
    results = open_folder("mock:///results")
    assert isinstance(results, RemoteFolder)
    results.write("a", OLD)
    system = results.system

    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    class Failing:
        def __getattr__(self, name):
            def failed(*arguments, **options):
                if call == "write" and name == "open_output_stream":
                    getattr(system, name)(*arguments, **options).close()
                    return Full()
                if name == call:
                    raise OSError(errno.ENOSPC, "No space left on device")
                return getattr(system, name)(*arguments, **options)

            return failed

    results.system = Failing()  # pyright: ignore
    with pytest.raises(OSError, match=r"^cannot write into mock:///results: No space left on device$"):
        results.write("a", NEW)
    results.system = system
    assert (results.names(), results.read("a")) == (["a"], OLD)


def test_a_listing_is_not_an_old_one(tmp_path):
    here, there = (open_folder(f"fsspec+file://{tmp_path}") for _ in range(2))
    assert here.names() == []
    there.write("a", NEW)
    assert here.names() == ["a"]


@pytest.mark.parametrize("uri", ["nothing-like-it://a/b", "fsspec+nothing://a", "nothing://user:secret@a/b"])
def test_an_unknown_kind_of_place_is_refused_by_name_without_its_password(uri):
    with pytest.raises(ValueError, match=r"neither pyarrow nor fsspec opens .*nothing") as told:
        open_folder(uri)
    assert "secret" not in str(told.value)


def test_many_threads_write_the_same_file(tmp_path):
    contents = [bytes([k]) * 5000 for k in range(8)]
    threads = [threading.Thread(target=LocalFolder(tmp_path / "r").write, args=("a", content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert LocalFolder(tmp_path / "r").names() == ["a"]
    assert LocalFolder(tmp_path / "r").read("a") in contents
