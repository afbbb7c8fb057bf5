"""The report: one file that says what is recorded, needs nothing else, and is the same for the same records."""

from __future__ import annotations

import copy
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from invoke import call

import theory
from byzcheck.checkout import read_recorded
from byzcheck.commands.figures import drawable, folder
from byzcheck.report import page, tables, words
from byzcheck.report.compact import compact
from byzcheck.report.tables import Tables
from byzcheck.typeset.formula import mathml
from theory.proof import proofs_of

VOID = {"meta", "br", "wbr", "link", "img", "input", "hr", "mspace", "path", "use", "col"}


class Read(HTMLParser):
    """What a page holds: ids, links, addresses, and elements that are not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.outside: list[str] = []
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == "id":
                self.ids[value] += 1
            if name == "href" and (value or "").startswith("#"):
                self.links.append(value[1:])
            elif name in ("href", "src", "action", "poster", "srcset", "data") or (name == "style" and "url(" in value):
                self.outside.append(value)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(written: str) -> Read:
    """A page, read."""
    found = Read()
    found.feed(written)
    found.close()
    return found


NO_TABLES = Tables((), ())


def without_pictures(recorded, made_of: Tables = NO_TABLES) -> str:
    """A report of some records, quickly: without figures and experiments."""
    return page.report(recorded, made_of, [], [], Path("nowhere"))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The report, as the command writes it."""
    out = tmp_path_factory.mktemp("report") / "report.html"
    assert "MB" in call("report", "--out", out).output
    return out.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def whole(written):
    """The same, read."""
    return read(written)


def test_it_is_one_file_of_at_most_a_megabyte_and_a_half(written, whole):
    assert len(written.encode()) <= 1_500_000
    assert whole.outside == []
    style = written[written.index("<style>") : written.index("</style>")]
    assert set(re.findall(r"url\(([a-z]+:)", style)) == {"data:"}
    assert "@import" not in style


def test_its_html_is_whole(whole):
    assert whole.open == []
    assert [name for name, count in whole.ids.items() if count > 1] == []
    assert [name for name in whole.links if name not in whole.ids] == []


def test_every_statement_claim_proof_and_figure_has_its_place(whole):
    wanted = {"findings", "statements", "constants", "cards", "experiments", "how", "cite", "versions"}
    named: set[str] = set()
    for stem in theory.PAPER:
        statement = theory.load(stem)
        wanted |= {stem} | {f"{stem}.{claim.name}" for claim in statement.claims}
        parts = {claim.name for claim in statement.parts("corrected")}
        proofs = proofs_of(stem, statement.proofs)
        needed = [f"{stem}-{proof.name}" for proof in proofs if parts & set(proof.certifies)]
        wanted |= set(needed if statement.printed else needed[:1])
        named |= {proof.file for proof in proofs}  # what is not printed, too
    wanted |= {f"figure-{stem}" for stem in drawable(folder()) if (folder() / "data" / f"{stem}.json").is_file()}
    assert wanted <= set(whole.ids)
    text = "".join(whole.text)
    assert not [file for file in named if file not in text]


def test_nothing_is_left_of_what_it_is_made_from(whole):
    text = " ".join(whole.text).replace("{{The byzcheck authors}}", "")
    for mark in ("{{ ", " }}", "{%", "$$", "\\frac", "\\delta", "None", "Undefined", "&lt;", "&amp;"):
        assert mark not in text, mark


def test_the_same_records_give_the_same_bytes():
    recorded = read_recorded()
    assert without_pictures(recorded) == without_pictures(copy.deepcopy(recorded))


def test_the_numbers_are_the_recorded_ones(written):
    evidence = [e for record in read_recorded()["statements"].values() for e in record["evidence"]]
    assert len(evidence) > 200
    for one in evidence:
        assert words.full(one["measured"]) in written


def test_what_is_recorded_is_text_and_never_html():
    recorded = read_recorded()
    record = recorded["statements"]["theorem_iv_centered_clipping"]
    for claim in record["claims"].values():
        claim["text"] = "<script>alert(1)</script> & v_l"
    record["evidence"][0]["what"] = "<img src=x>"
    written = without_pictures(recorded)
    assert "<script>alert" not in written
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; v<sub>l</sub>" in written
    assert read(written).outside == []


def test_a_control_that_was_not_caught_is_told():
    recorded = read_recorded()
    for control in recorded["statements"]["theorem_i_middle_seekers"]["controls"][:1]:
        control["caught"] = False
    assert "not as it must" in without_pictures(recorded)
    assert "not as it must" not in without_pictures(read_recorded())


def test_statements_recorded_at_two_times_show_both_versions():
    recorded = read_recorded()
    for stem, number in (("theorem_i_middle_seekers", "1.0"), ("theorem_iii_limits", "2.0")):
        recorded["statements"][stem]["versions"] = {"numpy": number}
    assert re.search(r"numpy 1\.0 or .*2\.0", without_pictures(recorded))


def test_without_recorded_tables_their_sections_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "RECORDED", tmp_path / "tables.json")
    found = read(without_pictures(read_recorded(), tables.read()))
    assert not {"constants", "cards"} & set(found.ids)
    assert "constants" not in found.links


@pytest.mark.parametrize("text", ["{", "[]", '{"constants": []}'])
def test_tables_that_cannot_be_read_are_refused(tmp_path, monkeypatch, text):
    monkeypatch.setattr(tables, "RECORDED", tmp_path / "tables.json")
    tables.RECORDED.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"tables\.json cannot be read .*byzcheck report --record"):
        tables.read()


def test_the_recorded_tables_are_what_is_computed_now(monkeypatch):
    """Of the smallest size; the rest takes minutes."""
    from byzcheck.show.constants import between
    from sims.by_name import examples
    from theory.beyond_exact_constants.known import constants_of

    first = tables.read().constants[0]
    n, f, declared = first["n"], first["f"], first["declared"]
    rules = examples(n, declared)
    assert len(first["rows"]) == len(rules)
    for name in ("TrimmedMean", "CoordinateMedian", "Krum", "GeometricMedian"):
        row = first["rows"][list(rules).index(name)]
        assert row["kappa"] == between(constants_of(rules[name], n, f).kappa)


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_drawn(tmp_path):
    assert "is a folder" in call("report", "--out", tmp_path, code=2).output
    assert "cannot write" in call("report", "--out", tmp_path / "no" / "r.html", code=2).output


def test_every_letter_of_a_formula_is_in_the_font(written):
    from fontTools.ttLib import TTFont

    there = set(TTFont(page.HERE / "font" / "stix-two-math.woff2").getBestCmap())
    used = set("".join(re.findall(r">([^<]+)<", " ".join(re.findall(r"<math.*?</math>", written, re.DOTALL)))))
    assert {letter for letter in used if ord(letter) not in there and not letter.isspace()} <= {"\ufe00", "\u2061"}


def tags(text: str) -> list[tuple[str, object]]:
    """What a parser finds in a page, with spaces as one and without wrappers around formulas."""
    found: list[tuple[str, object]] = []

    class Events(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.append((tag, tuple(attrs)))

        def handle_endtag(self, tag):
            found.append((f"/{tag}", None))

        def handle_data(self, data):
            found.append(("text", " ".join(data.split())))

    parser = Events()
    parser.feed(text)
    parser.close()
    return [one for one in found if one != ("text", "")]


@pytest.mark.parametrize(
    "text",
    [
        '<p class="a b">x</p><a href="#a.b">y</a><input value="3"><path d="M1 2l3 4" fill="none"/>',
        '<rect x="3" y="4"/><use href="#m" x="1"/><text fill="var(--soft)">a &lt; b</text>',
        '<p title="it says &quot;x&quot; = 1">"quoted"="text"</p>',
        "<pre>\n  two\n    lines\n</pre>",
        "<math><mi>x</mi><mo>=</mo><mn>1</mn></math>",
    ],
)
def test_what_is_made_smaller_is_read_as_the_same(text):
    assert tags(compact(text)) == tags(text)
    assert len(compact(text)) <= len(text)


def test_what_is_preformatted_or_a_script_stays():
    text = '<pre>\n  a="b"\n</pre><script>\n  if (a < b) x = "<p class=\\"y\\">"\n</script>'
    assert compact(text) == text


def test_words_of_a_figure_have_the_colour_of_the_page():
    assert compact('<svg xmlns="http://www.w3.org/2000/svg" role="img"><text x="1" fill="var(--ink)">a</text>') == (
        "<svg role=img><text x=1>a</text>"
    )
    sheet = (page.HERE / "style.css").read_text(encoding="utf-8")
    assert "figure text:not([fill], [class]) { fill: var(--ink); }" in sheet


FIGURE = (
    '<svg><defs><path id="a_b-m0" d="M0 0l1 1"/></defs>'
    + '<path d="M1 2l3 4" stroke="var(--soft,#123456)" stroke-width="0.8" clip-path="url(#a_b-c1)"/>' * 3
    + '<text x="1" font-size="7.5">a</text>' * 3
    + '<path d="M0 0" fill="url(#a_b-h2)"/>' * 3
    + '<text x="1" fill="var(--soft,#123456)">b</text><use href="#a_b-m0" x="1"/></svg>'
)


def test_what_figures_look_like_is_said_once():
    """Whatever several elements share; words keep their colour, sizes their unit, and a look of one stays with it."""
    assert compact("<style>p{}</style>" + FIGURE) == (
        "<style>p{}._0{stroke:var(--soft);stroke-width:0.8}._1{font-size:7.5px;fill:var(--ink)}</style>"
        '<svg><defs><path id=_0 d="M0 0l1 1"/></defs>'
        + '<path class=_0 d="M1 2l3 4" clip-path=url(#_1) />' * 3
        + "<text class=_1 x=1>a</text>" * 3
        + '<path d="M0 0" fill=url(#_2) />' * 3
        + "<text x=1 fill=var(--soft)>b</text><use href=#_0 x=1 /></svg>"
    )
    assert "class" not in compact(FIGURE)  # a page without a style has nowhere to say it


def test_a_minus_after_a_named_operator_is_no_sign():
    assert "<mi>AGG</mi><mo>−</mo><mi>x</mi>" in compact(mathml(r"\Agg-x"))


def test_a_bracket_becomes_an_identifier_that_does_not_grow():
    assert compact(mathml("f(x)")) == "<math><mi>f</mi><mi>(</mi><mi>x</mi><mi>)</mi></math>"
