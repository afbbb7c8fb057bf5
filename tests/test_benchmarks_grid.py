"""The grid of sizes: which peers are measured, its ratios, its pictures and its page. Nothing here is timed."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from invoke import call, refused

from benchmarks import grid, grid_page, heat, memory, peers, plan, record, report, rules
from benchmarks.cells import ALL, FASTER, LEAST, MEAN, MOST, OPEN, SLOWER, beyond, cells, extremes
from benchmarks.compare import FALSE_ALARM, chance_of_rise, compare
from benchmarks.grid_tables import many_reads, slow_cells
from benchmarks.marks import MARKS, Mark, held
from benchmarks.measure import seconds_of
from benchmarks.peers import Peer
from benchmarks.plan import Grid, Plan
from benchmarks.ratio import PUBLIC, Tracked
from benchmarks.record import as_text, load, measured
from benchmarks.rules import READ
from benchmarks.tracked import tracked
from conftest import usable
from sims.kernels.cpu import threads

SMALL = Grid(n=(5, 7), d=(1, 40), bits=(32, 64), rules=("Mean", "Krum"))
PLANTED = Grid(n=(5, 25), d=(10, 1000, 272_474), bits=(32, 64), rules=("Mean", "Krum"))


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads.limit(1)
    yield
    threads.limit(None)


def planted(seed=0, processes=11, noise=0.02, times=lambda who, n, d, bits: 1.0, sizes=PLANTED):
    """A record with as long as `times` says, in units of 1 (one read), 2 (ours) and 6 (ByzFL's)."""
    draws = np.random.Generator(np.random.Philox(seed))
    usual = {"ours": 2.0, "ours torch": 2.0, "byzfl numpy": 6.0, "byzfl torch": 7.0}
    found = {}
    for at, shape in grid.all_sizes(sizes).items():
        means = {READ: 1.0} | {f"{rule}/{who}": seconds for rule in sizes.rules for who, seconds in usual.items()}
        found[f"grid {at}"] = {
            who: (seconds * times(who, *shape) * np.exp(noise * draws.standard_normal(processes))).tolist()
            for who, seconds in means.items()
        }
    return {
        "schema": record.SCHEMA,
        "plan": "grid",
        "date": "2026-11-29 22:00 UTC",
        "load": 0.1,
        "machine": {"cpu": "AMD EPYC", "vectors": "AVX512", "threads": 2, "system": "Linux", "l2_bytes": 2**21},
        "versions": {"numpy": "2.4.6", "byzfl": "0.0.11", "torch": "2.13.0"},
        "missing": {},
        "differs": {},
        "fails": {},
        "tables": found,
    }


def one_cell(found, rule="Krum", n=25, d=1000, bits=32, kind="numpy"):
    return next(c for c in cells(found) if (c.rule, c.n, c.d, c.bits, c.kind) == (rule, n, d, bits, kind))


def pretend_peers(monkeypatch, made):
    """Peers of the mean alone: by name what they compute and how long that takes in seconds a number."""
    listed = [Peer(name, lambda x: x, function, differs) for name, (function, _, differs) in made.items()]
    monkeypatch.setattr(peers, "peers_of", lambda rule, f, tau: listed)
    monkeypatch.setattr(rules, "peers_of", lambda rule, f, tau: listed)

    def again(call, first):
        name = next(name for name, (function, _, _) in made.items() if call.func is function)
        return made[name][1] * call.args[0].size

    monkeypatch.setattr(grid, "again", again)
    monkeypatch.setattr(grid, "single", lambda call: call() or 0.0)


def mean(x):
    return np.mean(x, axis=0)


def test_only_peers_that_can_be_the_fastest_are_measured(monkeypatch):
    ran = []

    def noting(name, result=mean):
        return lambda x: ran.append((name, *x.shape, x.dtype.itemsize)) or result(x)

    def breaks(x):
        if x.shape[1] > 10:
            raise RuntimeError("is too\n large")
        return mean(x)

    made = {
        "best": (noting("best"), 1e-3, ""),
        "near": (noting("near"), 1.4e-3, ""),
        "slow": (noting("slow"), 2e-3, ""),
        "far": (noting("far"), 5e-3, ""),
        "narrow": (noting("narrow", lambda x: mean(x).astype(np.float32)), 1e-4, ""),
        "other": (noting("other", lambda x: x[0]), 1e-4, "is the first"),
        "wrong": (noting("wrong", lambda x: x[1]), 1e-4, ""),
        "breaks": (breaks, 1e-3, ""),
    }
    pretend_peers(monkeypatch, made)
    choice = grid.choose(Grid(n=(5,), d=(1, 50, 10), bits=(32, 64), rules=("Mean",)))
    small, large = ["Mean/best", "Mean/near"], ["Mean/breaks"]
    assert choice.measured == {
        "grid n=5 f=1 d=1 bits=32": ["Mean/narrow"],
        "grid n=5 f=1 d=10 bits=32": ["Mean/narrow"],
        "grid n=5 f=1 d=50 bits=32": ["Mean/narrow"],
        "grid n=5 f=1 d=1 bits=64": small + large,
        "grid n=5 f=1 d=10 bits=64": small + large,
        "grid n=5 f=1 d=50 bits=64": small[:1],  # of long calls one
    }
    assert choice.differs["n=5 f=1 d=1 bits=64"]["Mean/narrow"] == rules.NARROW
    assert choice.differs["n=5 f=1 d=1 bits=64"]["Mean/other"] == "is the first"
    assert all("differs from ours by" in choice.differs[at]["Mean/wrong"] for at in choice.differs)
    assert choice.fails == {"Mean/breaks, n = 5, d = 50, float64": "RuntimeError: is too large"}
    in_float64 = {name: sorted({d for who, _, d, size in ran if (who, size) == (name, 8)}) for name in made}
    assert in_float64["best"] == in_float64["slow"] == in_float64["wrong"] == [1, 10, 50]
    assert in_float64["far"] == in_float64["narrow"] == in_float64["other"] == [1]


def test_a_peer_that_would_hold_too_much_is_not_run(monkeypatch):
    ran = []
    hungry, frugal = (lambda x, k=k: ran.append((k, x.shape[1])) or mean(x) for k in ("hungry", "frugal"))
    pretend_peers(monkeypatch, {"hungry": (hungry, 1e-9, ""), "frugal": (frugal, 1e-9, "")})
    monkeypatch.setattr(grid, "LARGE", 0)
    monkeypatch.setattr(memory, "can_measure", lambda: True)
    shares = {"hungry": 4, "frugal": 0}

    def peak_beyond(call):
        call()
        who, d = ran[-1]
        return shares[who] * 5 * d * 8

    monkeypatch.setattr(memory, "peak_beyond", peak_beyond)
    choice = grid.choose(Grid(n=(5,), d=(10, 100), bits=(64,), rules=("Mean",), memory=5 * 100 * 8 * 5 - 1))
    assert choice.measured["grid n=5 f=1 d=10 bits=64"] == ["Mean/hungry", "Mean/frugal"]
    assert choice.measured["grid n=5 f=1 d=100 bits=64"] == ["Mean/frugal"]
    assert list(choice.fails) == ["Mean/hungry, n = 5, d = 100, float64"]
    assert "would hold" in choice.fails["Mean/hungry, n = 5, d = 100, float64"]
    assert ("hungry", 100) not in ran


def test_the_messages_of_a_table_take_the_memory_that_is_there():
    place = np.empty(7 * 40 * 8, np.uint8)
    for dtype in (np.float32, np.float64):
        x = rules.messages(np.random.Generator(np.random.Philox(3)), 7, 2, 30, dtype, place)
        assert (x.dtype, x.shape, x.base is not None) == (dtype, (7, 30), True)
        assert np.shares_memory(x, place)
        np.testing.assert_array_equal(x, rules.messages(np.random.Generator(np.random.Philox(3)), 7, 2, 30, dtype))


def test_a_long_call_runs_once(monkeypatch):
    clock = itertools.count(0.0, 1.0)
    monkeypatch.setattr("benchmarks.measure.time.perf_counter", lambda: next(clock))
    calls = []
    assert seconds_of(lambda: calls.append(None), long=1.0) == 1.0
    assert len(calls) == 1
    assert seconds_of(lambda: calls.append(None), long=1.5) == 1.0
    assert len(calls) == 3


@pytest.mark.skipif(not usable("torch"), reason="torch is not available here")
def test_a_grid_is_measured_on_arrays_and_on_tensors_and_gone_on_with(tmp_path):
    few, kept = Plan(2, 1, (), grid=SMALL), []
    whole = measured(few, "small", apart=False, keep=kept.append)
    assert set(whole["tables"]) == {f"grid {at}" for at in grid.all_sizes(SMALL)}
    for table in whole["tables"].values():
        assert {"one read", "Mean/ours", "Mean/ours torch", "Krum/ours", "Krum/ours torch"} < set(table)
        assert all(len(values) == 2 for values in table.values())
    assert [report.processes_of(part) for part in kept] == [1, 2]
    (tmp_path / "kept.json").write_text(as_text(kept[0]), encoding="utf-8")
    told = []
    again = measured(few, "small", told.append, apart=False, begun=load(tmp_path / "kept.json"))
    assert told == [2]
    for name, table in again["tables"].items():
        assert {who: values[0] for who, values in table.items()} == {
            who: values[0] for who, values in kept[0]["tables"][name].items()
        }
    assert measured(few, "small", apart=False, begun=again)["tables"] == again["tables"]
    for other, sentence in (
        ({"plan": "grid"}, "has another plan"),
        ({"versions": {}}, "has another versions"),
        ({"code": "0"}, "has another code"),
        ({"tables": {}}, "has other tables"),
    ):
        with pytest.raises(ValueError, match=sentence):
            measured(few, "small", apart=False, begun={**kept[0], **other})


def test_a_cell_has_the_ratios_of_its_own_kind_and_of_all():
    times = {"Krum/ours": 2.0, "Krum/ours torch": 0.5, "Krum/byzfl torch": 0.5}
    found = planted(noise=0.0, times=lambda who, *at: times.get(who, 1.0))
    arrays, tensors = (one_cell(found, kind=kind) for kind in ("numpy", "torch"))
    assert (arrays.public.median, arrays.alike.median, arrays.reads.median) == (3.5 / 4, 6 / 4, 4.0)
    assert (tensors.public.median, tensors.alike.median, tensors.reads.median) == (3.5, 3.5, 1.0)
    assert (arrays.public.peer, arrays.alike.peer) == ("Krum/byzfl torch", "Krum/byzfl numpy")
    assert (arrays.verdict, tensors.verdict) == (SLOWER, FASTER)
    assert tensors.public.subject == "Krum, n = 25, d = 1000, float32, torch"
    found["differs"] = {"n=25 f=5 d=1000 bits=32": {"Krum/byzfl torch": rules.NARROW}}
    assert one_cell(found).public.median == 1.5
    assert one_cell(found, kind="torch").alike is None
    assert one_cell(planted(noise=1.0)).verdict == OPEN


def test_a_mean_is_geometric_and_reads_are_of_messages_beyond_the_caches():
    def times(who, n, d, bits):
        return {"ours": {10: 0.25, 1000: 1.0, 272_474: 2.0}[d], "one read": 1.0}.get(who.split("/")[-1], 1.0)

    found = planted(noise=0.0, times=times)
    ratios = tracked(found)
    mean_of_krum = ratios["Krum, mean of 6 sizes, float32, numpy", PUBLIC]
    assert mean_of_krum.median == pytest.approx(3 * (4 * 1 * 0.5) ** (1 / 3))
    assert ratios["Krum, mean of 6 sizes, float64, torch", PUBLIC].median == pytest.approx(3)
    larger = {(c.n, c.d, c.bits) for c in cells(found) if beyond(found, c)}
    assert larger == {(5, 272_474, 32), (25, 272_474, 32), (5, 272_474, 64), (25, 272_474, 64)}
    assert ratios["Krum, mean of 2 sizes, float32, numpy", READ].median == pytest.approx(4)
    assert ("Krum, n = 25, d = 1000, float32, numpy", READ) not in ratios
    held_to = extremes(found)
    assert held_to[f"Krum, {LEAST}", PUBLIC].median == 1.5
    assert held_to[f"Krum, {MOST}", READ].median == 4
    assert held_to[f"{ALL}, {MEAN}", PUBLIC].median == pytest.approx(3 * 2 ** (1 / 6))
    found["machine"]["l2_bytes"] = 0
    assert not any(beyond(found, c) for c in cells(found))


def test_the_marks_of_the_grid():
    marks = [mark for mark, _, _ in held(planted(sizes=Grid((5,), (272_474, 10), (64,), plan.GRID_RULES)))]
    assert marks == [mark for mark in MARKS if mark.subject.endswith((LEAST, MEAN, MOST))]
    never_slower = Mark("Krum", PUBLIC, 1, end=0.9)
    for values, verdict in (
        ([1.0] * 9, "met"),
        ([0.91] * 4 + [1.0] * 7, "met"),
        ([0.89] * 4 + [1.0] * 7, "open"),
        ([0.95] * 6 + [1.1] * 5, "open"),
        ([0.95] * 11, "missed"),
    ):
        assert never_slower.verdict(Tracked("Krum", PUBLIC, tuple(values), False)) == verdict


@pytest.mark.parametrize("seed", range(3))
def test_a_small_regression_everywhere_and_a_large_one_in_a_cell_are_found(seed):
    before = planted(2 * seed, noise=0.05)
    slower = planted(2 * seed + 1, noise=0.05, times=lambda who, *at: 1.2 if who == "Krum/ours" else 1.0)
    worse = {(old.subject, old.against) for old, _ in compare(before, slower).worse}
    means = {(f"Krum, mean of 6 sizes, float{bits}, numpy", PUBLIC) for bits in (32, 64)}
    assert means <= worse
    assert all(subject.startswith("Krum") and subject.endswith("numpy") for subject, _ in worse)
    at = (25, 1000, 64)
    one = planted(
        2 * seed + 1, noise=0.05, times=lambda who, *here: 2.0 if (who, here) == ("Mean/ours torch", at) else 1.0
    )
    cell = ("Mean, n = 25, d = 1000, float64, torch", PUBLIC)
    assert cell in {(old.subject, old.against) for old, _ in compare(before, one).worse}
    assert compare(before, planted(2 * seed + 1, noise=0.05)).worse == []


def test_a_coarse_grid_is_compared_with_a_fine_one_where_both_were_measured():
    coarse = planted(5, processes=9, sizes=Grid((25,), (10, 272_474), (32,), ("Krum",)))
    found = compare(planted(4), coarse)
    assert (found.worse, found.untold) == ([], [])
    assert found.compared == 2 * 2 + 2 * 2 + 2  # public: means and cells of two kinds; reads beyond the caches
    other = compare(planted(4), {**coarse, "versions": {"numpy": "3", "byzfl": "0.0.11", "torch": "2.13.0"}})
    assert other.compared == 2 + 2  # beside one read alone: ByzFL's on arrays is NumPy's, and a mean of many peers


def test_the_chance_of_a_rise_is_that_of_all_orders():
    """By going through all ways in which the values could have come to the two records."""
    values = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)

    def pairs(was, now):
        return sum(b > a for a in was for b in now)

    splits = [
        (tuple(v for v in values if v not in now), now) for k in (3,) for now in itertools.combinations(values, k)
    ]
    for was, now in splits:
        exact = np.mean([pairs(*other) >= pairs(was, now) for other in splits])
        assert chance_of_rise(was, now) == pytest.approx(exact)
    assert chance_of_rise([1.0, 1.0, 2.0], [2.0, 2.0, 2.0]) >= chance_of_rise([1.0, 1.0, 2.0], [3.0, 2.0, 2.0])
    assert chance_of_rise([2.0] * 9, [2.0] * 9) == 1.0  # equal values speak against a change


def test_a_heat_map_shows_every_ratio_and_frames_what_is_slow():
    def drawn(found):
        return heat.svg(found, "Krum").decode()

    usual = planted(noise=0.0)
    text = drawn(usual)
    assert text == drawn(usual)
    for words in ("Krum: 3.0 times as fast", "slower nowhere", "AMD EPYC", "2026-11-29", "11 processes", "272k", "99%"):
        assert words in text
    assert text.count(">3.0</text>") == 2 * 2 * 6
    assert text.count(">ByzFL, np</text>") == 2 * 2 * 6
    framed = heat.ON_LIGHT
    slow = planted(
        noise=0.0, times=lambda who, n, d, bits: 7.0 if (who, n, d, bits) == ("Krum/ours", 5, 10, 32) else 1.0
    )
    assert "slower at 1 of 24 sizes" in drawn(slow)
    assert drawn(slow).count(f"stroke: {framed}") == text.count(f"stroke: {framed}") + 1
    assert drawn(slow).count(">0.43</text>") == 1
    slow["differs"] = {"n=5 f=1 d=10 bits=32": {f"Krum/byzfl {kind}": "is wrong" for kind in ("numpy", "torch")}}
    assert drawn(slow).count(">–</text>") == 2


def test_the_page_names_the_cells_in_which_a_peer_is_faster():
    def times(who, n, d, bits):
        return 7.0 if who == "Krum/ours torch" and (n, bits) == (25, 64) and d > 10 else 1.0

    found = planted(noise=0.0, times=times)
    rows = [line.split(" | ") for line in slow_cells(found).splitlines()[2:]]
    assert [(row[0], *row[1:5]) for row in rows] == [
        ("| Krum", "25", d, "float64", "torch") for d in ("1,000", "272,474")
    ]
    assert [row[5:7] for row in rows] == [["0.43 (0.43–0.43)", "0.50 (0.50–0.50)"]] * 2
    assert [row[7] for row in rows] == ["", "6.0"]  # in the caches a call is no read
    assert [line.split(" | ")[2] for line in many_reads(found).splitlines()[2:]] == ["272,474"]
    text = grid_page.page(found)
    assert "![Krum: the ratio at every n and d](grid/Krum.svg)" in text
    table = text.split("```")[1]
    assert max(map(len, table.splitlines())) <= 100
    assert "…" not in table
    assert slow_cells(planted(noise=0.0)) == "None.\n"
    with pytest.raises(ValueError, match="no grid to draw"):
        grid_page.files({**found, "tables": {}})


def test_the_command_writes_the_grid_and_draws_it(monkeypatch, tmp_path):
    from byzcheck.commands import bench

    found = planted()
    monkeypatch.setattr(bench, "_measured", lambda *what: found)
    monkeypatch.setattr(bench, "folder", lambda: tmp_path)
    call("bench", "--grid", "--write")
    assert load(tmp_path / "grid.json") == json.loads(json.dumps(found))
    assert (tmp_path / "GRID.md").read_text(encoding="utf-8") == grid_page.page(found)
    call("bench", "--record", tmp_path / "grid.json", "--draw", tmp_path / "drawn")
    for name in ("Mean", "Krum"):
        content = (tmp_path / "grid" / f"{name}.svg").read_bytes()
        assert content == (tmp_path / "drawn" / "grid" / f"{name}.svg").read_bytes()
    (tmp_path / "none.json").write_text(as_text({**found, "tables": {}}), encoding="utf-8")
    assert "no grid to draw" in refused("bench", "--record", tmp_path / "none.json", "--draw", tmp_path)


def test_what_a_run_keeps_is_gone_on_with(monkeypatch, tmp_path):
    tiny = Plan(1, 1, (), grid=Grid((5,), (3,), (32,), ("Mean",)))
    monkeypatch.setattr(plan, "QUICK", tiny)
    monkeypatch.setattr(record, "_run", lambda function, arguments, apart: function(*arguments))
    kept = tmp_path / "kept.json"
    first = json.loads(call("bench", "--quick", "--keep", kept, "--output", "-").stdout)
    assert not kept.exists()
    kept.write_text(as_text(first), encoding="utf-8")
    assert "has another plan" in refused("bench", "--grid", "--keep", kept)
    monkeypatch.setattr(plan, "QUICK", Plan(2, 1, (), grid=tiny.grid))
    second = json.loads(call("bench", "--quick", "--keep", kept, "--output", "-").stdout)
    assert all(
        values[:1] == first["tables"][t][w] for t, whose in second["tables"].items() for w, values in whose.items()
    )
    assert not kept.exists()


def test_a_killed_run_leaves_what_it_measured(monkeypatch, tmp_path):
    begun = tmp_path / "begun.json"
    monkeypatch.setattr(plan, "QUICK", Plan(3, 1, (), grid=Grid((5,), (3,), (32,), ("Mean",))))

    def killed(function, arguments, apart):
        if begun.exists() and report.processes_of(load(begun)) == 2:
            raise KeyboardInterrupt
        return function(*arguments)

    monkeypatch.setattr(record, "_run", killed)
    call("bench", "--quick", "--keep", begun, code=130)
    assert report.processes_of(load(begun)) == 2


def test_the_whole_grid_has_enough_processes_for_every_cell():
    ratios = (
        2 * 2 * len(plan.GRID.grid.rules) * len(grid.all_sizes(plan.GRID.grid))
    )  # of both kinds, to both yardsticks
    assert 1 / math.comb(2 * plan.GRID.processes, plan.GRID.processes) <= FALSE_ALARM / 2 / ratios


def test_what_is_committed_was_drawn_from_its_record():
    home = Path(grid_page.__file__).parent
    if not (home / "grid.json").is_file():
        pytest.skip("nothing is recorded yet")
    assert (home / "GRID.md").read_text(encoding="utf-8") == grid_page.page(load(home / "grid.json"))
