"""Parts of somebody's own that take numbers of several runs together, and twins of them that keep runs apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rules_of_ones_own import Own

from sims.attacks import Attack
from sims.observers import Observer
from sims.optimizers import SGD
from sims.problems import Quadratic


@dataclass(frozen=True)
class Apart(Attack):
    """Sends the honest mean of its own run."""

    def send(self, view, state, rng):
        return view.own * 0 + view.honest.mean(axis=-2, keepdims=True), state


@dataclass(frozen=True)
class MeanOfAll(Attack):
    """Forgets the axis of its mean."""

    def send(self, view, state, rng):
        return view.own * 0 + view.honest.mean(), state


@dataclass(frozen=True)
class FirstOfAll(Attack):
    """Takes the first axis for that of the workers: the first run is as it should be."""

    def send(self, view, state, rng):
        return view.own * 0 - view.honest[..., :1, :, :].mean(axis=-2, keepdims=True), state


@dataclass(frozen=True)
class LastOfAll(Attack):
    """The last run is as it should be."""

    def send(self, view, state, rng):
        return view.own * 0 - view.honest[..., -1:, :, :].mean(axis=-2, keepdims=True), state


@dataclass(frozen=True)
class InTheLastRound(Attack):
    """Mixes runs once, at the very end."""

    def send(self, view, state, rng):
        return view.own + (view.t == 7) * view.honest.mean(), state


class LargestOfAll(Own):
    """Measures all runs by the longest message of any."""

    def reduce(self, x):
        return x.mean(axis=-2) / (1 + np.abs(x).max())


@dataclass(frozen=True, eq=False)
class StepsOfAll(SGD):
    """Takes the step that the mean over all runs takes."""

    def update(self, x, aggregate, memory, t):
        return super().update(x, 0 * aggregate + aggregate.mean(), memory, t)


@dataclass(frozen=True, eq=False)
class NoiseOfAll(Quadratic):
    """Draws for each run, and adds the mean of it all."""

    def oracle(self, x, sample, honest=None):
        return super().oracle(x, sample, honest) + sample.mean()


@dataclass(frozen=True)
class LengthOfAll(Observer):
    """Changes no number, and notes one that is of all runs."""

    def __call__(self, seen):
        return {"length": 0 * seen.x[..., 0] + np.abs(seen.x).max()}
