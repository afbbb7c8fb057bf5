"""Counterexample 3: moments by quadrature, medians by the gamma formula and samples, Krum's limit by minimisation."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from perform import check_statement, results, verdicts, well_formed
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from sims.aggregators import CoordinateMedian, Krum
from sims.checks.confidence import bounded_mean
from sims.checks.evidence import claim_verdict
from theory.claim import Context
from theory.counterexample_3_heavy_tail import (
    STATEMENT,
    expected_median,
    expected_median_by_quadrature,
    krum_growing_f,
    krum_limit,
    krum_limit_by_minimising,
    krum_vanishing_f,
    medians,
    moments,
    near_its_limit,
)

STEM = STATEMENT.stem


def context(budget="quick"):
    return Context(STEM, "test", budget)


def test_the_statement_is_well_formed():
    well_formed(STATEMENT)


def test_the_verdicts_at_the_quick_budget():
    found = verdicts(STEM)
    sampled = {name: found.pop(name) for name in ("krum_sampled", "krum_without_f_sampled")}
    assert found == {
        "moments": "holds",
        "medians": "holds",
        "krum_any_f": "refuted",
        "krum_growing_f": "holds",
        "krum_vanishing_f": "holds",
        "identities": "holds",
    }
    assert set(sampled.values()) <= {"supported", "undecided"}


def test_the_print_lacks_a_hypothesis_on_f_and_the_correction_is_proved_for_both_kinds_of_f():
    result = results(STEM)
    assert result.stand("printed") == (3, 4)
    assert STATEMENT.fault is not None
    assert STATEMENT.fault.severity == "hypothesis"
    assert {"krum_growing_f", "krum_vanishing_f"} < {claim.name for claim in STATEMENT.parts("corrected")}
    assert result.side("corrected") == "proved"


def test_every_control_is_caught():
    check_statement(results(STEM))


def test_the_moments_by_quadrature():
    """∫ x^k·3x^{-4} dx, a route without the closed form of any moment."""
    mass, first, second = (quad(lambda x, k=k: 3 * x ** (k - 4), 1, math.inf)[0] for k in range(3))
    below = quad(lambda x: 3 * x**-4, 1, 2 ** (1 / 3))[0]
    found = [float(item.measured) for item in moments(context())]
    assert mass == pytest.approx(1, abs=1e-9)
    assert found == pytest.approx([first, second - first**2, below], abs=1e-7)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 10, 25, 50, 101, 1000, 1001])
def test_the_expected_median_by_the_gamma_formula(n):
    """E X_{(j:n)} = Γ(n+1)Γ(n−j+2/3)/(Γ(n−j+1)Γ(n+2/3)); for even n the average of two."""
    middle = {(n + 1) // 2, n // 2 + 1}

    def moment(j):
        return math.exp(gammaln(n + 1) + gammaln(n - j + 2 / 3) - gammaln(n - j + 1) - gammaln(n + 2 / 3))

    assert float(expected_median(n)) == pytest.approx(np.mean([moment(j) for j in middle]), rel=1e-10)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 9])
def test_the_expected_median_by_the_density_of_order_statistics(n):
    """∫ x·n!/((j−1)!(n−j)!) F^{j−1}(1−F)^{n−j} p dx over x itself, also for even n, averaged over both middle ones."""

    def moment(j):
        ways = math.factorial(n) / math.factorial(j - 1) / math.factorial(n - j)
        return quad(lambda x: x * ways * (1 - x**-3) ** (j - 1) * x ** (-3 * (n - j)) * 3 * x**-4, 1, math.inf)[0]

    both = [moment((n + 1) // 2), moment(n // 2 + 1)]
    assert float(expected_median(n)) == pytest.approx(np.mean(both), abs=1e-7)
    if n % 2:
        value, error = expected_median_by_quadrature(n)
        assert abs(value - float(expected_median(n))) <= error


def test_the_median_of_samples_lies_in_the_interval_for_its_truncated_mean():
    """min(median of 5, 10): the cut takes at most ∫_10^∞ P(median > x) dx ≤ 10·10^{-8}/8 of the expectation."""
    u = np.random.Generator(np.random.Philox(3)).random((40_000, 5, 1))
    median = CoordinateMedian().aggregate((1 - u) ** (-1 / 3))[:, 0]
    mean, half = bounded_mean(np.minimum(median, 10.0), 1.0, 10.0, 1e-9)
    assert half < 0.05  # far less than the bias of 0.19
    assert abs(mean - float(expected_median(5))) <= half + 1e-6


def test_the_medians_decrease_to_the_population_median():
    """The ratio of neighbours is below 1 and the numbers stay above 2^{1/3}: the link that `covers` names."""
    values = [expected_median(n) for n in range(1, 400, 2)]
    assert all(b < a for a, b in itertools.pairwise(values))
    assert all(expected_median(n) == expected_median(n - 1) for n in range(2, 60, 2))
    assert values[-1] ** 3 > 2
    assert float(expected_median(4001)) == pytest.approx(2 ** (1 / 3), abs=3e-4)
    item = next(iter(medians(context())))
    assert item.measured == item.claimed == Fraction(3, 2) - Fraction(27, 20)


def window_cost(x, phi):
    """J(x) = ∫_W (y − x)² dF over the interval W around x of mass 1 − φ, without its closed form."""

    def mass(r):
        return (max(x - r, 1.0)) ** -3 - (x + r) ** -3

    low, high = 0.0, 1.0
    while mass(high) < 1 - phi:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if mass(middle) < 1 - phi else (low, middle)
    return quad(lambda y: (y - x) ** 2 * 3 * y**-4, max(x - high, 1.0), x + high, limit=200)[0]


@pytest.mark.parametrize("phi", [0.02, 0.1, 0.2, 1 / 3, 0.49, 0.8])
def test_krums_limit_minimises_the_population_cost(phi):
    grid = np.linspace(1.0, 3.0, 81)
    costs = [window_cost(x, phi) for x in grid]
    i = int(np.argmin(costs))
    found = minimize_scalar(
        window_cost, args=(phi,), bounds=(grid[max(i - 1, 0)], grid[i + 1]), method="bounded", options={"xatol": 1e-9}
    )
    assert found.x == pytest.approx(krum_limit(phi), abs=1e-5)


@pytest.mark.parametrize("phi", [0.0, 0.02, 0.2, 0.49])
def test_the_checks_minimiser_is_near_the_minimiser_of_the_cost_in_x(phi):
    """The formula, and the cost with the square written out: both routes of the check's numbers."""
    place, error = krum_limit_by_minimising(phi)
    assert abs(place - krum_limit(phi)) <= error / 10
    if phi:
        costs = [window_cost(place + step, phi) for step in (-0.02, 0.0, 0.02)]
        assert costs[1] == min(costs)


def test_krums_limit_is_the_mean_below_the_quantile():
    """E[X | X ≤ u], P(X > u) = φ, by quadrature; and its closed form in s = φ^{1/3} that the bound is made of."""
    for phi in (0.01, 0.25, 0.6):
        u = phi ** (-1 / 3)
        mean = quad(lambda x: 3 * x**-3, 1, u)[0] / (1 - phi)
        s = phi ** (1 / 3)
        assert krum_limit(phi) == pytest.approx(mean, abs=1e-9)
        assert 1.5 * (1 + s) / (1 + s + s * s) == pytest.approx(mean, abs=1e-9)
        assert krum_limit(phi) <= 1.5 / (1 + s * s / 2)
    s = np.polynomial.Polynomial([0, 1])
    gap = (1 + s + s**2) - (1 + s) * (1 + s**2 / 2) - s**2 * (1 - s) / 2  # the identity that `covers` names
    assert not np.any(gap.coef)
    assert claim_verdict(krum_growing_f(context())) == "holds"


def test_krums_bias_vanishes_with_f_over_n():
    """1 − (1 + s)/(1 + s + s²) = s²/(1 + s + s²) as polynomials, and the limit beside 3/2 by quadrature alone."""
    s = np.polynomial.Polynomial([0, 1])
    assert not np.any(((1 + s + s**2) - (1 + s) - s**2).coef)
    for phi in (1e-9, 1e-6, 1e-3, 0.1, 0.9):
        u = phi ** (-1 / 3)
        below = quad(lambda x: 3 * x**-3, 1, u)[0] / (1 - phi)
        assert 0 < 1.5 - below <= 1.5 * phi ** (2 / 3)
    place, bias = krum_vanishing_f(context())
    assert place.at["phi"] == 0
    assert bias.measured == 1 / (1 + Fraction(1, 64) + Fraction(1, 64) ** 2)  # largest at the smallest φ of the grid


def test_krum_without_byzantine_workers_tends_to_the_mean_also_when_f_grows_slowly():
    """f = √n: f grows, f/n does not, and the optimum is found; f = n/5 misses it. The runs are few, the gap wide."""
    n = 900
    u = np.random.Generator(np.random.Philox(4)).random((6, n, 1))
    x = (1 - u) ** (-1 / 3)
    slow, fast = np.median(Krum(30).aggregate(x)), np.median(Krum(n // 5).aggregate(x))
    assert abs(slow - 1.5) < abs(slow - krum_limit(0.2))
    assert abs(fast - krum_limit(0.2)) < abs(fast - 1.5)


@pytest.mark.parametrize(("n", "f", "phi"), [(160, 32, 0.2), (320, 0, 0.0)])
def test_krum_lies_near_its_limit_by_a_plain_loop(n, f, phi):
    """The check's own frequency within the Clopper–Pearson interval that it reports, Krum written out anew."""
    item = next(iter(near_its_limit(context(), n=n, f=f, phi=phi)))
    rng = np.random.Generator(np.random.Philox(99))
    radius, runs, near = (1.5 - krum_limit(0.2)) / 2, 60, 0
    for _ in range(runs):
        x = np.sort((1 - rng.random(n)) ** (-1 / 3))
        scores = [np.sum(np.sort((x - y) ** 2)[1 : n - f - 1]) for y in x]
        near += abs(x[int(np.argmin(scores))] - krum_limit(phi)) <= radius
    # both are frequencies of one probability: Hoeffding at 1e-9 for each
    slack = math.sqrt(math.log(2e9) / (2 * runs))
    assert abs(near / runs - item.measured) <= item.error + slack
    assert near / runs > 0.6
