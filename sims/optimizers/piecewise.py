"""A learning rate that falls at given rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sims.checked import keep, real, told, whole


@dataclass(frozen=True)
class Piecewise:
    """A number that is multiplied by a factor after each of some rounds: a learning rate as it is usually lowered.

    η_t = first·factor^k, k how many of the rounds `at` lie before t: with at = (100,) it is `first` in the rounds 1, …,
    100 and first·factor from round 101 on. A round that stands there twice counts twice. A function of t like any
    other, but one that a key can stand for and a file can write, as `WorkerMomentum.decayed` with `milestones`.

    Raises `ValueError` unless first ≥ 0, factor ≥ 0 and `at` are whole numbers ≥ 0 in ascending order.

    >>> [Piecewise(1.0, at=(2, 3), factor=0.5)(t) for t in (1, 2, 3, 4)]
    [1.0, 1.0, 0.5, 0.25]
    """

    first: float
    at: tuple[int, ...]
    factor: float = 0.1

    def __post_init__(self) -> None:
        keep(self, real, "first", "factor", least=0)
        keep(self, _rounds, "at")
        if list(self.at) != sorted(self.at):
            raise ValueError(f"Piecewise needs at in ascending order, got at = {told(self.at)}")

    def __call__(self, t: int) -> float:
        """The number in round t = 1, 2, …"""
        value = self.first
        for last in self.at:
            if t > last:
                value *= self.factor  # one after the other, which is how optimizers round it
        return value


def decayed(optimizer: type, learning_rate: float, milestones: tuple[int, ...], factor: float) -> Piecewise:
    """The learning rate of an optimizer's constructor of this name, whose arguments a `ValueError` calls as it does."""
    owner = f"{optimizer.__name__}.decayed"
    first = real(owner, "learning_rate", learning_rate, least=0)
    return Piecewise(first, _rounds(owner, "milestones", milestones), factor)


def _rounds(owner: str, name: str, value: Any) -> tuple[int, ...]:
    """Whole numbers of rounds, none negative."""
    flat = getattr(value, "ndim", 1) == 1
    if not flat or not isinstance(value, Sequence | np.ndarray) or isinstance(value, str | bytes | np.ma.MaskedArray):
        raise ValueError(f"{owner} needs whole numbers of rounds {name} ≥ 0, got {name} = {told(value)}")
    return tuple(whole(owner, name, t, least=0) for t in value)
