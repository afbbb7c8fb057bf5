"""Rules, and a problem, as somebody may write them, which keys and batches must tell apart, for tests."""

from __future__ import annotations

from dataclasses import dataclass

from sims.aggregators import CenteredClipping, Promises, StatelessRule
from sims.problems import Quadratic


class Own(StatelessRule):
    """A rule that promises nothing."""

    @property
    def promises(self):
        return Promises(translation=False, scale=False, odd=False)

    def breakdown(self, n):
        return 0

    def reduce(self, x):
        return x.mean(-2)


def scaled(factor):
    """A class for each factor, all of one name."""

    class Scaled(Own):
        def reduce(self, x):
            return factor * x.mean(-2)

    return Scaled


One, Half = scaled(1.0), scaled(0.5)


class InSlots(Own):
    """Its parameter is in no dictionary."""

    __slots__ = ("__secret", "factor")

    def __init__(self, factor, secret=0):
        self.factor, self.__secret = factor, secret


class Counting(Own):
    """What it answers depends on how often it was asked."""

    def __init__(self):
        self.calls = 0

    def reduce(self, x):
        self.calls += 1
        return x.mean(-2) / self.calls


class WithNumbersAlone(CenteredClipping):
    """A subclass that takes for granted that its parent's parameter is a number."""

    def combine(self, x, state, rng):
        y, state = super().combine(x, state, rng)
        return y / (1 + self.tau), state


@dataclass(frozen=True)
class Accurate(Quadratic):
    """It measures something else than others do."""

    def measure(self, x):
        excess, *others = super().measure(x).items()
        return {"accuracy": excess[1], **dict(others)}
