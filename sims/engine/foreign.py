"""Algorithms and problems of somebody's own as rounds ask them: with copies, and with a look at what they return."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from sims import owned
from sims.backend import Array, backend_name
from sims.checked import choice, told, whole
from sims.optimizers import Algorithm, AlgorithmState
from sims.optimizers.optimizer import several_points
from sims.owned import PartError, asked, called, named_arrays, ours, pair, received
from sims.problems import Oracle

PRECISIONS = ("float64", "float32", "float16", "bfloat16")


def check_oracle(problem: Oracle) -> None:
    """Raise a `ValueError` that names a problem of somebody's own, unless it has what every `Oracle` has."""
    if ours(problem):
        return
    who = called("problem", problem)
    whole(who, "dim", _declared(who, problem, "dim"), least=1)
    shape = _declared(who, problem, "sample_shape")
    if not isinstance(shape, tuple | list):
        raise PartError(f"{who} needs a tuple as sample_shape, got sample_shape = {told(shape)}")
    for axis in shape:
        whole(who, "sample_shape", axis, least=0)
    choice(who, "precision", _declared(who, problem, "precision"), PRECISIONS)
    _declared(who, problem, "device")
    try:
        backend_name(_declared(who, problem, "backend"))
    except ValueError as error:
        raise PartError(f"{who}: {error}") from error


def _declared(who: str, problem: Oracle, name: str) -> Any:
    """A property of a problem; what else than a `ValueError` is raised there becomes one."""
    try:
        return getattr(problem, name)
    except (ValueError, MemoryError):  # as where its data are not there
        raise
    except Exception as error:
        raise PartError(f"{who} raised {owned.told(error)} where its {name} is asked for") from error


def session_of(problem: Oracle) -> AbstractContextManager[Any]:
    """What is entered around a run of a problem."""
    found = problem.session() if ours(problem) else asked("problem", problem.session)
    if not isinstance(found, AbstractContextManager):
        raise PartError(f"{called('problem', problem)} must return a context manager as session, got {told(found)}")
    return found


class ForeignAlgorithm:
    """The methods of an `Algorithm` that somebody wrote himself; each raises a `ValueError` that names it."""

    def __init__(self, algorithm: Algorithm) -> None:
        self.algorithm, self.who = algorithm, called("algorithm", algorithm)

    def init(self, x0: Array) -> AlgorithmState:
        """The state before the first round."""
        return self._checked(asked("algorithm", self.algorithm.init, x0), x0)

    def points(self, state: AlgorithmState) -> tuple[Array, ...]:
        """Where each worker takes gradients."""
        return several_points(self.who, asked("algorithm", self.algorithm.points, state), state.x)

    def messages(self, gradients: Array, state: AlgorithmState) -> tuple[Array, AlgorithmState]:
        """What the workers send, (..., n, d), and the state."""
        found = asked("algorithm", self.algorithm.messages, gradients, state)
        sent, after = pair(self.who, found, "messages and the state")
        shape = (..., gradients.shape[-2], state.x.shape[-1])
        return received(self.who, sent, state.x, shape), self._checked(after, state.x)

    def update(self, messages: Array, state: AlgorithmState, rng: Any) -> tuple[Array, AlgorithmState]:
        """The next query point and the state."""
        found = asked("algorithm", self.algorithm.update, messages, state, rng, kept=rng)
        x, after = pair(self.who, found, "the query point and the state")
        return x, self._checked(after, state.x)

    def aggregate(self, messages: Array, state: AlgorithmState, rng: Any) -> Array:
        """What the rule would make of these messages now."""
        found = asked("algorithm", self.algorithm.aggregate, messages, state, rng, kept=rng)
        return received(self.who, found, state.x, (..., state.x.shape[-1]))

    def _checked(self, state: Any, x: Array) -> AlgorithmState:
        """A state whose query point is an array like x, (..., d)."""
        if not isinstance(state, AlgorithmState):
            raise PartError(f"{self.who} must return an AlgorithmState, got {type(state).__name__}")
        return replace(state, x=received(self.who, state.x, x, (..., x.shape[-1]), verb="step to"))


class ForeignProblem:
    """What rounds of n workers, and notes, ask an `Oracle`, or a `Stateful` one, that somebody wrote himself."""

    def __init__(self, problem: Oracle, n: int = 0) -> None:
        self.problem: Any = problem
        self.n = n
        self.who, self.names = called("problem", problem), None

    def begin(self, x: Array, n: int, honest: int) -> Any:
        """The memory before the first round."""
        return asked("problem", self.problem.begin, x, n, honest)

    def oracle(self, x: Array, sample: Any, honest: int, **flips: bool) -> Array:
        """The stochastic gradients, (..., n, d)."""
        return self._like(asked("problem", self.problem.oracle, x, sample, honest, **flips), x)

    def gradients(self, x: Array, sample: Any, memory: Any, honest: int, **flips: bool) -> tuple[Array, Any]:
        """The stochastic gradients, (..., n, d), and the next memory."""
        found = asked("problem", self.problem.gradients, x, sample, memory, honest, **flips)
        gradients, memory = pair(self.who, found, "gradients and the next memory")
        return self._like(gradients, x), memory

    def draw(self, streams: Any, steps: int, n: int) -> Any:
        """Raw samples, of whatever kind."""
        return asked("problem", self.problem.draw, streams, steps, n, kept=streams)

    def measure(self, x: Array) -> Mapping[str, Array]:
        """What a record notes of iterates."""
        return self._noted(asked("problem", self.problem.measure, x), x)

    def measure_in(self, x: Array, memory: Any) -> Mapping[str, Array]:
        """What a record notes of an iterate with a memory."""
        return self._noted(asked("problem", self.problem.measure_in, x, memory), x)

    def _like(self, gradients: Any, x: Array) -> Array:
        return received(self.who, gradients, x, (..., self.n, x.shape[-1]))

    def _noted(self, measured: Any, x: Array) -> Mapping[str, Array]:
        found = named_arrays(self.who, measured, tuple(x.shape[:-1]), exactly=False)
        self.names = self.names or found.keys()
        if found.keys() != self.names:
            names = ", ".join(sorted(found)) or "nothing"
            raise PartError(f"{self.who} must measure the same of every iterate, got {names}")
        return found
