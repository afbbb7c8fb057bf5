"""What an aggregation rule is."""

from __future__ import annotations

import abc
import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import numpy as np
from array_api_compat import is_array_api_obj

from sims import checked
from sims.backend import Array, device, namespace, to_numpy
from sims.kernels.at_once import few, like
from sims.kernels.in_rounds import RuleInRounds
from sims.owned import SIMS, PartError, apart, asked, called, ours, pair, received, told

State = Any


@dataclass(frozen=True)
class Promises:
    """What a rule declares of itself; the contract suite (`sims.contracts`) reads it and holds the rule to it.

    A rule that draws random numbers keeps the first in law; whatever else is promised holds for the same draws on both
    sides.

    - `permutation`: AGG is a function of the *set* of messages, as every rule but one that trusts a certain worker is.
    - `translation`: AGG(x + c, state + c) = AGG(x, state) + c.
    - `scale`: AGG(λx, λ·state) = λ·AGG(x, state) for λ > 0.
    - `odd`: AGG(−x, −state) = −AGG(x, state) where no tie is broken.
    - `mean`: with this instance's parameters the rule is the arithmetic mean (the usual case at a declared f = 0).
    - `agreement`: when all messages (and the state) are v, so is AGG, which every rule but one that clips to a given
      radius around the origin promises.
    """

    translation: bool = True
    scale: bool = True
    odd: bool = True
    mean: bool = False
    agreement: bool = True
    permutation: bool = True

    def __post_init__(self) -> None:
        checked.keep(self, checked.flag, "translation", "scale", "odd", "mean", "agreement", "permutation")


class Rule(abc.ABC):
    """An aggregation rule: a frozen value that turns messages (..., n, d) into (..., d).

    `state = rule.init(x)`, `y, state = rule(x, state)`; most rules have the empty state, others any tree of arrays and
    numbers (`sims.trees`). Leading axes are runs that know nothing of each other, see `Attack`. Real parameters that
    `reals` names may be arrays that broadcast over the leading axes; all others are static. A NaN or an infinity in a
    message is an attack, not an error: it counts as the worst value, and with at most `breakdown(n)` such rows the
    output stays finite. Dtype, device and array library of the output are those of the input.

    A rule that draws does so from `rng`, which has `normal(steps, shape)` and `uniform(steps, shape)`, each run on its
    own stream: (steps, runs, *shape), runs being the last leading axis (`sims.engine.RunStreams`). Simulations,
    contracts, audits and the trials of an attacker hand it one.

    The output owns its memory and shares none with the messages or the new state. A rule of somebody's own is called
    with copies of messages and state, in which it may write, and what it returns is copied (`sims.owned`).

    Calling a rule raises `ValueError` when the messages are not an array of real floating-point numbers of at least two
    axes with n ≥ 1 workers, when a parameter does not broadcast over the leading axes, or when `require(n)` does; and
    one that names the rule if it is of somebody's own and raises, or returns something else than it must.
    """

    needs: ClassVar[str] = "n ≥ 1"  # in words, as the table of all rules has it: what `require` asks for,
    bears: ClassVar[str] = "breakdown(n)"  # and against how many messages the output stays bounded
    reals: ClassVar[Mapping[str, int]] = {}  # real parameters that may be arrays: how many axes of its own each has

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        checked.reals(cls)

    @property
    @abc.abstractmethod
    def promises(self) -> Promises:
        """What this instance declares of itself."""

    @abc.abstractmethod
    def breakdown(self, n: int) -> int:
        """The largest number of arbitrary messages among n against which the output stays bounded."""

    def bound(self, n: int, reach: float) -> float:
        """How long the output is at most, if all but `breakdown(n)` messages and the state are at most `reach` long.

        A rule that is both translation and scale equivariant is held to the others' diameter instead. Here, for want
        of more: 10⁶·(1 + reach).
        """
        return 1e6 * (1 + reach)

    @abc.abstractmethod
    def combine(self, x: Array, state: State, rng: Any) -> tuple[Array, State]:
        """The rule on messages that were already checked; what a subclass writes."""

    def exact(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """The rule once more by its published definition, on n rows of d rational numbers; what a subclass may write.

        Literal and slow, in nothing but rational arithmetic, so that the fast rule can be held to it exactly. The
        numbers are `Fraction`s or flint's. Raises `ValueError` where there is none, as here, and as `require` does.
        """
        raise ValueError(f"no exact definition of {type(self).__name__}")

    @classmethod
    def example(cls, n: int, f: int) -> Self | None:
        """An instance for n workers, f of them declared Byzantine; None where the rule is not defined for them.

        Made of defaults, and of f where the constructor takes one; a rule that needs more writes its own.
        """
        made: Self = cls(**({"f": f} if "f" in inspect.signature(cls).parameters else {}))
        try:
            made.require(n)
        except ValueError:
            return None
        return made

    def in_rounds(self, n: int) -> RuleInRounds | None:
        """The rule as a step of compiled rounds with n workers; None, as here, if there is none.

        It is not inherited: a subclass may compute something else, and says again what it is.
        """
        return None

    def at_once(self, x: np.ndarray, state: State) -> np.ndarray | None:
        """The rule on few messages in one compiled call (`sims.kernels.at_once`), which our own rules may have.

        None, as here, where `combine` has to do it, and of several runs NaN for those. It is not inherited, as
        `in_rounds` is not.
        """
        return None

    def after(self, y: Array, state: State) -> State:
        """The state after the aggregate y that `at_once` found; here, for most rules, the one before."""
        return () if state is None else state

    def meets_ties(self, n: int, d: int) -> bool:
        """Whether ties occur among n messages in general position in d coordinates, so that `odd` says nothing."""
        return False

    def require(self, n: int) -> None:  # noqa: B027 (a hook: most rules are defined for every n)
        """Raise a `ValueError` that names the broken inequality if the rule is not defined for n workers."""

    def init(self, x: Array) -> State:
        """The state before the first round, for messages of the shape of `x`."""
        return ()

    @final
    def __call__(self, x: Array, state: State = None, rng: Any = None) -> tuple[Array, State]:
        """Aggregate messages (..., n, d) → (..., d); `state` None means the initial one. Returns (y, new state)."""
        if _has_at_once(type(self)) and (some := few(x)) is not None:
            self.require(some.shape[-2])
            if self.reals:
                checked.leading(self, self.reals, some.shape[:-2])
            if (y := self.at_once(some, state)) is not None:
                if some.ndim > 2 and (left := np.isnan(y[..., 0])).any():
                    y = np.where(left[..., None], to_numpy(self._usually(x, state, rng)[0]), y)
                y = like(y, x)
                return y, self.after(y, state)
        return self._usually(x, state, rng)

    def _usually(self, x: Array, state: State, rng: Any) -> tuple[Array, State]:
        """The same, however many messages there are and wherever."""
        checked.messages(x)
        if self.reals:
            checked.leading(self, self.reals, tuple(x.shape[:-2]))
        if type(x) is np.ndarray and not x.dtype.isnative:  # some of NumPy's operations would answer in its own order
            y, after = self(x.astype(x.dtype.newbyteorder("=")), state, rng)
            return y.astype(x.dtype), after
        with np.errstate(all="ignore"):  # arithmetic on non-finite messages is defined behaviour here, not an accident
            if not ours(self):
                return self._foreign(x, state, rng)
            self.require(x.shape[-2])
            y, after = self.combine(x, self.init(x) if state is None else state, rng)
            return apart(y, x, after), after

    def _foreign(self, x: Array, state: State, rng: Any) -> tuple[Array, State]:
        """The same of a rule that somebody wrote himself."""
        who = called("rule", self)
        required(self, x.shape[-2])
        if state is None:
            state = () if type(self).init is Rule.init else asked("rule", self.init, x)
        found = asked("rule", self.combine, x, state, rng, kept=rng)
        y, after = pair(who, found, "the aggregate and the new state")
        return received(who, y, x, (*x.shape[:-2], x.shape[-1]), exact=True), after

    @final
    def aggregate(self, x: Array, state: State = None, rng: Any = None) -> Array:
        """One aggregation, (..., n, d) → (..., d), from `state` (None: the initial one)."""
        return self(x, state, rng)[0]


@functools.cache
def _has_at_once(kind: type[Rule]) -> bool:
    """Whether a class of ours says itself what its rule is in one call: a subclass may compute something else."""
    return "at_once" in vars(kind) and kind.__module__.startswith(SIMS)


class StatelessRule(Rule):
    """A rule whose output is a function of the current messages alone."""

    @abc.abstractmethod
    def reduce(self, x: Array) -> Array:
        """(..., n, d) → (..., d); what a subclass writes."""

    @final
    def combine(self, x: Array, state: State, rng: Any) -> tuple[Array, State]:
        """`reduce`, with the state handed through."""
        return self.reduce(x), state


@dataclass(frozen=True, eq=False)
class FunctionRule(StatelessRule):
    """A plain function (n, d) → (d,) as a rule, looped over the leading axes. It promises nothing but to be a rule."""

    function: Callable[[Array], Array]

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise ValueError(
                f"FunctionRule needs a function (n, d) → (d,), got function = {checked.told(self.function)}"
            )

    @property
    def promises(self) -> Promises:
        """Nothing beyond what every rule promises."""
        return Promises(translation=False, scale=False, odd=False)

    def breakdown(self, n: int) -> int:
        """Unknown, hence 0."""
        return 0

    def reduce(self, x: Array) -> Array:
        """The function on each run in turn."""
        xp = namespace(x)
        shape = (*x.shape[:-2], x.shape[-1])
        flat = xp.reshape(x, (math.prod(x.shape[:-2]), *x.shape[-2:]))  # no −1: it is ambiguous at d = 0
        if flat.shape[0] == 0:
            return xp.zeros(shape, dtype=x.dtype, device=device(x))
        rows = [asked("rule", self.function, flat[i, ...]) for i in range(flat.shape[0])]
        for found in rows:
            y: Any = found
            if not is_array_api_obj(found) or isinstance(y, np.ma.MaskedArray) or namespace(y) is not xp:
                kind = f"a plain array of {xp.__name__}"
                raise PartError(f"{self.name} must return {kind}, shape ({x.shape[-1]},), got {type(y).__name__}")
            if not xp.isdtype(y.dtype, ("real floating", "integral")):
                raise PartError(f"{self.name} must return real numbers, got {y.dtype}")
            if tuple(y.shape) != (x.shape[-1],):
                raise PartError(
                    f"a rule must return shape ({x.shape[-1]},) for messages {tuple(flat.shape[1:])}, "
                    f"got {tuple(y.shape)}"
                )
        return xp.astype(xp.reshape(xp.stack(rows), shape), x.dtype)

    @property
    def name(self) -> str:
        """The function's name."""
        return getattr(self.function, "__name__", type(self.function).__name__)


def as_rule(rule: Rule | Callable[[Array], Array]) -> Rule:
    """`rule` itself, or a plain function (n, d) → (d,) wrapped in a `FunctionRule`."""
    if isinstance(rule, Rule):
        return rule
    if callable(rule):
        return FunctionRule(rule)
    raise ValueError(f"a rule is a sims Rule or a function (n, d) → (d,), got {type(rule).__name__}")


def declared(rule: Rule, n: int) -> tuple[Promises, int]:
    """The promises of a rule and its breakdown for n workers; a `ValueError` where somebody's own declares none.

    >>> from sims.aggregators import CoordinateMedian
    >>> declared(CoordinateMedian(), 5)[1]
    2
    """
    if ours(rule):
        return rule.promises, rule.breakdown(n)
    who = called("rule", rule)
    try:
        promises, breakdown = rule.promises, rule.breakdown(n)
    except ValueError:
        raise
    except Exception as error:
        raise PartError(f"{who} raised {told(error)}") from error
    if not isinstance(promises, Promises):
        raise PartError(f"{who} needs sims Promises as promises, got promises = {checked.told(promises)}")
    return promises, checked.whole(who, "breakdown", breakdown, least=0, most=n)


def required(rule: Rule, n: int) -> None:
    """`rule.require(n)`; what else than a `ValueError` somebody's own rule raises there becomes one that names it."""
    try:
        rule.require(n)
    except ValueError:
        raise
    except Exception as error:
        raise PartError(f"{called('rule', rule)} raised {told(error)}") from error
