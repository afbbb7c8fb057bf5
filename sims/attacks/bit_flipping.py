"""Bit flipping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sims.attacks.attack import STAGES, Attack, State, View
from sims.backend import Array
from sims.checked import choice, keep
from sims.kernels.in_rounds import Answer, AttackInRounds


@dataclass(frozen=True)
class BitFlipping(Attack):
    """Each Byzantine worker sends the negative of its own vector (BF, sign flipping).

    `on="gradients"`, as in the paper's released code: −g_i, its raw stochastic gradient without momentum;
    `on="messages"`: −m_i, the message that it would have sent. Raises `ValueError` for any other `on`.
    """

    on: str = "gradients"

    def __post_init__(self) -> None:
        keep(self, choice, "on", known=STAGES)

    @property
    def acts_on(self) -> str:
        """The stage which `on` names."""
        return self.on

    def in_rounds(self, n: int, f: int) -> AttackInRounds:
        """Its own vector with the other sign."""
        return AttackInRounds(Answer.MINUS_GRADIENT if self.on == "gradients" else Answer.MINUS_MESSAGE)

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """Each Byzantine worker's own vector with the other sign, −g_i or −m_i."""
        return -(view.own_gradients if self.on == "gradients" else view.own), state
