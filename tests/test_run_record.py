"""Results as dictionaries and as text."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import tiny_statements as tiny
from jsonschema import Draft202012Validator

from byzcheck import record
from byzcheck.checkout import RECORDED
from byzcheck.run import Options, Outcome, Result, tasks
from sims.checks.evidence import Evidence


@pytest.fixture(scope="module")
def results():
    return tiny.results_of(tiny.DIE, tiny.COIN, tiny.VACUOUS)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (3, 3),
        (np.int64(3), 3),
        (np.float64(0.5), 0.5),
        (Fraction(1, 4), 0.25),
        (10**30, 10**30),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
        (Fraction(10) ** 400, "inf"),
        (-(Fraction(10) ** 400), "-inf"),
    ],
)
def test_number(value, plain):
    found = record.number(value)
    assert found == plain
    assert type(found) is type(plain)


SCHEMA = json.loads(Path(record.__file__).with_name("schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def valid():
    """Whether something is as the published schema says."""
    Draft202012Validator.check_schema(SCHEMA)
    return Draft202012Validator(SCHEMA).is_valid


def test_records_are_as_the_published_schema_says(results, valid):
    for made in (record.run_record(results, Options()), record.kept_record(results, Options())):
        assert valid(made)
        assert json.loads(record.as_text(made)) == made
    assert valid(json.loads(RECORDED.read_text(encoding="utf-8")))


def test_the_schema_notices_what_is_missing_or_wrong(results, valid):
    made = record.run_record(results, Options())
    for path, value in (
        (("schema",), 1),
        (("statements", 0, "printed"), "proved"),
        (("statements", 0, "fault", "severity"), "fatal"),
        (("statements", 0, "claims", "three", "part_of"), ["point"]),
        (("statements", 0, "evidence", 0, "measured"), None),
        (("statements", 0, "controls", 0, "caught"), "yes"),
        (("statements", 0, "extra"), 1),
    ):
        changed = copy.deepcopy(made)
        place = changed
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        assert not valid(changed), path


def test_statement_record(results):
    die, coin, vacuous = (record.statement_record(result) for result in results)
    assert (die["printed"], die["corrected"]) == ("refuted", "proved")
    assert die["parts"] == {"printed": {"stand": 0, "of": 1}, "corrected": {"stand": 1, "of": 1}}
    assert die["fault"] == {"severity": "constant", "because": "The mean is 7/2.", "lacks": None}
    assert die["source"]["section"] == "Section 1"
    assert die["says"] == {"printed": "Mean of a die: 3", "corrected": "Mean of a die: 7/2"}
    assert die["claims"]["three"] == {
        "text": "The mean of a die is 3.",
        "verdict": "refuted",
        "part_of": ["printed"],
        "point": 7,
    }
    assert (die["evidence"][0]["measured"], die["evidence"][0]["at"]) == (3.5, {"sides": 6})
    assert [c["caught"] for c in die["controls"]] == [True, True]
    assert (coin["printed"], coin["corrected"], coin["fault"]) == ("supported", None, None)
    assert coin["claims"]["some"]["part_of"] == []
    assert [c["caught"] for c in vacuous["controls"]] == [False]
    assert vacuous["printed"] == vacuous["claims"]["mean"]["verdict"] == "undecided"


def test_an_illustration_demotes_nothing(results):
    """With the sampled illustration refuted, the statement's verdict stays that of its part."""
    coin = results[1]
    worse = tuple(
        replace(o, evidence=(Evidence("x", 1.0, "=", 0.0, "exact"),))
        if o.task.claim == "some" and o.task.control is None
        else o
        for o in coin.outcomes
    )
    assert replace(coin, outcomes=worse).side("printed") == coin.side("printed") == "supported"


def test_a_statement_without_evidence_is_undecided():
    empty = Result(tiny.COIN, tuple(Outcome(task, (), 0, 0.0) for task in tasks(tiny.COIN)))
    found = record.statement_record(empty)
    assert (found["printed"], found["evidence"]) == ("undecided", [])


def test_what_is_kept_has_all_digits_the_controls_and_no_seconds(results):
    kept = record.kept_record(results, Options())
    coin = kept["statements"]["theorem_y_coin"]
    assert "seconds" not in coin
    assert coin["versions"] == record.versions()
    assert [e["claim"] for e in coin["evidence"]] == ["some", "half"]
    assert coin["evidence"][0]["measured"] == results[1].outcomes[0].evidence[0].measured
    assert [c["caught"] for c in coin["controls"]] == [True, True]
    assert record.as_text(kept) == record.as_text(json.loads(record.as_text(kept)))


def test_as_text_is_stable_and_puts_rows_on_a_line():
    data = {"b": [1.5, 2e-7, -3], "a": [[1, 2], [3]], "s": "[1,  2]", "e": [], "t": ["x", "y"]}
    text = record.as_text(data)
    assert '"b": [1.5, 2e-07, -3]' in text
    assert "[1, 2],\n" in text
    assert '"[1,  2]"' in text
    assert text.index('"a"') < text.index('"b"')
    assert json.loads(text) == data


def test_rounded():
    data = {"x": np.array([[1 / 3, math.inf]]), "n": np.int64(7), "ok": True, "none": None, 3: (Fraction(1, 3), "s")}
    assert record.rounded(data, 6) == {
        "x": [[0.333333, "inf"]],
        "n": 7,
        "ok": True,
        "none": None,
        "3": [0.333333, "s"],
    }
