"""All measurements of one rule together: they end, they say what happened, and the same seed gives the same lines."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from byzcheck.audit import MEASUREMENTS, Line, answers, cost, measure, measured
from sims.aggregators import CoordinateMedian, Krum, Mean
from sims.checks.evidence import Evidence

LABELS = [
    "answers",
    "permutation invariance, SGD",
    "permutation invariance, worker momentum",
    "lower bound, SGD",
    "lower bound, worker momentum",
    "breakdown point",
    "bias on ±1 (Counterexample 1)",
    "bias on skewed noise (Counterexample 3)",
    "bias on imbalanced classes",
    "NaN, ±∞, huge",
    "denormal",
    "operations",
    "time",
]


@pytest.fixture(autouse=True)
def small_sizes(monkeypatch):
    """By the clock: nothing here looks at how long anything takes."""
    monkeypatch.setattr(cost, "MOST_NUMBERS", 2**10)


@pytest.fixture
def two_measurements(monkeypatch):
    monkeypatch.setattr(measure, "MEASUREMENTS", {name: MEASUREMENTS[name] for name in ("breakdown point", "cost")})


def apart_from_time(lines):
    return [line for line in lines if line.about != "time"]


@pytest.mark.parametrize("rule", [CoordinateMedian(), Krum(1)], ids=repr)
def test_nothing_is_refuted_of_a_robust_rule(rule):
    names = []
    lines = list(measured(rule, 7, 1, begins=names.append))
    assert [line.about for line in lines] == LABELS
    assert names == ["answers", *MEASUREMENTS]
    assert {item.verdict for line in lines for item in line.evidence} <= {"supported", "undecided"}
    assert all(line.how == "measured" for line in lines if line.about == "time")


def test_the_mean_is_condemned_for_what_it_is_and_for_nothing_else():
    bad = {line.about for line in measured(Mean(), 7, 1) if line.good is False}
    assert bad == {"lower bound, worker momentum", "breakdown point", "NaN, ±∞, huge"}
    assert not [line for line in measured(Mean(), 7, 0) if line.good is False]


def test_the_same_seed_gives_the_same_lines():
    first, again, other = (apart_from_time(measured(CoordinateMedian(), 5, 1, seed)) for seed in (4, 4, 5))
    assert first == again != other


def test_a_rule_that_raises_is_one_line():
    (line,) = measured(lambda x: 1 / 0, 5, 1)
    assert line.good is False
    assert "ZeroDivisionError" in line.says


@pytest.mark.usefixtures("two_measurements")
def test_a_rule_that_is_too_slow_for_one_measurement_is_measured_further():
    def slow_with_two(x):
        """Only the breakdown point is asked for with messages of two numbers."""
        while x.shape[-1] == 2:
            pass
        return np.median(x, axis=0)

    lines = {line.about: line for line in measured(slow_with_two, 5, 1, seconds=2.0)}
    assert lines["breakdown point"].says == "not measured: no answer within 2 s"
    assert lines["breakdown point"].good is None
    assert "operations" in lines


@pytest.mark.usefixtures("two_measurements")
def test_a_rule_that_cannot_be_stopped_is_measured_no_further():
    released = threading.Event()

    def waits_with_two(x):
        if x.shape[-1] == 2:
            released.wait(60)
        return np.median(x, axis=0)

    lines = list(measured(waits_with_two, 5, 1, seconds=1.0))
    released.set()
    assert [line.about for line in lines] == ["answers", "breakdown point"]
    assert lines[-1].against == "nothing more was measured"


@pytest.mark.usefixtures("two_measurements")
def test_a_rule_that_raises_somewhere_is_measured_elsewhere():
    def raises_with_two(x):
        return np.median(x, axis=0) if x.shape[-1] != 2 else 1 / 0

    lines = {line.about: line for line in measured(raises_with_two, 5, 1)}
    assert lines["breakdown point"].good is False
    assert "ZeroDivisionError" in lines["breakdown point"].says
    assert "operations" in lines


@pytest.mark.parametrize(
    ("n", "f", "seed", "words"),
    [(4, 2, 0, "0 ≤ f < n/2, got n = 4, f = 2"), (0, 0, 0, "n ≥ 1"), (5, -1, 0, "f ≥ 0"), (5, 1, -1, "seed ≥ 0")],
)
def test_counts_out_of_range(n, f, seed, words):
    with pytest.raises(ValueError, match=words):
        next(measured(Mean(), n, f, seed))


def test_the_arrays_of_the_user():
    """A torch rule is asked with torch's float32."""
    torch = pytest.importorskip("torch")

    def median(x):
        assert isinstance(x, torch.Tensor)
        return torch.sort(x, dim=0).values[x.shape[0] // 2]

    (line,) = answers.lines(
        __import__("sims.aggregators", fromlist=["as_rule"]).as_rule(median), 5, 1, like=torch.zeros(1)
    )
    assert line.says == "answers 5 ordinary float32 messages of 3 numbers with an aggregate of that kind"


def test_a_rule_that_is_not_defined_for_n():
    with pytest.raises(ValueError, match=r"Krum needs n ≥ 2f \+ 3, got n = 6, f = 2"):
        next(measured(Krum(2), 6, 2))


def test_a_single_worker():
    about = [line.about for line in measured(Mean(), 1, 0)]
    assert about == ["answers", *(name for name in LABELS if name.startswith("bias")), "denormal", *LABELS[-2:]]


def test_half_precision():
    """There Theorem II's exchanges and the growth of an output are asked for in float32."""
    found = [line.good for line in measured(CoordinateMedian(), 5, 1)]
    lines = list(measured(CoordinateMedian(), 5, 1, like=np.zeros(1, np.float16)))
    assert [line.good for line in lines] == found
    says = {line.about: line.says for line in lines}
    assert says["breakdown point"].startswith("2 of 5")
    assert says["permutation invariance, worker momentum"].endswith("it matters who sent what")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"about": ""}, "a text about"),
        ({"says": None}, "a text says"),
        ({"how": "guessed"}, "how in"),
        ({"against": 2}, "a text as against"),
        ({"good": 1}, "True, False or None as good"),
    ],
)
def test_a_line_is_made_of_texts(wrong, words):
    with pytest.raises(ValueError, match=f"Line needs {words}"):
        Line(**{"about": "κ", "says": "it is 2", "how": "searched", **wrong})


def test_a_line_holds_its_evidence():
    item = Evidence("κ", 2.0, ">=", 1.0, "searched")
    assert Line("κ", "it is 2", "searched", evidence=(item,)).evidence == (item,)
