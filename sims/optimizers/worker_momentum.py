"""Momentum on the workers, the paper's remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sims.backend import Array
from sims.checked import flag, keep
from sims.kernels.in_rounds import Memory as Kept
from sims.kernels.in_rounds import OptimizerInRounds
from sims.optimizers.optimizer import (
    Memory,
    Optimizer,
    Schedule,
    average,
    descend,
    schedule,
)
from sims.optimizers.piecewise import decayed


@dataclass(frozen=True, eq=False)
class WorkerMomentum(Optimizer):
    """Every worker sends its own momentum (WORKER; Karimireddy, He, Jaggi 2021, Algorithm 2).

    m_{t,i} = (1 − β)g_{t,i} + βm_{t−1,i} if damped, g_{t,i} + βm_{t−1,i} if not (their equation (1) and released
    code), m_{0,i} = 0; x_t = x_{t−1} − η·AGG(m_{t,1}, …, m_{t,n}). For Theorem VI's α_1 = 1, let β be a function of t
    with β_1 = 0. Raises `ValueError` unless η ≥ 0 and 0 ≤ β < 1.
    """

    reals: ClassVar[Mapping[str, int]] = {"learning_rate": 0, "beta": 0}

    learning_rate: Schedule
    beta: Schedule
    damped: bool = True

    @classmethod
    def example(cls) -> Self:
        """η = 0.1, β = 0.9."""
        return cls(learning_rate=0.1, beta=0.9)

    @classmethod
    def decayed(
        cls, learning_rate: float, beta: float, milestones: tuple[int, ...], factor: float = 0.1, **settings: Any
    ) -> Self:
        """With a learning rate that is multiplied by `factor` after each of the rounds `milestones`: `Piecewise`."""
        return cls(decayed(cls, learning_rate, milestones, factor), beta, **settings)

    def __post_init__(self) -> None:
        keep(self, schedule, "learning_rate", least=0)
        keep(self, schedule, "beta", least=0, below=1)
        keep(self, flag, "damped")

    def in_rounds(self) -> OptimizerInRounds:
        """The step, and the workers' momenta."""
        return OptimizerInRounds(self.learning_rate, Kept.WORKERS, self.beta, self.damped)

    def messages(self, gradients: Array, memory: Memory, t: int) -> tuple[Array, Memory]:
        """The momenta, which are also the new memory."""
        momenta = average(gradients, memory, self.beta, self.damped, t, trailing=2)
        return momenta, momenta

    def update(self, x: Array, aggregate: Array, memory: Memory, t: int) -> tuple[Array, Memory]:
        """A step of η_t down the aggregate a: x − η_t·a."""
        return descend(x, aggregate, self.learning_rate, t), memory
