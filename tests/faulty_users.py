"""How a user writes a rule, in as few lines as can be, for the zoo of faulty ones (`faulty_rules`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from sims.aggregators import Promises, Rule, StatelessRule
from sims.backend import lexicographic_ranks, sq_distances

How = Literal["gross", "subtle"]


@dataclass(frozen=True)
class Fault:
    """A faulty rule: `make(n, f)` is it, `promise` the contract that it breaks, `why` what is wrong with it.

    `like` is the library of the messages that it is for.
    """

    name: str
    make: Callable[[int, int], Any]
    promise: str
    how: How
    why: str
    like: Literal["numpy", "torch"] = "numpy"


@dataclass(frozen=True, repr=False)
class Own(StatelessRule):
    """A function of the messages (..., n, d) and f as a rule; it tolerates f, fewer than half, or nobody at all."""

    f: int
    does: Callable[[Any, int], Any] = field(kw_only=True)
    claims: Promises = field(kw_only=True)
    robust: bool = field(kw_only=True)

    def __repr__(self) -> str:
        return f"{self.does.__name__}(f={self.f})"

    @property
    def promises(self) -> Promises:
        return self.claims

    def breakdown(self, n: int) -> int:
        return min(self.f, (n - 1) // 2) if self.robust else 0

    def reduce(self, x: Any) -> Any:
        return self.does(x, self.f)


@dataclass(frozen=True, repr=False)
class OwnThatDraws(Rule):
    """A function of the messages (..., n, d) and of a stream of random numbers as a rule that tolerates nobody."""

    does: Callable[[Any, Any], Any]

    def __repr__(self) -> str:
        return self.does.__name__

    @property
    def promises(self) -> Promises:
        return Promises()

    def breakdown(self, n: int) -> int:
        return 0

    def combine(self, x: Any, state: Any, rng: Any) -> tuple[Any, Any]:
        return self.does(x, rng), state


class Zoo(list[Fault]):
    """The faulty rules of one file, and the decorators that put them there: a docstring says what is wrong."""

    def add(self, promise: str, how: How, make: Callable[[int, int], Any], of: Any, like: Any = "numpy") -> None:
        self.append(Fault(of.__name__, make, promise, how, " ".join(of.__doc__.split()), like))

    def rule(self, promise: str, how: How, *, robust: bool = True, like: Any = "numpy", **claims: bool) -> Any:
        """A function of (messages, f); it claims every promise but the mean, and what `claims` changes in that."""

        def decorate(does: Any) -> Any:
            said = Promises(**claims)
            self.add(promise, how, lambda n, f: Own(f, does=does, claims=said, robust=robust), does, like)
            return does

        return decorate

    def plain(self, promise: str, how: How, like: Any = "numpy") -> Any:
        """A plain function (n, d) → (d,)."""

        def decorate(does: Any) -> Any:
            self.add(promise, how, lambda n, f: does, does, like)
            return does

        return decorate

    def draws(self, promise: str, how: How) -> Any:
        """A function of (messages, stream)."""

        def decorate(does: Any) -> Any:
            self.add(promise, how, lambda n, f: OwnThatDraws(does), does)
            return does

        return decorate

    def made(self, promise: str, how: How, like: Any = "numpy") -> Any:
        """A class that is made of f, or a function (n, f) that makes a rule."""

        def decorate(of: Any) -> Any:
            self.add(promise, how, (lambda n, f: of(f)) if isinstance(of, type) else of, of, like)
            return of

        return decorate

    def known(self, promise: str, how: How, of: Any, f: int | None = None, why: str = "") -> None:
        """A class of `faulty.py` or one like it; with `f` it is always made of that one."""

        def make(n: int, told: int) -> Any:
            takes = getattr(of, "__dataclass_fields__", {})
            return of(f=told if f is None else f) if "f" in takes else of()

        self.append(Fault(of.__name__, make, promise, how, why or " ".join(of.__doc__.split())))


def lengths(x: Any) -> Any:
    """‖x_i‖: (..., n, d) → (..., n)."""
    return np.sqrt(np.sum(x * x, axis=-1))


def rows(x: Any, indices: Any) -> Any:
    """The messages of the workers `indices` (..., k)."""
    return np.take_along_axis(x, indices[..., None], axis=-2)


def middle(x: Any) -> Any:
    """The median of each coordinate; a NaN counts as +∞."""
    ordered, n = np.sort(x, axis=-2), x.shape[-2]
    return (ordered[..., (n - 1) // 2, :] + ordered[..., n // 2, :]) / 2


def trimmed(x: Any, low: int, high: int) -> Any:
    """The mean of each coordinate without its `low` smallest and `high` largest values."""
    return np.mean(np.sort(x, axis=-2)[..., low : x.shape[-2] - high, :], axis=-2)


def apart(x: Any) -> Any:
    """Squared distances between the messages: (..., n, n)."""
    return sq_distances(x)


def weiszfeld(x: Any, z: Any) -> Any:
    """One Weiszfeld step from z (..., d); messages at z do not count, and where all are there it stays."""
    far = lengths(x - z[..., None, :])
    weights = np.where(far > 0, 1 / np.where(far > 0, far, 1), 0)
    total = np.sum(weights, axis=-1, keepdims=True)
    return np.where(total > 0, np.sum(x * weights[..., None], axis=-2) / np.where(total > 0, total, 1), z)


def by_value(x: Any, scores: Any) -> Any:
    """The workers in the order of their scores (..., n), equal scores in that of their messages."""
    d = x.shape[-1]
    keys = [lexicographic_ranks(x)] if d > 16 else [x[..., j] for j in range(d - 1, -1, -1)]
    return np.lexsort((*keys, scores), axis=-1)
