"""What to cite: the entries of sources.bib, who uses which, what `byzcheck cite` prints, and CITATION.cff."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
import yaml
from invoke import call, refused

import theory
from byzcheck.citations import suite
from byzcheck.version import YEAR, __version__
from theory.proof import proofs_of
from theory.sources import PAPER_KEY, Reference, named, references

ROOT = Path(__file__).parents[1]
REQUIRED = {
    "article": {"author", "title", "journal", "year"},
    "inproceedings": {"author", "title", "booktitle", "year"},
    "incollection": {"author", "title", "booktitle", "publisher", "year"},
    "misc": {"author", "title", "year"},
}
WORDS = {  # a statement that says this … → goes back to
    r"\bKrum\b": "blanchard2017",
    r"\bBulyan\b": "mhamdi2018",
    r"trimmed mean|coordinate-wise median|\bTM\b": "yin2018",
    r"\bRFA\b": "pillutla2022",
    r"\bALIE\b": "baruch2019",
    r"\bIPM\b": "xie2020",
    r"\bMVR\b": "cutkosky2019",
    r"\bSMEA\b": "allouah2023trilemma",
    r"\bMDA\b": "mhamdi2020",
    r"\bMoNNA\b": "farhadkhani2023",
    r"Farhadkhani et al. 2022": "farhadkhani2022",
    r"\bMeamed\b": "xie2018generalized",
    r"\bPhocas\b": "xie2018phocas",
    r"\bARC\b": "allouah2024",
    r"\bROP\b": "ozfatura2024",
    r"\(f, κ\)": "allouah2023mixing",
    r"\(G, ?B\)": "allouah2023tight",
    r"Hoeffding": "hoeffding1963",
    r"Bernstein": "maurer2009",
    r"Chernoff": "chernoff1952",
    r"McDiarmid": "mcdiarmid1989",
    r"Goldstein": "goldstein2010",
    r"Shevtsova": "shevtsova2011",
    r"Efron": "efron1981",
    r"Tsirelson": "tsirelson1976",
    r"Huber contamination": "huber1964",
    r"Clopper": "clopper1934",
    r"Alistarh": "alistarh2018",
    r"Dorfman": "dorfman2024",
    r"Arjevani": "arjevani2023",
    r"secure aggregation": "bonawitz2017",
    r"Lessard": "lessard2016",
    r"Zhao, Yu": "zhao2024",
}


def parse(text: str) -> list[tuple[str, str, dict[str, str]]]:
    """The entries of a file of BibTeX: (kind, key, fields); an AssertionError where BibTeX would stumble.

    Written after BibTeX's own grammar, apart from the program: what is outside of entries is a comment, an entry is
    @kind{key, name = {value}, …}, and braces match in every value.
    """
    found, at = [], 0
    while (at := text.find("@", at)) >= 0:
        head = re.compile(r"@([a-z]+)\{([\w-]+),\s*").match(text, at)
        assert head, text[at : at + 40]
        fields, at = {}, head.end()
        while text[at] != "}":
            name = re.compile(r"([a-z]+)\s*=\s*\{").match(text, at)
            assert name, text[at : at + 40]
            at, depth = name.end(), 1
            start = at
            while depth:
                depth += {"{": 1, "}": -1}.get(text[at], 0)
                at += 1
            assert name[1] not in fields
            fields[name[1]] = text[start : at - 1]
            comma = re.compile(r",?\s*").match(text, at)
            at = comma.end() if comma else at
        found.append((head[1], head[2], fields))
    return found


def sound(text: str) -> list[str]:
    """The keys of a file of BibTeX, after everything that makes BibTeX warn was looked for."""
    assert text.isascii()
    found = parse(text)
    for kind, key, fields in found:
        assert REQUIRED[kind] <= fields.keys(), key
        assert all(fields.values()), key
        assert re.fullmatch(r"\d{4}", fields["year"]), key
        assert all(len(author.split(",")) == 2 or author[0] == "{" for author in fields["author"].split(" and ")), key
    keys = [key for _, key, _ in found]
    assert len(set(keys)) == len(keys)
    return keys


def own_words(stem: str) -> str:
    """What a statement says in its own words: its texts, its docstrings and its proofs; no quotation of the paper."""
    statement, file = theory.load(stem), ROOT / theory.file_of(stem)
    files = sorted(file.parent.glob("*.py")) if file.name == "statement.py" else [file]
    texts = [statement.title, statement.printed, statement.corrected, statement.for_you, statement.rests_on]
    texts += [claim.text for claim in statement.claims]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
                texts.append(ast.get_docstring(node))
    texts += [proof.text for proof in proofs_of(stem, statement.proofs)]
    return "\n".join(filter(None, texts))


def test_the_file_of_sources_is_read_whole():
    text = (ROOT / "theory" / "sources.bib").read_text(encoding="utf-8")
    keys = sound(text)
    assert keys == list(references())
    assert keys == [PAPER_KEY, *sorted(set(keys) - {PAPER_KEY})]
    for (kind, key, fields), one in zip(parse(text), references().values(), strict=True):
        assert (kind, key, fields) == (one.kind, one.key, one.fields)


@pytest.mark.parametrize(
    "text",
    [
        "@misc{a,\n  title = {An {unclosed brace},\n}",
        "@misc{a,\n  title = {x}, title = {y},\n}",
        "@misc{a\n  title = {x},\n}",
        "@misc{a,\n  author = {Él, A.}, title = {x}, year = {2020},\n}",
        "@article{a,\n  author = {El, A.}, title = {x}, year = {2020},\n}",
        "@misc{a,\n  author = {El, A.}, title = {}, year = {2020},\n}",
        "@misc{a,\n  author = {El, A., B}, title = {x}, year = {2020},\n}",
        "@misc{a,\n  author = {El, A.}, title = {x}, year = {20},\n}",
        2 * "@misc{a,\n  author = {El, A.}, title = {x}, year = {2020},\n}\n",
    ],
)
def test_what_bibtex_would_refuse_is_found(text):
    with pytest.raises((AssertionError, IndexError)):
        sound(text)


def test_every_entry_is_used_and_every_use_is_an_entry():
    used = {key for stem in theory.PAPER for key in theory.load(stem).uses}
    assert used == references().keys() - {PAPER_KEY}
    assert all(len(set(uses)) == len(uses) for uses in (theory.load(stem).uses for stem in theory.PAPER))


@pytest.mark.parametrize("stem", theory.PAPER)
def test_what_a_statement_names_it_cites(stem):
    text, uses = own_words(stem), theory.load(stem).uses
    assert [key for words, key in WORDS.items() if re.search(words, text) and key not in uses] == []


def test_every_entry_is_looked_for_by_a_name():
    assert set(WORDS.values()) == references().keys() - {PAPER_KEY}


def test_a_key_that_there_is_not_is_named():
    with pytest.raises(ValueError, match=r"theory/sources\.bib has no entry smith1776"):
        named(["huber1964", "smith1776"])


@pytest.mark.parametrize("stem", theory.PAPER)
def test_cite_prints_bibtex(stem):
    statement = theory.load(stem)
    assert sound(call("cite", *statement.label.split()).stdout) == [PAPER_KEY, *statement.uses, "byzcheck"]


def test_cite_without_a_statement():
    text = call("cite").stdout
    assert sound(text) == [PAPER_KEY, "byzcheck"]
    assert "pages = {5311--5319}" in text
    assert f"Version {__version__}" in text


def test_cite_as_json(tmp_path):
    call("cite", "def", "a", "--json", tmp_path / "found.json")
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert [one["key"] for one in found] == [PAPER_KEY, "hoeffding1963", "maurer2009", "byzcheck"]
    assert [Reference(one["key"], one["kind"], one["fields"]) for one in found] == [
        *named([PAPER_KEY, "hoeffding1963", "maurer2009"]),
        suite(),
    ]


def test_cite_refuses_as_all_commands_do():
    assert refused("cite", "Theorem", "XII").startswith("unknown statement 'Theorem XII'")


def test_the_citation_file_says_what_the_package_says():
    """The rules of CFF 1.2.0 that matter: what is required, and the form of a DOI, a URL and a name."""
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= found.keys()
    assert (found["cff-version"], found["type"], found["license"]) == ("1.2.0", "software", "MIT")
    preferred, paper = found["preferred-citation"], found["references"][0]
    for reference in (preferred, paper):
        assert {"type", "title", "authors"} <= reference.keys()
    assert found["version"] == preferred["version"] == __version__
    assert preferred["year"] == YEAR == int(suite().fields["year"])
    assert found["title"] == preferred["title"] == re.sub("[{}]", "", suite().fields["title"])
    assert found["authors"] == preferred["authors"] == [{"name": suite().fields["author"].strip("{}")}]

    entry = references()[PAPER_KEY].fields
    assert paper["type"] == "conference-paper"
    assert paper["title"] == re.sub("[{}]", "", entry["title"])
    assert " and ".join(f"{a['family-names']}, {a['given-names']}" for a in paper["authors"]) == entry["author"]
    assert f"{paper['start']}--{paper['end']}" == entry["pages"]
    assert [str(paper[key]) for key in ("volume", "year", "url", "doi")] == [
        entry[key] for key in ("volume", "year", "url", "doi")
    ]
    assert re.fullmatch(r"10\.\d{4,9}/[A-Za-z0-9:/_;\-.()\[\]\\]+", paper["doi"])
    assert paper["url"].startswith("https://")
