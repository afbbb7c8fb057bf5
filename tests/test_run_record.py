"""Results as dictionaries and as text."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
import tiny_statements as tiny

from byzcheck import record
from byzcheck.run import Options, Outcome, Result, tasks


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


def test_run_record_has_the_promised_keys(results):
    run = record.run_record(results, Options())
    assert set(run) == {"schema", "versions", "backend", "budget", "seed", "false_alarm", "statements"}
    promised = (
        "label stem printed corrected relation measured claimed error kind controls evidence seconds title points"
    )
    for statement in run["statements"]:
        assert set(promised.split()) <= set(statement)
    assert json.loads(record.as_text(run)) == run


def test_statement_record(results):
    die, coin, vacuous = (record.statement_record(result) for result in results)
    assert (die["printed"], die["corrected"]) == ("refuted", "holds")
    assert (die["measured"], die["relation"], die["claimed"], die["error"]) == (3.5, "=", 3.0, 0.0)
    assert die["claims"] == {"three": "refuted", "three_and_a_half": "holds"}
    assert die["points"] == [
        {"number": 7, "claim": "three", "text": "The mean of a die is 3.", "verdict": "refuted"},
    ]
    assert [c["caught"] for c in die["controls"]] == [True, True]
    assert (coin["corrected"], coin["kind"]) == (None, "sampled")
    assert [c["caught"] for c in vacuous["controls"]] == [False]
    assert vacuous["printed"] == vacuous["claims"]["mean"] == "undecided"


def test_a_statement_without_evidence_has_no_headline():
    empty = Result(tiny.COIN, tuple(Outcome(task, (), 0, 0.0) for task in tasks(tiny.COIN)))
    found = record.statement_record(empty)
    assert [found[key] for key in ("printed", "measured", "relation", "kind")] == ["undecided", None, None, None]


def test_recorded_keeps_three_digits_and_no_seconds(results):
    old = record.kept_record(results, Options())
    coin = old["statements"]["theorem_y_coin"]
    assert "seconds" not in coin
    assert len(str(coin["measured"])) <= len("0.501")
    assert coin["evidence"][0]["claim"] == "half"
    assert record.as_text(old) == record.as_text(json.loads(record.as_text(old)))


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
