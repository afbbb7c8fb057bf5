"""Oracles of stochastic gradients, and problems, of which every constant is known in closed form."""

from typing import TYPE_CHECKING, Any

from sims.packages import class_in
from sims.problems.heterogeneous_softmax_regression import HeterogeneousSoftmaxRegression
from sims.problems.huber import Huber
from sims.problems.labelled import Labelled
from sims.problems.labels import relabelled
from sims.problems.libsvm import read_libsvm
from sims.problems.mean_estimation import Bernoulli, MeanEstimation, Pareto, Rademacher
from sims.problems.oracle import Draws, Oracle
from sims.problems.problem import Problem
from sims.problems.quadratic import Quadratic
from sims.problems.sinusoidal import Pendulum, PhaseNoise, Sinusoidal
from sims.problems.softmax_regression import SoftmaxRegression
from sims.problems.stateful import Stateful

__all__ = [
    "Bernoulli",
    "Draws",
    "HeterogeneousSoftmaxRegression",
    "Huber",
    "Labelled",
    "MeanEstimation",
    "Oracle",
    "Pareto",
    "Pendulum",
    "PhaseNoise",
    "Problem",
    "Quadratic",
    "Rademacher",
    "Sinusoidal",
    "SoftmaxRegression",
    "Stateful",
    "read_libsvm",
    "relabelled",
]

if not TYPE_CHECKING:  # for a checker of types only what is listed is there

    def __getattr__(name: str) -> Any:
        """A class that a file of this package defines and that is not listed above."""
        return class_in(__name__, name)
