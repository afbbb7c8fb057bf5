"""Gaussian noise instead of gradients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sims.attacks.attack import Attack, State, View
from sims.backend import Array, as_like, lead, namespace
from sims.checked import flag, keep, over_axes
from sims.kernels.in_rounds import Answer, AttackInRounds


@dataclass(frozen=True, eq=False)
class Gaussian(Attack):
    """Byzantine workers send normal noise that has nothing to do with what the honest ones send.

    μ + σξ in every coordinate, ξ standard normal, drawn anew in every round from the attack's own stream: for each of
    them, or with `together` one vector for all, as ByzFL's clients send it. `mu` and `sigma` ≥ 0, numbers or arrays
    over the leading axes, are 0 and 1 as in ByzFL; Blanchard et al. (2017) send noise of standard deviation 200. Raises
    `ValueError` for σ < 0 and where it is called without a stream.
    """

    reals: ClassVar[Mapping[str, int]] = {"mu": 0, "sigma": 0}

    mu: Any = 0.0
    sigma: Any = 1.0
    together: bool = False

    def __post_init__(self) -> None:
        keep(self, over_axes, "mu")
        keep(self, over_axes, "sigma", least=0)
        keep(self, flag, "together")

    def in_rounds(self, n: int, f: int) -> AttackInRounds:
        """μ + σξ of the attack's own stream: all coordinates of the f, or d for all of them."""
        return AttackInRounds(
            Answer.NORMAL, (self.mu, self.sigma), (int(self.together),), draws=1 if self.together else f
        )

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """μ + σξ."""
        if rng is None:
            raise ValueError("Gaussian needs a stream of random numbers, got rng = None")
        f, d = view.own.shape[-2:]
        drawn = as_like(rng.normal(1, (1 if self.together else f, d))[0, ...], view.own)
        noise = lead(self.mu, view.own, 2) + lead(self.sigma, view.own, 2) * drawn
        return noise + namespace(view.own).zeros_like(view.own), state
