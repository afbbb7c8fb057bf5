"""Momentum on the server, after aggregation."""

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
class ServerMomentum(Optimizer):
    """The server averages aggregates over time (SERVER; Karimireddy, He, Jaggi 2021).

    a_t = AGG(g_{t,1}, …, g_{t,n}); m_t = (1 − β)a_t + βm_{t−1} if damped, a_t + βm_{t−1} if not, m_0 = 0; x_t =
    x_{t−1} − ηm_t. Raises `ValueError` unless η ≥ 0 and 0 ≤ β < 1.
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
        """The step, and the server's momentum."""
        return OptimizerInRounds(self.learning_rate, Kept.SERVER, self.beta, self.damped)

    def update(self, x: Array, aggregate: Array, memory: Memory, t: int) -> tuple[Array, Memory]:
        """x − η·m, and m."""
        momentum = average(aggregate, memory, self.beta, self.damped, t, trailing=1)
        return descend(x, momentum, self.learning_rate, t), momentum
