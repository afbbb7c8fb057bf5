"""`byzcheck constants`."""

from __future__ import annotations

import json
import sys

import pytest
from invoke import call, refused


def test_a_table(tmp_path):
    target = tmp_path / "constants.json"
    names = ("TrimmedMean", "CoordinateMedian", "ARC(TrimmedMean)")
    result = call("constants", *names, "-n", 9, "-f", 1, "-F", 2, "--budget", 400, "--json", target)
    assert "rules told 2" in result.stdout
    assert "every rule needs κ ≥ f/(n − 2f) = 0.143" in result.stdout
    assert "told F = 2, every rule needs κ ≥ F/(n − f − F) = 0.333, 2.33 times that" in result.stdout
    found = json.loads(target.read_text(encoding="utf-8"))["rules"]
    assert [one["rule"] for one in found] == list(names)
    assert found[0]["kappa"]["lower"] == found[0]["kappa"]["upper"] == pytest.approx(1 / 3)
    assert found[1]["kappa"]["upper"] == 1
    assert found[2]["kappa"]["upper"] == pytest.approx(1 / 3 + 3 / 5)  # k = ⌊4·7/9⌋
    bracket = call("constants", "NearestNeighbourMixing(CoordinateMedian)", "-n", 9, "-f", 1, "--budget", 400).stdout
    assert "from above" in bracket
    assert " … " in bracket


def test_json_alone():
    found = json.loads(call("constants", "Mean", "-n", 5, "-f", 1, "--json", "-").stdout)["rules"]
    assert (found[0]["kappa"]["lower"], found[0]["c"]["upper"]) == ("inf", "inf")


def test_all_rules_by_default():
    text = call("constants", "-n", 7, "-f", 1, "--budget", 200, columns=160).stdout
    for name in ("Mean", "GeometricMedian", "Krum", "Bulyan", "CenteredClipping"):
        assert name in text
    assert "certified" in text


def test_a_rule_of_ones_own(tmp_path, monkeypatch):
    (tmp_path / "own_middle.py").write_text("def middle(x):\n    return x[1:4].mean(axis=0)\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    text = call("constants", "own_middle:middle", "-n", 5, "-f", 1, "--budget", 200).stdout
    assert "middle" in text
    assert "searched" in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("Mean", "-n", 6, "-f", 3), "the constants are defined for n ≥ 3 and 0 ≤ f < n/2, got n = 6, f = 3"),
        (("Mean", "-n", 7, "-f", 2, "-F", 1), "a rule is told f ≤ F < n/2, got n = 7, f = 2, F = 1"),
        (("-n", 7, "-f", 1, "--set", "m=2"), "--set needs a rule to set"),
        (("Krum", "-n", 6, "-f", 2), "Krum needs n ≥ 2f + 3, got n = 6, f = 2"),
        (("Mean", "-n", 7, "-f", 1, "--budget", 3), "budget ≥ 200, got budget = 3"),
    ],
)
def test_refusals(arguments, sentence):
    assert sentence in refused("constants", *arguments)
