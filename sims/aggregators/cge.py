"""Comparative gradient elimination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.aggregators.exactly import Vector, average, square
from sims.aggregators.rule import Promises, State
from sims.aggregators.shortest import mean_of, shortest
from sims.aggregators.told import ToldF
from sims.backend import Array
from sims.kernels import at_once
from sims.kernels.in_rounds import RuleInRounds, Step


@dataclass(frozen=True)
class CGE(ToldF):
    """The average of the n − f shortest messages (comparative gradient elimination; Gupta, Liu, Vaidya 2020).

    By Euclidean norm; equal norms are decided for the lexicographically smaller message. Norms are compared as rounded
    sums of squares, of messages of any length. Long messages are left out wherever they point, so that a common offset
    changes the choice: it is not translation equivariant. Needs n ≥ 2f + 1. Source: arXiv 2008.04699; where the sum of
    the n − f messages is taken instead (Liu, Gupta, Vaidya 2021), it is n − f times this.

    It bears f: what is kept is no longer than the longest honest message.

    >>> import numpy as np
    >>> CGE(f=1).aggregate(np.array([[1.0], [-2.0], [4.0], [-1e9]]))
    array([1.])
    """

    @property
    def promises(self) -> Promises:
        """All but translation; the mean at f = 0."""
        return Promises(translation=self.f == 0, mean=self.f == 0)

    def bound(self, n: int, reach: float) -> float:
        """As long as the longest honest message."""
        return reach

    def exact(self, rows: Sequence[Vector]) -> list[Any]:
        """By squared norms."""
        self.require(len(rows))
        return average(sorted(rows, key=lambda row: (square(row), row))[: len(rows) - self.f])

    def in_rounds(self, n: int) -> RuleInRounds:
        """The shortest messages."""
        return RuleInRounds(Step.SHORTEST, f=self.f, rounding_decides=True)

    def at_once(self, x: np.ndarray, state: State) -> np.ndarray | None:
        """Few messages at once."""
        return at_once.shortest(x, -1, x.shape[-2] - self.f)

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        return mean_of(x, shortest(x, x.shape[-2] - self.f))
