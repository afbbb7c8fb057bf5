"""Momentum-based variance reduction on the workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sims.backend import Array, lead
from sims.checked import choice, keep, whole
from sims.kernels.in_rounds import Memory as Kept
from sims.kernels.in_rounds import OptimizerInRounds
from sims.optimizers.optimizer import Memory, Optimizer, Schedule, at, descend, schedule
from sims.optimizers.piecewise import decayed
from sims.owned import copy_of

STARTS = ("sample", "zero")


@dataclass(frozen=True, eq=False)
class WorkerMVR(Optimizer):
    """Every worker corrects its momentum for the step that was taken (MVR or STORM; Cutkosky and Orabona 2019).

    m_{t,i} = g_i(x_{t−1}; ξ) + (1 − α_t)(m_{t−1,i} − g_i(x_{t−2}; ξ)), the same sample ξ at both points; x_t = x_{t−1}
    − η_t·AGG(m_{t,1}, …, m_{t,n}) (Karimireddy, He, Jaggi 2021, Theorem VII). The first estimate:

    - `start="sample"`: m_{1,i} = g_i(x_0; ξ), one sample;
    - `start="zero"`: m_{0,i} = 0 and x_{−1} = x_0, so that m_{1,i} = α_1·g_i(x_0; ξ);
    - `idle=k` with "sample": for k rounds nothing moves (η = 0), and m_{k+1,i} is the average of the k + 1 gradients
      seen so far, the law of a start from a batch of b_0 = k + 1 samples.

    η ≥ 0 and 0 ≤ α ≤ 1 are numbers, arrays over the leading axes, or functions of t. Raises `ValueError` if they are
    not, for another start, for idle < 0 and for idle rounds after a zero start.
    """

    reals: ClassVar[Mapping[str, int]] = {"learning_rate": 0, "alpha": 0}

    learning_rate: Schedule
    alpha: Schedule
    start: str = "sample"
    idle: int = 0

    @classmethod
    def example(cls) -> Self:
        """η = 0.1, α = 0.1."""
        return cls(learning_rate=0.1, alpha=0.1)

    @classmethod
    def decayed(
        cls, learning_rate: float, alpha: float, milestones: tuple[int, ...], factor: float = 0.1, **settings: Any
    ) -> Self:
        """With a learning rate that is multiplied by `factor` after each of the rounds `milestones`: `Piecewise`."""
        return cls(decayed(cls, learning_rate, milestones, factor), alpha, **settings)

    def __post_init__(self) -> None:
        keep(self, schedule, "learning_rate", least=0)
        keep(self, schedule, "alpha", least=0, most=1)
        keep(self, choice, "start", known=STARTS)
        keep(self, whole, "idle", least=0)
        if self.idle and self.start == "zero":
            raise ValueError(f"WorkerMVR averages from the first sample on: no start = 'zero' with idle = {self.idle}")

    def in_rounds(self) -> OptimizerInRounds:
        """The step, and the workers' estimates, corrected from the round on in which they are no averages any more."""
        averaged = self.idle + 1 if self.start == "sample" else 0
        return OptimizerInRounds(
            self.learning_rate, Kept.CORRECTED, _one_less(self.alpha), averaged=averaged, idle=self.idle
        )

    def points(self, x: Array, memory: Memory) -> tuple[Array, ...]:
        """The present and the previous iterate themselves; in the first round the latter is x_0, too."""
        return x, x if memory is None else memory

    def messages(self, gradients: Array, memory: Memory, t: int) -> tuple[Array, Memory]:
        """The estimates m, (..., n, 2d) → (..., n, d), which are also the new memory."""
        d = gradients.shape[-1] // 2
        now, before = gradients[..., :d], gradients[..., d:]
        if t <= self.idle + 1 and self.start == "sample":
            estimates = copy_of(now) if memory is None else memory + (now - memory) / t
        else:
            kept = 1.0 - lead(at(self.alpha, t), now, 2)
            estimates = now + kept * ((0.0 if memory is None else memory) - before)
        return estimates, estimates

    def update(self, x: Array, aggregate: Array, memory: Memory, t: int) -> tuple[Array, Memory]:
        """x − η·a, or x itself in an idle round; the memory is the point left behind itself."""
        return (x if t <= self.idle else descend(x, aggregate, self.learning_rate, t)), x


def _one_less(alpha: Schedule) -> Schedule:
    """The schedule 1 − α."""
    return (lambda t: 1.0 - at(alpha, t)) if callable(alpha) else 1.0 - alpha
