"""What an optimizer is: the step from aggregates to iterates, and what the workers do before they send."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np

from sims import checked
from sims.backend import Array, lead, namespace
from sims.checked import over_axes
from sims.kernels.in_rounds import OptimizerInRounds
from sims.owned import PartError, asked, called, copy_of, ours, pair, received, told
from sims.trees import is_array

Memory = Any
Schedule = Any  # a number, an array over the leading axes, or a function of the round t = 1, 2, … that returns one


class Optimizer(abc.ABC):
    """A frozen value of pure functions around the aggregation rule; all memory is passed in and handed back.

    In round t the workers turn gradients into messages, `m, memory = messages(g, memory, t)`, (..., n, d) → (..., n,
    d); the server turns the aggregate into the next iterate, `x, memory = update(x, a, memory, t)`, (..., d). The
    memories start as None, which means zero. Learning rate and momentum are numbers, arrays over the leading axes, or
    functions of t; `reals` names these parameters, with the number of axes of their own (none).

    Leading axes are runs that know nothing of each other, see `Attack`.

    Memories are any trees of arrays and numbers (`sims.trees`). An optimizer of somebody's own is called with copies,
    in which it may write, and what it returns is copied (`sims.owned`). With ours what is sent and what is remembered
    may be one array, into which nobody writes.

    Most optimizers ask for one gradient a round, at x. One that wants the gradients of the *same* sample at k points
    returns them from `points`; `gradients` then has the shape (..., n, k·d), the k gradients of a worker end to end.
    """

    reals: ClassVar[Mapping[str, int]] = {"learning_rate": 0}

    learning_rate: Schedule

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        checked.reals(cls)

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
        """What the workers send: here, the gradients themselves."""
        return gradients, memory

    @abc.abstractmethod
    def update(self, x: Array, aggregate: Array, memory: Memory, t: int) -> tuple[Array, Memory]:
        """The next iterate and the server's memory."""


def descend(x: Array, direction: Array, learning_rate: Schedule, t: int) -> Array:
    """x − η_t·direction, (..., d)."""
    return x - lead(at(learning_rate, t), x, 1) * direction


def average(new: Array, old: Array | None, beta: Schedule, damped: bool, t: int, trailing: int) -> Array:
    """(1 − β)·new + β·old if damped, new + β·old if not; `old` None is zero. β has `trailing` axes fewer than `new`.

    It is an array of its own, for it will be remembered.
    """
    b = lead(at(beta, t), new, trailing)
    fresh = (1.0 - b) * new if damped else new
    if old is None:
        return fresh if damped else copy_of(fresh)
    return fresh + b * old


def at(schedule: Schedule, t: int) -> Any:
    """The value of a number, array or function of the round in round t.

    Raises `ValueError` where a function raises or returns something else than a real number or an array of them, NaN
    included, and for an axis that it returns, for it must do so from round 1 on, where experiments are made of axes.
    """
    if not isinstance(schedule, Callable):
        return schedule
    value = first_value(schedule, t)
    if hasattr(value, "coordinates"):
        raise ValueError(f"a schedule needs its axes from round 1 on, got {value!r} in round {t}")
    return value


def first_value(schedule: Callable[[int], Any], t: int = 1) -> Any:
    """What a function of the round returns in round t, an axis too; `ValueError` as for `at`."""
    try:
        value = schedule(t)  # what it returns is used at once and not kept
    except (PartError, MemoryError):
        raise
    except Exception as error:
        if ours(schedule):
            raise
        raise PartError(f"{called('schedule', schedule)} raised {told(error)}") from error
    if type(value) is float and value == value:
        return value
    if isinstance(value, Real) and value == value:
        return value
    if hasattr(value, "coordinates"):
        return value
    if not hasattr(value, "shape") or not _real(value):
        what = f"an array of {value.dtype}" if hasattr(value, "shape") else repr(value)  # pyright: ignore
        raise PartError(f"{called('schedule', schedule)} must return real numbers, got {what} in round {t}")
    # elsewhere than on the host a look would wait for the device
    if isinstance(value, np.ndarray | np.generic) and np.isnan(value).any():
        raise PartError(f"{called('schedule', schedule)} must return real numbers, got NaN in round {t}")
    return value


def _real(values: Array) -> bool:
    """Whether an array, or whatever else has a shape, has real numbers, among which true and false are 1 and 0."""
    kinds = ("real floating", "integral", "bool")
    if isinstance(values, np.generic):
        return values.dtype.kind in "biuf"
    return not is_array(values) or bool(namespace(values).isdtype(values.dtype, kinds))


def asked_points(optimizer: Optimizer, x: Array, memory: Memory) -> tuple[Array, ...]:
    """`optimizer.points`, those of an optimizer of somebody's own looked at: arrays like x."""
    if ours(optimizer):
        return optimizer.points(x, memory)
    return several_points(called("optimizer", optimizer), asked("optimizer", optimizer.points, x, memory), x)


def several_points(who: str, found: Any, x: Array) -> tuple[Array, ...]:
    """Points that `who` returned, each an array (..., d) like x; `ValueError` if they are none."""
    if not isinstance(found, tuple | list) or not found:
        raise PartError(f"{who} must return a tuple of points, got {type(found).__name__}")
    return tuple(received(who, point, x, (..., x.shape[-1])) for point in found)


def asked_messages(
    optimizer: Optimizer, gradients: Array, memory: Memory, t: int, d: int | None = None
) -> tuple[Array, Memory]:
    """`optimizer.messages`, those of an optimizer of somebody's own looked at: (..., n, d) like the gradients.

    Where d is not known, whoever asks for the messages looks at it.
    """
    if ours(optimizer):
        found = optimizer.messages(gradients, memory, t)
        if d is None or found[0].shape[-1] == d:
            return found
    else:
        found = asked("optimizer", optimizer.messages, gradients, memory, t)
    while ours(optimizer) and hasattr(optimizer, "optimizer"):  # it is the one inside that is not
        optimizer = getattr(optimizer, "optimizer")  # noqa: B009 (only some have it)
    who = called("optimizer", optimizer)
    sent, memory = pair(who, found, "messages and the workers' memory")
    last = getattr(sent, "shape", (0,))[-1:] if d is None else (d,)
    return received(who, sent, gradients, (..., gradients.shape[-2], *last)), memory


def asked_update(optimizer: Optimizer, x: Array, aggregate: Array, memory: Memory, t: int) -> tuple[Array, Memory]:
    """`optimizer.update`, that of an optimizer of somebody's own looked at: an iterate (..., d) like x."""
    if ours(optimizer):
        return optimizer.update(x, aggregate, memory, t)
    who, found = called("optimizer", optimizer), asked("optimizer", optimizer.update, x, aggregate, memory, t)
    new, memory = pair(who, found, "the iterate and the server's memory")
    return received(who, new, x, (..., x.shape[-1])), memory


def schedule(owner: str, name: str, value: Any, **bounds: Any) -> Schedule:
    """A number, an array over the leading axes, or a function of t, which is taken at its word: as it is kept.

    Raises a `ValueError` as `sims.checked.over_axes` does.
    """
    return value if callable(value) else over_axes(owner, name, value, **bounds)
