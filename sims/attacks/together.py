"""Several attacks in one simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from sims.attacks.attack import Attack, State, View
from sims.attacks.bit_flipping import BitFlipping
from sims.attacks.inner_product_manipulation import InnerProductManipulation
from sims.backend import Array, namespace
from sims.checked import told
from sims.owned import asked


@dataclass(frozen=True)
class Together(Attack):
    """Each attack on its own slice of the first axis: experiments that share the samples of the honest workers.

    The state is one for each of them. Those that draw do so one after the other from the one stream. Raises
    `ValueError` unless `attacks` are one or more.
    """

    attacks: tuple[Attack, ...]

    def __post_init__(self) -> None:
        given = tuple(self.attacks) if isinstance(self.attacks, Sequence) else ()
        if not given or not all(isinstance(one, Attack) for one in given):
            raise ValueError(f"Together needs a tuple of sims Attacks, got attacks = {told(self.attacks)}")
        object.__setattr__(self, "attacks", given)

    @classmethod
    def example(cls, n: int, f: int) -> Self:
        """Two attacks, for a first axis of length 2."""
        return cls((BitFlipping(), InnerProductManipulation(epsilon=0.5)))

    def init(self, x: Array, n: int, f: int) -> State:
        """The states of all."""
        return tuple(asked("attack", attack.init, x[k, ...], n, f) for k, attack in enumerate(self.attacks))

    def send(self, view: View, state: State, rng: Any) -> tuple[Array, State]:
        """What each of them sends, and their states; none of them tries the rule out."""
        names = ("honest", "own", "honest_gradients", "own_gradients", "x", "last_aggregate")
        views = [
            replace(view, **{name: getattr(view, name)[k, ...] for name in names}) for k in range(len(self.attacks))
        ]
        states = state or ((),) * len(self.attacks)
        done = [attack(mine, own, rng) for attack, mine, own in zip(self.attacks, views, states, strict=True)]
        return namespace(view.own).stack([sent for sent, _ in done]), tuple(after for _, after in done)
