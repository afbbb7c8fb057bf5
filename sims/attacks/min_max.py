"""Min-max: as far away as honest workers are from each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sims.attacks.attack import Attack, State, View
from sims.attacks.directions import DIRECTIONS, backward, from_mean
from sims.backend import Array, max_across, namespace, sq_distances, sum_across
from sims.checked import choice, keep
from sims.kernels.in_rounds import Along, Answer, AttackInRounds


@dataclass(frozen=True)
class MinMax(Attack):
    """All Byzantine workers send one vector that is no farther from any honest message than these are from each other.

    mean_G + γp with the largest γ for which max_i ‖mean_G + γp − m_i‖ ≤ max_{i,j} ‖m_i − m_j‖ over the honest workers
    (min-max; Shejwalkar and Houmansadr, *Manipulating the Byzantine*, NDSS 2021, where the attacker knows all
    messages). p points against the mean: along −std_G, coordinate by coordinate, with `direction="std"`, along
    −sign(mean_G) with "sign", along −mean_G with "unit". Their code halves steps of γ until they are below 1e-5, from
    γ = 10 on, and never goes beyond 20. Here it is solved: with c_i = m_i − mean_G, D the largest distance and ‖p‖ = 1,

        γ = min_i ⟨p, c_i⟩ + √(⟨p, c_i⟩² + D² − ‖c_i‖²),

    where each term is the point at which the ray leaves the ball of radius D around m_i. The honest mean where p is 0.
    Raises `ValueError` for another direction.

    >>> import numpy as np
    >>> honest = np.array([[1.0], [3.0]])
    >>> sent = MinMax()(View(honest, honest, honest, honest, honest[0], honest[0], np.mean, 1))[0]
    >>> sent.tolist()
    [[1.0], [1.0]]
    """

    direction: str = "std"

    def __post_init__(self) -> None:
        keep(self, choice, "direction", known=DIRECTIONS)

    def in_rounds(self, n: int, f: int) -> AttackInRounds:
        """The honest mean, and as far from it as honest messages are from each other."""
        return AttackInRounds(Answer.FARTHEST, whole=(Along(DIRECTIONS.index(self.direction)),))

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """mean_G + γp, f times."""
        xp = namespace(view.honest)
        mean, away, scale = from_mean(view.honest)
        along = backward(mean, away, self.direction)
        inner = sum_across(along[..., None, :] * away)
        most = max_across(max_across(sq_distances(away)))[..., None]
        # D ≥ ‖c_i‖, for the mean is in their hull
        rest = xp.maximum(most - sum_across(away * away), xp.zeros_like(inner))
        root = xp.sqrt(inner * inner + rest)
        below = root - inner
        # of two forms of a root the one in which nothing cancels
        leaves = xp.where(inner > 0, inner + root, rest / xp.where(below > 0, below, xp.ones_like(below)))
        gamma = xp.min(leaves, axis=-1)[..., None]
        return (mean + scale * gamma * along)[..., None, :] + xp.zeros_like(view.own), state
