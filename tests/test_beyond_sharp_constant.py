"""The sharp constant by other routes: quadrature, the rule as it runs, flows between multisets, simulations."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from perform import check_claims
from scipy.integrate import quad
from scipy.optimize import linprog
from scipy.stats import beta, binom

from sims.aggregators import CenteredClipping, CoordinateMedian, Mean, TrimmedMean
from sims.checks.exact_algorithm import ExactSGD, output_law
from sims.optimizers import SGD, ServerMomentum
from theory.beyond_sharp_constant import STATEMENT
from theory.beyond_sharp_constant.bias import bias_between, bias_of_steps, bias_squared, law_of_steps
from theory.beyond_sharp_constant.descent import at_most, error_of_descent, of_the_largest, of_the_mirror, surviving
from theory.beyond_sharp_constant.for_ever import (
    excess_of_counts,
    forced_for_ever,
    largest,
    rare,
    share_by_logarithms,
    twice,
)
from theory.beyond_sharp_constant.forced import SIZES, limit, lost, rarer, share_of_the_limit, tail
from theory.beyond_sharp_constant.waiting import error_of_waiting, error_on_two_values, over_first_order
from theory.theorem_ii_lower_bound.worlds import mirror, sent

SMALL = [(n, f) for n in range(3, 8) for f in range(1, (n + 1) // 2)]
SUPPORTED: list[str] = ["bias_searched", "between", "both_sides"]
EXPECTED = dict.fromkeys(SUPPORTED, "supported")


def test_verdicts_and_controls():
    check_claims(STATEMENT, EXPECTED)
    assert {part.name for part in STATEMENT.parts("corrected")}.isdisjoint(EXPECTED)


@pytest.mark.parametrize(("n", "f"), [*SMALL, (25, 5), (60, 29)])
def test_the_bias_by_quadrature_and_by_ginis_mean_difference(n, f):
    g, h = n - f, n - 2 * f
    square, _ = quad(lambda u: (g / h * binom.sf(f - 1, g - 1, u) - 1) ** 2, 0, 1, limit=200)
    assert square == pytest.approx(float(bias_squared(n, f)), rel=1e-7)
    half, _ = quad(lambda u: beta.cdf(u, f, h) * beta.sf(u, f, h), 0, 1, limit=200)
    assert f / h - (g / h) ** 2 * half == pytest.approx(float(bias_squared(n, f)), rel=1e-7)
    low, high = bias_between(n, f)
    assert low <= bias_squared(n, f) <= high < low * (1 + Fraction(1, 10**20))
    if f == 1:
        assert bias_squared(n, f) == Fraction(1, 2 * n - 3)


@pytest.mark.parametrize(("n", "f"), [(5, 1), (7, 2), (9, 4)])
def test_the_trimmed_mean_as_it_runs_is_biased_so_and_by_no_more(n, f):
    """J's law in steps, attackers above all: the mean of many runs. In the middle, or below, they do less."""
    rng, values = np.random.default_rng(n), np.array([float(v) for v in law_of_steps(n, f, 24)])
    honest = rng.choice(values, (200_000, n - f))
    square, variance = bias_of_steps(n, f, 24)
    biases = []
    for bad in (1e3, 1.0, -1e3):
        rows = np.concatenate([honest, np.full((len(honest), f), bad)], axis=1)
        biases.append(np.mean(np.sort(rows, axis=1)[:, f : n - f]) - 1)
        few = TrimmedMean(f).aggregate(rows[:100, :, None])[:, 0]
        assert few == pytest.approx(np.mean(np.sort(rows[:100], axis=1)[:, f : n - f], axis=1))
    assert biases[0] == pytest.approx(float(square) ** 0.5, rel=0.02)
    assert max(biases) == biases[0]
    assert max(b * b for b in biases) < 1.02 * float(variance * bias_squared(n, f))


def test_the_bias_of_random_laws_is_never_larger():
    """Ten honest values at random, equally likely, from light and from heavy tails; the attackers above."""
    rng = np.random.default_rng(0)
    for n, f in SMALL:
        g, h = n - f, n - 2 * f
        at_least = binom.sf(np.arange(g)[:, None], g, np.arange(11) / 10)  # (order, cells): P(X_(i) in the first m)
        weights = np.diff(np.sum(at_least[f:], axis=0)) / h
        for shape in (0.3, 1.0, 5.0):
            values = np.sort(rng.pareto(shape, (500, 10)) * rng.choice([-1, 1], (500, 10)), axis=1)
            square = (values @ weights - np.mean(values, axis=1)) ** 2
            assert np.all(square <= np.var(values, axis=1) * float(bias_squared(n, f)) * (1 + 1e-9))


@pytest.mark.parametrize(("n", "f", "t"), SIZES)
def test_what_is_forced_by_scipy(n, f, t):
    q, eps = float(rarer(n, f, t)), math.sqrt(2 * math.log(t * f) / f)
    p = binom.sf(f, n - f, q)
    share = math.exp(t * math.log1p(-p)) * q / (1 - q) * (n - 2 * f) / f
    assert share == pytest.approx(float(share_of_the_limit(n, f, t, rarer(n, f, t))), rel=1e-6)
    assert 1 - 1 / f - eps * (n - f) / (n - 2 * f) == pytest.approx(float(lost(n, f, t)[1]), abs=1e-5 * n / (n - 2 * f))
    assert float(lost(n, f, t)[0]) >= eps
    assert p <= math.exp(-f * (-math.log1p(-eps) - eps)) <= math.exp(-f * eps**2 / 2)
    assert float(limit(n, f)) == pytest.approx(f / n / (2 * (1 - 2 * f / n)))


def test_the_best_forced_share_grows_to_one_with_the_number_of_attackers():
    shares = []
    for n in (10**2, 10**3, 10**4, 10**5, 10**6):
        f = n // 5
        qs = np.linspace(0.3, 1, 2000)[:-1] * f / (n - f)
        shares.append(np.max(np.exp(10**4 * binom.logcdf(f, n - f, qs)) * qs / (1 - qs)) * (n - 2 * f) / f)
    assert shares == sorted(shares)
    assert shares[0] < 0.3
    assert shares[-1] > 0.98


@pytest.mark.parametrize("g", [1, 2, 7])
def test_tails_at_their_ends(g):
    q = Fraction(1, 3)
    assert [float(tail(g, q, k).mid()) for k in range(-1, g + 2)] == pytest.approx(
        [binom.sf(k - 1, g, 1 / 3) for k in range(-1, g + 2)]
    )


def flow(n: int, f: int, q: float) -> float:
    """The largest mass that a flow sends from K ~ Bin(g, q) to K' ~ Bin(g, 1 − q) through a common multiset of bits.

    Bits of n workers with m ones: possible with K honest ones if K ≤ m ≤ K + f. A linear programme, no ordering used.
    """
    g = n - f
    ways = [(k, m, j) for k in range(g + 1) for m in range(n + 1) for j in range(g + 1)]
    ways = [(k, m, j) for k, m, j in ways if k <= m <= k + f and j <= m <= j + f]
    rows = np.zeros((2 * (g + 1), len(ways)))
    for column, (k, _, j) in enumerate(ways):
        rows[k, column] = rows[g + 1 + j, column] = 1
    limits = np.concatenate([binom.pmf(np.arange(g + 1), g, q), binom.pmf(np.arange(g + 1), g, 1 - q)])
    return -linprog(-np.ones(len(ways)), A_ub=rows, b_ub=limits).fun


@pytest.mark.parametrize(("n", "f"), [*SMALL, (25, 5)])
def test_equal_multisets_by_a_flow(n, f):
    best = largest(n, f)
    assert best >= rare(n, f)
    for q in (rare(n, f), best):
        assert flow(n, f, float(q)) == pytest.approx(1, abs=1e-9)
    beyond = best + Fraction(1, 100)
    assert flow(n, f, float(beyond)) < 1 - 1e-6
    assert excess_of_counts(n - f, f, beyond) > 1 > excess_of_counts(n - f, f, rare(n, f))


def coupled(n: int, f: int, q: float) -> tuple[dict, dict]:
    """The laws of the bits of all workers in the problems − and +, coupled by quantiles (the honest bits given K')."""
    g = n - f
    ends = [np.concatenate([[0], binom.cdf(np.arange(g), g, p), [1]]) for p in (q, 1 - q)]
    minus, plus = {}, {}
    for honest in itertools.product((0, 1), repeat=g):
        k = sum(honest)
        minus[(*honest, *[0] * f)] = q**k * (1 - q) ** (g - k)
        chance = (1 - q) ** k * q ** (g - k)
        low, high = ends[1][k], ends[1][k + 1]
        for j in range(g + 1):
            overlap = min(high, ends[0][j + 1]) - max(low, ends[0][j])
            if overlap > 0:
                assert 0 <= j - k <= f
                key = (*honest, *[1] * (j - k), *[0] * (f - j + k))
                plus[key] = plus.get(key, 0) + chance * overlap / (high - low)
    return minus, plus


def test_algorithms_have_one_law_in_both_problems_for_every_number_of_rounds():
    step = SGD(0.5)
    for rule, optimizer in (
        (Mean(), step),
        (CoordinateMedian(), step),
        (TrimmedMean(1), step),
        (CenteredClipping(0.25), step),
        (Mean(), ServerMomentum(0.5, 0.5)),
    ):
        laws = [
            output_law(ExactSGD(rule, optimizer), {b: Fraction(p) for b, p in law.items()}, 3, sent())
            for law in coupled(3, 1, 2**-0.5 - 1e-9)
        ]
        assert laws[0].keys() == laws[1].keys()
        assert len(laws[0]) > 3
        for x, p in laws[0].items():
            assert float(p) == pytest.approx(float(laws[1][x]), abs=1e-12)


def test_what_is_forced_for_ever():
    """At n = 3, f = 1 by hand: q² ≤ 1 − q², so q = √½."""
    assert float(largest(3, 1, 40)) == pytest.approx(2**-0.5, abs=1e-11)
    assert float(forced_for_ever(largest(3, 1, 40))) == pytest.approx((3 - 8**0.5) / (4 * (2**0.5 - 1)) / 1, rel=1e-9)
    for n, f in ((5, 1), (50, 20), (1000, 30)):
        r = f / (n - f)
        omega = 1 - 2**-r
        assert float(2 * rare(n, f) - 1) == pytest.approx(omega)
        assert float(2 * twice(n, f) - 1) == pytest.approx(2 * omega)
        assert float(forced_for_ever(rare(n, f))) == pytest.approx(omega**2 / (2 * (1 - omega**2)))
        assert omega >= r / 2


def test_a_majority_of_one():
    """q^g = ½ at n = 2f + 1: the share by this q is above the bound by logarithms, which grows to 1/(2·log 2)."""
    shares, bounds = [], []
    for f in range(1, 60):
        g = f + 1
        q = 0.5 ** (1 / g)
        omega = 2 * q - 1
        assert float(largest(2 * f + 1, f, 30)) == pytest.approx(q, abs=1e-8)
        assert bias_squared(2 * f + 1, f) == Fraction(f * f, 2 * f + 1)
        shares.append(omega**2 / (1 - omega**2) * (2 * f + 1) / f**2)
        bounds.append(float(share_by_logarithms(g)))
    assert all(share > bound for share, bound in zip(shares, bounds, strict=True))
    assert shares == sorted(shares)
    assert bounds == sorted(bounds)
    assert 0.6 < min(shares) < max(shares) < 1 / (2 * math.log(2))


def test_descent_by_simulation():
    """SGD with TM as it runs, J's law in steps, attackers above, n = 5: the mean error of many runs."""
    n, f, rounds, runs = 5, 2, 40, 20_000
    values = np.array([float(v) for v in law_of_steps(n, f, 24)])
    values = (values - 1) / np.std(values)
    rng, x = np.random.default_rng(3), np.full((runs, 1), 2.0)
    for k in range(rounds):
        honest = x[:, None] + rng.choice(values, (runs, n - f, 1))
        messages = np.concatenate([honest, np.full((runs, f, 1), 1e6)], axis=1)
        x = x - 2 / (k + 2) * TrimmedMean(f).aggregate(messages)
    errors = x[:, 0] ** 2 / 2
    assert np.mean(errors) == pytest.approx(error_of_descent(of_the_largest(f), rounds, 2.0), rel=0.03)
    assert np.mean(errors) <= at_most(n, f, rounds, 2.0)


@pytest.mark.parametrize("far", [1e6, -1e6, 0.0])
def test_the_bound_on_a_function_that_is_no_quadratic(far):
    """f = Σ(½μx² + log cosh x) in three dimensions, L = 1 + μ, normal noise in one of them, three attacks."""
    n, f, rounds, runs, mu = 7, 2, 300, 2000, 0.5
    big, rng = 1 + mu, np.random.default_rng(5)
    x = np.full((runs, 3), 1.5)
    first = 3 * (mu * 1.5**2 / 2 + math.log(math.cosh(1.5)))
    for k in range(rounds):
        honest = (mu * x + np.tanh(x))[:, None] + np.array([1.0, 0, 0]) * rng.standard_normal((runs, n - f, 1))
        messages = np.concatenate([honest, np.full((runs, f, 3), far)], axis=1)
        x = x - 2 / (mu * (k + 2 * big / mu)) * TrimmedMean(f).aggregate(messages)
    errors = np.sum(mu * x**2 / 2 + np.log(np.cosh(x)), axis=1)
    g, kappa, s = n - f, f / (n - 2 * f), 2 * big / mu
    V = (math.sqrt((1 - 1 / g) * kappa) + math.sqrt(1 / g)) ** 2
    later = rounds + s - 1
    bound = (
        float(bias_squared(n, f)) / (2 * mu)
        + (s - 1) * (s - 2) * first / (later * (later - 1))
        + 2 * big * V / (mu**2 * later)
    )
    assert np.mean(errors) <= bound
    assert far == 0 or np.mean(errors) > bound / 30


def test_the_mirror_leaves_the_trimmed_mean_what_is_said():
    for n, f in ((5, 1), (9, 3), (9, 4)):
        for spikes in range(n - f + 1):
            bits = (1,) * spikes + (0,) * (n - f - spikes)
            row = np.array(mirror(bits, bits, f).plus, dtype=float)
            assert TrimmedMean(f).aggregate(row[:, None])[0] == pytest.approx(-float(surviving(spikes, n, f)))
    noise = of_the_mirror(100, 20, Fraction(1, 10), surviving)
    q = 0.1
    kept = np.maximum(np.arange(81) - 20, 0) / 60
    mean = binom.pmf(np.arange(81), 80, q) @ kept
    assert noise.mean == pytest.approx((q - mean) / math.sqrt(q * (1 - q)))
    assert noise.variance == pytest.approx((binom.pmf(np.arange(81), 80, q) @ kept**2 - mean**2) / (q * (1 - q)))


@pytest.mark.parametrize(("n", "f"), [(4, 1), (12, 1), (100, 3), (1000, 1), (1000, 300)])
def test_the_error_of_waiting_by_quadrature(n, f):
    r = f / (n - f)
    full = math.exp(-r * math.log(r) - (1 - r) * math.log(1 - r))
    assert math.comb(n - f, f) ** (1 / (n - f)) <= full
    area, _ = quad(lambda u: full * (1 + u * u) ** (r - 1) - 1 / (1 + u * u), 0, 1)
    rest, _ = quad(lambda z: (full * (1 + z**-2) ** (r - 1) - 1 / (1 + z**-2)) / z**2, 0, 1)  # u = 1/z
    expected = area + rest + (full - 1) * math.sqrt(r / (1 - r))
    assert float(error_of_waiting(n, f).mid()) == pytest.approx(expected, rel=1e-4)
    if f == 1:
        order = math.pi / 2 * (math.log(n) + 3) / n
        assert float(over_first_order(n).mid()) == pytest.approx(expected / order, rel=1e-4)


def mean_of_full_rounds(x: np.ndarray, f: int) -> float:
    """m̂ of step 2 of `waiting.md`, from messages (rounds, n): the tails of the (f + 1)-th smallest and largest."""
    n, half = x.shape[1], len(x) // 2
    ordered = np.sort(x, axis=1)
    c, reach, g = np.mean(ordered[:half, f : n - f]), math.log(len(x)), n - f
    s = np.linspace(0, reach, 4001)
    low, high = np.sort(ordered[half:, f]), np.sort(ordered[half:, n - f - 1])
    above = 1 - np.searchsorted(low, c + s, side="right") / half
    below = np.searchsorted(high, c - s) / half
    return float(c + np.trapezoid(above ** (1 / g) - below ** (1 / g), s))


@pytest.mark.parametrize("bad", [-1e6, 0.0, 1e6])
@pytest.mark.parametrize("kind", ["normal", "two values", "exponential"])
def test_the_algorithm_that_waits_as_it_runs(bad, kind):
    """n = 4 and 7, f = 1, many rounds: within E of the mean, and near what its limit is, from both sides."""
    rng = np.random.default_rng(7)
    for n, f in ((4, 1), (7, 1)):
        g, size = n - f, (200_000, n - f)
        if kind == "normal":
            honest = rng.standard_normal(size)
        elif kind == "exponential":
            honest = rng.exponential(1, size) - 1
        else:
            honest = (rng.random(size) < 0.3) / math.sqrt(0.21) - 0.3 / math.sqrt(0.21)
        found = mean_of_full_rounds(np.concatenate([honest, np.full((len(honest), f), bad)], axis=1), f)
        assert abs(found) <= float(error_of_waiting(n, f).mid())
        if kind == "two values" and bad > 0:  # ours is c = the trimmed mean's limit, between both values
            chance = binom.sf(g - f - 1, g, 0.3) ** (1 / g)
            kept = 1 - np.sum(binom.pmf(np.arange(g + 1), g, 0.3) * np.maximum(g - f - np.arange(g + 1), 0)) / (g - f)
            low, high = -0.3 / math.sqrt(0.21), 0.7 / math.sqrt(0.21)
            c = low + kept * (high - low)
            below = binom.cdf(0, g, 0.3) ** (1 / g)
            assert found == pytest.approx(c + (high - c) * chance - (c - low) * below, abs=0.02)
    q = Fraction(3, 10)
    alone = binom.sf(1, 3, 0.3) ** (1 / 3) - 0.3
    assert float(error_on_two_values(4, 1, q).mid()) == pytest.approx(alone * math.sqrt(7 / 3))
