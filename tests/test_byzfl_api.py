"""ByzFL's names over the rules here: results worked out by hand, kinds of vectors, refusals, whose memory it is."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
from zoo import ZOO

from sims.adapters import byzfl_api as byzfl
from sims.adapters.byzfl_api import aggregators, attacks, preaggregators
from sims.by_name import RULES
from sims.contracts.global_random import moved_by

THREE = [[0.0, 3.0], [4.0, 0.0], [1.0, 1.0]]
SAME_NAME = {kind.__name__ for kind in aggregators.Named.__subclasses__()}  # their rule here is called as they are
HERE = {rule.__name__ for rule in RULES}

# name, arguments, what comes of THREE, worked out by hand
CASES = [
    ("Average", {}, [5 / 3, 4 / 3]),
    ("Median", {}, [1, 1]),
    ("TrMean", {"f": 1}, [1, 1]),
    ("TrMean", {}, [5 / 3, 4 / 3]),
    # weights 1/3, 1/4, 1/√2, of which the sum is 7/12 + 1/√2
    ("GeometricMedian", {"T": 1}, [(1 + 2**-0.5) / (7 / 12 + 2**-0.5), (1 + 2**-0.5) / (7 / 12 + 2**-0.5)]),
    ("GeometricMedian", {"T": 0}, [0, 0]),
    ("Krum", {"f": 1}, [0, 3]),  # the two closest share a score, and the first one's is taken
    ("Krum", {}, [1, 1]),  # 5 + 10 is less than 25 + 5 and 25 + 10
    ("MultiKrum", {"f": 1}, [0.5, 2]),
    ("CenteredClipping", {"tau": 1.0}, [(1 + 2**-0.5) / 3, (1 + 2**-0.5) / 3]),
    ("CenteredClipping", {"L": 0}, [0, 0]),
    ("NNM", {"f": 1}, [[0.5, 2], [2.5, 0.5], [0.5, 2]]),
    ("NNM", {"f": 2}, THREE),
    ("Clipping", {"c": 1.0}, [[0, 1], [1, 0], [2**-0.5, 2**-0.5]]),
    ("ARC", {"f": 1}, [[0, 3], [3, 0], [1, 1]]),  # ⌊2·2/3⌋ = 1 of them
    ("ARC", {"f": 3}, THREE),
    ("Bucketing", {"s": 5}, [[5 / 3, 4 / 3]]),
    ("SignFlipping", {}, [-5 / 3, -4 / 3]),
    ("InnerProductManipulation", {"tau": -3.0}, [5, 4]),
    ("ALittleIsEnough", {"tau": 0.0}, [5 / 3, 4 / 3]),
    ("ALittleIsEnough", {}, [5 / 3 + 1.5 * (13 / 3) ** 0.5, 4 / 3 + 1.5 * (7 / 3) ** 0.5]),
    ("Mimic", {"epsilon": 2}, [1, 1]),
    ("Inf", {}, [np.inf, np.inf]),
    ("Gaussian", {"mu": 2.0, "sigma": 0.0}, [2, 2]),
    ("LabelFlipping", {}, [5 / 3, 4 / 3]),
    # against the mean every step helps: 0, 10, 30, 70 of them
    ("Optimal_InnerProductManipulation", {"pre_agg_list": [], "evals": 4}, [-70 * 5 / 3, -70 * 4 / 3]),
    (
        "Optimal_ALittleIsEnough",
        {"pre_agg_list": [], "evals": 1, "start": 1.0},
        [5 / 3 + 13**0.5 / 3**0.5, 4 / 3 + 7**0.5 / 3**0.5],
    ),
    ("MoNNA", {"f": 1, "idx": 1}, [2.5, 0.5]),
    ("MDA", {"f": 1}, [0.5, 2]),
    ("SMEA", {"f": 1}, [0.5, 2]),
    ("Meamed", {"f": 1}, [0.5, 0.5]),
]
KEPT_AS_GIVEN = ("Mimic", "Inf", "Gaussian")  # whose dtype is not that of the vectors


def as_kind(rows, kind):
    """Vectors in one of the forms that ByzFL takes."""
    x = np.array(rows)
    if kind.startswith("tensor"):
        torch = pytest.importorskip("torch")
        x = torch.tensor(rows, dtype=torch.float64)
    return list(x) if kind.endswith("s in a list") else x


@pytest.mark.parametrize("kind", ["array", "arrays in a list", "tensor", "tensors in a list"])
@pytest.mark.parametrize(("name", "given", "expected"), CASES, ids=[f"{name}-{given}" for name, given, _ in CASES])
def test_what_comes_of_three_vectors(name, given, expected, kind):
    if name in SAME_NAME and name not in HERE:
        pytest.skip(f"there is no rule {name} here")
    vectors = as_kind(THREE, kind)
    before = np.array(THREE)
    y = getattr(byzfl, name)(**given)(vectors)
    single = kind.startswith("tensor")
    assert type(y).__module__.split(".")[0] == ("torch" if single else "numpy")
    np.testing.assert_allclose(np.asarray(y), expected, rtol=2e-6 if single else 1e-14)
    if name not in KEPT_AS_GIVEN:
        assert str(y.dtype).removeprefix("torch.") == ("float32" if single else "float64")
    for row, same in zip(vectors, before, strict=True):
        assert np.array_equal(np.asarray(row), same)
    y += 1.0  # what is returned is the caller's
    assert np.array_equal(np.stack([np.asarray(row) for row in vectors]), before)


def test_whole_numbers_and_vectors_of_more_axes():
    grid = np.arange(24).reshape(4, 2, 3)
    y = byzfl.Krum(1)(grid)
    assert (y.dtype, y.shape) == (np.float64, (2, 3))
    assert np.array_equal(y, byzfl.Krum(1)(grid.reshape(4, 6)).reshape(2, 3))
    assert byzfl.NNM(1)(grid).shape == (4, 2, 3)
    assert np.array_equal(byzfl.SignFlipping()(list(grid)), -grid.mean(axis=0))


def test_centered_clipping_goes_on_from_what_came_out():
    clip = byzfl.CenteredClipping(tau=1.0)
    first = clip(np.array([[3.0], [3.0]]))
    first += 100.0  # nobody's centre
    assert clip(np.array([[3.0], [3.0]])) == [2.0]
    clip.m = None
    assert clip(np.array([[3.0], [3.0]])) == [1.0]
    start = np.array([2.5])
    assert byzfl.CenteredClipping(start, 2, 0.25)(np.array([[3.0], [3.0]])) == [3.0]
    assert start == [2.5]


def test_a_search_moves_no_centre():
    agg = byzfl.CenteredClipping(tau=1.0)
    attack = byzfl.Optimal_InnerProductManipulation(agg, [], f=1)
    first = attack(np.array(THREE))
    assert agg.m is None
    assert np.array_equal(attack(np.array(THREE)), first)


def test_a_search_asks_the_pre_aggregators_first_and_all_f_send():
    seen = []

    def look(x):
        seen.append(x.shape)
        return x[:1]

    sent = byzfl.Optimal_InnerProductManipulation(lambda x: x[0], [look], f=2, evals=3)(np.array(THREE))
    assert seen == [(5, 2)] * 3
    assert np.array_equal(sent, [0, 0])  # no strength does harm, and it stays at the start


def test_draws_are_those_of_the_global_generators():
    order = moved_by(lambda: np.random.permutation(10), 3)[0]  # noqa: NPY002 (that is what is promised)
    buckets = moved_by(lambda: byzfl.Bucketing()(np.arange(10.0)[:, None]), 3)[0]
    assert np.array_equal(buckets[:, 0], order)
    expected = moved_by(lambda: np.random.normal(1.0, 2.0, 4), 3)[0]  # noqa: NPY002
    assert np.array_equal(moved_by(lambda: byzfl.Gaussian(1.0, 2.0)(np.zeros((2, 4))), 3)[0], expected)
    assert not np.array_equal(moved_by(lambda: byzfl.Gaussian(1.0, 2.0)(np.zeros((2, 4))), 4)[0], expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_an_attack(bad):
    x = np.random.Generator(np.random.Philox(5)).normal(size=(9, 3))
    x[4] = bad
    for made in (byzfl.Median(), byzfl.TrMean(1), byzfl.Krum(1), byzfl.MultiKrum(1), byzfl.GeometricMedian()):
        assert np.isfinite(made(x)).all()
    for made in (byzfl.CenteredClipping(), byzfl.Clipping(), byzfl.ARC(1)):
        assert np.isfinite(made(x)).all()
    assert not np.isfinite(byzfl.Average()(x)).any()


REFUSED = [
    ("TrMean", {"f": -1}, ValueError, "TrMean needs f ≥ 0, got f = -1"),
    ("Krum", {"f": 1.0}, ValueError, "Krum needs a whole number f ≥ 0, got f = 1.0"),
    ("MoNNA", {"idx": -1}, ValueError, "MoNNA needs idx ≥ 0, got idx = -1"),
    ("GeometricMedian", {"nu": 1}, TypeError, "GeometricMedian needs nu as a float, got nu = 1"),
    ("GeometricMedian", {"nu": float("nan")}, ValueError, "GeometricMedian needs .*nu.* got nu = nan"),
    ("GeometricMedian", {"T": -1}, ValueError, "GeometricMedian needs T ≥ 0, got T = -1"),
    ("CenteredClipping", {"m": [0.0]}, TypeError, "CenteredClipping needs m as an array or a tensor"),
    ("CenteredClipping", {"m": np.array(["1"])}, ValueError, "CenteredClipping needs .*m"),
    ("CenteredClipping", {"L": -1}, ValueError, "CenteredClipping needs L ≥ 0, got L = -1"),
    ("CenteredClipping", {"tau": 1}, ValueError, "CenteredClipping needs tau as a float, got tau = 1"),
    ("CenteredClipping", {"tau": -1.0}, ValueError, "CenteredClipping needs tau ≥ 0, got tau = -1.0"),
    ("Clipping", {"c": -1.0}, ValueError, "Clipping needs c ≥ 0, got c = -1.0"),
    ("Bucketing", {"s": 0}, ValueError, "Bucketing needs s ≥ 1, got s = 0"),
    ("InnerProductManipulation", {"tau": 1}, TypeError, "InnerProductManipulation needs tau as a float"),
    ("ALittleIsEnough", {"tau": 1}, TypeError, "ALittleIsEnough needs tau as a float"),
    ("Mimic", {"epsilon": -1}, ValueError, "Mimic needs epsilon ≥ 0, got epsilon = -1"),
    ("Gaussian", {"mu": 0}, TypeError, "Gaussian needs mu as a float"),
    ("Gaussian", {"sigma": -1.0}, ValueError, "Gaussian needs sigma ≥ 0, got sigma = -1.0"),
    ("Optimal_ALittleIsEnough", {"f": -1}, ValueError, "Optimal_ALittleIsEnough needs f ≥ 1, got f = -1"),
    ("Optimal_ALittleIsEnough", {"evals": 0}, ValueError, "needs evals ≥ 1, got evals = 0"),
    ("Optimal_InnerProductManipulation", {"start": 0}, ValueError, "needs start as a float"),
    ("Optimal_InnerProductManipulation", {"delta": 0.0}, ValueError, "needs delta ≠ 0, got delta = 0.0"),
    ("Optimal_InnerProductManipulation", {"ratio": 0.5}, ValueError, "needs .*ratio.* got ratio = 0.5"),
]


@pytest.mark.parametrize(("name", "given", "error", "sentence"), REFUSED)
def test_what_byzfl_refuses_is_refused_with_its_type(name, given, error, sentence):
    with pytest.raises(error, match=sentence):
        getattr(byzfl, name)(**given)


PARAMETERS = [
    (name, parameter)
    for name in byzfl.__all__
    for parameter in inspect.signature(getattr(byzfl, name)).parameters
    if name != "RobustAggregator" and parameter not in ("agg", "pre_agg_list")
]


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_what_nobody_means_is_refused_by_name_or_works(name, parameter):
    if name in SAME_NAME and name not in HERE:
        pytest.skip(f"there is no rule {name} here")
    for called, value in ZOO.items():
        y, said = given(name, parameter, value)
        assert y is not None or re.search(rf"(?<!\w){parameter}(?!\w)", said), f"{called}: {said}"
        assert y is None or (y.shape[-1] == 2 and (called == "huge" or not np.isnan(y).any())), f"{called}: {y}"


def given(name, parameter, value):
    """What comes of THREE with this value, or what is said against it."""
    try:
        return getattr(byzfl, name)(**{parameter: value})(np.array(THREE)), ""
    except (TypeError, ValueError) as error:
        return None, str(error)


@pytest.mark.parametrize(
    ("made", "vectors", "error", "sentence"),
    [
        (byzfl.TrMean(1), np.zeros((2, 1)), ValueError, "TrMean needs n ≥ 2f \\+ 1, got n = 2, f = 1"),
        (byzfl.Krum(2), np.zeros((4, 1)), ValueError, "Krum needs n ≥ 2f \\+ 1, got n = 4, f = 2"),
        (byzfl.NNM(2), np.zeros((2, 1)), ValueError, "NNM needs f < n, got f = 2, n = 2"),
        (byzfl.ARC(3), np.zeros((2, 1)), ValueError, "ARC needs f ≤ n, got f = 3, n = 2"),
        (
            byzfl.CenteredClipping(np.zeros(2)),
            np.zeros((2, 1)),
            ValueError,
            r"m of shape \(1,\), got m of shape \(2,\)",
        ),
        (byzfl.Mimic(2), np.zeros((2, 1)), ValueError, "Mimic needs epsilon < g, got epsilon = 2, g = 2"),
        (byzfl.ALittleIsEnough(), np.zeros((1, 1)), ValueError, "needs g > ddof honest workers"),
        (byzfl.Average(), [], ValueError, "needs at least one vector"),
        (byzfl.Average(), np.zeros(3), ValueError, r"got shape \(3,\)"),
        (byzfl.Average(), [[1.0, 2.0]], TypeError, "vectors must be a list of NumPy arrays or torch tensors"),
        (byzfl.Mimic(), "vectors", TypeError, "vectors must be a list"),
    ],
)
def test_vectors_that_are_refused(made, vectors, error, sentence):
    with pytest.raises(error, match=sentence):
        made(vectors)


def test_an_aggregator_by_its_name_takes_what_it_knows():
    table = {"name": "Average", "parameters": {"f": 1}}
    rule = byzfl.RobustAggregator(table, [{"name": "Clipping", "parameters": {"c": 1.0, "f": 1}}])
    np.testing.assert_allclose(rule.aggregate_vectors(np.array(THREE)), [(1 + 2**-0.5) / 3] * 2)
    for given, error, sentence in (
        (["Average"], TypeError, "aggregator_info as a dict"),
        ({"name": "Averages"}, ValueError, "did you mean Average"),
        ({"name": "NNM"}, ValueError, "aggregator_info needs a known name"),
    ):
        with pytest.raises(error, match=sentence):
            byzfl.RobustAggregator(given)
    with pytest.raises(TypeError, match="pre_agg_list as a list of dicts"):
        byzfl.RobustAggregator(table, [byzfl.NNM(1)])


def test_what_is_for_training_says_where_it_is():
    with pytest.raises(AttributeError, match="ByzFL's training is not here"):
        byzfl.run_benchmark  # noqa: B018 (asking is all)
    with pytest.raises(AttributeError, match=r"no attribute 'Krumm'$"):
        byzfl.Krumm  # noqa: B018


def test_every_class_is_exported_where_byzfl_has_it():
    for module in (aggregators, preaggregators, attacks):
        own = [name for name, one in vars(module).items() if inspect.isclass(one) and callable(getattr(byzfl, name, 0))]
        assert own
        assert all(getattr(byzfl, name) is getattr(module, name) for name in own)
    assert {name for name in byzfl.__all__ if name not in vars(byzfl)} == set()
    assert aggregators.NNM is preaggregators.NNM
