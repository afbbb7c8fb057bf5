"""The experiments on which compiled rounds are held to the array engine, and how their records agree."""

from __future__ import annotations

import numpy as np

from sims import kernels
from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, Krum, Mean, TrimmedMean
from sims.attacks import ALittleIsEnough, BitFlipping, InnerProductManipulation, NoAttack
from sims.engine import Experiment, simulate
from sims.engine.simulate import compiled
from sims.optimizers import SGD, WorkerMomentum
from sims.problems import Quadratic

FIELDS = ("excess", "sq_gradient_norms", "sq_distances", "sq_aggregate_errors", "x")
PROBLEM = Quadratic((0.5, 1.0, 2.0), sigma_sq=1.0, zeta_sq=0.3, x_star=(0.2, 0.0, -1.0))

RULES = {
    "mean": Mean(),
    "median": CoordinateMedian(),
    "trimmed mean": TrimmedMean(2),
    "clipping": CenteredClipping(0.7),
    "three steps": CenteredClipping((2.0, 0.5, 0.0), steps=3),
    "RFA": RFA(),
    "two steps": RFA(steps=2, nu=1.5),
    "Krum": Krum(2),
}

ATTACKS = (
    NoAttack(),
    InnerProductManipulation(0.5),
    BitFlipping(),
    BitFlipping("messages"),
    ALittleIsEnough(),
    ALittleIsEnough(z=1.5, sign=1, ddof=0),
)

OPTIMIZERS = (
    SGD(0.1),
    WorkerMomentum(0.1, 0.9),
    WorkerMomentum(lambda t: 0.2 / t, lambda t: 0.0 if t == 1 else 0.5, damped=False),
)


def both(problem, algorithm, **size):
    """The records of the compiled and of the reference engine; what is not compiled would be compared with itself."""
    size = {"n": 8, "f": 2, "steps": 40, "runs": 3, "seed": 1, **size}
    assert compiled(Experiment(problem, algorithm, **size))
    return either_way(problem, algorithm, **size)


def either_way(problem, algorithm, **size):
    """The records of whatever plays an experiment, and of the reference engine."""
    found = simulate(problem, algorithm, **size)
    with kernels.reference():
        return found, simulate(problem, algorithm, **size)


def agree(found, expected, rtol=1e-9, atol=1e-12, exact=False):
    """All fields within rounding; the iterates bit for bit if so wanted."""
    np.testing.assert_array_equal(found.times, expected.times)
    assert found.configuration == expected.configuration
    for field in FIELDS:
        a, b = getattr(found, field), getattr(expected, field)
        assert a.shape == b.shape, field
        np.testing.assert_allclose(a, b, rtol=0 if exact and field == "x" else rtol, atol=atol, err_msg=field)
    if exact:
        np.testing.assert_array_equal(found.x, expected.x)


def agree_closely(found, expected, exact=False):
    """Where the order of sums is the same."""
    agree(found, expected, rtol=1e-11, atol=1e-13, exact=exact)
