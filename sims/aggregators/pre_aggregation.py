"""What is done to messages before a rule sees them, as a rule around a rule."""

from __future__ import annotations

import abc
from dataclasses import dataclass, replace
from typing import Any

from sims.aggregators.rule import Rule, State
from sims.backend import Array
from sims.checked import told
from sims.kernels.in_rounds import Mix, RuleInRounds, Step, declared
from sims.owned import asked


@dataclass(frozen=True, eq=False)
class PreAggregation(Rule):
    """A rule around a rule: messages (..., n, d) become others, (..., k, d), and `rule` aggregates these.

    The state is that of `rule`. In files and on the command line it is written as it is built, `Bucketing(Krum)`: a
    setting goes to every one of the two that takes it. Raises `ValueError` unless `rule` is a `Rule`.
    """

    rule: Rule

    def __post_init__(self) -> None:
        if not isinstance(self.rule, Rule):
            raise ValueError(f"{type(self).__name__} needs a sims Rule, got rule = {told(self.rule)}")

    def mixed_first(self, n: int, mix: Mix, **settings: Any) -> RuleInRounds | None:
        """The rule's own step of compiled rounds behind messages so mixed; None where it has none, or mixes itself.

        Means of almost the same messages tie in any rule's scores.
        """
        inner = declared(self.rule, n)
        scores = inner is not None and (inner.rounding_decides or inner.step == Step.KRUM)
        if inner is None or inner.mix != Mix.NOTHING or (scores and mix == Mix.NEAREST):
            return None
        return replace(inner, mix=mix, rounding_decides=scores or mix == Mix.NEAREST, **settings)

    @abc.abstractmethod
    def mix(self, x: Array, rng: Any) -> Array:
        """The messages that the inner rule gets, (..., n, d) → (..., `outputs(n)`, d)."""

    def outputs(self, n: int) -> int:
        """How many messages the inner rule gets: n, unless a subclass says otherwise."""
        return n

    def require(self, n: int) -> None:
        """Raise as the inner rule does for the number of messages that it gets."""
        self.rule.require(self.outputs(n))

    def meets_ties(self, n: int, d: int) -> bool:
        """Where the inner rule does."""
        return self.rule.meets_ties(self.outputs(n), d)

    def init(self, x: Array) -> State:
        """The inner rule's state."""
        return asked("rule", self.rule.init, x[..., : self.outputs(x.shape[-2]), :])

    def combine(self, x: Array, state: State, rng: Any) -> tuple[Array, State]:
        """The inner rule on what `mix` makes."""
        return self.rule(self.mix(x, rng), state, rng)
