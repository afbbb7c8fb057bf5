"""Simulations by the array engine on a device: batches, chunks, transfers, a known expectation, the whole paper."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest
from on_device import compiled, on_gpu

from sims import backend
from sims.aggregators import CenteredClipping, Mean
from sims.attacks import InnerProductManipulation
from sims.engine import Experiment, simulate
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.problems import Quadratic


def run(**changes):
    parameters = {"n": 5, "f": 1, "attack": InnerProductManipulation(0.5), "steps": 12, "runs": 6, "seed": 3}
    algorithm = RobustSGD(CenteredClipping(1.0), WorkerMomentum(0.1, 0.9))
    return simulate(Quadratic((1.0, 2.0), sigma_sq=1.0), algorithm, **(parameters | changes))


@compiled
@pytest.mark.parametrize("shuffle", [False, True])
def test_simulations_on_the_device_do_not_depend_on_batch_or_chunk(device, shuffle):
    whole = run(shuffle=shuffle, backend=backend.get_namespace("numpy"))
    assert "normal" in device.launches
    assert "clip_short" in device.launches
    for record, there in (
        (run(shuffle=shuffle, chunk=5, backend=backend.get_namespace("numpy")), slice(None)),
        (run(shuffle=shuffle, runs=2, first_run=3, backend=backend.get_namespace("numpy")), slice(3, 5)),
    ):
        np.testing.assert_array_equal(record.excess, whole.excess[:, there])
        np.testing.assert_array_equal(record.x, whole.x[there])


@compiled
def test_nothing_is_fetched_before_the_end(device, monkeypatch):
    fetched = []
    original = backend.to_numpy

    def noticed(x):
        fetched.append(device.launches.count("clip_short"))
        return original(x)

    monkeypatch.setattr(importlib.import_module("sims.engine.notes"), "to_numpy", noticed)
    run(backend=backend.get_namespace("numpy"))
    rounds = device.launches.count("clip_short")
    assert fetched == [rounds] * 5  # four columns of the record and x


def test_another_generator_is_another_configuration():
    algorithm = RobustSGD(Mean(), SGD(0.1))
    keys = [
        Experiment(Quadratic((1.0,)), algorithm, n=2, f=0, steps=1, runs=1, seed=0, backend=name).key()
        for name in ("numpy", "cupy")
    ]
    assert keys[0] != keys[1]


@on_gpu
@pytest.mark.parametrize("shuffle", [False, True])
def test_gpu_simulations_do_not_depend_on_batch_or_chunk(shuffle):
    whole = run(shuffle=shuffle, backend="cupy")
    np.testing.assert_array_equal(run(shuffle=shuffle, chunk=5, backend="cupy").excess, whole.excess)
    late = run(shuffle=shuffle, runs=2, first_run=3, backend="cupy")
    np.testing.assert_array_equal(late.excess, whole.excess[:, 3:5])


def expected_sq_distance(eta, steps, n):
    """E(x_T − x*)² of x ← x − η((x − x*) + noise of variance 1/n) from distance 1."""
    shrink = (1 - eta) ** 2
    return shrink**steps + eta**2 / n * (1 - shrink**steps) / (1 - shrink)


def check_expectation(backend_name):
    """The mean of 20,000 squares of a normal is within 6.5 of its own standard deviations, estimated."""
    algorithm = RobustSGD(Mean(), SGD(0.3))
    record = simulate(
        Quadratic((1.0,), sigma_sq=1.0),
        algorithm,
        n=4,
        f=0,
        steps=20,
        runs=20_000,
        seed=1,
        x0=[1.0],
        backend=backend_name,
    )
    last = record.sq_distances[-1]
    assert abs(last.mean() - expected_sq_distance(0.3, 20, 4)) <= 6.5 * last.std() / math.sqrt(len(last))


@compiled
def test_expectation_of_a_simulation_with_the_devices_numbers(device):
    check_expectation(backend.get_namespace("numpy"))
    assert "normal" in device.launches


@on_gpu
def test_gpu_expectation_of_a_simulation():
    check_expectation("cupy")


@on_gpu
def test_gpu_verifies_the_paper():
    import theory
    from byzcheck.run import Options, check_statements

    for result in check_statements(list(theory.PAPER), Options(budget="quick", backend="cupy")):
        for claim in result.statement.claims:
            assert result.caught(claim), (result.statement.stem, claim.name)
