"""The engine needs an oracle and no more: a game, whose gradients are those of no function, and its own measures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from sims.aggregators import CenteredClipping, Mean, TrimmedMean
from sims.attacks import ALittleIsEnough, LabelFlipping
from sims.backend import namespace
from sims.engine import Experiment, Record, Streams, simulate
from sims.optimizers import SGD, RobustSGD, WorkerMomentum, WorkerMVR
from sims.problems import Labelled, Oracle, Problem, Quadratic


@dataclass(frozen=True)
class Game(Oracle):
    """min over a, max over b of ab + μ(a² − b²)/2: the players' gradients (b + μa, −a + μb) with noise uniform on ±½.

    No function has this gradient field, since its Jacobian is not symmetric.
    """

    mu: float = 0.1

    @property
    def dim(self) -> int:
        return 2

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return (2,)

    def draw(self, streams: Any, steps: int, n: int) -> np.ndarray:
        return streams.uniform(steps, (n, 2))

    def field(self, x: Any) -> Any:
        a, b = x[..., 0], x[..., 1]
        return namespace(x).stack([b + self.mu * a, self.mu * b - a], axis=-1)

    def oracle(self, x: Any, sample: Any, honest: int | None = None) -> Any:
        return self.field(x)[..., None, :] + (sample - 0.5)

    def measure(self, x: Any) -> dict[str, Any]:
        return {"radius": namespace(x).sqrt(x[..., 0] ** 2 + x[..., 1] ** 2), "players": x}


GAME, SIZES = Game(), {"n": 7, "f": 2, "steps": 12, "runs": 3, "seed": 4, "x0": [1.0, -2.0]}
ALGORITHM = RobustSGD(CenteredClipping(1.0), WorkerMomentum(0.1, 0.5))


def test_a_game_is_no_problem_and_has_no_constants():
    assert not isinstance(GAME, Problem)
    assert not hasattr(GAME, "L")
    jacobian = np.stack([GAME.field(row) for row in np.eye(2)])
    assert not np.array_equal(jacobian, jacobian.T)


def test_it_is_played_round_by_round():
    """Against a plain loop over rounds and workers, with nobody lying."""
    record = simulate(GAME, RobustSGD(TrimmedMean(2), WorkerMomentum(0.1, 0.5)), **SIZES | {"f": 0})
    samples = GAME.draw(Streams(4, "sample").runs(0, 3), 12, 7)
    for run in range(3):
        (a, b), momenta, radii = (1.0, -2.0), np.zeros((7, 2)), [np.hypot(1.0, 2.0)]
        for t in range(12):
            for i in range(7):
                gradient = np.array([b + 0.1 * a, -a + 0.1 * b]) + samples[t, run, i] - 0.5
                momenta[i] = 0.5 * gradient + 0.5 * momenta[i]
            a, b = np.array([a, b]) - 0.1 * np.sort(momenta, axis=0)[2:5].mean(axis=0)
            radii.append(np.hypot(a, b))
        np.testing.assert_allclose(record.x[run], (a, b), rtol=1e-12)
        np.testing.assert_allclose(record.measures["radius"][:, run], radii, rtol=1e-12)


def test_its_measures_are_in_the_record_with_their_own_axes():
    record = simulate(GAME, ALGORITHM, attack=ALittleIsEnough(z=1.0), every=5, **SIZES)
    assert list(record.measures) == ["radius", "players"]
    assert record.times.tolist() == [0, 5, 10, 12]
    assert record.measures["radius"].shape == (4, 3)
    assert record.measures["players"].shape == (4, 3, 2)
    np.testing.assert_array_equal(record.measures["players"][-1], record.x)
    stored = json.loads(json.dumps(record.as_dict(), allow_nan=False))
    assert stored["radius"] == record.measures["radius"].tolist()
    assert "excess" not in stored
    assert len(record.key()) == 32


def test_what_was_not_measured_is_said_so():
    record = simulate(GAME, ALGORITHM, **SIZES)
    assert not hasattr(record, "excess")
    with pytest.raises(AttributeError, match="no sq_distances was measured, only radius, players"):
        _ = record.sq_distances


@pytest.mark.parametrize("name", ["x", "time", "run", "times", "configuration", "versions", "coordinate"])
def test_a_measure_may_not_hide_another_part_of_the_record(name):
    configuration, none = {"axes": [], "grid": [], "seed": 0}, np.zeros((0, 1))
    with pytest.raises(ValueError, match=f"something else under the name of the measure '{name}'"):
        Record(np.array([0]), {name: np.zeros((1, 1))}, none, np.zeros((1, 1)), configuration)
    with pytest.raises(ValueError, match=f"something else under the name of what was observed, '{name}'"):
        Record(np.array([0]), {}, none, np.zeros((1, 1)), configuration, {name: none})


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("optimizer", [SGD(0.1), WorkerMVR(0.1, 0.3)], ids=["SGD", "MVR"])
def test_its_runs_depend_neither_on_batch_nor_on_chunk(optimizer, shuffle):
    options = SIZES | {"attack": ALittleIsEnough(z=1.0), "shuffle": shuffle}
    whole = simulate(GAME, RobustSGD(Mean(), optimizer), **options)
    part = simulate(GAME, RobustSGD(Mean(), optimizer), **options | {"runs": 2, "first_run": 1}, chunk=5)
    np.testing.assert_array_equal(part.measures["radius"], whole.measures["radius"][:, 1:])


@dataclass(frozen=True)
class Guess(Labelled, Game):
    """The same game with a label for each worker, on whose side the noise is."""

    def oracle(self, x: Any, sample: Any, honest: int | None = None, flip: bool = False) -> Any:
        xp = namespace(x, sample)
        noise = xp.where(sample < 0.5, -xp.ones_like(sample), xp.ones_like(sample))
        if flip and honest is not None:
            noise = xp.concat([noise[..., :honest, :], -noise[..., honest:, :]], axis=-2)
        return self.field(x)[..., None, :] + noise


def test_labels_of_an_oracle_can_be_flipped():
    with pytest.raises(ValueError, match="LabelFlipping needs a problem with labels, got problem = Game"):
        Experiment(GAME, ALGORITHM, attack=LabelFlipping(), **SIZES)
    plain = RobustSGD(Mean(), SGD(0.1))
    honest, flipped = (simulate(Guess(), plain, attack=a, **SIZES | {"steps": 1}).x for a in (None, LabelFlipping()))
    samples = GAME.draw(Streams(4, "sample").runs(0, 3), 1, 7)[0]
    theirs = np.where(samples[:, 5:] < 0.5, -1.0, 1.0).sum(axis=1)
    np.testing.assert_allclose(flipped - honest, 0.1 * 2 * theirs / 7, atol=1e-15)


class Watched(Quadratic):
    """A problem that notes one thing more."""

    def measure(self, x: Any) -> dict[str, Any]:
        return {**super().measure(x), "first": x[..., 0]}


def test_a_problem_may_note_more():
    problem = Watched((1.0, 2.0), sigma_sq=1.0)
    record = simulate(problem, ALGORITHM, grid=(2,), **SIZES)
    plain = simulate(Quadratic((1.0, 2.0), sigma_sq=1.0), ALGORITHM, grid=(2,), **SIZES)
    assert list(record.measures) == ["excess", "sq_gradient_norms", "sq_distances", "first"]
    assert record.measures["first"].shape == (13, 2, 3)
    np.testing.assert_array_equal(record.measures["first"][-1], record.x[..., 0])
    for name, values in plain.measures.items():
        np.testing.assert_array_equal(record.measures[name], values)
