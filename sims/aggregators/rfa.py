"""The paper's smoothed geometric median."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sims import kernels
from sims.aggregators.rule import Promises, StatelessRule
from sims.backend import Array, device, lead, measurable, namespace, row_norms
from sims.checked import MOST_STEPS, keep, over_axes, whole
from sims.kernels.in_rounds import RuleInRounds, Step

SMALLEST_NU = 1e-290  # of weights 1/ν, ten million still have a sum


@dataclass(frozen=True, eq=False)
class RFA(StatelessRule):
    """A few smoothed Weiszfeld steps from the origin (Pillutla et al. 2019), as the paper's experiments run it.

    z_0 = 0; w_i = 1/max(ν, ‖x_i − z_l‖), z_{l+1} = Σ w_i x_i / Σ w_i, for l < `steps` (T in the paper). `nu` ≥ 1e-290
    may be an array over the leading axes. For the geometric median itself see `GeometricMedian`. A non-finite message
    has weight 0. Because it starts at the origin and ν is absolute, it is neither translation nor scale equivariant.

    >>> import numpy as np
    >>> RFA(steps=1).aggregate(np.array([[1.0], [1.0], [4.0]]))
    array([1.33333333])
    """

    reals: ClassVar[Mapping[str, int]] = {"nu": 0}

    steps: int = 3
    nu: Any = 0.1

    def __post_init__(self) -> None:
        keep(self, whole, "steps", least=1, most=MOST_STEPS)
        keep(self, over_axes, "nu", least=SMALLEST_NU)

    @property
    def promises(self) -> Promises:
        """Oddness alone."""
        return Promises(translation=False, scale=False)

    def in_rounds(self, n: int) -> RuleInRounds:
        """A ν per step."""
        return RuleInRounds(Step.WEISZFELD, parameters=(self.nu,) * self.steps)

    def breakdown(self, n: int) -> int:
        """⌈n/2⌉ − 1, that of the geometric median which it approximates."""
        return (n - 1) // 2

    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d)."""
        if kernels.pays(x) and (found := kernels.weiszfeld_steps(x, self.nu, self.steps)) is not None:
            return found
        xp = namespace(x)
        rows, alive = measurable(x)
        z = xp.zeros((*x.shape[:-2], x.shape[-1]), dtype=rows.dtype, device=device(x))
        for _ in range(self.steps):
            norms = row_norms(rows - z[..., None, :])
            weights = 1.0 / xp.maximum(norms, lead(self.nu, norms, 1))
            weights = xp.where(alive, weights, xp.zeros_like(weights))
            share = weights / xp.sum(weights, axis=-1, keepdims=True)
            z = xp.sum(rows * share[..., None], axis=-2)
        return xp.astype(z, x.dtype)
