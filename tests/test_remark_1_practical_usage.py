"""Remark 1 by other routes: all outcomes one by one, SciPy's laws, quadrature and closed forms."""

import itertools
import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats
from perform import check_claims, results

from sims.aggregators import CoordinateMedian, Krum, Mean
from sims.checks.exact_rules import exact_aggregate
from theory.claim import Context
from theory.remark_1_practical_usage import STATEMENT
from theory.remark_1_practical_usage.bernoulli import expected_median
from theory.remark_1_practical_usage.heavy_tail import heavy_tail_caution, pareto_bias
from theory.remark_1_practical_usage.krum import batch_moments, most_changes
from theory.remark_1_practical_usage.statement import variance

F = Fraction
QUARTER = F(1, 4)
VERDICTS = {
    "caution": "holds",
    "heavy_tail_caution": "holds",
    "large_batches": "holds",
    "bias_remains": "supported",
    "heavy_tail_falls": "supported",
    "heavy_tail_slow": "supported",
    "symmetric_unbiased": "holds",
    "identities": "holds",
    "variance": "supported",
    "krum_large_batches": "holds",
    "krum_bias_falls": "supported",
    "krum_of_three": "supported",
    "krum_is_noisy": "supported",
}


def test_verdicts_and_controls():
    check_claims(STATEMENT, VERDICTS)


def test_the_advice_stands_in_all_its_parts():
    result = results(STATEMENT.stem)
    parts = [claim.name for claim in STATEMENT.parts("printed")]
    assert parts == ["caution", "heavy_tail_caution", "large_batches", "krum_large_batches"]
    assert result.stand("printed") == (4, 4)
    assert result.side("printed") == "holds"
    assert STATEMENT.fault is None
    assert result.side("corrected") == "proved"


@pytest.mark.parametrize("n", [3, 4, 7, 25])
def test_the_median_of_heavy_tailed_samples_by_their_order_statistics(n):
    """E X_(j:n) as ∫ Q dBeta(j, n − j + 1), Q(u) = (1 − u)^{−1/3}, averaged over both middle ones."""

    def moment(j):
        weight = 1 / scipy.special.beta(j, n - j + 1)
        return scipy.integrate.quad(lambda u: weight * u ** (j - 1) * (1 - u) ** (n - j - 1 / 3), 0, 1)[0]

    bias = 1.5 - (moment((n + 1) // 2) + moment(n // 2 + 1)) / 2
    item = next(iter(heavy_tail_caution(Context("test", "test"), least=n)))
    assert item.at["n"] == n  # the least bias is that of the fewest workers
    assert float(item.measured) == pytest.approx(bias**2 / 0.75, rel=1e-6)


def sums(b, p):
    """The law of a sum of b coins, by adding one at a time."""
    law = [F(1)]
    for _ in range(b):
        law = [(1 - p) * a + p * c for a, c in zip([*law, F(0)], [F(0), *law], strict=True)]
    return law


@pytest.mark.parametrize(("n", "b", "p"), [(1, 4, QUARTER), (3, 1, QUARTER), (3, 4, QUARTER), (5, 3, F(2, 5))])
def test_the_expected_median_over_all_outcomes(n, b, p):
    law = sums(b, p)
    expected = sum(
        math.prod((law[k] for k in row), start=F(1)) * statistics.median(row) / F(b)
        for row in itertools.product(range(b + 1), repeat=n)
    )
    assert expected_median(n, b, p) == expected


@pytest.mark.parametrize(("n", "b"), [(3, 100), (11, 37), (25, 200)])
def test_the_expected_median_by_scipy(n, b):
    tails = scipy.stats.beta((n + 1) / 2, (n + 1) / 2).sf(scipy.stats.binom(b, 0.25).cdf(np.arange(b)))
    assert abs(float(expected_median(n, b)) - tails.sum() / b) < 1e-12


def test_the_limit_of_the_bias():
    """b·bias → −(1 − v_n)/12 on Bernoulli(¼), with v_n by quadrature."""
    for n in (3, 11):
        k = (n + 1) // 2
        density = scipy.stats.beta(k, k).pdf
        v = scipy.integrate.quad(lambda u, f=density: scipy.stats.norm.ppf(u) ** 2 * f(u), 0, 1)[0]
        tails = scipy.stats.beta(k, k).sf(scipy.stats.binom(20000, 0.25).cdf(np.arange(20000)))
        assert abs((0.25 - tails.sum() / 20000) * 20000 * 12 / (1 - v) - 1) < 2e-3
        if n == 3:
            assert abs((1 - v) / 12 - math.sqrt(3) / (12 * math.pi)) < 1e-9


@pytest.mark.parametrize("b", [1, 2, 5, 20])
@pytest.mark.parametrize("p", [0.25, 0.1, 0.4])
def test_the_inequality_that_the_bound_rests_on(b, p):
    """∫|F_b − Φ| ≤ E|X − p|³/(σ³√b): on a grid, for the laws in question."""
    sigma, grid = math.sqrt(p * (1 - p)), np.linspace(-12, 12, 200001)
    cdf = scipy.stats.binom(b, p).cdf(np.floor(b * p + grid * sigma * math.sqrt(b) + 1e-9))
    distance = np.abs(cdf - scipy.stats.norm.cdf(grid)).sum() * (grid[1] - grid[0])
    third = (p**2 + (1 - p) ** 2) / sigma
    assert distance <= third / math.sqrt(b) + 1e-3


def test_the_density_at_its_maximum():
    for n in (3, 5, 11):
        k = (n + 1) // 2
        peak = scipy.stats.beta(k, k).pdf(np.linspace(0.01, 0.99, 99)).max()
        assert abs(peak - n * math.comb(n - 1, k - 1) / 2 ** (n - 1)) < 1e-12


def test_pareto_alone_and_in_pairs():
    """b = 1 in closed form (3/20), b = 2 by a double quadrature."""
    found = {b: (low * math.sqrt(0.75 / b), high * math.sqrt(0.75 / b)) for b, low, high in pareto_bias(levels=1)}
    assert found[1][0] <= 3 / 20 <= found[1][1]
    nodes, weights = np.polynomial.legendre.leggauss(400)

    def below(total):
        """P(X + Y ≤ total) = ∫_1^{total − 1} F(total − x) 3x^{-4} dx, in u = x^{-3}."""
        low = (total - 1) ** -3.0
        u = low + (1 - low) * (nodes + 1) / 2
        return (1 - low) / 2 * np.sum(weights * (1 - (total - u ** (-1 / 3)) ** -3.0))

    t = (nodes + 1) / 2  # mean = 1 + t/(1 − t) over [1, ∞)
    cdf = np.array([below(2 * (1 + s / (1 - s))) for s in t])
    expected = 1 + np.sum(weights / 2 * (1 - cdf**2 * (3 - 2 * cdf)) / (1 - t) ** 2)
    assert found[2][0] - 1e-6 <= 1.5 - expected <= found[2][1] + 1e-6


@pytest.mark.parametrize(("cap", "cells"), [(128, 16), (16, 256)])
def test_coarse_pareto_intervals_contain_fine_ones(cap, cells):
    """What coarse rounding, or an early cap, does to the median is within the width that is declared for it."""
    fine = pareto_bias()
    for (b, low, high), (_, fine_low, fine_high) in zip(pareto_bias(cap=cap, cells=cells), fine, strict=True):
        assert low <= fine_low, b
        assert fine_high <= high, b


@pytest.mark.parametrize(("rule", "b"), [(Krum(1), 1), (Krum(1), 2), (CoordinateMedian(), 2), (Mean(), 2)])
def test_moments_over_all_outcomes(rule, b):
    bias = square = F(0)
    law = sums(b, QUARTER)
    for row in itertools.product(range(b + 1), repeat=5):
        error = exact_aggregate(rule, [(F(k, b),) for k in row])[0] - QUARTER
        weight = math.prod((law[k] for k in row), start=F(1))
        bias, square = bias + weight * error, square + weight * error**2
    sigma_sq = QUARTER * (1 - QUARTER) / b
    found = batch_moments(Context("test", "test"), rule, 5, b, QUARTER)
    assert np.allclose(found, [float(bias) / math.sqrt(sigma_sq), float(5 * square / sigma_sq)], atol=1e-12)


def test_variances_in_closed_form():
    ctx = Context("test", "test")
    gauss = next(iter(variance(ctx)))
    assert abs(gauss.measured - 3 * (1 - math.sqrt(3) / math.pi)) <= gauss.error
    for n, evidence in zip((3, 5, 11), variance(ctx, quantile=lambda u: math.sqrt(12) * (u - 0.5)), strict=False):
        assert abs(evidence.measured - 3 * n / (n + 2)) < 1e-9


@pytest.mark.parametrize(("n", "f"), [(4, 0), (5, 0), (5, 1), (7, 2)])
def test_how_often_krum_changes_its_choice_along_a_line(n, f):
    """The choice among n − 1 fixed messages and one that moves: never further than 3M, and far fewer changes than J."""
    rng = np.random.Generator(np.random.Philox(7))
    for _ in range(20):
        others = rng.choice([-2.0, -1.0, 0.0, 1.0, 1.5], n - 1) if rng.random() < 0.5 else rng.standard_normal(n - 1)
        reach = np.max(np.abs(others)) + 0.1
        x = np.linspace(-4 * reach, 4 * reach, 4001)
        messages = np.concatenate([np.tile(others, (len(x), 1)), x[:, None]], axis=1)[:, :, None]
        output = Krum(f).aggregate(messages)[:, 0]
        own = output == x
        assert np.all(np.abs(output) <= 3 * reach)
        changes = np.sum((own[1:] != own[:-1]) | (~own[1:] & ~own[:-1] & (output[1:] != output[:-1])))
        assert changes <= most_changes(n, f)


@pytest.mark.parametrize(("n", "f"), [(3, 0), (4, 0), (5, 1), (6, 1)])
def test_krum_on_normal_noise(n, f):
    """No bias from four workers on; at three −E(least gap)/2 = −(6 − 3√3)/(2√π), by sampling and by quadrature."""
    rng = np.random.Generator(np.random.Philox(11))
    output = Krum(f).aggregate(rng.standard_normal((100_000, n, 1)))[:, 0]
    limit = -(6 - 3 * math.sqrt(3)) / (2 * math.sqrt(math.pi)) if n == 3 else 0.0
    assert abs(np.mean(output) - limit) <= 6 * np.std(output) / math.sqrt(len(output))
    if n == 3:  # the gaps of three normal values: √2·R·sin θ and √2·R·sin(π/3 − θ), θ uniform on [0, π/3]
        gap = scipy.integrate.quad(lambda u: min(math.sin(u), math.sin(math.pi / 3 - u)), 0, math.pi / 3)[0]
        assert -math.sqrt(math.pi) * gap * 3 / math.pi / 2 == pytest.approx(limit, rel=1e-9)


def test_krum_of_three_fair_coins_and_its_limit():
    """No bias at b = 1, as 000 and 001 give 0, and 011 and 111 give 1; skewed batches are near the limit."""
    assert batch_moments(Context("test", "test"), Krum(0), 3, 1, F(1, 2))[0] == 0
    limit = -(6 - 3 * math.sqrt(3)) / (2 * math.sqrt(math.pi))
    rng = np.random.Generator(np.random.Philox(13))
    output = Krum(0).aggregate((rng.standard_gamma(16384, (200_000, 3, 1)) - 16384) / 128)[:, 0]
    assert abs(np.mean(output) - limit) <= 0.01
