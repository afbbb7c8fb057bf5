"""Theorem III: its two worlds played out in rationals, its floors by direct sums, its search by other optimisers."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from perform import check_statement, results, verdicts, well_formed
from scipy.optimize import linprog, minimize_scalar
from scipy.stats import binom, poisson

from sims.aggregators import Bulyan, CoordinateMedian, Krum, MultiKrum, TrimmedMean
from sims.checks.centered import search_c_of_clipping
from sims.checks.exact_rules import exact_aggregate
from sims.checks.laws import binomial
from sims.checks.two_point import error_table, search_c
from theory.claim import Context
from theory.definition_c_robust_aggregator.constants import centred_floor, finite_floor, paper_radius, population_floor
from theory.theorem_iii_limits import STATEMENT, floors
from theory.theorem_iii_limits.contamination import huber_constant, huber_floor, one_law, sharp, widest_pair
from theory.theorem_iii_limits.floors import (
    attained,
    floor_of_any_rule,
    least_floor,
    population_floor_at_small_n,
    population_limit,
    unbounded,
)
from theory.theorem_iii_limits.least_error import anywhere, known, least_error, mirrored_spikes
from theory.theorem_iii_limits.linear_program import largest_gap_by_linear_programming
from theory.theorem_iii_limits.tightest import SHARES, at_every_n, beyond
from theory.theorem_iii_limits.trimmed_mean_error import FIRST, most_from_mu, seen_from_mu

F = Fraction
STEM = STATEMENT.stem


def context(claim="test"):
    return Context(STEM, claim, "quick")


def test_the_statement_is_well_formed():
    well_formed(STATEMENT)


def test_the_verdicts_at_the_quick_budget():
    assert verdicts(STEM) == {
        "one_law": "refuted",
        "printed_constant": "refuted",
        "huber_floor": "holds",
        "sharp": "holds",
        "finite_floor": "holds",
        "attained": "holds",
        "population_limit": "holds",
        "population_floor_at_small_n": "refuted",
        "unbounded": "holds",
        "first_contradiction": "holds",
        "identities": "holds",
        "tightest": "holds",
        "within_twice": "supported",
    }


def test_every_control_is_caught():
    check_statement(results(STEM))


def test_two_of_four_printed_parts_stand_and_the_corrected_statement_is_proved():
    result = results(STEM)
    assert [claim.name for claim in STATEMENT.parts("printed")] == [
        "one_law",
        "printed_constant",
        "unbounded",
        "tightest",
    ]
    assert result.stand("printed") == (2, 4)
    assert STATEMENT.fault
    assert STATEMENT.fault.severity == "constant"
    assert result.side("corrected") == "proved"


# Huber contamination


@pytest.mark.parametrize("delta", [F(1, 10), F(1, 4), F(2, 5)])
@pytest.mark.parametrize("rule", [CoordinateMedian(), TrimmedMean(1), Krum(0)], ids=repr)
def test_two_worlds_played_against_a_rule(rule, delta):
    """n = 4 iid messages of either mixture, all 3^4 outcomes: the worse world costs at least δρ²/(2(1 − 2δ))."""
    eps = delta / (1 - delta)
    errors = []
    for sign in (1, -1):
        good, bad = {0: 1 - eps, sign: eps}, {-sign: F(1)}
        law = {x: (1 - delta) * good.get(x, 0) + delta * bad.get(x, 0) for x in (-1, 0, 1)}
        assert law == {-1: delta, 0: 1 - 2 * delta, 1: delta}
        mean = sign * eps
        error = F(0)
        for outcome in itertools.product(law, repeat=4):
            output = exact_aggregate(rule, [[F(x)] for x in outcome])[0]
            error += math.prod((law[x] for x in outcome), start=F(1)) * (output - mean) ** 2
        errors.append(error)
    rho_sq = 2 * eps * (1 - eps)
    assert max(errors) >= delta * rho_sq / (2 * (1 - 2 * delta))


def test_the_constant_of_the_check_at_rational_points():
    for item, delta in zip(huber_floor(context()), (F(i, 40) for i in range(1, 20)), strict=True):
        eps = delta / (1 - delta)
        assert item.measured == eps**2 / (2 * eps * (1 - eps)) == delta / (2 * (1 - 2 * delta))
        assert (item.measured > delta) == (delta > F(1, 4))


def test_one_law_forces_nothing_and_two_do():
    for item in one_law(context()):
        assert item.measured == 0 < item.claimed
    for item in one_law(context(), signs=(1, -1)):
        eps = item.claimed / (1 - item.claimed)
        assert item.measured == eps / (2 * (1 - eps))  # (εh)²/(2ε(1 − ε)h²)


def test_the_least_error_is_that_of_the_best_of_many_rules():
    """Two worlds that overlap in part, three arrays: no table of outputs on a grid does better."""
    worlds = [
        [((0,), F(0), F(1, 2)), ((1,), F(0), F(1, 2))],
        [((1,), F(1), F(3, 4)), ((2,), F(1), F(1, 4))],
    ]
    grid = [F(i, 20) for i in range(21)]
    errors = [
        sum(chance * (table[row[0]] - target) ** 2 for world in worlds for row, target, chance in world) / 2
        for table in itertools.product(grid, repeat=3)
    ]
    assert min(errors) == least_error(worlds) == F(3, 20)  # at array 1 the mean is (3/4)/(5/4)


# TM refutes "every rule"


def test_the_first_n_at_which_the_trimmed_mean_is_below():
    """By floats, over all pairs: no smaller n has an f for which Minkowski's bound is below δρ²."""

    def bound(n, f):
        g, m = n - f, n - 2 * f
        return (math.sqrt(1 / (2 * g)) + math.sqrt(f * (g - 1) / (2 * m * g))) ** 2 / (f / n)

    below = [(n, f) for n in range(3, 130) for f in range(1, (n + 1) // 2) if bound(n, f) < 1]
    assert below[0] == FIRST
    for n, f in below:
        assert float(most_from_mu(n, f).mid()) == pytest.approx(bound(n, f))


@pytest.mark.parametrize(("n", "f", "most"), [(13, 2, 2), (14, 2, 1), (123, 12, 1)])
def test_the_trimmed_mean_on_two_values_from_its_counts(n, f, most):
    """k ones among g: TM is min(k, m)/m with all Byzantine messages above, (k − f)_+/m with all below."""
    g, m = n - f, n - 2 * f
    k, worst = np.arange(g + 1), 0.0
    for q in np.geomspace(1e-5 / g, 0.5, 400):
        error = np.maximum((np.minimum(k, m) / m - q) ** 2, (np.maximum(k - f, 0) / m - q) ** 2)
        worst = max(worst, binom.pmf(k, g, q) @ error / (2 * q * (1 - q)) / (f / n))
    assert seen_from_mu(n, f, context()) == pytest.approx(worst, rel=1e-9)
    assert most - 1 < worst < most
    assert worst <= float(most_from_mu(n, f).mid())


def test_samples_of_the_trimmed_mean_in_the_plane_are_below_the_bound():
    """Independent of laws on two values: normal messages, n = 123, f = 12, the Byzantine ones far out on one side."""
    n, f = FIRST
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2000, n, 2))
    x[:, n - f :] = 1e3
    error = np.sum(TrimmedMean(f).aggregate(x) ** 2, axis=-1)
    assert np.mean(error) / (4 * f / n) < 1  # ρ² = E‖x_i − x_j‖² = 4


def gap_by_dual_free_programming(delta, places):
    """The largest mean of D_+ − D_− over laws on `places` with second moments ≤ v and one mixture, scanned over v.

    Instead of two feasible means ±gap: the objective is the gap itself, E X² ≤ 1 + gap²/4 bounds the variance.
    """
    m = len(places)
    eye, one, zero = np.eye(m), np.ones(m), np.zeros(m)
    equal = np.vstack(
        [np.hstack([(1 - delta) * eye, -(1 - delta) * eye, delta * eye, -delta * eye])]
        + [np.concatenate([one if i == j else zero for j in range(4)]) for i in range(4)]
        + [np.concatenate([places, places, zero, zero])]  # opposite means
    )
    target = np.concatenate([zero, np.ones(4), [0.0]])
    gap = 0.0
    for _ in range(60):  # gap ↦ the largest gap that second moments of 1 + gap²/4 allow: monotone, from below
        second = [np.concatenate([places**2 if i == j else zero for j in range(4)]) for i in range(2)]
        found = linprog(
            -np.concatenate([places, -places, zero, zero]),
            A_ub=second,
            b_ub=[1 + gap**2 / 4] * 2,
            A_eq=equal,
            b_eq=target,
            method="highs",
        )
        new = -found.fun
        if new - gap < 1e-7:
            break
        gap = new
    return (gap / 2) ** 2 / 2


def test_the_widest_pair_by_plain_loops():
    """Masses in fifths on −1, 0, 1, 2: every pair of laws, in rationals."""
    places, parts = (-1, 0, 1, 2), 5
    laws = [law for law in itertools.product(range(parts + 1), repeat=4) if sum(law) == parts]
    for shared in (1, 2):
        best, count = F(0), 0
        for one, other in itertools.product(laws, repeat=2):
            if sum(map(abs, (a - b for a, b in zip(one, other, strict=True)))) > 2 * shared:
                continue
            count += 1
            means = [sum(F(k * v, parts) for k, v in zip(law, places, strict=True)) for law in (one, other)]
            squares = [sum(F(k * v * v, parts) for k, v in zip(law, places, strict=True)) for law in (one, other)]
            spread = max(s - m * m for s, m in zip(squares, means, strict=True))
            best = max(best, ((means[0] - means[1]) / 2) ** 2 / (2 * spread) if spread else F(0))
        assert widest_pair(shared, parts, places) == (best, count)
        delta = F(shared, parts + shared)
        assert best == huber_constant(delta) == F(shared, 2 * (parts - shared))


@pytest.mark.parametrize("dim", [1, 3])
def test_no_two_laws_that_share_a_part_are_further_apart(dim):
    """In any dimension: random pairs (1 − ε)C + εE_i, and the pair that attains the bound."""
    rng = np.random.default_rng(dim)
    worst = 0.0
    for _ in range(2000):
        eps = rng.uniform(0.05, 0.6)
        common, *own = (rng.standard_normal((4, dim)) * rng.exponential(1, (1, dim)) for _ in range(3))
        weights = [rng.dirichlet(np.ones(4)) for _ in range(3)]
        laws = []
        for e, w in zip(own, weights[1:], strict=True):
            places = np.vstack([common, e])
            mass = np.concatenate([(1 - eps) * weights[0], eps * w])
            mean = mass @ places
            laws.append((mean, mass @ np.sum((places - mean) ** 2, axis=1)))
        gap = np.sum((laws[0][0] - laws[1][0]) ** 2) / 4
        worst = max(worst, gap / (2 * max(spread for _, spread in laws)) / (eps / (2 * (1 - eps))))
    assert 0.1 < worst <= 1


def test_the_check_of_sharpness_is_exact_and_attained():
    exact = [item for item in sharp(context()) if item.kind == "exact"]
    assert len(exact) == 4
    assert all(item.measured == item.claimed and item.covers for item in exact)


@pytest.mark.parametrize("delta", [0.1, 0.25, 0.4])
def test_the_widest_gap_by_another_program(delta):
    """Maximised directly, on a grid that contains the spikes: the constant itself; the check's interval covers it."""
    eps = delta / (1 - delta)
    # in units of s: means ±εh are moved to ±gap/2 by nothing, since [0] and [±h] are symmetric already
    h = 1 / math.sqrt(eps * (1 - eps))
    places = np.linspace(-2, 2, 33) * h
    assert gap_by_dual_free_programming(delta, places) == pytest.approx(huber_constant(delta), rel=1e-4)
    value, error = largest_gap_by_linear_programming(delta)
    assert value - 1e-9 <= huber_constant(delta) <= value + error
    assert error < 0.02 * value


# Exactly f bad workers


def floor_by_direct_sum(n, f, q):
    """E[K²; K ≤ f]/(2δg²q(1 − q)) in rationals."""
    g = n - f
    moment = sum((F(k * k * math.comb(g, k)) * q**k * (1 - q) ** (g - k) for k in range(f + 1)), F(0))
    return moment / (2 * F(f, n) * g * g * q * (1 - q))


@pytest.mark.parametrize(("n", "f"), [(3, 1), (5, 1), (5, 2), (7, 2), (11, 2), (15, 7), (25, 5), (25, 11), (60, 20)])
def test_the_finite_floor_against_direct_sums(n, f):
    """No q of a fine grid of rationals gives more, and the best one found by a bounded optimiser gives as much."""
    floor = finite_floor(n, f)
    grid = [F(i, 400) for i in range(1, 400)] + [F(1, 10**6), 1 - F(1, 10**6)]
    values = [float(floor_by_direct_sum(n, f, q)) for q in grid]
    assert max(values) <= floor * (1 + 1e-6)
    i = int(np.argmax(values[:399]))
    best = minimize_scalar(
        lambda q: -float(floor_by_direct_sum(n, f, F(q))),
        bounds=(max(i, 0.001) / 400, min(i + 2, 399.999) / 400),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert max(-best.fun, *values) == pytest.approx(floor, rel=1e-5)


@pytest.mark.parametrize("q", [F(1, 10), F(1, 2), F(9, 10)])
def test_a_rule_that_knows_the_good_workers_does_not_err(q):
    """n = 3, f = 1, the mean of the first two: 0 in both worlds if worker 3 is bad, ¾ and more over all three sets."""
    errors = {}
    for bad in range(3):
        good = [i for i in range(3) if i != bad]
        for sign, bits in itertools.product((1, -1), itertools.product((0, 1), repeat=2)):
            row = [0, 0, 0]
            for i, bit in zip(good, bits, strict=True):
                row[i] = sign * bit
            row[bad] = -sign if any(bits) else 0
            error = F(row[0] + row[1], 2) - F(sign * sum(bits), 2)
            chance = q ** sum(bits) * (1 - q) ** (2 - sum(bits))
            errors[bad, sign] = errors.get((bad, sign), F(0)) + chance * error**2
    unit = F(1, 3) * 2 * q * (1 - q)
    assert errors[2, 1] == errors[2, -1] == 0
    assert sum(errors.values()) / 6 / unit >= F(3, 4)


@pytest.mark.parametrize(("n", "f"), [(3, 1), (4, 1), (5, 2)])
def test_good_workers_anywhere_make_one_law_of_arrays(n, f):
    """While K ≤ f: the law of the array in both worlds, and every arrangement of a multiset equally likely."""
    laws = []
    for sign in (1, -1):
        law = {}
        for row, target, chance in mirrored_spikes(n, f, F(1, 3), sign, list(anywhere(n, f))):
            if abs(target) * (n - f) <= f:
                law[row] = law.get(row, F(0)) + chance
        laws.append(law)
    assert laws[0] == laws[1]
    for row, chance in laws[0].items():
        assert all(laws[0][other] == chance for other in itertools.permutations(row))
    assert sum(laws[0].values()) == sum(F(p) for p in binomial(n - f, F(1, 3))[: f + 1])


def test_the_floor_of_any_rule_and_its_loss_when_the_good_workers_are_known():
    for item in floor_of_any_rule(context()):
        assert item.measured == item.claimed > 0
    assert {item.measured for item in floor_of_any_rule(context(), places=known)} == {0}


@pytest.mark.parametrize(("n", "f"), [(3, 1), (4, 1), (5, 2)])
@pytest.mark.parametrize("q", [F(1, 10), F(1, 2), F(9, 10)])
def test_the_two_finite_worlds_played_against_the_median_and_the_trimmed_mean(n, f, q):
    """All 2^g outcomes: with K ≤ f the messages of both worlds are the same multiset; the errors reach the floor."""
    g = n - f
    for rule in (CoordinateMedian(), TrimmedMean(f)):
        errors = {1: F(0), -1: F(0)}
        for outcome in itertools.product((0, 1), repeat=g):
            count = sum(outcome)
            sent = {}
            for sign in (1, -1):
                bad = [-sign] * min(count, f) + [0] * (f - min(count, f))
                sent[sign] = [sign * bit for bit in outcome] + bad
                output = exact_aggregate(rule, [[F(x)] for x in sent[sign]])[0]
                chance = q**count * (1 - q) ** (g - count)
                errors[sign] += chance * (output - F(sign * count, g)) ** 2
            assert (sorted(sent[1]) == sorted(sent[-1])) == (count <= f)
        c = max(errors.values()) / (F(f, n) * 2 * q * (1 - q))
        assert c >= floor_by_direct_sum(n, f, q)


def test_the_floor_at_three_workers_is_three_quarters_for_every_q():
    assert {floor_by_direct_sum(3, 1, F(i, 7)) for i in range(1, 7)} == {F(3, 4)}
    assert [item.measured for item in attained(context())] == [F(3, 4), F(3, 4)]
    assert search_c(error_table(CoordinateMedian(), 3, 1), 1 / 3)[0] == pytest.approx(0.75, rel=1e-12)


def c_by_outcomes(errors, f, n, chances):
    """Σ P(outcome) e_K/(δρ²) over all 2^g outcomes, each worker with a probability of its own."""
    expected = sum(
        math.prod(p if bit else 1 - p for p, bit in zip(chances, outcome, strict=True)) * errors[sum(outcome)]
        for outcome in itertools.product((0, 1), repeat=n - f)
    )
    rho_sq = max(a * (1 - b) + b * (1 - a) for a, b in itertools.combinations(chances, 2))
    return expected / (f / n * rho_sq) if rho_sq > 0 else 0.0


CASES = [
    (CoordinateMedian(), 5, 1),
    (CoordinateMedian(), 6, 2),
    (TrimmedMean(1), 5, 1),
    (TrimmedMean(2), 5, 2),
    (Krum(1), 6, 1),
    (MultiKrum(1), 5, 1),
    (Bulyan(1), 7, 1),
]


@pytest.mark.parametrize(("rule", "n", "f"), CASES, ids=repr)
def test_the_search_over_laws_against_brute_force(rule, n, f):
    """Its winner anew, worker by worker; and no two-group law of another grid exceeds it."""
    errors = error_table(rule, n, f)
    c, law = search_c(errors, f / n)
    g = n - f
    assert c_by_outcomes(errors, f, n, [law.p] * law.m + [law.q] * (g - law.m)) == pytest.approx(c, rel=1e-9)
    grid = [0.0, 1e-4, 0.03, 0.15, 0.3, 0.45, 0.6, 0.77, 0.9, 0.999, 1.0]
    for m in range(g + 1):
        for p, q in itertools.product(grid, grid):
            assert c_by_outcomes(errors, f, n, [p] * m + [q] * (g - m)) <= c * (1 + 1e-4)


@pytest.mark.parametrize(("rule", "n", "f"), CASES[:3], ids=repr)
def test_laws_with_a_probability_for_each_worker_need_no_more(rule, n, f):
    """What two groups leave out, at small n: every vector of probabilities in tenths."""
    errors = error_table(rule, n, f)
    c, _ = search_c(errors, f / n)
    tenths = [i / 10 for i in range(11)]
    for chances in itertools.combinations_with_replacement(tenths, n - f):
        assert c_by_outcomes(errors, f, n, chances) <= c * (1 + 1e-9)


def test_the_median_by_hand_at_five_workers():
    """e = (0, 1/16, 1/4, 1/16, 0). Split 2 : 2 gives 5/4; iid gives 5(1/8 + p(1 − p)/2), 5/4 at p = ½ and less else."""
    errors = error_table(CoordinateMedian(), 5, 1)
    assert errors.tolist() == [0, 1 / 16, 1 / 4, 1 / 16, 0]
    assert c_by_outcomes(errors, 1, 5, [0.0, 0.0, 1.0, 1.0]) == 5 / 4
    for p in (0.1, 0.3, 0.5, 0.9):
        assert c_by_outcomes(errors, 1, 5, [p] * 4) == pytest.approx(5 * (1 / 8 + p * (1 - p) / 2))
    assert search_c(errors, 0.2)[0] == pytest.approx(5 / 4)


@pytest.mark.parametrize("n", [9, 33, 65])
def test_an_iid_coin_is_worse_for_the_median_than_a_deterministic_split(n):
    """f = 1: the split has error² ¼ at ρ² = 1, c = n/4; a fair coin E min(K/g, 1 − K/g)² → ¼ at ρ² = ½, c → n/2."""
    g = n - 1
    errors = error_table(CoordinateMedian(), n, 1)
    assert errors[g // 2] == 1 / 4
    coin = sum(math.comb(g, k) * min(k, g - k) ** 2 for k in range(g + 1)) / 2**g / g**2 * 2 * n
    law = [math.comb(g, k) / 2**g for k in range(g + 1)]
    assert np.dot(law, errors) * 2 * n == pytest.approx(coin)
    assert search_c(errors, 1 / n)[0] >= coin * (1 - 1e-9) > n / 4 * (1 - 1e-9)
    assert (coin > 1.4 * n / 4) == (n >= 33)


def test_the_floor_binds_every_rule_that_the_check_measures():
    """None is below, and it is no idle floor: the trimmed mean attains it, at n = 3, f = 1 and elsewhere."""
    items = [item for item in floors.finite_floor(context()) if "needed by" in item.what]
    assert all(item.measured >= item.claimed * (1 - 1e-5) for item in items)
    close = [item.what for item in items if item.measured <= 1.002 * item.claimed]
    assert any("n = 3, f = 1" in what for what in close)
    assert {"TrimmedMean"} <= {what.split()[3] for what in close}


@pytest.mark.parametrize(("n", "f"), [(3, 1), (5, 2), (15, 7), (25, 11), (31, 15)])
def test_the_floor_of_a_rule_with_a_centre(n, f):
    """A centre within ρ of x̄ can tell the worlds apart once q is large; up to q = (2g − 1)/(3g − 1) zero serves both.

    Clipping with the right centre does beat the floor of rules that see nothing but the messages.
    """
    g = n - f
    most = F(2 * g - 1, 3 * g - 1)
    spread = lambda q: q**2 + q * (1 - q) / g  # noqa: E731 (E x̄² in units of h²)
    assert spread(most) == 2 * most * (1 - most)
    assert spread(most + F(1, 100)) > 2 * (most + F(1, 100)) * (F(99, 100) - most)
    values = [float(floor_by_direct_sum(n, f, most * F(i, 200))) for i in range(1, 201)]
    assert max(values) == pytest.approx(centred_floor(n, f), rel=1e-3)
    assert max(values) <= centred_floor(n, f) * (1 + 1e-9)
    c, _ = search_c_of_clipping(n, f, paper_radius)
    assert c >= centred_floor(n, f)
    assert (c < finite_floor(n, f)) == ((n, f) in {(15, 7), (31, 15)})


def test_the_limit_of_the_floor():
    """q four standard deviations below f/g: E[K²; K ≤ f] ≥ E K² − g²P(K > f), whose ratio tends to the limit."""
    for delta in (0.1, 0.3):
        n = 40_000
        g, f = round((1 - delta) * n), round(delta * n)
        q = f / g - 4 * math.sqrt(f / g / g)
        moment = g * q * (1 - q) + (g * q) ** 2 - g**2 * binom.sf(f, g, q)
        below = moment / (2 * delta * g**2 * q * (1 - q))
        assert below <= finite_floor(n, f) <= population_floor(delta) * 1.02
        assert below >= population_floor(delta) * 0.9
    items = list(population_limit(context()))
    ratios = [item.measured for item in items if "distance" in item.what]
    assert len(ratios) == 8
    assert all(0 < ratio < 0.5 for ratio in ratios)
    assert {item.verdict for item in items if "distance" not in item.what} == {"holds"}


@pytest.mark.parametrize("delta", [F(1, 10), F(3, 10), F(2, 5)])
def test_the_lower_bound_of_the_floor_is_below_it(delta):
    """By floats, and by Hoeffding's inequality at the q of the derivation; at n = 10^12 it is close to the limit."""
    for n in (10**4, 10**6):
        g, f = int((1 - delta) * n), int(delta * n)
        q = f / g - g ** (-1 / 3)
        bound = math.exp(-2 * g ** (1 / 3))
        assert binom.sf(f, g, q) <= bound
        below = float(least_floor(n, delta).mid())
        assert below == pytest.approx((q * q - bound) / (2 * delta * q * (1 - q)), rel=1e-9)
        if n == 10**4:
            assert below <= finite_floor(n, f)
    assert 0.99 <= float(least_floor(10**12, delta).mid()) / population_floor(float(delta)) < 1


def test_the_population_floor_does_not_bind_one_n():
    """At n = 3, f = 1 the median needs 3/4 and no more (the check `attained`), half of 1/(2(1 − 2/3))."""
    item = next(iter(population_floor_at_small_n(context())))
    assert item.measured == pytest.approx(0.75)
    assert item.claimed == pytest.approx(1.5)


def test_half_of_the_workers_are_as_good_as_the_other_half():
    """The same messages, two sets G: whatever a rule returns, one of them is h/2 away."""
    for f in (1, 3):
        messages = [[F(0)]] * f + [[F(10)]] * f
        output = exact_aggregate(CoordinateMedian(), messages)[0]
        assert max(output**2, (output - 10) ** 2) >= 100 * F(1, 4)
    assert {item.measured for item in unbounded(context())} == {F(1, 4)}
    assert {item.measured for item in unbounded(context(), odd=1)} == {0}


@pytest.mark.parametrize("f", [1, 2, 4, 9, 25])
def test_a_constant_for_every_n_by_direct_sums(f):
    """At κf = (g − 1)q/(1 − q) the bound at n, summed term by term, is above its Poisson bound, from n = 2f + 1 on."""
    share = F(1, 50) if f == 1 else F(14, 25)
    low = float(at_every_n(f, share).mid())
    mean = float(share) * f
    tails = poisson.cdf(f - 1, mean) / f + float(share) * poisson.cdf(f - 2, mean)
    assert low == pytest.approx(tails / 2, rel=1e-9)
    for n in (2 * f + 1, 2 * f + 2, 5 * f, 100 * f, 10**6):
        if n > 2 * f:
            g = n - f
            q = mean / (g - 1 + mean)
            k = np.arange(f + 1)
            moment = np.sum(k**2 * binom.pmf(k, g, q))
            assert moment / (2 * f / n * g**2 * q * (1 - q)) >= low * (1 - 1e-9)
            assert finite_floor(n, f) >= low * (1 - 1e-9)


def test_chernoff_is_below_the_poisson_tails_and_grows():
    share = F(3, 5)
    found = [float(beyond(f, share).mid()) for f in range(31, 200)]
    assert found == sorted(found)
    assert all(
        float(at_every_n(f, share).mid()) >= low for f, low in ((31, found[0]), (60, found[29]), (120, found[89]))
    )
    best = [max(float(at_every_n(f, s).mid()) for s in SHARES) for f in range(1, 12)]
    assert np.argmin(best) == 3
