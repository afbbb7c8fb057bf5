"""Oracles that remember: what is neither in the iterate nor in the sample is a value, handed on from round to round."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

from sims.backend import Array
from sims.problems.oracle import Oracle

Memory = Any


class Stateful(Oracle):
    """An oracle with a memory: running statistics of a network, the order in which a worker goes through its data.

    The memory is a value, any tree of arrays and numbers (`sims.trees`): `begin` makes it, and `gradients` hands the
    next one back. One of ours leaves the given one as it is, and somebody's own has a copy. Samples reach it as `draw`
    made them, on the host.
    """

    @abc.abstractmethod
    def begin(self, x: Array, n: int, honest: int) -> Memory:
        """The memory before the first round, at x (..., d), with n workers, the first `honest` of them honest."""

    @abc.abstractmethod
    def gradients(
        self, x: Array, sample: Any, memory: Memory, honest: int | None = None, flip: bool = False
    ) -> tuple[Array, Memory]:
        """The stochastic gradients g_i(x; ξ_i), (..., n, d), and the next memory.

        With `flip` the workers behind the first `honest` compute theirs on the labels C − 1 − y.
        """

    @abc.abstractmethod
    def measure_in(self, x: Array, memory: Memory) -> Mapping[str, Array]:
        """What a record notes of the iterate x (..., d) with this memory, by name: arrays (...)."""

    def oracle(self, x: Array, sample: Any, honest: int | None = None, flip: bool = False) -> Array:
        """The stochastic gradients with the memory that it begins with."""
        n = sample.shape[-1 - len(self.sample_shape)]
        begun = self.begin(x, n, n if honest is None else honest)
        return self.gradients(x, sample, begun, honest, flip)[0]

    def measure(self, x: Array) -> Mapping[str, Array]:
        """What a record notes of iterates (..., d) with the memory that it begins with."""
        return self.measure_in(x, self.begin(x, 1, 1))
