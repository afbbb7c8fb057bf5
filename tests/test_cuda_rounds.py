"""Whole rounds in one CUDA kernel, held to the array API's operations on the numbers of the device's generator.

Sums over workers and columns are added in the array engine's order where NumPy plays the device, so that the iterates
of rules without a norm agree bit for bit there.
"""

from __future__ import annotations

import numpy as np
import pytest
from experiments import ATTACKS, FIELDS, OPTIMIZERS, PROBLEM, RULES, agree_closely
from places import prepared

from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, Krum, Mean, TrimmedMean
from sims.attacks import BitFlipping, InnerProductManipulation, NoAttack
from sims.kernels.cuda.rounds import SHARED_NUMBERS, STEPS, Rounds
from sims.kernels.in_rounds import Answer
from sims.optimizers import SGD, RobustSGD, WorkerMomentum
from sims.problems import Quadratic

MEASURED = ("clipping", "three steps", "RFA", "two steps")  # by norms, whose squares are added in another order


@pytest.mark.parametrize("rule", RULES)
def test_whole_rounds_agree_with_single_operations(place, rule):
    def simulations():
        for k, (attack, f) in enumerate([*((attack, 2) for attack in ATTACKS), (NoAttack(), 0)]):
            for optimizer in OPTIMIZERS[k % 2 :: 2]:
                size = {"f": f, "n": 9 if f else 8, "attack": attack, "every": 1 + 4 * (k % 2), "x0": np.ones(3)}
                yield (PROBLEM, RobustSGD(RULES[rule], optimizer)), size

    for experiment, size in prepared(place, simulations()):
        found, expected = place.by_kernel(*experiment, **size), place.by_arrays(*experiment, **size)
        agree_closely(found, expected, exact=place.by_numpy and rule not in MEASURED)


@pytest.mark.parametrize(("n", "d"), [(1, 1), (2, 1), (25, 10), (33, 7), (40, 2), (7, 40), (130, 2), (5, 1500)])
def test_any_number_of_workers_and_dimensions(place, n, d):
    """Few threads and many, rows shared by 1 to 32 of them, pairs of normals across rounds, both kinds of memory."""
    problem, f = Quadratic(tuple(np.linspace(0.5, 1.0, d)), sigma_sq=1.0), (n - 1) // 4
    rules = [CoordinateMedian(), TrimmedMean(f), CenteredClipping(0.7), RFA(), *([Krum(f)] if n >= 2 * f + 3 else [])]
    size = {"n": n, "f": f, "attack": BitFlipping("messages"), "steps": 5, "runs": 2}
    for experiment, size in prepared(place, [((problem, RobustSGD(r, OPTIMIZERS[1])), size) for r in rules]):
        agree_closely(place.by_kernel(*experiment, **size), place.by_arrays(*experiment, **size))


def test_grids_and_parameters_of_every_run(place):
    problem = Quadratic((1.0, 3.0), sigma_sq=np.array([[[0.5]], [[2.0]]]))
    rule = CenteredClipping((np.array([[0.1], [1.0], [10.0]]), 0.5), steps=2)
    rate = np.linspace(0.01, 0.2, 5)
    attack = InnerProductManipulation(np.array([[0.1], [0.5], [1.0]]))
    x0 = np.random.Generator(np.random.Philox(3)).standard_normal((5, 2))
    size = {"grid": (2, 3), "axes": {"run": range(5)}, "runs": 5, "attack": attack, "x0": x0}
    for algorithm in (
        RobustSGD(rule, WorkerMomentum(rate, 0.5)),
        RobustSGD(RFA(nu=np.array([[0.1], [1.0], [3.0]])), SGD(lambda t: rate / t)),
        RobustSGD(Mean(), WorkerMomentum(0.1, lambda t: np.array([[0.0], [0.5], [0.9]]) / t)),
    ):
        agree_closely(place.by_kernel(problem, algorithm, **size), place.by_arrays(problem, algorithm, **size))


@pytest.mark.parametrize("rule", RULES)
def test_what_diverges_diverges_alike(place, rule):
    """Infinite and enormous messages count as in the array engine; what an overflow leaves may be infinite or NaN."""
    experiment = (PROBLEM, RobustSGD(RULES[rule], SGD(1e40)))
    found, expected = (play(*experiment, x0=np.ones(3)) for play in (place.by_kernel, place.by_arrays))
    for field in FIELDS:
        if field == "sq_aggregate_errors":
            continue  # the difference of enormous numbers that are nearly equal: the square of its rounding overflows
        a, b = getattr(found, field), getattr(expected, field)
        np.testing.assert_array_equal(np.isfinite(a), np.isfinite(b), err_msg=field)
        np.testing.assert_allclose(a[np.isfinite(a)], b[np.isfinite(a)], rtol=1e-9, err_msg=field)


@pytest.mark.parametrize("scale", [1e-170, 1e120])
@pytest.mark.parametrize("rule", ["clipping", "RFA"])
def test_norms_neither_overflow_nor_vanish(place, scale, rule):
    problem = Quadratic((1.0, 1.0), sigma_sq=1e-300 if scale < 1 else 1.0)
    algorithm = RobustSGD(CenteredClipping(scale) if rule == "clipping" else RFA(nu=scale), SGD(0.1))
    found, expected = (play(problem, algorithm, x0=scale * np.ones(2)) for play in (place.by_kernel, place.by_arrays))
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-11)


@pytest.mark.parametrize("x0", [np.ones(2), np.array([1.0, np.nan]), np.array([1e152, 1.0])])
def test_ties_of_krum_are_broken_by_value(place, x0):
    """Without noise messages are equal, or equal and opposite; with a NaN none is alive, at 1e152 squares overflow."""
    problem, algorithm = Quadratic((1.0, 1.0), x_star=0.5), RobustSGD(Krum(1), SGD(0.1))
    for n, f in ((6, 1), (6, 3)):
        size = {"n": n, "f": f, "attack": BitFlipping(), "x0": x0}
        found, expected = place.by_kernel(problem, algorithm, **size), place.by_arrays(problem, algorithm, **size)
        np.testing.assert_array_equal(found.x, expected.x)


def kinds():
    """For every rule: the common size, those that just fit into shared memory and just do not, and the largest."""
    for step in STEPS:
        for n, d in ((3, 1), (25, 10), (25, 193), (25, 194), (64, 64), (256, 32)):
            f = (n - 3) // 4
            yield Rounds(step, n, d, n - f, f, Answer.EDGE, ddof=1, momentum=True, offsets=True)


def test_a_block_s_memory_and_threads_are_within_every_device_s_limits():
    assert {kind.shared for kind in kinds()} == {False, True}
    for kind in kinds():
        tables = (8 + 4 + 1) * kind.n + 4 * 8 * kind.threads // 32 + 64  # scores, exponents, the dead, sums, alignment
        assert 8 * (SHARED_NUMBERS if kind.shared else 0) + tables <= 48 * 1024
        assert kind.threads in (32, 64, 128, 256)  # of 255 registers each there are enough for one block
        assert kind.kept <= kind.space
