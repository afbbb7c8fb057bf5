"""Infinities, which one worker needs to ruin a mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sims.attacks.attack import Attack, State, View
from sims.backend import Array, namespace
from sims.checked import keep, whole
from sims.kernels.in_rounds import Answer, AttackInRounds


@dataclass(frozen=True)
class Infinite(Attack):
    """All Byzantine workers send +∞ in every coordinate, or −∞ with `sign=-1` (ByzFL's Inf).

    Rules that tolerate f see a message that is farther off than any, and a mean is no number any more. Raises
    `ValueError` for another sign.
    """

    sign: int = 1

    def __post_init__(self) -> None:
        keep(self, whole, "sign")
        if self.sign not in (-1, 1):
            raise ValueError(f"Infinite needs sign in (-1, 1), got sign = {self.sign}")

    def in_rounds(self, n: int, f: int) -> AttackInRounds:
        """±∞ everywhere."""
        return AttackInRounds(Answer.CONSTANT, (self.sign * float("inf"),))

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """±∞ everywhere."""
        return namespace(view.own).full_like(view.own, self.sign * float("inf")), state
