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
from byzcheck.show.page import page
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
    rows = lines(terminal.statements_table(records), width)
    expected = (
        ("Definition X", "△ constant, 0 of 1", "● proved", "2/2"),
        ("Mean of a die: 7/2",),
        ("Theorem Y", "◐ supported", "—", "2/2"),  # nothing is said of a corrected form
        ("P(heads) = ½",),
        ("Remark V", "? undecided", "0/1"),
    )
    text = "\n".join(rows)
    place = 0
    for parts in expected:  # row after row
        place = next(k for k in range(place, len(rows)) if all(part in rows[k] for part in parts))
    assert "…" not in text
    for table in (
        terminal.points_table(records),
        page(tiny.DIE, records[0], "now"),
        page(tiny.DIE, None, "never"),
    ):
        text = "\n".join(lines(table, width))
        assert "…" not in text
        assert "The mean of a die is 3." in text


def test_the_last_lines_tell_what_was_found(records, monkeypatch):
    run = {"statements": records, "versions": {}, "budget": "quick", "seed": 0, "backend": "numpy", "false_alarm": 0.0}
    monkeypatch.setattr(terminal, "FINDINGS", (("theorem_y_coin", "Heads, half of the time."), ("another", "No.")))
    last = lines(terminal.summary(run, 1.0), 100)
    assert last[:3] == [
        "printed    2 of 3 statements stand; faults: 1 constant",
        "corrected  1 proved",
        "controls   4 of 5 came out as they must",
    ]
    text = "\n".join(last)
    assert "Theorem Y  Heads, half of the time." in text
    assert "No." not in text
    assert 'Next: byzcheck show "Theorem Y"' in text


def test_how_serious_a_fault_is_can_be_told_apart(records):
    said = {}
    for severity in ("wording", "constant", "hypothesis", "substance"):
        record = records[0] | {"fault": {"severity": severity, "because": "Because.", "lacks": None}}
        said[severity] = words.printed_words(record)
    assert len(set(said.values())) == 4
    assert said["wording"][0].startswith("△")
    assert said["substance"][0].startswith("✗")
    assert words.printed_words(records[0] | {"printed": None, "source": {}})[0] == "a definition"


OURS = replace(
    tiny.DIE,
    stem="beyond_dice",
    label="Beyond: dice",
    printed=None,
    says=None,
    source=None,
    fault=None,
    claims=tiny.DIE.claims[1:],
)


@pytest.fixture(scope="module")
def of_ours():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("theory.load", {OURS.stem: OURS}.__getitem__)
        return statement_record(Result(OURS, tuple(perform(task, Options()) for task in tasks(OURS))))


@pytest.mark.parametrize("width", [80, 100])
def test_a_statement_of_ours_is_told_from_the_papers(records, of_ours, width):
    rows = lines(terminal.statements_table([*records, of_ours]), width)
    (place,) = [i for i, row in enumerate(rows) if "ours" in row]
    assert rows[place].startswith("Beyond: dice ")
    assert "● proved" in rows[place]
    listed = "\n".join(lines(terminal.list_table([OURS], {OURS.stem: of_ours}), width))
    assert "ours" in listed
    assert "● proved" in listed
    shown = "\n".join(lines(page(OURS, of_ours, "now"), width))
    assert "Ours, not in the paper" in shown
    assert "As printed" not in shown
    assert "| ours | ● proved: Mean of a die: 7/2 |" in statements_markdown([of_ours])


@pytest.mark.parametrize("width", [80, 100])
def test_the_widest_row_fits(records, width):
    widest = records[0] | {"label": "Counterexample 3", "corrected": "undecided"}
    widest |= {"fault": {"severity": "hypothesis", "because": "Because.", "lacks": "that"}}
    text = " ".join(lines(terminal.statements_table([widest]), width))
    assert "…" not in text
    assert all(word in text for word in ("? undecided", "✗ hypothesis, 0 of 1", "2/2", "Counterexample 3"))


def test_a_page_says_first_what_it_means_and_then_what_is_wrong(records):
    text = "\n".join(lines(page(tiny.DIE, records[0], "now"), 100))
    order = (
        "Expect 7/2.",
        "△ constant, 0 of 1",
        "Section 1, main text. Legible.",
        "constant The mean is 7/2.",
        "● proved",
        "rests on: counting six sides",
        "three  (printed, point 7)",
        "control 7/2 → holds, as it must",
    )
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_missed_controls_are_named_with_their_reason(records):
    (sentence,) = words.missed(records)
    assert sentence == "Remark V, claim mean: control “the same” came out as holds and must be refuted: it is not"


def test_page_says_when_a_control_was_not_caught(records):
    assert "WRONG" in "\n".join(lines(page(tiny.VACUOUS, records[2], "now"), 100))
    assert "WRONG" not in "\n".join(lines(page(tiny.DIE, records[0], "now"), 100))


def test_evidence_of_any_number_and_any_text_has_a_row():
    odd = [Evidence("x", math.nan, "<=", Fraction(10) ** 400, "searched"), Evidence("[b]y", -0.0, "=", 0, "exact")]
    assert "[b]y" in "\n".join(lines(terminal.evidence_table(odd), 80))
    empty = Result(tiny.COIN, tuple(Outcome(task, (), 0, 0.0) for task in tasks(tiny.COIN)))
    assert "? undecided" in "\n".join(lines(terminal.statements_table([statement_record(empty)]), 80))


def test_markdown(records):
    rows = statements_markdown(records).splitlines()
    assert rows[2] == (
        "| [Definition X](theory/definition_x_die.py) | The mean of a die | △ constant, 0 of 1: The mean is 7/2. "
        "| ● proved: Mean of a die: 7/2 | Expect 7/2. | 2/2 |"
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
