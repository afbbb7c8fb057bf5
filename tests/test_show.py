"""Tables and pages, on terminals of 80 and 100 columns and in Markdown."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from fractions import Fraction

import pytest
import tiny_statements as tiny
from rich.console import Console

from byzcheck.record import statement_record
from byzcheck.run import Options, Outcome, Result, perform, tasks
from byzcheck.show import terminal, words
from byzcheck.show.markdown import between, points_markdown, statements_markdown
from sims.checks.evidence import Evidence


@pytest.fixture(scope="module")
def records():
    return [statement_record(result) for result in tiny.results_of(tiny.DIE, tiny.COIN, tiny.VACUOUS)]


def lines(thing, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(thing)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_compared_takes_digits_until_different_numbers_differ():
    assert words.compared({"measured": 0.75, "relation": "<=", "claimed": 0.75}) == ("0.75", "≤", "0.75")
    assert words.compared({"measured": 1.00001, "relation": ">=", "claimed": 1}) == ("1.00001", "≥", "1")
    within = {"measured": 0.7500000001, "relation": "<=", "claimed": 0.75, "error": 1e-9}
    assert words.compared(within) == ("0.75", "≤", "0.75")
    assert words.compared({"measured": "nan", "relation": "=", "claimed": "inf"}) == ("NaN", "=", "∞")


@pytest.mark.parametrize("width", [80, 100])
def test_tables_fit_and_lose_nothing(records, width):
    rows = lines(terminal.statements_table(records, width), width)
    expected = (
        ("Definition X", "printed", "✗ refuted", "3.5 ", "= ", "3 ", "2/2"),
        ("The mean of a die", "corrected", "● holds", "3.5 "),
        ("Theorem Y", "printed", "◐ supported"),  # nothing is said of a corrected form
        ("Remark V", "printed", "? undecided", "0/1"),
    )
    rows = [row for row in rows[2:] if "printed" in row or "corrected" in row]
    for row, parts in zip(rows, expected, strict=True):
        assert all(part in row for part in parts)
    for table in (
        terminal.points_table(records),
        terminal.page(tiny.DIE, records[0], "now"),
        terminal.page(tiny.DIE, None, "never"),
    ):
        text = "\n".join(lines(table, width))
        assert "…" not in text
        assert "The mean of a die is 3." in text


OURS = replace(tiny.DIE, stem="beyond_dice", label="Beyond: dice", printed=None, claims=tiny.DIE.claims[1:])


@pytest.fixture(scope="module")
def of_ours():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("theory.load", {OURS.stem: OURS}.__getitem__)
        return statement_record(Result(OURS, tuple(perform(task, Options()) for task in tasks(OURS))))


@pytest.mark.parametrize("width", [80, 100])
def test_a_statement_of_ours_is_told_from_the_papers(records, of_ours, width):
    rows = lines(terminal.statements_table([*records, of_ours], width), width)
    (place,) = [i for i, row in enumerate(rows) if "ours" in row]
    assert rows[place].startswith("Beyond: dice ")
    assert "● holds" in rows[place]
    assert "The mean of a die" in rows[place + 1]  # its title, which the others have on their second row
    listed = "\n".join(lines(terminal.list_table([OURS], {OURS.stem: of_ours}), width))
    assert "ours" in listed
    assert "● holds" in listed
    shown = "\n".join(lines(terminal.page(OURS, of_ours, "now"), width))
    assert "Ours, not in the paper" in shown
    assert "(ours)" in shown
    assert "As printed" not in shown
    assert "| ours: not in the paper | ● holds" in statements_markdown([of_ours])


@pytest.mark.parametrize("width", [80, 100])
def test_the_widest_row_fits(records, width):
    widest = records[0] | {"label": "Counterexample 3", "printed": "undecided", "corrected": "undecided"}
    telling = {"kind": "reproduced", "measured": -1.23e-10, "relation": "<=", "claimed": 1.25e-10, "error": 0.0}
    widest |= {"headlines": {"printed": telling, "corrected": telling}, "seconds": 123.4}
    text = " ".join(lines(terminal.statements_table([widest], width), width))
    assert "…" not in text
    assert text.count("? undecided") == 2
    assert all(word in text for word in ("-1.23e-10", "1.25e-10", "reproduced", "2/2", "123", "Counterexample"))


def test_missed_controls_are_named_with_their_reason(records):
    (sentence,) = words.missed(records)
    assert sentence == "Remark V, claim mean: control “the same” is holds where it must be refuted: it is not"


def test_page_says_when_a_control_was_not_caught(records):
    assert "NOT CAUGHT" in "\n".join(lines(terminal.page(tiny.VACUOUS, records[2], "now"), 100))
    assert "NOT CAUGHT" not in "\n".join(lines(terminal.page(tiny.DIE, records[0], "now"), 100))


def test_evidence_of_any_number_and_any_text_has_a_row():
    odd = [Evidence("x", math.nan, "<=", Fraction(10) ** 400, "searched"), Evidence("[b]y", -0.0, "=", 0, "exact")]
    assert "[b]y" in "\n".join(lines(terminal.evidence_table(odd), 80))
    empty = Result(tiny.COIN, tuple(Outcome(task, (), 0, 0.0) for task in tasks(tiny.COIN)))
    assert "? undecided" in "\n".join(lines(terminal.statements_table([statement_record(empty)]), 80))


def test_markdown(records):
    rows = statements_markdown(records).splitlines()
    assert rows[2] == (
        "| [Definition X](theory/definition_x_die.py) | The mean of a die | ✗ refuted: mean of a die: 3.5 = 3 (exact) "
        "| ● holds: mean of a die: 3.5 = 3.5 (exact) | 2/2 |"
    )
    assert points_markdown(records).splitlines()[2] == (
        "| 7 | The mean of a die is 3. | ✗ refuted | [Definition X](theory/definition_x_die.py) |"
    )
    assert "a \\| b c" in statements_markdown([records[0] | {"title": "a | b\nc"}])


TEXT = "intro\n<!-- points: begin -->\nold\n<!-- points: end -->\nprose\n"


def test_between_replaces_what_is_between_the_markers_and_nothing_else():
    new = between(TEXT, "points", "new")
    assert new == TEXT.replace("old", "new")
    assert between(new, "points", "new") == new


@pytest.mark.parametrize(
    "text", ["", TEXT + TEXT, TEXT.replace("begin", "start"), "<!-- points: end --> <!-- points: begin -->"]
)
def test_between_wants_both_markers_once_and_in_order(text):
    with pytest.raises(ValueError, match="needs the markers"):
        between(text, "points", "new")
