"""Oracles with a memory, and rules, attacks and observers that have states of every form."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sims.aggregators import Mean, Rule
from sims.attacks import Attack
from sims.engine import Observer
from sims.problems import Labelled, Stateful

Pair = namedtuple("Pair", "count centre")


@dataclass(frozen=True)
class Memory:
    """What the oracle below remembers."""

    rounds: int
    total: Any


@dataclass(frozen=True, eq=False)
class Drifting(Stateful, Labelled):
    """g_i = x + ξ_i + the mean of all samples so far; flipped workers have −ξ_i. It measures x and its memory."""

    size: int = 3
    begun: list[Any] = field(default_factory=list, compare=False)

    @property
    def dim(self):
        return self.size

    @property
    def sample_shape(self):
        return (self.size,)

    def draw(self, streams, steps, n):
        return streams.normal(steps, (n, self.size))

    def start(self, streams, runs):
        return 4 + streams.uniform(1, (self.size,))[0]

    def begin(self, x, n, honest):
        return Memory(0, np.zeros((*x.shape[:-1], self.size)))

    def gradients(self, x, sample, memory, honest=None, flip=False):
        n = sample.shape[-2]
        signs = np.where(flip & (np.arange(n) >= (n if honest is None else honest)), -1.0, 1.0)[:, None]
        after = Memory(memory.rounds + 1, memory.total + sample.mean(axis=-2))
        drift = after.total / after.rounds
        return x[..., None, :] + signs * sample + drift[..., None, :], after

    def measure_in(self, x, memory):
        return {"sq": np.sum(x**2, axis=-1), "drift": np.sum(memory.total, axis=-1)}


@dataclass(frozen=True)
class Restless(Rule):
    """The mean, nudged by a draw, with a state of tuples, dictionaries and named tuples."""

    @property
    def promises(self):
        return Mean().promises

    def breakdown(self, n):
        return 0

    def init(self, x):
        return {"seen": (Pair(np.int64(0), np.zeros((*x.shape[:-2], x.shape[-1]))), None, [1.5, "text", True])}

    def combine(self, x, state, rng):
        pair, *rest = state["seen"]
        nudge = rng.normal(1, (x.shape[-1],))[0] if rng is not None else 0.0
        centre = np.mean(x, axis=-2) + 0.01 * nudge + 0.1 * pair.centre
        return centre, {"seen": (Pair(pair.count + 1, centre), *rest)}


@dataclass(frozen=True)
class Wandering(Attack):
    """Sends a random walk that it remembers."""

    def init(self, x, n, f):
        return np.zeros((*x.shape[:-1], f, x.shape[-1]))

    def send(self, view, state, rng):
        state = state + rng.normal(1, view.own.shape[-2:])[0]
        return view.own + state, state


@dataclass(frozen=True)
class Pushed(Observer):
    """How far an aggregate is from the honest mean, along the first coordinate; NaN in every third round."""

    def __call__(self, seen):
        gap = (seen.aggregate - seen.messages[..., : seen.g, :].mean(axis=-2))[..., 0]
        return {"gap": gap if seen.t % 3 else gap * np.nan, "rounds": gap * 0 + seen.t}
