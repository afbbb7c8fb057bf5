"""Clipping around the origin, to a given radius and to one that the messages decide."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from sims.aggregators import whole_range
from sims.aggregators.mean import Mean
from sims.aggregators.pre_aggregation import PreAggregation
from sims.aggregators.rule import Promises
from sims.aggregators.told import require_fewer_than_half
from sims.backend import (
    HUGE,
    Array,
    finite_rows,
    host,
    in_rows,
    lead,
    namespace,
    order_by_value,
    root,
    surely,
    widest,
)
from sims.checked import keep, over_axes, whole
from sims.exponents import INFINITE, Lengths, exponent, lengths, shift
from sims.kernels.in_rounds import Mix, RuleInRounds


@dataclass(frozen=True, eq=False)
class Clipping(PreAggregation):
    """Messages longer than a radius are shortened to it before the rule sees them (static clipping).

    y_i = x_i·min(1, r/‖x_i‖), r = `radius` ≥ 0, a number or an array over the leading axes; the rule aggregates y_1, …,
    y_n. A message that is not finite has no direction and becomes 0. What all send comes out shortened, too. Right to
    24 roundings of a message's norm, plus one smallest number. Raises `ValueError` unless radius ≥ 0.

    >>> import numpy as np
    >>> Clipping(Mean(), radius=2.0).aggregate(np.array([[0.0], [1.0], [1e9]]))
    array([1.])
    """

    needs: ClassVar[str] = "radius ≥ 0"
    bears: ClassVar[str] = "n"

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
        inner = self.rule.promises
        return Promises(False, False, odd=inner.odd, agreement=False, permutation=inner.permutation)

    def breakdown(self, n: int) -> int:
        """All n: whatever is sent, the rule sees messages that are no longer than the radius, if that is finite."""
        return n if np.all(np.isfinite(host(self.radius))) else self.rule.breakdown(n)

    def bound(self, n: int, reach: float) -> float:
        """The rule's own, for messages no longer than the radius."""
        radius = float(np.max(host(self.radius), initial=0.0))
        return self.rule.bound(n, radius if np.isfinite(radius) else reach)

    def in_rounds(self, n: int) -> RuleInRounds | None:
        """The rule's own step, behind shortened messages."""
        return self.mixed_first(n, Mix.SHORTENED, radius=self.radius)

    def mix(self, x: Array, rng: Any) -> Array:
        """The shortened messages, (..., n, d) → (..., n, d)."""
        norms, far = _norms(x)
        return _shortened(x, norms, far, lead(self.radius, norms, 1))


@dataclass(frozen=True, eq=False)
class ARC(PreAggregation):
    """The longest messages are shortened before the rule sees them (adaptive robust clipping; Allouah et al. 2024).

    The k = ⌊2f(n − f)/n⌋ longest are shortened to the length of the longest of the others; the rule aggregates what
    comes of it. A message that is not finite is longer than all others and becomes 0 if it is among the k; the others
    are right as in `Clipping`. Needs n ≥ 2f + 1.

    >>> import numpy as np
    >>> ARC(Mean(), f=1).aggregate(np.array([[0.0], [3.0], [-1e9]]))
    array([0.])
    """

    needs: ClassVar[str] = "n ≥ 2f + 1"
    bears: ClassVar[str] = "f"

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
        mean = inner.mean and idle
        return Promises(inner.translation and idle, inner.scale, inner.odd, mean, inner.agreement, inner.permutation)

    def require(self, n: int) -> None:
        """Raise unless n ≥ 2f + 1, and as the rule does."""
        require_fewer_than_half("ARC", n, self.f)
        super().require(n)

    def breakdown(self, n: int) -> int:
        """The declared f: k ≥ f, so that no message stays longer than the longest honest one; at f = 0 the rule's."""
        return self.f or self.rule.breakdown(n)

    def bound(self, n: int, reach: float) -> float:
        """The rule's own: no message stays longer than the longest honest one."""
        return self.rule.bound(n, reach)

    def in_rounds(self, n: int) -> RuleInRounds | None:
        """The rule's own step, behind messages of which the longest are shortened, if any are."""
        longest = 2 * self.f * (n - self.f) // n
        mix = Mix.AS_LONG_AS_OTHERS if longest else Mix.NOTHING
        return self.mixed_first(n, mix, mixed=longest, mix_order=(n - longest - 1,))

    def mix(self, x: Array, rng: Any) -> Array:
        """The messages, the longest of them shortened, (..., n, d) → (..., n, d)."""
        n = x.shape[-2]
        clipped = 2 * self.f * (n - self.f) // n
        if clipped == 0:
            return x
        xp, place = namespace(x), n - clipped - 1
        norms, far = _norms(x)
        radius = xp.sort(norms, axis=-1, stable=False)[..., place : place + 1]
        if far is None:
            return _shortened(x, norms, None, radius)
        more = exponent(far.norms.length)  # directions are longer than 2
        mantissas, exponents = shift(far.norms.length, -more), far.norms.exponent + more
        at = order_by_value(exponents, mantissas)[..., place : place + 1]
        full = xp.take_along_axis(mantissas, at, axis=-1), xp.take_along_axis(exponents, at, axis=-1)
        return _shortened(x, norms, far, radius, full)


class _Far(NamedTuple):
    """Messages of which some are not `tame`, measured by their squares: in `widest`, the finite, all norms in full."""

    rows: Array
    alive: Array
    norms: Lengths
    tame: Array

    @classmethod
    def of(cls, x: Array, tame: Array) -> _Far:
        """The dead have the norm ∞."""
        rows, alive = finite_rows(x)
        norms = lengths(rows)
        xp = namespace(x)
        longest = xp.full_like(norms.exponent, INFINITE)
        length = xp.where(alive, norms.length, xp.ones_like(norms.length))
        return cls(rows, alive, Lengths(norms.direction, length, xp.where(alive, norms.exponent, longest)), tame)


def _norms(x: Array) -> tuple[Array, _Far | None]:
    """The norms of the messages (..., n), infinite where they are too long for squares, and more if some are not tame.

    By squares as they are where that is exact enough, which each message decides for itself.
    """
    xp = namespace(x)
    kind = widest(x)
    squares = xp.sum(in_rows(x * x), axis=-1, dtype=kind)
    limits = xp.finfo(x.dtype)
    lost = x.shape[-1] * float(limits.smallest_normal)  # at most, in squares that underflow
    most = min(HUGE, float(xp.finfo(kind).max) ** 0.5 / 4)
    tame = (squares >= lost / float(limits.eps)) & (squares <= most**2)
    if not surely(tame):
        tame = tame | xp.all(x == 0, axis=-1)
    if surely(tame) or not x.shape[-1]:
        return root(squares), None
    far = _Far.of(x, tame)
    near = far.norms.exponent < math.frexp(most)[1]
    norms = shift(far.norms.length, xp.where(near, far.norms.exponent, xp.zeros_like(far.norms.exponent)))
    infinite = xp.full_like(norms, float("inf"))
    x = xp.where(tame[..., None], x, xp.zeros_like(x))  # a NaN has no derivative, also where nothing depends on it
    return xp.where(tame, root(xp.sum(in_rows(x * x), axis=-1, dtype=kind)), xp.where(near, norms, infinite)), far


def _shortened(
    x: Array, norms: Array, far: _Far | None, radius: Array, full_radius: tuple[Array, Array] | None = None
) -> Array:
    """The messages x, those whose norm exceeds the radius (..., 1) shortened to it.

    `full_radius` is the radius as m·2^e where it may be beyond all numbers.
    """
    xp = namespace(x)
    inside, least = norms <= radius, float(xp.finfo(x.dtype).smallest_normal)
    # at a radius of 0 all messages become 0, and the derivative is 0
    whole = 1.0 if type(x) is np.ndarray else xp.astype(xp.broadcast_to(radius > 0, norms.shape), norms.dtype)
    factors = xp.astype(xp.where(inside, whole, radius / xp.where(inside, 1.0, norms)), x.dtype)
    if far is None and type(x) is np.ndarray and factors.size and factors.min() >= least:
        return x * factors[..., None]  # nearly always, and quickly seen
    exact = inside | (factors >= least) | (radius == 0)
    if far is None and (surely(exact) or not x.shape[-1]):
        return x * factors[..., None]
    far = far or _Far.of(x, norms == norms)
    unit = exponent(radius)
    full = full_radius or (xp.where(xp.isinf(radius), xp.ones_like(radius), shift(radius, -unit)), unit)
    exact = exact & far.tame
    # again, for the quotients of the others would have derivatives that are not numbers
    factors = xp.where(inside, whole, radius / xp.where(inside | ~exact, 1.0, norms))
    factors = xp.where(exact, xp.astype(factors, x.dtype), xp.zeros_like(exact, dtype=x.dtype))
    plain = xp.where(exact[..., None], x, xp.zeros_like(x)) * factors[..., None]
    short = xp.astype(whole_range.shortened(far.rows, far.alive, far.norms, full), x.dtype)
    untouched = ~far.alive & (full[1] >= INFINITE)
    return xp.where(exact[..., None], plain, xp.where(untouched[..., None], x, short))
