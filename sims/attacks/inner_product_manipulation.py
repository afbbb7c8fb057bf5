"""Inner-product manipulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sims.attacks.attack import Attack, State, View
from sims.backend import Array, lead, namespace
from sims.checked import keep, over_axes
from sims.kernels.in_rounds import Answer, AttackInRounds


@dataclass(frozen=True, eq=False)
class InnerProductManipulation(Attack):
    """All Byzantine workers send a little of the wrong direction (IPM; Xie, Koyejo, Gupta 2019).

    −ε·(1/g) Σ_{i∈G} m_i, from the honest messages; the paper takes ε = 0.1. `epsilon` may be an array over the
    leading axes. Raises `ValueError` unless it is finite.
    """

    reals: ClassVar[Mapping[str, int]] = {"epsilon": 0}

    epsilon: Any = 0.1

    def __post_init__(self) -> None:
        keep(self, over_axes, "epsilon")

    def in_rounds(self, n: int, f: int) -> AttackInRounds:
        """A multiple of the honest mean."""
        return AttackInRounds(Answer.MINUS_MEAN, (self.epsilon,))

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """−ε·mean_G, f times."""
        xp = namespace(view.honest)
        mean = xp.mean(view.honest, axis=-2, keepdims=True)
        return -lead(self.epsilon, view.honest, 2) * mean + xp.zeros_like(view.own), state
