"""`make gpu` on a pretended machine: what is missing, stages that fail, hang or are late, tests, and the page."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import gpu, neural
from benchmarks.on_gpu import __main__ as command
from benchmarks.on_gpu import device, measured, needs, noting, page, plan, run_stage, stages
from benchmarks.on_gpu.stages import Outcome, Stage
from benchmarks.plan import Plan

ROOT = Path(__file__).parents[1]
HEAD = page.Head("2000-01-01 00:00 UTC", "abc", "a processor", {"python": "3.12", "cupy": "14.0"})


def python(name, code, limit=20.0, **options):
    """A stage of a few lines, which knows `file`."""

    def words(file, seconds):
        return ["-c", f"import time, sys; file = {str(file)!r}\n{code}"]

    return Stage(name, limit, words, **options)


def kept(found, then=""):
    return f"open(file, 'w').write({json.dumps(found)!r})\n{then}"


GOOD = python("good", kept({"chip": "a chip"}, "print('well')"))
BAD = python("bad", kept({"wrong": "two is not three"}, "sys.exit(1)"))


@pytest.fixture
def ran(tmp_path):
    """What a run of some stages returns, its page and what it said."""

    def run(*stages, **options):
        said, file = [], tmp_path / "GPU.md"
        code = command.run(stages, file, say=said.append, **options)
        return code, file.read_text(encoding="utf-8"), said

    return run


# ------------------------------------------------------------------------------------------------ what is missing


@pytest.mark.parametrize("need", needs.MUST, ids=lambda need: need.module)
def test_what_must_be_there_is_asked_for_by_the_name_of_its_package(need):
    with pytest.raises(needs.Stop) as stopped:
        needs.check(lambda module: module != need.module)
    assert str(stopped.value).startswith(f"{need.packages[0]} is missing, without which nothing can run")
    assert f"--target FOLDER {need.packages[0]}" in str(stopped.value)


def test_all_that_is_missing_is_one_sentence_and_what_is_too_old_another():
    with pytest.raises(needs.Stop, match=r"^scipy, numba are missing"):
        needs.check(lambda module: module not in ("scipy", "numba"))
    with pytest.raises(needs.Stop, match=r"^torch must be at least 2\.4, and this is 2\.3\.1\+cu121$"):
        needs.check(lambda module: True, lambda need: "2.3.1+cu121" if need.module == "torch" else None)
    needs.check(lambda module: True, lambda need: "2.11.0+cu130" if need.module == "torch" else need.least)


def test_without_the_rest_something_is_left_out():
    told = needs.left_out(lambda module: module != "hypothesis")
    assert told == ["hypothesis is missing: the tests of array helpers (test_backend) are left out"]
    bare = {stage.name: stage for stage in plan.stages(lambda module: False)}
    assert "tests/test_backend.py" not in bare["tests"].command(Path("x"), 1.0)
    assert bare["statements"].instead == "flint and threadpoolctl missing"
    full = {stage.name: stage for stage in plan.stages(lambda module: True)}
    assert "tests/test_backend.py" in full["tests"].command(Path("x"), 1.0)
    assert "-n" in full["tests"].command(Path("x"), 1.0)
    assert full["statements"].instead is None


def test_what_is_missing_is_said_before_anything_is_imported():
    """With the modules of this machine and no other's, in a second."""
    code = "import sys; sys.modules['numpy'] = None; import benchmarks.on_gpu.__main__ as m; sys.exit(m.main([]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 1, done.stderr
    assert re.match(r"Stopped before anything ran: numpy(, cupy.*)? (is|are) missing", done.stderr), done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_cannot_be_written_is_refused_at_once(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(needs, "check", lambda: None)
    assert command.main(["--file", str(tmp_path / "nowhere" / "GPU.md")]) == 1
    assert "--file needs a file in a folder that is there" in capsys.readouterr().err


# -------------------------------------------------------------------------------------------------------- stages


def test_all_goes_well(ran):
    code, text, said = ran(GOOD, python("other", "print('also')"))
    assert code == 0
    assert "**All that ran went well.**" in text
    assert "| good | done |" in text
    assert "  well" in said
    assert said[-1].startswith("All that ran went well.")


def test_it_stops_at_the_first_that_is_wrong_unless_told_otherwise(ran):
    code, text, said = ran(GOOD, BAD, GOOD)
    assert code == 1
    assert "**Stopped at bad: two is not three.**" in text
    assert len(re.findall(r"\| good \| done", text)) == 1
    assert said[-1].startswith("Stopped at bad: two is not three.")
    code, text, _ = ran(GOOD, BAD, GOOD, go_on=True)
    assert code == 1
    assert "**Wrong at bad: two is not three.**" in text
    assert len(re.findall(r"\| good \| done", text)) == 2


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("raise RuntimeError('no driver')", "RuntimeError: no driver"),
        ("import os; print('going'); sys.stdout.flush(); os.kill(os.getpid(), 11)", "ended by signal 11"),
        ("sys.exit(3)", "it said nothing"),
        (kept({"wrong": "no test ran"}), "no test ran"),
    ],
)
def test_a_process_that_fails_in_any_way_gives_a_sentence(ran, code, sentence):
    found, text, _ = ran(python("stage", code))
    assert found == 1
    assert f"**Wrong at stage: {sentence}" in text


def test_a_stage_that_is_cut_leaves_what_it_found_and_ends_what_it_began(ran, tmp_path):
    child = f"import time; time.sleep(2.5); open({str(tmp_path / 'late')!r}, 'w')"
    begin = f"import subprocess; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    tables = {"tables": {"device n=2 f=0 d=3": {"one device copy": [1e-3], "Mean/ours": [2e-3]}}}
    start = time.monotonic()
    code, text, _ = ran(python("rules", kept(tables, begin), limit=1.0), GOOD)
    assert code == 1
    assert "**Nothing was wrong; cut before the end: rules.**" in text
    assert "| Mean | 2.00 | 2.00 | 1.00, 1.00 |" in text
    assert "| good | done |" in text
    time.sleep(max(0.0, 3.5 - (time.monotonic() - start)))
    assert not (tmp_path / "late").exists()


def test_a_device_that_hangs_is_wrong(ran):
    code, text, _ = ran(python("device", "time.sleep(60)", limit=0.5, must_end=True), GOOD)
    assert code == 1
    assert "**Stopped at device: cut after" in text


def test_stages_for_which_no_time_is_left_are_said(ran):
    code, text, _ = ran(python("slow", "time.sleep(60)"), GOOD, seconds=1.5)
    assert code == 1
    assert "| slow | cut: cut after" in text
    assert "| good | cut: no time was left for it | 0 |" in text


def test_the_limits_fit_into_eight_minutes_and_the_first_stage_is_the_device():
    found = plan.stages(lambda module: True)
    assert sum(stage.limit for stage in found) + plan.SPARE <= plan.SECONDS == 8 * 60
    assert found[0].name == "device"
    assert found[0].must_end
    for stage in found:
        assert stage.limit > 3 * plan.MARGIN


def test_a_stage_of_ours_says_what_is_wrong(tmp_path, monkeypatch, capsys):
    """CuPy is not there, or there is no device: in both cases a sentence."""
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert run_stage.main(["device", str(tmp_path / "found.json"), "10"]) == 1
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["wrong"].startswith("backend cupy needs CuPy")
    assert capsys.readouterr().err.strip() == found["wrong"]


def test_what_fails_on_the_device_and_what_differs_are_sentences():
    with pytest.raises(needs.Stop, match=r"^a kernel cannot start: KeyError: 3$"):
        device.attempt("a kernel cannot start", lambda: {}[3])
    with pytest.raises(needs.Stop, match=r"the median is wrong: it differs by 0\.5"):
        device.same("the median", np.array([1.0, 2.5]), np.array([1.0, 2.0]))


# --------------------------------------------------------------------------------------------------------- tests


SOME = """
import pytest

@pytest.mark.gpu
@pytest.mark.parametrize("k", [1, 2])
def test_good(k):
    pass

@pytest.mark.gpu
def test_bad():
    assert 2 == 3, "two is not three"

def test_of_the_cpu():
    raise RuntimeError
"""


def noted(tmp_path, text, several=False):
    """The stage of the tests, on a file of our own."""
    file = tmp_path / "test_some.py"
    file.write_text(text)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = gpu: on a device\n")
    stage = Stage("tests", 60, plan.pytest([str(file)], lambda module: several), noting.parsed)
    return stages.play(stage, tmp_path, 60, lambda line: None)


@pytest.mark.parametrize("several", [False, True], ids=["one process", "several"])
def test_the_tests_of_a_gpu_are_run_up_to_the_first_that_fails(tmp_path, several):
    outcome = noted(tmp_path, SOME, several)
    assert outcome.state == "failed"
    assert outcome.said.endswith("::test_bad failed: AssertionError: two is not three")
    passed = {name.rpartition("::")[2]: row["passed"] for name, row in outcome.found["tests"].items()}
    assert passed == {"test_good": 2, "test_bad": 0}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nowhere", "No module named 'nowhere'"),
        (
            "import pytest\n@pytest.mark.gpu\ndef test_it():\n    pytest.skip('no device')",
            "no test ran: Skipped: no device",
        ),
    ],
)
def test_tests_that_cannot_run_are_wrong(tmp_path, text, said):
    outcome = noted(tmp_path, text)
    assert outcome.state == "failed"
    assert said in outcome.said


def test_a_run_that_is_cut_leaves_the_tests_that_ran():
    line = json.dumps({"test": "a.py::test_it[1]", "outcome": "passed", "seconds": 1.0, "said": ""})
    found = noting.parsed(f"{line}\n{line}\n{line[:20]}")
    assert found == {"tests": {"a.py::test_it": {"passed": 2, "failed": 0, "skipped": 0, "seconds": 2.0}}}


def on_a_gpu(path):
    """Whether a file has tests with the marker: of a decorator, or of a fixture that the test does not set itself."""
    text = path.read_text(encoding="utf-8")
    tests = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name[:5] == "test_"]
    for test in tests:
        own = " ".join(map(ast.unparse, test.decorator_list))
        if {"place", "make_array"} & {a.arg for a in test.args.args if f"'{a.arg}'" not in own} or "on_gpu" in own:
            return True
    return "pytest.mark.gpu" in text


def test_every_file_with_tests_of_a_gpu_is_in_the_plan():
    paths = [path for path in (ROOT / "tests").glob("test_*.py") if path.name != Path(__file__).name]
    assert {f"tests/{path.name}" for path in paths if on_a_gpu(path)} == set(plan.TESTS)
    name = plan.PAPER.partition("::")[2]
    assert f"def {name}()" in (ROOT / plan.PAPER.partition("::")[0]).read_text(encoding="utf-8")


def test_the_tests_of_a_gpu_need_only_what_they_say():
    """Each file is imported where everything else that could be missing is."""
    blocked = ["hypothesis", "flint", "threadpoolctl", "mlxtend", "pydantic", "pyarrow", "rich", "typer", "matplotlib"]
    files = [Path(file).stem for file, lacks in plan.TESTS.items() if not lacks]
    code = f"""
import sys
sys.path[:0] = ["tests", "."]
sys.modules |= dict.fromkeys({blocked}, None)
sys.modules.pop("conftest", None)
import importlib.util as util
find = util.find_spec
util.find_spec = lambda name, *rest: None if name in {blocked} else find(name, *rest)
for name in {[*files, "benchmarks.on_gpu.measured", "benchmarks.on_gpu.training", "benchmarks.on_gpu.device"]}:
    __import__(name)
"""
    pytest.importorskip("torch")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr


# ------------------------------------------------------------------------------------------- measuring, and the page


def test_rules_are_measured_through_a_pretended_device():
    found = {}
    pretended = gpu.Device(np, lambda: None, "numpy", "no device at all")
    small = Plan(1, 1, ((7, 1, 20),), rules=("Mean", "Krum"), simulations=((2, 3, 2, ("Mean",)),))
    measured.of_rules(found.update, 0.0, pretended, small)
    text = page.of_rules(found)
    assert "device n=7 f=1 d=20: a copy takes" in text
    for rule in ("Mean", "Krum"):
        assert re.search(rf"^\| {rule} \| [\d.,]+ \| [\d.,]+ \|", text, re.MULTILINE)


def test_as_many_rounds_are_measured_as_there_is_time_for():
    times, kept = iter(range(1000)), []
    parts = [lambda seed: {"a": {"x": 1.0}}, lambda seed: {"b": {"x": float(seed)}}]
    measured.rounds_of(lambda found: kept.append(json.loads(json.dumps(found))), 10.0, parts, lambda: next(times))
    assert kept[0] == {"tables": {"a": {"x": [1.0]}}}
    assert len(kept[-1]["tables"]["a"]["x"]) >= 2
    assert len(kept) < 10
    measured.rounds_of(kept.append, 1e9, parts, lambda: 0.0)
    assert len(kept[-1]["tables"]["a"]["x"]) == measured.MOST


def test_gradients_are_measured_and_written():
    pytest.importorskip("torch")
    found = {}
    measured.of_networks(found.update, 0.0, "cpu", (neural.Setting("small_cnn", (1, 8, 8), 3, 2),))
    text = page.of_networks(found)
    assert re.search(r"^\| small_cnn, n = 3, b = 2 \| ([\d.,]+ \| ){7}1\.00, 1\.00 \| 1 \|$", text, re.MULTILINE)


def test_a_minute_of_training_on_drawn_images(monkeypatch):
    pytest.importorskip("torch")
    from benchmarks.on_gpu import training

    def missing():
        raise training.DataMissing("no digits")

    monkeypatch.setattr(training.digits, "path", missing)
    monkeypatch.setattr(training, "FIRST", 5)
    found = {}
    training.trained(found.update, 0.0, "cpu", "linear")
    assert [row["rounds"] for row in found["rows"]] == [5] * 3
    text = page.of_training(found)
    assert "drawn images, linear, 7,850 parameters, n = 25, f = 5" in text
    assert "| CenteredClipping, ALIE | 5 |" in text
    row = found["rows"][0]
    with pytest.raises(needs.Stop, match=r"should learn, and has an accuracy of 0\.20 after 100 rounds"):
        training.check(row | {"rounds": 100, "accuracy": [0.1, 0.2]}, control=True)
    with pytest.raises(needs.Stop, match="the test loss is nan after 5 rounds"):
        training.check(row | {"loss": [2.3, float("nan")]}, control=False)


def test_the_page_says_when_on_what_and_what_ran():
    names = ("device", "tests", "statements")
    found = (
        {"chip": "A100 | fast", "generation": "8.0", "torch_cuda": "13.0"},
        noting.parsed(json.dumps({"test": "a.py::test_it[1]", "outcome": "passed", "seconds": 1.0, "said": ""})),
        {},
    )
    outcomes = [
        Outcome(Stage(name, 1.0, lambda file, seconds: []), state, 3.0, what, said)
        for name, state, what, said in zip(
            names, ("done", "cut", "left out"), found, ("", "cut after 3 s", "flint missing"), strict=True
        )
    ]
    text = page.page(HEAD, outcomes, ["mlxtend is missing: drawn images"], "Nothing was wrong.", 12.3)
    for words in (
        "2000-01-01 00:00 UTC, commit abc, 12 s",
        "| chip | A100 \\| fast |",
        "| CUDA of torch | 13.0 |",
        "| cupy | 14.0 |",
        "| tests | cut: cut after 3 s | 3 |",
        "| statements | left out: flint missing | 3 |",
        "- mlxtend is missing: drawn images",
        "| `a.py::test_it` | 1 | 0 | 0 | 1.0 |",
    ):
        assert words in text


def test_the_checkout_comes_first_among_the_places_of_modules(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["one", "two"]))
    assert stages.environment()["PYTHONPATH"] == os.pathsep.join([str(ROOT), "one", "two"])
