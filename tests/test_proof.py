"""Files of proofs: what one must begin with, and how its steps are numbered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from invoke import call

import theory
from theory.proof import read

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
    found = proof("# A title\n\nCertifies: one, two\n\nAssume.\n\n## 1. First\n\nx\n\n## 2. Second\n\ny\n")
    assert (found.title, found.certifies, found.file) == ("A title", ("one", "two"), "theory/a.md")
    assert found.steps == ["First", "Second"]
    assert found.text.startswith("Assume.")


def test_a_proof_on_which_no_claim_rests(proof):
    found = proof("# A title\n\nCertifies: no claim; the curves of a figure\n\nAssume.\n")
    assert (found.certifies, found.text) == ((), "Assume.\n")


@pytest.mark.parametrize("text", ["A title\n", "# A title\n\nNothing.\n", ""])
def test_a_proof_without_a_head_is_refused(proof, text):
    with pytest.raises(ValueError, match=r"theory/a\.md must begin with"):
        proof(text)


@pytest.mark.parametrize("headings", ["## 2. First", "## First", "## 1. First\n\n## 3. Third"])
def test_steps_are_numbered_without_a_gap(proof, headings):
    with pytest.raises(ValueError, match="must be headed"):
        proof(f"# A title\n\nCertifies: one\n\n{headings}\n")


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
