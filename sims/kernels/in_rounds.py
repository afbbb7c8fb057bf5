"""What a problem, a rule, an attack and an optimizer declare of their part in compiled rounds: a step, and its numbers.

`sims.kernels.cpu.rounds` and `sims.kernels.cuda.rounds` have the steps; the numbers by which they tell them apart are
these enumerations and stand nowhere else. The CPU has all of them; `sims.engine.on_cuda` says which the device has.
Where it says "a number" below, it may be an array over the leading axes; with d coordinates, an array (..., d).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Slope(IntEnum):
    """What a coordinate of the gradient is without noise."""

    LINEAR = 0  # λ_j (x_j − o_j)
    SINE = 1  # sin x_j
    CLIPPED = 2  # x_j, clipped to [−1, 1]


class Noise(IntEnum):
    """What a raw number of the sample adds to a coordinate: ξ standard normal, or u uniform on [0, 1)."""

    NORMAL = 0  # σ·ξ
    TWO_VALUES = 1  # one value if u < p, else the other: (p, one, other)
    POWER = 2  # −(1 − u)^k
    SINE = 3  # s·sin(x + 2πu)
    SQUARE = 4  # s·sign(sin(x + 2πu))
    POINTS = 5  # no noise: the gradient is that of softmax regression on `Points`, of which u is one


class Step(IntEnum):
    """How a rule aggregates."""

    MEAN = 0
    MEDIAN = 1
    TRIMMED_MEAN = 2
    CLIPPING = 3
    WEISZFELD = 4
    KRUM = 5
    AROUND_MEDIAN = 6  # the mean of the n − f values of a coordinate nearest to the median
    AROUND_TRIMMED_MEAN = 7  # or to the trimmed mean
    SHORTEST = 8  # the mean of the n − f shortest messages
    NEAREST_TO_ONE = 9  # or of those nearest to that of worker `whole`
    MULTI_KRUM = 10  # or of the `whole` messages of lowest score


class Mix(IntEnum):
    """What becomes of the messages before the rule sees them."""

    NOTHING = 0
    NEAREST = 1  # each becomes the mean of the n − f nearest to it, f = `mixed`
    SHORTENED = 2  # to the length `radius`
    AS_LONG_AS_OTHERS = 3  # the `mixed` longest to the length of the longest of the others
    BUCKETS = 4  # the means of `mixed` workers each, in a random order of the rule's own stream; the last of fewer


class Answer(IntEnum):
    """What the Byzantine workers send; p, q, … are the `parameters`."""

    HONEST = 0
    MINUS_GRADIENT = 1
    MINUS_MESSAGE = 2
    MINUS_MEAN = 3  # −p·mean of the honest messages
    EDGE = 4  # mean + p·standard deviation
    CONSTANT = 5  # p in every coordinate
    NORMAL = 6  # p + q·ξ, ξ from the attack's own stream
    ONE_OF_THEM = 7  # the message of honest worker `whole[0]`
    NEAR_CENTRE = 8  # q·last aggregate + (1 − q)·mean + p·direction
    FARTHEST = 9  # mean + γ·direction, as far from each honest message as two of them are
    ON_SPHERE = 10  # mean + γ·direction, as far from the mean as the farthest honest message, or the nearest
    GRADIENT = 11  # the worker's own gradient, which may be of flipped labels
    TURNED = 12  # as NEAR_CENTRE, at an angle from r·last aggregate + (1 − r)·mean, of the cosine s and the sine t
    MOST_APART = 13  # the honest message that is farthest along where they differ most, chosen in `whole[0]` rounds
    MIRRORED = 14  # as many of λx + p as honest gradients differ from λx, with λ = q; λx from the others


class Along(IntEnum):
    """The direction in which an attacker leaves the mean: `whole[0]` of `FARTHEST` and `ON_SPHERE`."""

    DEVIATION = 0
    SIGN = 1
    MEAN = 2


class Memory(IntEnum):
    """Who remembers what from round to round."""

    NONE = 0
    WORKERS = 1  # m_i ← a·g_i + b·m_i, which is sent
    SERVER = 2  # m ← a·aggregate + b·m, along which x moves
    CORRECTED = 3  # m_i ← a·g_i(x) + b·(m_i − g_i(previous x)), the same sample at both points, which is sent


@dataclass(frozen=True, eq=False)
class Points:
    """A data set for softmax regression: features (m, p) and labels (m,), a `batch` of it for a gradient, a ridge.

    Worker i draws from the `count` points from `first`[i] on.
    """

    features: Any
    labels: Any
    classes: int
    batch: int
    ridge: float
    first: Any
    count: int


@dataclass(frozen=True, eq=False)
class ProblemInRounds:
    """A problem as steps of compiled rounds: worker i has the gradient slope(x) + noise + `spread`·`offsets`[i].

    `numbers` are those of the `noise`. `eigenvalues` λ and `origin` o are of a linear slope, `x_star` is where
    distances are measured from; each is a number or (..., d). f(x) − f* is ½ Σ λ_j (x_j − x*_j)², with the slope `SINE`
    2 Σ sin²(x_j/2), and with `CLIPPED` Σ c(|x_j| − ½c), c = min(1, |x_j|). `offsets` are (n, d), None without any. With
    `points` gradients are theirs, and the problem measures the iterates itself.
    """

    noise: Noise
    numbers: tuple[Any, ...]
    slope: Slope = Slope.LINEAR
    eigenvalues: Any = 1.0
    origin: Any = 0.0
    x_star: Any = 0.0
    offsets: Any = None
    spread: Any = 0.0
    points: Points | None = None


@dataclass(frozen=True, eq=False)
class RuleInRounds:
    """A rule as a step of compiled rounds.

    `order` are the order statistics (from 0) that its sorting network must bring to their places: of the values of a
    coordinate, or of one message's distances, the one to itself first. `f` values are left out at either end by
    `TRIMMED_MEAN`, and `KRUM` and `MULTI_KRUM` add up `neighbours` distances. `parameters` has one number or array over
    the runs for each inner step: τ or ν. `mix` is done to the messages before, with the order statistics `mix_order` of
    distances or lengths. `rounding_decides` which messages are chosen where their lengths or scores tie, as they do
    among messages of few values, and the step rounds in another order than the reference.
    """

    step: Step
    order: tuple[int, ...] = ()
    f: int = 0
    parameters: tuple[Any, ...] = ()
    neighbours: int = 0
    whole: int = 0
    mix: Mix = Mix.NOTHING
    mixed: int = 0
    mix_order: tuple[int, ...] = ()
    radius: Any = 0.0
    rounding_decides: bool = False


@dataclass(frozen=True, eq=False)
class AttackInRounds:
    """An attack's answer, with its `parameters` (numbers), settings that are `whole` numbers, and its `direction`.

    `EDGE` has the ddof of its deviation in `whole`, `ON_SPHERE` whether the nearest counts. `draws` are the vectors of
    normals that it takes from its own stream in a round. With `enters_gradients` what it sends goes in as gradients,
    from which Byzantine workers make messages as all others do.
    """

    answer: Answer
    parameters: tuple[Any, ...] = ()
    whole: tuple[int, ...] = ()
    direction: Any = None
    draws: int = 0
    enters_gradients: bool = False


@dataclass(frozen=True, eq=False)
class OptimizerInRounds:
    """Steps of η_t along the aggregate, or along a memory of them.

    `kept` is what remains of the `memory` from one round to the next, β or 1 − α; what is new has the weight 1 − β if
    `damped`, else 1. `decay` λ adds λx to the aggregate. Learning rate, `kept` and `decay` are schedules. For the first
    `averaged` rounds memories are the averages of all gradients so far, and for the first `idle` ones x rests.
    """

    learning_rate: Any
    memory: Memory = Memory.NONE
    kept: Any = 0.0
    damped: bool = True
    decay: Any = 0.0
    averaged: int = 0
    idle: int = 0


def declared(thing: Any, *sizes: int) -> Any:
    """What `thing.in_rounds(*sizes)` says, None unless its own class says it: a subclass may compute something else."""
    return thing.in_rounds(*sizes) if "in_rounds" in vars(type(thing)) else None
