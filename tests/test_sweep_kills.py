"""However processes end, results are there: killed, stopped, many at once, and on a full disk."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sweeping
from invoke import call
from rules_that_fail import PLAYED
from sweeping import LINUX, done, kept, own, running
from waiting import until

from sims.sweep import Results

pytestmark = LINUX
KILLS, JOBS = 10, 2000


def test_two_thousand_jobs_through_ten_kills_are_those_of_an_undisturbed_run(tmp_path):
    file = sweeping.sweep(tmp_path, [own("Slow", tau=[k / 16 for k in range(1, 21)])], "{ range = [0, 100] }")
    undisturbed, where, played = tmp_path / "undisturbed", tmp_path / "results", tmp_path / "played"
    call("sweep", "run", file, "--results", undisturbed, "--jobs", 1)

    chance, seen = random.Random(0), {}
    victims = chance.sample(["runner"] * 3 + ["worker"] * 7, KILLS)
    while victims:
        with running("run", file, "--results", where, "--jobs", 2, "--batch", 10, **{PLAYED: str(played)}) as runner:
            victim = None
            while victims and victim != "runner":
                goal = len(kept(where)) + chance.randint(2, 15)
                until(lambda: len(kept(where)) >= goal and sweeping.workers(runner.pid), runner)  # noqa: B023
                time.sleep(chance.uniform(0, 0.05))
                victim = victims.pop()
                number = runner.pid if victim == "runner" else chance.choice(sweeping.workers(runner.pid))
                os.kill(number, signal.SIGKILL)
                seen = kept(where) | seen
            if victim == "worker":  # the last, and this run goes on to its end
                done(runner, 0)
            runner.wait()
            until(lambda: not sweeping.session(runner.pid))
            seen = kept(where) | seen
    call("sweep", "run", file, "--results", where, "--jobs", 1)

    assert sweeping.table(where) == sweeping.table(undisturbed)
    assert set(Results(where).scan().keys) == sweeping.keys(file)
    assert sum(len(one.jobs) for one in Results(where).scan().files) == JOBS  # none is in two files
    assert kept(where).items() >= seen.items()  # none was written again
    assert len(seen) > 3 * KILLS
    # with a rule of somebody's own a batch is three plays, its first and last job once more by themselves
    assert 3 * len(seen) <= played.stat().st_size <= 3 * (len(seen) + 2 * KILLS)  # a kill stops two batches at most
    assert sweeping.temporary(where) == []


RUNNERS = """
import os, sys
from typer.testing import CliRunner
from byzcheck.__main__ import app
import sims.sweep.run as engine
def run(where):
    return CliRunner().invoke(app, ["sweep", "run", sys.argv[1], "--results", where, "--jobs", "1", "--batch", "4"])
run(sys.argv[2])  # whatever is imported and remembered is handed down
(gate, opener), children, play = os.pipe(), [], engine.run
def play_when_all_have_planned(*everything):
    os.close(opener)
    os.read(gate, 1)  # until the last has closed its end, however slowly a busy machine lets fifty processes plan
    return play(*everything)
for _ in range(50):
    child = os.fork()
    if not child:
        engine.run = play_when_all_have_planned
        answer = run(sys.argv[3])
        os.write(1, answer.output.encode())
        os._exit(answer.exit_code)  # threads of libraries that are not in a fork are not to be waited for
    children.append(child)
os.close(opener)
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


def test_fifty_runners_that_start_at_the_same_instant_lose_nothing(tmp_path):
    file = sweeping.sweep(tmp_path, [own("Plain", tau=[0.5, 0.75, 1.0])], "{ range = [0, 16] }")
    alone, where = tmp_path / "alone", tmp_path / "new" / "results"
    with running(file, alone, where, program=("-W", "ignore", "-c", RUNNERS)) as runners:
        out, _ = done(runners, 0)
    assert out.count("48 jobs: 0 done, 48 to run") == out.count("48 jobs: ") == 50  # so all are in each other's way
    assert sweeping.table(where) == sweeping.table(alone)
    assert set(Results(where).scan().keys) == sweeping.keys(file)
    assert sweeping.temporary(where) == []


@pytest.mark.parametrize(
    ("number", "whom", "jobs"),
    [
        (signal.SIGINT, "all", 2),
        (signal.SIGINT, "runner", 2),
        (signal.SIGTERM, "runner", 2),
        (signal.SIGINT, "runner", 1),
    ],
)
def test_a_run_that_is_stopped_says_how_to_go_on_and_leaves_nothing_behind(tmp_path, number, whom, jobs):
    file = sweeping.sweep(tmp_path, [own("Slow", tau=[0.5, 1.0])], "{ range = [0, 1000] }")
    where = tmp_path / "results"
    with running("run", file, "--results", where, "--jobs", jobs, "--batch", 4) as runner:
        until(lambda: len(kept(where)) > 3, runner)
        (os.killpg if whom == "all" else os.kill)(runner.pid, number)
        _, err = done(runner, 130)
    last = err.splitlines()[-1]
    assert last == f"Stopped. What is kept stays; to go on: byzcheck sweep run {file} --results {where}"
    assert "Traceback (most" not in err
    assert sweeping.temporary(where) == []
    files = Results(where).scan().files
    assert 3 < len(files) < 500
    left = 2000 - sum(len(one.jobs) for one in files)
    assert f"{2000 - left:,} done, {left:,} to run" in call("sweep", "plan", file, "--results", where).stdout


@pytest.mark.parametrize("moment", [0.05, 0.3, 0.5])
def test_a_run_that_is_stopped_while_its_workers_begin_is_as_clean(tmp_path, moment):
    file = sweeping.sweep(tmp_path, [own("Slow", tau=[0.5, 1.0])], "{ range = [0, 1000] }")
    with running("run", file, "--results", tmp_path / "results", "--jobs", 2, "--batch", 4) as runner:
        until(lambda: sweeping.workers(runner.pid), runner)
        time.sleep(moment)
        os.killpg(runner.pid, signal.SIGINT)
        _, err = done(runner, 130)
    assert "Traceback (most" not in err
    assert "Stopped. " in err


def test_what_workers_are_writing_when_a_run_is_stopped_is_taken_away(tmp_path):
    file = sweeping.sweep(tmp_path, [own("SlowDisk", tau=[0.5, 1.0])], "{ range = [0, 1000] }")
    with running("run", file, "--results", tmp_path / "results", "--jobs", 2, "--batch", 4) as runner:
        until(lambda: sweeping.temporary(tmp_path / "results"), runner)
        os.kill(runner.pid, signal.SIGINT)
        done(runner, 130)
    assert sweeping.temporary(tmp_path / "results") == []


def test_plan_and_status_beside_a_run_tell_where_it_is_and_write_nothing(tmp_path):
    file = sweeping.sweep(tmp_path, [own("Slow", tau=[0.5, 1.0])], "{ range = [0, 1000] }")
    where = tmp_path / "results"
    told = []
    with running("run", file, "--results", where, "--jobs", 2, "--batch", 4) as runner:
        for goal in (2, 10):
            until(lambda: len(kept(where)) > goal, runner)  # noqa: B023
            os.killpg(runner.pid, signal.SIGSTOP)
            (where / f".a.b.1.{'0' * 16}.tmp").touch()
            for path in (where, tmp_path):
                path.chmod(0o555)
            before = sweeping.listing(tmp_path)
            told.append(sum(len(one.jobs) for one in Results(where).scan().files))
            for command in ("plan", "status"):
                answer = call("sweep", command, file, "--results", where)
                assert f"{told[-1]:,} done, {2000 - told[-1]:,} to run" in answer.stdout
            assert sweeping.listing(tmp_path) == before
            for path in (where, tmp_path):
                path.chmod(0o755)
            os.killpg(runner.pid, signal.SIGCONT)
        for command in ("plan", "status"):  # and while it moves
            assert "broken" not in call("sweep", command, file, "--results", where).stdout
        os.kill(runner.pid, signal.SIGINT)
        done(runner, 130)
    assert 8 <= told[0] < told[1]


FULL = """
import os, sys
sys.path[:0] = sys.argv[3:]
import sweeping
from invoke import call
from pathlib import Path
from sims.sweep import Results
file, where = sys.argv[1], Path(sys.argv[2])
for jobs in (2, 1):
    answer = call("sweep", "run", file, "--results", where, "--jobs", jobs, "--batch", 4, code=2)
    sentence = f"byzcheck: cannot write into {where}: No space left on device"
    assert answer.stderr.splitlines()[-1] == sentence, answer.stderr
    assert "Traceback (most" not in answer.output
    kept = sum(len(one.jobs) for one in Results(where).scan().files)
    assert 4 <= kept < 400 and Results(where).scan().broken == () and len(Results(where).failures()) == 0
    assert sweeping.temporary(where) == []
    assert f"{kept} done" in call("sweep", "status", file, "--results", where).stdout
os.remove(where.parent / "ballast")
seen = sweeping.kept(where)
call("sweep", "run", file, "--results", where, "--jobs", 1)
assert sweeping.kept(where).items() > seen.items()
print(sweeping.table(where), end="")
"""


def test_a_full_disk_is_said_in_one_sentence_and_the_run_goes_on_when_there_is_room(tmp_path):
    apart = ["unshare", "--user", "--map-root-user", "--mount"]
    mount = 'mount -t tmpfs -o size=4m tmpfs "$1" && head -c 4000000 /dev/zero > "$1/ballast"'
    small = tmp_path / "small"
    small.mkdir()
    possible = (
        shutil.which("unshare")
        and not subprocess.run([*apart, "sh", "-c", mount, "sh", small], capture_output=True).returncode
    )
    if not possible:
        pytest.skip("this user may not mount a small file system (unshare, mount)")
    file = sweeping.sweep(tmp_path, [own("Slow", tau=[0.5, 1.0])], "{ range = [0, 200] }")
    program = [sys.executable, "-c", FULL, file, small / "results", Path(__file__).parent]
    answer = subprocess.run(
        [*apart, "sh", "-c", f'{mount} && shift && exec "$@"', "sh", small, *program],
        env=sweeping.environment(),
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    call("sweep", "run", file, "--results", tmp_path / "results", "--jobs", 1)
    assert answer.stdout == sweeping.table(tmp_path / "results")
