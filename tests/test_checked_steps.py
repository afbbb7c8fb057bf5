"""Steps of proofs that a program checks: each has its evidence, and each kind refutes a planted false lemma."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

import theory
from byzcheck.checkout import recorded_statements
from sims.checks import polynomials
from sims.checks.evidence import Evidence, claim_verdict
from theory.claim import Claim, Context
from theory.proof import PROVES, proofs_of

ALGEBRA = "identities"
STEP = re.compile(r"\((?:(\w+)(?:\.md)?, )?steps? (\d+)(?: and (\d+))?\)")
SORTS = ("terms that are left of ", "negative coefficients of ")


def statements_with_algebra() -> list[str]:
    return [stem for stem in theory.PAPER if any(claim.name == ALGEBRA for claim in theory.load(stem).claims)]


def algebra_of(stem: str) -> Claim:
    (found,) = (claim for claim in theory.load(stem).claims if claim.name == ALGEBRA)
    return found


def evidence(stem: str, **replace: object) -> list[Evidence]:
    return list(algebra_of(stem)(Context(stem, ALGEBRA), **replace))


def sort_of(e: Evidence) -> str:
    """Identities, signs, or the kind of what is neither."""
    return next((sort for sort in SORTS if e.what.startswith(sort)), e.kind)


def steps_named(found: list[Evidence]) -> Iterator[tuple[str | None, int]]:
    """(proof, step) of each item; it may leave out the proof where no other has that step computed."""
    for e in found:
        matches = list(STEP.finditer(e.what))
        assert matches, f"{e.what} names no step"
        for match in matches:
            yield from ((match[1], int(step)) for step in match.groups()[1:] if step)


@pytest.mark.parametrize("stem", statements_with_algebra())
def test_steps_that_are_said_to_be_computed_are_those_that_are(stem):
    """A step that names the claim has an item there, and an item names a step that says so."""
    linked = {
        (proof.name, number)
        for proof in proofs_of(stem, theory.load(stem).proofs)
        for number, step in enumerate(proof.steps, start=1)
        if any(ALGEBRA in link.claims for link in step.links)
    }
    named = set()
    for proof, number in steps_named(evidence(stem)):
        meant = {(name, step) for name, step in linked if step == number and proof in (name, None)}
        assert len(meant) == 1, f"{proof or 'the proof'}, step {number}: {meant or 'does not say so'}"
        named |= meant
    assert named == linked


@pytest.mark.parametrize("stem", statements_with_algebra())
def test_each_sort_of_item_refuses_a_false_lemma_that_is_planted(stem):
    """Identities, signs and enclosures: of each some control refutes an item, and nothing is refuted without one."""
    own = evidence(stem)
    assert claim_verdict(own) == "holds"
    assert {e.verdict for e in own} == {"holds"}
    planted = [e for control in algebra_of(stem).controls for e in evidence(stem, **control.replace)]
    assert {sort_of(e) for e in own} == {sort_of(e) for e in planted if e.verdict == "refuted"}


@pytest.mark.parametrize("stem", statements_with_algebra())
def test_the_same_formulas_hold_of_random_numbers(stem, monkeypatch):
    """A second route, without polynomials: letters are rationals > 0, and so are differences and signs."""
    rng = np.random.default_rng(7)

    def numbers(names: str) -> tuple[Fraction, ...]:
        return tuple(Fraction(int(rng.integers(10**6, 10**7)), 10**6 + 3) for _ in names.split())

    def differences(what: str, *values: Fraction, **rest: object) -> Evidence:
        return Evidence(SORTS[0] + what, sum(value != 0 for value in values), "=", 0, "exact", covers="numbers")

    def signs(what: str, *values: Fraction, **rest: object) -> Evidence:
        return Evidence(SORTS[1] + what, sum(value < 0 for value in values), "=", 0, "exact", covers="numbers")

    exact = evidence(stem)
    stand_ins = {"quotients": numbers, "letters": numbers, "vanishes": differences, "nonnegative": signs}
    for name, module in list(sys.modules.items()):
        if name.startswith("theory.") or name == polynomials.__name__:
            replaced = {key: stand_in for key, stand_in in stand_ins.items() if hasattr(module, key)}
            for attribute, stand_in in (replaced | {"fmpq": Fraction} if replaced else {}).items():
                monkeypatch.setattr(module, attribute, stand_in, raising=False)
    found = evidence(stem)
    assert [e.what for e in found] == [e.what for e in exact]
    assert [e.what for e in found if e.measured and e.what.startswith(SORTS)] == []


@pytest.mark.parametrize("how", PROVES[1:])
def test_each_way_in_which_a_program_checks_steps_refuses_false_lemmas(how):
    """Each claim that checks steps so has a control that it had to refute, and did; a refuted one has a survivor."""
    claims = {
        (stem, name)
        for stem in theory.PAPER
        for proof in proofs_of(stem, theory.load(stem).proofs)
        for step in proof.steps
        for link in step.links
        if link.how == how
        for name in link.claims
    }
    assert claims
    for stem, name in claims:
        record = recorded_statements()[stem]
        expected = "survives" if record["claims"][name]["verdict"] == "refuted" else "refuted"
        (claim,) = (claim for claim in theory.load(stem).claims if claim.name == name)
        planted = {control.name for control in claim.controls if control.expect == expected}
        caught = {control["name"] for control in record["controls"] if control["claim"] == name and control["caught"]}
        assert planted & caught, f"{stem}: {name}"


def test_what_the_tests_above_would_say_of_a_check_that_is_none():
    assert list(steps_named([Evidence("a (b, steps 1 and 3)", 0, "=", 0, "exact")])) == [("b", 1), ("b", 3)]
    assert list(steps_named([Evidence("a (step 2)", 0, "=", 0, "exact")])) == [(None, 2)]
    with pytest.raises(AssertionError, match="names no step"):
        list(steps_named([Evidence("a", Fraction(0), "=", 0, "exact")]))
