"""The strategies reach what they are for: "can happen" is tested like "always holds"."""

from __future__ import annotations

import hypothesis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sims.aggregators import RFA, Bulyan, CenteredClipping, GeometricMedian, Krum, MultiKrum, Rule
from sims.by_name import RULES
from sims.strategies import KINDS, messages, rules

SEARCH = settings(max_examples=5000, derandomize=True, database=None)


def has_equal_rows(x):
    return len(np.unique(x, axis=0)) < len(x)


def spread(x):
    return float(np.max(np.ptp(x, axis=0), initial=0.0))


CAN_HAPPEN = {
    "two equal messages among different ones": (messages(), lambda x: has_equal_rows(x) and spread(x) > 0),
    "all messages equal": (messages(n=5, d=2), lambda x: spread(x) == 0 and np.any(x != 0)),
    "an offset far above the spread": (messages(n=4, d=2), lambda x: np.min(np.abs(x)) > 1e9 * spread(x) > 0),
    "a denormal": (messages(), lambda x: np.any((x != 0) & (np.abs(x) < np.finfo(float).tiny))),
    "a large number": (messages(), lambda x: np.any(np.abs(x) > 1e90)),
    "a fraction": (messages(), lambda x: np.any(x != np.round(x))),
    "a NaN": (messages(non_finite=2), lambda x: np.any(np.isnan(x))),
    "plus infinity": (messages(non_finite=2), lambda x: np.any(np.isposinf(x))),
    "minus infinity": (messages(non_finite=2), lambda x: np.any(np.isneginf(x))),
    "a message with a single NaN": (messages(d=3, non_finite=1), lambda x: np.sum(np.isnan(x)) == 1),
    "one worker": (messages(), lambda x: x.shape[0] == 1),
    "no coordinates": (messages(), lambda x: x.shape[1] == 0),
    "eleven workers": (messages(), lambda x: x.shape[0] == 11),
    "a denormal in float32": (messages(dtype="float32"), lambda x: np.any((x != 0) & (np.abs(x) < 1e-38))),
}


@pytest.mark.parametrize("what", CAN_HAPPEN)
def test_can_happen(what):
    strategy, condition = CAN_HAPPEN[what]
    assert condition(hypothesis.find(strategy, condition, settings=SEARCH))


@pytest.mark.parametrize("kind", RULES, ids=lambda kind: kind.__name__)
def test_every_rule_can_happen(kind):
    assert type(hypothesis.find(rules(7), lambda rule: type(rule) is kind, settings=SEARCH)) is kind


@pytest.mark.parametrize(
    "condition",
    [
        lambda rule: isinstance(rule, Krum) and rule.f == 2 and rule.variant == "released",
        lambda rule: isinstance(rule, MultiKrum) and rule.m is not None and rule.m > 1,
        lambda rule: isinstance(rule, Bulyan) and rule.f == 1,
        lambda rule: isinstance(rule, CenteredClipping) and isinstance(rule.tau, tuple) and len(rule.tau) == 3,
        lambda rule: isinstance(rule, RFA) and rule.steps == 3,
    ],
)
def test_every_kind_of_parameter_can_happen(condition):
    assert condition(hypothesis.find(rules(7), condition, settings=SEARCH))


@given(x=messages(n=st.integers(2, 5), d=3, dtype="float32", non_finite=2))
def test_messages_have_the_shape_dtype_and_damage_asked_for(x):
    assert x.dtype == np.float32
    assert 2 <= x.shape[0] <= 5
    assert x.shape[1] == 3
    assert np.sum(~np.all(np.isfinite(x), axis=1)) <= 2


@given(x=messages())
def test_messages_are_finite_unless_asked_otherwise(x):
    assert np.all(np.isfinite(x))


@given(data=st.data(), n=st.integers(1, 11))
def test_rules_are_defined_for_n_and_every_message_has_an_aggregate(data, n):
    rule = data.draw(rules(n))
    x = data.draw(messages(n=n))
    assert isinstance(rule, Rule)
    y = rule.aggregate(x)
    assert y.shape == (x.shape[1],)
    assert np.all(np.isfinite(y))


@given(data=st.data(), n=st.integers(3, 11))
def test_with_at_most_the_tolerated_damage_every_aggregate_is_finite(data, n):
    rule = data.draw(rules(n))
    x = data.draw(messages(n=n, non_finite=rule.breakdown(n)))
    assert np.all(np.isfinite(rule.aggregate(x)))


@given(data=st.data())
def test_the_geometric_median_of_a_majority_is_its_message(data):
    v = data.draw(messages(n=1, d=2, kinds=("ties", "offset", "large", "ordinary")))
    others = data.draw(messages(n=2, d=2, non_finite=2))
    y = GeometricMedian().aggregate(np.concatenate([others, v, v, v]))
    np.testing.assert_allclose(y, v[0], rtol=4 * np.finfo(float).eps, atol=0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: messages(dtype="int64"), "dtype must be float32 or float64, got 'int64'"),
        (lambda: messages(kinds=("tie",)), "kinds must be among ties, .*, got"),
        (lambda: messages(kinds=()), "kinds must be among"),
        (lambda: messages(non_finite=-1), "messages needs non_finite ≥ 0, got non_finite = -1"),
        (lambda: rules(0), "rules needs n ≥ 1, got n = 0"),
    ],
)
def test_bad_requests_are_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


KEPT = {
    "ties": lambda x: np.all(x == np.round(x)) and np.max(np.abs(x)) <= 4,
    "zero spread": lambda x: spread(x) == 0,
    "offset": lambda x: np.min(x) > 100 * spread(x),
    "denormal": lambda x: np.max(np.abs(x)) < np.finfo(float).tiny,
    "large": lambda x: np.all((x == 0) | (np.abs(x) >= 1e10)) and np.max(np.abs(x)) <= 1e100,
    "ordinary": lambda x: np.max(np.abs(x)) <= 1e6,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_asked_for_alone_is_what_comes(kind):
    @given(x=messages(n=4, d=2, kinds=(kind,)))
    def holds(x):
        assert KEPT[kind](x)

    holds()
