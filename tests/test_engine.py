"""The engine's numbers do not depend on how they are computed, and bad input is refused."""

import functools
import sys
from dataclasses import dataclass

import array_api_strict
import numpy as np
import pytest

from sims import kernels
from sims.aggregators import CenteredClipping, GeometricMedian, Krum, Mean, TrimmedMean
from sims.attacks import ALittleIsEnough, Attack, BitFlipping, InnerProductManipulation
from sims.engine import simulate
from sims.optimizers import SGD, RobustSGD, ServerMomentum, WorkerMomentum
from sims.problems import Pareto, Quadratic, Rademacher

MEASURED = ("times", "excess", "sq_gradient_norms", "sq_distances", "sq_aggregate_errors", "x")
PROBLEM, ALGORITHM = Quadratic((1.0, 2.0), sigma_sq=1.0), RobustSGD(CenteredClipping(tau=1.0), SGD(0.1))
SIZES = {"n": 5, "f": 1, "steps": 7, "runs": 2, "seed": 0}


@dataclass(frozen=True)
class Spray(Attack):
    """Gaussian noise around the honest mean: an attack that draws."""

    enters = "gradients"

    def send(self, view, state, rng):
        noise = rng.normal(1, view.own.shape[-2:])[0]
        return view.honest_gradients.mean(axis=-2, keepdims=True) + noise, state


@dataclass(frozen=True)
class Constant(Attack):
    """The same number in every coordinate, submitted as a gradient or as a message."""

    value: float
    enters: str = "messages"

    def send(self, view, state, rng):
        return view.own * 0.0 + self.value, state


SETTINGS = {
    "mean, d = 1": (Pareto(), RobustSGD(Mean(), SGD(0.1)), {"n": 23, "f": 2, "attack": InnerProductManipulation()}),
    "clipping, ALIE": (
        Quadratic.between(0.5, 4.0, 7, sigma_sq=1.0, zeta_sq=0.5),
        RobustSGD(CenteredClipping(tau=0.5, steps=2), WorkerMomentum(0.2, 0.9)),
        {"n": 11, "f": 3, "attack": ALittleIsEnough()},
    ),
    "krum, shuffled": (
        Quadratic.between(0.5, 4.0, 3, sigma_sq=1.0),
        RobustSGD(Krum(f=2), ServerMomentum(0.2, 0.5)),
        {"n": 9, "f": 2, "attack": BitFlipping(), "shuffle": True},
    ),
    "trimmed, drawing attack": (
        Rademacher(dim=2),
        RobustSGD(TrimmedMean(f=1), WorkerMomentum(0.2, 0.5)),
        {"n": 6, "f": 1, "attack": Spray(), "shuffle": True},
    ),
    "geometric median": (
        Pareto(dim=3),
        RobustSGD(GeometricMedian(), SGD(0.2)),
        {"n": 5, "f": 1, "attack": BitFlipping(on="messages")},
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_run_does_not_depend_on_batch_chunk_or_split(name):
    problem, algorithm, options = SETTINGS[name]
    run = functools.partial(simulate, problem, algorithm, steps=13, seed=7, **options)
    whole = run(runs=6)
    for first, count, chunk in ((0, 6, 1), (0, 6, 5), (0, 1, None), (4, 1, 3), (2, 3, 13), (5, 1, 1)):
        part = run(runs=count, first_run=first, chunk=chunk)
        for field in MEASURED[1:]:
            ours, theirs = getattr(whole, field), getattr(part, field)
            expected = ours[first : first + count] if field == "x" else ours[:, first : first + count]
            assert np.array_equal(expected, theirs), (field, first, count, chunk)
    other = run(runs=6, first_run=6)
    assert not np.any(whole.sq_distances[1:] == other.sq_distances[1:]) or isinstance(problem, Rademacher)
    assert np.any(whole.x != other.x)


@pytest.mark.parametrize("name", ["mean, d = 1", "clipping, ALIE", "krum, shuffled", "trimmed, drawing attack"])
def test_array_api_strict_gives_the_same_bits(name):
    problem, algorithm, options = SETTINGS[name]
    if isinstance(options["attack"], Spray):
        options = {**options, "attack": Constant(3.0, "gradients")}  # Spray adds NumPy's draws as they come
    run = functools.partial(simulate, problem, algorithm, runs=3, steps=6, seed=7, **options)
    with kernels.reference():
        ours = run()
    strict = run(backend=array_api_strict)
    for field in MEASURED:
        assert isinstance(getattr(strict, field), np.ndarray)
        assert np.array_equal(getattr(ours, field), getattr(strict, field)), field


def test_a_grid_of_parameters_is_a_loop():
    etas, radii, betas = (0.05, 0.2, 0.8), (0.1, 1.0, 10.0), (0.0, 0.5, 0.9)
    sizes = {"n": 7, "f": 2, "steps": 9, "runs": 4, "seed": 1, "attack": ALittleIsEnough()}
    problem = Quadratic.between(0.5, 2.0, 3, sigma_sq=2.0, zeta_sq=1.0)

    def algorithm(eta, tau, beta):
        return RobustSGD(CenteredClipping(tau=tau), WorkerMomentum(eta, beta))

    many = simulate(problem, algorithm(*(np.array(v)[:, None] for v in (etas, radii, betas))), grid=(3,), **sizes)
    assert many.excess.shape == (10, 3, 4)
    for i, parameters in enumerate(zip(etas, radii, betas, strict=True)):
        one = simulate(problem, algorithm(*parameters), **sizes)
        for field in MEASURED[1:]:
            ours = getattr(many, field)
            assert np.array_equal(ours[i] if field == "x" else ours[:, i], getattr(one, field)), field


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"f": 5}, "0 ≤ f < n, got f = 5, n = 5"),
        ({"f": -1}, "f ≥ 0, got f = -1"),
        ({"f": 1.0}, "whole number f ≥ 0, got f = 1.0"),
        ({"n": 0, "f": 0}, "n ≥ 1, got n = 0"),
        ({"steps": 0}, "steps ≥ 1, got steps = 0"),
        ({"runs": 0}, "runs ≥ 1, got runs = 0"),
        ({"every": 0}, "every ≥ 1, got every = 0"),
        ({"chunk": 0}, "chunk ≥ 1, got chunk = 0"),
        ({"first_run": -1}, "first_run ≥ 0, got first_run = -1"),
        ({"seed": "0"}, "whole number seed"),
        ({"x0": [1.0]}, r"x0 must be a number or have shape \(..., d\) with d = 2, got \(1,\)"),
        ({"x0": np.zeros((3, 2))}, r"x0 must broadcast to \(\*grid, runs, d\) = \(2, 2\), got \(3, 2\)"),
        ({"attack": "alie"}, "sims Attack as attack, got attack = 'alie'"),
        ({"attack": Constant(1.0, "gradient")}, "got enters = 'gradient'"),
        ({"backend": "jax"}, "backend must be one of numpy, cupy, torch, got 'jax'"),
    ],
)
def test_bad_input_is_refused_with_its_numbers(options, message):
    with pytest.raises(ValueError, match=message):
        simulate(PROBLEM, ALGORITHM, **{**SIZES, **options})


def test_parameters_that_do_not_fit_the_grid_are_refused():
    algorithm = RobustSGD(Mean(), SGD(np.array([0.1, 0.2, 0.3])[:, None]))
    with pytest.raises(
        ValueError, match=r"rate of SGD has the shape \(3, 1\), .* not broadcast over \(\*grid, 1\) = \(1,\)"
    ):
        simulate(PROBLEM, algorithm, **SIZES)


def test_a_start_whose_square_overflows_is_a_result_and_no_warning():
    record = simulate(Quadratic((1.0,)), RobustSGD(Mean(), SGD(0.1)), n=2, f=0, steps=2, runs=1, seed=0, x0=[1e200])
    assert np.all(np.isinf(record.excess))


@pytest.mark.parametrize("problem", [PROBLEM, Pareto(dim=2), Quadratic(np.array([[[1.0, 2.0]], [[3.0, 4.0]]]))])
def test_how_many_iterates_are_measured_at_once_changes_nothing(monkeypatch, problem):
    found = []
    for numbers in (1, 10, 10**9):  # after every round, after some, at the end
        monkeypatch.setattr(sys.modules["sims.engine.notes"], "MEASURED_NUMBERS", numbers)
        found.append(simulate(problem, ALGORITHM, grid=(2,), x0=[3.0, 4.0], **SIZES))
    for name in MEASURED:
        for record in found[1:]:
            np.testing.assert_array_equal(getattr(record, name), getattr(found[0], name))
