"""Rules around a rule: bucketing, nearest-neighbour mixing, clipping."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from kept import keeps_all
from sweeping import sweep

from sims import contracts
from sims.aggregators import (
    ARC,
    RFA,
    Bucketing,
    CenteredClipping,
    Clipping,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    NearestNeighbourMixing,
    Promises,
    Rule,
    TrimmedMean,
)
from sims.attacks import BitFlipping
from sims.backend import to_numpy
from sims.checks.exact_rules import exact_aggregate
from sims.engine import Streams, simulate
from sims.optimizers import SGD, RobustSGD
from sims.problems import Quadratic
from sims.sweep import read

PROBLEM = Quadratic((1.0, 2.0), sigma_sq=1.0)


def drawn(*shape, seed=0):
    return np.random.Generator(np.random.Philox(seed)).normal(size=shape)


INNER = [Krum(1), CenteredClipping(1.0, 2), RFA()]
AROUND = [
    *(Bucketing(rule, size) for rule in INNER for size in (1, 2, 3)),
    *(NearestNeighbourMixing(rule, f) for rule in INNER for f in (0, 1, 4)),
    *(Clipping(rule, radius) for rule in INNER for radius in (0.0, 1.0)),
    *(ARC(rule, f) for rule in INNER for f in (0, 1, 4)),
    Clipping(NearestNeighbourMixing(TrimmedMean(3), 3), 2.0),
    Bucketing(NearestNeighbourMixing(Krum(1), 1), 2),
]


@pytest.mark.parametrize("rule", AROUND, ids=repr)
def test_the_contracts(rule):
    keeps_all(rule, np.random.Generator(np.random.Philox(0)).normal(size=(2, 13, 2)))


@pytest.mark.parametrize("rule", AROUND, ids=repr)
def test_by_another_route_exactly(rule):
    x = drawn(13, 1, seed=3)
    centre = None if isinstance(rule.init(x), tuple) else [Fraction(1, 4)]
    exact = exact_aggregate(rule, [[Fraction(value) for value in row] for row in x], centre)
    assert rule.aggregate(x, None if centre is None else np.array([0.25]))[0] == pytest.approx(
        float(exact[0]), abs=1e-13
    )


# Bucketing


class SumOfSquares(Rule):
    """The sum of squares of what it gets, which tells the buckets apart."""

    @property
    def promises(self):
        return Promises(translation=False, scale=False)

    def breakdown(self, n):
        return 0

    def combine(self, x, state, rng):
        return np.sum(x * x, axis=-2), state


def test_every_pairing_is_equally_likely():
    """Of four workers there are three pairings; 3,000 rounds, each within 4.5 deviations of a third."""
    x = np.array([[1.0], [10.0], [100.0], [1000.0]])
    rounds = 3000
    rng = Streams(1, "rule").runs(0, rounds)
    found = Counter(
        np.round(Bucketing(SumOfSquares()).combine(np.tile(x, (rounds, 1, 1)), (), rng)[0][:, 0], 6).tolist()
    )
    pairings = ((0, 1, 2, 3), (0, 2, 1, 3), (0, 3, 1, 2))
    sums = [((x[a] + x[b])[0] / 2) ** 2 + ((x[c] + x[d])[0] / 2) ** 2 for a, b, c, d in pairings]
    assert sorted(found) == sorted(sums)
    assert all(abs(count - rounds / 3) < 4.5 * (rounds * 2 / 9) ** 0.5 for count in found.values())


def test_the_last_bucket_is_smaller_and_is_a_mean_too():
    x = drawn(7, 2)
    for run in range(5):
        got = Bucketing(Mean(), 3).mix(x[None], Streams(0, "rule").runs(run, 1))[0]
        assert got.shape == (3, 2)
        assert np.allclose(3 * got[0] + 3 * got[1] + got[2], x.sum(axis=0))
        assert np.any(np.all(got[2] == x, axis=1))


def test_a_round_takes_another_order_than_the_one_before_and_a_run_than_another():
    x, rng = np.tile(drawn(12, 1), (3, 1, 1)), Streams(0, "rule").runs(0, 3)
    rule = Bucketing(CoordinateMedian(), 2)
    several = [rule(x, None, rng)[0][:, 0] for _ in range(4)]
    assert len(np.unique(np.stack(several))) > 8


def test_runs_and_chunks_change_no_number():
    algorithm = RobustSGD(Bucketing(CenteredClipping(1.0)), SGD(0.1))
    settings = {"n": 10, "f": 2, "steps": 6, "seed": 3, "attack": BitFlipping(), "x0": 1.0}
    whole = simulate(PROBLEM, algorithm, runs=3, **settings).x
    assert np.array_equal(whole, simulate(PROBLEM, algorithm, runs=3, chunk=2, **settings).x)
    assert np.array_equal(whole[1:2], simulate(PROBLEM, algorithm, runs=1, first_run=1, **settings).x)


@pytest.mark.parametrize("make_array", ["array-api-strict", "torch"], indirect=True)
@pytest.mark.parametrize("rule", [Bucketing(Krum(1), 2), Clipping(Bucketing(CoordinateMedian(), 3), 1.0)], ids=repr)
def test_another_library_takes_the_same_order(make_array, rule):
    x = drawn(2, 11, 3)
    expected = rule(x, None, Streams(4, "rule").runs(0, 2))[0]
    got = to_numpy(rule(make_array(x), None, Streams(4, "rule").runs(0, 2))[0])
    assert np.allclose(got, expected, rtol=1e-13)


def test_without_a_stream_it_is_a_function_of_the_set():
    x = np.array([[2.0, 1.0], [0.0, np.nan], [0.0, 7.0], [2.0, 0.0]])
    assert np.array_equal(Bucketing(Mean(), 2).mix(x, None), [[0.0, np.nan], [2.0, 0.5]], equal_nan=True)
    assert np.array_equal(Bucketing(Mean(), 2).mix(x[::-1], None), [[0.0, np.nan], [2.0, 0.5]], equal_nan=True)


def test_as_many_bad_messages_as_buckets_that_the_rule_bears():
    assert [Bucketing(CoordinateMedian(), 2).breakdown(n) for n in (4, 5, 10, 11)] == [0, 1, 2, 2]
    x = drawn(10, 1)
    x[:2] = 1e9
    rng = Streams(0, "rule").runs(0, 50)
    assert np.all(np.abs(Bucketing(CoordinateMedian(), 2)(np.tile(x, (50, 1, 1)), None, rng)[0]) < 10)
    x[2] = 1e9  # one more: some order puts each into a bucket of its own
    assert np.any(
        np.abs(Bucketing(CoordinateMedian(), 2)(np.tile(x, (200, 1, 1)), None, Streams(0, "r").runs(0, 200))[0]) > 10
    )


# Nearest-neighbour mixing


def test_mixing_by_hand():
    x = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0], [50.0, 0.0]])
    mixed = NearestNeighbourMixing(Mean(), 1).mix(x, None)
    near, far = np.array([1 / 3, 1.0]), np.array([17.0, 0.0])
    assert np.allclose(mixed, [near, near, near, far])


def test_a_message_at_infinity_spoils_its_own_mean_alone():
    x = drawn(7, 3)
    x[2, 1], x[5] = np.nan, np.inf
    mixed = NearestNeighbourMixing(CoordinateMedian(), 2).mix(x, None)
    assert np.isnan(mixed).all(axis=1).tolist() == [i in (2, 5) for i in range(7)]
    assert np.allclose(mixed[[0, 1, 3, 4, 6]], x[[0, 1, 3, 4, 6]].mean(axis=0))


# Clipping


def test_clipping_by_hand():
    x = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0], [np.inf, 1.0]])
    with np.errstate(all="ignore"):  # as in a call
        found = Clipping(Mean(), 1.0).mix(x, None)
    assert np.allclose(found, [[0.6, 0.8], [0.3, 0.4], [0.0, 0.0], [0.0, 0.0]])
    assert np.array_equal(Clipping(CoordinateMedian(), np.inf).aggregate(x), CoordinateMedian().aggregate(x))


def test_the_adaptive_radius_is_the_longest_of_those_that_stay():
    x = np.array([[1.0], [-2.0], [3.0], [-40.0], [np.nan], [5.0], [6.0], [7.0]])
    # n = 8, f = 2: the 3 longest, −40, NaN and 7, get the length of 6
    with np.errstate(all="ignore"):  # as in a call
        found = ARC(Mean(), 2).mix(x, None)
    assert found[:, 0].tolist() == [1.0, -2.0, 3.0, -6.0, 0.0, 5.0, 6.0, 6.0]


def test_what_all_send_is_clipped_and_says_so():
    rule = Clipping(Mean(), 1.0)
    assert not rule.promises.agreement
    with pytest.raises(AssertionError, match="agreement"):
        contracts.check_agreement(rule, np.full((1, 3, 1), 2.0))


# Sweeps


def test_a_sweep_writes_it_as_it_is_built(tmp_path):
    found = read(
        sweep(
            tmp_path,
            [
                'name = "Bucketing(CenteredClipping)"\nsize = [2, 5]\ntau = [10, 0.5]',
                'name = ["Bucketing(TrimmedMean)", "NearestNeighbourMixing(CoordinateMedian)"]',
            ],
        )
    )
    rules = [repr(cell.rule) for cell in found.cells]
    assert rules[:2] == [f"Bucketing(rule=CenteredClipping(tau={tau}, steps=1), size=2)" for tau in (10.0, 0.5)]
    assert len(rules) == 6
    assert found.cells[4].settings["rule.f"] == 1
    assert found.cells[4].settings["rule.size"] == 2
    assert len({cell.key(0) for cell in found.cells}) == 6
    assert {"rule", "rule.size", "rule.tau"} <= set(found.axes)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Bucketing(Mean(), 0), "Bucketing needs size ≥ 1, got size = 0"),
        (lambda: Bucketing(np.mean), "Bucketing needs a sims Rule, got rule = "),
        (lambda: Bucketing(Krum(2), 2).aggregate(np.zeros((10, 1))), "Krum needs n ≥ 2f \\+ 3, got n = 5, f = 2"),
        (lambda: NearestNeighbourMixing(Mean(), -1), "NearestNeighbourMixing needs f ≥ 0, got f = -1"),
        (
            lambda: NearestNeighbourMixing(GeometricMedian(), 2).aggregate(np.zeros((4, 1))),
            "NearestNeighbourMixing needs n ≥ 2f \\+ 1, got n = 4, f = 2",
        ),
        (lambda: ARC(Mean(), 2).aggregate(np.zeros((4, 1))), "ARC needs n ≥ 2f \\+ 1, got n = 4, f = 2"),
        (lambda: Clipping(Mean(), -1.0), "Clipping needs radius ≥ 0, got radius = -1.0"),
    ],
)
def test_what_cannot_be_is_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
