"""One round: the workers compute and speak, the attacker answers, the server moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sims.attacks import Attack, View
from sims.backend import Array, inverse, namespace, take_rows
from sims.optimizers import Algorithm, AlgorithmState
from sims.problems import Labelled, Oracle
from sims.problems.problem import sq_norm


@dataclass(frozen=True)
class Round:
    """The rules of a round: n workers, the last f of them Byzantine.

    Calling it with a state, the samples (..., n, *sample_shape) and an order of the workers (runs, n) or None returns
    the next state, the attack's next state, and ‖aggregate − mean honest message‖² (...). Raises `ValueError` if the
    attack flips labels and the problem is not `Labelled`.
    """

    problem: Oracle
    algorithm: Algorithm
    attack: Attack
    n: int
    f: int

    def __post_init__(self) -> None:
        if self.attack.flips_labels and not isinstance(self.problem, Labelled):
            name = type(self.attack).__name__
            raise ValueError(f"{name} needs a problem with labels, got problem = {self.problem!r}")

    def __call__(
        self, state: AlgorithmState, attack_state: Any, sample: Array, order: Array | None, attacking: Any, ruling: Any
    ) -> tuple[AlgorithmState, Any, Array]:
        """Play the round; `attacking` and `ruling` are the random streams of the attack and of the rule."""
        xp = namespace(sample)
        g = self.n - self.f
        back = None if order is None else inverse(order)
        gradients, elsewhere = self._gradients(state, sample)
        messages, spoken = self._speak(gradients, elsewhere, state, order, back)
        if self.f:
            view = View(
                honest=messages[..., :g, :],
                own=messages[..., g:, :],
                honest_gradients=gradients[..., :g, :],
                own_gradients=gradients[..., g:, :],
                x=state.x,
                last_aggregate=state.aggregate,
                # no stream: an attacker who tries the rule out must not change what it will do
                aggregate=lambda guess: self.algorithm.aggregate(_arrange(guess, order), spoken),
                t=state.t + 1,
            )
            sent, attack_state = self.attack(view, attack_state, attacking)
            if self.attack.enters == "gradients":
                submitted = xp.concat([view.honest_gradients, sent], axis=-2)
                messages, spoken = self._speak(submitted, elsewhere, state, order, back)
            else:
                messages = xp.concat([view.honest, sent], axis=-2)
        _, state = self.algorithm.update(_arrange(messages, order), spoken, ruling)
        error = sq_norm(state.aggregate - xp.mean(messages[..., :g, :], axis=-2))
        return state, attack_state, error

    def _gradients(self, state: AlgorithmState, sample: Array) -> tuple[Array, list[Array]]:
        """The gradients of the sample at x, which an attack sees and may replace, and those at the other points."""
        first, *others = self.algorithm.points(state)
        return self._oracle(first, sample), [self._oracle(x, sample) for x in others]

    def _oracle(self, x: Array, sample: Array) -> Array:
        """Every worker's gradient at x, the Byzantine workers' from flipped labels if that is the attack."""
        g = self.n - self.f
        flips: Any = {"flip": True} if self.attack.flips_labels else {}
        return self.problem.oracle(x, sample, g, **flips)

    def _speak(
        self,
        gradients: Array,
        elsewhere: list[Array],
        state: AlgorithmState,
        order: Array | None,
        back: Array | None,
    ) -> tuple[Array, AlgorithmState]:
        """The messages in the order of the workers, good first, though the algorithm sees them rearranged."""
        if elsewhere:
            gradients = namespace(gradients).concat([gradients, *elsewhere], axis=-1)
        messages, state = self.algorithm.messages(_arrange(gradients, order), state)
        return _arrange(messages, back), state


def _arrange(rows: Array, order: Array | None) -> Array:
    """Rows (..., n, d) in the given order (runs, n) of their workers."""
    return rows if order is None else take_rows(rows, namespace(rows).broadcast_to(order, rows.shape[:-1]))
