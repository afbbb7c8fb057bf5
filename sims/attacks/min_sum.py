"""Min-sum: no more apart from the honest workers, all in all, than one of them is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sims.attacks.attack import Attack, State, View
from sims.attacks.directions import DIRECTIONS, backward, from_mean
from sims.backend import Array, max_across, namespace, row_norms
from sims.checked import choice, keep
from sims.kernels.in_rounds import Along, Answer, AttackInRounds

VARIANTS = ("paper", "released")


@dataclass(frozen=True)
class MinSum(Attack):
    """All Byzantine workers send one vector whose squared distances to the honest messages add up as for one of these.

    mean_G + γp with the largest γ for which Σ_i ‖mean_G + γp − m_i‖² ≤ max_i Σ_j ‖m_i − m_j‖² over the honest workers
    (min-sum; Shejwalkar and Houmansadr, *Manipulating the Byzantine*, NDSS 2021, where the attacker knows all
    messages); with `variant="released"`, as their code has it, min_i on the right. `direction` as for `MinMax`.

    With c_i = m_i − mean_G, Σ c_i = 0: the left side is gγ²‖p‖² + Σ‖c_j‖², the i-th sum on the right g‖c_i‖² + Σ‖c_j‖².
    So γ‖p‖ = max_i ‖c_i‖, and min_i ‖c_i‖ in their code, whatever the direction: what is sent is as far from the mean
    as the farthest, or the closest, honest message. The honest mean where p is 0. Raises `ValueError` for another
    direction or variant.

    >>> import numpy as np
    >>> honest = np.array([[0.0], [1.0], [5.0]])
    >>> sent = MinSum()(View(honest, honest, honest, honest, honest[0], honest[0], np.mean, 1))[0]
    >>> sent[0].tolist()
    [-1.0]
    """

    direction: str = "std"
    variant: str = "paper"

    def __post_init__(self) -> None:
        keep(self, choice, "direction", known=DIRECTIONS)
        keep(self, choice, "variant", known=VARIANTS)

    def in_rounds(self, n: int, f: int) -> AttackInRounds:
        """The honest mean, and as far from it as the farthest honest message, or the nearest."""
        along = Along(DIRECTIONS.index(self.direction))
        return AttackInRounds(Answer.ON_SPHERE, whole=(along, int(self.variant == "released")))

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """mean_G + γp, f times."""
        xp = namespace(view.honest)
        mean, away, scale = from_mean(view.honest)
        lengths = row_norms(away)
        far = max_across(lengths) if self.variant == "paper" else -max_across(-lengths)
        sent = mean + scale * far[..., None] * backward(mean, away, self.direction)
        return sent[..., None, :] + xp.zeros_like(view.own), state
