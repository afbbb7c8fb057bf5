"""Who looks at every round and changes none: what a rule did to the messages, beside where it led."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from sims.attacks import Attack
from sims.backend import Array
from sims.optimizers import Algorithm, AlgorithmState
from sims.problems import Oracle


@dataclass(frozen=True)
class Seen:
    """All that happened in round t = 1, 2, …, with n workers, the first g of them honest.

    `gradients` and `messages` (..., n, d): what the workers computed at the iterate `x` (..., d), and what arrived, the
    f attackers' last; `aggregate` (..., d) what the rule made of it. `before` is the state of the algorithm that the
    rule met, workers' memories already those of this round; `sample` (..., n, …) and `memory` are the problem's, the
    latter from before the round (() for a problem that has none).
    """

    t: int
    n: int
    g: int
    x: Array
    gradients: Array
    messages: Array
    aggregate: Array
    before: AlgorithmState
    sample: Any
    memory: Any
    problem: Oracle
    algorithm: Algorithm
    attack: Attack


class Observer(abc.ABC):
    """A frozen value that is shown every round: `observer(seen)` is a mapping of names to arrays (...).

    The names are the same in every round. A record holds their means over the rounds since the last recorded time,
    those rounds left out in which they are NaN, in `observed`. Rows are in the order of the workers, good first,
    also where the algorithm sees them shuffled. What is noted of a run depends on no other. An observer of
    somebody's own is shown copies, in which it may write; it is a `ValueError` that names it if it raises, or notes
    something else than arrays (...) by name.
    """

    @classmethod
    def example(cls) -> Self:
        """An instance, of defaults unless a subclass writes its own."""
        return cls()

    @abc.abstractmethod
    def __call__(self, seen: Seen) -> Mapping[str, Array]:
        """What it notes of a round, by name: arrays (...)."""
