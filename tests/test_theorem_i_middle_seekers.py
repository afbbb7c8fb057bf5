"""Theorem I: its limits by counting all 2^n outcomes in rationals, its runs by a plain loop, its links one by one."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, fmpq
from perform import check_statement, results, verdicts, well_formed

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
from sims.by_name import published
from sims.checks.evidence import claim_verdict
from sims.checks.exact_rules import exact_aggregate
from theory.claim import Context
from theory.theorem_i_middle_seekers import (
    STATEMENT,
    above_parabola,
    clipping,
    expected_output,
    hoeffding,
    krum,
    mean,
    medians,
    rfa_as_run,
    rfa_of_many,
    runs_agree,
    trimmed_mean_any_b,
)

F = Fraction
STEM = STATEMENT.stem
QUARTER = F(1, 4)


def context(claim="test"):
    return Context(STEM, claim, "quick")


def test_the_statement_is_well_formed():
    well_formed(STATEMENT)


def test_the_verdicts_at_the_quick_budget():
    found = verdicts(STEM)
    assert found.pop("runs_agree") in ("supported", "undecided")
    assert found == {
        "any_number_of_workers": "refuted",
        "medians": "holds",
        "krum": "holds",
        "rfa_as_run": "holds",
        "rfa_of_many": "holds",
        "mean": "holds",
        "clipping": "holds",
        "identities": "holds",
        "trimmed_mean_any_b": "refuted",
        "trimmed_mean_b_zero": "holds",
    }


def test_only_one_and_two_workers_contradict_the_print():
    result = results(STEM)
    assert [claim.name for claim in STATEMENT.parts("printed")] == ["any_number_of_workers", "medians", "krum", "mean"]
    assert result.stand("printed") == (3, 4)
    assert STATEMENT.fault is not None
    assert STATEMENT.fault.severity == "wording"
    assert result.side("corrected") == "proved"


def test_every_control_is_caught():
    check_statement(results(STEM))


def limit_by_all_outcomes(rule, n, p=QUARTER):
    """−E[AGG(−ξ)] over all 2^n outcomes, one worker at a time, by the exact definitions."""
    total = F(0)
    for outcome in itertools.product((0, 1), repeat=n):
        chance = math.prod((p if bit else 1 - p for bit in outcome), start=F(1))
        total -= chance * exact_aggregate(rule, [[F(-bit)] for bit in outcome])[0]
    return total


@pytest.mark.parametrize(
    ("rule", "n"),
    [
        (Mean(), 4),
        (CoordinateMedian(), 1),
        (CoordinateMedian(), 2),
        (CoordinateMedian(), 3),
        (CoordinateMedian(), 8),
        (GeometricMedian(), 5),
        (GeometricMedian(), 6),
        (TrimmedMean(2), 7),
        (Krum(0), 4),
        (Krum(0), 5),
        (Krum(2), 8),
        (MultiKrum(1), 6),
        (MultiKrum(2), 7),
        (Bulyan(1), 7),
        (Bulyan(1), 8),
    ],
    ids=repr,
)
def test_the_limits_against_all_outcomes(rule, n):
    assert abs(expected_output(rule, n, context()) - limit_by_all_outcomes(rule, n)) <= F(1, 10**14)


def tail(n, k, p=QUARTER):
    return sum((math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1)), F(0))


def test_the_medians_closed_form_and_its_least_gap():
    """E[CM] = ½P(Bin > n/2) + ½P(Bin ≥ n/2); the least gap over 3 ≤ n ≤ 24 is 3/32, at n = 3 and 4."""
    closed = {n: (tail(n, n // 2 + 1) + tail(n, (n + 1) // 2)) / 2 for n in range(1, 25)}
    assert all(expected_output(CoordinateMedian(), n, context()) == value for n, value in closed.items())
    gaps = {n: abs(QUARTER - value) for n, value in closed.items() if n >= 3}
    assert [n for n, gap in gaps.items() if gap == min(gaps.values())] == [3, 4]
    first, second, _ = medians(context())
    assert first.measured == second.measured == min(gaps.values()) == F(3, 32)
    assert closed[1] == closed[2] == QUARTER  # nothing fails at n = 1 and 2


def test_krums_closed_form_and_its_least_gap():
    """E[Krum] = P(Bin ≥ n/2) for every f: the more frequent value wins, a tie goes to 1."""
    cases = [(n, f) for n in range(3, 25) for f in range((n - 3) // 2 + 1)]
    gaps = {(n, f): abs(QUARTER - tail(n, (n + 1) // 2)) for n, f in cases}
    assert all(abs(QUARTER - expected_output(Krum(f), n, context())) == gaps[n, f] for n, f in cases)
    assert min(gaps, key=lambda case: gaps[case]) == (4, 0)
    assert next(iter(krum(context()))).measured == gaps[4, 0] == F(3, 256)


def test_krums_gap_rests_on_ties_that_are_broken_by_value():
    """At n = 4 a coin that gives 17 of 18 ties to the value 1 would make Krum unbiased: the convention matters."""
    above, tied = tail(4, 3), tail(4, 2) - tail(4, 3)
    assert above + F(17, 18) * tied == QUARTER
    assert all(abs(QUARTER - tail(n, n // 2 + 1)) >= F(3, 256) for n in range(3, 25))  # ties to 0 leave a gap as well


def test_hoeffdings_bound_beyond_the_enumeration():
    for n in (25, 26, 40, 101, 300):
        assert math.exp(-n / 8) <= hoeffding(n) <= math.exp(-n / 8) * (1 + 1e-12)
        assert tail(n, (n + 1) // 2) <= F(hoeffding(n))
    assert F(hoeffding(25)) <= QUARTER - F(3, 32) < F(hoeffding(14))  # 5/32, and the bound is no constant


def test_rfa_steps_away_by_its_exact_definition():
    """In rationals, from n = 3 to 12; the check's own least value over 3 … 24 is not larger."""
    drifts = {}
    for n in range(3, 13):
        outputs = [exact_aggregate(RFA(), [[F(-3, 4)]] * k + [[F(1, 4)]] * (n - k))[0] for k in range(n + 1)]
        drifts[n] = float(sum((tail(n, k) - tail(n, k + 1)) * y for k, y in enumerate(outputs)))
    assert all(drift >= 0.1 for drift in drifts.values())  # x − η·drift leads away from the optimum, towards 0
    item = next(iter(rfa_as_run(context())))
    assert float(item.measured) <= min(drifts.values()) + 1e-12
    for n in (3, 8):
        messages = np.array([[[0.25]] * (n - k) + [[-0.75]] * k for k in range(n + 1)])
        weights = [float(tail(n, k) - tail(n, k + 1)) for k in range(n + 1)]
        assert np.dot(weights, RFA().aggregate(messages)[:, 0]) == pytest.approx(drifts[n], abs=1e-12)


def test_the_distance_after_three_steps_in_rationals():
    """d_3 by the definition of RFA, and the parabola above it at every share k/200; the bound beyond n = 24."""
    for k in range(201):
        t = F(k, 200)
        d = QUARTER
        for _ in range(3):
            up, low = (1 - t) / max(F(1, 10), d), t / max(F(1, 10), 1 - d)
            d = QUARTER - (up * QUARTER - low * F(3, 4)) / (up + low)
        ours = float(above_parabola(arb(fmpq(k, 200))).mid()) + float((t - QUARTER) / 5 + 4 * (t - QUARTER) ** 2)
        assert ours == pytest.approx(float(d), abs=1e-12)
        assert float(above_parabola(arb(fmpq(k, 200))).upper()) <= 0.0335
        if k % 8 == 0:
            run = RFA().aggregate(np.array([[0.25]] * (25 - k // 8) + [[-0.75]] * (k // 8)))
            assert float(run[0]) == pytest.approx(0.25 - float(d), abs=1e-12)
    (beyond,) = rfa_of_many(context())
    for n in (25, 60, 400):
        outputs = RFA().aggregate(np.array([[[0.25]] * (n - k) + [[-0.75]] * k for k in range(n + 1)]))[:, 0]
        drift = sum(math.comb(n, k) * 0.25**k * 0.75 ** (n - k) * y for k, y in enumerate(outputs))
        assert float(beyond.measured) - beyond.error <= drift


def test_sgd_with_rfa_as_run_leaves_the_optimum():
    """A plain loop from the optimum, n = 3: after 4000 rounds all of 100 runs are far below ¼."""
    rng = np.random.Generator(np.random.Philox(23))
    x = np.full((100, 1), 0.25)
    for t in range(1, 4001):
        x = x - RFA().aggregate(x[:, None, :] - (rng.random((100, 3, 1)) < 0.25)) / t
    assert np.all(np.abs(x - 0.25) > 0.05)


@pytest.mark.parametrize(("n", "steps"), [(1, 5), (2, 3), (3, 2)])
def test_the_error_of_sgd_with_the_mean_over_all_paths(n, steps):
    """E(x_t − ¼)² over all 2^{nt} samples, from x_0 = 7, with the mean's exact definition: 3/(16nt)."""
    error = F(0)
    for path in itertools.product(itertools.product((0, 1), repeat=n), repeat=steps):
        x, chance = F(7), F(1)
        for t, outcome in enumerate(path, start=1):
            x -= exact_aggregate(Mean(), [[x - bit] for bit in outcome])[0] / t
            chance *= math.prod((QUARTER if bit else 1 - QUARTER for bit in outcome), start=F(1))
        error += chance * (x - QUARTER) ** 2
    assert error == F(3, 16 * n * steps)
    assert all(
        item.measured == item.claimed == F(3, 16 * m * 200) for item, m in zip(mean(context()), (1, 5, 25), strict=True)
    )


RULES = [(name, rule) for name, rule in published(11, 2).items() if name != "RFA"]


@pytest.mark.parametrize(("name", "rule"), RULES, ids=[name for name, _ in RULES])
def test_where_a_plain_loop_of_robust_sgd_ends(name, rule):
    """x ← x − AGG(x − ξ)/t from a far x_0: the average of 200 · 40 independent outputs in [0, 1] (Hoeffding, 1e-9)."""
    rng = np.random.Generator(np.random.Philox(17))
    runs, steps = 200, 40
    x = np.full((runs, 1), 5.0)
    for t in range(1, steps + 1):
        samples = (rng.random((runs, 11, 1)) < 0.25).astype(float)
        x = x - rule.aggregate(x[:, None, :] - samples) / t
    half = math.sqrt(math.log(2e9) / (2 * runs * steps))
    exact = [exact_aggregate(rule, [[F(-1)]] * k + [[F(0)]] * (11 - k))[0] for k in range(12)]
    limit = -float(sum((tail(11, k) - tail(11, k + 1)) * y for k, y in enumerate(exact)))
    assert abs(float(np.mean(x)) - limit) <= half
    assert float(expected_output(rule, 11, context())) == pytest.approx(limit, abs=1e-12)


def test_the_intervals_of_the_runs_are_hoeffdings():
    """600/8 runs of 100 steps each, level 1 − 1e-9, one interval for each rule but RFA."""
    ctx = context("runs_agree")
    items = list(runs_agree(ctx))
    assert ctx.intervals == len(items) == len(RULES)
    assert [item.what.split()[3].strip(",") for item in items] == [name for name, _ in RULES]
    assert all(item.error == pytest.approx(math.sqrt(math.log(2e9) / (2 * 75 * 100))) for item in items)


@pytest.mark.parametrize("n", range(3, 20))
def test_the_other_trimming_rules_are_biased_for_every_declared_f_from_1_on(n):
    rules = [TrimmedMean(f) for f in range((n - 1) // 2 + 1)]
    rules += [MultiKrum(f) for f in range((n - 3) // 2 + 1)]
    rules += [Bulyan(f) for f in range((n - 3) // 4 + 1)]
    for rule in rules:
        gap = abs(QUARTER - expected_output(rule, n, context()))
        assert gap < F(1, 10**15) if rule.f == 0 else gap > F(1, 100)


def test_clipping_is_the_mean_along_paths_that_start_in_the_unit_interval():
    rng = np.random.Generator(np.random.Philox(5))
    rule = CenteredClipping(2.0)
    x, v = rng.random((64, 1)), np.zeros((64, 1))
    for _ in range(100):
        messages = x[:, None, :] - (rng.random((64, 5, 1)) < 0.25)
        v = rule.aggregate(messages, v)
        np.testing.assert_allclose(v, messages.mean(axis=1), rtol=0, atol=1e-14)
        x = x - rng.random((64, 1)) * v
        assert np.all((x >= -1e-14) & (x <= 1 + 1e-14))
    assert claim_verdict(clipping(context())) == "holds"


def test_clipping_is_not_the_mean_from_elsewhere():
    """x_0 = 5, v_0 = 0: the messages 5 and 4 are clipped to 2. What `covers` says of the start is needed."""
    assert CenteredClipping(2.0).aggregate(np.array([[5.0], [4.0]]), np.zeros(1)) == [2.0]


def test_what_the_trimmed_mean_keeps_by_its_closed_form():
    """E min(max(K − b, 0), n − 2b)/(n − 2b)/p, K ~ Bin(16, p), p = γ^9/Σγ^k for γ = ½."""
    p = F(1, 2) ** 9 / sum((F(1, 2) ** k for k in range(10)), F(0))
    items = list(trimmed_mean_any_b(context(), trims=(0, 1, 2, 3, 7)))
    for b, item in zip((0, 1, 2, 3, 7), items, strict=True):
        law = [tail(16, k, p) - tail(16, k + 1, p) for k in range(17)]
        kept = sum((q * F(min(max(k - b, 0), 16 - 2 * b), 16 - 2 * b) for k, q in enumerate(law)), F(0)) / p
        assert abs(item.measured - kept) <= F(1, 10**12)
        assert item.verdict == ("supported" if b == 0 else "refuted")
