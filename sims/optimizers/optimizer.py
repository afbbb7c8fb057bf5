"""What an optimizer is: the step from aggregates to iterates, and what the workers do before they send."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

from sims.backend import Array, lead
from sims.checked import over_axes
from sims.kernels.in_rounds import OptimizerInRounds

Memory = Any
Schedule = Any  # a number, an array over the leading axes, or a function of the round t = 1, 2, … that returns one


class Optimizer(abc.ABC):
    """A frozen value of pure functions around the aggregation rule; all memory is passed in and handed back.

    In round t the workers turn gradients into messages, `m, memory = messages(g, memory, t)`, (..., n, d) → (..., n,
    d); the server turns the aggregate into the next iterate, `x, memory = update(x, a, memory, t)`, (..., d). The
    memories start as None, which means zero. Learning rate and momentum are numbers, arrays over the leading axes, or
    functions of t; `reals` names these parameters, with the number of axes of their own (none).

    Most optimizers ask for one gradient a round, at x. One that wants the gradients of the *same* sample at k points
    returns them from `points`; `gradients` then has the shape (..., n, k·d), the k gradients of a worker end to end.
    """

    reals: ClassVar[Mapping[str, int]] = {"learning_rate": 0}

    learning_rate: Schedule

    @classmethod
    def example(cls) -> Self:
        """An instance with η = 0.1; an optimizer that needs more writes its own."""
        made: Any = cls
        return made(learning_rate=0.1)

    def in_rounds(self) -> OptimizerInRounds | None:
        """The optimizer in compiled rounds; None, as here, if it has no place in them. It is not inherited."""
        return None

    def points(self, x: Array, memory: Memory) -> tuple[Array, ...]:
        """Where the round's gradients are taken, each (..., d): x itself first; `memory` is the server's."""
        return (x,)

    def messages(self, gradients: Array, memory: Memory, t: int) -> tuple[Array, Memory]:
        """What the workers send: here, their gradients."""
        return gradients, memory

    @abc.abstractmethod
    def update(self, x: Array, aggregate: Array, memory: Memory, t: int) -> tuple[Array, Memory]:
        """The next iterate and the server's memory."""


def descend(x: Array, direction: Array, learning_rate: Schedule, t: int) -> Array:
    """x − η_t·direction, (..., d)."""
    return x - lead(at(learning_rate, t), x, 1) * direction


def average(new: Array, old: Array | None, beta: Schedule, damped: bool, t: int, trailing: int) -> Array:
    """(1 − β)·new + β·old if damped, new + β·old if not; `old` None is zero. β has `trailing` axes fewer than `new`."""
    b = lead(at(beta, t), new, trailing)
    fresh = (1.0 - b) * new if damped else new
    return fresh if old is None else fresh + b * old


def at(schedule: Schedule, t: int) -> Any:
    """The value of a number, array or function of the round in round t.

    Raises `ValueError` for an axis that a function returns, but not in round 1, where experiments are made of axes.
    """
    if not isinstance(schedule, Callable):
        return schedule
    value = schedule(t)
    if hasattr(value, "coordinates"):
        raise ValueError(f"a schedule needs its axes from round 1 on, got {value!r} in round {t}")
    return value


def schedule(owner: str, name: str, value: Any, **bounds: Any) -> Schedule:
    """A number, an array over the leading axes, or a function of t, which is taken at its word: as it is kept.

    Raises a `ValueError` as `sims.checked.over_axes` does.
    """
    return value if callable(value) else over_axes(owner, name, value, **bounds)
