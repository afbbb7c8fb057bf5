"""Optimizers that break what an optimizer owes, each named for its fault: `check_optimizer` finds every one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sims.optimizers import SGD, ServerMomentum, WorkerMomentum


@dataclass(frozen=True, eq=False)
class Steps(SGD):
    """What most of them share: plain steps."""

    learning_rate: Any = 0.1


@dataclass(frozen=True, eq=False)
class Averages(WorkerMomentum):
    """What the others share: momenta of workers."""

    learning_rate: Any = 0.1
    beta: Any = 0.5


class WiderSteps(Steps):
    """float64 whatever the iterates are."""

    def update(self, x, aggregate, memory, t):
        return x - np.float64(0.1) * np.asarray(aggregate, dtype=np.float64), memory


class AsksElsewhere(Steps):
    """Wants its gradients a little beside x."""

    def points(self, x, memory):
        return (x * 1.000001,)


class OneMessageForAll(Steps):
    """Sends one message for all workers."""

    def messages(self, gradients, memory, t):
        return gradients[..., :1, :], memory


class Past:
    """What is no tree of arrays."""


class RemembersAnObject(Steps):
    """Has a memory that no file can hold."""

    def update(self, x, aggregate, memory, t):
        return super().update(x, aggregate, None, t)[0], memory or Past()


class WritesIntoX(Steps):
    """Steps where the iterate is."""

    def update(self, x, aggregate, memory, t):
        x -= (0.1 * aggregate).astype(x.dtype)
        return x, memory


class WritesIntoItsMomenta(Averages):
    """Adds to the momenta where they are."""

    def messages(self, gradients, memory, t):
        if memory is None:
            return super().messages(gradients, memory, t)
        memory *= self.beta
        memory += (1 - self.beta) * gradients
        return memory, memory


@dataclass(frozen=True, eq=False)
class MomentumOfItsOwn(Steps):
    """Keeps its momentum in itself."""

    kept: list[Any] = field(default_factory=list)

    def update(self, x, aggregate, memory, t):
        momentum = aggregate if not self.kept or t == 1 else 0.5 * self.kept[-1] + 0.5 * aggregate
        self.kept.append(momentum)
        return super().update(x, momentum, memory, t)


@dataclass(frozen=True, eq=False)
class CountsItsRounds(Steps):
    """Lowers its learning rate by rounds that it counts itself."""

    rounds: list[int] = field(default_factory=list)

    def update(self, x, aggregate, memory, t):
        self.rounds.append(t)
        return x - 0.1 / (1 + 1e-3 * len(self.rounds)) * aggregate, memory


@dataclass(frozen=True, eq=False)
class WaitsForTheGradients(Steps):
    """Has learnt in an earlier run where it will go, and asks for gradients there."""

    learnt: dict[int, Any] = field(default_factory=dict)

    def update(self, x, aggregate, memory, t):
        ahead, self.learnt[t] = self.learnt.get(t + 1, 0.0), aggregate
        return x - 0.1 * aggregate - (0.01 * ahead if np.shape(ahead) == x.shape else 0.0), memory


class Restless(Steps):
    """Adds noise of NumPy's global generator."""

    def update(self, x, aggregate, memory, t):
        return x - 0.1 * aggregate * (1 + 1e-3 * np.random.random()), memory  # noqa: NPY002


class NormOfAllRuns(Steps):
    """Steps by the length of the longest aggregate of any run."""

    def update(self, x, aggregate, memory, t):
        return x - 0.1 * aggregate / (1 + np.abs(aggregate).max()), memory


class FirstWorkerIsSlower(Averages):
    """Gives the first worker another momentum."""

    def messages(self, gradients, memory, t):
        beta = np.where(np.arange(gradients.shape[-2]) == 0, 0.9, 0.5)[:, None].astype(gradients.dtype)
        momenta = (1 - beta) * gradients + beta * (0 if memory is None else memory)
        return momenta, momenta


class KnowsTheOthers(Averages):
    """Has every worker send its momentum less the mean of all."""

    def messages(self, gradients, memory, t):
        momenta, memory = super().messages(gradients, memory, t)
        return momenta - 1e-6 * momenta.mean(axis=-2, keepdims=True), memory


class Ascends(Steps):
    """Steps up."""

    def update(self, x, aggregate, memory, t):
        return x + 0.1 * aggregate, memory


class Overshoots(ServerMomentum):
    """Turns round in its third round."""

    def __init__(self):
        super().__init__(0.1, 0.5)

    def update(self, x, aggregate, memory, t):
        return super().update(x, aggregate * (-9.0 if t == 3 else 1.0), memory, t)


class Drifts(Steps):
    """Moves where there is no gradient."""

    def update(self, x, aggregate, memory, t):
        return x - 0.1 * aggregate - np.asarray(1e-9, dtype=x.dtype), memory


class StandsStill(Steps):
    """Never moves."""

    def update(self, x, aggregate, memory, t):
        return x, memory


class FirstRate(Steps):
    """Takes the first of several learning rates for all runs."""

    def update(self, x, aggregate, memory, t):
        return x - (np.ravel(self.learning_rate)[0] * aggregate).astype(x.dtype), memory


FAULTY = [  # what it breaks, the optimizer
    ("kind", WiderSteps),
    ("kind", AsksElsewhere),
    ("kind", OneMessageForAll),
    ("kind", RemembersAnObject),
    ("inputs untouched", WritesIntoX),
    ("inputs untouched", WritesIntoItsMomenta),
    ("no hidden state", MomentumOfItsOwn),
    ("no hidden state", CountsItsRounds),
    ("no look ahead", WaitsForTheGradients),
    ("global random numbers", Restless),
    ("leading axes", NormOfAllRuns),
    ("workers apart", FirstWorkerIsSlower),
    ("workers apart", KnowsTheOthers),
    ("direction", Ascends),
    ("direction", Overshoots),
    ("direction", Drifts),
    ("direction", StandsStill),
    ("array parameter", FirstRate),
]
