"""Observers: each against its definition in plain NumPy, round by round, and what it must say of known rules."""

from __future__ import annotations

import dataclasses
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from problem_with_classes import Blobs

from sims.aggregators import CenteredClipping, CoordinateMedian, Krum, Mean
from sims.attacks import ALittleIsEnough, BitFlipping
from sims.engine import Axis, Observer, simulate
from sims.observers import ClassDistances, Clipped, Kept, Picked, Push
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.problems import Quadratic

BLOBS, PLAIN = Blobs(), SGD(0.1)


@dataclasses.dataclass(frozen=True)
class Asked(Observer):
    """Another observer, and what it saw."""

    observer: Observer
    rounds: list = dataclasses.field(default_factory=list, compare=False)

    def __call__(self, seen):
        noted = self.observer(seen)
        self.rounds.append((seen, noted))
        return noted


def rounds(observer, rule, problem=BLOBS, optimizer=PLAIN, **sizes):
    """Each round that was seen, with what was noted, of one experiment with two runs; the record holds their means."""
    asked, options = Asked(observer), {"n": 9, "f": 0, "steps": 6, "runs": 2, "seed": 0, **sizes}
    record = simulate(problem, RobustSGD(rule, optimizer), observers=(asked,), every=3, **options)
    for name, values in record.observed.items():
        every = np.stack([noted[name] for _, noted in asked.rounds])
        for k in range(2):
            there = np.ma.masked_invalid(every[3 * k : 3 * k + 3])
            np.testing.assert_allclose(values[k], there.mean(axis=0).filled(np.nan), rtol=1e-12)
    return asked.rounds


def one_by_one(found):
    """Every round and run: the messages (n, d), the honest first, the aggregate, the labels, and what was noted."""
    for seen, noted in found:
        labels = seen.problem.labels(seen.sample, (), seen.g)[..., 0] if hasattr(seen.problem, "labels") else None
        for run in range(seen.x.shape[0]):
            own = {name: float(values[run]) for name, values in noted.items()}
            yield seen, seen.messages[run], seen.aggregate[run], None if labels is None else labels[run], own


# Push


@pytest.mark.parametrize("rule", [CoordinateMedian(), CenteredClipping(tau=0.5), Krum(2)])
def test_push_is_the_component_along_the_attack(rule):
    quadratic = Quadratic.between(0.5, 1.0, 4, sigma_sq=1.0)
    found = rounds(Push(), rule, quadratic, f=2, attack=ALittleIsEnough(z=1.5), x0=3.0)
    for seen, messages, a, _, noted in one_by_one(found):
        h, b = messages[: seen.g].mean(axis=0), messages[seen.g :].mean(axis=0)
        push = (a - h) @ (b - h) / np.linalg.norm(b - h)
        assert noted["push"] == pytest.approx(push, rel=1e-12)
        assert noted["step"] == pytest.approx(np.linalg.norm(a), rel=1e-12)


def test_the_mean_is_pushed_by_its_share_of_attackers_times_their_distance():
    for seen, messages, _, _, noted in one_by_one(rounds(Push(), Mean(), f=3, attack=BitFlipping())):
        gap = np.linalg.norm(messages[seen.g :].mean(axis=0) - messages[: seen.g].mean(axis=0))
        assert noted["push"] == pytest.approx(3 / 9 * gap, rel=1e-12)


def test_nobody_pushes_where_nobody_attacks():
    for _, noted in rounds(Push(), Mean()):
        assert np.all(np.isnan(noted["push"]))
        assert np.all(noted["step"] > 0)


# Kept


def names(count):
    return [f"kept_{k}" for k in range(count)]


def by_least_squares(messages, a, labels, classes):
    """κ by NumPy's own least squares, the parts of the classes that are there as columns; they are independent here."""
    there = [k for k in range(classes) if np.any(labels == k)]
    parts = np.stack([messages[labels == k].sum(axis=0) / len(messages) for k in there], axis=1)
    kappa = np.full(classes, np.nan)
    kappa[there] = np.linalg.lstsq(parts, a, rcond=None)[0]
    return kappa


@pytest.mark.parametrize("rule", [CoordinateMedian(), Krum(3), CenteredClipping(tau=1.0), Mean()])
def test_kept_is_least_squares_in_the_parts_of_the_classes(rule):
    for _, messages, a, labels, noted in one_by_one(rounds(Kept(), rule)):
        expected = by_least_squares(messages, a, labels, 3)
        np.testing.assert_allclose([noted[name] for name in names(3)], expected, rtol=1e-9, atol=1e-12)


def test_the_mean_keeps_exactly_one_of_every_class_that_is_there():
    present = 0
    for _, _, _, labels, noted in one_by_one(rounds(Kept(), Mean(), steps=30)):
        for k in range(3):
            here = bool(np.any(labels == k))
            present += here
            assert noted[f"kept_{k}"] == (1.0 if here else pytest.approx(np.nan, nan_ok=True))
    assert 100 < present < 180  # a class is missing now and then


@dataclasses.dataclass(frozen=True)
class Only(Mean):
    """The mean of the messages that are long in one of the first `count` coordinates, where the first classes are."""

    count: int = 1

    def reduce(self, x):
        long = np.abs(x[..., : self.count]).max(axis=-1) > 2
        return np.sum(x * long[..., None], axis=-2) / x.shape[-2]


def test_a_rule_that_ignores_a_class_keeps_none_of_it():
    """Its part of the mean alone is left out: the others are kept whole."""
    for _, _, _, labels, noted in one_by_one(rounds(Kept(), Only(count=2), optimizer=SGD(0.0))):
        for k in range(3):
            if np.any(labels == k):
                assert noted[f"kept_{k}"] == pytest.approx(float(k < 2), abs=1e-9)


def test_krum_keeps_one_class_only_and_the_most_frequent_the_most():
    found = list(one_by_one(rounds(Kept(), Krum(3), Blobs(spread=0.01), steps=100, optimizer=SGD(0.0))))
    for _, messages, a, labels, noted in found:
        picked = labels[np.all(messages == a, axis=1)][0]
        for k in range(3):
            if np.any(labels == k):
                expected = 9 / np.count_nonzero(labels == k) if k == picked else 0
                assert noted[f"kept_{k}"] == pytest.approx(expected, abs=0.2)
    means = np.nanmean([[noted[name] for name in names(3)] for *_, noted in found], axis=0)
    assert means[0] > 1 > max(means[1:])  # one drawn at random would have 1 of each


def seen_of(messages, aggregate, labels, classes, **fields):
    problem = SimpleNamespace(classes=classes, labels=lambda *_: np.asarray(labels)[:, None], batch=1)
    messages, n = np.asarray(messages, dtype=float), len(labels)
    given = {"problem": problem, "sample": None, "memory": (), "n": n, "g": n, "messages": messages}
    return SimpleNamespace(**given, gradients=messages, aggregate=np.asarray(aggregate, dtype=float), **fields)


def test_parallel_classes_share_what_is_lost_and_a_part_of_length_zero_has_no_share():
    seen = seen_of([[1.0, 0.0], [3.0, 0.0], [0.0, 0.0]], [0.0, 0.0], [0, 1, 2], 4)
    noted = Kept()(seen)  # z₁ + z₂ = −(1 + 3)/3, shortest where z₁ = z₂
    assert float(noted["kept_0"]) == pytest.approx(1 - 2)
    assert float(noted["kept_1"]) == pytest.approx(1 - 2 / 3)
    assert np.isnan(noted["kept_2"])
    assert np.isnan(noted["kept_3"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_part_of_which_only_rounding_is_left_has_no_share_and_takes_none_from_others(dtype):
    for seed in range(30):
        messages = np.random.default_rng(seed).normal(size=(5, 40)).astype(dtype)
        messages[2] = -(messages[0] + messages[1])
        seen = seen_of(messages, messages[3] / 5, [0, 0, 0, 1, 2], 3)
        seen.messages, seen.aggregate = messages, seen.aggregate.astype(dtype)
        noted = Kept()(seen)
        assert np.isnan(noted["kept_0"])
        np.testing.assert_allclose([noted["kept_1"], noted["kept_2"]], [1, 0], atol=100 * np.finfo(dtype).eps)


def test_infinite_messages_leave_nothing_to_say():
    with np.errstate(invalid="ignore"):  # as in a run
        noted = Kept()(seen_of([[np.inf, 0.0], [3.0, 1.0]], [0.0, 0.0], [0, 1], 2))
    assert all(np.isnan(value) for value in noted.values())


@pytest.mark.parametrize("observer", [Kept(), ClassDistances()])
def test_what_needs_classes_says_so(observer):
    name = type(observer).__name__
    with pytest.raises(ValueError, match=f"{name} needs a problem whose samples have classes, got problem = Quadr"):
        rounds(observer, Mean(), Quadratic.between(0.5, 1.0, 4, sigma_sq=1.0))
    with pytest.raises(ValueError, match=f"{name} needs one image a worker, batch = 1, got batch = 2"):
        rounds(observer, Mean(), Blobs(batch=2))


# Clipped


@pytest.mark.parametrize("attack", [BitFlipping(), ALittleIsEnough(z=1.0)])
def test_clipped_counts_messages_beyond_the_radius_around_the_last_aggregate(attack):
    centre, shares = np.zeros((2, 6)), []
    optimizer = WorkerMomentum(0.1, 0.5)
    for seen, noted in rounds(Clipped(), CenteredClipping(tau=1.5), optimizer=optimizer, f=2, attack=attack):
        norms = np.linalg.norm(seen.messages - centre[:, None], axis=-1)
        np.testing.assert_array_equal(noted["clipped"], np.mean(norms[:, :7] > 1.5, axis=1))
        np.testing.assert_array_equal(noted["clipped_byzantine"], np.mean(norms[:, 7:] > 1.5, axis=1))
        np.testing.assert_allclose(noted["from_centre"], norms[:, :7].mean(axis=1))
        centre, shares = seen.aggregate, [*shares, *noted["clipped"]]
    assert 0 < np.mean(shares) < 1


def test_clipped_goes_along_axes_of_the_radius_and_is_the_first_step():
    tau = Axis("tau", [0.01, 1e6])
    asked = Asked(Clipped())
    algorithm = RobustSGD(CenteredClipping(tau=tau, steps=3), SGD(0.1))
    simulate(BLOBS, algorithm, n=5, f=0, steps=4, runs=3, seed=0, observers=(asked,))
    for _, noted in asked.rounds:
        np.testing.assert_array_equal(noted["clipped"], [[1.0] * 3, [0.0] * 3])
        assert np.all(np.isnan(noted["clipped_byzantine"]))


@pytest.mark.parametrize(("radii", "share"), [((0.01, 1e6), 1.0), ((1e6, 0.01), 0.0)])
def test_of_several_radii_the_first_tells_what_is_clipped(radii, share):
    for _, noted in rounds(Clipped(), CenteredClipping(radii, steps=2), f=2, attack=BitFlipping()):
        for name in ("clipped", "clipped_byzantine"):
            np.testing.assert_array_equal(noted[name], share)


def test_a_rule_that_does_not_clip_has_no_radius():
    for _, noted in rounds(Clipped(), Mean()):
        assert all(np.all(np.isnan(values)) for values in noted.values())


# Picked


def test_krum_picks_a_worker_of_a_class_and_the_median_none():
    byzantine = 0.0
    for seen, messages, a, labels, noted in one_by_one(
        rounds(Picked(), Krum(2), f=3, attack=BitFlipping(), steps=30, optimizer=WorkerMomentum(0.1, 0.9, False))
    ):
        [worker] = np.flatnonzero(np.all(messages == a, axis=1))
        assert noted["picked"] == 1
        assert noted["picked_byzantine"] == float(worker >= seen.g)
        byzantine += noted["picked_byzantine"]
        for k in range(3):
            expected = np.nan if worker >= seen.g else float(labels[worker] == k)
            assert noted[f"picked_class_{k}"] == pytest.approx(expected, nan_ok=True)
    assert 0 < byzantine < 60
    for _, noted in rounds(Picked(), CoordinateMedian(), n=8):
        assert np.all(noted["picked"] == 0)
        assert all(np.all(np.isnan(values)) for name, values in noted.items() if name != "picked")


def test_a_message_that_honest_workers_sent_is_theirs_in_shares():
    seen = seen_of([[1.0], [2.0], [1.0], [1.0]], [1.0], [0, 1, 1, 0], 2)
    seen.g = 3
    noted = Picked()(seen)
    assert {name: float(value) for name, value in noted.items()} == {
        "picked": 1,
        "picked_byzantine": 0,
        "picked_class_0": 0.5,
        "picked_class_1": 0.5,
    }


def test_without_classes_it_says_only_whether_an_attacker_was_picked():
    quadratic = Quadratic.between(0.5, 1.0, 4, sigma_sq=1.0)
    for _, noted in rounds(Picked(), Krum(2), quadratic, f=2, attack=BitFlipping()):
        assert set(noted) == {"picked", "picked_byzantine"}


# ClassDistances


def test_class_distances_are_means_over_pairs():
    lacking = 0
    for seen, messages, _, labels, noted in one_by_one(rounds(ClassDistances(), Mean(), n=5, steps=30)):
        pairs = list(itertools.combinations(range(seen.g), 2))
        for name, one in (("within", True), ("between", False)):
            own = [
                np.sum((messages[i] - messages[j]) ** 2) for i, j in pairs if (labels[i] == labels[j]) is np.bool_(one)
            ]
            expected = np.mean(own) if own else np.nan
            lacking += not own
            assert noted[name] == pytest.approx(expected, rel=1e-9, nan_ok=True)
    assert 0 < lacking < 30


def test_by_layer_they_add_up():
    rng = np.random.default_rng(0)
    seen = seen_of(rng.normal(size=(6, 5)), np.zeros(5), [0, 0, 1, 1, 1, 2], 3)
    seen.problem.net = SimpleNamespace(layers={"conv.0": slice(0, 2), "fc": slice(2, 5)})
    noted = {name: float(value) for name, value in ClassDistances()(seen).items()}
    assert set(noted) == {f"{kind}{layer}" for kind in ("within", "between") for layer in ("", "_conv_0", "_fc")}
    for kind in ("within", "between"):
        assert noted[kind] == pytest.approx(noted[f"{kind}_conv_0"] + noted[f"{kind}_fc"])
    pair = seen.messages[0, :2] - seen.messages[1, :2]
    others = [seen.messages[i, :2] - seen.messages[j, :2] for i, j in ((2, 3), (2, 4), (3, 4))]
    assert noted["within_conv_0"] == pytest.approx(np.mean([np.sum(v**2) for v in (pair, *others)]))
