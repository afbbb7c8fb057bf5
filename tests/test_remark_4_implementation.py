"""Remark 4 by other routes: logarithmic slopes at large n, plain loops, hand-made examples."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from perform import check_claims, results

from sims.aggregators import RFA, Bulyan, CenteredClipping, CoordinateMedian, Krum, Mean, MultiKrum, TrimmedMean
from sims.checks.counting import count
from sims.checks.exact_rules import exact_aggregate
from theory.remark_4_implementation import STATEMENT
from theory.remark_4_implementation.incremental_bulyan import incremental_bulyan
from theory.remark_4_implementation.statement import whole
from theory.remark_4_implementation.worker_sums import NOT_SUMS, clip, exactly, mixed_difference

F = Fraction
VERDICTS: dict[str, str] = {}


def test_verdicts_and_controls():
    check_claims(STATEMENT, VERDICTS)


def test_the_printed_remark_stands_and_holds_no_rule_that_is_not_printed():
    result = results(STATEMENT.stem)
    printed = STATEMENT.parts("printed")
    assert result.stand("printed") == (6, 6)
    assert STATEMENT.fault is None
    counted = {e.at["rule"] for claim in printed for e in result.of(claim).evidence if "operations of" in e.what}
    assert counted == {"CC, one step", "coordinate-wise median", "Krum"}
    assert result.side("corrected") == "proved"


@pytest.mark.parametrize(
    ("make", "low", "high"),
    [
        (lambda f: Mean(), 1.0, 1.0),
        (lambda f: CenteredClipping(1.0, 3), 0.99, 1.01),
        (lambda f: RFA(), 0.99, 1.01),
        (lambda f: CoordinateMedian(), 1.0, 1.2),  # n log n
        (TrimmedMean, 1.0, 1.2),
        (Krum, 1.95, 2.2),
        (MultiKrum, 1.95, 2.2),
        (Bulyan, 2.85, 3.3),
    ],
)
def test_growth_by_logarithmic_slopes(make, low, high):
    small, large = (count(make(n // 5), whole(n, 3)).total for n in (64, 128))
    assert low - 1e-12 <= math.log2(large / small) <= high
    narrow, wide = (count(make(3), whole(15, d)).total for d in (2000, 4000))
    assert 0.98 < math.log2(wide / narrow) <= 1.0


@pytest.mark.parametrize(("n", "f"), [(3, 0), (7, 1), (9, 1), (11, 2), (12, 2), (19, 4)])
def test_incremental_bulyan_against_the_definition(n, f):
    rng = np.random.default_rng(n)
    for most in (3, 50, 10**6):  # many ties, some, hardly any
        for _ in range(6):
            x = rng.integers(0, most, (n, 2)).astype(float)
            expected = [float(y) for y in exact_aggregate(Bulyan(f), [[F(value) for value in row] for row in x])]
            assert np.allclose(incremental_bulyan(x, f)[0], expected, rtol=1e-12, atol=1e-12)


def test_windows_move_little():
    """Everything but distances and sorts costs at most 6n² operations."""
    for n in (25, 65, 125):
        x = whole(n, 1)
        price = incremental_bulyan(x, n // 5)[1]
        assert price - 3 * n * (n - 1) // 2 - n * n * math.ceil(math.log2(n)) <= 6 * n * n


def test_whole_messages_are_distinct():
    x = whole(25, 4)
    assert len(np.unique(x)) == 100
    assert np.array_equal(x, np.floor(x))


def test_one_step_by_its_terms():
    rng = np.random.default_rng(0)
    x, v = rng.standard_normal((6, 3)) * 3, rng.standard_normal(3)
    terms = [(row - v) * min(1.0, 1.5 / math.dist(row, v)) for row in x]
    output = CenteredClipping(1.5).aggregate(x, state=v)
    for part in range(7):  # two servers, each with its own workers
        assert np.allclose(v + (sum(terms[:part], np.zeros(3)) + sum(terms[part:], np.zeros(3))) / 6, output)


def test_no_mixed_difference_of_one_step_in_three_dimensions():
    rng = np.random.default_rng(1)
    for steps, small in ((1, True), (2, False)):
        rule, worst = CenteredClipping(1.0, steps), 0.0
        for _ in range(20):
            x, v, moved = rng.standard_normal((5, 3)) * 2, rng.standard_normal(3), rng.standard_normal((2, 3))
            at = {}
            for a, b in itertools.product((0, 1), repeat=2):
                y = x.copy()
                y[0] += a * moved[0]
                y[1] += b * moved[1]
                at[a, b] = rule.aggregate(y, state=v)
            worst = max(worst, np.max(np.abs(at[1, 1] - at[1, 0] - at[0, 1] + at[0, 0])))
        assert (worst < 1e-14) == small


def test_mixed_differences_by_hand():
    median = exactly(CoordinateMedian())
    assert mixed_difference(median, [F(0)] * 5, F(0)) == 0  # two of five move to different sides
    assert mixed_difference(median, [F(0), F(0), F(3)], F(0)) == 2  # 0 → 2 and 3 → 0: 0 − 2 − 0 + 0
    assert mixed_difference(exactly(Mean()), [F(0), F(5), F(3)], F(0)) == 0
    product = lambda x, v: x[0] * x[1]  # noqa: E731
    assert mixed_difference(product, [F(0), F(0)], F(0)) == 6


def test_every_rule_but_the_mean_and_one_step_is_named():
    assert {type(rule).__name__ for rule in NOT_SUMS.values()} == {
        "CenteredClipping",
        "CoordinateMedian",
        "GeometricMedian",
        "RFA",
        "TrimmedMean",
        "Krum",
        "MultiKrum",
        "Bulyan",
    }


def test_clip():
    assert [clip(F(x, 2)) for x in (-5, -1, 0, 1, 2, 3)] == [-1, F(-1, 2), 0, F(1, 2), 1, 1]
