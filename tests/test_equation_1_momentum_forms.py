"""Equation (1)'s numbers by hand and by other routes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from perform import check_claims, verdicts

from sims.aggregators import RFA, CenteredClipping, Krum, Mean
from sims.attacks import BitFlipping
from sims.checks.exact_algorithm import ExactSGD, run
from sims.engine import simulate
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Quadratic
from theory.claim import Context
from theory.equation_1_momentum_forms import STATEMENT
from theory.equation_1_momentum_forms.radius import clipped_error, spread_variance
from theory.equation_1_momentum_forms.raw_or_momentum import SMALL, above, attackers_picked, errors
from theory.equation_1_momentum_forms.statement import every_rule, gap, path

EXPECTED = {
    "proportional_to_variance": "refuted",
    "engine": "supported",
    "every_rule": "refuted",
    "every_attack": "refuted",
    "every_start": "refuted",
    "tau_keeps_pace": "refuted",
    "order_of_rules": "refuted",
    "raw_is_weaker": "supported",
    "krum_picks_raw": "supported",
}
HALF = Fraction(1, 2)


def test_verdicts_and_controls():
    check_claims(STATEMENT, EXPECTED)


def test_the_equivalence_stands_the_variance_does_not_and_the_correction_is_proved():
    found = verdicts(STATEMENT.stem)
    printed = {part.name: found[part.name] for part in STATEMENT.parts("printed")}
    assert printed == {"scaling_rules": "holds", "proportional_to_variance": "refuted"}
    corrected = {part.name for part in STATEMENT.parts("corrected")}
    assert corrected == {"scaling_rules", "proportional_to_deviation", "spread", "identities"}
    assert {found[name] for name in corrected} == {"holds"}


@pytest.mark.parametrize("scale", [2, 10])
@pytest.mark.parametrize("exponent", [1, 2])
def test_the_error_of_a_step_in_other_units(scale, exponent):
    """In floats, by the rule: the seven messages have mean 3/21, none is longer than τ, and the far one is τ long."""
    rows = np.array([-2, -1, 0, 0, 1, 2, 3, 1e9])[:, None] * scale / 3
    tau = 3.0 * scale**exponent
    end = CenteredClipping(tau)(rows, np.zeros(1))[0][0]
    assert end == pytest.approx((scale + tau) / 8)
    error = (end - scale / 7) ** 2 / scale**2
    assert float(clipped_error(scale, exponent)) == pytest.approx(error, rel=1e-12)
    assert (error == pytest.approx(float(clipped_error(1, exponent)))) == (exponent == 1)


def test_paths_agree_with_the_exact_algorithm():
    noise = [[Fraction(1), Fraction(-2), Fraction(3)], [Fraction(0), Fraction(5), Fraction(1)]]
    for damped, rate in ((True, HALF), (False, Fraction(1, 4))):
        algorithm = ExactSGD(CenteredClipping(1.0), WorkerMomentum(rate, beta=HALF, damped=damped))
        found = path(CenteredClipping(1.0), noise, beta=HALF, eta=Fraction(1, 4), damped=damped)
        rows = [[-v for v in noise[0]], [found[0] - v for v in noise[1]]]
        queries, end = run(algorithm, rows)
        assert [*queries[1:], end] == found


def test_clipping_by_hand():
    """Gradients −1 and −3, τ = 1: form (1) moves by 1; WORKER sends −½, −3/2, moves by 2·¾ with τ = 1, 1 with τ = ½."""
    noise = [[Fraction(1), Fraction(3)]]
    assert path(CenteredClipping(1.0), noise, beta=HALF, eta=Fraction(1), damped=False) == [1]
    assert path(CenteredClipping(1.0), noise, beta=HALF, eta=Fraction(1), damped=True) == [Fraction(3, 2)]
    assert path(CenteredClipping(0.5), noise, beta=HALF, eta=Fraction(1), damped=True) == [1]


def test_rfa_agrees_when_its_scale_is_scaled():
    noise = [[Fraction(1, 8), Fraction(3), Fraction(5)]]
    assert gap(RFA(1, 0.5), RFA(1, 0.25), noise, beta=HALF, eta=Fraction(1)) == 0
    assert gap(RFA(1, 0.5), RFA(1, 0.5), noise, beta=HALF, eta=Fraction(1)) > 0


@pytest.mark.parametrize(("nu", "one", "worker"), [(HALF, 3 / 2, 3 / 2), (Fraction(1), 3 / 2, 9 / 5)])
def test_rfa_by_hand(nu, one, worker):
    """Gradients −1 and −3, β = ½, one step: 2/(1/max(ν, 1) + 1/max(ν, 3)), and twice 2/(…) on half the messages."""
    noise = [[Fraction(1), Fraction(3)]]
    for damped, expected in ((False, one), (True, worker)):
        (end,) = path(RFA(1, float(nu)), noise, beta=HALF, eta=Fraction(1), damped=damped)
        scale = 2 if damped else 1
        rows = [1 / scale, 3 / scale]
        weights = [1 / max(float(nu), abs(row)) for row in rows]
        by_hand = scale * sum(w * row for w, row in zip(weights, rows, strict=True)) / sum(weights)
        assert float(end) == pytest.approx(expected) == pytest.approx(by_hand)


def test_each_rule_that_the_finding_names_refutes_on_its_own():
    items = list(every_rule(Context(STATEMENT.stem, "every_rule")))
    assert [item.measured for item in items] == [HALF, Fraction(3, 10)]
    assert {item.verdict for item in items} == {"refuted"}


def test_the_first_step_by_hand():
    noise = [[Fraction(1)]]
    assert path(Mean(), noise, beta=HALF, eta=Fraction(1), damped=False, first_beta=Fraction(0)) == [1]
    assert path(Mean(), noise, beta=HALF, eta=Fraction(1), damped=True, first_beta=Fraction(0)) == [2]


def test_spread_from_its_series():
    for beta in (0.5, 0.9, 0.99):
        series = np.sum(((1 - beta) * beta ** np.arange(5000)) ** 2)
        assert float(spread_variance(Fraction(str(beta)))) == pytest.approx(series, rel=1e-12)
        assert series == pytest.approx((1 - beta) / (1 + beta), rel=1e-12)


def test_raw_gradients_pull_as_fewer_attackers():
    """Point 24, the mean on a slope of 1 without noise: n − f honest momenta 1/(1 − β), less f of g or M, over n."""
    n, f, beta = 10, 2, 0.9
    slope = Quadratic((1e-12,), x_star=-1e12)  # ∇f = 1 wherever the run gets
    algorithm = RobustSGD(Mean(), WorkerMomentum(1.0, beta, damped=False))
    last = {}
    for on in ("gradients", "messages"):
        ends = [
            simulate(slope, algorithm, n=n, f=f, attack=BitFlipping(on), steps=T, runs=1, seed=0).x[0, 0]
            for T in (399, 400)
        ]
        last[on] = ends[0] - ends[1]
    length = 1 / (1 - beta)
    assert last["messages"] == pytest.approx((n - 2 * f) / n * length, rel=1e-6)
    assert last["gradients"] == pytest.approx(((n - f) * length - f) / n, rel=1e-6)


@pytest.mark.parametrize(("f", "share", "picks_attacker"), [(1, 0.9, True), (1, 1.1, False), (4, 0.9, True)])
def test_krum_in_high_dimension_picks_raw_gradients_below_the_stated_slope(f, share, picks_attacker):
    """Point 24 by geometry alone: stationary momenta and flipped gradients, ‖∇f‖² at `share` of the threshold."""
    n, beta, d = 12, 0.9, 200_000
    threshold = beta**2 / (1 - beta**2) * ((1 - beta) / (2 - beta)) ** 2
    slope = np.zeros(d)
    slope[0] = np.sqrt(share * threshold * d)  # σ² = 1 in each coordinate, d in all
    rng = np.random.default_rng(0)
    honest = slope / (1 - beta) + rng.standard_normal((n - f, d)) / np.sqrt(1 - beta**2)
    flipped = -slope - rng.standard_normal((f, d))
    picked = Krum(f).aggregate(np.concatenate([honest, flipped]))
    assert bool(np.any(np.all(picked == flipped, axis=-1))) == picks_attacker


def test_krum_picks_raw_gradients_and_not_negative_momenta():
    raw, kept = (attackers_picked(SMALL[2], on, seed=1) for on in ("gradients", "messages"))
    assert np.mean(raw) > 0.8
    assert np.mean(kept) < 0.4


def test_errors_do_not_depend_on_the_number_of_runs():
    few, many = (errors(SMALL[2], "CC", "messages", runs, 3, "numpy") for runs in (2, 5))
    assert np.array_equal(few, many[:2])


def test_above_needs_a_certain_majority():
    low, high = np.zeros(48), np.ones(48)
    assert (above(high, low, 1e-9), above(low, high, 1e-9), above(low, low, 1e-9)) == (1, -1, 0)
    mixed = np.where(np.arange(48) < 30, 1.0, -1.0)  # 30 of 48 is no certain majority
    assert above(mixed, low, 1e-9) == 0
    assert above(mixed, low, 0.5) == 1
