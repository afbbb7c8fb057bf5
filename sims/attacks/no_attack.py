"""The absence of an attack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sims.attacks.attack import Attack, State, View
from sims.backend import Array
from sims.kernels.in_rounds import Answer, AttackInRounds


@dataclass(frozen=True)
class NoAttack(Attack):
    """The Byzantine workers behave: each sends what it would have sent honestly."""

    def in_rounds(self, n: int, f: int) -> AttackInRounds:
        """What an honest worker sends."""
        return AttackInRounds(Answer.HONEST)

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """Its own honest messages themselves."""
        return view.own, state
