"""Observers on networks: in float32 and by layer, beside NumPy in float64."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sims.aggregators import CenteredClipping, Krum, Mean  # noqa: E402
from sims.attacks import ALittleIsEnough, LabelFlipping  # noqa: E402
from sims.engine import Observer, simulate  # noqa: E402
from sims.neural.problem import ImageClassification  # noqa: E402
from sims.observers import ClassDistances, Clipped, Kept, Picked, Push  # noqa: E402
from sims.optimizers import SGD, RobustSGD  # noqa: E402

SMALL = ImageClassification(model="mlp", batch=1, gamma=0.5, test_size=200)


@dataclasses.dataclass(frozen=True)
class Seeing(Observer):
    """What happened, kept."""

    rounds: list = dataclasses.field(default_factory=list, compare=False)

    def __call__(self, seen):
        self.rounds.append(seen)
        return {}


def played(rule, observers, attack=None, **sizes):
    seeing, options = Seeing(), {"n": 8, "f": 0, "steps": 4, "runs": 1, "seed": 0, **sizes}
    options |= {} if attack is None else {"attack": attack}
    record = simulate(SMALL, RobustSGD(rule, SGD(0.05)), observers=(seeing, *observers), **options)
    return seeing.rounds, record


def test_the_mean_keeps_every_class_exactly_and_krum_one():
    rounds, record = played(Mean(), [Kept(), Picked()])
    kept = np.stack([record.observed[f"kept_{k}"][:, 0] for k in range(10)], axis=1)
    for seen, row in zip(rounds, kept, strict=True):
        present = np.isin(np.arange(10), SMALL.labels(seen.sample, seen.memory, 8).numpy())
        np.testing.assert_allclose(row, np.where(present, 1.0, np.nan), atol=1e-4)
    rounds, record = played(Krum(2), [Kept(), Picked()])
    for t, seen in enumerate(rounds):
        labels = SMALL.labels(seen.sample, seen.memory, 8).numpy()[0, :, 0]
        [worker] = np.flatnonzero((seen.messages[0] == seen.aggregate[0]).all(dim=-1).numpy())
        parts = np.stack([seen.messages[0].double().numpy()[labels == k].sum(axis=0) / 8 for k in sorted(set(labels))])
        kappa = np.linalg.lstsq(parts.T, seen.aggregate[0].double().numpy(), rcond=None)[0]
        for k, expected in zip(sorted(set(labels)), kappa, strict=True):
            assert record.observed[f"kept_{k}"][t, 0] == pytest.approx(expected, rel=1e-3, abs=1e-3)
        assert record.observed[f"picked_class_{labels[worker]}"][t, 0] == 1


def test_class_distances_by_layer():
    rounds, record = played(Mean(), [ClassDistances()])
    names = {"within", "between"} | {f"{kind}_{layer}" for kind in ("within", "between") for layer in ("1", "3")}
    assert set(record.observed) == names
    for t, seen in enumerate(rounds):
        labels, g = SMALL.labels(seen.sample, seen.memory, 8).numpy()[0, :, 0], seen.gradients[0].double().numpy()
        pairs = [(i, j) for i, j in itertools.combinations(range(8), 2) if labels[i] != labels[j]]
        layers = [("", slice(None)), *((f"_{name}", where) for name, where in SMALL.net.layers.items())]
        for name, where in layers:
            expected = np.mean([np.sum((g[i, where] - g[j, where]) ** 2) for i, j in pairs])
            assert record.observed[f"between{name}"][t, 0] == pytest.approx(expected, rel=1e-4)


def test_clipping_and_the_push_of_an_attack():
    rounds, record = played(CenteredClipping(tau=3.0), [Clipped(), Push()], ALittleIsEnough(z=1.0), f=2)
    centre = np.zeros(SMALL.dim)
    for t, seen in enumerate(rounds):
        messages = seen.messages[0].double().numpy()
        norms = np.linalg.norm(messages - centre, axis=-1)
        assert record.observed["clipped"][t, 0] == pytest.approx(np.mean(norms[:6] > 3.0))
        honest, towards = messages[:6].mean(axis=0), messages[6:].mean(axis=0) - messages[:6].mean(axis=0)
        centre = seen.aggregate[0].double().numpy()
        push = (centre - honest) @ towards / np.linalg.norm(towards)
        assert record.observed["push"][t, 0] == pytest.approx(push, rel=1e-3)


def test_labels_are_those_before_flipping():
    rounds, record = played(Krum(1), [Picked(), Kept()], LabelFlipping(), f=1)
    for t, seen in enumerate(rounds):
        labels = SMALL.labels(seen.sample, seen.memory, 7).numpy()[0, :7, 0]
        for k in set(range(10)) - set(labels):
            assert np.isnan(record.observed[f"kept_{k}"][t, 0])
