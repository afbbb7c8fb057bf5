"""What compiled rounds are told, by name: arrays of float64 whose last axis are `LANES` runs, and what these share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class World(NamedTuple):
    """The quadratic: λ and x* (d,), the noise of a coordinate (LANES,), the workers' offsets (n, d)."""

    eigenvalues: np.ndarray
    x_star: np.ndarray
    scale: np.ndarray
    offsets: np.ndarray


class Movement(NamedTuple):
    """η_t, the weights of the new gradient and of the momentum, (rounds or 1, LANES); whether momenta are sent."""

    eta: np.ndarray
    fresh: np.ndarray
    old: np.ndarray
    momentum: bool


class Aggregation(NamedTuple):
    """A `sims.kernels.in_rounds.RuleInRounds`, its parameters (steps, LANES) and its network's comparators (…, 3)."""

    step: int
    f: int
    parameters: np.ndarray
    network: np.ndarray


class Attacking(NamedTuple):
    """A `sims.kernels.in_rounds.AttackInRounds`, its strength (LANES,), and how many workers are honest."""

    answer: int
    strength: np.ndarray
    ddof: int
    honest: int


class State(NamedTuple):
    """What is kept from round to round: x and the rule's centre (d, LANES), the momenta (n, d, LANES)."""

    x: np.ndarray
    momenta: np.ndarray
    centre: np.ndarray


class Room(NamedTuple):
    """Where a round writes what it needs no more afterwards."""

    sent: np.ndarray  # (n, d, LANES)
    raw: np.ndarray  # the gradients of the Byzantine workers, (f, d, LANES)
    work: np.ndarray  # values that are sorted, (n, d, LANES), or distances, (n, n, LANES)
    norms: np.ndarray  # (n, LANES)
    alive: np.ndarray  # (n, LANES)
    slope: np.ndarray  # ∇f(x), (d, LANES), as are the others
    honest: np.ndarray  # the mean of the honest messages
    out: np.ndarray  # the aggregate
    spare: np.ndarray
