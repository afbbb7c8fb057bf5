"""Label flipping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sims.attacks.attack import STAGES, Attack, State, View
from sims.backend import Array
from sims.checked import choice, keep
from sims.kernels.in_rounds import Answer, AttackInRounds


@dataclass(frozen=True)
class LabelFlipping(Attack):
    """Each Byzantine worker follows the protocol on flipped labels, y → C − 1 − y (LF).

    The flipping is an option of the oracle: under this attack the engine asks the problem, a `sims.problems.Labelled`
    (else a `ValueError`), for gradients with the labels of the f flipped, so that all that they compute comes from
    flipped labels. `on="gradients"`, as in the paper's released code: they send g_i, their raw stochastic gradients
    without momentum; `on="messages"`: m_i, the messages that they compute from them. Raises `ValueError` for any
    other `on`.
    """

    on: str = "gradients"
    flips_labels: ClassVar[bool] = True

    def __post_init__(self) -> None:
        keep(self, choice, "on", known=STAGES)

    @property
    def acts_on(self) -> str:
        """The stage which `on` names."""
        return self.on

    def in_rounds(self, n: int, f: int) -> AttackInRounds:
        """The worker's own, which is of flipped labels."""
        return AttackInRounds(Answer.GRADIENT if self.on == "gradients" else Answer.HONEST)

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """The g_i or m_i themselves, which are of flipped labels."""
        return (view.own_gradients if self.on == "gradients" else view.own), state
