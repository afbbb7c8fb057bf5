"""Keys follow what somebody replaces in our own modules while the program runs."""

from __future__ import annotations

import sys

import pytest
from key_pairs import into, tell_apart

import sims.aggregators.krum
import sims.columns
import sims.engine.on_arrays
import sims.engine.round
from sims.aggregators import CoordinateMedian, Krum, Rule
from sims.attacks import InnerProductManipulation
from sims.engine.describe import code_as_loaded
from sims.engine.loaded import changed
from sims.optimizers import SGD

pytestmark = pytest.mark.usefixtures("all_are_many")

PAIRS = {}


@into(PAIRS)
def a_method_of_ours_is_replaced(monkeypatch):
    yield CoordinateMedian()
    monkeypatch.setattr(CoordinateMedian, "reduce", lambda self, x: x.mean(-2))
    yield CoordinateMedian()


@into(PAIRS)
def a_method_of_an_attack_of_ours_is_replaced(monkeypatch):
    yield InnerProductManipulation()
    monkeypatch.setattr(InnerProductManipulation, "send", lambda self, view, state, rng: (5 * view.own, state))
    yield InnerProductManipulation()


@into(PAIRS)
def a_method_is_added_to_a_class_of_ours(monkeypatch):
    yield CoordinateMedian()
    monkeypatch.setattr(
        CoordinateMedian, "__call__", lambda self, x, state=(), rng=None: (x.mean(-2), ()), raising=False
    )
    yield CoordinateMedian()


@into(PAIRS)
def a_method_of_a_base_of_ours_is_replaced(monkeypatch):
    yield CoordinateMedian()
    monkeypatch.setattr(Rule, "__call__", lambda self, x, state=(), rng=None: (x.mean(-2), ()))
    yield CoordinateMedian()


@into(PAIRS)
def a_method_of_an_optimizer_of_ours_is_replaced(monkeypatch):
    yield SGD(0.1)
    monkeypatch.setattr(SGD, "update", lambda self, x, aggregate, memory, t: (x - aggregate, memory))
    yield SGD(0.1)


@into(PAIRS)
def a_function_that_ours_imports_is_replaced(monkeypatch):
    yield CoordinateMedian()
    monkeypatch.setattr(sims.columns, "sort_rows", lambda x: 2 * x)
    yield CoordinateMedian()


@into(PAIRS)
def a_function_is_replaced_where_it_is_defined(monkeypatch):
    original = sims.engine.round.Round.sq_error
    yield CoordinateMedian()
    monkeypatch.setattr(sims.engine.round.Round, "sq_error", lambda *a: 2 * original(*a))
    monkeypatch.setattr(sims.columns, "sort_rows", lambda x: 2 * x)
    yield CoordinateMedian()


@into(PAIRS)
def a_constant_is_added_to_a_class_of_ours(monkeypatch):
    monkeypatch.setattr(CoordinateMedian, "reduce", lambda self, x: getattr(type(self), "scale", 1.0) * x.mean(-2))
    yield CoordinateMedian()
    monkeypatch.setattr(CoordinateMedian, "scale", 2.0, raising=False)
    yield CoordinateMedian()


@into(PAIRS)
def an_entry_of_a_table_of_ours_is_replaced(monkeypatch):
    yield Krum(1)
    monkeypatch.setitem(sims.aggregators.krum.VARIANTS, "paper", (3, 1.0))
    yield Krum(1)


def test_a_constant_of_the_engine_that_is_set_is_in_keys_and_one_that_is_set_back_is_not(monkeypatch):
    before = code_as_loaded(["sims.aggregators.mean"])
    with monkeypatch.context() as within:
        within.setattr(sims.engine.on_arrays, "CHUNK_NUMBERS", 7)
        after = code_as_loaded(["sims.aggregators.mean"])
        assert {name for name in after if after[name] != before[name]} == {"sims.engine.on_arrays"}
    assert code_as_loaded(["sims.aggregators.mean"]) == before


def test_nothing_of_ours_is_otherwise_than_its_text_says():
    """Whatever this process has imported: a decorator that hides a function would be told here."""
    ours = [name for name in sorted(sys.modules) if name.partition(".")[0] in ("sims", "theory", "byzcheck")]
    assert [(module, name) for module in ours for name, _ in changed(module)] == []


@pytest.mark.parametrize("pair", PAIRS)
def test_what_gives_other_numbers_has_another_key(pair, monkeypatch):
    tell_apart(PAIRS[pair](monkeypatch))
