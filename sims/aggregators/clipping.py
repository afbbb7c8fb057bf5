"""Clipping around the origin, to a given radius and to one that the messages decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from sims.aggregators.mean import Mean
from sims.aggregators.pre_aggregation import PreAggregation
from sims.aggregators.rule import Promises
from sims.backend import HUGE, Array, device, host, lead, measurable, namespace, row_norms
from sims.checked import keep, over_axes, whole


@dataclass(frozen=True, eq=False)
class Clipping(PreAggregation):
    """Messages longer than a radius are shortened to it before the rule sees them (static clipping).

    y_i = x_i·min(1, r/‖x_i‖), r = `radius` ≥ 0, a number or an array over the leading axes; the rule aggregates y_1, …,
    y_n. A message that is not finite, or beyond 1e150, has no direction and becomes 0. What all send comes out
    shortened, too. Raises `ValueError` unless radius ≥ 0.

    >>> import numpy as np
    >>> Clipping(Mean(), radius=2.0).aggregate(np.array([[0.0], [1.0], [1e9]]))
    array([1.])
    """

    reals: ClassVar[Mapping[str, int]] = {"radius": 0}

    radius: Any

    def __post_init__(self) -> None:
        super().__post_init__()
        keep(self, over_axes, "radius", least=0, finite=False)

    @classmethod
    def example(cls, n: int, f: int) -> Self:
        """To radius 2, before the mean."""
        return cls(Mean(), radius=2.0)

    @property
    def promises(self) -> Promises:
        """Oddness, if the rule is odd."""
        return Promises(translation=False, scale=False, odd=self.rule.promises.odd, agreement=False)

    def breakdown(self, n: int) -> int:
        """All n: whatever is sent, the rule sees messages that are no longer than the radius, if that is finite."""
        return n if np.all(np.isfinite(host(self.radius))) else self.rule.breakdown(n)

    def mix(self, x: Array, rng: Any) -> Array:
        """The shortened messages, (..., n, d) → (..., n, d)."""
        norms, alive = _norms(x)
        return _shortened(x, norms, alive, lead(self.radius, norms, 1))


@dataclass(frozen=True, eq=False)
class ARC(PreAggregation):
    """The longest messages are shortened before the rule sees them (adaptive robust clipping; Allouah et al. 2024).

    The k = ⌊2f(n − f)/n⌋ longest are shortened to the length of the longest of the others; the rule aggregates what
    comes of it. A message that is not finite, or beyond 1e150, is longer than all others and becomes 0 if it is among
    the k. Needs n ≥ 2f + 1.

    >>> import numpy as np
    >>> ARC(Mean(), f=1).aggregate(np.array([[0.0], [3.0], [-1e9]]))
    array([0.])
    """

    f: int

    def __post_init__(self) -> None:
        super().__post_init__()
        keep(self, whole, "f", least=0)

    @classmethod
    def example(cls, n: int, f: int) -> Self | None:
        """Before the mean."""
        return cls(Mean(), f) if n >= 2 * f + 1 else None

    @property
    def promises(self) -> Promises:
        """Scaling and oddness, if the rule has them; nothing is shortened at f = 0."""
        inner, idle = self.rule.promises, self.f == 0
        return Promises(inner.translation and idle, inner.scale, inner.odd, inner.mean and idle, inner.agreement)

    def require(self, n: int) -> None:
        """Raise unless n ≥ 2f + 1, and as the rule does."""
        if n < 2 * self.f + 1:
            raise ValueError(f"ARC needs n ≥ 2f + 1, got n = {n}, f = {self.f}")
        super().require(n)

    def breakdown(self, n: int) -> int:
        """The declared f: k ≥ f, so that no message stays longer than the longest honest one; at f = 0 the rule's."""
        return self.f or self.rule.breakdown(n)

    def mix(self, x: Array, rng: Any) -> Array:
        """The messages, the longest of them shortened, (..., n, d) → (..., n, d)."""
        n = x.shape[-2]
        clipped = 2 * self.f * (n - self.f) // n
        if clipped == 0:
            return x
        norms, alive = _norms(x)
        radius = namespace(x).sort(norms, axis=-1, stable=False)[..., n - clipped - 1]
        return _shortened(x, norms, alive, radius[..., None])


def _norms(x: Array) -> tuple[Array, Array | None]:
    """The norms of the messages (..., n), infinite where they are not measurable, and which are, None if all.

    By squares as they are where that is exact enough, which each message decides for itself.
    """
    xp = namespace(x)
    squares = xp.sum(x * x, axis=-1, dtype=xp.float64)
    limits = xp.finfo(x.dtype)
    lost = x.shape[-1] * float(limits.smallest_normal)  # at most, in squares that underflow
    tame = (squares >= lost / float(limits.eps)) & (squares <= HUGE**2)
    if not bool(xp.all(tame)):
        tame = tame | xp.all(x == 0, axis=-1)
    if bool(xp.all(tame)):
        return xp.sqrt(squares), None
    rows, alive = measurable(x)
    infinite = xp.asarray(float("inf"), dtype=xp.float64, device=device(x))
    return xp.where(tame, xp.sqrt(squares), xp.where(alive, row_norms(rows), infinite)), alive


def _shortened(x: Array, norms: Array, alive: Array | None, radius: Array) -> Array:
    """The messages x, those whose norm exceeds the radius (..., 1) shortened to it."""
    xp = namespace(x)
    inside = norms <= radius
    factors = xp.astype(xp.where(inside, 1.0, radius / xp.where(inside, 1.0, norms)), x.dtype)
    if alive is not None:
        x = xp.where((alive | inside)[..., None], x, xp.zeros_like(x))
    return x * factors[..., None]
