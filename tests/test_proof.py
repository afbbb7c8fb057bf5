"""Files of proofs: what one must begin with, how its steps are numbered, and what is said of how each is checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from invoke import call

import theory
from byzcheck.checkout import recorded_statements
from theory.proof import HOW, PROVES, Link, counted, links_of, proofs_of, read

HOME = Path(theory.__file__).parent


@pytest.fixture
def proof(tmp_path, monkeypatch):
    """Write a proof and read it."""
    monkeypatch.setattr("theory.proof.__file__", str(tmp_path / "theory" / "proof.py"))
    (tmp_path / "theory").mkdir()

    def make(text):
        path = tmp_path / "theory" / "a.md"
        path.write_text(text, encoding="utf-8")
        return read(path)

    return make


def test_what_a_proof_says_of_itself(proof):
    found = proof(
        "# A title\n\nCertifies: one, two\n\nAssume.\n\n## 1. First\n\nx\n\n*Checked:* by hand.\n\n"
        "## 2. Second\n\ny\n\n*Checked:* intervals: one, two; by\nhand.\n"
    )
    assert (found.title, found.certifies, found.file) == ("A title", ("one", "two"), "theory/a.md")
    assert [step.title for step in found.steps] == ["First", "Second"]
    assert [step.links for step in found.steps] == [
        (Link("by hand"),),
        (Link("intervals", ("one", "two")), Link("by hand")),
    ]
    assert found.text.startswith("Assume.")
    assert counted([found]) == "2 steps: 1 by hand, 1 by intervals (1 of them partly by hand)"


def test_a_proof_on_which_no_claim_rests(proof):
    found = proof("# A title\n\nCertifies: no claim; the curves of a figure\n\nAssume.\n")
    assert (found.certifies, found.text) == ((), "Assume.\n")


@pytest.mark.parametrize("text", ["A title\n", "# A title\n\nNothing.\n", ""])
def test_a_proof_without_a_head_is_refused(proof, text):
    with pytest.raises(ValueError, match=r"theory/a\.md must begin with"):
        proof(text)


@pytest.mark.parametrize("headings", ["## 2. First", "## First", "## 1. First\n\n## 3. Third"])
def test_steps_are_numbered_without_a_gap(proof, headings):
    checked = "\n\n*Checked:* by hand.\n\n"
    with pytest.raises(ValueError, match="must be headed"):
        proof(f"# A title\n\nCertifies: one\n\n{headings}\n".replace("\n\n##", f"{checked}##") + checked)


@pytest.mark.parametrize("last", ["x", "*Checked:* by hand", "*Checked:* by hand.\n\nMore."])
def test_a_step_that_does_not_end_with_how_it_is_checked_is_refused(proof, last):
    with pytest.raises(ValueError, match="step 1 must end with how it is checked"):
        proof(f"# A title\n\nCertifies: one\n\n## 1. First\n\n{last}\n")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("by magic", "got 'by magic'"),
        ("by hand: one", "got 'by hand: one'"),
        ("intervals", "got 'intervals'"),
        ("instances: one", "nothing proves it"),
        ("runs: one; instances: two", "nothing proves it"),
    ],
)
def test_what_is_no_way_of_checking_is_refused(line, why):
    with pytest.raises(ValueError, match=why):
        links_of(line, "a.md, step 1")


LINKS = [
    pytest.param(stem, link, id=f"{proof.file}:{number}:{link.how}")
    for stem in theory.PAPER
    for proof in proofs_of(stem, theory.load(stem).proofs)
    for number, step in enumerate(proof.steps, start=1)
    for link in step.links
    if link.claims
]


@pytest.mark.parametrize(("stem", "link"), LINKS)
def test_what_checks_a_step_is_a_claim_whose_evidence_can(stem, link):
    """A program that is said to prove a step has no sampled evidence, and a control that it must refute, and did."""
    record = recorded_statements()[stem]
    kinds = HOW[link.how][1]
    for name in link.claims:
        assert name in record["claims"], f"{stem} has no claim {name}"
        controls = [control for control in record["controls"] if control["claim"] == name]
        assert controls
        assert all(control["caught"] for control in controls)
        if link.how in PROVES:
            assert record["claims"][name]["verdict"] in ("holds", "refuted"), f"{name} is not decided by exact evidence"
            found = {e["kind"] for e in record["evidence"] if e["claim"] == name}
            assert found & set(kinds) or record["claims"][name]["verdict"] == "refuted"
        if link.how == "instances":
            assert record["claims"][name]["verdict"] != "undecided"


def test_every_step_of_every_proof_is_recorded_with_how_it_is_checked():
    for stem, record in recorded_statements().items():
        proofs = proofs_of(stem, theory.load(stem).proofs)
        assert [(one["proof"], one["step"], one["title"]) for one in record["links"]] == [
            (proof.file, number, step.title) for proof in proofs for number, step in enumerate(proof.steps, start=1)
        ]
        links = [[(link["how"], tuple(link["claims"])) for link in one["checked"]] for one in record["links"]]
        assert links == [[(link.how, link.claims) for link in step.links] for proof in proofs for step in proof.steps]


def test_show_prints_the_proofs_of_a_statement():
    shown = call("show", "--proof", "Theorem IV").output
    assert "1. What a step does (P0)" in shown
    assert "v⁺ − x̄ = δ(v − x̄)" in shown
    assert "$" not in shown
    assert "one_step.md" in call("show", "Theorem IV").output


def test_a_statement_without_a_proof_says_so(monkeypatch):
    bare, load = replace(theory.load("remark_2_memoryless"), proofs=()), theory.load
    monkeypatch.setattr(theory, "load", lambda name: bare if load(name).stem == bare.stem else load(name))
    assert "Remark 2 has no proof of its own" in call("show", "--proof", "Remark 2", code=2).output
