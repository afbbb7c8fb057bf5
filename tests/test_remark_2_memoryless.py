"""Remark 2: the engine's own rules and memories under random permutations, instead of exact arrays."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from perform import check_statement, results, verdicts, well_formed

from sims.aggregators import RFA, Bulyan, CenteredClipping, CoordinateMedian, GeometricMedian, Krum, Mean, MultiKrum
from sims.checks.exact_algorithm import run
from sims.optimizers import SGD, RobustSGD, ServerMomentum, WorkerMomentum
from theory.claim import Context
from theory.remark_2_memoryless import STATEMENT
from theory.remark_2_memoryless.picture import BETAS, RATE, errors_of_runs, escape_curves
from theory.remark_2_memoryless.statement import Weighted
from theory.theorem_ii_lower_bound.errors import error_of_the_mean


def test_the_statement_is_well_formed():
    well_formed(STATEMENT)


def test_the_verdicts_at_the_quick_budget():
    assert verdicts(STATEMENT.stem) == {
        "memoryless": "refuted",
        "memoryless_symmetric": "holds",
        "memory_notices": "refuted",
        "memory_of_multisets": "holds",
    }


def test_every_control_is_caught():
    check_statement(results(STATEMENT.stem))


def test_the_printed_sentence_is_its_one_part_and_the_converse_is_none():
    result = results(STATEMENT.stem)
    assert [claim.name for claim in STATEMENT.parts("printed")] == ["memoryless"]
    assert result.stand("printed") == (0, 1)
    assert STATEMENT.fault
    assert STATEMENT.fault.severity == "wording"
    assert result.side("corrected") == "proved"


def largest_change(rule, optimizer, n=11, d=3, t=5, trials=20):
    """The largest change of x_t when the workers of each round change places, in floats and in d dimensions."""
    rng = np.random.default_rng(0)
    worst = 0.0
    for _ in range(trials):
        array = rng.standard_normal((t, n, d))
        algorithm = RobustSGD(rule, optimizer)
        ends = []
        for moved in (array, np.stack([row[rng.permutation(n)] for row in array])):
            state = algorithm.init(np.zeros(d))
            for row in moved:
                _, state = algorithm(row, state)
            ends.append(state.x)
        worst = max(worst, float(np.max(np.abs(ends[0] - ends[1]))))
    return worst


RULES = (
    CoordinateMedian(),
    GeometricMedian(),
    RFA(),
    Krum(2),
    MultiKrum(2),
    Bulyan(2),
    CenteredClipping(0.3),
)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: type(r).__name__)
def test_symmetric_rules_do_not_notice_without_or_with_memory_on_the_server(rule):
    for optimizer in (SGD(0.3), ServerMomentum(0.3, 0.9)):
        assert largest_change(rule, optimizer) < 1e-7  # the geometric median is found to a tolerance


@pytest.mark.parametrize("rule", RULES, ids=lambda r: type(r).__name__)
def test_worker_momentum_notices(rule):
    assert largest_change(rule, WorkerMomentum(0.3, 0.9)) > 1e-4


def test_a_weighted_mean_by_hand():
    queries, output = run(Weighted(), [[Fraction(1), Fraction(4)], [Fraction(3), Fraction(0)]])
    assert queries == (0, Fraction(-3, 2))  # ½·(1·1 + 2·4)/3
    assert output == Fraction(-3, 2) - Fraction(1, 2)


# The figure's data at a small size: who escapes, and two routes to the server's curve.

CONTEXT = Context("remark_2_memoryless", "figure", "quick")
SIZES = {"n": 100, "f": 20, "q": Fraction(67, 500), "steps": 600}


@pytest.fixture(scope="module")
def data():
    return escape_curves(CONTEXT, **SIZES, runs=3)


def test_momentum_on_the_workers_escapes_and_on_the_server_does_not(data):
    assert data["t"][-1] == SIZES["steps"]
    assert data["bound"] == sorted(data["bound"], reverse=True)
    for name in ("CoordinateMedian", "TrimmedMean", "CenteredClipping"):
        ends = {
            kind: [data["curves"][kind][name][f"{b:g}"]["mean"][-1] for b in BETAS] for kind in ("worker", "server")
        }
        assert all(end > 0.99 * data["bound"][-1] for end in (*ends["server"], ends["worker"][0]))
        assert max(ends["worker"][1:]) < 0.2
        for kind in ("worker", "server"):
            for curve in data["curves"][kind][name].values():
                assert np.all(curve["least"] <= curve["mean"] * (1 + 1e-15))
                assert np.all(curve["mean"] <= curve["largest"] * (1 + 1e-15))


def test_without_momentum_both_kinds_are_plain_descent():
    found = [
        errors_of_runs(CONTEXT, CoordinateMedian(), made, **SIZES | {"steps": 20}, runs=2)[:, 0]
        for made in (WorkerMomentum(RATE, 0.0), ServerMomentum(RATE, 0.0), SGD(RATE))
    ]
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[1], found[2])


def test_the_median_on_the_server_goes_the_way_of_a_deterministic_recursion():
    """Its messages are all μx while the spikes stay below half: x ← x − η·m, m ← βm + (1 − β)x from 2a."""
    found = errors_of_runs(CONTEXT, CoordinateMedian(), ServerMomentum(RATE, np.array(BETAS)[:, None]), **SIZES, runs=2)
    for i, beta in enumerate(BETAS):
        x, m = 2.0, 0.0  # in units of a/μ
        for _ in range(SIZES["steps"]):
            m = beta * m + (1 - beta) * x
            x -= RATE * m
        # ½[(x − 1)² + (x + 1)²]·½a² over a²/2
        assert found[-1, i] == pytest.approx([x * x + 1] * 2, rel=1e-9)


def test_the_mean_agrees_with_its_exact_moments():
    steps = 400  # the start is forgotten: e^{−ηt}
    found = errors_of_runs(
        CONTEXT, Mean(), WorkerMomentum(0.1, np.array(BETAS)[:, None]), **SIZES | {"steps": steps}, runs=2
    )
    exact = error_of_the_mean(SIZES["n"], SIZES["f"], steps, SIZES["q"], 0.9, 0.1)
    floor = float(SIZES["q"] / (2 * (1 - SIZES["q"])))
    assert found[-1, 1] == pytest.approx([exact / floor] * 2, rel=0.05)
