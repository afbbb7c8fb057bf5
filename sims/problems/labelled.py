"""Oracles whose samples have labels, which a Byzantine worker may flip."""

from __future__ import annotations

import abc

from sims.backend import Array
from sims.problems.oracle import Oracle


class Labelled(Oracle):
    """An oracle of which a worker's sample has labels y ∈ {0, …, C − 1}: it can be asked to flip some."""

    @abc.abstractmethod
    def oracle(self, x: Array, sample: Array, honest: int | None = None, flip: bool = False) -> Array:
        """The stochastic gradients g_i(x; ξ_i), (..., n, d).

        With `flip` the workers behind the first `honest` compute theirs as always, on the labels C − 1 − y.
        """
