"""Definition C: its constants once more by brute force over outcomes, laws and Byzantine values, and by hand."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from perform import check_statement, results, verdicts, well_formed

from sims.aggregators import RFA, Bulyan, CoordinateMedian, GeometricMedian, Krum, MultiKrum, TrimmedMean
from sims.checks.centered import search_c_of_clipping
from sims.checks.exact_rules import exact_aggregate
from sims.checks.two_point import Law, error_table, needed
from theory.claim import Context
from theory.definition_c_robust_aggregator import STATEMENT
from theory.definition_c_robust_aggregator.constants import (
    ROBUST,
    finite_floor,
    paper_radius,
    plane_ratio,
    sampled_c,
    trimmed_mean_kappa,
)
from theory.definition_c_robust_aggregator.published import krum_printed_set, printed_krum, trimmed_mean_printed_index
from theory.definition_c_robust_aggregator.statement import cases_covered, fractional_delta, rfa_as_run

F = Fraction
STEM = STATEMENT.stem


def context(claim="test", budget="quick"):
    return Context(STEM, claim, budget)


def test_the_statement_is_well_formed():
    well_formed(STATEMENT)


def test_the_verdicts_at_the_quick_budget():
    found = verdicts(STEM)
    assert found.pop("trimmed_mean_beyond") in ("supported", "undecided")
    assert found == {
        "strict_inequality": "refuted",
        "weak_inequality": "holds",
        "fractional_delta": "refuted",
        "zero_spread": "holds",
        "rfa_as_run": "holds",
        "existing_rules_fail": "holds",
        "trimmed_mean_kappa": "holds",
        "trimmed_mean_c": "holds",
        "trimmed_mean_best": "holds",
        "as_published": "supported",
        "trimmed_mean_printed_index": "refuted",
        "krum_printed_set": "refuted",
        "identities": "holds",
    }


def test_every_control_is_caught():
    check_statement(results(STEM))


def test_the_misprint_of_g_is_wording_and_the_corrected_definition_is_proved():
    """What is undecided in a sample, what tests the code and what Section 3 prints demotes neither side."""
    result = results(STEM)
    assert [claim.name for claim in STATEMENT.parts("printed")] == ["strict_inequality", "existing_rules_fail"]
    assert result.stand("printed") == (1, 2)
    assert STATEMENT.fault
    assert STATEMENT.fault.severity == "wording"
    assert result.side("corrected") == "proved"


# The definition


def test_what_the_two_inequalities_cover():
    """|G| = 4 of 5 at δ = 1/5 satisfies ≥ and not >; at δ = 0 the printed inequality asks for more than all n."""
    assert [next(iter(cases_covered(strict))).measured for strict in (True, False)] == [0, 1]


def test_a_deterministic_split_at_fractional_delta():
    """0, 0, 0, 1, 1, ρ = 1, f = 0: the median errs by 2/5, TM(1) by 2/5 − 1/3; c = error²·5m."""
    items = list(fractional_delta(context()))
    assert [item.measured for item in items] == [e * 5 * m for e in (F(4, 25), F(1, 225)) for m in (2, 100)]
    assert [item.claimed for item in items] == [e * 5 for e in (F(4, 25), F(1, 225)) for _ in (2, 100)]
    assert {item.verdict for item in items} == {"refuted"}


@pytest.mark.parametrize("n", [3, 4, 7, 30])
def test_at_one_byzantine_worker_the_floor_is_the_trimmed_means_constant(n):
    """n(1 − q)^{g−2}/(2g) in rationals: below n/(2(n − 1)) for q > 0, and as near as one likes."""
    g, limit = n - 1, F(n, 2 * (n - 1))
    for q in (F(1, 10), F(1, 10**6)):
        floor = g * q * (1 - q) ** (g - 1) / (2 * F(1, n) * g**2 * q * (1 - q))
        assert floor == limit * (1 - q) ** (g - 2) <= limit
    assert finite_floor(n, 1) == pytest.approx(float(limit), rel=1e-6)
    assert F(n - 2, n - 1) * F(n, 2 * (n - 2)) == limit


@pytest.mark.parametrize("seed", range(5))
def test_the_spread_in_the_definition_bounds_the_variance(seed):
    """avg‖x_i − x̄‖² = Σ_{i≠j}‖x_i − x_j‖²/(2g²), whatever the vectors, hence its mean is ≤ (ρ²/2)(g − 1)/g."""
    x = np.random.Generator(np.random.Philox(seed)).integers(-9, 9, (6, 3)).tolist()
    g = len(x)
    centre = [F(sum(column), g) for column in zip(*x, strict=True)]
    spread = sum((a - c) ** 2 for row in x for a, c in zip(row, centre, strict=True)) / g
    pairs = sum(F((a - b) ** 2) for r, s in itertools.permutations(x, 2) for a, b in zip(r, s, strict=True))
    assert spread == pairs / (2 * g * g)


# κ


@pytest.mark.parametrize(("n", "f"), [(3, 1), (5, 1), (6, 2), (9, 4)])
def test_no_rule_has_a_smaller_kappa_than_the_trimmed_mean(n, f):
    """n − f zeros and f ones: the zeros alone may be honest (no spread, so the output is 0), or f ones among them."""
    honest = [F(1)] * f + [F(0)] * (n - 2 * f)
    mean = sum(honest) / len(honest)
    spread = sum((y - mean) ** 2 for y in honest) / len(honest)
    assert mean**2 / spread == F(f, n - 2 * f)


@pytest.mark.parametrize(("n", "f"), [(3, 1), (4, 1), (5, 2), (6, 2)])
def test_the_trimmed_means_kappa_exhaustively(n, f):
    """Honest values in {0, 1, 3}, Byzantine ones anywhere on a grid from far below to far above, in rationals."""
    places = [F(v) for v in (-50, -1, 0, F(1, 2), 1, 2, 3, 4, 50)]
    worst = F(0)
    for honest in itertools.combinations_with_replacement([F(0), F(1), F(3)], n - f):
        mean = sum(honest) / len(honest)
        spread = sum((y - mean) ** 2 for y in honest) / len(honest)
        for bad in itertools.combinations_with_replacement(places, f) if spread else ():
            output = exact_aggregate(TrimmedMean(f), [[y] for y in (*honest, *bad)])[0]
            worst = max(worst, (output - mean) ** 2 / spread)
    assert worst == F(f, n - 2 * f)


def kappas(rule, n, f, dim, seed):
    """‖AGG − x̄‖²/avg‖x_i − x̄‖² for honest vectors of several kinds and Byzantine ones anywhere."""
    rng = np.random.Generator(np.random.Philox(seed))
    runs = 20_000
    honest = rng.normal(size=(runs, n - f, dim))
    honest[::2] = rng.integers(0, 2, (runs // 2, n - f, dim))
    honest[1::4] **= 3
    bad = rng.normal(size=(runs, f, dim)) * 10.0 ** rng.integers(-1, 4, (runs, f, 1))
    together = rng.random(runs) < 0.3
    bad[together] = bad[together][:, :1]
    mean = honest.mean(axis=1)
    spread = np.mean(np.sum((honest - mean[:, None]) ** 2, axis=2), axis=1)
    error = np.sum((rule.aggregate(np.concatenate([honest, bad], axis=1)) - mean) ** 2, axis=1)
    kept = spread > 1e-3
    return error[kept] / spread[kept]


@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize(("n", "f"), [(3, 1), (5, 1), (6, 2), (9, 2)])
def test_the_trimmed_means_kappa_by_random_search(n, f, dim):
    """Nothing above f/(n − 2f); the same search comes near it, and finds the median and Multi-Krum above it."""
    kappa = f / (n - 2 * f)
    worst = np.max(kappas(TrimmedMean(f), n, f, dim, seed=n))
    assert 0.8 * kappa < worst <= kappa * (1 + 1e-9)
    if n == 9:
        assert np.max(kappas(CoordinateMedian(), n, f, dim, seed=n)) > 1.2 * kappa
        assert np.max(kappas(MultiKrum(f), n, f, dim, seed=n)) > 1.2 * kappa


def test_the_checks_own_kappa_is_attained_by_f_zeros_among_ones():
    items = [item for item in trimmed_mean_kappa(context()) if "multisets" in item.what]
    for item, (n, f) in zip(items, ((3, 1), (5, 1), (6, 2), (9, 2), (9, 4)), strict=True):
        rows = [[F(0)]] * f + [[F(1)]] * (n - 2 * f) + [[F(100)]] * f
        mean = F(n - 2 * f, n - f)
        error = (exact_aggregate(TrimmedMean(f), rows)[0] - mean) ** 2
        assert item.measured == error / (mean * (1 - mean))


# c


@pytest.mark.parametrize("n", [5, 9, 17, 33])
@pytest.mark.parametrize("make", [CoordinateMedian, GeometricMedian, lambda: Krum(1)], ids=["CM", "GM", "Krum"])
def test_what_existing_rules_need_on_a_deterministic_split(make, n):
    """g/2 zeros, g/2 ones, a Byzantine 0: output 0, error² ¼, ρ = 1, δ = 1/n."""
    g = n - 1
    rows = [[F(0)]] * (g // 2 + 1) + [[F(1)]] * (g // 2)
    assert exact_aggregate(make(), rows)[0] == 0
    assert needed(make(), n, 1).c >= n / 4 * (1 - 1e-12)


@pytest.mark.parametrize("name", ROBUST)
@pytest.mark.parametrize(("n", "f"), [(7, 1), (9, 1), (11, 2), (15, 3)])
def test_robust_rules_return_the_common_value(name, n, f):
    """By the exact definitions, with the f others together, apart, near, far and at the common value."""
    makers = {
        "CoordinateMedian": CoordinateMedian(),
        "GeometricMedian": GeometricMedian(),
        "Krum": Krum(f),
        "MultiKrum": MultiKrum(f),
        "TrimmedMean": TrimmedMean(f),
        "Bulyan": Bulyan(f),
    }
    assert makers.keys() == ROBUST.keys()
    for bad in itertools.product((-(10**6), F(2, 3), 1, F(4, 3), 10**6), repeat=f):
        assert exact_aggregate(makers[name], [[F(1)]] * (n - f) + [[F(b)] for b in bad]) == (1,)


def test_rfa_at_zero_spread_against_the_fast_rule():
    items = list(rfa_as_run(context()))
    for item, (n, f) in zip(items, ((3, 1), (25, 1), (25, 5)), strict=True):
        x = np.array([[1.0]] * (n - f) + [[-1.0]] * f)
        assert (RFA().aggregate(x)[0] - 1) ** 2 == pytest.approx(float(item.measured), rel=1e-9)


def by_plain_loop(n, f, radius, law, v0, bad):
    """E(v_1 − x̄)²/(δρ²) of one clipping step, worker by worker, over all 2^g outcomes and a list of Byzantine rows."""
    g, delta = n - f, f / n
    chances = [law.p] * law.m + [law.q] * (g - law.m)
    rho_sq = max(a * (1 - b) + b * (1 - a) for a, b in itertools.combinations(chances, 2))
    tau, expected = float(radius(delta, np.array(rho_sq))), 0.0
    for outcome in itertools.product((0, 1), repeat=g):
        weight = math.prod(p if bit else 1 - p for p, bit in zip(chances, outcome, strict=True))
        errors = []
        for extra in bad:
            steps = [max(-tau, min(tau, x - v0)) for x in (*outcome, *extra)]
            errors.append((v0 + sum(steps) / n - sum(outcome) / g) ** 2)
        expected += weight * max(errors)
    return expected / (delta * rho_sq)


def centres(n, f, law):
    g = n - f
    chances = [law.p] * law.m + [law.q] * (g - law.m)
    rho_sq = max(a * (1 - b) + b * (1 - a) for a, b in itertools.combinations(chances, 2))
    mean, variance = sum(chances) / g, sum(p * (1 - p) for p in chances) / g**2
    away = math.sqrt(max(rho_sq - variance, 0.0))
    return [mean - away, mean, mean + away]


@pytest.mark.parametrize(("n", "f"), [(3, 1), (5, 1), (5, 2)])
def test_the_c_of_clipping_by_a_plain_loop(n, f):
    """The winner's value anew; no Byzantine value inside the extremes does better, with centres all the way between."""
    c, law = search_c_of_clipping(n, f, paper_radius)
    far = [[s * 1e9] * f for s in (-1, 1)]
    assert max(by_plain_loop(n, f, paper_radius, law, v0, far) for v0 in centres(n, f, law)) == pytest.approx(c)
    rng = np.random.Generator(np.random.Philox(n))
    inside = [*rng.uniform(-8, 8, (200, f)).tolist(), [-1e9] * (f - 1) + [1e9]]
    low, _, high = centres(n, f, law)
    for v0 in np.linspace(low, high, 9):
        assert by_plain_loop(n, f, paper_radius, law, v0, far + inside) <= c * (1 + 1e-9)
        assert by_plain_loop(n, f, paper_radius, law, v0, inside) <= by_plain_loop(n, f, paper_radius, law, v0, far) * (
            1 + 1e-9
        )
    grid = [0.02, 0.2, 0.5, 0.8, 0.98, 1.0]
    laws = [Law(m, p, q) for m in (0, 1, 2) if m < n - f for p in grid for q in grid if (m and p < 1) or q < 1]
    others = [by_plain_loop(n, f, paper_radius, law, v0, far) for law in laws for v0 in centres(n, f, law)]
    assert max(others) <= c * (1 + 1e-9)


@pytest.mark.parametrize(("rule", "n", "f"), [(TrimmedMean(1), 4, 1), (MultiKrum(1), 5, 1)], ids=repr)
def test_laws_on_three_points_of_the_plane_by_a_plain_loop(rule, n, f):
    """All 3^g outcomes in order, with the dozen Byzantine choices written out."""
    points = np.array([[0.0, 0.0], [1.0, 0.2], [-0.4, 0.9]])
    weights = np.array([0.5, 0.2, 0.3])
    expected = 0.0
    for outcome in itertools.product(range(3), repeat=n - f):
        honest = points[list(outcome)]
        mean = honest.mean(axis=0)
        choices = [*points]
        choices += [mean + s * (point - mean) for point in points for s in (-1, 1e4, -1e4)]
        outputs = [rule.aggregate(np.vstack([honest, [bad] * f])) for bad in choices]
        expected += math.prod(weights[list(outcome)]) * max(np.sum((y - mean) ** 2) for y in outputs)
    rho_sq = sum(weights[i] * weights[j] * np.sum((points[i] - points[j]) ** 2) for i in range(3) for j in range(3))
    found = plane_ratio(rule, n, f, points[None], weights[None], context())
    assert found == pytest.approx(expected / (f / n * rho_sq), rel=1e-9)


def test_the_sampled_c_by_a_plain_loop():
    """TM(5) among 25 workers under IPM and ALIE, run by run; neither attack leaves it without an error."""
    found = {attack: (c, half) for attack, c, half in sampled_c(TrimmedMean(5), 25, 5, context(budget="default"))}
    assert set(found) == {"ALittleIsEnough", "InnerProductManipulation"}
    rng = np.random.Generator(np.random.Philox(8))
    errors = {"ALittleIsEnough": [], "InnerProductManipulation": []}
    for _ in range(3000):
        honest = rng.choice([-1.0, 1.0], (20, 20))
        mean, std = honest.mean(axis=0), honest.std(axis=0, ddof=1)
        for name, bad in (("ALittleIsEnough", mean - 1.5 * std), ("InnerProductManipulation", -20 * mean)):
            x = np.sort(np.vstack([honest, [bad] * 5]), axis=0)
            errors[name].append(np.sum((x[5:20].mean(axis=0) - mean) ** 2) / (0.2 * 40))
    for name, (c, half) in found.items():
        own = np.array(errors[name])
        spread = own.std(ddof=1) / math.sqrt(len(own))
        assert abs(own.mean() - c) <= 14 * spread < 0.02 < half  # seven standard deviations for each estimate
        assert c > 0.1


# The paper's formulas as printed


def test_the_printed_trimmed_mean_has_one_term_too_many():
    """n = 3, f = 1: from the first to the second value, divided by 1."""
    items = {item.what: item.measured for item in trimmed_mean_printed_index(context())}
    assert items == {"TM of 3 ones, f = 1": 2, "TM of 5 ones, f = 1": F(4, 3), "TM of 25 ones, f = 5": F(16, 15)}


def test_the_smallest_case_in_which_the_printed_krum_picks_another_message():
    """0, 1, 1 at f = 0: S = {i} makes all scores 0 and 0 wins the tie; among the others 1 has a twin."""
    assert printed_krum((0, 1, 1), 0, True) == 0
    assert printed_krum((0, 1, 1), 0, False) == 1
    assert exact_aggregate(Krum(0), [[F(0)], [F(1)], [F(1)]]) == (1,)
    item = next(iter(krum_printed_set(context())))
    rows = list(itertools.combinations_with_replacement(range(6), 3))
    # with S = {i} the smallest always wins; else the lower one of the closest pair, the lowest of several
    same = [min(row) == (row[0] if row[1] - row[0] <= row[2] - row[1] else row[1]) for row in rows]
    assert item.measured == F(sum(same), len(rows))


@pytest.mark.parametrize("with_itself", [True, False])
def test_the_printed_krum_over_all_subsets(with_itself):
    """The least sum over all S of the size, instead of sorted distances."""
    for row in itertools.combinations_with_replacement((0, 1, 3, 4), 6):

        def score(i, row=row):
            others = [j for j in range(6) if with_itself or j != i]
            return min(sum((row[i] - row[j]) ** 2 for j in s) for s in itertools.combinations(others, 3))

        best = min(range(6), key=lambda i, row=row, score=score: (score(i), row[i]))
        assert row[best] == row[printed_krum(row, 1, with_itself)]


def test_the_table_of_errors_is_that_of_the_exact_definition():
    """n = 5, f = 1, a Byzantine value in steps of 1/8 from −5 to 6: no more than what the dozen choices find."""
    grid = [F(i, 8) for i in range(-40, 49)]
    for rule in (CoordinateMedian(), GeometricMedian(), Krum(1), TrimmedMean(1)):
        exact = []
        for k in range(5):
            outputs = [exact_aggregate(rule, [[F(i < k)] for i in range(4)] + [[y]])[0] for y in grid]
            exact.append(max((y - F(k, 4)) ** 2 for y in outputs))
        np.testing.assert_allclose(error_table(rule, 5, 1), [float(e) for e in exact], rtol=0, atol=1e-15)
