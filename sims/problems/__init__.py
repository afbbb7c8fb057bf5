"""Stochastic optimization problems whose constants are known in closed form."""

from sims.problems.mean_estimation import Bernoulli, MeanEstimation, Pareto, Rademacher
from sims.problems.problem import Draws, Problem
from sims.problems.quadratic import Quadratic
from sims.problems.sinusoidal import Pendulum, PhaseNoise, Sinusoidal

__all__ = [
    "Bernoulli",
    "Draws",
    "MeanEstimation",
    "Pareto",
    "Pendulum",
    "PhaseNoise",
    "Problem",
    "Quadratic",
    "Rademacher",
    "Sinusoidal",
]
