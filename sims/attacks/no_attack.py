"""The absence of an attack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sims.attacks.attack import Attack, State, View
from sims.backend import Array


@dataclass(frozen=True)
class NoAttack(Attack):
    """The Byzantine workers behave: each sends what it would have sent honestly."""

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """Its own honest messages."""
        return view.own, state
