"""Classification on shards: every worker's own function, their average, its minimiser, heterogeneity at a point."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from sims.aggregators import CoordinateMedian, Mean
from sims.attacks import LabelFlipping, NoAttack
from sims.backend import to_numpy
from sims.by_name import problem_by_name
from sims.engine import Streams, describe, simulate
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.problems import HeterogeneousSoftmaxRegression, SoftmaxRegression

SETTINGS = [
    {"split": "iid"},
    {"split": "label"},
    {"split": "similarity", "similarity": 0.5},
    {"split": "shards", "pieces": 3},
    {"split": "dirichlet", "alpha": 0.2},
]
IDS = [one["split"] for one in SETTINGS]


def made(shards=4, **settings):
    return HeterogeneousSoftmaxRegression.mixture(classes=3, dim=2, size=63, ridge=0.1, shards=shards, **settings)


def values(problem, x):
    """f_i(x) of each shard by a plain loop."""
    found = []
    for row in problem.places:
        scores = problem.features[row] @ x.reshape(problem.classes, -1).T
        losses = np.log(np.sum(np.exp(scores), axis=1)) - scores[np.arange(len(row)), problem.labels[row]]
        found.append(losses.mean() + problem.ridge * (x @ x) / 2)
    return np.array(found)


@pytest.mark.parametrize("settings", SETTINGS, ids=IDS)
def test_every_worker_has_its_own_function_and_f_is_their_average(settings):
    problem, h = made(**settings), 1e-5
    assert len(np.unique(problem.places)) == problem.places.size == len(problem.point_labels)
    for x in 2 * np.random.default_rng(0).standard_normal((3, problem.dim)):
        assert problem.value(x) == pytest.approx(values(problem, x).mean(), rel=1e-13)
        steps = h * np.eye(problem.dim)
        slopes = np.array([values(problem, x + s) - values(problem, x - s) for s in steps]).T / (2 * h)
        assert problem.shard_gradients(x) == pytest.approx(slopes, abs=1e-8)
        assert problem.gradient(x) == pytest.approx(slopes.mean(axis=0), abs=1e-8)
        spread = np.mean(np.sum((slopes - slopes.mean(axis=0)) ** 2, axis=1))
        assert problem.heterogeneity(x) == pytest.approx(spread, abs=1e-6)


@pytest.mark.parametrize("settings", SETTINGS, ids=IDS)
@pytest.mark.parametrize(("n", "honest"), [(4, None), (4, 4), (7, 4), (13, 8)])
def test_gradients_of_workers_are_unbiased_for_their_shards(settings, n, honest):
    """Every place of a shard once: the mean is ∇f_i, the second moment the variance, within the bound σ²."""
    problem = made(**settings)
    k, g = problem.places.shape[1], n if honest is None else honest
    x = np.random.default_rng(1).standard_normal(problem.dim)
    sample = np.broadcast_to(((np.arange(k) + 0.5) / k)[:, None, None], (k, n, 1))
    found = problem.oracle(np.broadcast_to(x, (k, problem.dim)), sample, honest)
    own = problem.shard_gradients(x)[[*[i % 4 for i in range(g)], *[j % 4 for j in range(n - g)]]]
    assert found.mean(axis=0) == pytest.approx(own, abs=1e-14)
    variances = np.mean(np.sum((found - own) ** 2, axis=-1), axis=0)
    assert problem.variance(x) == pytest.approx(variances[:g].max(), rel=1e-12)
    assert problem.variance(x) <= problem.sigma_sq
    assert np.mean(own[:g], axis=0) == pytest.approx(problem.gradient(x), abs=1e-14)


def test_heterogeneity_by_hand():
    """Two workers with a class each at x = 0: ∇f_i = (½ − e_i) ⊗ ā_i, apart by (½, −½) ⊗ (ā_1 + ā_2)."""
    a = np.array([[1.0, 1.0], [3.0, 1.0], [-2.0, 1.0], [0.0, 1.0]])
    problem = HeterogeneousSoftmaxRegression(a, np.array([0, 0, 1, 1]), shards=2, split="label")
    first, second = np.array([2.0, 1.0]), np.array([-1.0, 1.0])
    want = np.stack([np.outer([-0.5, 0.5], first), np.outer([0.5, -0.5], second)]).reshape(2, 4)
    zero = np.zeros(4)
    assert problem.shard_gradients(zero) == pytest.approx(want, abs=1e-16)
    assert problem.heterogeneity(zero) == pytest.approx(np.sum((want[0] - want[1]) ** 2) / 4, rel=1e-14)
    assert problem.sigma_sq == 2 * (2 + 10) / 2


@pytest.mark.parametrize("settings", SETTINGS, ids=IDS)
def test_the_minimiser_is_that_of_the_points_that_are_dealt(settings):
    problem = made(**settings)
    places = problem.places.ravel()
    same = SoftmaxRegression(problem.features[places], problem.labels[places], ridge=0.1)
    assert np.array_equal(problem.x_star, same.x_star)
    assert (problem.f_star, problem.L, problem.mu) == (same.f_star, same.L, same.mu)
    slopes = problem.shard_gradients(problem.x_star)
    assert np.linalg.norm(slopes.mean(axis=0)) <= 1e-14
    assert problem.zeta_sq == pytest.approx(np.mean(np.sum(slopes**2, axis=1)), rel=1e-12)
    assert problem.excess(problem.x_star) == 0


def test_the_more_a_split_sorts_the_larger_is_the_heterogeneity():

    def median(**settings):
        problems = (
            HeterogeneousSoftmaxRegression.mixture(classes=4, size=400, ridge=0.1, shards=4, split_seed=s, **settings)
            for s in range(9)
        )
        return np.median([one.zeta_sq for one in problems])

    laws = [{"split": "dirichlet", "alpha": alpha} for alpha in (1e6, 1.0, 0.01)]
    zetas = [median(split="iid"), *(median(**one) for one in laws), median(split="label")]
    assert 0.5 < zetas[0] / zetas[1] < 2  # both at random, but for how many of each class
    assert max(zetas[:2]) * 3 < zetas[2] < zetas[3] < zetas[4] * 1.5
    assert made(shards=1, split="dirichlet").zeta_sq <= 1e-28


def test_a_simulation_is_plain_loops_and_records_the_heterogeneity():
    problem, eta = made(split="dirichlet", alpha=0.2, batch=2), 0.4
    record = simulate(
        problem, RobustSGD(Mean(), SGD(eta)), n=9, f=1, attack=NoAttack(), steps=5, runs=2, seed=3, every=1
    )
    samples = problem.draw(Streams(3, "sample").runs(0, 2), 5, 9)
    k = problem.places.shape[1]
    for run in range(2):
        x = np.zeros(problem.dim)
        for t in range(5):
            assert record.measures["heterogeneity"][t, run] == pytest.approx(float(problem.heterogeneity(x)), rel=1e-12)
            g = np.zeros((9, problem.dim))
            for worker in range(9):
                row = problem.places[(worker if worker < 8 else 0) % 4]
                for u in samples[t, run, worker]:
                    at = row[int(u * k)]
                    a, y = problem.features[at], problem.labels[at]
                    powers = np.exp(x.reshape(3, -1) @ a)
                    g[worker] += np.outer(powers / powers.sum() - np.eye(3)[y], a).ravel() / 2
            x = x - eta * (g.mean(axis=0) + 0.1 * x)
        assert record.x[run] == pytest.approx(x, rel=1e-12, abs=1e-14)


def test_labels_are_flipped_in_the_shard_that_a_byzantine_worker_has():
    problem = made(split="label", batch=3)
    other = dataclasses.replace(problem)
    flipped = SoftmaxRegression(problem.points, 2 - problem.point_labels, 0.1, 3)
    sample, x = problem.draw(Streams(0, "sample").runs(0, 2), 1, 7)[0], np.ones((2, problem.dim))
    mixed = problem.oracle(x, sample, 4, flip=True)
    assert np.array_equal(mixed[:, :4], other.oracle(x, sample, 4)[:, :4])
    k = problem.places.shape[1]
    for j in range(3):  # Byzantine worker j draws from shard j; in the data as dealt that is a stretch of [0, 1)
        there = (j * k + np.floor(sample[:, 4 + j : 5 + j] * k) + 0.5) / (4 * k)
        assert mixed[:, 4 + j : 5 + j] == pytest.approx(flipped.oracle(x, there), abs=1e-14)
    algorithm = RobustSGD(CoordinateMedian(), WorkerMomentum(0.3, 0.9))
    ends = [
        simulate(problem, algorithm, n=11, f=3, attack=one, steps=20, runs=2, seed=0).excess[-1]
        for one in (LabelFlipping(), NoAttack())
    ]
    assert np.all(np.isfinite(ends))
    assert not np.allclose(*ends)


@pytest.mark.parametrize(("n", "honest"), [(3, None), (7, 6), (4, 0), (4, 3)])
def test_workers_that_do_not_share_the_shards_evenly_are_refused(n, honest):
    """f would not be the average over the honest ones."""
    problem = made()
    with pytest.raises(
        ValueError, match=rf"multiple of shards = 4 as number of honest workers, got {honest or n}|got 0"
    ):
        problem.oracle(np.zeros(problem.dim), np.zeros((n, 1)), honest)


def test_every_array_library_gives_the_same(make_array):
    problem = made(split="dirichlet", alpha=0.3)
    x, sample = np.random.default_rng(0).standard_normal((2, problem.dim)), np.random.default_rng(1).random((2, 6, 1))
    for found, expected in (
        (
            problem.oracle(make_array(x), make_array(sample), 4, flip=True),
            problem.oracle(x, sample, 4, flip=True),
        ),
        (problem.heterogeneity(make_array(x)), problem.heterogeneity(x)),
        (problem.shard_gradients(make_array(x)), problem.shard_gradients(x)),
        (problem.variance(make_array(x)), problem.variance(x)),
        (problem.excess(make_array(x)), problem.excess(x)),
    ):
        assert to_numpy(found) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_who_has_what_is_decided_by_the_seed_of_the_split_alone():
    one = made(split="dirichlet", alpha=0.3)
    assert np.array_equal(made(split="dirichlet", alpha=0.3).places, one.places)
    assert not np.array_equal(made(split="dirichlet", alpha=0.3, split_seed=1).places, one.places)
    data = HeterogeneousSoftmaxRegression.mixture(size=64, seed=5, shards=2, split="iid").places
    assert np.array_equal(HeterogeneousSoftmaxRegression.mixture(size=64, seed=6, shards=2, split="iid").places, data)
    described = describe(one)
    one.measure(one.x_star)
    assert describe(one) == described  # what is worked out is none of it
    keys = {"shards": 3, "split": "iid", "alpha": 0.4, "split_seed": 2}
    for name, value in keys.items():
        changes = {name: value} | ({"alpha": 1.0} if name == "split" else {})
        assert describe(dataclasses.replace(one, **changes)) != described


def test_a_file_can_name_it():
    made_ = problem_by_name(
        "HeterogeneousSoftmaxRegression.mixture",
        {"classes": 3, "dim": 2, "size": 63, "shards": 3, "split": "similarity", "similarity": 0.25},
    )
    assert made_.places.shape == (3, 21)
    assert made_.split == "similarity"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"shards": 0},
            "HeterogeneousSoftmaxRegression needs shards ≥ 1, got shards = 0",
        ),
        ({"shards": 64}, "got shards = 64 for 63"),
        ({"shards": 2.0}, "got shards = 2.0"),
        ({"shards": True}, "got shards = True"),
        ({"split": "dirichelt"}, "needs split iid or label or .*, got split = 'dirichelt'"),
        ({"alpha": -1.0}, "needs alpha > 0, got alpha = -1.0"),
        ({"alpha": math.nan}, "got alpha = nan"),
        ({"alpha": 0.5, "split": "iid"}, "takes alpha only with split = 'dirichlet', got split = 'iid'"),
        ({"similarity": 0.5}, "takes similarity only with split = 'similarity', got split = 'dirichlet'"),
        ({"split": "shards", "pieces": 16}, "a point for each worker or piece, got 63 for 4 workers with pieces = 16"),
        ({"split_seed": -1}, "needs split_seed ≥ 0, got split_seed = -1"),
        ({"split_seed": 1.0}, "got split_seed = 1.0"),
        ({"ridge": 0.0}, "needs ridge > 0, got ridge = 0.0"),
    ],
)
def test_what_cannot_be_is_refused(settings, told):
    settings = {"ridge": 0.1, "shards": 4, **settings}
    with pytest.raises(ValueError, match=told):
        HeterogeneousSoftmaxRegression.mixture(classes=3, dim=2, size=63, **settings)
