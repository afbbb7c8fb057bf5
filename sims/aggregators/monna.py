"""MoNNA's aggregation: the neighbours of one worker whom the server trusts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sims.aggregators.exactly import Vector, average, square
from sims.aggregators.rule import Promises, State, StatelessRule
from sims.aggregators.shortest import mean_of, shortest
from sims.aggregators.told import require_fewer_than_half
from sims.backend import Array, device, namespace, surely
from sims.checked import keep, whole
from sims.kernels import at_once
from sims.kernels.in_rounds import RuleInRounds, Step


@dataclass(frozen=True)
class MoNNA(StatelessRule):
    """The average of the n − f messages nearest to that of worker `idx` (Farhadkhani et al. 2023).

    Itself among them; equal distances are decided for the lexicographically smaller message. In the paper (Algorithm
    MoNNA, without a server) every worker averages around a message of its own, which it trusts. Here one worker is
    trusted, and so this is no function of the set of messages: whoever that worker is decides. Against any f of the
    *others* the output is no farther from its message than the farthest honest one; against that worker it is not
    bounded, whence its breakdown is 0. If its message is not finite, the output is NaN. Distances are compared by
    rounded squares, of messages of any length. Needs n ≥ 2f + 1 and idx < n.

    >>> import numpy as np
    >>> MoNNA(f=1).aggregate(np.array([[1.0], [2.0], [0.0], [1e9]]))
    array([1.])
    """

    needs: ClassVar[str] = "n ≥ 2f + 1, idx < n"
    bears: ClassVar[str] = "0: f of all but worker `idx`"

    f: int
    idx: int = 0

    def __post_init__(self) -> None:
        keep(self, whole, "f", "idx", least=0)

    @property
    def promises(self) -> Promises:
        """All but permutation invariance; the mean at f = 0."""
        return Promises(permutation=self.f == 0, mean=self.f == 0)

    def require(self, n: int) -> None:
        """Raise unless n ≥ 2f + 1 and idx < n."""
        require_fewer_than_half("MoNNA", n, self.f)
        if self.idx >= n:
            raise ValueError(f"MoNNA needs idx < n, got idx = {self.idx}, n = {n}")

    def breakdown(self, n: int) -> int:
        """0: the worker that is trusted suffices."""
        return 0

    def exact(self, rows: Sequence[Vector]) -> list[Any]:
        """By squared distances."""
        self.require(len(rows))
        return average(sorted(rows, key=lambda row: (square(row, rows[self.idx]), row))[: len(rows) - self.f])

    def in_rounds(self, n: int) -> RuleInRounds:
        """The messages nearest to one."""
        return RuleInRounds(Step.NEAREST_TO_ONE, f=self.f, whole=self.idx, rounding_decides=True)

    def at_once(self, x: np.ndarray, state: State) -> np.ndarray | None:
        """Few messages at once."""
        return at_once.shortest(x, self.idx, x.shape[-2] - self.f)

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        xp, pivot = namespace(x), x[..., self.idx, :]
        found = mean_of(x, shortest(x, x.shape[-2] - self.f, pivot))
        if not self.f:
            return found
        trusted = xp.all(xp.isfinite(pivot), axis=-1, keepdims=True)
        if surely(trusted):
            return found
        return xp.where(trusted, found, xp.asarray(float("nan"), dtype=x.dtype, device=device(x)))
