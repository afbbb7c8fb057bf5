"""Results survive: what is broken is missing, what is whole is found, whoever writes at the same time."""

import dataclasses
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from results import about, key, rows

from sims.sweep import Results, Scan, store
from sims.sweep.folder import place
from sims.sweep.seal import MARK, seal, unseal
from sims.sweep.unite import TEXT, unite

JOBS = (1, 2)
MASKS = (0x01, 0x20, 0x80, 0xFF)  # a letter's case too


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path / "results")


@pytest.fixture
def machines(monkeypatch):
    """Plays another machine."""

    def play(fingerprint):
        monkeypatch.setattr(store, "this_machine", lambda: {"fingerprint": fingerprint})

    return play


def as_lists(table):
    return {name: table[name].to_pylist() for name in table.column_names}


def test_what_is_written_is_found_with_all_that_is_known_about_it(results):
    name = results.write(rows(*JOBS, rule="Krum", **{"rule.tau": 2.0}), about(*JOBS))
    (kept,) = results.scan().files
    assert kept.name == name
    assert kept.jobs == tuple((key(job), key(1000 + job)) for job in JOBS)
    assert (kept.code, kept.seconds) == (about(*JOBS)["code"], 1.5)
    assert kept.machine["fingerprint"]
    assert kept.written.endswith("+00:00")
    assert results.scan().keys == {key(job): kept for job in JOBS}
    assert results.scan().by_configuration == {key(1000 + job): [kept] for job in JOBS}
    assert as_lists(results.rows(results.scan())) == as_lists(rows(*JOBS, rule="Krum", **{"rule.tau": 2.0}))


def test_a_folder_that_does_not_exist_is_empty_and_reading_makes_nothing(results, tmp_path):
    assert results.scan() == Scan()
    assert results.failures() == {}
    assert as_lists(results.rows(results.scan())) == {"key": [], "t": []}
    results.forget_failure(key(1))
    results.sweep_leftovers()
    assert list(tmp_path.iterdir()) == []


def damaged(content):
    """The file cut off at every byte, every byte of it changed, more than the file, and the file twice."""
    yield from (content[:size] for size in range(len(content)))
    for at, byte in enumerate(content):
        yield from (content[:at] + bytes([byte ^ mask]) + content[at + 1 :] for mask in MASKS)
    yield from (content + b"\0", b"\0" + content, content + content)


def test_a_file_with_one_byte_changed_or_cut_off_anywhere_is_missing_and_named(results, tmp_path):
    good = results.write(rows(*JOBS, rule="Krum"), about(*JOBS))
    whole = results.scan()
    content = (tmp_path / "results" / good).read_bytes()
    names = []
    for number, broken in enumerate(damaged(content)):
        name = f"{number:032x}.parquet"
        (tmp_path / "results" / name).write_bytes(broken)
        names.append(name)
    assert len(names) == (1 + len(MASKS)) * len(content) + 3
    found = results.scan()
    assert found.files == whole.files
    assert sorted(name for name, _ in found.broken) == names
    assert all(why for _, why in found.broken)

    # the same files, had they been whole when they were looked at
    kept = [
        dataclasses.replace(whole.files[0], name=name, jobs=((key(10**6 + k), ""),)) for k, name in enumerate(names)
    ]
    stale = Scan((*kept, *whole.files))
    assert as_lists(results.rows(stale)) == as_lists(rows(*JOBS, rule="Krum"))


def test_a_file_that_broke_or_went_since_the_scan_is_passed_over_for_another_that_has_its_jobs(
    results, machines, tmp_path
):
    names = []
    for fingerprint in "abc":
        machines(fingerprint)
        names.append(results.write(rows(*JOBS, machine=fingerprint), about(*JOBS)))
    by_name = dict(sorted(zip(names, "abc", strict=True)))
    scan = results.scan()
    for name, fingerprint in by_name.items():
        assert set(results.rows(scan)["machine"].to_pylist()) == {fingerprint}
        if fingerprint == "b":
            (tmp_path / "results" / name).unlink()
        else:
            (tmp_path / "results" / name).write_bytes(b"")
    assert results.rows(scan).num_rows == 0


def test_each_job_is_read_once_from_the_first_file_that_has_it(results, machines):
    for fingerprint in ("a", "b"):
        machines(fingerprint)
        results.write(rows(1, 2, machine=fingerprint), about(1, 2))
    results.write(rows(2, 3, machine="b"), about(2, 3))
    scan = results.scan()
    read = results.rows(scan)
    assert sorted(read["key"].to_pylist()) == [key(job) for job in (1, 1, 2, 2, 3, 3)]
    assert scan.files == tuple(sorted(scan.files, key=lambda kept: kept.name))
    assert all(scan.keys[k] == next(kept for kept in scan.files if k in dict(kept.jobs)) for k in scan.keys)
    assert set(results.rows(scan, [key(3), key(7)])["key"].to_pylist()) == {key(3)}


def test_the_same_batch_on_one_machine_is_one_file_in_any_order_of_jobs_and_on_two_it_is_two(results, machines):
    machines("a")
    assert results.write(rows(1, 2), about(1, 2)) == results.write(rows(2, 1), about(2, 1))
    assert results.write(rows(1), about(1)) != results.write(rows(1, 2), about(1, 2))
    machines("b")
    results.write(rows(1), about(1))
    assert len(results.scan().files) == 3


@pytest.mark.parametrize("jobs", [(1,), (1, 2, 3), (1, 1, 2), ()])
def test_rows_of_other_jobs_than_said_are_refused(results, jobs):
    with pytest.raises(ValueError, match=f"exactly the keys of the {len(jobs)} jobs"):
        results.write(rows(1, 2), about(*jobs))
    assert results.scan() == Scan()


def write_often(where, barrier):
    barrier.wait()
    for _ in range(20):
        Results(where).write(rows(*JOBS), about(*JOBS))


def test_the_same_batch_written_by_several_processes_at_once_is_harmless(results, tmp_path):
    processes = multiprocessing.get_context("spawn")
    barrier = processes.Barrier(3)
    writers = [processes.Process(target=write_often, args=(tmp_path / "results", barrier)) for _ in range(3)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        scan = results.scan()
        assert scan.broken == ()
        assert len(results.rows(scan)) in (0, 4)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert len(os.listdir(tmp_path / "results")) == 1
    assert as_lists(results.rows(results.scan())) == as_lists(rows(*JOBS))


FULL = """
import os, sys
sys.path[:0] = sys.argv[2:]
from results import about, key, rows
from sims.sweep import Results
results, done = Results(sys.argv[1]), 0
try:
    while True:
        results.write(rows(done, text="x" * 3000), about(done))
        done += 1
except OSError as error:
    assert str(error) == f"cannot write into {sys.argv[1]}: No space left on device", error
assert done > 3, (done, os.listdir(sys.argv[1]), os.statvfs(sys.argv[1]))
scan = results.scan()
assert set(scan.keys) == {key(job) for job in range(done)} and scan.broken == ()
assert len(results.rows(scan)) == 2 * done
assert len(os.listdir(sys.argv[1])) == done
os.remove(os.path.join(os.path.dirname(sys.argv[1]), "ballast"))
results.write(rows(done), about(done))
assert len(results.scan().keys) == done + 1
print(done)
"""


def test_a_full_disk_is_said_and_earlier_results_are_read_and_there_is_room_again(tmp_path):
    apart = ["unshare", "--user", "--map-root-user", "--mount"]
    mount = 'mount -t tmpfs -o size=64k tmpfs "$1" && head -c 8192 /dev/zero > "$1/ballast"'
    possible = (
        shutil.which("unshare")
        and not subprocess.run([*apart, "sh", "-c", mount, "sh", tmp_path], capture_output=True).returncode
    )
    if not possible:
        pytest.skip("this user may not mount a small file system (unshare, mount)")
    program = [sys.executable, "-c", FULL, tmp_path / "results", Path(__file__).parent]
    answer = subprocess.run(
        [*apart, "sh", "-c", f'{mount} && shift && exec "$@"', "sh", tmp_path, *program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    assert int(answer.stdout) > 3


def test_what_is_no_result_is_no_matter_and_what_should_be_one_is_named(results, tmp_path):
    folder = tmp_path / "results"
    good = results.write(rows(1), about(1))
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    (folder / "a.parquet").write_bytes(b"")
    (folder / f"{good}.tmp").write_bytes(b"")
    shutil.copy(folder / good, folder / "copy of it.parquet")
    names = [f"{key(job)}.parquet" for job in range(5)]
    (folder / names[0]).mkdir()
    (folder / names[1]).symlink_to(folder / "nowhere")
    os.mkfifo(folder / names[2])
    (folder / names[3]).symlink_to(folder / names[3])
    pq.write_table(rows(1), folder / names[4])
    scan = results.scan()
    assert [kept.name for kept in scan.files] == [good]
    assert dict(scan.broken).keys() == set(names)
    assert dict(scan.broken)[names[1]] == "No such file or directory"
    assert dict(scan.broken)[names[4]] == "it has no digest: cut off, or not written by byzcheck"


def test_a_link_to_a_result_is_a_result(results, tmp_path):
    good = results.write(rows(1), about(1))
    shutil.move(tmp_path / "results" / good, tmp_path / "elsewhere")
    (tmp_path / "results" / good).symlink_to(tmp_path / "elsewhere")
    assert len(results.rows(results.scan())) == 2


def test_a_file_that_may_not_be_read_is_named(results, tmp_path, monkeypatch):
    good = results.write(rows(1), about(1))
    if os.geteuid():
        (tmp_path / "results" / good).chmod(0)
    else:  # root may read everything
        refused = PermissionError(13, "Permission denied")
        monkeypatch.setattr(results.folder, "read", lambda name: (_ for _ in ()).throw(refused))
    assert results.scan().broken == ((good, "Permission denied"),)


def test_a_folder_in_the_place_of_a_result_is_said_when_it_is_written(results, tmp_path):
    good = results.write(rows(1), about(1))
    (tmp_path / "results" / good).unlink()
    (tmp_path / "results" / good).mkdir()
    with pytest.raises(OSError, match=f"cannot write into {results.folder}: Is a directory"):
        results.write(rows(1), about(1))
    assert os.listdir(tmp_path / "results") == [good]


def test_a_result_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "results").write_bytes(b"")
    with pytest.raises(ValueError, match="results are kept in a folder"):
        Results(tmp_path / "results").scan()
    with pytest.raises(ValueError, match="results are kept in a folder"):
        Results(tmp_path / "results").write(rows(1), about(1))


def test_a_file_of_a_later_format_is_named(results, tmp_path, monkeypatch):
    monkeypatch.setattr("sims.sweep.seal.FORMAT", 2)
    name = results.write(rows(1), about(1))
    monkeypatch.undo()
    assert results.scan().broken == ((name, "it has format 2, and this byzcheck reads 1"),)


def test_other_readers_get_the_types_without_an_arrow_schema(results, tmp_path):
    settings = {"rule": "Krum", "rule.tau": 1.0, "n": 5, "shuffle": True, "attack.z": None}
    table = rows(1, **settings).replace_schema_metadata({"pandas": "{}"})
    file = tmp_path / "results" / results.write(table, about(1))
    assert set(pq.read_metadata(file).metadata) == {b"byzcheck", b"byzcheck.sha256"}
    read = pq.read_table(file)
    texts, numbers = {"key": "string", "rule": "string"}, {"t": "int64", "n": "int64", "excess": "double"}
    others = {"rule.tau": "double", "shuffle": "bool", "attack.z": "null"}
    assert {field.name: str(field.type) for field in read.schema} == texts | numbers | others
    assert as_lists(read) == as_lists(table)


def test_not_a_number_and_infinity_come_back(results):
    values = [np.nan, np.inf]
    results.write(rows(1, x=pa.array(values)), about(1))
    assert np.array_equal(results.rows(results.scan())["x"].to_numpy(), values, equal_nan=True)


def test_only_the_columns_asked_for_are_read_in_their_order(results):
    results.write(rows(1, rule="Krum", **{"rule.tau": 1.0, "rule.steps": 3}), about(1))
    read = results.rows(results.scan(), columns=["rule.steps", "rule", "attack"])
    assert as_lists(read) == {"rule.steps": [3, 3], "rule": ["Krum", "Krum"], "attack": [None, None]}


def test_files_of_other_columns_and_types_are_read_as_one_table(results):
    results.write(rows(1, tau=1, rule="Krum"), about(1))
    results.write(rows(2, tau=0.5, attack="IPM"), about(2))
    results.write(rows(3, tau=None), about(3))
    read = results.rows(results.scan())
    assert read.schema.field("tau").type == pa.float64()
    found = {(row["key"], row["tau"], row["rule"], row["attack"]) for row in read.to_pylist()}
    assert found == {(key(1), 1.0, "Krum", None), (key(2), 0.5, None, "IPM"), (key(3), None, None, None)}


@pytest.mark.parametrize(
    ("columns", "united", "kind"),
    [
        ([[1], [2.5]], [1.0, 2.5], pa.float64()),
        ([[1], [None], [2]], [1, 2, None], pa.int64()),
        ([[None], [None]], [None, None], pa.null()),
        ([["a"], ["b"], [None], ["a"]], ["a", "b", "a", None], TEXT),
        ([[1], [2.5], ["[1.0, 2.0]"]], ["1.0", "2.5", "[1.0, 2.0]"], TEXT),
        ([[True], [1]], ["true", "1"], TEXT),
        ([[2**53 + 1], [0.5]], ["9007199254740993", "0.5"], TEXT),
    ],
)
def test_columns_of_several_types_are_united(columns, united, kind):
    table = unite([pa.table({"x": column}) for column in columns], ["x"])
    assert table["x"].to_pylist() == united
    assert table["x"].type == kind


def test_texts_are_one_dictionary_that_can_be_grouped(results):
    for job in range(3):
        results.write(rows(job, rule=f"rule {job % 2}"), about(job))
    read = results.rows(results.scan())
    counted = read.group_by(["rule"]).aggregate([("t", "count")])
    assert dict(zip(counted["rule"].to_pylist(), counted["t_count"].to_pylist(), strict=True)) == {
        "rule 0": 4,
        "rule 1": 2,
    }


def test_a_long_text_is_kept_once_however_many_rows_have_it():
    letters = np.random.Generator(np.random.Philox(0)).bytes(1500 << 10).hex()
    texts = [letters[k << 11 : (k + 1) << 11] for k in range(1500)]  # 3 MB that nothing compresses below a half
    content = seal(rows(*range(1500), configuration=pa.array(texts * 2)), about())
    assert len(content) < 2_000_000


def test_what_is_large_is_compressed():
    repeated = rows(*range(1 << 13), x=0.1)
    assert len(seal(repeated, about())) < repeated.nbytes / 4


def test_a_digest_in_the_rows_is_none_of_the_footer():
    text = (MARK + b"0" * 64).decode("latin-1")
    content = seal(rows(1, rule=text), about(1))
    assert unseal(content)["jobs"] == about(1)["jobs"]


@pytest.mark.parametrize("place", ["file://{}", "memory://{}", "mock://{}", "fsspec+file://{}"])
def test_results_are_kept_wherever_pyarrow_and_fsspec_go(tmp_path, place):
    results = Results(place.format(tmp_path / "results"))
    assert results.scan() == Scan()
    results.write(rows(1), about(1))
    results.write(rows(1), about(1))
    results.fail(key(2), {"error": "no"})
    assert as_lists(results.rows(results.scan())) == as_lists(rows(1))
    assert results.failures() == {key(2): {"error": "no"}}


def test_a_failure_is_kept_replaced_and_forgotten(results, tmp_path):
    report = {"settings": {"rule.tau": np.nan}, "error": "ValueError: \ud800", "traceback": "…", "when": "", "host": ""}
    results.fail(key(1), {"error": "older"})
    results.fail(key(1), report | {"rule": object()})
    results.fail(key(2), report)
    assert results.failures()[key(1)]["error"] == report["error"]
    results.forget_failure(key(1))
    assert list(results.failures()) == [key(2)]
    assert results.scan() == Scan()
    assert sorted(os.listdir(tmp_path / "results" / "_failures")) == [f"{key(2)}.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"a": 1}x'])
def test_a_broken_failure_is_left_out(results, tmp_path, content):
    results.fail(key(1), {"error": "no"})
    (tmp_path / "results" / "_failures" / f"{key(2)}.json").write_bytes(content)
    (tmp_path / "results" / "_failures" / f"{key(3)}.json").mkdir()
    (tmp_path / "results" / "_failures" / "notes.json").write_bytes(b"{}")
    assert list(results.failures()) == [key(1)]


@pytest.mark.parametrize("name", ["", "../a", key(1).upper().replace("0", "A"), key(1) + "\n"])
def test_a_failure_of_no_key_is_refused(results, name):
    with pytest.raises(ValueError, match="key needs 32 hexadecimal digits"):
        results.fail(name, {})


def test_what_killed_writers_left_is_swept_from_results_and_failures(results, tmp_path, monkeypatch):
    results.write(rows(1), about(1))
    results.fail(key(2), {})
    for folder in (tmp_path / "results", tmp_path / "results" / "_failures"):
        (folder / f".a.{place()}.{2**22 + 1}.{'0' * 16}.tmp").touch()
    results.sweep_leftovers()
    assert len(list((tmp_path / "results").rglob("*.tmp"))) == 0
    assert (len(results.scan().files), list(results.failures())) == (1, [key(2)])


def test_equal_parts_of_many_files_are_in_memory_once(results):
    for job in range(3):
        results.write(rows(job), about(job))
    files = results.scan().files
    assert len({id(kept.code) for kept in files}) == len({id(kept.machine) for kept in files}) == 1


def test_the_footer_is_json_for_anybody(results, tmp_path):
    file = tmp_path / "results" / results.write(rows(1), about(1))
    found = json.loads(pq.read_metadata(file).metadata[b"byzcheck"])
    assert found.keys() == {"format", *about(1), "machine", "commit", "written"}


def test_a_scan_says_from_which_file_a_job_is_read(results):
    names = [results.write(rows(*jobs), about(*jobs)) for jobs in ((1, 2), (2, 3), (2, 4))]
    scan = results.scan()
    assert scan.keys[key(2)].name == min(names)
    assert [scan.keys[key(job)].name for job in (1, 3, 4)] == names
