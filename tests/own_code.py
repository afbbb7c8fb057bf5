"""Code as somebody may write it, for tests of keys: each name of it is changed while the program runs."""

from __future__ import annotations

import enum
import functools
import importlib
import os
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from rules_of_ones_own import Own

RATE = 1.0
WEIGHTS = {"first": 1.0}
CENTRE = np.mean


class Scaled(Own):
    scale = 3.0

    def reduce(self, x):
        return self.scale * x.mean(-2)


class Inheriting(Scaled):
    def name(self):
        return "inheriting"


class WithArray(Own):
    weights = np.array([1.0, 0.1])

    def reduce(self, x):
        return (x * self.weights).sum(-2)


class InSteps(Own):
    class Step:
        size = 1.0

    def reduce(self, x):
        return self.first(x) + 2 * self.second(x)

    def first(self, x):
        return self.Step.size * x.mean(-2)

    def second(self, x):
        return x.max(-2)

    @property
    def third(self):
        return 1.0

    @staticmethod
    def fourth(x):
        return x


class Reading(Own):
    def reduce(self, x):
        return RATE * x.mean(-2)


class ReadingFarAway(Own):
    def reduce(self, x):
        return helper(x)


def helper(x):
    return deeper(x) * WEIGHTS["first"]


def finding(x):
    return globals()["RATE"] * x.mean(-2)


def importing(x):
    return importlib.import_module("own_code").RATE * x.mean(-2)


def deeper(x):
    return RATE * x.mean(-2)


class Calling(Own):
    def reduce(self, x):
        return CENTRE(x, axis=-2)


class Holding(Own):
    """It holds whatever it is given, and hands it to a function of itself and the messages."""

    def __init__(self, held, use=lambda held, x: held * x.mean(-2)):
        self.held, self.use = held, use

    def reduce(self, x):
        return self.use(self.held, x)


class CallingWhatItHolds(Own):
    def __init__(self, held):
        self.held = held

    def reduce(self, x):
        return self.held(x)


class Named(Own):
    def __init__(self, type):
        self.type = type

    def reduce(self, x):
        return len(self.type) * x.mean(-2)


@dataclass(frozen=True)
class Declared(Own):
    tau: float = 1.0

    def reduce(self, x):
        return getattr(self, "extra", 1.0) * self.tau * x.mean(-2)


class Callable:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x):
        return self.factor * x.mean(-2)

    def apply(self, x):
        return self.factor * x.max(-2)


class Pair(NamedTuple):
    one: float
    two: float


class Reversed(NamedTuple):
    two: float
    one: float


class Level(enum.Enum):
    LOW = 1.0
    HIGH = 2.0


class Length(float):
    def __mul__(self, other):
        return 2 * float(self) * other


def with_default(x, factor=1.0, *, more=1.0):
    return factor * more * x.mean(-2)


def times(factor):
    def inner(x):
        def innermost():
            return factor * x.mean(-2)

        return innermost()

    return inner


def counting(x):
    return times_of_itself(x, 3)


def times_of_itself(x, k):
    return x.mean(-2) if k == 0 else RATE * times_of_itself(x, k - 1)


def even(x, k):
    return x.mean(-2) if k == 0 else odd(x, k - 1)


def odd(x, k):
    return RATE * even(x, k - 1)


def alternating(x):
    return even(x, 4)


def decorated(factor):
    def around(function):
        @functools.wraps(function)
        def wrapper(x):
            return factor * function(x)

        return wrapper

    return around


@functools.cache
def cached(k):
    return RATE * k


def with_cached(x):
    return cached.__wrapped__(2) * x.mean(-2)


if os.environ.get("OWN_CODE_OTHER_BRANCH"):

    def branched(x):
        return 2 * x.mean(-2)

else:

    def branched(x):
        return x.mean(-2)
