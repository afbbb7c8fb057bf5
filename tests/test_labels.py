"""Labels as files have them: which become classes, which a problem refuses, and that flipping knows no other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sims.aggregators import Mean
from sims.attacks import LabelFlipping
from sims.engine import describe, simulate
from sims.optimizers import SGD, RobustSGD
from sims.problems import SoftmaxRegression, relabelled

KINDS = ["int8", "uint8", "int64", ">i4", "float16", "float32", "float64", ">f8"]


@given(
    names=st.lists(st.integers(-100, 100), min_size=2, max_size=6, unique=True),
    more=st.lists(st.integers(0, 5), max_size=30),
    kind=st.sampled_from(KINDS),
)
def test_classes_are_in_the_order_of_labels_and_none_is_empty(names, more, kind):
    if kind == "uint8":
        names = [name + 100 for name in names]
    labels = np.array(names + [names[k % len(names)] for k in more], dtype=kind)
    classes, values = relabelled(labels)
    assert np.array_equal(values[classes], labels)
    assert sorted(set(classes.tolist())) == list(range(len(names)))
    assert np.all(np.diff(values.astype(np.float64)) > 0)
    SoftmaxRegression(np.ones((len(labels), 1)), classes)
    want = list(range(len(names)))
    if sorted(names) == want and np.issubdtype(labels.dtype, np.integer):
        assert np.array_equal(SoftmaxRegression(np.ones((len(labels), 1)), labels).labels, classes)
    else:  # what is accepted as it is, is what relabelling leaves as it is
        with pytest.raises(ValueError, match=r"whole labels 0, …, C − 1 .* no class left out, got .*relabelled"):
            SoftmaxRegression(np.ones((len(labels), 1)), labels)


@pytest.mark.parametrize(
    "labels",
    [
        [1, 2, 3, 1],
        [0, 2, 0, 2],
        [0, 1, 7, 7],
        [-1, 1, -1, 1],
        [0, 0, 0, 0],
        [0.0, 1.0, 0.0, 1.0],
        [0, 1, np.nan, 1],
        [True, False, True, False],
        ["a", "b", "a", "b"],
        [0, 1, None, 1],
        [0, 1, 10**400, 1],
        [0, 1, 1j, 0],
        np.ma.array([0, 1, 0, 1], mask=[0, 0, 0, 1]),
        None,
        [[0, 1], [0, 1]],
        np.arange(4)[:, None],
        5,
    ],
    ids=repr,
)
def test_other_labels_are_refused_in_a_sentence_that_names_them(labels):
    with pytest.raises(ValueError, match="labels"):
        SoftmaxRegression(np.eye(4), labels)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([1.5, 2.0], r"whole labels, got 1\.5"),
        ([1.0, np.nan, np.inf], "whole labels, got nan"),
        ([0.0, -np.inf], "whole labels, got -inf"),
        ([3, 3], r"2 different labels or more, got \[3\]"),
        ([], r"2 different labels or more, got \[\]"),
        ([[0, 1]], r"labels \(m,\) of numbers, got int64 \(1, 2\)"),
        ([True, False], "of numbers, got bool"),
        (["1", "2"], "of numbers, got <U1"),
        (np.ma.array([0, 1], mask=[1, 0]), "of numbers, got MaskedArray"),
        (None, "of numbers, got object"),
        ([1, [2]], "of numbers, got list"),
        ([1, 10**400], "of numbers, got object"),
    ],
)
def test_what_cannot_be_relabelled_is_refused(labels, told):
    with pytest.raises(ValueError, match=told):
        relabelled(labels)


def test_flipping_of_relabelled_classes_is_that_of_the_classes():
    """±1, 1, …, C and labels with gaps: the same rounds, to the bit, and one key."""
    plain = SoftmaxRegression.mixture(classes=3, dim=2, size=60, batch=2)
    want = described = None
    for values in ([0, 1, 2], [1, 2, 3], [-1, 0, 1], [0.0, 1.0, 7.0], [-5.0, 100.0, 2e6]):
        problem = SoftmaxRegression(
            np.asfortranarray(plain.features), relabelled(np.array(values)[plain.labels])[0].astype(np.uint8), batch=2
        )
        found = simulate(
            problem, RobustSGD(Mean(), SGD(0.5)), n=5, f=2, attack=LabelFlipping(), steps=9, runs=2, seed=0
        )
        want, described = found.x if want is None else want, describe(problem) if want is None else described
        assert np.array_equal(found.x, want)
        assert describe(problem) == described


def test_a_problem_keeps_nothing_that_its_maker_can_change():
    features, labels = np.array([[1.0], [-1.0]]), np.array([0, 1])
    problem = SoftmaxRegression(features, labels)
    star = problem.x_star.copy()
    features *= 100
    labels[:] = 0
    again = SoftmaxRegression(problem.features, problem.labels)
    assert np.array_equal(again.x_star, star)
    for kept in (problem.features, problem.labels):
        with pytest.raises(ValueError, match="read-only"):
            kept[0] = 5
