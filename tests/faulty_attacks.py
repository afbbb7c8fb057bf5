"""Attacks that break what an attack promises, each named for its fault: `check_attack` finds every one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import numpy as np

from sims.attacks import Attack
from sims.trees import arrays_in


def mean(view):
    return view.honest.mean(axis=-2, keepdims=True) + 0 * view.own


class Answer(Attack):
    """What they share: they answer −mean_G unless they say otherwise."""

    def send(self, view, state, rng):
        return -mean(view), state


class TooFew(Answer):
    """One message for all attackers."""

    def send(self, view, state, rng):
        return mean(view)[..., :1, :], state


class OneTooFewWhereThereAreMany(Answer):
    """One message too few, for more than one attacker and an even number of workers."""

    def send(self, view, state, rng):
        f, g = view.own.shape[-2], view.honest.shape[-2]
        return mean(view)[..., : f - (f > 1 and (f + g) % 2 == 0), :], state


class WiderNumbers(Answer):
    """float64 whatever the messages are."""

    def send(self, view, state, rng):
        return np.asarray(-mean(view), dtype=np.float64), state


class Lists(Answer):
    """A nested list."""

    def send(self, view, state, rng):
        return mean(view).tolist(), state


class NoState(Answer):
    """What is sent, and nothing else."""

    def send(self, view, state, rng):
        return -mean(view)


class Diary:
    """What is no tree of arrays."""


class StateOfItsOwnKind(Answer):
    """An object as its state, which no file can hold."""

    def send(self, view, state, rng):
        return -mean(view), state or Diary()


class WritesIntoTheView(Answer):
    """Changes the signs where the messages are."""

    def send(self, view, state, rng):
        view.own[...] *= -1
        return view.own, state


class WritesIntoItsState(Answer):
    """Adds to the mean that it remembers, where it is."""

    def send(self, view, state, rng):
        if len(state):
            state[0][...] += view.x
        return -mean(view), state or (view.x.copy(),)


@dataclass(frozen=True)
class Counts(Answer):
    """Changes its sign from call to call."""

    calls: list[int] = field(default_factory=list)

    def send(self, view, state, rng):
        self.calls.append(0)
        return (-1) ** len(self.calls) * mean(view), state


@dataclass(frozen=True)
class RemembersTheLargest(Answer):
    """Sends a little more if it has ever seen something larger, in another simulation."""

    seen: dict[str, float] = field(default_factory=lambda: {"largest": 0.0})

    def send(self, view, state, rng):
        sent = -mean(view) * (1 + 1e-9 * self.seen["largest"])
        self.seen["largest"] = max(self.seen["largest"], float(np.abs(view.honest).max()))
        return sent, state


class GlobalNoise(Answer):
    """Draws from NumPy's global generator."""

    def send(self, view, state, rng):
        return np.random.normal(size=view.own.shape).astype(view.own.dtype), state  # noqa: NPY002


class SeedsTheGlobalGenerator(Answer):
    """Is the same every time, at the cost of everybody else's random numbers."""

    def send(self, view, state, rng):
        np.random.seed(0)  # noqa: NPY002
        return np.random.normal(size=view.own.shape).astype(view.own.dtype), state  # noqa: NPY002


class FreshNoise(Answer):
    """Draws from a generator that nobody seeded."""

    def send(self, view, state, rng):
        return np.random.default_rng().normal(size=view.own.shape).astype(view.own.dtype), state


class MeanOfAllRuns(Answer):
    """Forgets the axis of its mean."""

    def send(self, view, state, rng):
        return 0 * view.own - view.honest.mean(), state


class MixesRunsInTheThirdRound(Answer):
    """Keeps runs apart in two rounds."""

    def send(self, view, state, rng):
        return -mean(view) - (view.t == 3) * 1e-6 * view.honest.mean(), state


class OneDrawForAllRuns(Answer):
    """Every run gets the noise of the first."""

    def send(self, view, state, rng):
        noise = rng.normal(1, view.own.shape[-2:])[0]
        return (0 * view.own + (noise[:1] if noise.ndim == 3 else noise)).astype(view.own.dtype), state


class MixesSettingsOfAGrid(Answer):
    """Normalises over the settings of a grid; with runs alone there is nothing to see."""

    def send(self, view, state, rng):
        return (-mean(view) * (2.0 - 1.0 / view.honest.shape[0] if view.honest.ndim > 3 else 1.0)), state


class MadeOfMessagesToo(Answer):
    """Declares gradients and looks at messages."""

    @property
    def acts_on(self):
        return "gradients"

    def send(self, view, state, rng):
        return -mean(view), state


class MadeOfGradientsALittle(Answer):
    """Declares messages, and adds a millionth of the gradients."""

    def send(self, view, state, rng):
        return -mean(view) + 1e-6 * view.honest_gradients[..., :1, :], state


class EntersNowhere(Answer):
    """Enters where nothing enters."""

    enters = "server"


class NeedsThree(Answer):
    """Is not defined for fewer than three honest workers, and does not say so."""

    def send(self, view, state, rng):
        return 0 * view.own + view.honest[..., 2:3, :], state


class DividesByTheRest(Answer):
    """Is not defined on the line, and does not say so."""

    def send(self, view, state, rng):
        if view.x.shape[-1] == 1:
            raise ZeroDivisionError("no other coordinate")
        return -mean(view), state


class RefusesByAnotherError(Answer):
    """Refuses two coordinates by a KeyError."""

    def require(self, n, f, d):
        if d == 2:
            raise KeyError(d)


class DrawsAhead(Answer):
    """Draws for four rounds in the first, and keeps the rest where no checkpoint finds it."""

    ahead: ClassVar[WeakKeyDictionary[Any, Any]] = WeakKeyDictionary()

    def send(self, view, state, rng):
        if rng not in self.ahead:
            self.ahead[rng] = iter(list(rng.normal(4, view.own.shape[-2:])))
        return (0 * view.own + next(self.ahead[rng])).astype(view.own.dtype), state


@dataclass(frozen=True, eq=False)
class FirstFactor(Answer):
    """Takes the first of several factors for all."""

    reals = {"factor": 0}  # noqa: RUF012

    factor: Any = 1.0

    def send(self, view, state, rng):
        return -np.ravel(self.factor)[0] * mean(view), state


class MovesTheRule(Answer):
    """Reaches through the question into the rule's memory."""

    def send(self, view, state, rng):
        for cell in getattr(view.aggregate, "__closure__", None) or ():
            memory = getattr(cell.cell_contents, "memory", None)
            for array in arrays_in(getattr(memory, "rule", ())):
                array += 1.0
        return -mean(view), state


FAULTY = [  # what it breaks, the attack: a class, for some remember what they have seen
    ("kind", TooFew),
    ("kind", OneTooFewWhereThereAreMany),
    ("kind", WiderNumbers),
    ("kind", Lists),
    ("kind", NoState),
    ("kind", StateOfItsOwnKind),
    ("inputs untouched", WritesIntoTheView),
    ("inputs untouched", WritesIntoItsState),
    ("no hidden state", Counts),
    ("no hidden state", RemembersTheLargest),
    ("no hidden state", FreshNoise),
    ("global random numbers", GlobalNoise),
    ("global random numbers", SeedsTheGlobalGenerator),
    ("leading axes", MeanOfAllRuns),
    ("leading axes", MixesRunsInTheThirdRound),
    ("leading axes", OneDrawForAllRuns),
    ("leading axes", MixesSettingsOfAGrid),
    ("streams", DrawsAhead),
    ("declared access", MadeOfMessagesToo),
    ("declared access", MadeOfGradientsALittle),
    ("declared access", EntersNowhere),
    ("require", NeedsThree),
    ("require", DividesByTheRest),
    ("require", RefusesByAnotherError),
    ("array parameter", FirstFactor),
    ("trials", MovesTheRule),
]
