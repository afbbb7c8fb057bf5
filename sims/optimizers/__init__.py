"""Optimizers, and the algorithms that they and a rule make."""

from typing import TYPE_CHECKING, Any

from sims.optimizers.algorithm import Algorithm, AlgorithmState, RobustSGD
from sims.optimizers.optimizer import Optimizer
from sims.optimizers.piecewise import Piecewise
from sims.optimizers.server_momentum import ServerMomentum
from sims.optimizers.sgd import SGD
from sims.optimizers.weight_decay import WeightDecay
from sims.optimizers.worker_momentum import WorkerMomentum
from sims.optimizers.worker_mvr import WorkerMVR
from sims.packages import class_in

__all__ = [
    "SGD",
    "Algorithm",
    "AlgorithmState",
    "Optimizer",
    "Piecewise",
    "RobustSGD",
    "ServerMomentum",
    "WeightDecay",
    "WorkerMVR",
    "WorkerMomentum",
]

if not TYPE_CHECKING:  # for a checker of types only what is listed is there

    def __getattr__(name: str) -> Any:
        """A class that a file of this package defines and that is not listed above."""
        return class_in(__name__, name)
