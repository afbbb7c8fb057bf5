"""Equation (1)'s numbers by hand and by other routes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from perform import check_claims

from sims.aggregators import RFA, CenteredClipping, Mean
from sims.checks.exact_algorithm import ExactSGD, run
from sims.optimizers import WorkerMomentum
from theory.equation_1_momentum_forms import STATEMENT, gap, path, spread_variance

EXPECTED = {
    "engine": "supported",
    "every_rule": "refuted",
    "every_attack": "refuted",
    "every_start": "refuted",
    "spread": "supported",
    "tau_keeps_pace": "refuted",
}
HALF = Fraction(1, 2)


def test_verdicts_and_controls():
    check_claims(STATEMENT, EXPECTED)


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


def test_the_first_step_by_hand():
    noise = [[Fraction(1)]]
    assert path(Mean(), noise, beta=HALF, eta=Fraction(1), damped=False, first_beta=Fraction(0)) == [1]
    assert path(Mean(), noise, beta=HALF, eta=Fraction(1), damped=True, first_beta=Fraction(0)) == [2]


def test_spread_from_its_series():
    for beta in (0.5, 0.9, 0.99):
        series = np.sum(((1 - beta) * beta ** np.arange(5000)) ** 2)
        assert float(spread_variance(Fraction(str(beta)))) == pytest.approx(series, rel=1e-12)
        assert series == pytest.approx((1 - beta) / (1 + beta), rel=1e-12)
