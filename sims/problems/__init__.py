"""Stochastic optimization problems whose constants are known in closed form."""

from sims.problems.huber import Huber
from sims.problems.labelled import Labelled
from sims.problems.mean_estimation import Bernoulli, MeanEstimation, Pareto, Rademacher
from sims.problems.problem import Draws, Problem
from sims.problems.quadratic import Quadratic
from sims.problems.sinusoidal import Pendulum, PhaseNoise, Sinusoidal
from sims.problems.softmax_regression import SoftmaxRegression

__all__ = [
    "Bernoulli",
    "Draws",
    "Huber",
    "Labelled",
    "MeanEstimation",
    "Pareto",
    "Pendulum",
    "PhaseNoise",
    "Problem",
    "Quadratic",
    "Rademacher",
    "Sinusoidal",
    "SoftmaxRegression",
]
