"""The adapter against ByzFL 0.0.11 itself, on random vectors of every kind; skipped where that is not installed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sound_rules import byzfl_itself

from sims import aggregators
from sims.adapters import byzfl_api as ours
from sims.by_name import RULES
from sims.contracts.global_random import moved_by

torch = pytest.importorskip("torch")
byzfl = byzfl_itself()
if byzfl is None:
    pytest.skip("ByzFL is not installed: make test EXTRAS=test,neural does it", allow_module_level=True)

pytestmark = pytest.mark.usefixtures("one_torch_thread")

KINDS = ("float64", "float32", "tensor of float64", "tensor of float32")
HERE = {rule.__name__ for rule in RULES}
INPUTS = 50  # of each kind, for each name


def nothing(rng, n, f):
    return {}


def declared(rng, n, f):
    return {"f": f}


SETTINGS = {
    "Average": nothing,
    "Median": nothing,
    "TrMean": declared,
    "GeometricMedian": lambda rng, n, f: {"nu": float(rng.uniform(0.01, 3)), "T": int(rng.integers(0, 6))},
    "Krum": declared,
    "MultiKrum": declared,
    "CenteredClipping": lambda rng, n, f: {"L": int(rng.integers(0, 4)), "tau": float(rng.uniform(0.1, 3))},
    "NNM": declared,
    "ARC": declared,
    "Clipping": lambda rng, n, f: {"c": float(rng.uniform(0.1, 3))},
    "Bucketing": lambda rng, n, f: {"s": int(rng.integers(1, n + 3))},
    "SignFlipping": nothing,
    "InnerProductManipulation": lambda rng, n, f: {"tau": float(rng.normal())},
    "ALittleIsEnough": lambda rng, n, f: {"tau": float(rng.normal())},
    "Mimic": lambda rng, n, f: {"epsilon": int(rng.integers(0, n))},
    "Inf": nothing,
    "Gaussian": lambda rng, n, f: {"mu": float(rng.normal()), "sigma": float(rng.uniform(0, 3))},
    "LabelFlipping": nothing,
    "Meamed": declared,
    "MoNNA": lambda rng, n, f: {"f": f, "idx": int(rng.integers(0, n))},
}
OF_THE_SAME_NAME = ("Meamed", "MoNNA", "MDA", "SMEA", "CAF")


def inputs(name, count=INPUTS, workers=12):
    """(number, settings, vectors): of 2 to 12 workers in up to 5 coordinates, of many sizes, also far from 0."""
    rng = np.random.Generator(np.random.Philox(17))
    for number in range(count):
        n, d = int(rng.integers(2, workers + 1)), int(rng.integers(1, 6))
        f = int(rng.integers(0, (n - 1) // 2 + 1))
        offset = rng.integers(0, 2) * 10 * rng.normal(size=d)
        x = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-3, 4) + offset
        yield number, SETTINGS.get(name, declared)(rng, n, f), x


def as_kind(x, kind):
    return torch.tensor(x, dtype=getattr(torch, kind.split()[-1])) if kind.startswith("tensor") else x.astype(kind)


def answers(name, settings, vectors, number):
    """What both make of the vectors, which every other time are a list, with the same draws."""
    for library in (byzfl, ours):
        mine = vectors.copy() if isinstance(vectors, np.ndarray) else vectors.clone()  # ByzFL's clipping writes into it
        given = list(mine) if number % 2 else mine
        with np.errstate(all="ignore"):
            yield moved_by(lambda library=library, given=given: getattr(library, name)(**settings)(given), number)[0]


def rounding(x, kind):
    """The rounding that the contracts forgive: 64·n·ε·(largest magnitude)."""
    single = kind != "float64"
    return 64 * len(x) * float(np.finfo(np.float32 if single else np.float64).eps) * np.max(np.abs(x))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SETTINGS)
def test_the_same_comes_out(name, kind):
    if name in OF_THE_SAME_NAME and name not in HERE:
        pytest.skip(f"there is no rule {name} here")
    for number, settings, x in inputs(name):
        theirs, mine = answers(name, settings, as_kind(x, kind), number)
        assert (type(theirs), theirs.dtype, theirs.shape) == (type(mine), mine.dtype, mine.shape)
        np.testing.assert_allclose(
            np.asarray(mine, dtype=np.float64),
            np.asarray(theirs),
            rtol=0,
            atol=rounding(x, kind),
            err_msg=f"{settings}",
        )


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("GeometricMedian", lambda nu, T: aggregators.GeometricMedian()),
        ("Krum", lambda f: aggregators.Krum(max(f - 1, 0))),
        ("CenteredClipping", lambda L, tau: aggregators.CenteredClipping(tau * 1.01, max(L, 1))),
    ],
)
def test_another_rule_does_not_pass_for_the_same(name, other):
    def differs(number, settings, x):
        rule = other(**settings)
        try:
            mine = rule.aggregate(x)
        except ValueError:  # Krum is not defined for so few
            return False
        theirs = next(answers(name, settings, x, number))
        return np.max(np.abs(theirs - mine)) > rounding(x, "float64")

    assert any(differs(*one) for one in inputs(name))


def diameter(x, subset):
    return max((np.linalg.norm(x[i] - x[j]) for i, j in itertools.combinations(subset, 2)), default=0.0)


@pytest.mark.skipif("MDA" not in HERE, reason="there is no rule MDA here")
@pytest.mark.parametrize("kind", KINDS)
def test_mda_takes_a_subset_of_least_diameter_too(kind):
    """Of several, as any two that have their farthest pair in common, ByzFL takes the first, and we by value."""
    for number, settings, x in inputs("MDA", count=30, workers=8):
        x = np.asarray(as_kind(x, kind).to(torch.float32) if kind.startswith("tensor") else x.astype(kind), np.float64)
        subsets = list(itertools.combinations(range(len(x)), len(x) - settings["f"]))
        diameters = np.array([diameter(x, subset) for subset in subsets])
        least = [x[list(subsets[k])].mean(axis=0) for k in np.flatnonzero(diameters <= diameters.min() * (1 + 1e-6))]
        for found in answers("MDA", settings, as_kind(x, kind), number):
            away = min(np.max(np.abs(np.asarray(found, np.float64) - one)) for one in least)
            assert away <= rounding(x, kind)


def settled_at_once(x, f):
    """Whether CAF needs one step: in later ones it looks to the farthest that has weight, ByzFL to the farthest."""
    squares = (x - x.mean()) ** 2
    return squares.sum() / squares.max() > 2 * f


@pytest.mark.parametrize("name", ["SMEA", "CAF"])
def test_of_one_coordinate_byzfls_power_method_is_exact(name):
    """Of more it multiplies the eigenvalue by the cosine of the direction and a random vector: its result is random."""
    if name not in HERE:
        pytest.skip(f"there is no rule {name} here")
    rng, compared = np.random.Generator(np.random.Philox(23)), 0
    for number in range(150):
        n = int(rng.integers(3, 9))
        f = int(rng.integers(1, (n - 1) // 2 + 1))
        x = rng.normal(size=(n, 1)) + 3 * rng.normal()
        if name == "SMEA" or settled_at_once(x, f):
            theirs, mine = answers(name, {"f": f}, x, number)
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=rounding(x, "float64"))
            compared += 1
    assert compared > 20


SEARCHES = ("Optimal_InnerProductManipulation", "Optimal_ALittleIsEnough")
DEFENCES = [
    ("Average", ()),
    ("Average", ("Clipping",)),
    ("Median", ("NNM", "Clipping")),
    ("TrMean", ("ARC",)),
    ("Krum", ()),
    ("GeometricMedian", ("NNM",)),
]


def defence(library, aggregator, before, f):
    def made(name):
        return getattr(library, name)(**({"f": f} if name in ("TrMean", "Krum", "NNM", "ARC") else {}))

    return made(aggregator), [made(name) for name in before]


@pytest.mark.parametrize("kind", ["float64", "tensor of float32"])
@pytest.mark.parametrize(("aggregator", "before"), DEFENCES)
@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_does_as_much_harm(name, aggregator, before, kind):
    """Where two strengths do the same harm rounding decides, and so it is the harm that is compared."""
    compared = 0
    for number, settings, x in inputs("Optimal", count=16, workers=10):
        f = settings["f"]
        if f == 0 or len(x) < 3:
            continue
        vectors, harms = as_kind(x, kind), []
        for library in (byzfl, ours):
            agg, pre = defence(library, aggregator, before, f)
            sent = getattr(library, name)(agg, pre, f=f)(vectors)
            agg, pre = defence(ours, aggregator, before, f)
            messages = np.concatenate([x, np.repeat(np.asarray(sent, np.float64)[None], f, axis=0)])
            for one in pre:
                messages = one(messages)
            harms.append(np.linalg.norm(agg(messages) - x.mean(axis=0)))
        compared += 1
        assert abs(harms[0] - harms[1]) <= 1e-3 * max(harms), number
    assert compared > 5


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("TrMean", {"f": -1}),
        ("Krum", {"f": 1.5}),
        ("GeometricMedian", {"nu": 1}),
        ("GeometricMedian", {"T": -1}),
        ("CenteredClipping", {"L": -1}),
        ("CenteredClipping", {"tau": 1}),
        ("CenteredClipping", {"m": [0.0]}),
        ("Clipping", {"c": 1}),
        ("Clipping", {"c": -1.0}),
        ("Bucketing", {"s": 0}),
        ("NNM", {"f": "1"}),
        ("ARC", {"f": -1}),
        ("InnerProductManipulation", {"tau": 1}),
        ("ALittleIsEnough", {"tau": 1}),
        ("Mimic", {"epsilon": -1}),
        ("Gaussian", {"mu": 0}),
        ("Gaussian", {"sigma": -1.0}),
        ("Optimal_ALittleIsEnough", {"evals": 0}),
        ("Optimal_ALittleIsEnough", {"start": 0}),
        ("Optimal_InnerProductManipulation", {"delta": 0.0}),
        ("Optimal_InnerProductManipulation", {"ratio": 1.0}),
    ],
)
def test_both_refuse_with_the_same_type(name, given):
    for library in (byzfl, ours):
        with pytest.raises((TypeError, ValueError)) as error:
            getattr(library, name)(**given)
        if library is byzfl:
            expected = error.type
    assert error.type is expected


@pytest.mark.parametrize(
    ("name", "settings", "vectors"),
    [
        ("TrMean", {"f": 1}, np.zeros((2, 1))),
        ("Krum", {"f": 1}, np.zeros((2, 1))),
        ("MultiKrum", {"f": 2}, np.zeros((4, 1))),
        ("NNM", {"f": 2}, np.zeros((2, 1))),
        ("ARC", {"f": 3}, np.zeros((2, 1))),
        ("Mimic", {"epsilon": 2}, np.zeros((2, 1))),
        ("Average", {}, [[1.0], [2.0]]),
        ("Average", {}, "vectors"),
    ],
)
def test_both_refuse_vectors_with_the_same_type(name, settings, vectors):
    errors = []
    for library in (byzfl, ours):
        with pytest.raises((TypeError, ValueError)) as error:
            getattr(library, name)(**settings)(vectors)
        errors.append(error.type)
    assert errors[0] is errors[1]


def test_all_that_byzfl_has_of_these_is_here():
    from byzfl.aggregators import aggregators as a
    from byzfl.aggregators import preaggregators as p
    from byzfl.attacks import attacks as t

    theirs = {name for module in (a, p, t) for name, one in vars(module).items() if isinstance(one, type)}
    assert theirs - set(ours.__all__) == set()
    assert set(ours.__all__) - theirs == {"RobustAggregator"}
