"""What a rule, an attack and an optimizer declare of their part in compiled rounds: a step by name, and what it needs.

`sims.kernels.cpu.rounds` and `sims.kernels.cuda.rounds` have the steps; the numbers by which they tell them apart are
these enumerations and stand nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Step(IntEnum):
    """How a rule aggregates."""

    MEAN = 0
    MEDIAN = 1
    TRIMMED_MEAN = 2
    CLIPPING = 3
    WEISZFELD = 4
    KRUM = 5


class Answer(IntEnum):
    """What the Byzantine workers send."""

    HONEST = 0
    MINUS_GRADIENT = 1
    MINUS_MESSAGE = 2
    MINUS_MEAN = 3  # −strength·mean of the honest messages
    EDGE = 4  # mean + strength·standard deviation


@dataclass(frozen=True, eq=False)
class RuleInRounds:
    """A rule as a step of compiled rounds.

    `order` are the order statistics (from 0) that its sorting network must bring to their places: of the values of a
    coordinate, or of one message's distances, the one to itself first. `f` values are left out at either end by
    `TRIMMED_MEAN`, and `KRUM` adds up n − f − 2 distances. `parameters` has one number or array over the runs for each
    inner step: τ or ν.
    """

    step: Step
    order: tuple[int, ...] = ()
    f: int = 0
    parameters: tuple[Any, ...] = ()


@dataclass(frozen=True, eq=False)
class AttackInRounds:
    """An attack's answer, with its `strength` (a number or an array over the runs) and the `ddof` of its deviation."""

    answer: Answer
    strength: Any = 0.0
    ddof: int = 0


@dataclass(frozen=True, eq=False)
class OptimizerInRounds:
    """Steps of η_t along the aggregate; with `beta` the workers send their momenta."""

    learning_rate: Any
    beta: Any = None
    damped: bool = True


def declared(thing: Any, *sizes: int) -> Any:
    """What `thing.in_rounds(*sizes)` says, None unless its own class says it: a subclass may compute something else."""
    return thing.in_rounds(*sizes) if "in_rounds" in vars(type(thing)) else None
