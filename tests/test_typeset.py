"""Formulas and prose: what a terminal and a page show of LaTeX in Markdown."""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console

import theory
from byzcheck.show.prose import to_terminal
from byzcheck.typeset.formula import MACROS, FormulaError, line, mathml
from byzcheck.typeset.prose import inline_html, plain, scripted, to_html
from theory.proof import proofs_of

STATEMENTS = [theory.load(stem) for stem in theory.PAPER]


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"\max_{s=\pm1} \E[f_s(\tilde x_t) - f_s^*]", "max_{s=±1} E[f_s(x̃_t) − f_s*]"),
        (r"(1-p)^t\,\frac{q\sigma^2}{2\mu(1-q)}", "(1 − p)^t·qσ²/(2μ(1 − q))"),
        (r"v^+ - \bar x = -\delta(v-\bar x)", "v⁺ − x̄ = −δ(v − x̄)"),
        (r"\frac1n\sum_{i\in\good} \clip_\tau(x_i - v)", "1/n·Σ_{i∈G} clip_τ(x_i − v)"),
        (r"\frac{a+b}{2} + \frac{1}{\sqrt{2\pi m}}", "(a + b)/2 + 1/√(2πm)"),
        (r"T^{-2/3},\ x^{-1},\ C^m", "T^{−2/3}, x⁻¹, C^m"),
        (r"2\log t \le \binom{n}{k}", "2 log t ≤ C(n, k)"),
        (r"\Bigl(\frac ab\Bigr)^2 \nabla f(x)^\top y", "(a/b)²∇f(x)ᵀy"),
        (r"U := \E\avg_{\good} h", "U := E avg_G h"),
        (r"\begin{aligned} a &\le b \\ &= c \end{aligned}", "a ≤ b\n= c"),
        (r"P(\operatorname{Bin}(n-f, q) > f)", "P(Bin(n − f, q) > f)"),
        (r"x \in [0, 1], \quad \mathbf{1}\{A\}", "x ∈ [0, 1], 𝟏{A}"),
        (r"\frac{1}{a/b}, \frac{a/b}{2}, \frac{(3/32)^2}{3/16}", "1/(a/b), (a/b)/2, (3/32)²/(3/16)"),
        (r"\frac{1}{2g^2}x + \frac{32}{\sqrt{20}}", "1/(2g²)·x + 32/√20"),
        (r"X_{(j:n)}", "X_{(j:n)}"),
        (
            r"\lVert\sum_j\frac{y}{2}\rVert + \norm x\frac ab + \frac a{\norm b}\norm c",
            "‖Σ_j y/2‖ + ‖x‖·a/b + a/‖b‖·‖c‖",
        ),
        (r"v = -\frac{a+b}{c} =: -h", "v = −(a + b)/c =: −h"),
        (r"\frac1g\avg_{\good} x,\ \frac{1}{2}\,\frac ab\,x", "1/g·avg_G x, ½·a/b·x"),
        (r"\sqrt\pi\,x + \sqrt3\delta + \sqrt{2m}\,y + z\sqrt\delta", "√π·x + √3·δ + √(2m)y + z√δ"),
        (r"\operatorname{Poi}(-\log q),\ \max(-q, y)", "Poi(−log q), max(−q, y)"),
        (r"(1-p)^tq\sigma^2 + b_k b_m x_i^2y", "(1 − p)^t·qσ² + b_k·b_m·x_i²y"),
        (r"\E x_t^2,\ e'^2,\ x_1, \dots, x_t", "E x_t², e′², x_1, …, x_t"),
        (r"a\,\E[R] + 2\E x", "a E[R] + 2E x"),
        (r"-\tfrac7{12} \le \pm\frac ab x", "−7/12 ≤ ±a/b·x"),
        (r"\sqrt[3]{x/T} + \sqrt[4]{2} + \sqrt[5]{y}", "∛(x/T) + ∜2 + ⁵√y"),
        (r"\frac{1}{(8(1-\theta)t)^2}", "1/(8(1 − θ)t)²"),
        (r"\frac{\E\norm{a-b}^2}{\norm{x-y}^2}", "E‖a − b‖²/‖x − y‖²"),
        (r"\frac{\norm a + \norm b}{2} + \frac{\abs{a-b}}{\abs{a+b}}", "(‖a‖ + ‖b‖)/2 + |a − b|/|a + b|"),
        (r"\frac{x}{\sqrt{2(1-\delta)}}", "x/√(2(1 − δ))"),
        (r"\max_b\frac1g(a+b),\ P \succeq 0", "max_b 1/g·(a + b), P ⪰ 0"),
        (r"\delta_{\max} \le v_{\mathrm{eff}}x_{ij}", "δ_max ≤ v_eff·x_{ij}"),
    ],
)
def test_a_formula_in_one_line(latex, shown):
    assert line(latex) == shown


@pytest.mark.parametrize("macro", MACROS)
def test_every_macro_converts(macro):
    assert line(rf"\{macro}{{x}}" if "#1" in MACROS[macro] else rf"\{macro} x")


def test_latex_that_is_not_known_is_named():
    with pytest.raises(FormulaError, match=r"(?s)Unknown command.*\\nonsense"):
        mathml(r"\nonsense")


def test_markdown_on_a_page_and_in_a_terminal():
    text = "The *best* $x_1$:\n\n$$\nx^2\n$$\n\n## 1. Next\n\n- a\n- b\n"
    page = to_html(text, raise_headings=2)
    assert "<em>best</em>" in page
    assert "<h4>1. Next</h4>" in page
    assert page.count("<math") == 2
    console = Console(width=60, file=io.StringIO())
    console.print(to_terminal(text))
    shown = console.file.getvalue()
    assert "The best x_1:" in shown
    assert re.search(r"^ {8}x²\s*$", shown, re.MULTILINE)
    assert re.search(r"^ {2}· +a", shown, re.MULTILINE)


def test_html_in_prose_is_text():
    assert "<script>" not in to_html("a <script>alert(1)</script>") + inline_html("<b>") + scripted("<i>")


@pytest.mark.parametrize(
    ("said", "page"),
    [
        ("E‖v_l‖ ≤ (5δ)^{2l}B_0²", "E‖v<sub>l</sub>‖ ≤ (5δ)<sup>2l</sup>B<sub>0</sub>²"),
        ("max_s clip_τ(z), avg_G x_i", "max<sub>s</sub> clip<sub>τ</sub>(z), avg<sub>G</sub> x<sub>i</sub>"),
        ("see one_step in theory/theorem_i.py", "see one_step in theory/theorem_i.py"),
        ("T^(−2/3) < 1", "T<sup>−2/3</sup> &lt; 1"),
        ("n^2.26·d^1.0.", "n<sup>2.26</sup>·d<sup>1.0</sup>."),
        ("(δ_max, c)", "(δ<sub>max</sub>, c)"),
    ],
)
def test_indices_and_powers_in_a_sentence(said, page):
    assert scripted(said) == page


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.stem)
def test_the_texts_of_a_statement_can_be_typeset(statement):
    for text in (statement.printed, statement.corrected, statement.says, statement.says_corrected):
        if text:
            for formula in re.findall(r"<math.*?</math>", to_html(text), re.DOTALL):
                ElementTree.fromstring(formula.replace("&ApplyFunction;", "").replace("&InvisibleTimes;", ""))
            assert not re.search(r"[$\\]", plain(text)), text


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.stem)
def test_proofs_can_be_typeset_and_certify_claims_that_there_are(statement):
    names = {claim.name for claim in statement.claims}
    for proof in proofs_of(statement.stem, statement.proofs):
        assert set(proof.certifies) <= names, proof.file
        assert to_html(proof.text).count("<math") > 3, proof.file
        assert not re.search(r"\$|\\[a-z]", re.sub(r"<[^>]*>", "", to_html(proof.text))), proof.file


def test_every_file_of_a_proof_belongs_to_a_statement():
    home = theory.__path__[0]
    files = {str(path.relative_to(Path(home).parent)) for path in Path(home).rglob("*.md")}
    assert files == {proof.file for s in STATEMENTS for proof in proofs_of(s.stem, s.proofs)}
