"""Algorithms in rational arithmetic, one coordinate: where to ask, what was submitted, what to answer in the end.

Here an algorithm may answer something else than its last query point, and rounding is never the reason for a
difference.
"""

from __future__ import annotations

import abc
import functools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

from sims.aggregators import CenteredClipping, Rule, as_rule
from sims.checked import flag, keep, told, whole
from sims.checks.exact_rules import exact_aggregate, rational
from sims.optimizers import SGD, Optimizer, ServerMomentum, WorkerMomentum
from sims.optimizers.optimizer import at

Gradients = Sequence[Fraction]  # one per worker identity
Round = TypeVar("Round")
Answer = Callable[[Round, Fraction], Gradients]  # (what happens in a round, the query point) → what is submitted


class ExactAlgorithm(abc.ABC):
    """A frozen value of pure functions; all memory is in the state, a hashable value, which starts as `start()`."""

    @abc.abstractmethod
    def start(self) -> Any:
        """The state before the first round."""

    @abc.abstractmethod
    def query(self, state: Any) -> Fraction:
        """The point at which the workers are asked in the round that begins."""

    @abc.abstractmethod
    def submit(self, state: Any, gradients: Gradients) -> Any:
        """The state after the round in which these gradients came, those of worker 1, …, n."""

    def output(self, state: Any) -> Fraction:
        """The answer if the algorithm stopped here: the next query point, unless a subclass says otherwise."""
        return self.query(state)


@dataclass(frozen=True)
class SGDState:
    """Where an `ExactSGD` stands after t rounds."""

    x: Fraction = Fraction(0)
    t: int = 0
    centre: Fraction = Fraction(0)
    workers: tuple[Fraction, ...] | None = None
    server: Fraction = Fraction(0)


@dataclass(frozen=True, eq=False)
class ExactSGD(ExactAlgorithm):
    """`RobustSGD(rule, optimizer)` from x_0 = 0 in rationals, d = 1, by the rules' published definitions.

    `warm` says whether centered clipping starts from the last aggregate, as in `RobustSGD`, or always from 0. Raises
    `ValueError` for an optimizer that it does not know.

    >>> from sims.aggregators import Mean
    >>> run(ExactSGD(Mean(), SGD(0.5)), [[Fraction(1), Fraction(3)]])[1]
    Fraction(-1, 1)
    """

    rule: Rule
    optimizer: Optimizer
    warm: bool = True

    def __post_init__(self) -> None:
        keep(self, flag, "warm")
        as_rule(self.rule)
        if not isinstance(self.optimizer, SGD | ServerMomentum | WorkerMomentum):
            kinds = "SGD, ServerMomentum or WorkerMomentum"
            raise ValueError(f"ExactSGD needs {kinds} as optimizer, got optimizer = {told(self.optimizer)}")

    def start(self) -> SGDState:
        """At 0, without memories."""
        return SGDState()

    def query(self, state: SGDState) -> Fraction:
        """Gradients are asked for at the iterate."""
        return state.x

    def submit(self, state: SGDState, gradients: Gradients) -> SGDState:
        """The optimizer's worker side, the rule, and its server side."""
        t, kind = state.t + 1, self.optimizer
        sent, server = tuple(gradients), state.server
        if isinstance(kind, WorkerMomentum):
            sent = _averages(sent, state.workers, kind, t)
        centre = (state.centre,) if isinstance(self.rule, CenteredClipping) and self.warm else None
        aggregate = exact_aggregate(self.rule, [(m,) for m in sent], centre)[0]
        step = aggregate
        if isinstance(kind, ServerMomentum):
            (step,) = (server,) = _averages((aggregate,), (server,), kind, t)
        x = state.x - rational(at(kind.learning_rate, t)) * step
        return SGDState(x, t, aggregate, sent if isinstance(kind, WorkerMomentum) else None, server)


def _averages(
    new: tuple[Fraction, ...], old: tuple[Fraction, ...] | None, kind: WorkerMomentum | ServerMomentum, t: int
) -> tuple[Fraction, ...]:
    """(1 − β)·new + β·old if damped, new + β·old if not; `old` None is zero."""
    beta = rational(at(kind.beta, t))
    alpha = 1 - beta
    fresh = tuple(alpha * g for g in new) if kind.damped else new
    return fresh if old is None else tuple(g + beta * m for g, m in zip(fresh, old, strict=True))


def run(algorithm: ExactAlgorithm, array: Sequence[Gradients]) -> tuple[tuple[Fraction, ...], Fraction]:
    """The query points of all rounds and the output, on a t × n array of submitted gradients."""
    state, queries = algorithm.start(), []
    for row in array:
        queries.append(algorithm.query(state))
        state = algorithm.submit(state, row)
    return tuple(queries), algorithm.output(state)


def every_path(
    algorithm: ExactAlgorithm, rounds: Sequence[Round], t: int, answer: Answer[Round]
) -> list[tuple[Fraction, ...]]:
    """The query points and the output on every sequence of t of these rounds, in the order of `itertools.product`.

    What follows a state depends on nothing else, so that states in which several sequences meet are continued once.
    """

    t = whole("every_path", "t", t, least=0)

    @functools.cache
    def endings(state: Any, left: int) -> list[tuple[Fraction, ...]]:
        if not left:
            return [(algorithm.output(state),)]
        x = algorithm.query(state)
        later = (endings(algorithm.submit(state, answer(r, x)), left - 1) for r in rounds)
        return [(x, *ending) for found in later for ending in found]

    return endings(algorithm.start(), t)


def output_law(
    algorithm: ExactAlgorithm, law: Mapping[Round, Fraction], t: int, answer: Answer[Round]
) -> dict[Fraction, Fraction]:
    """The law of the output after t independent rounds of this law: value → probability.

    >>> from sims.aggregators import Mean
    >>> coin = {0: Fraction(1, 2), 1: Fraction(1, 2)}
    >>> output_law(ExactSGD(Mean(), SGD(1.0)), coin, 2, lambda bit, x: [Fraction(bit)])[Fraction(-1)]
    Fraction(1, 2)
    """
    t = whole("output_law", "t", t, least=0)
    states: Mapping[Any, Fraction] = {algorithm.start(): Fraction(1)}
    for _ in range(t):
        after: defaultdict[Any, Fraction] = defaultdict(Fraction)
        for state, probability in states.items():
            x = algorithm.query(state)
            for r, factor in law.items():
                after[algorithm.submit(state, answer(r, x))] += probability * factor
        states = after
    outputs: defaultdict[Fraction, Fraction] = defaultdict(Fraction)
    for state, probability in states.items():
        outputs[algorithm.output(state)] += probability
    return dict(outputs)
