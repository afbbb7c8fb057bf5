"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from sims.backend import Array
from sims.checked import keep
from sims.kernels.in_rounds import OptimizerInRounds
from sims.optimizers.optimizer import Memory, Optimizer, Schedule, descend, schedule
from sims.optimizers.piecewise import decayed


@dataclass(frozen=True, eq=False)
class SGD(Optimizer):
    """Steps along the aggregate: x_t = x_{t−1} − η_t·AGG(g_{t,1}, …, g_{t,n}).

    Raises `ValueError` unless the learning rate η is ≥ 0.
    """

    reals: ClassVar[Mapping[str, int]] = {"learning_rate": 0}

    learning_rate: Schedule

    @classmethod
    def decayed(cls, learning_rate: float, milestones: tuple[int, ...], factor: float = 0.1) -> Self:
        """With a learning rate that is multiplied by `factor` after each of the rounds `milestones`: `Piecewise`."""
        return cls(decayed(cls, learning_rate, milestones, factor))

    def __post_init__(self) -> None:
        keep(self, schedule, "learning_rate", least=0)

    def in_rounds(self) -> OptimizerInRounds:
        """The step alone."""
        return OptimizerInRounds(self.learning_rate)

    def update(self, x: Array, aggregate: Array, memory: Memory, t: int) -> tuple[Array, Memory]:
        """A step of η_t down the aggregate a: x − η_t·a."""
        return descend(x, aggregate, self.learning_rate, t), memory
