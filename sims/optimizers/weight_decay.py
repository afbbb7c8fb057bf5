"""Weight decay on the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from sims.backend import Array, lead
from sims.checked import keep, told
from sims.kernels.in_rounds import OptimizerInRounds, declared
from sims.optimizers.optimizer import (
    Memory,
    Optimizer,
    Schedule,
    asked_messages,
    asked_points,
    asked_update,
    at,
    schedule,
)
from sims.optimizers.sgd import SGD


@dataclass(frozen=True, eq=False)
class WeightDecay(Optimizer):
    """The server adds a multiple of the iterate to the aggregate before it steps (as torch.optim.SGD(weight_decay)).

    x_t = x_{t−1} − η_t·(AGG(m_{t,1}, …, m_{t,n}) + λx_{t−1}) around plain steps and worker momentum; `optimizer` gets
    AGG + λx for the aggregate in any case. What workers send and rules see knows nothing of it, other than with a ridge
    in their loss. In files it is written as it is built, `WeightDecay(WorkerMomentum)`. Raises `ValueError` unless λ =
    `weight_decay` ≥ 0 and `optimizer` is an `Optimizer`.

    >>> import numpy as np
    >>> WeightDecay(SGD(learning_rate=0.5), weight_decay=0.1).update(np.array([10.0]), np.array([1.0]), None, 1)[0]
    array([9.])
    """

    reals: ClassVar[Mapping[str, int]] = {"weight_decay": 0}

    optimizer: Optimizer
    weight_decay: Schedule

    def __post_init__(self) -> None:
        if not isinstance(self.optimizer, Optimizer):
            raise ValueError(f"WeightDecay needs a sims Optimizer, got optimizer = {told(self.optimizer)}")
        keep(self, schedule, "weight_decay", least=0)

    @classmethod
    def example(cls) -> Self:
        """λ = 0.01 around plain steps."""
        return cls(SGD.example(), weight_decay=0.01)

    @property
    def learning_rate(self) -> Any:
        """That of the optimizer."""
        return self.optimizer.learning_rate

    def in_rounds(self) -> OptimizerInRounds | None:
        """The optimizer's, with the decay, if it has a step of compiled rounds and none itself."""
        inner = declared(self.optimizer)
        if inner is None or type(self.optimizer) is WeightDecay:
            return None
        return replace(inner, decay=self.weight_decay)

    def points(self, x: Array, memory: Memory) -> tuple[Array, ...]:
        """Where the optimizer wants them, x itself first."""
        return asked_points(self.optimizer, x, memory)

    def messages(self, gradients: Array, memory: Memory, t: int) -> tuple[Array, Memory]:
        """The optimizer's, which may be the gradients themselves."""
        return asked_messages(self.optimizer, gradients, memory, t)

    def update(self, x: Array, aggregate: Array, memory: Memory, t: int) -> tuple[Array, Memory]:
        """The optimizer's step along AGG + λx."""
        decayed = aggregate + lead(at(self.weight_decay, t), x, 1) * x
        return asked_update(self.optimizer, x, decayed, memory, t)
