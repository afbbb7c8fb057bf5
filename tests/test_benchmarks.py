"""Benchmarks: the contenders compute the same, the tables are readable, the command works. Nothing here is timed."""

from __future__ import annotations

import importlib
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from invoke import call, refused

from benchmarks import batches, gpu, memory, peers, plan, record, report, rules, simulation, sweeps
from benchmarks.marks import MARKS
from benchmarks.once import parameters
from benchmarks.peers import Peer
from benchmarks.plan import Plan
from benchmarks.read import read
from benchmarks.record import as_text, load, measured
from benchmarks.tracked import tracked
from conftest import usable
from sims.aggregators import CoordinateMedian
from sims.kernels.cpu import threads

TINY = Plan(
    processes=2,
    rounds=1,
    shapes=((11, 2, 60), (4, 1, 50)),
    rules=("Mean", "CoordinateMedian", "TrimmedMean", "Krum", "CenteredClipping"),
    workers=(7, 1),
    simulations=((3, 2, 5, ("Mean", "CoordinateMedian", "Krum")),),
    loop_steps=4,
    grow_n=(7, 10),
    grow_n_at=40,
    grow_d=(20, 40),
    base=(7, 2, 2, 3),
    factors=(1, 2),
    memory=(7, 1, 3000),
    batches=((3, 7, 1, 5), (2, 8, 2, 1)),
    sweeps=plan.SweepSizes(tiny=((2, 2, 2), (3, 2, 2), (4, 2, 1)), files=3, real=(2, 2, 2), some=2),
)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Two torch threads wait for each other for milliseconds where the tests themselves keep the cores busy."""
    threads.limit(1)
    yield
    threads.limit(None)


@pytest.fixture(scope="module")
def tiny(one_thread):
    """A record of everything, in this process."""
    return measured(TINY, "tiny", apart=False)


@pytest.fixture
def file(tiny, tmp_path):
    """The same in a file."""
    path = tmp_path / "tiny.json"
    path.write_text(as_text(tiny), encoding="utf-8")
    return path


@pytest.mark.parametrize("shape", [(25, 40), (3, 7), (1, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_read_reads_everything(shape, dtype):
    x = np.random.Generator(np.random.Philox(0)).standard_normal(shape).astype(dtype)
    words = np.frombuffer(x.tobytes()[: x.nbytes // 8 * 8], dtype=np.uint64)
    assert read(x) == sum(int(w) for w in words) % 2**64


def test_one_read_does_not_depend_on_the_threads():
    x = np.arange(100_003, dtype=np.float64)
    alone = read(x)
    try:
        threads.limit(None)
        assert read(x) == alone
    finally:
        threads.limit(1)


def test_drawing_alone_draws_the_same_normals():
    n, d, runs, steps = 5, 7, 3, 1000  # more than one buffer
    parts: dict[int, list[np.ndarray]] = {run: [] for run in range(runs)}
    simulation.draw(n, d, runs, steps, use=lambda run, drawn: parts[run].append(drawn.copy()))
    drawn = np.stack([np.concatenate(parts[run]) for run in range(runs)]).reshape(runs, steps, n, d)
    streams = simulation.Streams(0, "sample").runs(0, runs)
    np.testing.assert_array_equal(drawn.swapaxes(0, 1), simulation.problem(d).draw(streams, steps, n))


@pytest.mark.parametrize("rule", plan.SIMULATED)
def test_the_loops_run_the_experiment_that_is_simulated(rule):
    """With our rule in the peer's place and without noise both loops end where `simulate` does."""
    n, f, d, steps = 11, 2, 3, 20
    made = rules.RULES[rule](f, simulation.RADIUS)

    def peer():
        state = None

        def aggregate(x):
            nonlocal state
            y, state = made(x, state)
            return y

        return Peer("ours", lambda x: x, aggregate)

    both = [loop(peer(), n, f, d, steps) for loop in simulation.LOOPS.values()]
    np.testing.assert_allclose(both[0], both[1], rtol=1e-12)  # the same draws
    expected = simulation.ours(rule, n, f, d, 1, steps, sigma=0.0).x[0]
    for loop in simulation.LOOPS.values():
        np.testing.assert_allclose(loop(peer(), n, f, d, steps, sigma=0.0), expected, rtol=1e-12)


@pytest.mark.parametrize("shape", [(25, 5, 400), (12, 2, 300)])
def test_peers_compute_what_ours_do_or_it_is_said(shape):
    differs, fails = rules.comparison(np.random.Generator(np.random.Philox(1)), *shape, plan.all_rules())
    assert fails == {}
    known = {peers.LOWER_MEDIAN, peers.FIRST_SUBSET, peers.ONE_STEP, "starts from the mean"}
    assert set(differs.values()) <= known
    assert peers.LOWER_MEDIAN not in differs.values() or shape[0] % 2 == 0


def test_a_peer_that_is_wrong_is_noticed():
    x = rules.messages(np.random.Generator(np.random.Philox(0)), 7, 1, 50)
    ours = CoordinateMedian().aggregate(x)
    right = Peer("numpy", lambda x: x, lambda x: np.median(x, axis=0))
    wrong = Peer("numpy", lambda x: x, lambda x: np.mean(x, axis=0))
    assert rules.difference(right, right.function(x), ours) == ""
    assert rules.difference(wrong, wrong.function(x), ours).startswith("differs from ours by ")
    declared = Peer("numpy", lambda x: x, wrong.function, differs="is a mean")
    assert rules.difference(declared, declared.function(x), ours) == "is a mean"
    nothing = Peer("numpy", lambda x: x, lambda x: np.full(50, np.nan))
    assert rules.difference(nothing, nothing.function(x), ours) != ""
    assert rules.difference(right, ours, ours.astype(np.float64)) == rules.NARROW
    in_between = CoordinateMedian().aggregate(x.astype(np.float64)) * (1 + 1e-8)  # float32 inside a float64
    assert rules.difference(right, in_between, CoordinateMedian().aggregate(x.astype(np.float64))) != ""


def test_a_peer_that_fails_is_left_out_and_named(monkeypatch):
    def broken(x):
        raise RuntimeError("input tensor\n is too large")

    monkeypatch.setattr(rules, "peers_of", lambda rule, f, tau: [Peer("torch", lambda x: x, broken)])
    found = measured(Plan(1, 1, ((7, 1, 40),), rules=("Mean",)), "broken", apart=False)
    assert found["fails"] == {"Mean/torch": "RuntimeError: input tensor is too large"}
    text = report.as_markdown(found)
    assert "fails: Mean/torch: RuntimeError: input tensor is too large" in text


def test_missing_peers_are_named(monkeypatch):
    importlib.import_module("scipy.stats")  # while it can still tell whether there is a torch
    for library in ("byzfl", "byzpy", "torch"):
        for module in [name for name in sys.modules if name.split(".")[0] == library]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setitem(sys.modules, library, None)
    assert set(peers.missing()) == {"byzfl", "byzpy", "torch"}
    found = measured(Plan(1, 1, ((7, 1, 40),), rules=("Mean",)), "alone", apart=False)
    text = report.as_markdown(found)
    assert "not measured: byzpy (" in text
    assert list(found["tables"]["rules n=7 f=1 d=40"]) == ["one read", "Mean/ours", "Mean/numpy"]


@pytest.mark.skipif(not all(usable(library) for library in ("byzfl", "torch")), reason="byzfl is not available here")
def test_byzfl_is_the_published_one_and_leaves_no_stand_in():
    program = (
        "import sys, inspect; from benchmarks import peers\n"
        "assert 'byzfl' not in peers.missing()\n"
        "assert 'byzfl.benchmark' not in sys.modules\n"
        "import byzfl; assert 'byzfl/aggregators/aggregators.py' in inspect.getsourcefile(byzfl.TrMean)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(peers.__file__).parents[1])


@pytest.mark.skipif(not memory.can_measure(), reason="this system does not tell a process its peak memory")
def test_peak_memory_is_that_of_the_call():
    size = 30_000_000
    kept = np.ones(size, dtype=np.uint8)
    assert memory.peak_beyond(lambda: kept.sum()) < 0.2 * size
    assert 0.9 * size < memory.peak_beyond(lambda: np.ones(size, dtype=np.uint8).sum()) < 1.3 * size
    assert 1.9 * size < memory.peak_beyond(lambda: [np.ones(size, dtype=np.uint8) for _ in range(2)]) < 2.4 * size


def test_a_record_survives_its_file(tiny, file):
    assert load(file) == json.loads(json.dumps(tiny))
    kinds = [parameters(table)[0] for table in tiny["tables"]]
    assert kinds.count("rules") == 2
    assert kinds.count("simulation") == 1
    assert {kind for kind in kinds if kind.startswith("simulation-by-")} == {
        f"simulation-by-{axis}" for axis in ("n", "d", "runs", "T")
    }
    assert all(len(values) == 2 for table in tiny["tables"].values() for values in table.values())
    assert set(tiny["tables"]["rules-by-n n=7 d=40"]) == {"one read", *(f"{rule}/ours" for rule in TINY.grown)}
    assert "Krum/ours" not in tiny["tables"]["rules n=4 f=1 d=50"]  # not defined there


def test_what_a_sweep_adds_is_told_beside_that_of_the_least(tiny):
    names = [f"sweep-run cells={cells} seeds={seeds}" for cells, seeds in ((4, 2), (6, 2), (8, 1))]
    assert [name for name in tiny["tables"] if name.startswith("sweep-run")] == names
    tables = dict(zip(names, ({sweeps.ADDED: [s], "the jobs alone": [1.0]} for s in (1e-3, 1.5e-3, 2e-3)), strict=True))
    found = tracked({**tiny, "tables": tables})
    assert {key: round(ratio.median, 9) for key, ratio in found.items()} == {
        ("run, 4 × 2 jobs", "ms a job"): 1.0,
        ("run, 6 × 2 jobs", "ms a job"): 1.5,
        ("run, 6 × 2 jobs", "overhead of the least"): 1.5,
        ("run, 8 × 1 jobs", "ms a job"): 2.0,
    }


def test_the_marks_of_sweeps_are_of_what_is_measured():
    made = {
        "sweep-plan": ("plan, nothing done", "plan, all done"),
        "sweep-run": (sweeps.ADDED,),
        "sweep-table": ("table",),
    }
    tables = {
        f"{kind} cells={taus * rates} seeds={seeds}": {who: [1.0] for who in whose}
        for kind, whose in made.items()
        for taus, rates, seeds in plan.FULL.sweeps.tiny
    }
    tables[f"sweep-folder files={plan.FULL.sweeps.files}"] = {"open": [1.0]}
    batch = {who: [1.0] for who in (sweeps.BATCH, sweeps.ONE_BY_ONE, "CenteredClipping/loop byzfl numpy")}
    tables[f"sweep-batch n=25 f=5 d=10 T=300 cells={math.prod(plan.FULL.sweeps.real)}"] = batch
    found = tracked({"tables": tables, "differs": {}})
    asked = [mark for mark in MARKS if re.match("(plan|run|table|open|batch), ", mark.subject)]
    assert len(asked) == 13
    assert [mark for mark in asked if (mark.subject, mark.against) not in found] == []


def test_many_problems_at_once_are_held_to_loops_and_to_what_is_written_by_hand(tiny):
    ours = {f"{rule}/{who}" for rule in batches.RULES_IN_BATCHES for who in ("ours", "by hand numpy")}
    assert ours <= set(tiny["tables"]["many runs=3 n=7 f=1 d=5"])
    tables = {
        f"many runs={runs} n={n} f={f} d={d}": {
            f"{rule}/{who}": [time]
            for rule in batches.RULES_IN_BATCHES
            for who, time in (
                ("ours", 1.0),
                ("looped byzfl numpy", 30.0),
                ("by hand numpy", 5.0),
                ("by hand torch", 4.0),
            )
        }
        for runs, n, f, d in plan.FULL.batches
    }
    found = tracked({"tables": tables, "differs": {}})
    asked = [mark for mark in MARKS if mark.against in ("fastest looped", "fastest by hand")]
    assert len(asked) == 24
    medians = {found[mark.subject, mark.against].median for mark in asked}
    assert medians == {30.0, 4.0}


def test_a_batch_written_by_hand_that_is_wrong_is_refused(monkeypatch):
    made = batches._numpy

    def halved(rule, *sizes):
        batched, convert = made(rule, *sizes)
        return (lambda x: batched(x) / 2), convert

    monkeypatch.setattr(batches, "_numpy", halved)
    with pytest.raises(ValueError, match="by hand with numpy is"):
        batches.contenders(np.random.default_rng(0), 2, 7, 1, 5, ("TrimmedMean",))


def test_the_report_fits_a_hundred_columns(tiny):
    draws = np.random.Generator(np.random.Philox(3))
    wild = {
        name: {who: np.exp(4 * draws.standard_normal(18)).tolist() for who in table}
        for name, table in tiny["tables"].items()
    }
    big = {**tiny, "tables": wild}
    big["tables"]["rules n=25 f=5 d=272474"] = {
        "one read": [1.0] * 18,
        **{
            f"{rule}/{who}": [1000.0 * (k + 1) for k in range(18)]
            for rule in plan.all_rules()
            for who in ("ours", "byzfl numpy", "byzfl torch", "byzpy torch", "numpy", "scipy", "torch")
        },
    }
    for name in wild:  # whatever is installed here
        if name.startswith("many "):
            wild[name]["Krum/looped byzfl numpy"] = [0.5] * 18
    steady = {name: {who: [0.0123456] * 18 for who in table} for name, table in tiny["tables"].items()}
    for found in (big, {**tiny, "tables": steady}):
        lines = report.as_markdown(found).splitlines()
        assert max(map(len, lines)) <= 100
        assert [line for line in lines if "…" in line and "power of …" not in line] == []
    text = report.as_markdown(big)
    for words in (
        *("fastest public", "CenteredClipping 3", "byzfl", "✗ missed", "growth", "peak memory", "M worker-"),
        *("sweeps, on one thread", "plan, nothing done", "one batch", "one by one"),
        *("3 problems at once, n = 7", "looped"),
    ):
        assert words in text


def test_what_the_documentation_says_of_speed_is_recorded():
    root = Path(__file__).parents[1]
    said = (root / "docs" / "faq.md").read_text(encoding="utf-8").partition("## How fast is it?")[2]
    recorded = (root / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8").partition("d = 272,474, float32")[2]
    rows = [re.search(rf"\n{rule} +(\S+) .* (\S+) \(.*\)\n", recorded) for rule in ("TrimmedMean", "Krum")]
    times, ratios = zip(*(row.groups() for row in rows if row), strict=True)
    assert "takes {} ms on two cores, and Krum {} ms".format(*times) in said
    assert "{} times as long for the first, and {} times for the second".format(*ratios) in said


def test_a_device_is_measured_through_the_public_interface():
    pretended = gpu.Device(np, lambda: None, "numpy", "no device at all")
    found = gpu.measured(pretended, Plan(2, 1, ((11, 2, 50),), simulations=((2, 3, 2, ("Mean", "Krum")),)))
    text = report.as_markdown(found)
    for words in ("no device at all", "copying X takes", "Bulyan", "simulation on the device", "2 rounds"):
        assert words in text
    assert max(map(len, text.splitlines())) <= 100
    json.loads(as_text(found))


def test_without_a_device_it_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert "backend cupy needs CuPy" in refused("bench", "--gpu")


def test_the_command_measures_in_processes_of_their_own(monkeypatch, tmp_path):
    few = Plan(1, 1, ((7, 1, 40),), rules=("Mean",))
    monkeypatch.setattr(plan, "QUICK", few)
    result = call("bench", "--quick", "--output", "-")
    found = json.loads(result.stdout)
    assert found["plan"] == "quick"
    assert set(found["tables"]) == {"rules n=7 f=1 d=40"}
    assert "n = 7, f = 1, d = 40" in result.stderr
    assert "1/1" in result.stderr
    target = tmp_path / "record.json"
    target.write_text(result.stdout, encoding="utf-8")
    again = call("bench", "--record", target)
    assert "n = 7, f = 1, d = 40" in again.stdout
    assert all(len(line) <= 100 for line in again.stdout.splitlines())


def test_the_command_compares(file, tiny, tmp_path):
    before, now = tmp_path / "before.json", tmp_path / "now.json"
    draws = np.random.Generator(np.random.Philox(5))
    for path, factor in ((before, 1.0), (now, 1.5)):
        tables = {"rules n=9 f=1 d=60": {}}
        for who, seconds in (("one read", 1.0), ("Mean/ours", 2.0 * factor), ("Mean/numpy", 3.0)):
            tables["rules n=9 f=1 d=60"][who] = (seconds * np.exp(0.02 * draws.standard_normal(15))).tolist()
        path.write_text(as_text({**tiny, "differs": {}, "tables": tables}), encoding="utf-8")
    worse = call("bench", "--record", now, "--compare", before, code=1).stdout
    assert "2 ratios compared, 2 worse beyond the noise, 0 better" in worse
    assert "Mean, n = 9, d = 60" in worse
    assert "0 worse beyond the noise, 2 better" in call("bench", "--record", before, "--compare", now).stdout
    assert "0 worse beyond the noise, 0 better" in call("bench", "--record", now, "--compare", now).stdout
    assert "processes in each record, got 2" in call("bench", "--record", file, "--compare", file, code=2).stderr
    both = call("bench", "--record", now, "--compare", now, "--compare", before, code=1).stdout
    assert both.count("2 ratios compared") == 2
    assert both.index(str(now)) < both.index("0 worse") < both.index(str(before)) < both.index("2 worse")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--write", "--quick"), "--write records all tables as they are measured now: not with --quick"),
        (("--write", "--record", "x.json"), "--write records all tables"),
        (("--record", "x.json", "--gpu"), "--record measures nothing"),
        (("--record", "x.json", "--grid"), "--record measures nothing"),
        (("--grid", "--quick"), "--grid is a benchmark of its own"),
        (("--draw", "here"), "--draw draws the grid"),
        (("--keep", "kept.json", "--gpu"), "--keep keeps what processes measure"),
        (("--compare", "nowhere.json"), "nowhere.json: No such file"),
        (("--compare", "text.json"), "text.json is not JSON"),
        (("--record", "other.json"), "other.json is no record of byzcheck bench"),
        (("--record", "torn.json"), "table 'rules n=x' cannot be read"),
        (("--output", "nowhere/bench.json"), "cannot write into"),
    ],
)
def test_refusals(monkeypatch, tmp_path, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.json").write_text("no", encoding="utf-8")
    (tmp_path / "other.json").write_text('{"schema": 1, "statements": {}}', encoding="utf-8")
    torn = dict.fromkeys(record.PARTS) | {"schema": record.SCHEMA, "tables": {"rules n=x": {"Mean/ours": [1.0]}}}
    (tmp_path / "torn.json").write_text(json.dumps(torn), encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    assert sentence in refused("bench", *arguments)
    assert sorted(tmp_path.iterdir()) == before


def test_write_writes_both_files_and_only_in_a_checkout(monkeypatch, tmp_path, tiny):
    from byzcheck.commands import bench

    monkeypatch.setattr(bench, "_measured", lambda *what: tiny)
    monkeypatch.setattr(bench, "folder", lambda: tmp_path)
    call("bench", "--write")
    assert load(tmp_path / "recorded.json")["plan"] == "tiny"
    assert (tmp_path / "RESULTS.md").read_text(encoding="utf-8") == report.as_markdown(tiny)


def test_what_is_committed_was_rendered_from_its_record():
    home = Path(report.__file__).parent
    if not (home / "recorded.json").is_file():
        pytest.skip("nothing is recorded yet")
    assert (home / "RESULTS.md").read_text(encoding="utf-8") == report.as_markdown(load(home / "recorded.json"))
