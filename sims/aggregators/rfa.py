"""The paper's smoothed geometric median."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sims import kernels
from sims.aggregators import whole_range
from sims.aggregators.rule import Promises, State, StatelessRule
from sims.backend import MOST, Array, finite_rows, host, lead, namespace, row_norms, surely
from sims.checked import MOST_STEPS, keep, over_axes, whole
from sims.kernels import at_once
from sims.kernels.in_rounds import RuleInRounds, Step


@dataclass(frozen=True, eq=False)
class RFA(StatelessRule):
    """A few smoothed Weiszfeld steps from the origin (Pillutla et al. 2019), as the paper's experiments run it.

    z_0 = 0; w_i = 1/max(ν, ‖x_i − z_l‖), z_{l+1} = Σ w_i x_i / Σ w_i, for l < `steps` (T in the paper). `nu` > 0 may be
    an array over the leading axes. For the geometric median itself see `GeometricMedian`. A non-finite message has
    weight 0, and at ν = ∞ all others the same. Because it starts at the origin and ν is absolute, it is neither
    translation nor scale equivariant.

    Computed in float64 (in float32 on a device that has no float64). A step is right to 8(n + 2)·ε times the same mean
    of the ‖x_i‖, plus one smallest number of the dtype. Differentiable wherever no message is just at distance ν of a
    z_l.

    >>> import numpy as np
    >>> RFA(steps=1).aggregate(np.array([[1.0], [1.0], [4.0]]))
    array([1.33333333])
    """

    needs: ClassVar[str] = "n ≥ 1"
    bears: ClassVar[str] = "⌈n/2⌉ − 1"

    reals: ClassVar[Mapping[str, int]] = {"nu": 0}

    steps: int = 3
    nu: Any = 0.1

    def __post_init__(self) -> None:
        keep(self, whole, "steps", least=1, most=MOST_STEPS)
        keep(self, over_axes, "nu", above=0, finite=False)

    @property
    def promises(self) -> Promises:
        """Oddness alone."""
        return Promises(translation=False, scale=False)

    def in_rounds(self, n: int) -> RuleInRounds:
        """A ν per step."""
        return RuleInRounds(Step.WEISZFELD, parameters=(self.nu,) * self.steps)

    def breakdown(self, n: int) -> int:
        """⌈n/2⌉ − 1, that of the geometric median which it approximates; none if ν is infinite: then it is the mean."""
        return (n - 1) // 2 if np.all(np.isfinite(host(self.nu))) else 0

    def bound(self, n: int, reach: float) -> float:
        """After each step at most ‖z‖ + 2·max(ν, reach + ‖z‖), z the centre before it.

        A step is Σ w_i (x_i − z)/Σ w_i, each w_i ‖x_i − z‖ ≤ 1, and more than half of the messages have ‖x_i‖ ≤ reach,
        hence 1/w_i ≤ max(ν, reach + ‖z‖).
        """
        norm = 0.0
        for _ in range(self.steps):
            norm += 2 * max(float(np.max(host(self.nu), initial=0.0)), reach + norm)
        return norm

    def at_once(self, x: np.ndarray, state: State) -> np.ndarray | None:
        """Few messages at once."""
        return at_once.weiszfeld_steps(x, self.nu, self.steps)

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        if kernels.pays(x) and (found := kernels.weiszfeld_steps(x, self.nu, self.steps)) is not None:
            return found
        xp = namespace(x)
        rows, alive = finite_rows(x)
        norms = row_norms(rows)  # the distances to the origin
        usual = whole_range.ordinary(norms, (self.nu,), most=MOST)
        if surely(usual) or not x.shape[-1]:
            return xp.astype(self._steps(rows, alive, norms), x.dtype)
        far = whole_range.weiszfeld(rows, alive, xp.zeros_like(rows[..., 0, :]), (self.nu,) * self.steps)
        # what the ordinary way makes of these runs is not a number, and no derivative of anything
        rows = xp.where(usual[..., None, None], rows, xp.zeros_like(rows))
        return xp.astype(xp.where(usual[..., None], self._steps(rows, alive, row_norms(rows)), far), x.dtype)

    def _steps(self, rows: Array, alive: Array, norms: Array) -> Array:
        """All steps from the origin, from which the rows are `norms` away."""
        xp = namespace(rows)
        z = xp.zeros_like(rows[..., 0, :])
        for step in range(self.steps):
            if step:
                norms = row_norms(rows - z[..., None, :])
            weights = 1.0 / xp.maximum(norms, lead(self.nu, norms, 1))
            weights = xp.where(alive, weights, xp.zeros_like(weights))
            share = weights / xp.sum(weights, axis=-1, keepdims=True)
            z = xp.sum(rows * share[..., None], axis=-2)
        return z
