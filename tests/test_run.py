"""Running checks: any number of processes, controls, the false-alarm bound."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import tiny_statements as tiny
from threadpoolctl import threadpool_info
from waiting import PATIENCE, until

import theory
from byzcheck import run
from byzcheck.record import run_record
from byzcheck.run import CheckError, Options
from sims import kernels
from sims.checks.evidence import Evidence
from theory.claim import FALSE_ALARM, SHARE, Claim, Control

SCRIPT = Path(tiny.__file__)
BOTH = ("definition_x_die", "theorem_y_coin")


@pytest.fixture
def paper(monkeypatch):
    """Put tiny statements in the place of the paper's."""
    tiny.in_place_of_the_paper(monkeypatch, *BOTH)
    return tiny.install


def start(*arguments: str, stems: tuple[str, ...] = BOTH) -> subprocess.Popen[str]:
    root = str(Path(theory.__file__).parents[1])
    env = os.environ | {"TINY": ",".join(stems), "COLUMNS": "100", "PYTHONPATH": root}
    command = [sys.executable, str(SCRIPT), *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def without_seconds(record):
    return record | {"statements": [{k: v for k, v in s.items() if k != "seconds"} for s in record["statements"]]}


def test_two_processes_give_the_record_of_one(paper):
    alone = run_record(run.check_statements(BOTH, Options(seed=3), jobs=1), Options(seed=3))
    with start("verify", "--jobs", "2", "--seed", "3", "--json", "-") as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    assert without_seconds(json.loads(out)) == without_seconds(alone)


def test_verdicts_by_side_and_an_uncaught_control_is_undecided(paper):
    stems = (*BOTH, "remark_v_vacuous")
    paper(*stems)
    die, coin, vacuous = run.check_statements(stems)
    assert (die.side("printed"), die.side("corrected")) == ("refuted", "proved")
    assert (coin.side("printed"), coin.side("corrected")) == ("supported", None)
    assert (die.stand("printed"), die.stand("corrected"), coin.stand("printed")) == ((0, 1), (1, 1), (1, 1))
    claim = vacuous.statement.claims[0]
    assert vacuous.of(claim).verdict == "holds"
    assert not vacuous.caught(claim)
    assert vacuous.verdict(claim) == vacuous.side("printed") == "undecided"


def test_the_seed_changes_sampled_numbers_and_the_order_of_stems_none(paper):
    first, again, other = (
        run.check_statements(stems, Options(seed=s)) for stems, s in ((BOTH, 0), (BOTH[::-1], 0), (BOTH, 1))
    )
    assert first[1].headline("printed") == again[0].headline("printed") != other[1].headline("printed")


def test_false_alarm_counts_every_interval_and_has_a_bound(paper):
    results = run.check_statements(BOTH)
    assert run.false_alarm(results) == 4 * SHARE  # two claims about a coin, and their controls
    many = tuple(replace(o, intervals=int(FALSE_ALARM / SHARE)) for o in results[0].outcomes)
    with pytest.raises(ValueError, match="false-alarm"):
        run.false_alarm([run.Result(results[0].statement, many)])


def numbers(ctx, *, claimed=1.0):
    """Three numbers, of which the second is another, an interval for each."""
    for value in (1.0, 2.0, 1.0):
        yield Evidence("a number", value, "=", claimed, "sampled", ctx.alpha)


def test_only_a_control_that_must_be_refuted_ends_with_the_first_contradiction(monkeypatch):
    controls = (Control("a", "because", {}), Control("b", "because", {}, expect="survives"))
    claims = (Claim("numbers", "All are 1.", numbers, controls),)
    monkeypatch.setattr(theory, "load", lambda stem: SimpleNamespace(claims=claims))
    outcomes = [run.perform(run.Task("stem", "numbers", control), Options()) for control in (None, 0, 1)]
    assert [[e.measured for e in o.evidence] for o in outcomes] == [[1, 2, 1], [1, 2], [1, 2, 1]]
    assert [o.intervals for o in outcomes] == [3, 2, 3]
    assert {o.verdict for o in outcomes} == {"refuted"}


@pytest.mark.parametrize(("backend", "may"), [("numpy", False), ("array_api_strict", True)])
def test_a_check_on_the_host_compiles_nothing(monkeypatch, backend, may):
    """The first run takes as long as the next one."""

    def allowed(ctx):
        yield Evidence("whether compiled code is used", int(kernels.enabled()), "=", int(may), "exact")

    claims = (Claim("allowed", "It is as it is.", allowed, (Control("a", "because", {}),)),)
    monkeypatch.setattr(theory, "load", lambda stem: SimpleNamespace(claims=claims))
    outcome = run.perform(run.Task("stem", "allowed"), replace(Options(), backend=backend))
    assert outcome.verdict == "supported"
    assert kernels.enabled()


def test_progress_tells_every_outcome_once(paper):
    told = []
    run.check_statements(BOTH, progress=told.append)
    assert sorted(map(str, (o.task for o in told))) == sorted(str(t) for s in BOTH for t in run.tasks(theory.load(s)))


def test_figure_data_of_the_statements_that_have_some(paper):
    data = run.all_figure_data(BOTH)
    assert list(data) == ["definition_x_die"]
    assert data["definition_x_die"]["sides"].tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Options(budget="huge"), "budget must be one of quick, default, full, got 'huge'"),
        (lambda: Options(seed=-1), "seed must be ≥ 0, got -1"),
        (lambda: run.check_statements(BOTH, jobs=0), "jobs must be ≥ 1, got 0"),
        (
            lambda: run.check_statements(BOTH, Options(backend="abacus")),
            "backend must be one of numpy, cupy, got 'abacus'",
        ),
        (lambda: theory.load("theorem_z"), "unknown statement 'theorem_z'; did you mean theorem_y_coin"),
    ],
)
def test_what_cannot_run(paper, make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_file_that_does_not_import_is_named(paper):
    paper("theorem_n_nowhere")
    with pytest.raises(ValueError, match=r"theory/theorem_n_nowhere.py does not import: ModuleNotFoundError"):
        theory.load("theorem_n_nowhere")


def test_a_check_that_raises_is_named(paper):
    paper("theorem_w_wrong")
    with pytest.raises(CheckError, match=r"theory/theorem_w_wrong.py, claim 'wrong': ValueError: operands"):
        run.check_statements(["theorem_w_wrong"])


def gone(group: int) -> bool:
    """Whether no process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are POSIX")
@pytest.mark.parametrize(("send", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_no_process_outlives_an_interrupted_run(send, code):
    with start("verify", "--jobs", "2", stems=("definition_x_die", "theorem_s_slow")) as process:
        try:
            assert process.stderr is not None
            assert "Definition X" in process.stderr.readline()  # now the slow one is running
            if send == signal.SIGINT:
                os.killpg(process.pid, send)  # as a terminal does
            else:
                process.kill()
            _, err = process.communicate(timeout=PATIENCE)
            assert process.returncode == code
            if send == signal.SIGINT:  # after a kill Python's resource tracker may say that it cleaned up
                assert err == ""
            until(lambda: gone(process.pid))
        finally:
            if not gone(process.pid):
                os.killpg(process.pid, signal.SIGKILL)


def test_linear_algebra_has_one_thread_whatever_was_imported_before():
    for module in ("numpy.linalg", "scipy.linalg"):
        importlib.import_module(module)
        with run._one_thread():
            assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {1}
