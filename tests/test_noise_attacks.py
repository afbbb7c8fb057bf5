"""Gaussian noise, infinities and ROP: against their streams, their effect, and the code released with ROP."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from attack_views import drawn, view

from sims.aggregators import CoordinateMedian, Mean
from sims.attacks import ROP, Gaussian, Infinite, Relocation
from sims.engine import Streams, simulate
from sims.optimizers import SGD, RobustSGD
from sims.problems import Quadratic


def streams(runs=3):
    return Streams(0, "attack").runs(0, runs)


# Gaussian


def test_each_sends_what_its_stream_draws():
    expected = streams().normal(2, (2, 4))
    attack, stream, sight = Gaussian(mu=3.0, sigma=2.0), streams(), view(drawn(3, 5, 4), 2)
    for t in range(2):
        assert np.array_equal(attack(sight, (), stream)[0], 3.0 + 2.0 * expected[t])


def test_together_they_send_one_vector_as_byzfls_clients_do():
    sent = Gaussian(together=True)(view(drawn(3, 5, 4), 2), (), streams())[0]
    assert np.array_equal(sent[:, 0], sent[:, 1])
    assert np.array_equal(sent[:, 0], streams().normal(1, (1, 4))[0, :, 0])


def test_its_law_is_normal_whatever_the_honest_workers_send():
    sent = Gaussian(mu=-1.0, sigma=0.5)(view(1e6 * drawn(1, 3, 2000), 2), (), streams(1))[0]
    assert scipy.stats.kstest((sent.ravel() + 1.0) / 0.5, "norm").pvalue > 1e-4


def test_no_noise_is_a_constant():
    assert np.array_equal(Gaussian(2.0, 0.0)(view(drawn(1, 3, 2), 2), (), streams(1))[0], np.full((1, 2, 2), 2.0))


# Infinities


@pytest.mark.parametrize("sign", [1, -1])
def test_infinities_are_sent_and_ruin_a_mean_and_no_median(sign):
    assert np.array_equal(Infinite(sign)(view(drawn(2, 3, 4), 2))[0], np.full((2, 2, 4), sign * np.inf))

    def end(rule):
        problem = Quadratic((1.0,), sigma_sq=1.0)
        return simulate(problem, RobustSGD(rule, SGD(0.1)), n=5, f=2, attack=Infinite(sign), steps=3, runs=2, seed=0).x

    assert not np.isfinite(end(Mean())).any()
    assert np.isfinite(end(CoordinateMedian())).all()


# ROP


def released(momentum, honest, first, z=1.0, pi=1.0, lamb=0.9, angle=90.0):
    """What the released code does in a round, once more with plain NumPy."""
    mean = honest.mean(axis=0)
    reference = lamb * (mean if first else momentum) + (1 - lamb) * mean
    push = np.ones_like(mean)
    push = push - reference * ((push @ reference) / (reference @ reference))
    push = push / np.linalg.norm(push)
    along = reference / np.linalg.norm(reference)
    push = push * math.sin(math.radians(angle)) + along * math.cos(math.radians(angle))
    return pi * momentum + (1 - pi) * mean + z / np.linalg.norm(push) * push


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("settings", [{}, {"z": 0.2533, "pi": 0.5, "lamb": 0.4, "angle": 180.0}])
def test_rop_is_what_the_released_code_sends(first, settings):
    honest, last = 0.5 + drawn(6, 5, seed=1), np.zeros(5) if first else drawn(5, seed=2)
    ours = {"z": "radius", "pi": "mix", "lamb": "reference", "angle": "angle"}
    sent = ROP(**{ours[name]: value for name, value in settings.items()})(view(honest, 2, last))[0]
    expected = released(last, honest, first, **settings)
    assert sent == pytest.approx(np.stack([expected] * 2), rel=1e-12, abs=1e-13)


def test_rop_is_a_relocation_with_settings_of_its_own():
    honest, last = drawn(6, 5, seed=1), drawn(5, seed=2)
    sent = ROP()(view(honest, 2, last))[0]
    assert np.array_equal(sent, Relocation(1.0, angle=90.0, mix=1.0, reference=0.9)(view(honest, 2, last))[0])
    assert np.linalg.norm(sent[0] - last) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Infinite(0), r"Infinite needs sign in \(-1, 1\), got sign = 0"),
        (lambda: Gaussian(sigma=-1.0), "Gaussian needs sigma ≥ 0, got sigma = -1.0"),
        (lambda: Gaussian(together=1), "Gaussian needs together True or False, got together = 1"),  # pyright: ignore
        (lambda: Gaussian()(view(drawn(3, 2), 1)), "Gaussian needs a stream of random numbers, got rng = None"),
        (lambda: ROP().require(7, 2, 1), "on the line needs an angle of 0 or 180 degrees, got 90"),
        (lambda: ROP(-1.0), "ROP needs radius ≥ 0, got radius = -1.0"),
    ],
)
def test_what_cannot_be_is_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
