"""The rules against their definitions in rational arithmetic, and wrong rules that this comparison must catch."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import array_api_strict
import faulty
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from sims.aggregators import (
    RFA,
    Bulyan,
    CenteredClipping,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    MultiKrum,
    TrimmedMean,
)
from sims.by_name import examples
from sims.checks.exact_rules import exact_aggregate

EPS = float(np.finfo(float).eps)

# n → rules on all of {0, 1, 3}^n, d = 1
ON_A_LINE = {
    1: [Mean(), CoordinateMedian(), TrimmedMean(0), GeometricMedian(), RFA(), CenteredClipping(1.0)],
    2: [Mean(), CoordinateMedian(), GeometricMedian(), RFA(nu=0.5), CenteredClipping((0.5, 0.25), 2)],
    3: [CoordinateMedian(), TrimmedMean(1), Krum(0), MultiKrum(0), MultiKrum(0, m=2), Bulyan(0), GeometricMedian()],
    4: [Mean(), CoordinateMedian(), TrimmedMean(1), Krum(0), MultiKrum(0, m=2), GeometricMedian(), RFA(steps=2)],
    5: [
        TrimmedMean(1),
        TrimmedMean(2),
        GeometricMedian(),
        Krum(1),
        Krum(1, "byzfl"),
        Krum(1, "byzantine_momentum"),
        Krum(1, "released"),
        MultiKrum(1),
        MultiKrum(1, m=2),
        MultiKrum(1, variant="released"),
        CenteredClipping(0.75, 2),
    ],
}
LINES = [(n, rule) for n, rules in ON_A_LINE.items() for rule in rules]


def exact(rule, x, centre=None):
    """The definition on the floats in x (n, d), each taken as the rational that it is; rounded once, at the end."""
    rows = [tuple(Fraction(float(value)) for value in row) for row in x]
    return np.array([float(value) for value in exact_aggregate(rule, rows, centre)])


def rounding(x):
    """n + 4 roundings for a sum of n terms and what is done to it (times 3 for RFA's weights, distances and shares)."""
    return 3 * (x.shape[-2] + 4) * EPS * max(float(np.max(np.abs(x), initial=0.0)), 1e-300)


def deviations(rule, definition, messages):
    """The largest |rule − definition of `definition`| for each of the messages (runs, n, d)."""
    expected = np.stack([exact(definition, x) for x in messages])
    return np.max(np.abs(rule.aggregate(messages) - expected), axis=-1)


def everything(n):
    return np.array(list(itertools.product([0.0, 1.0, 3.0], repeat=n)))[..., None]


def multisets(n):
    """With gaps uneven enough to tell distances, squares and fourth powers apart, which 0, 1, 3, 4 is not."""
    return np.array(list(itertools.combinations_with_replacement([0.0, 1.0, 3.0, 4.0, 9.0], n)))[..., None]


@pytest.mark.parametrize(("n", "rule"), LINES, ids=[f"n{n}-{rule!r}" for n, rule in LINES])
def test_rules_on_all_small_messages_on_a_line(n, rule):
    x = everything(n)
    assert np.max(deviations(rule, rule, x)) <= rounding(x)


# (rule, n); Bulyan and larger n on every multiset, since the rules do not look at the order (test_contracts)
ON_MULTISETS = [
    (Bulyan(1), 7),
    (Bulyan(1), 8),
    (Bulyan(0), 5),
    (Krum(1), 7),
    (Krum(2), 7),
    (Krum(1, "released"), 7),
    (Krum(2, "byzfl"), 7),
    (Krum(1, "byzantine_momentum"), 8),
    (MultiKrum(2, m=3), 8),
    (TrimmedMean(3), 7),
    (GeometricMedian(), 7),
    (GeometricMedian(), 8),
    (RFA(), 7),
    (CenteredClipping((4.0, 1.0, 0.25), 3), 7),
]
HELD = {type(rule) for rule, _ in ON_MULTISETS} | {type(rule) for _, rule in LINES}
ON_MULTISETS += [(rule, 7) for rule in examples(7, 1).values() if type(rule) not in HELD]


@pytest.mark.parametrize(("rule", "n"), ON_MULTISETS, ids=repr)
def test_rules_on_all_multisets_of_a_few_values(rule, n):
    x = multisets(n)
    assert np.max(deviations(rule, rule, x)) <= rounding(x)


# Quarters up to ±8: differences, squares, fourth powers and their sums are exact in float64, hence so is each choice
QUARTERS = st.integers(-32, 32).map(lambda k: k / 4) | st.sampled_from([0.0, 1.0, 3.0])
IN_SPACE = [
    (Mean(), 4),
    (CoordinateMedian(), 4),
    (TrimmedMean(1), 5),
    (Krum(1), 5),
    (Krum(2), 8),
    (Krum(1, "byzfl"), 6),
    (Krum(1, "released"), 6),
    (MultiKrum(1), 6),
    (MultiKrum(2, m=1), 7),
    (Bulyan(1), 7),
    (Bulyan(1), 10),
    (Bulyan(2), 11),
]
ON_THE_LINE = [
    (RFA(nu=0.25), 4),
    (RFA(), 5),
    (GeometricMedian(), 5),
    (GeometricMedian(), 6),
    (Krum(1, "byzantine_momentum"), 6),
]


@pytest.mark.parametrize(("rule", "n"), IN_SPACE, ids=repr)
@given(data=st.data())
def test_rules_on_quarters_in_space(rule, n, data):
    d = data.draw(st.integers(1, 3))
    x = np.array(data.draw(st.lists(st.lists(QUARTERS, min_size=d, max_size=d), min_size=n, max_size=n)))
    assert np.max(np.abs(rule.aggregate(x) - exact(rule, x))) <= rounding(x)


@pytest.mark.parametrize(("rule", "n"), ON_THE_LINE, ids=repr)
@given(data=st.data())
def test_rules_on_quarters_on_the_line(rule, n, data):
    x = np.array(data.draw(st.lists(QUARTERS, min_size=n, max_size=n)))[:, None]
    steps = getattr(rule, "steps", 1)
    growth = (1 + 16 / getattr(rule, "nu", 1.0)) ** (steps - 1)  # |∂z'/∂z| ≤ (spread of x)/ν carries rounding on
    assert np.max(np.abs(rule.aggregate(x) - exact(rule, x))) <= rounding(x) * growth


@given(
    messages=st.lists(QUARTERS, min_size=1, max_size=6),
    centre=QUARTERS,
    radii=st.lists(st.sampled_from([0.0, 0.25, 1.0, 3.0, 100.0, math.inf]), min_size=1, max_size=3),
)
def test_clipping_from_any_centre(messages, centre, radii):
    x, rule = np.array(messages)[:, None], CenteredClipping(tuple(radii), len(radii))
    y = rule.aggregate(x, np.array([centre]))
    both = np.append(x, centre)[:, None]
    assert abs(y[0] - exact(rule, x, [Fraction(centre)])[0]) <= rounding(both) * len(radii)


WRONG = [
    (Mean(), faulty.MeanDividedByNMinusOne(), 4),
    (CoordinateMedian(), faulty.LowerMiddle(), 4),
    (CoordinateMedian(), faulty.LeansUp(), 4),
    (TrimmedMean(1), faulty.TrimmedFromPrintedIndex(), 4),
    (Krum(1), faulty.KrumOneNeighbourMore(), 7),
    (Krum(1), faulty.KrumCountsItself(), 7),
    (Krum(1), faulty.KrumPlainDistances(), 7),
    (Krum(1), Krum(1, "byzfl"), 7),
    (Krum(1), Krum(1, "released"), 7),
    (MultiKrum(1), faulty.MultiKrumSums(), 5),
    (MultiKrum(1), faulty.MultiKrumTakesAll(), 5),
    (Bulyan(1), faulty.BulyanWithoutTrimming(), 7),
    (Bulyan(1), faulty.BulyanInOneGo(), 7),
    (CenteredClipping(1.0), faulty.DividesByTheUnclipped(), 4),
    (CenteredClipping(1.0), faulty.RecentresOnTheMean(), 4),
    (RFA(), faulty.SquaredSmoothing(), 4),
    (RFA(), faulty.StartsAtTheMean(), 4),
    (GeometricMedian(), faulty.OneWeiszfeldStep(), 4),
]


@pytest.mark.parametrize(("right", "wrong", "n"), WRONG, ids=[f"{type(w).__name__}-{w!r}" for _, w, _ in WRONG])
def test_the_comparison_catches_every_wrong_rule(right, wrong, n):
    """On the same inputs, with the same tolerance, as the right rule passes."""
    x = multisets(n)
    assert np.max(deviations(right, right, x)) <= rounding(x)
    assert np.max(deviations(wrong, right, x)) > 1e3 * rounding(x)


def drawn(n, d, seed):
    rng = np.random.Generator(np.random.Philox(seed))
    return rng.normal(size=(n, d)) + 10 * rng.normal(size=d) + 20 * rng.binomial(1, 0.3, size=(n, 1))


def certificate(x, v):
    """‖Σ unit vectors from v to the messages elsewhere‖ less how many messages are at v: ≤ 0 at a geometric median."""
    away = [row - v for row in x]
    units = [row / math.hypot(*row) for row in away if math.hypot(*row) > 0]
    return math.hypot(*sum(units, np.zeros_like(v))) - (len(away) - len(units))


GM_INPUTS = [drawn(n, d, seed=10 * n + d) for n in (2, 3, 4, 5, 9, 20) for d in (2, 3, 7)]
GM_INPUTS += [np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0], [1.0, 1.0]])]  # a message is the minimiser
GM_INPUTS += [np.array([[0.0, 0.0]] * 3 + [[9.0, 1.0], [7.0, 7.0], [-3.0, 2.0]])]  # three at one place
GM_INPUTS += [np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 1e-9], [0.0, 5.0]])]  # close to the line between two others


@pytest.mark.parametrize("x", GM_INPUTS, ids=lambda x: f"{x.shape[0]}x{x.shape[1]}")
def test_geometric_median_has_its_optimality_certificate(x):
    """The mean unit vector within the rule's own tol, up to the rounding of n unit vectors."""
    rule = GeometricMedian()
    assert certificate(x, rule.aggregate(x)) <= x.shape[0] * (rule.tol + 8 * EPS * 20)


@pytest.mark.parametrize("x", GM_INPUTS, ids=lambda x: f"{x.shape[0]}x{x.shape[1]}")
def test_no_optimiser_finds_a_better_geometric_median(x):
    def cost(v):
        return sum(math.dist(row, v) for row in x)

    found = minimize(cost, np.mean(x, axis=0), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    assert cost(GeometricMedian().aggregate(x)) <= found.fun * (1 + 4 * x.shape[0] * EPS)


@pytest.mark.parametrize("wrong", [faulty.OneWeiszfeldStep(), CoordinateMedian(), Mean()], ids=repr)
def test_the_certificate_catches_other_centres(wrong):
    assert certificate(drawn(9, 3, seed=93), wrong.aggregate(drawn(9, 3, seed=93))) > 1e-3


def test_the_midpoint_of_the_segment_of_geometric_medians():
    """Four collinear points: every point between the middle two is a minimiser."""
    x = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 6.0], [10.0, 20.0]])
    np.testing.assert_allclose(GeometricMedian().aggregate(x), [2.0, 4.0], rtol=4 * EPS)


def clipped_by_hand(x, centre, radii):
    v = list(centre)
    for radius in radii:
        step = [0.0] * len(v)
        for row in x:
            distance = math.dist(row, v)
            factor = 1.0 if distance <= radius else radius / distance
            step = [s + factor * (a - b) for s, a, b in zip(step, row, v, strict=True)]
        v = [a + s / len(x) for a, s in zip(v, step, strict=True)]
    return v


def weiszfeld_by_hand(x, nu, steps):
    z = [0.0] * len(x[0])
    for _ in range(steps):
        weights = [1 / max(nu, math.dist(row, z)) for row in x]
        columns = zip(*x, strict=True)
        z = [sum(w * c for w, c in zip(weights, column, strict=True)) / sum(weights) for column in columns]
    return z


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("radii", [(1.0,), (15.0,), (30.0, 3.0, 0.3), (0.0, 100.0)], ids=repr)
def test_clipping_in_space_against_a_plain_loop(radii, seed):
    x = drawn(7, 4, seed)
    centre = drawn(1, 4, seed + 100)[0]
    y = CenteredClipping(radii, len(radii)).aggregate(x, centre)
    np.testing.assert_allclose(y, clipped_by_hand(x, centre, radii), rtol=0, atol=len(radii) * rounding(x))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("nu", "steps"), [(0.1, 3), (5.0, 2), (1e-3, 8)])
def test_rfa_in_space_against_a_plain_loop(nu, steps, seed):
    x = drawn(7, 4, seed)
    y = RFA(steps=steps, nu=nu).aggregate(x)
    np.testing.assert_allclose(y, weiszfeld_by_hand(x, nu, steps), rtol=0, atol=steps * rounding(x))


@pytest.mark.parametrize("wrong", [faulty.DividesByTheUnclipped(15.0), faulty.RecentresOnTheMean(15.0)], ids=repr)
def test_the_plain_loop_catches_wrong_clipping(wrong):
    x = drawn(7, 4, 0)
    y = wrong.aggregate(x, np.zeros(4))
    assert np.max(np.abs(y - clipped_by_hand(x, np.zeros(4), (15.0,)))) > 1e-3


@pytest.mark.parametrize("wrong", [faulty.SquaredSmoothing(), faulty.StartsAtTheMean()], ids=repr)
def test_the_plain_loop_catches_wrong_smoothing(wrong):
    x = drawn(7, 4, 0)
    assert np.max(np.abs(wrong.aggregate(x) - weiszfeld_by_hand(x, 0.1, 3))) > 1e-3


# By hand, for the definitions themselves

F = Fraction


@pytest.mark.parametrize(
    ("rule", "row", "expected"),
    [
        (Mean(), [0, 1, 3], F(4, 3)),
        (CoordinateMedian(), [0, 1, 3, 7], F(2)),
        (TrimmedMean(1), [0, 1, 3, 7], F(2)),
        (Krum(0), [0, 1, 2], F(0)),  # all three tie with one neighbour at 1
        (Krum(1), [0, 2, 3, 3, 9], F(3)),
        (Krum(1), [9, 4, 2, 2, 0], F(2)),
        (MultiKrum(1), [0, 1, 1, 2, 50], F(1)),
        (Bulyan(1), [0, 2, 3, 4, 5, 6, 100], F(3)),  # picks 4, 2, 5, 0 and 3, in this order; keeps 2, 3 and 4
        (GeometricMedian(), [0, 1, 3, 7], F(2)),
        (RFA(steps=1, nu=1.0), [1, 1, 4], F(4, 3)),
        (CenteredClipping(1.0), [0, 4, -9], F(0)),
        (CenteredClipping(1.0, 2), [4, 4], F(2)),
        (CenteredClipping(math.inf), [0, 1, 3], F(4, 3)),
    ],
    ids=repr,
)
def test_definitions_by_hand(rule, row, expected):
    assert exact_aggregate(rule, [(F(value),) for value in row]) == (expected,)


@pytest.mark.parametrize(
    ("rule", "rows", "sentence"),
    [
        (RFA(), [(0, 0)], "RFA has an exact definition for d = 1 only, got d = 2"),
        (CenteredClipping(1.0), [(0, 0)], "CenteredClipping has an exact definition for d = 1 only"),
        (GeometricMedian(), [(0, 0)], "GeometricMedian has an exact definition for d = 1 only"),
        (Krum(0, "byzantine_momentum"), [(0, 0)] * 3, "Krum with plain distances has an exact definition for d = 1"),
        (Krum(1), [(0,)] * 4, "Krum is undefined for n = 4, f = 1: it needs n ≥ 5"),
        (Bulyan(1), [(0,)] * 6, "Bulyan is undefined for n = 6, f = 1: it needs n ≥ 7"),
        (TrimmedMean(1), [(0,)] * 2, "TrimmedMean is undefined for n = 2, f = 1: it needs n ≥ 3"),
        (MultiKrum(1, m=5), [(0,)] * 5, "MultiKrum needs m ≤ n − f, got m = 5, n = 5, f = 1"),
        (Mean(), [], "need n ≥ 1 rows of one length"),
        (Mean(), [(0,), (0, 1)], "need n ≥ 1 rows of one length"),
        (faulty.LeansUp(), [(0,)], "no exact definition of LeansUp"),
        (CenteredClipping(np.ones(3)), [(0,)], "one number per parameter"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_the_oracle_says_what_it_cannot_do(rule, rows, sentence):
    with pytest.raises(ValueError, match=sentence.replace("(", r"\(")):
        exact_aggregate(rule, rows)


def test_only_clipping_has_a_centre():
    with pytest.raises(ValueError, match="Mean has no centre"):
        exact_aggregate(Mean(), [(F(0),)], [F(1)])


@pytest.mark.parametrize("tau", [0.0, 1.0, np.inf])
def test_clipping_on_the_host_is_that_of_the_array_api(tau):
    """At the centre, inside the radius, beyond it and nowhere: two formulas for min(1, τ/norm)."""
    x = np.array([[1.0, 2.0], [1.0, 2.5], [4.0, 6.0], [np.nan, 0.0]])
    for centre in ([1.0, 2.0], [0.0, 0.0]):
        rule = CenteredClipping(tau)
        other = rule.aggregate(array_api_strict.asarray(x), array_api_strict.asarray(centre))
        np.testing.assert_array_equal(rule.aggregate(x, np.array(centre)), np.from_dlpack(other))


# What Bulyan promises in floating point: which values are near the median is decided without rounding, and so is every
# pick among messages of two kinds; other scores may come out in either order if they are closer than rounding.

HUNDREDTHS = st.integers(-300, 300).map(lambda k: k / 100)  # their differences and squares are all rounded
SIZES = [(7, 1), (8, 1), (9, 1), (11, 2), (12, 2), (5, 0)]


def near_the_median(selected, keep):
    """The mean of the `keep` values nearest to the median, the smaller of two equally near ones first, exactly."""
    output = []
    for column in zip(*selected, strict=True):
        ordered, count = sorted(column), len(column)
        middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
        output.append(sum(sorted(column, key=lambda v, m=middle: (abs(v - m), v))[:keep], Fraction(0)) / keep)
    return tuple(output)


def possible_outputs(rows, f, slack):
    """What Bulyan may return if scores that differ by at most a share `slack` may come out in either order."""
    n = len(rows)
    waiting = {(tuple(sorted(rows)), ())}
    for remaining in range(n, 2 * f, -1):
        count = 0 if remaining == 1 else max(remaining - f - 2, 1)
        found = set()
        for left, chosen in waiting:
            scores = [
                sum(
                    sorted(
                        sum((a - b) ** 2 for a, b in zip(row, other, strict=True))
                        for k, other in enumerate(left)
                        if k != i
                    )[:count]
                )
                for i, row in enumerate(left)
            ]
            least = min(scores)
            exactly = min(row for row, score in zip(left, scores, strict=True) if score == least)
            picks = {row for row, score in zip(left, scores, strict=True) if least < score <= least * (1 + slack)}
            for row in {exactly, *picks}:
                rest = list(left)
                rest.remove(row)
                found.add((tuple(rest), tuple(sorted((*chosen, row)))))
        waiting = found
    return {near_the_median(chosen, n - 4 * f) for _, chosen in waiting}


def is_possible(rule, x):
    """Whether the output is one of those that rounding allows, up to the rounding of its mean."""
    n, d = x.shape
    rows = [tuple(Fraction(float(value)) for value in row) for row in x]
    allowed = possible_outputs(rows, rule.f, Fraction(4 * (d + n) * EPS))
    y = rule.aggregate(x)
    return any(np.max(np.abs(y - np.array(output, dtype=float))) <= rounding(x) for output in allowed)


def drawn_hundredths(data, n, kinds):
    """n messages of few kinds, so that many are equal."""
    d = data.draw(st.integers(1, 3))
    vectors = st.lists(HUNDREDTHS, min_size=d, max_size=d)
    made = data.draw(st.lists(vectors, min_size=1, max_size=kinds))
    return np.array([made[k] for k in data.draw(st.lists(st.integers(0, len(made) - 1), min_size=n, max_size=n))])


@pytest.mark.parametrize(("n", "f"), SIZES)
@given(data=st.data(), shift=st.sampled_from([0.0, 1.0, 1e3]))
def test_bulyan_of_two_kinds_of_messages_is_exact(n, f, data, shift):
    """Their distances are two numbers, 0 and another, so that scores are multiples of it."""
    x = drawn_hundredths(data, n, 2) + shift
    assert np.max(np.abs(Bulyan(f).aggregate(x) - exact(Bulyan(f), x))) <= rounding(x)


@pytest.mark.parametrize(("n", "f"), SIZES)
@given(data=st.data(), shift=st.sampled_from([0.0, 1.0, 1e3]))
def test_bulyan_of_several_kinds_of_messages_is_exact_up_to_scores_that_rounding_exchanges(n, f, data, shift):
    assert is_possible(Bulyan(f), drawn_hundredths(data, n, 4) + shift)


def test_bulyan_of_a_tenth_and_seven_tenths():
    x = np.array([[0.1]] * 4 + [[0.7]] * 4)
    for shift, expected in ((0.0, 0.25), (1.0, 1.25)):
        assert abs(Bulyan(1).aggregate(x + shift)[0] - expected) <= rounding(x + shift)


def test_bulyan_that_rounds_before_it_compares_is_caught():
    rng = np.random.Generator(np.random.Philox(0))
    caught = 0
    for _ in range(40):
        kinds = rng.integers(-300, 300, (2, 2)) / 100
        x = kinds[rng.permutation([0] * 4 + [1] * 4)]
        assert is_possible(Bulyan(1), x)
        caught += not is_possible(faulty.BulyanAroundTheRoundedMedian(1), x)
    assert caught >= 5


def cost(x, v):
    """Σ ‖x_i − v‖ of messages (n, d), at points (..., d)."""
    return np.sum(np.linalg.norm(x - np.asarray(v)[..., None, :], axis=-1), axis=-1)


def test_where_newton_overshoots_weiszfeld_goes_on():
    """Five corners of a square: no point of a fine grid is better, from wherever the search begins."""
    corners = np.array(list(itertools.product([0.0, 1.0], [-1.0, 0.0])))
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 81), np.linspace(-1, 0, 81)), axis=-1)
    for chosen in itertools.combinations_with_replacement(range(4), 5):
        for order in (chosen, chosen[::-1], chosen[2:] + chosen[:2]):
            x = corners[list(order)]
            assert cost(x, GeometricMedian().aggregate(x)) <= np.min(cost(x, grid)) * (1 + 32 * EPS), order


@pytest.mark.parametrize("beyond", [1e-3, 1e-6, 1e-9])
def test_a_message_a_little_off_is_not_the_geometric_median(beyond):
    """Two unit vectors of a sum a little longer than 1 pull the minimiser off the message between them."""
    angle = math.acos((1 + beyond) / 2)
    side = np.array([math.cos(angle), math.sin(angle)])
    x = np.array([[0.0, 0.0], side, 2 * side * [1, -1]])
    assert certificate(x, x[0]) == pytest.approx(beyond, rel=1e-3)
    assert certificate(x, GeometricMedian().aggregate(x)) <= len(x) * GeometricMedian().tol


@pytest.mark.parametrize("place", range(6))
def test_one_far_message_costs_the_geometric_median_no_digits(place):
    near = drawn(5, 3, seed=4)
    far = np.insert(near, place, 1e12, axis=0)
    direction = GeometricMedian().aggregate(np.vstack([near, near[:1] + 1e6]))  # from afar only the direction counts
    found = GeometricMedian().aggregate(far)
    assert np.max(np.abs(found - GeometricMedian().aggregate(np.vstack([near, far[place]])))) <= 1e-12
    assert np.max(np.abs(found - direction)) <= 1e-4
