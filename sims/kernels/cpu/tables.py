"""What compiled rounds are told, by name: arrays of float64 whose last axis are `LANES` runs, and what these share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class World(NamedTuple):
    """A `sims.kernels.in_rounds.ProblemInRounds`: the noise's numbers (…, LANES), λ, o and x* (d, LANES).

    The workers' offsets (n, d) are multiplied by the spread (LANES,), if they are not `alike`. Then the
    `sims.kernels.in_rounds.Points`, of which `each` worker has so many; labels (m,) are whole numbers, and with `flips`
    others for who is not honest.
    """

    noise: int
    numbers: np.ndarray
    slope: int
    eigenvalues: np.ndarray
    origin: np.ndarray
    x_star: np.ndarray
    offsets: np.ndarray
    spread: np.ndarray
    alike: bool
    points: np.ndarray
    labels: np.ndarray
    first: np.ndarray
    each: int
    classes: int
    batch: int
    ridge: float
    flips: bool
    honest: int


class Movement(NamedTuple):
    """A `sims.kernels.in_rounds.OptimizerInRounds`: η, the weights of what is new and old, and λ, (rounds or 1, LANES).

    Whether x rests and whether what is remembered is corrected for the last step, (rounds or 1,).
    """

    memory: int
    eta: np.ndarray
    fresh: np.ndarray
    old: np.ndarray
    decay: np.ndarray
    decays: bool
    rests: np.ndarray
    corrects: np.ndarray


class Aggregation(NamedTuple):
    """A `sims.kernels.in_rounds.RuleInRounds`: its parameters (steps, LANES), its networks' comparators (…, 3).

    The radius of what is mixed is (1, LANES).
    """

    step: int
    f: int
    parameters: np.ndarray
    network: np.ndarray
    neighbours: int
    whole: int
    mix: int
    mixed: int
    radius: np.ndarray
    mix_network: np.ndarray


class Attacking(NamedTuple):
    """A `sims.kernels.in_rounds.AttackInRounds`: its parameters (…, LANES), whole numbers, direction (d, LANES).

    Whether it enters the gradients, and how many workers are honest.
    """

    answer: int
    parameters: np.ndarray
    whole: np.ndarray
    direction: np.ndarray
    enters_gradients: bool
    honest: int


class State(NamedTuple):
    """What is kept from round to round: momenta (n, d, LANES), vectors (d, LANES), and which runs went beyond.

    The vectors are x, that of the round before, the rule's centre, the server's momentum, the last aggregate, and what
    an attacker remembers: the mean of all rounds, and a direction; `chosen` (LANES,) is the worker of his choice. A run
    is `beyond` (LANES,), 1 and not 0, once its numbers left the range for which some step is written.
    """

    x: np.ndarray
    past: np.ndarray
    momenta: np.ndarray
    centre: np.ndarray
    velocity: np.ndarray
    last: np.ndarray
    seen: np.ndarray
    along: np.ndarray
    chosen: np.ndarray
    beyond: np.ndarray


class Room(NamedTuple):
    """Where a round writes what it needs no more afterwards."""

    raw: np.ndarray  # the gradients, (n, d, LANES)
    before: np.ndarray  # those of the same sample at the point before, (n, d, LANES), or of no workers
    sent: np.ndarray  # (n, d, LANES)
    work: np.ndarray  # values that are sorted, (n, d, LANES), or distances, (n, n, LANES)
    distances: np.ndarray  # (n, n, LANES), or of no workers
    norms: np.ndarray  # (n, LANES)
    alive: np.ndarray  # (n, LANES)
    kept: np.ndarray  # (n, LANES)
    faint: np.ndarray  # (LANES,)
    origin: np.ndarray  # zeros, (1, d, LANES)
    slope: np.ndarray  # ∇f(x), (d, LANES), as are the others
    honest: np.ndarray  # the mean of the honest messages
    out: np.ndarray  # the aggregate
    spare: np.ndarray
