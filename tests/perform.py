"""Running the paper's statements inside tests: once per statement, at the quick budget."""

from __future__ import annotations

import functools
import inspect
import os
import pickle
from collections.abc import Mapping
from pathlib import Path

import theory
from byzcheck.run import Options, Outcome, Result, Task, perform, tasks
from byzcheck.typeset.prose import plain
from theory.claim import Statement

QUICK = Options(budget="quick")
SHARED: list[Path] = []  # the folder of a run of several processes, in which they keep what they computed


@functools.cache
def results(stem: str) -> Result:
    """All claims and controls of a statement at the quick budget, computed once for all tests of a run."""
    statement = theory.load(stem)
    kept = [folder / f"{stem}.pickle" for folder in SHARED]
    if kept and kept[0].exists():
        return Result(statement, pickle.loads(kept[0].read_bytes()))
    found = tuple(perform(task, QUICK) for task in tasks(statement))
    for path in kept:
        own = path.with_suffix(f".{os.getpid()}")
        own.write_bytes(pickle.dumps(found))
        own.replace(path)  # at one stroke: whoever finds it finds all of it
    return Result(statement, found)


def verdicts(stem: str) -> dict[str, str]:
    """The verdict of every claim, with its controls heeded."""
    result = results(stem)
    return {claim.name: result.verdict(claim) for claim in result.statement.claims}


def outcome(stem: str, claim: str) -> Outcome:
    """A claim's own outcome, computed now."""
    return perform(Task(stem, claim), QUICK)


def check_statement(result: Result) -> None:
    """Every control came out as it must, and its evidence is not that of the claim itself."""
    for claim in result.statement.claims:
        own = result.of(claim)
        assert own.evidence, claim.name
        for control, found in result.controls_of(claim):
            assert control.caught(found.verdict), f"{claim.name}: {control.name} came out {found.verdict}"
            assert found.evidence != own.evidence, f"{claim.name}: {control.name} changes nothing"


def well_formed(statement: Statement) -> None:
    """What a reader relies on: it is in the paper's list, says something, and controls fit the checks."""
    assert statement.stem in theory.PAPER
    assert theory.load(statement.stem) is statement
    for text in (statement.printed, statement.corrected):
        assert text is None or text.rstrip("\n $").endswith("."), text
    assert statement.printed is not None or not statement.parts("printed")
    assert bool(statement.parts("corrected")) == (statement.corrected is not None)
    assert (statement.source is None) == statement.ours
    assert bool(statement.says) == (statement.printed is not None)
    assert bool(statement.says_corrected) == (statement.corrected is not None)
    for line in (statement.says, statement.says_corrected):
        assert len(plain(line or "")) <= 70, line
    for sentence in (statement.for_you, statement.fault.because if statement.fault else "."):
        assert sentence.endswith("."), sentence
    for claim in statement.claims:
        assert claim.text.endswith(".")
        takes = inspect.signature(claim.check).parameters
        open_ended = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in takes.values())  # perform() sees a wrong name
        for control in claim.controls:
            assert control.because
            assert control.replace
            assert open_ended or set(control.replace) <= set(takes)
        names = [control.name for control in claim.controls]
        assert len(set(names)) == len(names)


def check_claims(statement: Statement, exceptions: Mapping[str, str]) -> None:
    """The statement is well formed, its controls are caught, and every claim holds but for the exceptions' verdicts.

    It has a fault if and only if a part of the print is refuted, and says what its proof lacks if it is not proved.
    """
    well_formed(statement)
    result = results(statement.stem)
    check_statement(result)
    found = verdicts(statement.stem)
    assert found == dict.fromkeys(found, "holds") | dict(exceptions)
    assert (statement.fault is not None) == (result.side("printed") == "refuted")
    if statement.corrected is not None:
        assert statement.rests_on
        assert statement.rests_on.startswith("missing: ") == (result.side("corrected") != "proved")
