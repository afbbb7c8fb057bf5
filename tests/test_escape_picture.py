"""The data of Remark 2's figure at a small size: who escapes, and that two routes give the server's curve."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from sims.aggregators import CoordinateMedian, Mean
from sims.optimizers import SGD, ServerMomentum, WorkerMomentum
from theory.escape_picture import BETAS, RATE, errors_of_runs, escape_curves
from theory.statement import Context
from theory.two_world_errors import error_of_the_mean

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
