"""Optimizers, and the algorithms that they and a rule make."""

from sims.optimizers.algorithm import Algorithm, AlgorithmState, RobustSGD
from sims.optimizers.optimizer import Optimizer
from sims.optimizers.piecewise import Piecewise
from sims.optimizers.server_momentum import ServerMomentum
from sims.optimizers.sgd import SGD
from sims.optimizers.weight_decay import WeightDecay
from sims.optimizers.worker_momentum import WorkerMomentum
from sims.optimizers.worker_mvr import WorkerMVR

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
