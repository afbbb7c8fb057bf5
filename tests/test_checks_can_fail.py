"""Every check can fail: its claimed side, moved towards what is measured, is refuted, or the claim says it is loose.

A control shows that a check can come out otherwise; it does not show that the claimed side is near what is measured (a
constant of 1360 where 4 is seen), nor that the two are computed apart (a formula compared with itself). Evidence is
measured, relation, claimed: so both are asked of every claim alike. A claim that stands has an item that is refuted
once its claimed side is a quarter nearer, on both sides of an equality. One that has none must declare in `Claim.loose`
why, and have a control, caught, that changes the measured side. Nothing is exempt here by name.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from perform import results

import theory
from sims.checks.evidence import Evidence, Number, claim_verdict
from theory.claim import Claim, Control

ROOT = Path(__file__).parents[1]
NEARER = Fraction(5, 4)


def moved(e: Evidence) -> list[Evidence]:
    """The evidence with its claimed side a quarter nearer, from each side that its relation excludes.

    Where 0 is claimed a quarter of `scale`, or the least number where there is none: a count, or an exact difference.
    """
    claimed = e.claimed
    if isinstance(claimed, float) and not math.isfinite(claimed):
        return []
    if claimed == 0:
        step: Number = Fraction(e.scale) / 4 if e.scale else Fraction(1, 10**30)
        low, high = -step, step
    else:
        near, far = sorted((Fraction(claimed) / NEARER, Fraction(claimed) * NEARER))
        low, high = near, far
    sides = {"<=": [low], ">=": [high], "=": [low, high]}[e.relation]
    return [replace(e, claimed=side) for side in sides]


def is_near(e: Evidence) -> bool:
    """Whether the claimed side, moved, is refuted on every side."""
    variants = moved(e)
    return bool(variants) and all(variant.verdict == "refuted" for variant in variants)


def faults(claim: Claim, own: Sequence[Evidence], controls: Sequence[tuple[Control, Sequence[Evidence]]]) -> list[str]:
    """What is wrong with the evidence of a claim, a sentence each."""
    if claim_verdict(own) == "refuted":
        survivors = [control for control, _ in controls if control.expect == "survives"]
        return [] if survivors else [f"{claim.name} is refuted, and no control shows that it need not be"]
    near = any(is_near(e) for e in own)
    if claim.loose is None:
        return [] if near else [f"{claim.name}: no claimed side is near what is measured; say in `loose` why"]
    if near:
        return [f"{claim.name} says that it is loose, and is not"]
    measured = {e.measured for e in own}
    changed = [
        control.name
        for control, found in controls
        if any(e.verdict == "refuted" and e.measured not in measured for e in found)
    ]
    return [] if changed else [f"{claim.name} is loose, and no control changes what is measured"]


@pytest.mark.parametrize("stem", theory.PAPER)
def test_every_claim_is_near_what_is_measured_or_says_why_not(stem):
    result = results(stem)
    found = []
    for claim in result.statement.claims:
        controls = [(control, outcome.evidence) for control, outcome in result.controls_of(claim)]
        found += faults(claim, result.of(claim).evidence, controls)
    assert found == []


def written_twice(text: str) -> list[int]:
    """Lines of an `Evidence(what, measured, relation, claimed, …)` whose two sides are one expression."""
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    evidence = (call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Evidence")
    return [c.lineno for c in evidence if len(c.args) > 3 and ast.dump(c.args[1]) == ast.dump(c.args[3])]


def test_no_evidence_compares_an_expression_with_itself():
    found = {path.name: written_twice(path.read_text(encoding="utf-8")) for path in (ROOT / "theory").rglob("*.py")}
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert written_twice('Evidence("x", 2 * y, "=", 2 * y, "exact")') == [1]
    assert written_twice('Evidence("x", 2 * y, "=", y + y, "exact")') == []


# What the first test would say of the checks that were no checks.


def item(measured: Number, relation, claimed: Number, error: float = 0.0, scale: float | None = None) -> Evidence:
    return Evidence("x", measured, relation, claimed, "exact", error, scale=scale)


def claim_of(loose: str | None = None) -> Claim:
    control = Control("k", "because", {"a": 1})
    return Claim("c", "text", lambda ctx: (), (control,), ("corrected",), loose=loose)


CAUGHT = [(Control("k", "because", {"a": 1}), [item(5000.0, "<=", 1360)])]
HALVED = [(Control("k", "because", {"a": 1}), [item(4.25, "<=", 1.0)])]  # the same value, another claim


def test_a_constant_far_above_what_is_measured_is_a_fault_unless_declared():
    far = [item(4.25, "<=", 1360)]
    assert len(faults(claim_of(), far, CAUGHT)) == 1
    assert faults(claim_of("a bound for every law"), far, CAUGHT) == []
    assert len(faults(claim_of("a bound for every law"), far, HALVED)) == 1


def test_a_near_constant_is_none_and_must_not_be_declared_loose():
    near = [item(0.1, "<=", 1), item(0.9, "<=", 1)]
    assert faults(claim_of(), near, HALVED) == []
    assert len(faults(claim_of("why"), near, CAUGHT)) == 1


def test_an_equality_must_exclude_both_sides():
    assert faults(claim_of(), [item(1.0, "=", 1.0, 0.1)], HALVED) == []
    assert len(faults(claim_of(), [item(1.0, "=", 1.0, 0.22)], HALVED)) == 1  # 0.8 is within
    assert len(faults(claim_of(), [item(1.0, ">=", 0.5)], HALVED)) == 1
    assert faults(claim_of(), [item(1.0, ">=", 0.9)], HALVED) == []


def test_zero_is_moved_by_its_scale():
    assert is_near(item(0, "=", 0))
    assert is_near(item(1e-14, "=", 0, 1e-12, scale=1.0))
    assert not is_near(item(0.2, "=", 0, 0.3, scale=1.0))
    assert is_near(item(-0.1, "<=", 0, scale=1.0))
    assert not is_near(item(-0.3, "<=", 0, scale=1.0))
    assert is_near(item(-0.5, ">=", -0.6))
    assert not is_near(item(-0.3, ">=", -0.6))


def test_a_refuted_claim_needs_a_control_that_survives():
    refuted = [item(2.0, "<=", 1.0)]
    assert len(faults(claim_of(), refuted, CAUGHT)) == 1
    survivor = [(Control("k", "because", {"a": 1}, expect="survives"), [item(0.5, "<=", 1.0)])]
    assert faults(claim_of(), refuted, survivor) == []
