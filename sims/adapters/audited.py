"""Aggregators of other libraries as rules: to be audited, simulated, or attacked like any rule here.

`from_byzfl`, `from_krum` and `from_flower` take what these libraries construct. Such a rule promises nothing but to be
a rule, unless it is given `Promises`, and claims to bear the f that the aggregator was built for. Each run of a batch
is a call of its own, with arrays of its own; what it raises is an error of the rule.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from array_api_compat import is_torch_array

from sims import checked
from sims.aggregators import FunctionRule, Promises, Rule
from sims.backend import Array, as_like, namespace, to_numpy
from sims.owned import asked

NOTHING = Promises(translation=False, scale=False, odd=False, agreement=False)
State = Any


class BuiltFor:
    """What a rule of another library declares: what it was given when it was made, and no more."""

    title: str
    tolerates: int
    least: int
    declares: Promises

    @property
    def promises(self) -> Promises:
        """What was declared."""
        return self.declares

    def __repr__(self) -> str:
        return f"{self.title} (f = {self.tolerates})"

    def breakdown(self, n: int) -> int:
        """The f that it was built for."""
        return self.tolerates

    def require(self, n: int) -> None:
        """Raise unless n ≥ `least`."""
        if n < self.least:
            raise ValueError(f"{self.title} needs n ≥ {self.least}, got n = {n}")


@dataclass(frozen=True, eq=False, repr=False)
class ForeignRule(BuiltFor, FunctionRule):
    """A function (n, d) → (d,) of another library, called `title`, that `tolerates` its f; needs n ≥ `least`."""

    title: str
    tolerates: int = 0
    least: int = 1
    declares: Promises = NOTHING

    @property
    def name(self) -> str:
        """The title."""
        return self.title


@dataclass(frozen=True, eq=False, repr=False)
class CentredRule(BuiltFor, Rule):
    """An aggregator that keeps its last aggregate in the attribute `m`, as ByzFL's CenteredClipping does.

    That is the state here, zeros at first, so that the object itself is never written to: each call has a copy.
    """

    function: ByzFLCall
    title: str
    tolerates: int = 0
    least: int = 1
    declares: Promises = NOTHING

    def init(self, x: Array) -> State:
        """The m that it was built with, or zeros."""
        xp, m = namespace(x), self.function.aggregator.m
        shape = (*x.shape[:-2], x.shape[-1])
        if m is None:
            return xp.zeros_like(x[..., 0, :])
        return xp.asarray(xp.broadcast_to(as_like(m, x), shape), copy=True)

    def combine(self, x: Array, state: State, rng: Any) -> tuple[Array, State]:
        """The aggregator from each run's own m."""
        xp, (*leading, n, d) = namespace(x), x.shape
        runs = math.prod(leading)
        flat = xp.reshape(x, (runs, n, d))
        centres = xp.reshape(xp.broadcast_to(state, (*leading, d)), (runs, d))
        answers = [self.function.from_centre(flat[i, ...], centres[i, ...]) for i in range(runs)]
        if not answers:
            return xp.zeros_like(x[..., 0, :]), state
        y, after = (xp.reshape(xp.stack(parts), (*leading, d)) for parts in zip(*answers, strict=True))
        return y, after


def from_byzfl(
    aggregator: Callable[[Any], Any],
    before: Sequence[Callable[[Any], Any]] = (),
    f: int | None = None,
    promises: Promises | None = None,
) -> Rule:
    """An aggregator of ByzFL as a rule, behind the pre-aggregators `before`.

    f is the aggregator's own, 0 if it has none, unless it is given; one with an f is taken to need n ≥ 2f + 1. NumPy
    arrays go in as they are, tensors too (ByzFL computes with these in float32), those of other libraries as NumPy's.
    An aggregator with an `m` has that as its state. Raises `ValueError` unless all can be called.

    >>> from sims.adapters import byzfl_api as byzfl
    >>> rule = from_byzfl(byzfl.TrMean(f=1), before=[byzfl.Clipping(2.0)])
    >>> rule.aggregate(np.array([[0.5], [1.0], [9.0]])), rule.breakdown(3)
    (array([1.]), 1)
    """
    for name, part in (("aggregator", aggregator), *(("before", one) for one in before)):
        if isinstance(part, type) or not callable(part):
            raise ValueError(f"from_byzfl needs an instance that can be called, got {name} = {checked.told(part)}")
    own = getattr(aggregator, "f", None)
    declared = checked.whole("from_byzfl", "f", (own or 0) if f is None else f, least=0)
    call, title = ByzFLCall(aggregator, tuple(before)), _title("ByzFL", aggregator)
    kind = CentredRule if hasattr(aggregator, "m") else ForeignRule
    least = 1 if own is None else 2 * int(own) + 1
    return kind(call, title, declared, least, _declared("from_byzfl", promises))


def from_krum(aggregator: Any, f: int, promises: Promises | None = None, **settings: Any) -> Rule:
    """An aggregator of krum, a class with `aggregate(gradients, n=, f=, …)`, as a rule.

    `settings` are what else it takes (m, nu, …). Messages go in as torch tensors. Krum and MultiKrum are defined for
    n ≥ 2f + 3 (without an m, MultiKrum averages n − 2f − 3, and needs one more), Bulyan for n ≥ 4f + 3, others are
    taken to need n ≥ 2f + 1. Raises `ValueError` unless it has an `aggregate` and f ≥ 0.
    """
    f = checked.whole("from_krum", "f", f, least=0)
    if not callable(getattr(aggregator, "aggregate", None)):
        raise ValueError(f"from_krum needs a class with aggregate(…), got aggregator = {checked.told(aggregator)}")
    name = getattr(aggregator, "__name__", type(aggregator).__name__)
    multi = 2 * f + (3 if settings.get("m") is not None else 4)
    least = {"Krum": 2 * f + 3, "MultiKrum": multi, "Bulyan": 4 * f + 3}.get(name, 2 * f + 1)
    call = KrumCall(aggregator, f, settings)
    return ForeignRule(call, _title("krum", aggregator), f, least, _declared("from_krum", promises))


def from_flower(strategy: Any, f: int | None = None, promises: Promises | None = None) -> Rule:
    """A strategy of Flower as a rule, of either of its interfaces: `aggregate_fit` or `aggregate_train`.

    Every worker has one example, so that none weighs more. f is the strategy's number of malicious clients or nodes, 0
    if it has none, unless it is given. Messages go in as one NumPy array each. Strategies that keep a model of their
    own (FedOpt, momentum) must have been given it. Bulyan needs n ≥ 4f + 3. Raises `ValueError` unless it has one of
    the two.
    """
    how = next((name for name in ("aggregate_train", "aggregate_fit") if callable(getattr(strategy, name, None))), None)
    if how is None or isinstance(strategy, type):
        raise ValueError(
            f"from_flower needs a strategy with aggregate_fit or aggregate_train, got {checked.told(strategy)}"
        )
    own = getattr(strategy, "num_malicious_nodes", getattr(strategy, "num_malicious_clients", 0))
    f = checked.whole("from_flower", "f", own if f is None else f, least=0)
    least = 4 * int(own) + 3 if type(strategy).__name__ == "Bulyan" else 1
    calls = {"aggregate_train": ByMessages, "aggregate_fit": ByResults}
    return ForeignRule(calls[how](strategy), _title("Flower", strategy), f, least, _declared("from_flower", promises))


def _title(library: str, part: Any) -> str:
    return f"{library}'s {getattr(part, '__name__', type(part).__name__)}"


def _declared(owner: str, promises: Promises | None) -> Promises:
    if not isinstance(promises, Promises | None):
        raise ValueError(f"{owner} needs sims Promises, got promises = {checked.told(promises)}")
    return promises or NOTHING


@dataclass(frozen=True, eq=False)
class ByzFLCall:
    """A call of ByzFL's, its pre-aggregators first."""

    aggregator: Any
    before: tuple[Any, ...] = ()

    def __call__(self, x: Array) -> Array:
        """(n, d) → (d,)."""
        vectors = x if is_torch_array(x) else to_numpy(x)
        for one in self.before:
            vectors = asked("rule", one, vectors)
        return as_like(asked("rule", self.aggregator, vectors), x)

    def from_centre(self, x: Array, centre: Array) -> tuple[Array, Array]:
        """What a copy of it answers that has this m, and the m that it has afterwards."""
        mine = copy.copy(self.aggregator)
        mine.m = centre.float().clone() if is_torch_array(x) else to_numpy(centre).copy()
        y = ByzFLCall(mine, self.before)(x)
        return y, as_like(mine.m, x)


@dataclass(frozen=True, eq=False)
class KrumCall:
    """A call of krum's, in tensors."""

    aggregator: Any
    f: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, x: Array) -> Array:
        """(n, d) → (d,)."""
        import torch

        gradients = x if is_torch_array(x) else torch.from_numpy(np.array(to_numpy(x)))
        return as_like(asked("rule", self.aggregator.aggregate, gradients, n=x.shape[0], f=self.f, **self.settings), x)


@dataclass(frozen=True, eq=False)
class ByResults:
    """A call of a strategy of Flower's older interface."""

    strategy: Any

    def __call__(self, x: Array) -> Array:
        """(n, d) → (d,)."""
        from flwr import common  # pyright: ignore[reportMissingImports] (optional)

        status = common.Status(common.Code.OK, "")
        results = [
            (None, common.FitRes(status, common.ndarrays_to_parameters([row]), 1, {})) for row in np.array(to_numpy(x))
        ]
        # in the first round it warns that nothing says how to add up metrics
        found, _ = asked("rule", self.strategy.aggregate_fit, 2, results, [])
        return as_like(common.parameters_to_ndarrays(found)[0], x)


@dataclass(frozen=True, eq=False)
class Reply:
    """A worker's answer, as far as a strategy looks at it."""

    content: Any

    def has_error(self) -> bool:
        """None has one."""
        return False


@dataclass(frozen=True, eq=False)
class ByMessages:
    """A call of a strategy of Flower's newer interface."""

    strategy: Any

    def __call__(self, x: Array) -> Array:
        """(n, d) → (d,)."""
        from flwr import app  # pyright: ignore[reportMissingImports] (optional)

        metrics = {getattr(self.strategy, "weighted_by_key", "num-examples"): 1}
        key = getattr(self.strategy, "arrayrecord_key", "arrays")
        replies = [
            Reply(app.RecordDict({key: app.ArrayRecord([row]), "metrics": app.MetricRecord(metrics)}))
            for row in np.array(to_numpy(x))
        ]
        found, _ = asked("rule", self.strategy.aggregate_train, 2, replies)
        return as_like(found.to_numpy_ndarrays()[0], x)
