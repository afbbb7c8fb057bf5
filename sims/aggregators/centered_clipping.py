"""Centered clipping, the paper's rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from sims import kernels
from sims.aggregators.rule import Promises, Rule, State
from sims.backend import Array, device, lead, measurable, namespace, only, row_norms
from sims.checked import MOST_STEPS, keep, over_axes, whole
from sims.kernels.in_rounds import RuleInRounds, Step


@dataclass(frozen=True, eq=False)
class CenteredClipping(Rule):
    """Messages clipped to a ball around the last aggregate, then averaged (CC; Karimireddy, He, Jaggi 2021, Algorithm
    1).

    v_{l+1} = v_l + (1/n) Σ_i (x_i − v_l) min(1, τ_l/‖x_i − v_l‖) for l < `steps`, the factor being 1 at x_i = v_l. The
    state is the centre v, zeros at first, afterwards the aggregate; pass your own to set it. `tau` ≥ 0 is a number, an
    array over the leading axes, or a tuple of one of these per step. A non-finite message has weight 0 (it still counts
    in 1/n).

    >>> import numpy as np
    >>> CenteredClipping(tau=1.0).aggregate(np.array([[0.5], [0.0], [1e9]]), state=np.zeros(1))
    array([0.5])
    """

    reals: ClassVar[Mapping[str, int]] = {"tau": 0}

    tau: Any
    steps: int = 1

    def __post_init__(self) -> None:
        keep(self, whole, "steps", least=1, most=MOST_STEPS)
        keep(self, _one_or_several, "tau")
        if isinstance(self.tau, tuple) and len(self.tau) != self.steps:
            raise ValueError(f"CenteredClipping needs one tau per step, got {len(self.tau)} for steps = {self.steps}")

    @classmethod
    def example(cls, n: int, f: int) -> Self:
        """τ = 1, for want of a scale."""
        return cls(tau=1.0)

    @property
    def radii(self) -> tuple[Any, ...]:
        """τ_0, …, τ_{steps−1}."""
        return self.tau if isinstance(self.tau, tuple) else (self.tau,) * self.steps

    @property
    def promises(self) -> Promises:
        """Translation (with the centre) and oddness; scaling only if τ is scaled too."""
        return Promises(scale=False)

    def in_rounds(self, n: int) -> RuleInRounds:
        """A radius per step."""
        return RuleInRounds(Step.CLIPPING, parameters=self.radii)

    def breakdown(self, n: int) -> int:
        """All n: whatever is sent, the output is within Σ τ_l of the centre."""
        return n

    def init(self, x: Array) -> State:
        """The origin, as a view of a single zero, which takes no memory."""
        xp = namespace(x)
        return xp.broadcast_to(xp.zeros((), dtype=x.dtype, device=device(x)), (*x.shape[:-2], x.shape[-1]))

    def combine(self, x: Array, state: State, rng: Any) -> tuple[Array, State]:
        """(..., n, d) and the centre (..., d) → the new centre, twice."""
        if kernels.pays(x) and (found := kernels.centered_clipping(x, state, self.radii)) is not None:
            return found, found
        xp = namespace(x)
        rows, alive = measurable(x)
        v = xp.astype(xp.broadcast_to(state, (*x.shape[:-2], x.shape[-1])), xp.float64)
        for tau in self.radii:
            away = only(alive, rows - v[..., None, :])
            norms = row_norms(away)
            v = v + xp.mean(away * _factors(norms, lead(tau, norms, 1))[..., None], axis=-2)
        v = xp.astype(v, x.dtype)
        return v, v


def _one_or_several(owner: str, name: str, value: Any) -> Any:
    """A radius, or a tuple of one per step."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return tuple(over_axes(owner, name, one, least=0, finite=False) for one in value)
    return over_axes(owner, name, value, least=0, finite=False)


def _factors(norms: Array, radius: Array) -> Array:
    """min(1, τ/norm), 1 at norm 0, whatever τ is."""
    if type(norms) is np.ndarray:
        return np.where(norms <= radius, 1.0, radius / norms)
    xp = namespace(norms)
    inside = norms <= radius
    return xp.where(inside, xp.ones_like(norms), radius / xp.where(inside, xp.ones_like(norms), norms))
