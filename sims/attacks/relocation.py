"""Relocation: the attack that starts from the server's momentum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from sims.attacks.attack import Attack, State, View
from sims.attacks.directions import unit
from sims.backend import Array, as_like, host, lead, namespace, sum_across
from sims.checked import keep, once, over_axes
from sims.kernels.in_rounds import Answer, AttackInRounds


@dataclass(frozen=True, eq=False)
class Relocation(Attack):
    """All Byzantine workers send one point near what centered clipping clips around (after ROP; Özfatura et al. 2024).

    centre + radius·u, with a unit vector u and centre = λ·(last aggregate) + (1 − λ)·mean_G; λ is `mix`, 1 unless
    given: exactly the centre of one clipping step, so that a `radius` of τ or more moves its output by fτ/n along u,
    whatever the honest workers send, and from τ on is clipped like a message from infinitely far.

    - `direction`, a vector (..., d) ≠ 0: u is along it in every round;
    - else u makes the `angle` (degrees) with the reference r = `reference`·(last aggregate) + (1 − `reference`)·mean_G,
      turned towards (1, …, 1): 0 pushes on where the server goes already, 180 holds it up, 90, the published choice, is
      orthogonal to it. Where r = 0, u is along (1, …, 1); where that is parallel to r, it turns towards (1, 0, …, 0).

    ROP, the relocated orthogonal perturbation (Özfatura, Özfatura, Küpçü, Gündüz, *Byzantines can also Learn from
    History*, IEEE TIFS 2024, arXiv 2208.09894), is this in their released code, with the z of `ALittleIsEnough` as
    radius and mean_G as the first round's reference. `radius` ≥ 0, `mix`, `reference` and `angle` may be arrays over
    the leading axes. Raises `ValueError` for a negative radius, a direction of length 0 or without d coordinates, and
    on the line, where nothing is orthogonal, for an angle that is no multiple of 180.

    >>> import numpy as np
    >>> from sims.attacks import View
    >>> last, honest = np.array([2.0]), np.array([[1.0], [3.0]])
    >>> Relocation(5.0, direction=(1.0,))(View(honest, honest, honest, honest, last, last, np.mean, 1))[0].tolist()
    [[7.0], [7.0]]
    """

    reals: ClassVar[Mapping[str, int]] = {"radius": 0, "direction": 1, "angle": 0, "mix": 0, "reference": 0}

    radius: Any
    direction: Any = None
    angle: Any = 90.0
    mix: Any = 1.0
    reference: Any = 1.0

    def __post_init__(self) -> None:
        keep(self, over_axes, "radius", least=0)
        keep(self, over_axes, "direction", own=1, optional=True)
        keep(self, over_axes, "angle", "mix", "reference")
        if self.direction is not None and np.ndim(self.direction) < 1:
            raise ValueError(f"Relocation needs a direction of shape (..., d), got direction = {self.direction}")
        if self.direction is not None and not (once(host(self.direction)) != 0).any(axis=-1).all():
            raise ValueError("Relocation needs a direction of length > 0, got 0")

    @classmethod
    def example(cls, n: int, f: int) -> Self:
        """Along (1, …, 1), which every dimension has, at radius 1."""
        return cls(radius=1.0, angle=0.0)

    def require(self, n: int, f: int, d: int) -> None:
        """Raise unless the direction has d coordinates, or, on the line, the angle is a multiple of 180."""
        if self.direction is not None:
            if (own := host(self.direction).shape[-1]) != d:
                raise ValueError(f"Relocation needs a direction of d = {d} numbers, got {own}")
        elif d == 1 and (host(self.angle, np.float64) % 180 != 0).any():
            raise ValueError(f"Relocation on the line needs an angle of 0 or 180 degrees, got {self.angle}")

    def in_rounds(self, n: int, f: int) -> AttackInRounds:
        """A point near the last aggregate, in a direction that is given or at an angle."""
        if self.direction is None:
            radians = np.asarray(host(self.angle, np.float64)) * (math.pi / 180)
            turn = np.cos(radians), np.sin(radians)
            return AttackInRounds(Answer.TURNED, (self.radius, self.mix, self.reference, *turn))
        along = unit(np.asarray(host(self.direction), dtype=np.float64))[0]
        return AttackInRounds(Answer.NEAR_CENTRE, (self.radius, self.mix), direction=along)

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """centre + radius·u, f times."""
        self.require(view.honest.shape[-2] + view.own.shape[-2], view.own.shape[-2], view.honest.shape[-1])
        last, mean = view.last_aggregate, namespace(view.honest).mean(view.honest, axis=-2)
        along = self._turned(self._mixed(self.reference, last, mean)) if self.direction is None else self._fixed(last)
        sent = self._mixed(self.mix, last, mean) + lead(self.radius, last, 1) * along
        return sent[..., None, :] + namespace(sent).zeros_like(view.own), state

    @staticmethod
    def _mixed(share: Any, last: Array, mean: Array) -> Array:
        weight = lead(share, last, 1)
        return weight * last + (1.0 - weight) * mean

    def _fixed(self, like: Array) -> Array:
        return unit(as_like(self.direction, like))[0]

    def _turned(self, r: Array) -> Array:
        """The unit vector at the angle from r."""
        xp, d = namespace(r), r.shape[-1]
        radians = lead(host(self.angle, np.float64) * (math.pi / 180), r, 1)
        ones = xp.ones_like(r) / math.sqrt(d)
        forward, length = unit(r)
        if d == 1:
            turned = forward * xp.round(xp.cos(radians))
        else:
            first = as_like([1.0] + [0.0] * (d - 1), r)
            towards, apart = _rejected(ones, forward)
            other, _ = _rejected(first + xp.zeros_like(r), forward)
            sideways = unit(xp.where(apart > 1e-9, towards, other))[0]
            turned = xp.cos(radians) * forward + xp.sin(radians) * sideways
        return xp.where(length > 0, turned, ones)


def _rejected(vectors: Array, forward: Array) -> tuple[Array, Array]:
    """The parts (..., d) orthogonal to the unit vectors `forward`, and their lengths (..., 1)."""
    xp = namespace(vectors)
    away = vectors - sum_across(vectors * forward)[..., None] * forward
    return away, xp.sqrt(sum_across(away * away)[..., None])
