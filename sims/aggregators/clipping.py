"""Clipping around the origin, to a given radius and to one that the messages decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from sims.aggregators.mean import Mean
from sims.aggregators.pre_aggregation import PreAggregation
from sims.aggregators.rule import Promises, declared_f, smallest
from sims.backend import Array, device, host, lead, measurable, namespace, row_norms


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
        if not smallest(self.radius) >= 0:
            raise ValueError(f"Clipping needs radius ≥ 0, got radius = {smallest(self.radius)}")

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
        rows, norms = _lengths(x)
        return _shortened(x, rows, norms, lead(self.radius, norms, 1))


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
        declared_f("ARC", self.f)

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
        rows, norms = _lengths(x)
        radius = namespace(x).sort(norms, axis=-1, stable=False)[..., n - clipped - 1]
        return _shortened(x, rows, norms, radius[..., None])


def _lengths(x: Array) -> tuple[Array, Array]:
    """The messages in float64, zeros where they are not measurable, and their norms, which are infinite there."""
    xp = namespace(x)
    rows, alive = measurable(x)
    norms = row_norms(rows)
    return rows, xp.where(alive, norms, xp.asarray(float("inf"), dtype=norms.dtype, device=device(x)))


def _shortened(x: Array, rows: Array, norms: Array, radius: Array) -> Array:
    """The messages x, those whose norm exceeds the radius (..., 1) shortened to it."""
    xp = namespace(x)
    inside = norms <= radius
    factors = radius / xp.where(inside, xp.ones_like(norms), norms)
    return xp.where(inside[..., None], x, xp.astype(rows * factors[..., None], x.dtype))
