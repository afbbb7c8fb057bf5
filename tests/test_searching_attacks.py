"""Attacks that look for whom to mimic, and for how hard to push."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sims.aggregators import Bucketing, CoordinateMedian, Krum, Mean, Promises, StatelessRule, TrimmedMean
from sims.attacks import ALittleIsEnough, InnerProductManipulation, Mimic, SearchedStrength, View
from sims.backend import to_numpy
from sims.engine import Streams, simulate
from sims.optimizers import SGD, RobustSGD
from sims.problems import Quadratic


def drawn(*shape, seed=0):
    return np.random.Generator(np.random.Philox(seed)).normal(size=shape)


def view(honest, f, rule=None, t=1):
    x = np.zeros((*honest.shape[:-2], honest.shape[-1]))
    own = np.zeros((*honest.shape[:-2], f, honest.shape[-1]))
    return View(honest, own, honest, own, x, x, (rule or Mean()).aggregate, t)


# Mimic


def test_a_worker_by_its_index_is_copied():
    honest = drawn(2, 5, 3)
    sent, _ = Mimic(worker=3)(view(honest, 2))
    assert np.array_equal(sent, np.stack([honest[:, 3]] * 2, axis=1))


def followed(honest, warm_up, z):
    """The released code's loop, once more with plain NumPy for a single run: whom it copies in each round."""
    mu, chosen = None, []
    for t, m in enumerate(honest):
        if t < warm_up:
            mean = m.mean(axis=0)
            mu = mean if mu is None else t / (1 + t) * mu + mean / (1 + t)
            c = (m - mu).T @ ((m - mu) @ z)
            z = c / np.linalg.norm(c) if t == 0 else t / (1 + t) * z + c / np.linalg.norm(c) / (1 + t)
            z = z / np.linalg.norm(z)
            target = int(np.argmax(m @ z))
        chosen.append(target)
    return chosen


@pytest.mark.parametrize("warm_up", [1, 4, 20])
def test_whom_it_mimics_is_whom_the_released_code_mimics(warm_up):
    honest, rng = drawn(9, 2, 6, 4, seed=5), Streams(0, "attack").runs(0, 2)
    first = Streams(0, "attack").runs(0, 2).normal(1, (4,))[0]
    attack, state, found = Mimic(warm_up=warm_up), (), []
    for t in range(9):
        sent, state = attack(view(honest[t], 3, t=t + 1), state, rng)
        assert np.array_equal(sent[:, 0], sent[:, 2])
        found.append([int(np.flatnonzero((honest[t, r] == sent[r, 0]).all(axis=1))[0]) for r in range(2)])
    for run in range(2):
        assert [row[run] for row in found] == followed(honest[:, run], warm_up, first[run])


def test_the_direction_is_the_one_in_which_workers_differ():
    means = np.array([[0.0, 5.0], [0.0, -5.0], [0.0, 4.0], [0.0, -4.0]])
    state, attack = (), Mimic(warm_up=50)
    for t in range(1, 51):
        _, state = attack(view(means + 0.3 * drawn(4, 2, seed=t), 1, t=t), state)
    assert abs(state[1][1]) > 0.999
    assert int(state[2]) in (0, 1)


def test_bucketing_helps_against_it():
    """The paper's point: the median of skewed workers is carried to the one that counts f + 1 times, bucketed less."""
    problem = Quadratic((1.0,), sigma_sq=0.01, zeta_sq=4.0)
    found = {}
    for name, rule in (("median", CoordinateMedian()), ("bucketed", Bucketing(CoordinateMedian(), 2))):
        record = simulate(
            problem, RobustSGD(rule, SGD(0.05)), n=12, f=2, attack=Mimic(warm_up=20), steps=300, runs=8, seed=1
        )
        found[name] = float(np.mean(record.sq_aggregate_errors[150:]))
    assert found["bucketed"] < found["median"] / 1.5


# The strength


def searched(honest, f, rule, direction, evals=20, start=0.0, delta=10.0, ratio=0.8):
    """ByzFL's search in two phases, once more with plain NumPy for a single run."""
    mean, std = honest.mean(axis=0), honest.std(axis=0, ddof=1)

    def vector(tau):
        return -tau * mean if direction == "mean" else mean + tau * std

    def harm(tau):
        return np.linalg.norm(rule.aggregate(np.vstack([honest, np.tile(vector(tau), (f, 1))])) - mean)

    best, most, left = start, harm(start), evals - 1
    while left:
        left -= 1
        if (now := harm(best + delta)) > most:
            best, most, delta = best + delta, now, 2 * delta
        else:
            delta *= ratio
            break
    while left:
        left -= 1
        if (now := harm(best + delta)) > most:
            best, most = best + delta, now
        delta *= ratio
    return vector(best)


@pytest.mark.parametrize("direction", ["mean", "deviation"])
@pytest.mark.parametrize("rule", [TrimmedMean(2), Krum(2), CoordinateMedian()], ids=repr)
def test_the_strength_is_that_of_the_search_in_two_phases(direction, rule):
    honest = 1.0 + drawn(3, 8, 4, seed=2)
    sent, _ = SearchedStrength(direction)(view(honest, 2, rule))
    for run in range(3):
        assert np.allclose(sent[run, 1], searched(honest[run], 2, rule, direction), rtol=1e-12)


class Jagged(StatelessRule):
    """1 + τ where the last message is −τ and τ lies below 9.5, or between 14 and 15, and 1 elsewhere."""

    promises = Promises(translation=False, scale=False, odd=False)

    def breakdown(self, n):
        return 0

    def reduce(self, x):
        tau = -x[..., -1, :]
        return 1.0 + np.where((tau < 9.5) | ((tau > 14) & (tau < 15)), tau, 0.0)


@pytest.mark.parametrize("evals", range(1, 20))
def test_a_step_that_helps_after_one_that_did_not_is_not_doubled(evals):
    """The first step, to 10, does no harm; the second, to 8, does, and so does the third, 6.4 beyond it."""
    honest = np.ones((1, 6, 2))
    sent, _ = SearchedStrength("mean", evals)(view(honest, 2, Jagged()))
    assert np.allclose(sent[0, 1], searched(honest[0], 2, Jagged(), "mean", evals), rtol=1e-12)
    assert -sent[0, 0, 0] == pytest.approx(0.0 if evals < 3 else 8.0 if evals < 4 else 14.4, abs=0.6)


@pytest.mark.parametrize(
    ("direction", "fixed"),
    [
        ("mean", [InnerProductManipulation(tau) for tau in (0.1, 0.5, 1.0, 2.0, 10.0)]),
        ("deviation", [ALittleIsEnough(z=tau, sign=1) for tau in (0.1, 0.5, 1.0, 1.5, 3.0)]),
    ],
)
def test_no_strength_that_people_write_does_more_harm(direction, fixed):
    honest, rule = 1.0 + drawn(8, 4, seed=4), TrimmedMean(2)

    def harm(attack):
        sent = attack(view(honest, 2, rule))[0]
        return float(np.linalg.norm(rule.aggregate(np.vstack([honest, sent])) - honest.mean(axis=0)))

    assert harm(SearchedStrength(direction)) >= max(map(harm, fixed)) - 1e-12


@pytest.mark.parametrize("make_array", ["array-api-strict", "torch"], indirect=True)
@pytest.mark.parametrize(
    "attack", [Mimic(), Mimic(worker=1), SearchedStrength(), SearchedStrength("deviation")], ids=repr
)
def test_another_library_gets_the_same(make_array, attack):
    honest, rule = 1.0 + drawn(2, 6, 3), TrimmedMean(1)
    expected, _ = attack(view(honest, 1, rule), (), Streams(0, "attack").runs(0, 2))
    theirs = view(honest, 1, rule)
    theirs = replace(theirs, **{name: make_array(getattr(theirs, name)) for name in ("honest", "own")})
    sent, _ = attack(theirs, (), Streams(0, "attack").runs(0, 2))
    assert np.allclose(to_numpy(sent), expected, rtol=1e-12)


def test_what_is_no_number_is_not_taken():
    honest = drawn(4, 2)
    nan = replace(view(honest, 1), aggregate=lambda x: np.full(2, np.nan))
    assert np.array_equal(SearchedStrength(start=3.0)(nan)[0][0], -3.0 * honest.mean(axis=0))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Mimic(worker=-1), "Mimic needs worker ≥ 0, got worker = -1"),
        (lambda: Mimic(warm_up=0), "Mimic needs warm_up ≥ 1, got warm_up = 0"),
        (lambda: Mimic(worker=4).require(6, 2, 1), "Mimic needs worker < n − f, got worker = 4, n = 6, f = 2"),
        (lambda: SearchedStrength("both"), "SearchedStrength needs direction in"),
        (lambda: SearchedStrength(evals=0), "SearchedStrength needs evals ≥ 1, got evals = 0"),
        (lambda: SearchedStrength(delta=0.0), "SearchedStrength needs delta ≠ 0"),
        (lambda: SearchedStrength(ratio=0.5), "SearchedStrength needs 0.5 < ratio < 1, got ratio = 0.5"),
        (lambda: SearchedStrength("deviation").require(3, 2, 1), "needs n − f ≥ 2, got n = 3, f = 2"),
    ],
)
def test_what_cannot_be_is_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
