"""What a distributed optimization algorithm is, and the robust SGD that every rule and optimizer make."""

from __future__ import annotations

import abc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from sims.aggregators import Rule, as_rule
from sims.backend import Array, namespace
from sims.checked import messages, points, told
from sims.optimizers.optimizer import Optimizer, asked_messages, asked_points, asked_update
from sims.owned import as_always, copy_of


@dataclass(frozen=True)
class AlgorithmState:
    """Where an algorithm stands after t rounds: query point x (..., d), last aggregate (..., d), and its memory."""

    x: Array
    aggregate: Array
    t: int
    memory: Any = None


class Algorithm(abc.ABC):
    """An algorithm as the server sees it (Definition B): gradients in, the next query point out.

    `state = alg.init(x0)`; `x, state = alg(gradients, state)` with the submitted gradients (..., n, d), one row per
    worker identity. A round has two halves, so that an attack fits in between: `messages` is what workers compute,
    `update` what the server does with the messages. Everything is pure; all memory is in the state, which keeps no
    array of the caller's: he may use his again, and write into the x that he gets from a call. The engine calls an
    algorithm of somebody's own with copies, in which it may write, and copies what it returns (`sims.owned`).

    An algorithm that needs the gradients of one sample at k `points` gets them end to end, (..., n, k·d).
    """

    def init(self, x0: Array) -> AlgorithmState:
        """The state before the first round, at x0 (..., d), with last aggregate 0 and no memory.

        Raises `ValueError` unless x0 is an array of real floating-point numbers.
        """
        points(type(self).__name__, x0, name="x0")
        return AlgorithmState(copy_of(x0), namespace(x0).zeros_like(x0), 0)

    def points(self, state: AlgorithmState) -> tuple[Array, ...]:
        """Where each worker takes gradients of this round's sample, each (..., d): x, unless a subclass says more."""
        return (state.x,)

    @abc.abstractmethod
    def messages(self, gradients: Array, state: AlgorithmState) -> tuple[Array, AlgorithmState]:
        """What the workers send, (..., n, d), and the state with their new memories."""

    @abc.abstractmethod
    def update(self, messages: Array, state: AlgorithmState, rng: Any = None) -> tuple[Array, AlgorithmState]:
        """The next query point and the state of round t + 1, from the messages that arrived."""

    @abc.abstractmethod
    def aggregate(self, messages: Array, state: AlgorithmState, rng: Any = None) -> Array:
        """What the rule would make of these messages now, (..., n, d) → (..., d), with no effect on the state.

        `rng` is a stream for trials, and not the one of `update`.
        """

    @final
    def __call__(self, gradients: Array, state: AlgorithmState, rng: Any = None) -> tuple[Array, AlgorithmState]:
        """One round without anything between the two halves.

        Raises `ValueError` for a `state` that is none, and for gradients that do not fit it or are no real
        floating-point numbers.
        """
        if not isinstance(state, AlgorithmState):
            raise ValueError(f"{type(self).__name__} needs the state of `init` or of a call, got state = {told(state)}")
        messages(gradients, "gradients")
        with as_always():
            d = sum(point.shape[-1] for point in self.points(state))
            if gradients.shape[-1] != d:
                raise ValueError(
                    f"gradients must have shape (..., n, {d}) at these points, got {tuple(gradients.shape)}"
                )
            sent, state = self.messages(gradients, state)
            x, state = self.update(sent, state, rng)
            return copy_of(x), state


@dataclass(frozen=True)
class Memories:
    """The memories of a `RobustSGD`; None is the initial one."""

    workers: Any = None
    rule: Any = None
    server: Any = None


@dataclass(frozen=True, eq=False)
class RobustSGD(Algorithm):
    """SGD with any optimizer's momentum and any rule in the place of the mean.

    `rule` is a rule or a plain function (n, d) → (d,). Raises `ValueError` for anything else, and for an `optimizer`
    that is none.

    >>> import numpy as np
    >>> from sims.aggregators import CoordinateMedian
    >>> from sims.optimizers import SGD
    >>> alg = RobustSGD(CoordinateMedian(), SGD(learning_rate=0.5))
    >>> alg(np.array([[1.0], [2.0], [9.0]]), alg.init(np.array([4.0])))[0]
    array([3.])
    """

    rule: Rule | Callable[[Array], Array]
    optimizer: Optimizer

    def __post_init__(self) -> None:
        as_rule(self.rule)
        if not isinstance(self.optimizer, Optimizer):
            raise ValueError(f"RobustSGD needs a sims Optimizer, got optimizer = {told(self.optimizer)}")

    def init(self, x0: Array) -> AlgorithmState:
        """The state before the first round."""
        points("RobustSGD", x0, name="x0")
        return AlgorithmState(copy_of(x0), namespace(x0).zeros_like(x0), 0, Memories())

    def points(self, state: AlgorithmState) -> tuple[Array, ...]:
        """Where the optimizer wants gradients, x itself first."""
        return asked_points(self.optimizer, state.x, state.memory.server)

    def messages(self, gradients: Array, state: AlgorithmState) -> tuple[Array, AlgorithmState]:
        """The optimizer's worker side; the rest of the state is handed through."""
        memory = state.memory
        t, d = state.t + 1, state.x.shape[-1]
        sent, workers = asked_messages(self.optimizer, gradients, memory.workers, t, d)
        return sent, AlgorithmState(state.x, state.aggregate, state.t, Memories(workers, memory.rule, memory.server))

    def update(self, messages: Array, state: AlgorithmState, rng: Any = None) -> tuple[Array, AlgorithmState]:
        """The rule, then the optimizer's server side; the workers' memories are handed through."""
        memory = state.memory
        aggregate, rule = as_rule(self.rule)(messages, memory.rule, rng)
        x, server = asked_update(self.optimizer, state.x, aggregate, memory.server, state.t + 1)
        return x, AlgorithmState(x, aggregate, state.t + 1, Memories(memory.workers, rule, server))

    def aggregate(self, messages: Array, state: AlgorithmState, rng: Any = None) -> Array:
        """The rule in its present state."""
        return as_rule(self.rule).aggregate(messages, state.memory.rule, rng)
