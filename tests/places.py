"""Where whole rounds are played: by `cuda_emulator`, with the threads of a block in either order, or on a GPU."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from experiments import ATTACKS, FIELDS, OPTIMIZERS, RULES

from sims import backend, kernels
from sims.aggregators import CenteredClipping
from sims.engine import Record, on_cuda, simulate, streams
from sims.kernels import dispatch, entry
from sims.kernels.cuda import launch
from sims.optimizers import RobustSGD
from sims.problems import Quadratic


@dataclasses.dataclass
class Place:
    """Where simulations are played, what was launched there, and whether NumPy adds up there."""

    backend: Any
    launches: list[str]
    prepare: Callable[[Iterable[str]], None]
    by_numpy: bool

    def play(self, problem: Quadratic, algorithm: RobustSGD, **size: Any) -> Record:
        self.launches.clear()
        size = {"n": 9, "f": 2, "steps": 12, "runs": 3, "seed": 1, "backend": self.backend, **size}
        return simulate(problem, algorithm, **size)

    def by_arrays(self, *experiment: Any, **size: Any) -> Record:
        with kernels.reference():
            record = self.play(*experiment, **size)
        assert set(self.launches) <= {"normal"}
        return record

    def by_kernel(self, *experiment: Any, **size: Any) -> Record:
        record = self.play(*experiment, **size)
        assert set(self.launches) == {"play"}
        return record


def emulated(emulator, monkeypatch):
    """NumPy's arrays stand for the device's; small experiments are played by the kernel too."""
    monkeypatch.setattr(launch, "start", emulator.launch)
    monkeypatch.setattr(on_cuda, "LEAST_ROUNDS", 1)
    for module in (entry, dispatch):
        monkeypatch.setattr(module, "is_cupy_array", lambda x: isinstance(x, np.ndarray))
    for module in (streams, importlib.import_module("sims.engine.simulate")):
        monkeypatch.setattr(module, "is_cupy_namespace", lambda xp: True)
    return Place(backend.get_namespace("numpy"), emulator.launches, emulator.prepare, by_numpy=True)


def on_the_gpu(monkeypatch):
    launches, start = [], launch.start
    monkeypatch.setattr(on_cuda, "LEAST_ROUNDS", 1)
    monkeypatch.setattr(launch, "start", lambda source, name, *a: launches.append(name) or start(source, name, *a))
    return Place("cupy", launches, lambda sources: None, by_numpy=False)


def equal(found, expected, runs=slice(None)):
    """All fields bit for bit those of some runs of another record."""
    for field in FIELDS[:4]:
        np.testing.assert_array_equal(getattr(found, field), getattr(expected, field)[..., runs], err_msg=field)
    np.testing.assert_array_equal(found.x, expected.x[..., runs, :])


def sources_of(place, simulations):
    """What several simulations are going to launch."""
    sources = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "start", lambda source, *_: sources.append(source))
        for experiment, size in simulations:
            place.play(*experiment, **size)
    return sources


def prepared(place, simulations):
    """The simulations, what they launch being compiled at once."""
    simulations = list(simulations)
    place.prepare(sources_of(place, simulations))
    return simulations


def hard(monkeypatch, rule, attack, optimizer):
    """A simulation on a grid whose cells differ, three rounds a launch, all runs by one block, four warps at work."""
    d = 70
    problem = Quadratic(tuple(np.linspace(0.5, 1.0, d)), sigma_sq=1.0, zeta_sq=2.0)
    rules = {**RULES, "clipping": CenteredClipping((np.array([[0.1], [0.5]]), 1.0), steps=2)}
    monkeypatch.setattr(launch, "MOST_ACROSS", 1)
    monkeypatch.setattr(on_cuda, "NUMBERS", 3 * 4 * 9 * d)
    size = {"grid": (2,), "runs": 2, "every": 5, "x0": np.ones(d), "attack": ATTACKS[attack]}
    return (problem, RobustSGD(rules[rule], OPTIMIZERS[optimizer])), size
