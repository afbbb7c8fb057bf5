"""What a statement must have, and what a check is given."""

from __future__ import annotations

import pytest

from theory.claim import SHARE, Claim, Context, Control, Statement


def test_control_is_caught_only_by_the_expected_verdict():
    false, true = Control("a", "b", {}), Control("a", "b", {}, expect="survives")
    verdicts = ("holds", "supported", "refuted", "undecided")
    assert [false.caught(v) for v in verdicts] == [False, False, True, False]
    assert [true.caught(v) for v in verdicts] == [True, True, False, False]


CONTROL = (Control("a", "b", {}),)


def test_a_claim_needs_a_control():
    with pytest.raises(ValueError, match="has no control"):
        Claim("c", "text", ("printed",), lambda ctx: [], ())


def test_a_point_needs_its_number_and_a_number_its_point():
    for about, point in ((("point",), None), (("printed",), 3)):
        with pytest.raises(ValueError, match="point number"):
            Claim("c", "text", about, lambda ctx: [], CONTROL, point=point)


def test_claim_names_differ_within_a_statement():
    claim = Claim("same", "text", ("printed",), lambda ctx: [], CONTROL)
    with pytest.raises(ValueError, match="same, same"):
        Statement("s", "S", "t", "p", None, (claim, claim))


def test_a_statement_of_ours_has_its_text_as_corrected_and_no_claim_about_the_print():
    about = [Claim(side, "text", (side,), lambda ctx: [], CONTROL) for side in ("printed", "corrected")]
    assert Statement("s", "S", "t", None, "c", (about[1],)).ours
    assert not Statement("s", "S", "t", "p", "c", tuple(about)).ours
    for corrected, claim in (("c", about[0]), (None, about[1])):
        with pytest.raises(ValueError, match="without a printed text it needs a corrected one"):
            Statement("s", "S", "t", None, corrected, (claim,))


def test_context_counts_what_it_takes_of_the_false_alarm():
    ctx = Context("s", "c")
    assert [ctx.alpha, ctx.alpha] == [SHARE, SHARE]
    assert ctx.intervals == 2


def test_context_scales_with_the_budget_and_streams_differ_by_claim():
    assert [Context("s", "c", b).scaled(100) for b in ("quick", "default", "full")] == [12, 100, 800]
    assert Context("s", "c", "quick").scaled(1) == 1
    assert Context("s", "a", seed=3).stream("x") == (3, "s/a/x")
