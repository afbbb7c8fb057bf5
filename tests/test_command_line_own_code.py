"""No command shows a traceback for what a user's code does, and none takes an exit for an answer."""

from __future__ import annotations

import json
import re
import sys

import pytest
from invoke import call, refused

from byzcheck.commands import errors

CODE = """
import sys
import numpy as np
from sims.aggregators import Promises, StatelessRule


class Alarm(BaseException):
    pass


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("not in words")


class Median(StatelessRule):
    promises = Promises()

    def breakdown(self, n):
        return 1

    def reduce(self, x):
        if not np.isfinite(x).all():
            self.meet()
        return np.median(x, axis=-2)


class Strict(Median):
    def meet(self):
        raise RuntimeError("a message\\nthat is not finite")


class Leaving(Median):
    def meet(self):
        sys.exit(0)


class Interrupting(Median):
    def meet(self):
        raise GeneratorExit


class LeavingAtOnce(Median):
    def reduce(self, x):
        sys.exit(0)


class NotMade(Median):
    def __init__(self):
        raise KeyError("no")


class LeavingBefore(Median):
    def __init__(self):
        raise SystemExit


class Requiring(Median):
    def require(self, n):
        return n.workers


class WithoutBreakdown(Median):
    def breakdown(self, n):
        return 1 / 0


class Promising(Median):
    promises = None


class Bragging(Median):
    def breakdown(self, n):
        return n + 1


class Vague(Median):
    def breakdown(self, n):
        return "some"


class Owing(Median):
    def breakdown(self, n):
        return -3


class Unusual(Median):
    def meet(self):
        raise Alarm("of no kind")


class UnusualAtOnce(Median):
    def reduce(self, x):
        raise Alarm("of no kind")


class UnusualBefore(Median):
    def __init__(self):
        raise Alarm


class Speechless(Median):
    def __init__(self):
        raise Unspeakable


class EmptyBefore(Median):
    def __init__(self):
        raise ValueError


class Finishing(Median):
    def __init__(self):
        import typer

        raise typer.Exit(0)


class HangingUp(Median):
    def __init__(self):
        raise BrokenPipeError


class MistypedInside(Median):
    def __init__(self):
        raise TypeError("mine")


class Deep(Median):
    def reduce(self, x):
        return self.reduce(x)


def leaving(x):
    sys.exit(0)


def median(x):
    return np.median(x, axis=0)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_ends.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "own_leaving.py").write_text("import sys; sys.exit(0)", encoding="utf-8")
    (tmp_path / "own_alarm.py").write_text("raise BaseException('no module')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in ("own_ends", "own_leaving"):
        sys.modules.pop(name, None)


def audit(name: str) -> tuple[object, ...]:
    return "audit", name, "-n", 7, "-f", 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Strict", "the rule Strict raised RuntimeError: a message that is not finite"),
        ("Leaving", "raised SystemExit: 0"),
        ("Interrupting", "raised GeneratorExit"),
        ("Unusual", "raised Alarm: of no kind"),
    ],
)
def test_a_rule_that_raises_on_some_messages_breaks_the_contract(own, name, words):
    """It is flawed, whatever it raises; an exit with the code of success is no success."""
    result = call(*audit(f"own_ends:{name}"), code=1, columns=200)
    shown = " ".join(result.stdout.split())
    assert re.search(r"breaks \d+ of \d+ contracts: [^→]*non-finite", shown)
    assert words in shown


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("UnusualBefore", "raised Alarm"),
        ("Speechless", "raised Unspeakable"),
        ("EmptyBefore", "raised ValueError"),
        ("Finishing", "raised Exit: 0"),
        ("HangingUp", "raised BrokenPipeError"),
        ("MistypedInside", "raised TypeError: mine"),
        ("NotMade", "raised KeyError: 'no'"),
        ("LeavingBefore", "exits instead of returning"),
        ("Requiring", "raised AttributeError: 'int' object has no attribute 'workers'"),
        ("WithoutBreakdown", "the rule WithoutBreakdown raised ZeroDivisionError: division by zero"),
        ("Promising", "the rule Promising needs sims Promises as promises, got promises = None"),
        ("Bragging", "the rule Bragging needs breakdown ≤ 7, got breakdown = 8"),
        ("Vague", "the rule Vague needs a whole number breakdown ≥ 0, got breakdown = 'some'"),
        ("Owing", "the rule Owing needs breakdown ≥ 0, got breakdown = -3"),
    ],
)
def test_a_rule_that_answers_nothing_is_refused(own, name, sentence):
    assert sentence in refused(*audit(f"own_ends:{name}"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("LeavingAtOnce", "the rule raised SystemExit: 0"),
        ("leaving", "the rule raised SystemExit: 0"),
        ("UnusualAtOnce", "the rule raised Alarm: of no kind"),
        ("Deep", "the rule Deep raised RecursionError: maximum recursion depth"),
    ],
)
def test_a_rule_that_answers_nothing_has_a_card_that_says_so(own, name, words):
    shown = " ".join(call(*audit(f"own_ends:{name}"), code=1, columns=200).stdout.split())
    assert "✗ answers" in shown
    assert words in shown


def test_the_place_in_ones_own_code_is_named(own):
    line = CODE[: CODE.index('raise KeyError("no")')].count("\n") + 1
    assert refused(*audit("own_ends:NotMade")).startswith(f"NotMade.__init__ ({own / 'own_ends.py'}, line {line}) ")


def test_a_module_that_exits_does_not_import(own):
    assert "module own_leaving does not import: SystemExit: 0" in refused(*audit("own_leaving:x"))
    assert "module own_alarm does not import: BaseException: no module" in refused(*audit("own_alarm:x"))


def test_a_file_is_a_module_wherever_it_lies(own):
    (own / "deep").mkdir()
    (own / "deep" / "own_elsewhere.py").write_text("from own_ends import median\n", encoding="utf-8")
    assert "median at n = 7" in call(*audit("./own_ends.py:median")).stdout
    assert "median at n = 7" in call(*audit(f"{own}/deep/own_elsewhere.py:median")).stdout
    assert "there is no file ./own_nowhere.py" in refused(*audit("./own_nowhere.py:x"))
    (own / "json.py").write_text("x = 1\n", encoding="utf-8")
    assert "another module is called json" in refused(*audit("./json.py:x"))


def test_what_is_no_error_of_the_users_code_keeps_its_traceback():
    """As long as none of the user's own code stands between the command and what was raised."""

    def command():
        json.loads(None)  # pyright: ignore[reportArgumentType]

    with pytest.raises(TypeError, match="the JSON object must be"):
        errors.one_sentence(command)()
