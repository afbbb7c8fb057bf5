"""Centered clipping, the paper's rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from sims import kernels
from sims.aggregators import whole_range
from sims.aggregators.rule import Promises, Rule, State
from sims.backend import Array, device, finite_rows, host, lead, namespace, only, row_norms, surely, widest
from sims.checked import MOST_STEPS, keep, over_axes, points, told, whole
from sims.kernels import at_once
from sims.kernels.in_rounds import RuleInRounds, Step
from sims.owned import copy_of


@dataclass(frozen=True, eq=False)
class CenteredClipping(Rule):
    """Messages clipped to a ball around the last aggregate, then averaged (CC; Karimireddy, He, Jaggi 2021, Algorithm
    1).

    v_{l+1} = v_l + (1/n) Σ_i (x_i − v_l) min(1, τ_l/‖x_i − v_l‖) for l < `steps`, the factor being 1 at x_i = v_l. The
    state is the centre v, zeros at first, afterwards the aggregate; pass your own to set it. `tau` ≥ 0 is a number, an
    array over the leading axes, or a tuple of one of these per step; at τ = ∞ the step is the mean. A non-finite
    message has weight 0 (it still counts in 1/n).

    Computed in float64 (in float32 on a device that has no float64). A step is right to 8(n + 2)·ε times the largest
    of the centre and the finite messages, plus one smallest number of the dtype; a message at the largest number costs
    the others no digit. Differentiable wherever no message is just at distance τ; there and at x_i = v the derivative
    is that of the inside, 1/n. A centre that is not finite gives NaN.

    >>> import numpy as np
    >>> CenteredClipping(tau=1.0).aggregate(np.array([[0.5], [0.0], [1e9]]), state=np.zeros(1))
    array([0.5])
    """

    needs: ClassVar[str] = "τ ≥ 0"
    bears: ClassVar[str] = "n: the output stays within Σ τ of the centre"

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
        """All n: whatever is sent, the output is within Σ τ_l of the centre. 0 if a τ is infinite."""
        return n if all(np.all(np.isfinite(host(tau))) for tau in self.radii) else 0

    def bound(self, n: int, reach: float) -> float:
        """The reach of the centre and Σ τ_l more."""
        return reach + sum(float(np.max(host(tau), initial=0.0)) for tau in self.radii)

    def init(self, x: Array) -> State:
        """The origin, as a view of a single zero, which takes no memory."""
        xp = namespace(x)
        return xp.broadcast_to(xp.zeros((), dtype=x.dtype, device=device(x)), (*x.shape[:-2], x.shape[-1]))

    def at_once(self, x: np.ndarray, state: State) -> np.ndarray | None:
        """Few messages at once."""
        return at_once.centered_clipping(x, state, self.radii)

    def after(self, y: Array, state: State) -> State:
        """The aggregate is the next centre."""
        return copy_of(y)

    def combine(self, x: Array, state: State, rng: Any) -> tuple[Array, State]:
        """(..., n, d) and the centre (..., d) → the new centre, twice."""
        self._check_centre(state, x)
        if kernels.pays(x) and (found := kernels.centered_clipping(x, state, self.radii)) is not None:
            return found, found
        xp = namespace(x)
        rows, alive = finite_rows(x)
        start = xp.astype(xp.broadcast_to(state, (*x.shape[:-2], x.shape[-1])), widest(x))
        away = only(alive, rows - start[..., None, :])
        norms = row_norms(away)
        usual = whole_range.ordinary(norms, self.radii)
        if surely(usual) or not x.shape[-1]:
            v = self._clipped(rows, alive, start, away, norms)
        else:
            v = self._clipped_anyhow(rows, alive, start, usual)
        v = xp.astype(v, x.dtype)
        return v, v

    def _check_centre(self, state: State, x: Array) -> None:
        shape = (*x.shape[:-2], x.shape[-1])
        if type(state) is np.ndarray and state.shape == shape and state.dtype == x.dtype:
            return
        points("CenteredClipping", state, x.shape[-1], "state")
        own = tuple(state.shape)
        if len(own) > len(shape) or any(k not in (1, n) for k, n in zip(own[::-1], shape[::-1], strict=False)):
            raise ValueError(f"CenteredClipping needs a state that broadcasts to {shape}, got state of {own}")
        if namespace(state) is not namespace(x):
            raise ValueError(f"CenteredClipping needs a state of {namespace(x).__name__}, got {told(state)}")

    def _clipped(self, rows: Array, alive: Array, v: Array, away: Array, norms: Array) -> Array:
        """The steps from the centre v, from which the rows are `away`."""
        v = v + _step(away, norms, self.radii[0])
        for tau in self.radii[1:]:
            away = only(alive, rows - v[..., None, :])
            v = v + _step(away, row_norms(away), tau)
        return v

    def _clipped_anyhow(self, rows: Array, alive: Array, v: Array, usual: Array) -> Array:
        """The same where not all runs are `usual`: for the others with an exponent beside every number."""
        xp = namespace(rows)
        far = whole_range.clipped(rows, alive, v, self.radii)
        # what the ordinary way makes of the others is not a number, and no derivative of anything
        rows, v = (xp.where(usual[(..., *(None,) * k)], part, xp.zeros_like(part)) for part, k in ((rows, 2), (v, 1)))
        away = only(alive, rows - v[..., None, :])
        return xp.where(usual[..., None], self._clipped(rows, alive, v, away, row_norms(away)), far)


def _step(away: Array, norms: Array, tau: Any) -> Array:
    """(1/n) Σ_i (x_i − v) min(1, τ/‖x_i − v‖), of the differences (..., n, d)."""
    return namespace(away).mean(away * _factors(norms, lead(tau, norms, 1))[..., None], axis=-2)


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
    whole = xp.astype(xp.broadcast_to(radius > 0, norms.shape), norms.dtype)  # at τ = 0 nothing moves: derivative 0
    return xp.where(inside, whole, radius / xp.where(inside, xp.ones_like(norms), norms))
