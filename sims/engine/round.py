"""One round: the workers compute and speak, the attacker answers, the server moves."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sims.attacks import Attack, View
from sims.backend import Array, inverse, namespace, take_rows
from sims.checked import told
from sims.engine.foreign import ForeignAlgorithm, ForeignProblem
from sims.optimizers import Algorithm, AlgorithmState
from sims.owned import asked, ours
from sims.problems import Labelled, Oracle, Stateful
from sims.problems.problem import sq_norm
from sims.trees import is_array


@dataclass(frozen=True)
class States:
    """Where all stand between two rounds: the algorithm, the attack (() if there is none), a problem's memory."""

    algorithm: AlgorithmState
    attack: Any = ()
    problem: Any = ()


@dataclass(frozen=True)
class Played:
    """What a round leaves to be looked at: gradients and messages (..., n, d), good first, and what the rule met."""

    gradients: Array
    messages: Array
    before: AlgorithmState


@dataclass(frozen=True)
class Round:
    """The rules of a round: n workers, the last f of them Byzantine.

    Calling it with the states, the samples (..., n, *sample_shape) and an order of the workers (runs, n) or None
    returns the next states, and what was played. Raises `ValueError` if the attack flips labels and the problem is not
    `Labelled`; and one that names a part of somebody's own that raises, or returns what it must not. Such a part is
    handed copies (`sims.owned`), and what the round goes on with is nobody else's.
    """

    problem: Oracle
    algorithm: Algorithm
    attack: Attack
    n: int
    f: int

    def __post_init__(self) -> None:
        if self.attack.flips_labels and not isinstance(self.problem, Labelled):
            name = type(self.attack).__name__
            raise ValueError(f"{name} needs a problem with labels, got problem = {told(self.problem)}")

    @functools.cached_property
    def _algorithm(self) -> Any:
        return self.algorithm if ours(self.algorithm) else ForeignAlgorithm(self.algorithm)

    @functools.cached_property
    def _problem(self) -> Any:
        return self.problem if ours(self.problem) else ForeignProblem(self.problem, self.n)

    def begin(self, x: Array) -> States:
        """Where everybody stands before the first round, at x (..., d)."""
        n, f = self.n, self.f
        memory = self._problem.begin(x, n, n - f) if isinstance(self.problem, Stateful) else ()
        return States(self._algorithm.init(x), asked("attack", self.attack.init, x, n, f) if f else (), memory)

    def __call__(
        self,
        states: States,
        sample: Any,
        order: Array | None,
        attacking: Any,
        ruling: Any,
        trying: Callable[[int], Any] = lambda t: None,
    ) -> tuple[States, Played]:
        """Play the round; `attacking` and `ruling` are the random streams of the attack and of the rule.

        `trying(t)` is a stream, at its start, with which an attacker tries the rule out in round t.
        """
        state, attack_state = states.algorithm, states.attack
        xp = namespace(state.x)
        g = self.n - self.f
        back = None if order is None else inverse(order)
        gradients, elsewhere, memory = self._gradients(states, sample)
        messages, spoken = self._speak(gradients, elsewhere, state, order, back)
        if self.f:
            view = View(
                honest=messages[..., :g, :],
                own=messages[..., g:, :],
                honest_gradients=gradients[..., :g, :],
                own_gradients=gradients[..., g:, :],
                x=state.x,
                last_aggregate=state.aggregate,
                aggregate=lambda guess: self._tried(guess, spoken, order, trying(state.t + 1)),
                t=state.t + 1,
            )
            sent, attack_state = self.attack(view, attack_state, attacking)
            if self.attack.enters == "gradients":
                submitted = xp.concat([view.honest_gradients, sent], axis=-2)
                messages, spoken = self._speak(submitted, elsewhere, state, order, back)
            else:
                messages = xp.concat([view.honest, sent], axis=-2)
        _, state = self._algorithm.update(_arrange(messages, order), spoken, ruling)
        return States(state, attack_state, memory), Played(gradients, messages, spoken)

    def _tried(self, guess: Any, state: AlgorithmState, order: Array | None, stream: Any) -> Array:
        """What the rule would make of an attacker's guess, which changes nothing, not even where the rule's stream is.

        Raises `ValueError` for what is no array, and as the rule does.
        """
        if not is_array(guess):
            raise ValueError(f"view.aggregate needs an array of messages (..., n, d), got {type(guess).__name__}")
        return self._algorithm.aggregate(_arrange(guess, order), state, stream)

    def sq_error(self, played: Played, aggregate: Array) -> Array:
        """‖aggregate − mean honest message‖² of a round that was played, (...)."""
        honest = played.messages[..., : self.n - self.f, :]
        return sq_norm(aggregate - namespace(aggregate).mean(honest, axis=-2))

    def _gradients(self, states: States, sample: Any) -> tuple[Array, list[Array], Any]:
        """The gradients of the sample at x, which an attack sees and may replace, those at the other points, a memory.

        Gradients at other points see the memory from before the round and leave none.
        """
        first, *others = self._algorithm.points(states.algorithm)
        gradients, memory = self._oracle(first, sample, states.problem)
        return gradients, [self._oracle(x, sample, states.problem)[0] for x in others], memory

    def _oracle(self, x: Array, sample: Any, memory: Any) -> tuple[Array, Any]:
        """Every worker's gradient at x, the Byzantine workers' from flipped labels if that is the attack."""
        g = self.n - self.f
        flips: Any = {"flip": True} if self.attack.flips_labels else {}
        if isinstance(self.problem, Stateful):
            return self._problem.gradients(x, sample, memory, g, **flips)
        return self._problem.oracle(x, sample, g, **flips), memory

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
        messages, after = self._algorithm.messages(_arrange(gradients, order), state)
        return _arrange(messages, back), after


def _arrange(rows: Array, order: Array | None) -> Array:
    """Rows (..., n, d) in the given order (runs, n) of their workers."""
    return rows if order is None else take_rows(rows, namespace(rows).broadcast_to(order, rows.shape[:-1]))
