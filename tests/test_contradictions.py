"""When a fresh run contradicts the recorded verdicts."""

from __future__ import annotations

import copy

import pytest
import tiny_statements as tiny

from byzcheck import record
from byzcheck.record import contradictions
from byzcheck.run import Options

DIE, COIN, VACUOUS = 0, 1, 2


@pytest.fixture(scope="module")
def results():
    return tiny.results_of(tiny.DIE, tiny.COIN, tiny.VACUOUS)


@pytest.fixture
def run(results):
    return record.run_record(results, Options())


@pytest.fixture
def old(results):
    return record.kept_record(results, Options())


def change(thing, path, value=None):
    """A copy with another value at `path`, or without what was there."""
    thing = copy.deepcopy(thing)
    place = thing
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    if value is None:
        del place[path[-1]]
    return thing


def undecided(run, which, claim, side):
    fresh = change(run, ("statements", which, "claims", claim, "verdict"), "undecided")
    return change(fresh, ("statements", which, side), "undecided")


def test_a_run_agrees_with_its_own_record(run, old):
    assert contradictions(run, old, list(old["statements"])) == []


@pytest.mark.parametrize("now", ["holds", "refuted", "undecided"])
def test_another_verdict_contradicts(run, old, now):
    fresh = change(run, ("statements", COIN, "claims", "half", "verdict"), now)
    assert contradictions(fresh, old) == [f"theorem_y_coin: claim half: recorded supported, now {now}"]


def test_another_side_contradicts(run, old):
    fresh = change(run, ("statements", DIE, "corrected"), "supported")
    assert contradictions(fresh, old) == ["definition_x_die: as corrected: recorded proved, now supported"]


def test_a_smaller_budget_may_leave_sampled_claims_undecided(run, old):
    fresh = undecided(run, COIN, "half", "printed")
    assert len(contradictions(fresh, old)) == 2
    assert len(contradictions(fresh | {"budget": "full"}, old)) == 2
    assert contradictions(fresh | {"budget": "quick"}, old) == []


def test_a_smaller_budget_excuses_no_exact_claim_and_no_refutation(run, old):
    fresh = undecided(run, DIE, "three_and_a_half", "corrected") | {"budget": "quick"}
    assert len(contradictions(fresh, old)) == 2
    fresh = change(run, ("statements", COIN, "claims", "half", "verdict"), "refuted") | {"budget": "quick"}
    assert contradictions(fresh, old) == ["theorem_y_coin: claim half: recorded supported, now refuted"]


def test_an_excuse_for_one_side_is_none_for_the_other(run, old):
    fresh = undecided(run, COIN, "half", "printed") | {"budget": "quick"}
    fresh = change(fresh, ("statements", COIN, "corrected"), "holds")
    assert contradictions(fresh, old) == ["theorem_y_coin: as corrected: recorded nothing, now holds"]


def test_what_was_undecided_binds_only_the_same_options(run, old):
    fresh = change(run, ("statements", VACUOUS, "claims", "mean", "verdict"), "holds")
    fresh = change(fresh, ("statements", VACUOUS, "printed"), "holds")
    assert len(contradictions(fresh, old)) == 2
    assert contradictions(fresh | {"seed": 1}, old) == []


def test_what_is_not_recorded_or_no_more_there(run, old):
    assert contradictions(run, change(old, ("statements", "theorem_y_coin"))) == ["theorem_y_coin: not recorded"]
    lacking = change(old, ("statements", "definition_x_die", "claims", "three"))
    assert contradictions(run, lacking) == ["definition_x_die: claim three: not recorded"]
    fresh = change(run, ("statements", DIE, "claims", "three"))
    assert contradictions(fresh, old) == ["definition_x_die: claim three: recorded, but no longer made"]
    some = run | {"statements": run["statements"][:1]}
    assert contradictions(some, old) == []
    assert len(contradictions(some, old, ["definition_x_die"])) == 2


def test_a_run_that_is_undecided_throughout_fails(run, old):
    some = undecided(run | {"budget": "quick", "statements": run["statements"][1:2]}, 0, "half", "printed")
    some = change(some, ("statements", 0, "claims", "some", "verdict"), "undecided")
    assert contradictions(some, old) == ["every claim is undecided: the run says nothing"]
