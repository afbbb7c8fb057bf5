"""What a statement must have, and what a check is given."""

from __future__ import annotations

import pytest

from theory.claim import SHARE, Claim, Context, Control, Fault, Source, Statement, claim


def test_control_is_caught_only_by_the_expected_verdict():
    false, true = Control("a", "b", {}), Control("a", "b", {}, expect="survives")
    verdicts = ("holds", "supported", "refuted", "undecided")
    assert [false.caught(v) for v in verdicts] == [False, False, True, False]
    assert [true.caught(v) for v in verdicts] == [True, True, False, False]


CONTROL = (Control("a", "b", {}),)


def nothing(ctx):
    """No evidence."""
    return []


def a_claim(*sides, name="c"):
    return Claim(name, "text", nothing, CONTROL, sides)


def test_a_claim_needs_a_control():
    with pytest.raises(ValueError, match="has no control"):
        Claim("c", "text", nothing, ())


def test_a_claim_above_its_check_has_its_name_and_can_be_called():
    @claim("Three.", part_of="printed", point=3, controls=CONTROL)
    def is_three(ctx, *, claimed=3):
        """Three, beside three."""
        yield claimed

    assert (is_three.name, is_three.part_of, is_three.point, is_three.about) == (
        "is_three",
        ("printed",),
        3,
        "printed, point 3",
    )
    assert is_three.__doc__ == "Three, beside three."
    assert list(is_three(Context("s", "c"), claimed=4)) == [4]


def test_what_is_part_of_neither_side_is_an_illustration():
    assert a_claim().about == "illustration"
    made = Statement("s", "S", "t", "p", "c", (a_claim(), a_claim("printed", "corrected", name="d")))
    assert [claim.name for claim in made.parts("printed")] == ["d"]


def test_claim_names_differ_within_a_statement():
    with pytest.raises(ValueError, match="same, same"):
        Statement("s", "S", "t", "p", None, (a_claim("printed", name="same"), a_claim("printed", name="same")))


def test_a_statement_of_ours_has_its_text_as_corrected_and_nothing_of_the_print():
    assert Statement("s", "S", "t", None, "c", (a_claim("corrected"),)).ours
    assert not Statement("s", "S", "t", "p", "c", (a_claim("printed"),)).ours
    source, fault = Source("main", "Section 1", "words"), Fault("wording", "Because.")
    for corrected, side, more in (
        ("c", "printed", {}),
        (None, "corrected", {}),
        ("c", "corrected", {"source": source}),
        ("c", "corrected", {"fault": fault}),
    ):
        with pytest.raises(ValueError, match="without a printed text it needs a corrected one"):
            Statement("s", "S", "t", None, corrected, (a_claim(side),), **more)


def test_a_missing_hypothesis_is_named_and_nothing_else_lacks_one():
    assert Fault("hypothesis", "Because.", "independence").lacks == "independence"
    for severity, lacks in (("hypothesis", None), ("constant", "independence")):
        with pytest.raises(ValueError, match="names what it lacks exactly when a hypothesis is missing"):
            Fault(severity, "Because.", lacks)


def test_context_counts_what_it_takes_of_the_false_alarm():
    ctx = Context("s", "c")
    assert [ctx.alpha, ctx.alpha] == [SHARE, SHARE]
    assert ctx.intervals == 2


def test_context_scales_with_the_budget_and_streams_differ_by_claim():
    assert [Context("s", "c", b).scaled(100) for b in ("quick", "default", "full")] == [12, 100, 800]
    assert Context("s", "c", "quick").scaled(1) == 1
    assert Context("s", "a", seed=3).stream("x") == (3, "s/a/x")
