"""The engine on a CUDA device: which simulations one kernel plays, its draws, its launches, what is fetched."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cuda_emulator import Emulator
from experiments import OPTIMIZERS, PROBLEM, RULES
from on_device import compiled
from places import emulated, equal

from sims import backend
from sims.aggregators import RFA, Clipping, CoordinateMedian, Krum, Mean, MultiKrum
from sims.attacks import ALittleIsEnough, MinMax
from sims.engine import Experiment, Streams, on_cuda
from sims.kernels import dispatch
from sims.kernels.cuda import launch, random
from sims.optimizers import SGD, RobustSGD, ServerMomentum, WeightDecay, WorkerMomentum
from sims.problems import Bernoulli, Quadratic, Sinusoidal

MEDIAN = RobustSGD(CoordinateMedian(), WorkerMomentum(0.1, 0.9))


@pytest.mark.parametrize("first_run", [0, 2**33 - 1])
def test_the_draws_are_those_of_the_streams_number_for_number(place, first_run):
    """One worker walks by its noise alone, in cell k of the grid in round k + 1 alone."""
    d, steps = 3, 6
    problem = Quadratic((0.0,) * d, sigma_sq=float(d))
    algorithm = RobustSGD(Mean(), SGD(lambda t: (np.arange(steps) == t - 1)[:, None]))
    size = {"n": 1, "f": 0, "grid": (steps,), "steps": steps, "runs": 2, "first_run": first_run}
    record = place.by_kernel(problem, algorithm, **size)
    word, runs = Streams(1, "sample").word, range(first_run, first_run + 2)
    xp = backend.get_namespace(place.backend) if isinstance(place.backend, str) else place.backend
    drawn = backend.to_numpy(random.DeviceStreams(word, runs, xp).normal(steps, (1, d)))[:, :, 0]
    np.testing.assert_array_equal(-record.x, drawn)
    np.testing.assert_allclose(drawn, random.draw_on_host("normal", word, runs, 0, steps, (d,)), rtol=1e-13)


@pytest.mark.parametrize("rule", RULES)
def test_a_run_depends_neither_on_its_batch_nor_on_launches_or_blocks(place, monkeypatch, rule):
    """Momenta and centres survive from one launch to the next, and a block takes several runs, one after the other."""
    experiment = (PROBLEM, RobustSGD(RULES[rule], OPTIMIZERS[2]))
    size = {"n": 9, "attack": ALittleIsEnough(), "x0": np.ones(3), "every": 5, "seed": 4}
    whole = place.by_kernel(*experiment, **size, runs=7)
    assert place.launches == ["play"]
    for first, runs in ((0, 2), (2, 1), (3, 4)):
        part = place.by_kernel(*experiment, **size, runs=runs, first_run=first)
        equal(part, whole, slice(first, first + runs))
    for row in place.by_kernel(*experiment, **size, runs=7, grid=(2,)).x:
        np.testing.assert_array_equal(row, whole.x)
    monkeypatch.setattr(launch, "MOST_ACROSS", 2)
    monkeypatch.setattr(on_cuda, "NUMBERS", 5 * 7 * 9 * 3)  # five rounds
    equal(place.by_kernel(*experiment, **size, runs=7), whole)
    assert place.launches == ["play"] * 3


def test_everything_else_is_left_to_the_array_engine(place, monkeypatch):
    class OwnMean(Mean):
        """Somebody's own rule."""

    class There:
        """A parameter on the device: NumPy may not have it."""

        shape = ()

        def __array__(self, *_: Any, **__: Any) -> np.ndarray:
            raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def fits(problem=PROBLEM, algorithm=MEDIAN, **changes):
        size = {"n": 9, "f": 2, "steps": 12, "seed": 0, "runs": 3}
        return on_cuda.program(Experiment(problem, algorithm, **(size | changes)))[0] is not None

    assert fits()
    assert not fits(n=dispatch.MOST_WORKERS + 1)
    assert not fits(algorithm=RobustSGD(OwnMean(), SGD(0.1)))
    assert not fits(algorithm=RobustSGD(MultiKrum(1), SGD(0.1)))
    assert not fits(algorithm=RobustSGD(Mean(), SGD(lambda t: There())))
    curved = Quadratic(np.array([[1.0, 2.0], [3.0, 4.0], [0.5, 1.0]]), sigma_sq=1.0)
    apart = Quadratic((1.0, 2.0), sigma_sq=1.0, zeta_sq=np.array([0.0, 1.0, 2.0]))
    for thing, changes in (
        ("problem Bernoulli", {"problem": Bernoulli(0.5)}),
        ("problem Sinusoidal", {"problem": Sinusoidal(1.0)}),
        ("problem Quadratic", {"problem": curved, "axes": {"run": range(3)}}),
        ("problem Quadratic", {"problem": apart, "axes": {"run": range(3)}}),
        ("rule Krum", {"algorithm": RobustSGD(Krum(2, "byzfl"), SGD(0.1))}),
        ("rule Clipping", {"algorithm": RobustSGD(Clipping(Mean(), 1.0), SGD(0.1))}),
        ("optimizer ServerMomentum", {"algorithm": RobustSGD(Mean(), ServerMomentum(0.1, 0.9))}),
        ("optimizer WeightDecay", {"algorithm": RobustSGD(Mean(), WeightDecay(SGD(0.1), 0.1))}),
        ("attack MinMax", {"attack": MinMax()}),
    ):
        size: dict[str, Any] = {"n": 9, "f": 2, "steps": 12, "seed": 0, "runs": 3, **changes}
        parts = size.pop("problem", PROBLEM), size.pop("algorithm", MEDIAN)
        reasons = on_cuda.program(Experiment(*parts, **size))[1]
        assert [f"the {thing} has" in reason and "device" in reason for reason in reasons] == [True]
    monkeypatch.setattr(on_cuda, "LEAST_ROUNDS", 13)
    assert not fits()
    assert fits(steps=13)
    place.by_arrays(PROBLEM, MEDIAN)
    place.play(PROBLEM, MEDIAN)
    assert "play" not in place.launches
    place.play(PROBLEM, MEDIAN, steps=13, shuffle=True)
    assert "play" not in place.launches
    place.by_kernel(PROBLEM, MEDIAN, steps=13)


@compiled
def test_only_the_results_are_fetched_and_after_all_launches(libraries, monkeypatch):
    place, fetched, made = emulated(Emulator(libraries), monkeypatch), [], []
    monkeypatch.setattr(on_cuda, "to_numpy", lambda x: fetched.append(len(place.launches)) or x)
    monkeypatch.setattr(on_cuda, "NUMBERS", 1)
    original = place.backend.asarray
    monkeypatch.setattr(place.backend, "asarray", lambda *a, **k: made.append(len(place.launches)) or original(*a, **k))
    place.by_kernel(PROBLEM, RobustSGD(RFA(), OPTIMIZERS[2]))
    assert fetched == [12, 12]
    assert made.count(0) == 4  # the start and three tables; what comes after the last launch is the host's own
    assert set(made) <= {0, 12}
