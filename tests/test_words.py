"""What people read uses words of the field, and short sentences with few numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from invoke import call
from typer.main import get_command

import theory
from byzcheck.__main__ import app
from byzcheck.checkout import recorded_statements
from byzcheck.commands.console import console
from byzcheck.show.terminal import points_table, statements_table

ROOT = Path(__file__).parents[1]
OPAQUE = {  # readers stumbled over this … → say this
    r"stems?": "the statement's name",
    r"telling": "decisive",
    r"caught": "came out as it must, found",
    r"covers all": "to all cases by",
    r"laws?(?! of large numbers)": "distribution",
    r"floors?": "lower bound",
    r"worlds?": "the two problems",
    r"spikes?": "rare large gradients",
    r"dictators?": "an algorithm that follows one worker",
    r"standing still": "no step at all",
    r"in step": "at the same frequency",
    r"quiet (?:path|run|worker)s?": "without noise",
    r"lean loop": "the loop",
    r"world-\w+": "of a problem",
}
LONGEST, MOST = 40, 4  # words, and numbers, of a sentence
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "paper_checks.md"]
PAGES += sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))
SHORT = [page for page in PAGES if page != "CHANGELOG.md"]
FEW = [page for page in SHORT if page != "paper_checks.md"]  # its examples are numbers


def opaque(text: str) -> list[str]:
    """The opaque words of a text, each with what to say instead."""
    words = " ".join(text.split())
    return [
        f"{found[0]}: say {say}" for word, say in OPAQUE.items() for found in re.finditer(rf"(?i)\b{word}\b", words)
    ]


def prose(page: str) -> str:
    """A page without what is generated into it, its blocks of code, comments and rows of tables."""
    text = re.sub(r"<!-- (\w+): begin -->.*?<!-- \1: end -->", "", page, flags=re.DOTALL)
    text = re.sub(r"^(```+|:::+).*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"<!--.*?-->|(`+)[^`]+?\1", lambda found: "X" if found[1] else "", text, flags=re.DOTALL)
    return re.sub(r"^\|.*\n", "", text, flags=re.MULTILINE)


def sentences(page: str) -> Iterator[str]:
    """The sentences of a page's prose: a paragraph, a heading and an item of a list end one, too."""
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )|(?<=\n)(?=#)", prose(page)):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", " ".join(paragraph.split()))
        text = re.sub(r"\$[^$]*\$", "X", text).replace("*", "")
        yield from re.split(r"(?<=[.!?])[)\"”]?\s+(?=[\"“(]?[A-ZΑ-Ω0-9])", text)


def words(sentence: str) -> int:
    """How many words a sentence has: what has two letters."""
    return len(re.findall(r"[^\W\d_]{2,}(?:['’\-][^\W\d_]+)*", sentence))


def numbers(sentence: str) -> int:
    """How many numbers a sentence has that a reader must keep in mind: no labels, settings, brackets or names."""
    text = re.sub(r"\([^()]*\)|\[[^]]*\]|\{[^}]*\}", "", re.sub(r"\([^()]*\)", "", sentence))
    text = re.sub(r"\b(?:[A-Z]\w+s?|points?|classes|class|version) \d[\d.,]*(?:(?:,| and| to|–) ?\d[\d.,]*)*", "", text)
    text = re.sub(r"[^\s,;]*\w ?[=≤≥<>≈] ?[−½¼\d][^\s,;]*", "", text)  # n = 25
    return len(re.findall(r"(?<![\w.^_/·(-])\d[\d.,]*(?![\w^/(·-])", text))


@pytest.mark.parametrize("page", PAGES)
def test_no_opaque_word_on_a_page(page):
    assert opaque(prose((ROOT / page).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("page", SHORT)
def test_no_sentence_is_too_long(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [sentence for sentence in sentences(text) if words(sentence) > LONGEST] == []


@pytest.mark.parametrize("page", FEW)
def test_no_sentence_has_too_many_numbers(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [sentence for sentence in sentences(text) if numbers(sentence) > MOST] == []


def test_no_opaque_word_in_the_report():
    """In its frame and its tables; what it says of statements is what `show` says."""
    home = ROOT / "byzcheck" / "report"
    frame = [re.sub(r"{[%{#].*?[%}#]}|<[^>]*>", " ", page.read_text(encoding="utf-8")) for page in home.glob("*.html")]
    cards = re.findall(
        r'"(?:says|against|missing|because)": (".*")', (home / "tables.json").read_text(encoding="utf-8")
    )
    assert len(frame) > 1
    assert len(cards) > 100
    assert opaque("\n".join([*frame, *map(json.loads, cards)])) == []


def commands(group: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


@pytest.mark.parametrize("path", list(commands(get_command(app))), ids=" ".join)
def test_no_opaque_word_in_the_help(path):
    assert opaque(call(*path, "--help").stdout) == []


@pytest.mark.parametrize("stem", theory.PAPER)
def test_no_opaque_word_in_what_is_shown_of_a_statement(stem):
    shown = call("show", stem, columns=200).stdout
    assert opaque(re.sub(r"\S*[_/]\S*|\S+\.md\b", "", shown)) == []  # names of claims and files are names


def test_no_opaque_word_in_lists_and_tables(capsys):
    out = console()
    for table in (statements_table, points_table):
        out.print(table(list(recorded_statements().values())))
    assert opaque(capsys.readouterr().out + call("list").stdout + call("list", "--rules").stdout) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Every law is one.", 1),
        ("By the law of large numbers.", 0),
        ("A flaw, a system and a flooring.", 0),
        ("Two\nworlds; its STEM.", 2),
        ("The evidence covers\nall of it.", 1),
    ],
)
def test_opaque_words_are_found(text, found):
    assert len(opaque(text)) == found


@pytest.mark.parametrize(
    ("text", "of_words", "of_numbers"),
    [
        ("It is 0.5 of 3, then 7.", 4, 3),
        ("At n = 25, f = 5 and β = 0.9 it is 1.5 (of 2, 3 and 4).", 6, 1),
        ("Theorem IV and Remark 5 of Section 7.1 say 17 of `2 + 3`.", 8, 1),
        ("Python 3.11 and 3.12 on x^2 and 2/3 and 4-5.", 5, 0),
    ],
)
def test_words_and_numbers_are_counted(text, of_words, of_numbers):
    assert (words(text), numbers(re.sub(r"`[^`]*`", "x", text))) == (of_words, of_numbers)


def test_sentences_are_told_apart():
    page = "# A title\n\nOne *is*\nhere. Two [are](b.md), e.g. there!\n\n- An item\n- Another. “Quoted.” End.\n\n"
    assert list(
        sentences(page + "| a. | B |\n```\nCode. More.\n```\n<!-- x: begin -->\nRows. Of.\n<!-- x: end -->\n")
    ) == [
        "# A title",
        "One is here.",
        "Two are, e.g. there!",
        "- An item",
        "- Another.",
        "“Quoted.",
        "End.",
        "",
    ]
