"""The arithmetic mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sims import columns, kernels
from sims.aggregators.rule import Promises, State, StatelessRule
from sims.backend import Array
from sims.kernels import at_once
from sims.kernels.in_rounds import RuleInRounds, Step


@dataclass(frozen=True)
class Mean(StatelessRule):
    """The average of the messages, which one Byzantine worker suffices to move anywhere.

    (1/n) Σ_i x_i. Non-finite messages propagate; of finite ones the mean is finite, up to the largest numbers. Within
    2 min(n, 256) units of rounding of the messages' mean magnitude, in float64 2n (`sims.columns`).

    >>> import numpy as np
    >>> Mean().aggregate(np.array([[1.0], [2.0], [6.0]]))
    array([3.])
    """

    needs: ClassVar[str] = "n ≥ 1"
    bears: ClassVar[str] = "0"

    @property
    def promises(self) -> Promises:
        """All of them, and the mean itself."""
        return Promises(mean=True)

    def in_rounds(self, n: int) -> RuleInRounds:
        """The sum, divided."""
        return RuleInRounds(Step.MEAN)

    def breakdown(self, n: int) -> int:
        """0: no arbitrary message is tolerated."""
        return 0

    def at_once(self, x: np.ndarray, state: State) -> np.ndarray | None:
        """Few messages at once."""
        return at_once.mean(x)

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        return kernels.mean(x) if kernels.pays(x) else columns.mean(x)
