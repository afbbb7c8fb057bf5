"""`python -m benchmarks.on_gpu [--file FILE] [--go-on]`: everything that a GPU is wanted for, within eight minutes."""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.on_gpu import needs, plan
from benchmarks.on_gpu.page import Head, page
from benchmarks.on_gpu.stages import ROOT, Outcome, Stage, play

FILE = ROOT / "benchmarks" / "GPU.md"


def run(
    stages: Sequence[Stage],
    file: Path,
    left_out: Sequence[str] = (),
    go_on: bool = False,
    seconds: float = plan.SECONDS - plan.SPARE,
    say: Callable[[str], object] = print,
) -> int:
    """Run the stages one after the other and write the page after each; 0 if all went well, else 1.

    It stops at the first that is wrong, or with `go_on` at the end of the list.
    """
    start, outcomes, verdict = time.monotonic(), [], "Nothing has run yet."
    head = Head(datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), commit(), cpu(), needs.versions())
    with tempfile.TemporaryDirectory() as folder:
        for k, stage in enumerate(stages):
            limit = allowed(stages[k:], seconds - (time.monotonic() - start))
            say(f"{stage.name} (at most {limit:.0f} s)")
            outcome = play(stage, Path(folder), limit, say) if limit > 0 else late(stage)
            outcomes.append(outcome)
            verdict = judged(outcomes, stages)
            file.write_text(page(head, outcomes, left_out, verdict, time.monotonic() - start), encoding="utf-8")
            say(f"{stage.name}: {outcome.state}, {outcome.seconds:.0f} s{': ' + outcome.said if outcome.said else ''}")
            if outcome.wrong and not go_on:
                break
    say(f"{verdict} {file}")
    return 0 if all(outcome.state in ("done", "left out") for outcome in outcomes) else 1


def allowed(stages: Sequence[Stage], left: float) -> float:
    """The seconds that the first of the stages has: its limit, more if it grows and they are left, or all that is left.

    >>> tests, last = (Stage(name, 100.0, lambda file, seconds: [], grows=True) for name in ("tests", "last"))
    >>> allowed((tests, last), 250.0), allowed((tests, last), 150.0), allowed((tests, last), 50.0)
    (150.0, 100.0, 50.0)
    """
    first, *later = stages
    more = left - sum(stage.limit for stage in later) if first.grows else 0.0
    return min(left, max(first.limit, more))


def late(stage: Stage) -> Outcome:
    """A stage for which there was no time left."""
    return Outcome(stage, "cut", said="no time was left for it")


def judged(outcomes: Sequence[Outcome], stages: Sequence[Stage]) -> str:
    """One sentence on all of it."""
    wrong = [outcome for outcome in outcomes if outcome.wrong]
    if wrong:
        stopped = wrong[-1] is outcomes[-1] and len(outcomes) < len(stages)
        told = "; ".join(f"{outcome.stage.name}: {outcome.said.rstrip('.')}" for outcome in wrong)
        return f"{'Stopped' if stopped else 'Wrong'} at {told}."
    cut = [outcome.stage.name for outcome in outcomes if outcome.state == "cut"]
    if len(outcomes) < len(stages):
        return f"Not ended: {len(outcomes)} of {len(stages)} stages have run."
    return f"Nothing was wrong; cut before the end: {', '.join(cut)}." if cut else "All that ran went well."


def commit() -> str:
    """The commit that ran, with a + if files were changed; unknown without git."""
    try:
        words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"]
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def cpu() -> str:
    """The processor's name where Linux says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def main(arguments: Sequence[str] | None = None) -> int:
    """Say what is missing, and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.on_gpu", description=__doc__)
    parser.add_argument("--file", type=Path, default=FILE, help="where the page is written")
    parser.add_argument("--go-on", action="store_true", help="run the other stages after one that went wrong")
    options = parser.parse_args(arguments)
    file = options.file.resolve()
    try:
        needs.check()
        if not file.parent.is_dir() or file.is_dir():
            raise needs.Stop(f"--file needs a file in a folder that is there, got {options.file}")
    except needs.Stop as error:
        print(f"Stopped before anything ran: {error}.", file=sys.stderr)
        return 1
    left_out = needs.left_out()
    for sentence in left_out:
        print(sentence)
    return run(plan.stages(), file, left_out, options.go_on)


if __name__ == "__main__":
    sys.exit(main())
