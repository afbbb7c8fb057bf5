"""What a round needs of the thing that is optimized: samples, stochastic gradients, and what to note of an iterate."""

from __future__ import annotations

import abc
import contextlib
import functools
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Protocol, TypeVar, cast

import numpy as np

from sims import checked
from sims.backend import Array
from sims.kernels.in_rounds import ProblemInRounds

Method = TypeVar("Method", bound=Callable[..., Any])


def at_points(method: Method) -> Method:
    """A method of a problem that takes x first, with a `ValueError` unless x is an array (..., d) of real floats."""

    @functools.wraps(method)
    def looking(self: Any, x: Array, *more: Any, **named: Any) -> Any:
        checked.points(type(self).__name__, x, self.dim)
        return method(self, x, *more, **named)

    return cast(Method, looking)


class Draws(Protocol):
    """Where an oracle gets its randomness from: full-width float64 draws (steps, runs, *shape), a stream per run."""

    def normal(self, steps: int, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Standard normal draws."""
        ...

    def uniform(self, steps: int, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Draws uniform on [0, 1)."""
        ...


class Oracle(abc.ABC):
    """Stochastic gradients for n workers at a point of R^d, and measures of the point; nothing else need be known.

    The engine asks for no more, so that what has no closed form can be optimized by the same rounds; a `Problem` is an
    oracle of which everything is known. `reals` names the real parameters that may be arrays over the leading axes,
    with the number of axes of their own: {"sigma_sq": 0, "x_star": 1}. Iterates are numbers of `precision` in arrays of
    `backend`, unless the experiment names another, on `device` (None: where the library makes them).

    Leading axes are runs that know nothing of each other, see `Attack`. In a sweep a measure may not have the name of
    another column of results: `t`, `key`, or that of a setting.

    The engine hands an oracle of somebody's own copies of iterates, samples and memories, in which it may write, and
    copies what it returns (`sims.owned`). It is a `ValueError` that names it if it raises, or returns something else
    than arrays of these shapes, in the library of x and of real numbers that fit into its type.
    """

    reals: ClassVar[Mapping[str, int]] = {}

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        checked.reals(cls)

    @property
    def backend(self) -> str:
        """The array library of its iterates unless the experiment says otherwise."""
        return "numpy"

    @property
    def precision(self) -> str:
        """The type of the numbers of iterates."""
        return "float64"

    @property
    def device(self) -> Any:
        """Where iterates are; None: where the array library makes them."""
        return None

    def start(self, streams: Draws, runs: int) -> np.ndarray | None:
        """Where runs begin that are given no x0, (runs, d), from the stream "start"; None, as here: at 0."""
        return None

    def session(self) -> AbstractContextManager[Any]:
        """Entered around a run: for settings of a library on which its numbers depend."""
        return contextlib.nullcontext()

    def in_rounds(self, n: int, honest: int) -> ProblemInRounds | None:
        """The problem in compiled rounds of n workers, `honest` of them honest; None, as here, if it has no place.

        It is not inherited: a subclass may compute something else, and says again what it is.
        """
        return None

    @property
    @abc.abstractmethod
    def dim(self) -> int:
        """The dimension d."""

    @property
    @abc.abstractmethod
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of one worker's raw sample ξ."""

    @abc.abstractmethod
    def draw(self, streams: Draws, steps: int, n: int) -> np.ndarray:
        """The raw samples ξ of n workers in each of `steps` rounds: (steps, runs, n, *sample_shape).

        One kind of draw only, so that drawing in chunks gives the same samples.
        """

    @abc.abstractmethod
    def oracle(self, x: Array, sample: Array, honest: int | None = None) -> Array:
        """The stochastic gradients g_i(x; ξ_i): (..., d), (..., n, *sample_shape) → (..., n, d).

        The first `honest` workers (all, if None) are those over which the heterogeneity averages out. The same sample
        can be used at two points x.
        """

    @abc.abstractmethod
    def measure(self, x: Array) -> Mapping[str, Array]:
        """What a record notes of iterates (..., d), by name, the same names for every x: arrays (...) or (..., more).

        Iterates of several rounds come in one call, as one more leading axis.
        """
