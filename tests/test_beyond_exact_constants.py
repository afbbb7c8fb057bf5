"""κ* by other routes: floating point in the plane, attackers that know no symmetry, and the rules as they run."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from perform import check_claims
from scipy.optimize import differential_evolution

from sims.aggregators import (
    ARC,
    RFA,
    Bucketing,
    Bulyan,
    CenteredClipping,
    Clipping,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    MoNNA,
    MultiKrum,
    NearestNeighbourMixing,
    TrimmedMean,
)
from theory.beyond_exact_constants import STATEMENT, formulas
from theory.beyond_exact_constants.known import constants_of, name_of
from theory.beyond_exact_constants.krum import certified, error_ratio
from theory.beyond_exact_constants.programme import Solved, positive, programme, solve
from theory.beyond_exact_constants.proved import Known, proved
from theory.beyond_exact_constants.search import search

EXPECTED = {"krum_searched": "supported", "found_again": "supported"}


def test_verdicts_and_controls():
    check_claims(STATEMENT, EXPECTED)
    assert {part.name for part in STATEMENT.parts("corrected")}.isdisjoint(EXPECTED)


def ratio(output, honest):
    mean = honest.mean(axis=0)
    return np.sum((output - mean) ** 2) / np.mean(np.sum((honest - mean) ** 2, axis=1))


def subsets(x, f):
    return (x[list(some)] for some in itertools.combinations(range(len(x)), len(x) - f))


def nearest(x, to, f):
    return np.stack([np.sort(c[np.argsort(abs(c - t))[: len(x) - f]]).mean() for c, t in zip(x.T, to, strict=True)])


IN_THE_PLANE = {
    "MDA": (
        formulas.minimum_diameter,
        lambda x, f: min(subsets(x, f), key=lambda s: np.max(np.sum((s[:, None] - s) ** 2, -1))).mean(axis=0),
    ),
    "SMEA": (
        formulas.minimum_variance,
        lambda x, f: min(subsets(x, f), key=lambda s: np.linalg.eigvalsh(np.cov(s.T))[-1]).mean(axis=0),
    ),
    "Meamed": (formulas.mean_around_median, lambda x, f: nearest(x, np.median(x, axis=0), f)),
    "Phocas": (
        formulas.mean_around_trimmed_mean,
        lambda x, f: nearest(x, np.sort(x, axis=0)[f : len(x) - f].mean(axis=0), f),
    ),
    "MoNNA": (
        formulas.mean_around_pivot,
        lambda x, f: x[np.argsort(np.sum((x - x[0]) ** 2, axis=1))[: len(x) - f]].mean(axis=0),
    ),
}


@pytest.mark.parametrize("name", IN_THE_PLANE)
@pytest.mark.parametrize(("n", "f"), [(4, 1), (5, 2), (6, 1)])
def test_an_attacker_in_the_plane_comes_near_the_formula_and_not_beyond(name, n, f):
    formula, rule = IN_THE_PLANE[name]

    def minus(z):
        x = z.reshape(n, 2)
        return -ratio(rule(x, f), x[: n - f])

    found = differential_evolution(minus, [(-3.0, 3.0)] * (2 * n), maxiter=60, popsize=4, rng=n, polish=False)
    assert 0.5 * formula(n, f) < -found.fun <= float(formula(n, f)) * (1 + 1e-9)


@pytest.mark.parametrize(("n", "f", "neighbours"), [(5, 1, 2), (5, 1, 3), (7, 2, 3)])
def test_an_attacker_of_krum_who_knows_no_symmetry(n, f, neighbours):
    """Any honest messages of three dimensions, the Byzantine ones together: near what is certified, not beyond."""
    g = n - f

    def minus(z):
        x = z.reshape(g + 1, 3)[[*range(g), *[g] * f]]
        squares = np.sum((x[:, None] - x) ** 2, axis=-1)
        scores = np.sort(squares, axis=1)[:, 1 : neighbours + 1].sum(axis=1)
        return -ratio(x[np.argmin(scores)], x[:g])

    bounds = [(-2.0, 2.0)] * (3 * (g + 1))
    found = differential_evolution(minus, bounds, maxiter=120, popsize=4, rng=1, polish=False, tol=0)
    known = certified(n, f, neighbours)
    assert known.lower / 2 < -found.fun <= float(known.upper)


@pytest.mark.parametrize(("n", "f", "F", "variant"), [(5, 1, 1, "paper"), (7, 1, 2, "byzfl"), (25, 1, 1, "paper")])
def test_krum_as_it_runs_chooses_the_certified_message(n, f, F, variant):
    found = certified(n, f, n - F - {"paper": 2, "byzfl": 1}[variant])
    x = np.array([[float(value) for value in row] for row in found.rows])
    y = Krum(F, variant).aggregate(x)
    assert ratio(y, x[: found.honest]) == pytest.approx(float(found.upper), rel=1e-5)
    assert found.honest == n - f
    assert found.lower <= found.upper


def test_krum_where_an_honest_message_is_the_worst_choice():
    """n = 25, f = 1: with the Byzantine message beside an honest one that one is farther from x̄ than any other z."""
    byzantine, honest = (solve(programme(25, 1, 22, *kind)) for kind in ((False, 0), (True, 1)))
    assert byzantine.kappa < 0.995 * honest.kappa
    assert float(certified(25, 1, 22).upper) == pytest.approx(honest.kappa, rel=1e-5)


def test_squares_that_are_known():
    """(n/(n − 2f))² for ByzFL's neighbours for few attackers, and 25/6: by hand, from the solutions' shapes."""
    for n, f in ((5, 1), (7, 1), (7, 2)):
        assert float(certified(n, f, n - f - 1).upper) == pytest.approx((n / (n - 2 * f)) ** 2, rel=1e-5)
    assert float(certified(5, 1, 2).upper) == pytest.approx(25 / 6, rel=1e-5)


def test_a_proof_with_other_numbers_is_none():
    problem = programme(7, 2, 3, False, 1)
    assert problem is not None
    found = solve(problem)
    assert found is not None
    upper = Fraction(found.kappa) * (1 + Fraction(1, 10**6))
    assert found.proves(problem, upper)
    assert not found.proves(problem, upper * Fraction(999, 1000))
    for factor in (0.9, 1.1):
        other = Solved(found.kappa, factor * found.multipliers, found.gram, found.widths)
        assert not other.proves(problem, upper)
    no_width = replace(problem, distances=problem.distances * np.array([1] * 6 + [1000] * 3))
    assert not found.proves(no_width, upper)
    assert not positive(np.array([[Fraction(1), Fraction(2)], [Fraction(2), Fraction(3)]], dtype=object))


@pytest.mark.parametrize(("n", "f", "F"), [(7, 0, 1), (7, 1, 1), (9, 1, 2), (12, 2, 2), (25, 3, 5)])
def test_both_sides_are_in_order_and_the_search_is_between(n, f, F):
    rules = [
        TrimmedMean(F),
        CoordinateMedian(),
        Krum(F),
        Krum(F, "byzfl"),
        MultiKrum(F),
        NearestNeighbourMixing(TrimmedMean(F), F),
        ARC(TrimmedMean(F), F),
        ARC(CoordinateMedian(), F),
    ]
    for rule in rules:
        known = proved(rule, n, f)
        assert known is not None
        assert formulas.least(n, f, f) <= known.lower <= known.upper < math.inf
        found = search(rule, n, f, seed=n, budget=1500)
        assert found.value <= known.upper * (1 + Fraction(1, 10**9))
        if found.exact is not None:
            rows = [[Fraction(float(value)) for value in row] for row in found.messages]
            assert error_ratio([Fraction(float(v)) for v in rule.aggregate(found.messages)], rows[: n - f]) == (
                pytest.approx(float(found.exact), rel=1e-6)
            )


@pytest.mark.parametrize(
    ("rule", "f"),
    [
        (Mean(), 1),
        (TrimmedMean(1), 2),
        (RFA(), 1),
        (Clipping(TrimmedMean(1), 1.0), 1),
        (CenteredClipping(1.0), 1),
        (ARC(Mean(), 1), 1),
    ],
)
def test_what_is_not_robust_has_none(rule, f):
    known = constants_of(rule, 7, f)
    assert known.kappa.lower == math.inf
    assert known.kappa.exact
    assert math.isnan(known.kappa.times_least)


def test_constants_of_rules_of_somebody_s_own():
    def middle(x):
        return np.median(x, axis=0)

    found = constants_of(middle, 5, 1, budget=2000)
    assert found.kappa.lower == pytest.approx(1, rel=1e-6)
    assert (found.name, found.kappa.upper, found.kappa.lower_by, found.declared) == ("middle", None, "searched", 1)
    assert found.c.lower == pytest.approx(5 / 4, rel=1e-6)
    again = constants_of(middle, 5, 1, budget=2000)
    assert again.kappa == found.kappa
    assert np.array_equal(again.messages, found.messages)
    assert ratio(middle(found.messages), found.messages[:4]) == pytest.approx(1, rel=1e-6)


def test_constants_in_torch():
    pytest.importorskip("torch")
    here = constants_of(Bulyan(1), 7, 1, budget=800)
    there = constants_of(Bulyan(1), 7, 1, budget=800, backend="torch")
    assert there.kappa.lower == pytest.approx(float(here.kappa.lower), rel=1e-9)


def test_a_rule_that_draws_is_judged_by_its_mean():
    """Pairs at random of three honest 0, two honest 1 and one Byzantine: never as bad as one draw of the worst."""
    found = constants_of(Bucketing(CoordinateMedian()), 6, 1, budget=800)
    one = search(Bucketing(CoordinateMedian()), 6, 1, budget=800)
    assert formulas.least(6, 1, 1) <= found.kappa.lower < 2
    assert one.exact is None


def test_declared_and_published():
    found = constants_of(CoordinateMedian(), 25, 5)
    assert (found.declared, found.kappa.lower, found.least_declared) == (12, Fraction(3, 2), Fraction(3, 2))
    assert found.loose == pytest.approx(64 / 9 / 1.5)
    assert found.kappa.times_least == pytest.approx(4.5)
    assert constants_of(TrimmedMean(2), 7, 1).published is None
    assert math.isnan(constants_of(TrimmedMean(2), 7, 1).loose)
    assert constants_of(TrimmedMean(0), 7, 0).c is None
    assert name_of(ARC(Krum(1, "byzfl"), 1)) == "ARC(Krum (byzfl))"
    assert not Known(Fraction(1), "proved").exact


@pytest.mark.parametrize(
    ("n", "f", "sentence"),
    [(4, 2, "f < n/2, got n = 4, f = 2"), (2, 0, "n"), (5, -1, "f"), (4, 1, "Krum needs n ≥ 2f")],
)
def test_refusals(n, f, sentence):
    with pytest.raises(ValueError, match=sentence):
        constants_of(Krum(1), n, f)


def test_larger_sizes_have_the_formula_alone():
    found = proved(Krum(10), 101, 10)
    assert found is not None
    assert (found.lower, found.upper_by) == (formulas.least(101, 10, 10), "proved")
    assert certified(25, 5, 18).upper < formulas.krum_at_most(25, 5, 18)


def test_mixing_that_was_told_more():
    """n = 7, f = 1, F = 2: (2 + 6/5)²/(2·4), which the search finds by itself."""
    assert formulas.mixing_at_least(7, 1, 2) == Fraction(32, 25)
    found = search(NearestNeighbourMixing(TrimmedMean(2), 2), 7, 1, budget=4000, spread=False)
    assert found.value >= 0.99 * 1.28


def test_a_trusted_worker_who_is_told_more():
    """It need not be among those drawn of the honest, so that what follows from κ*(F, F) says nothing of it."""
    for n, f, F in ((5, 1, 1), (5, 1, 2), (7, 2, 3), (8, 0, 3), (9, 2, 4)):
        g, m = n - f, n - F
        w, far = Fraction(1, m) - Fraction(1, g), -Fraction(1, g) - Fraction(f, m * F)
        pivot = w + Fraction(2 * f, m)
        x = [pivot, *[w] * (m - f - 1), *[far] * F, *[2 * pivot - far - Fraction(1, 10**9)] * f]
        rows = [[value] for value in x]
        attained = error_ratio(MoNNA(F).exact(rows), rows[:g])
        assert float(attained) == pytest.approx(float(proved(MoNNA(F), n, f).upper), rel=1e-6)
        found = search(MoNNA(F), n, f, budget=3000, spread=False).value
        assert found <= formulas.mean_around_pivot(n, f, F) * (1 + Fraction(1, 10**6))
    mixed = NearestNeighbourMixing(MoNNA(2), 2)
    assert proved(mixed, 7, 2).upper is not None
    assert proved(mixed, 7, 1).upper is None


def test_clipping_to_nothing_is_the_mean():
    assert proved(CenteredClipping(tau=math.inf), 5, 0).upper == 0
    assert math.isinf(proved(CenteredClipping(tau=math.inf), 5, 1).lower)
    assert math.isinf(proved(CenteredClipping(tau=1.0), 5, 0).lower)
    assert proved(CenteredClipping(tau=(math.inf, 1.0), steps=2), 5, 0) is None


def test_shortening_in_few_dimensions_by_hand():
    """n = 3, f = 1: one honest message on the sphere, the other ½ along it and 1 beyond: (½ + ½)²/(¼ + ¼) = 2."""
    outwards, along = np.array([1.0, 1.0]) / 2**0.5, np.array([1.0, -1.0]) / 2**0.5
    x = 1e4 * outwards + np.stack([outwards + along / 2, -along / 2, -20 * outwards])
    assert ratio(ARC(TrimmedMean(1), 1).aggregate(x), x[:2]) == pytest.approx(2, rel=1e-3)
    assert proved(ARC(TrimmedMean(1), 1), 3, 1).upper == 2
    line = search(ARC(TrimmedMean(1), 1), 3, 1, budget=2000, spread=False)
    assert line.value == pytest.approx(1, rel=1e-3)  # on the line shortening costs nothing


def test_the_median_of_directions():
    """⌊n/2⌋ honest messages at a distance: over random ones in three dimensions no more than the formula."""
    two = np.array([[1, 1e-3], [1, -1e-3], [0, 0], [0, 0]])
    assert ratio(GeometricMedian().aggregate(two), two[:3]) == pytest.approx(
        float(formulas.geometric_median(4, 1)), rel=1e-3
    )
    rng = np.random.default_rng(0)
    for n, f in ((5, 1), (8, 2), (9, 4)):
        x = rng.normal(size=(300, n, 3)) * rng.choice([0.01, 1.0, 3.0], (300, n, 1))
        y = GeometricMedian().aggregate(x)
        worst = max(ratio(out, rows[: n - f]) for out, rows in zip(y, x, strict=True))
        assert worst <= float(formulas.geometric_median(n, f))
