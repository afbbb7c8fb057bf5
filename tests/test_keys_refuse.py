"""What has one key, and what has none; other processes, and files that are edited."""

from __future__ import annotations

import functools
import importlib
import itertools
import logging
import math
import os
import random
import subprocess
import sys
import threading

import numpy as np
import own_code
import pytest
from key_pairs import RULE, both, cell, experiment, into, mine
from own_code import Holding

from sims.aggregators import CoordinateMedian
from sims.engine import describe
from sims.engine.describe import canonical
from sims.optimizers import SGD, RobustSGD

SAME = {}
REFUSED = {}


@into(SAME)
def a_cell_that_is_run_again(_):
    yield mine("scale = 2.0", "self.scale * x.mean(-2)")
    yield mine("scale = 2.0", "self.scale * x.mean(-2)")


@into(SAME)
def a_cell_further_down(_):
    yield cell(RULE.format("", "x.mean(-2)"))["Mine"]()
    yield cell("\n\n# a comment\n" + RULE.format("", "x.mean(-2)"))["Mine"]()


@into(SAME)
def a_closure_over_the_same(_):
    yield own_code.times(2.0)
    yield own_code.times(2.0)


@into(SAME)
def a_change_that_is_taken_back(monkeypatch):
    yield own_code.Scaled()
    with monkeypatch.context() as within:
        within.setattr(own_code.Scaled, "reduce", lambda self, x: x.max(-2))
        within.setattr(CoordinateMedian, "reduce", lambda self, x: x.max(-2))
    yield own_code.Scaled()


@into(SAME)
def a_logger(_):
    for level in (logging.INFO, logging.ERROR):
        names = cell("def f(x):\n    log.debug('asked')\n    return x.mean(-2)\n", log=logging.getLogger("own"))
        names["log"].setLevel(level)
        yield names["f"]


@into(SAME)
def a_mark_that_is_only_itself(_):
    yield cell("MISSING = object()\ndef f(x, y=MISSING): return x.mean(-2) if y is MISSING else y\n")["f"]
    yield cell("MISSING = object()\ndef f(x, y=MISSING): return x.mean(-2) if y is MISSING else y\n")["f"]


@into(SAME)
def a_function_that_remembers_what_it_was_called_with(_):
    f = functools.singledispatch(lambda x: x.mean(-2))
    yield f
    f(np.ones((2, 2)))
    yield f


@into(SAME)
def a_real_that_is_declared(_):
    yield own_code.Declared(2)
    yield own_code.Declared(2.0)


@into(SAME)
def a_mapping_in_another_order_of_sorted_names(_):
    yield Holding(dict(sorted({"a": 1.0, "b": 2.0}.items())), lambda held, x: held["a"] * x.mean(-2))
    yield Holding({"a": 1.0, "b": 2.0}, lambda held, x: held["a"] * x.mean(-2))


REFUSED |= {
    "a generator of random numbers": lambda: Holding(np.random.default_rng(0)),
    "another generator": lambda: Holding(random.Random(0)),
    "an iterator": lambda: Holding(iter([1.0])),
    "a count": lambda: Holding(itertools.count()),
    "a lock": lambda: Holding(threading.Lock()),
    "what is not a number": lambda: Holding(math.nan),
    "an array with what is not a number": lambda: Holding(np.array([1.0, math.nan])),
    "a lock within": lambda: Holding({"a": [(threading.Lock(),)]}),
    "a generator in a closure": lambda: (lambda rng: lambda x: rng.normal() * x.mean(-2))(np.random.default_rng(0)),
    "a generator in a global": lambda: cell("rng = np.random.default_rng(0)\ndef f(x): return rng.normal() * x[0]\n")[
        "f"
    ],
    "a generator in a class": lambda: mine("rng = np.random.default_rng(0)", "self.rng.normal() * x.mean(-2)"),
    "a generator among defaults": lambda: mine("def f(self, rng=np.random.default_rng(0)): pass", "x.mean(-2)"),
    "a class of which Python sees a part": lambda: Holding(type("Mine", (random.Random,), {})(0)),
    "the environment of the process": lambda: Holding(os.environ),
    "a wrapper of one's own": lambda: mine("f = type('Own', (property,), {})(len)", "x.mean(-2)"),
    "what contains itself": lambda: Holding(_round()),
    "what is nested without end": lambda: Holding(functools.reduce(lambda inner, _: [inner], range(100_000), [])),
}


def _round():
    found: list[object] = []
    found.append(found)
    return found


def test_of_two_branches_that_define_one_name_each_has_its_key():
    text = "import own_code, key_pairs as t; print(t.experiment(own_code.branched).key())"
    keys = [
        subprocess.run(
            [sys.executable, "-c", text],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OWN_CODE_OTHER_BRANCH": other},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for other in ("", "1")
    ]
    assert keys[0] != keys[1]
    assert keys[0].strip() == experiment(own_code.branched).key()


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of one's own that is imported, and then edited."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    path = tmp_path / "byzcheck_edited_later.py"
    path.write_text("def rule(x):\n    return x.mean(-2)\n", encoding="utf-8")
    yield importlib.import_module("byzcheck_edited_later"), path
    del sys.modules["byzcheck_edited_later"]


def test_a_file_that_was_edited_after_the_import_says_nothing_of_the_code_that_runs(module):
    """Nobody asked for a key before, so that the text that was imported is not known any more."""
    loaded, path = module
    path.write_text("def rule(x):\n    return x.max(-2)\n", encoding="utf-8")
    old = experiment(loaded.rule).key()
    importlib.reload(loaded)
    assert experiment(loaded.rule).key() != old


def test_what_ones_own_code_is_has_no_part_in_descriptions_of_ours():
    """Whoever describes parts and puts the texts together has the text of the whole."""
    algorithm = RobustSGD(own_code.Scaled(), SGD(own_code.times(2.0)))
    whole = canonical(describe(algorithm))
    for part in (algorithm.rule, algorithm.optimizer):
        assert canonical(describe(part)) in whole


@pytest.mark.parametrize("pair", SAME)
def test_what_is_the_same_has_one_key(pair, monkeypatch):
    keys, numbers = both(SAME[pair](monkeypatch))
    assert numbers[0] == numbers[1]
    assert keys[0] == keys[1]


@pytest.mark.parametrize("made", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_described_is_refused_in_one_sentence(made):
    with pytest.raises(ValueError, match=r"^a key needs [^\n]*$"):
        experiment(made()).key()
