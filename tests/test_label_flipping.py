"""Label flipping in the engine: by hand, by flipping the data instead, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from sims.aggregators import CoordinateMedian, Mean
from sims.attacks import LabelFlipping, NoAttack, View
from sims.engine import Streams, simulate
from sims.optimizers import SGD, RobustSGD, WorkerMomentum, WorkerMVR
from sims.problems import Quadratic, SoftmaxRegression

PROBLEM = SoftmaxRegression.mixture(classes=4, dim=2, size=64, ridge=0.1, batch=2)
FLIPPED = SoftmaxRegression(PROBLEM.features, 3 - np.asarray(PROBLEM.labels), ridge=0.1, batch=2)
SIZES = {"n": 5, "f": 2, "steps": 6, "runs": 3, "seed": 0}


def test_it_sends_raw_gradients_or_messages():
    own = np.array([[1.0, 2.0]])
    last = np.zeros(2)
    view = View(own, own, own, 100 * own, last, last, Mean().aggregate, 1)
    assert np.array_equal(LabelFlipping()(view)[0], 100 * own)
    assert np.array_equal(LabelFlipping(on="messages")(view)[0], own)
    assert (LabelFlipping().acts_on, LabelFlipping("messages").acts_on) == ("gradients", "messages")


@pytest.mark.parametrize("on", ["gradients", "messages"])
@pytest.mark.parametrize("damped", [False, True])
def test_it_is_training_on_a_second_problem_with_other_labels(on, damped):
    """Round by round with plain loops: honest workers on the data, the others on the data with y → 3 − y."""
    eta, beta, g = 0.3, 0.5, 3
    algorithm = RobustSGD(CoordinateMedian(), WorkerMomentum(eta, beta, damped=damped))
    record = simulate(PROBLEM, algorithm, attack=LabelFlipping(on), **SIZES)
    samples = PROBLEM.draw(Streams(0, "sample").runs(0, 3), 6, 5)
    for run in range(3):
        x, momenta = np.zeros(PROBLEM.dim), np.zeros((5, PROBLEM.dim))
        for sample in samples[:, run]:
            gradients = np.concatenate([PROBLEM.oracle(x, sample)[:g], FLIPPED.oracle(x, sample)[g:]])
            momenta = (1 - beta if damped else 1) * gradients + beta * momenta
            sent = gradients[g:] if on == "gradients" else momenta[g:]
            x = x - eta * np.median(np.concatenate([momenta[:g], sent]), axis=0)
        assert record.x[run] == pytest.approx(x, rel=1e-12, abs=1e-14)


def test_without_momentum_both_kinds_coincide():
    algorithm = RobustSGD(CoordinateMedian(), SGD(0.3))
    ends = [simulate(PROBLEM, algorithm, attack=LabelFlipping(on), **SIZES).x for on in ("gradients", "messages")]
    assert np.array_equal(*ends)
    assert not np.allclose(ends[0], simulate(PROBLEM, algorithm, attack=NoAttack(), **SIZES).x)


def test_with_f_zero_nobody_flips():
    algorithm = RobustSGD(Mean(), SGD(0.3))
    none, flipping = (simulate(PROBLEM, algorithm, attack=a, **SIZES | {"f": 0}).x for a in (None, LabelFlipping()))
    assert np.array_equal(none, flipping)


def test_both_points_of_mvr_are_flipped():
    """In round 1 both points are x_0 and α is irrelevant; later a wrong second point would leave a gap."""
    algorithm = RobustSGD(Mean(), WorkerMVR(0.3, 0.0))
    record = simulate(PROBLEM, algorithm, attack=LabelFlipping("messages"), **SIZES)
    sample = PROBLEM.draw(Streams(0, "sample").runs(0, 3), 6, 5)
    x = previous = np.zeros((3, PROBLEM.dim))
    estimates = None
    for row in sample:
        now, before = (
            np.concatenate([PROBLEM.oracle(p, row)[:, :3], FLIPPED.oracle(p, row)[:, 3:]], axis=1)
            for p in (x, previous)
        )
        estimates = now if estimates is None else now + estimates - before
        x, previous = x - 0.3 * estimates.mean(axis=1), x
    assert record.x == pytest.approx(x, rel=1e-12, abs=1e-14)


def test_what_is_refused():
    with pytest.raises(ValueError, match=r"LabelFlipping needs on in .* got on = 'labels'"):
        LabelFlipping("labels")
    with pytest.raises(ValueError, match="LabelFlipping needs a problem with labels, got problem = Quadratic"):
        simulate(Quadratic((1.0,)), RobustSGD(Mean(), SGD(0.1)), attack=LabelFlipping(), **SIZES)
