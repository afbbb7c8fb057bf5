"""`byzcheck audit`: rules by name, and rules of one's own."""

from __future__ import annotations

import json
import math
import sys

import pytest
from invoke import call, refused

from byzcheck import card
from byzcheck.audit import Line
from byzcheck.card import Card
from figures.cards import times_of
from sims.checks.evidence import Evidence


@pytest.fixture
def audits(monkeypatch):
    """An audit that reports which rule it was given."""

    def card_of(rule, n, f, like=None, budget=None, begins=None):
        evidence = Evidence("c δ ρ²", 1.0, "<=", 2.0, "searched")
        kind = "float64" if like is None else str(like.dtype)
        flawed = "Mean" in str(rule) and n == 9
        good = False if flawed else None
        line = Line("c", f"needs c ≥ 1, asked in {kind}", "searched", "2 × the best possible", good, (evidence,))
        return Card(str(rule), n, f, (line,))

    monkeypatch.setattr(card, "card_of", card_of)


def test_audit(audits, tmp_path):
    target = tmp_path / "audit.json"
    result = call(
        "audit", "CenteredClipping", "-n", 10, "-f", 2, "--set", "tau=10", "--set", "steps=3", "--json", target
    )
    assert "CenteredClipping(tau=10, steps=3) at n = 10, f = 2" in result.stdout
    assert "→ 2 × the best possible" in result.stdout
    found = json.loads(target.read_text(encoding="utf-8"))
    assert (found["rule"], found["n"], found["f"], found["evidence"][0]["claimed"]) == ("CenteredClipping", 10, 2, 2.0)
    assert json.loads(call("audit", "Krum", "-n", 5, "-f", 1, "--json", "-").stdout)["title"].startswith("Krum(f=1")


OWN = """
import numpy as np
from sims.aggregators import Krum

class Halving:
    def __init__(self, f, share=0.5):
        self.f, self.share = f, share
    def __call__(self, x):
        return x.mean(axis=0) * self.share

def plain(x):
    return x[0]

krum = Krum(f=1)
number = 3
"""


def test_audit_of_a_rule_of_ones_own(audits, tmp_path, monkeypatch):
    (tmp_path / "own_rules.py").write_text(OWN, encoding="utf-8")
    (tmp_path / "own_broken.py").write_text("1 / 0", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("own_rules:Halving", "own_rules:plain", "own_rules:krum"):
        assert "at n = 7" in call("audit", name, "-n", 7, "-f", 1).stdout
    for name, sentence in {
        "own_rules:number": "a rule is a sims Rule or a function (n, d) → (d,), got int",
        "own_rules:absent": "module own_rules has no absent",
        "own_broken:x": "module own_broken does not import: ZeroDivisionError",
        "own_absent:x": "module own_absent does not import: ModuleNotFoundError",
        "own_rules:": "a rule of one's own is written module:Name",
    }.items():
        assert sentence in refused("audit", name, "-n", 7, "-f", 1)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("krumm", "-n", 7, "-f", 1), "unknown rule 'krumm'; did you mean Krum? (known: Mean, CoordinateMedian, "),
        (("Krum", "-n", 6, "-f", 2), "Krum needs n ≥ 2f + 3, got n = 6, f = 2"),
        (("Mean", "-n", 6, "-f", 3), "an audit needs 0 ≤ f < n/2, got n = 6, f = 3"),
        (("Mean", "-n", 6, "-f", -1), "an audit needs 0 ≤ f < n/2, got n = 6, f = -1"),
        (("CenteredClipping", "-n", 6, "-f", 0), "CenteredClipping needs a value for tau"),
        (("Mean", "-n", 6, "-f", 1, "--like", "jax"), "--like takes numpy, torch or cupy"),
        (("Mean", "-n", 6, "-f", 1, "--like", "float8"), "--like takes numpy, torch or cupy"),
        (("Mean", "-n", 6, "-f", 1, "--like", "numpy.bfloat16"), "numpy has no bfloat16"),
        (("Mean", "-n", 6, "-f", 1, "--bound", "T=1"), "a bound needs T=…,sigma=…,L=…,F0=…"),
        (("Mean", "-n", 6, "-f", 1, "--witness", "nowhere"), "--witness needs a folder"),
        (("Mean", "-n", 6, "-f", 1, "--replay", "nowhere"), "there is no file nowhere"),
        (("CenteredClipping", "-n", 6, "-f", 1, "--set", "tau=-1"), "CenteredClipping needs tau ≥ 0, got tau = -1.0"),
        (
            ("CenteredClipping", "-n", 6, "-f", 1, "--set", "tau=None"),
            "CenteredClipping needs a number tau ≥ 0, got tau = None",
        ),
        (
            ("CenteredClipping", "-n", 6, "-f", 1, "--set", "tau=abc"),
            "CenteredClipping needs a number tau ≥ 0, got tau = 'abc'",
        ),
        (
            ("CenteredClipping", "-n", 6, "-f", 1, "--set", "tao=1"),
            "has no setting 'tao'; did you mean tau? (it takes tau, steps)",
        ),
        (("Krum", "-n", 7, "-f", 1, "--set", "tau"), "a setting is written name=value, got 'tau'"),
        (("Krum", "-n", 7, "-f", 1, "--set", "f=1", "--set", "f=2"), "setting 'f' is given twice"),
        (("Krum", "-n", 7, "-f", 1, "--json", "nowhere/x.json"), "cannot write into"),
    ],
)
def test_audit_refusals(audits, arguments, sentence):
    assert sentence in refused("audit", *arguments)


LYING = """
def listed(x): return [0.0]
def raising(x): return x[99]
def averaged(x): return x.mean(axis=0)
"""


def test_the_audit_judges_and_a_bad_rule_has_a_card(tmp_path, monkeypatch):
    """With the real audit: exit 1 for a rule that is not robust, and for a function that is no rule."""
    (tmp_path / "own_lying.py").write_text(LYING, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    result = call("audit", "own_lying:averaged", "-n", 7, "-f", 1, code=1)
    assert "averaged at n = 7, f = 1" in result.stdout
    assert "no κ is enough" in result.stdout
    assert "no κ is enough" not in call("audit", "TrimmedMean", "-n", 7, "-f", 1).stdout
    assert "got list" in call("audit", "own_lying:listed", "-n", 7, "-f", 1, code=1).stdout
    assert "raised IndexError" in " ".join(call("audit", "own_lying:raising", "-n", 7, "-f", 1, code=1).stdout.split())


def test_several_sizes_at_once(audits):
    shown = call("audit", "Krum", "-n", 7, "-n", 9, "-f", 1, "-f", 2).stdout
    assert [f"at n = {n}, f = {f}" in shown for n in (7, 9) for f in (1, 2)] == [True] * 4
    cards = json.loads(call("audit", "Krum", "-n", 7, "-n", 9, "-f", 1, "--json", "-").stdout)
    assert [(card["n"], card["f"]) for card in cards] == [(7, 1), (9, 1)]


@pytest.mark.parametrize("like", ["float32", "numpy.float32"])
def test_messages_of_another_type(audits, like):
    assert "asked in float32" in call("audit", "Krum", "-n", 7, "-f", 1, "--like", like).stdout


def test_messages_of_another_library(audits):
    pytest.importorskip("torch")
    assert "asked in torch.float64" in call("audit", "Krum", "-n", 7, "-f", 1, "--like", "torch").stdout


def test_without_a_radius_clipping_has_the_one_that_is_prescribed(audits):
    shown = call("audit", "CenteredClipping", "-n", 25, "-f", 5).stdout
    assert "No τ was given" in shown
    assert "CenteredClipping(tau=1.22" in shown


NEAREST = """
import numpy as np
def rule(x):
    return x[np.argmin(((x - np.median(x, axis=0)) ** 2).sum(axis=1))]
"""


def test_what_breaks_a_contract_is_a_file_that_replays_it(tmp_path, monkeypatch):
    (tmp_path / "own_nearest.py").write_text(NEAREST, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    shown = call("audit", "own_nearest:rule", "-n", 5, "-f", 1, "--witness", tmp_path, code=1).stdout
    assert "breaks 1 of 9 contracts: ties" in shown
    (file,) = tmp_path.glob("*.json")
    again = call("audit", "own_nearest:rule", "-n", 5, "-f", 1, "--replay", file, code=1)
    assert "contract 'ties' broken by rule" in again.stdout
    fixed = call("audit", "CoordinateMedian", "-n", 5, "-f", 1, "--replay", file)
    assert "keeps the contract" in fixed.stdout
    file.write_text("{}", encoding="utf-8")
    assert "is no file of a broken contract" in refused("audit", "own_nearest:rule", "-n", 5, "-f", 1, "--replay", file)


def test_one_flawed_card_of_several_is_enough(audits):
    sizes = ("-n", 7, "-n", 9, "-f", 1)
    call("audit", "Krum", *sizes)  # exits with 0
    assert "Mean() at n = 9" in call("audit", "Mean", *sizes, code=1).stdout


def test_one_figure_for_all_cards(audits, tmp_path):
    call("audit", "Krum", "-n", 7, "-n", 9, "-f", 1, "--figure", tmp_path / "cards.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cards.png", "cards.svg"]
    assert "a figure is written as .png and .svg" in refused("audit", "Krum", "-n", 7, "-f", 1, "--figure", "cards.pdf")


def test_what_is_drawn_is_measured_in_units_of_the_best_possible():
    lines = [
        Line("κ", "needs", "searched", evidence=(Evidence("κ", 3.0, ">=", 0.5, "searched"),)),
        Line("time", "takes", "measured", evidence=(Evidence("s", 3.0, ">=", 0.5, "searched"),)),
        Line("c", "needs", "searched", evidence=(Evidence("c", math.inf, ">=", 0.5, "searched"),)),
    ]
    assert times_of(lines) == {"κ": 6.0, "c": math.inf}
